// A month of guessing at the keypad (rule X1), played: the most that any strategy gets looked at, against what the policy alone
// allows. The limits here are worked out from the rule, by hand.

import assert from "node:assert/strict";
import { Dice, SEED } from "../../support/dice";
import { L500I } from "../../support/door";
import {
  type AloneOptions,
  Attacker,
  anything,
  BARE,
  LockoutAlone,
  MONTH_S,
  mostWithin,
  type Strategy,
  WholeLock,
  withCodes,
} from "../../support/guesser";
import { tell } from "../../support/tell";

/** 1000 codes of 8 digits, or 10 of 6: the share of guesses that open. */
const DENSITY = 1000 / 10 ** 8;
const RISK = 0.01;
/** Eight wrong entries to the top, and one an hour for 720 hours. */
const BARE_LIMIT = 8 + 30 * 24;
/** Three more forgiven on each of 31 days that begin within the 30, both ends included. */
const ONE_CODE_LIMIT = BARE_LIMIT + 31 * 3;
/** Seven more instead, whoever the people are. */
const ANY_CODES_LIMIT = BARE_LIMIT + 31 * 7;
const RANDOM_RUNS = 40;

const risk = (guesses: number): number => 1 - (1 - DENSITY) ** guesses;

interface Best {
  guesses: number;
  name: string;
}

/** Plays each strategy against a new lock, and tells which got most. */
function play(strategies: readonly Strategy[], options: AloneOptions = {}): Best {
  let best: Best = { guesses: -1, name: "" };
  for (const strategy of strategies) {
    const attacker = new Attacker(new LockoutAlone(options));
    strategy.play(attacker);
    const guesses = mostWithin(attacker.guesses, MONTH_S);
    if (guesses > best.guesses) best = { guesses, name: strategy.name };
  }
  return best;
}

function random(people: number): Strategy[] {
  const dice = new Dice();
  return Array.from({ length: RANDOM_RUNS }, () => anything(dice, people));
}

function check(context: Mocha.Context, title: string, { guesses, name }: Best, limit: number): void {
  const part = `${(100 * risk(guesses)).toFixed(3)} %`;
  tell(context, `${title}: ${guesses} guesses (limit ${limit}), ${part}, by "${name}"`);
  assert.ok(guesses <= limit, `${guesses} guesses by ${name}`);
  assert.ok(risk(guesses) <= RISK, `risk ${risk(guesses)} by ${name}`);
}

describe("X1 a month of guessing, played", () => {
  for (const strategy of BARE) {
    it("admits no more than the policy says, without a code: " + strategy.name, function () {
      check(this, "without a code", play([strategy]), BARE_LIMIT);
    });
  }

  it("admits exactly what the policy says to the greedy one: the limit is no looser than it has to be", () => {
    assert.equal(play([BARE[0]]).guesses, BARE_LIMIT - 1);
  });

  it("looks at nothing for one who cuts the power before the compare", () => {
    assert.equal(play([BARE[1]]).guesses, 0);
  });

  for (const people of [1, 2, 3, 10, 1000]) {
    it(`stays under 1 % for one who uses the codes of ${people}, or waits for them to come`, function () {
      check(
        this,
        `${people} codes`,
        play(withCodes(people)),
        people === 1 ? ONE_CODE_LIMIT : ANY_CODES_LIMIT,
      );
    });
  }

  for (const people of [0, 1, 10]) {
    it(`stays under 1 % for anything that chance comes to, with ${people} codes; seed ${SEED}`, function () {
      const limits: Record<number, number> = { 0: BARE_LIMIT, 1: ONE_CODE_LIMIT };
      check(this, `anything, ${people} codes`, play(random(people)), limits[people] ?? ANY_CODES_LIMIT);
    });
  }

  it("stays under 1 % on a board whose clock runs 5 % fast", function () {
    const options = { rate: 1.05, driftPpm: 50_000 };
    check(this, "a fast clock, no code", play([BARE[0]], options), 1.05 * BARE_LIMIT);
    check(this, "a fast clock, 10 codes", play(withCodes(10), options), 1.05 * ANY_CODES_LIMIT);
  });

  it(`is the same for a whole lock as for the lockout alone, guess by guess; seed ${SEED}`, () => {
    const people = 9;
    const named = (part: string) => () =>
      [...BARE, ...withCodes(people)].find(({ name }) => name.includes(part))!;
    const makers = [
      named("greedy"),
      named("stays below the first wait"),
      named('whose power cut is "forgiven"'),
      () => anything(new Dice(), people),
    ];
    for (const make of makers) {
      const alone = new Attacker(new LockoutAlone());
      make().play(alone);
      const whole = new Attacker(new WholeLock(people, { profile: L500I }));
      const strategy = make();
      strategy.play(whole);
      assert.deepEqual(whole.guesses, alone.guesses, strategy.name);
    }
  });

  it("admits less under a stricter policy", function () {
    check(this, "first wait after one", play([BARE[0]], { tries: 1 }), 4 + 30 * 24);
    check(this, "waits of four hours", play([BARE[0]], { leastMinutes: 240 }), 8 + 30 * 6);
    const both = play(withCodes(10), { tries: 1, leastMinutes: 240 });
    check(this, "both, 10 codes", both, 4 + 30 * 6 + 31 * 7);
  });
});
