import assert from "node:assert/strict";
import { decide, explain } from "../../../firmware/core/decide";
import { reasonName } from "../../../protocol/wire/codes";
import { nextVerdict, verdict } from "../../support/reference";
import { Dice, questionOf, randomSituation, SEED } from "../../support/situations";

const again = `SEED=${SEED} npx mocha tests/firmware/core/decide.test.ts`;
const CASES = 100_000;
const CHANGES = 250;

describe("T17 the decision", () => {
  it(`is that of an independent reference in ${CASES} random situations (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    const counts = new Map<string, number>();
    for (let i = 0; i < CASES; i++) {
      const situation = randomSituation(dice);
      const expected = verdict(situation);
      const found = reasonName(decide(questionOf(situation)));
      if (found !== expected)
        assert.fail(`${found}, wanted ${expected}: ${JSON.stringify(situation)}\n${again}`);
      counts.set(expected, (counts.get(expected) ?? 0) + 1);
    }
    assert.equal(counts.size, 10, "every reason comes up");
    for (const [reason, count] of counts) assert.ok(count > 500, `${reason} came up ${count} times`);
  });

  it(`T17 explain says the same, and what comes next by a second by second reference (seed ${SEED})`, () => {
    const dice = new Dice(SEED + 1);
    let changes = 0;
    for (let i = 0; i < 400; i++) {
      const situation = randomSituation(dice);
      const question = questionOf(situation);
      const told = explain(question);
      const t0 = Date.now();
      const expected = nextVerdict(situation);
      const context = `${JSON.stringify(told)}, wanted ${JSON.stringify(expected)}: ${JSON.stringify(situation)}\n${again}`;
      if (situation.clock === "unknown") continue;
      if (expected !== undefined) {
        changes++;
        if (told.next !== expected.at || reasonName(told.nextReason) !== expected.verdict) assert.fail(context);
      } else assert.ok(told.next === 0 || told.next > situation.clock.now + 9 * 86400, context);
    }
    console.log(changes);
  });
});
