// Couriers that race: two of them and MQTT at one lock, with the same bundles, with others, and with the same deltas in bundles of other
// borders. In whatever order their messages come, whatever is lost, comes twice or is damaged, and wherever the power is cut: each delta
// acts once, its ack is the same for everyone, and the table is what its position says (rules S2, S3, S15, K1, K2).

import assert from "node:assert/strict";
import { Gate } from "../../firmware/core/gate";
import type { VirtualBoard } from "../../simulator/board/board";
import { FaultyNor } from "../../simulator/board/faulty-nor";
import { type FlashOperation, POWER_CUT, Power, type Torn, tornOf } from "../../simulator/board/power";
import { Dice, SEED } from "../support/dice";
import { MONDAY } from "../support/door";
import { interleavings, type Medium, Race, Site, type Step } from "./race";

const MEDIA: readonly Medium[] = ["radio", "radio", "network"];
const LATER = MONDAY + 3600;
const WANTED_CASES = 20_000;
const site = new Site();
let cases = 0;

/** The scripts in one order of their turns. */
function play(race: Race, scripts: readonly (readonly Step[])[], order: readonly number[]): void {
  const at = scripts.map(() => 0);
  for (const line of order) race.step(line, scripts[line][at[line]++]);
}

/** All orders; every `nth` lock is also booted again and brought to the end. */
function playAll(scripts: readonly (readonly Step[])[], nth: number): number {
  let count = 0;
  for (const order of interleavings(scripts.map(({ length }) => length))) {
    const race = new Race(site, MEDIA.slice(0, scripts.length));
    play(race, scripts, order);
    race.check();
    if (count++ % nth === 0) race.finish();
  }
  cases += count;
  return count;
}

const FULL: readonly Step[] = [
  "hello",
  "time",
  { from: 1, to: 4 },
  { from: 5, to: 8 },
  "ask",
  "beat",
  "fetch",
  "bye",
];

describe("S2 S3 S15 every order in which sessions meet", () => {
  it("two whole sessions with the same bundles", () => {
    assert.equal(
      playAll([FULL, ["hello", { from: 1, to: 4 }, { from: 5, to: 8 }, "late-beat", "bye"]], 20),
      1287,
    );
  });

  it("two whole sessions with the same deltas in bundles of other borders, one with a limit in time", () => {
    const other: Step[] = [
      "hello",
      { from: 1, to: 2, signedAt: 5 },
      { from: 2, to: 7, signedAt: 6, notAfter: LATER },
      "late-beat",
      "ask",
    ];
    assert.equal(playAll([FULL, other], 20), 1287);
  });

  it("two couriers and MQTT with the same bundles", () => {
    const scripts: Step[][] = [
      ["hello", { from: 1, to: 8 }, "late-beat"],
      ["hello", { from: 1, to: 8 }, "time"],
      ["hello", { from: 1, to: 8 }, "ask"],
    ];
    assert.equal(playAll(scripts, 40), 1680);
  });

  it("two couriers and MQTT with bundles of other borders and other signatures", () => {
    const scripts: Step[][] = [
      ["hello", { from: 1, to: 3 }, { from: 4, to: 8 }],
      ["hello", { from: 1, to: 8, signedAt: 3, notAfter: LATER }, "time"],
      ["hello", { from: 1, to: 5, signedAt: 4 }, "late-beat"],
    ];
    assert.equal(playAll(scripts, 40), 1680);
  });

  it("two couriers and MQTT, each with what comes after the other's", () => {
    const scripts: Step[][] = [
      ["hello", { from: 1, to: 2 }, { from: 7, to: 8 }],
      ["hello", { from: 3, to: 4 }, "ask"],
      ["hello", { from: 5, to: 6 }, { from: 1, to: 8, signedAt: 9 }],
    ];
    assert.equal(playAll(scripts, 40), 1680);
  });
});

describe("S5 K3 a courier that is cut off", () => {
  it("at any of its messages, while another session goes on, connects again and loses nothing", () => {
    const all: Step[] = ["hello", "time", { from: 1, to: 4 }, { from: 5, to: 8 }, "beat"];
    const again: Step[] = ["hello", { from: 1, to: 4 }, { from: 5, to: 8 }, "ask"];
    const other: Step[] = ["hello", { from: 1, to: 5, signedAt: 4 }, "late-beat"];
    let count = 0;
    for (let sent = 0; sent <= all.length; sent++) {
      const scripts = [[...all.slice(0, sent), ...again], other];
      for (const order of interleavings(scripts.map(({ length }) => length))) {
        const race = new Race(site, MEDIA.slice(0, 2));
        const at = [0, 0];
        for (const line of order) {
          if (line === 0 && at[0] === sent) race.connect(0, "radio");
          race.step(line, scripts[line][at[line]++]);
        }
        race.check();
        assert.equal(race.applied, site.total);
        if (count++ % 10 === 0) race.finish();
      }
    }
    assert.equal(count, 680);
    cases += count;
  });
});

describe("S3 K1 messages that come twice, in another order, or damaged", () => {
  // The gate would look at the first few of so many signatures only.
  const { enter } = Gate.prototype;
  before(() => {
    Gate.prototype.enter = () => true;
  });
  after(() => {
    Gate.prototype.enter = enter;
  });

  const inner: Step[] = [
    "time",
    { from: 1, to: 3 },
    { from: 4, to: 5 },
    { from: 6, to: 8 },
    "beat",
    "late-beat",
  ];

  it("any order of the six messages behind a hello", () => {
    const orders = (items: readonly Step[]): Step[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
    let count = 0;
    for (const order of orders(inner)) {
      const race = new Race(site, ["radio"]);
      for (const step of ["hello", ...order] as const) race.step(0, step);
      race.check();
      if (count++ % 5 === 0) race.finish();
    }
    assert.equal(count, 720);
    cases += count;
  });

  it("each message again: at once under its id and under another, and behind each later one", () => {
    for (let at = 0; at < FULL.length; at++)
      for (let then = at; then < FULL.length; then++)
        for (const isSame of [false, true]) {
          const race = new Race(site, ["network"]);
          FULL.forEach((step, i) => {
            race.step(0, step);
            if (i === at && isSame) race.again(0);
            if (i === then) race.step(0, FULL[at]);
          });
          race.finish();
          cases++;
        }
  });

  /** Sends what was made of each signed message before the message itself; `damaged` yields it, request ids apart. */
  function sendDamaged(
    script: readonly Step[],
    damaged: (message: Uint8Array) => Iterable<Uint8Array>,
  ): number {
    const race = new Race(site, ["radio", "radio", "network"]);
    const { counters } = race.board.credentials;
    let count = 0;
    for (const step of script) {
      if (step !== "hello" && step !== "ask" && step !== "fetch") {
        const line = race.lines[0];
        const message = race.messageOf(0, step);
        line.session.countBad = () => {};
        const { programs, erases } = counters;
        for (const bad of damaged(message)) {
          race.lock.receive(line.session, bad);
          count++;
          assert.equal(counters.programs, programs, Buffer.from(bad).toString("hex"));
          assert.equal(line.session.closed, false);
        }
        assert.equal(counters.erases, erases);
        race.check();
      }
      race.step(0, step);
    }
    race.finish();
    cases += count;
    return count;
  }

  const OTHER: readonly Step[] = [
    "hello",
    "time",
    { from: 1, to: 2, signedAt: 5 },
    { from: 2, to: 7, signedAt: 6, notAfter: LATER },
    { from: 8, to: 8, signedAt: 7 },
    "late-beat",
  ];
  const damage = (damaged: (message: Uint8Array) => Iterable<Uint8Array>): number =>
    sendDamaged(FULL.slice(0, -1), damaged) + sendDamaged(OTHER, damaged);

  it("cut short at any byte: nothing happens, and the whole message does all", () => {
    const count = damage(function* (message) {
      for (let length = 0; length < message.length; length++) yield message.slice(0, length);
    });
    assert.ok(count > 1200, `${count}`);
  });

  it("with any one bit of its body flipped: nothing happens, and the right message does all", () => {
    const count = damage(function* (message) {
      // Array, type and request id stand in the first three bytes: they are no part of what is signed.
      for (let bit = 24; bit < message.length * 8; bit++) {
        const flipped = message.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        yield flipped;
      }
    });
    assert.ok(count > 9000, `${count}`);
  });

  it(`random scripts of three sessions, with what networks do to them (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    for (let round = 0; round < 250; round++) {
      const race = new Race(site, MEDIA);
      for (let turn = 0; turn < 25; turn++) {
        const line = dice.below(3);
        const from = 1 + dice.below(8);
        const to = dice.between(from, 8);
        const bundle = { from, to, signedAt: dice.below(30), notAfter: dice.chance(0.2) ? LATER : 0 };
        const step = dice.pick<Step>([
          "hello",
          "time",
          "ask",
          "beat",
          "late-beat",
          "fetch",
          "tick",
          "bye",
          bundle,
          bundle,
        ]);
        if (dice.chance(0.05)) race.connect(line, MEDIA[line]);
        if (dice.chance(0.02)) race.reboot();
        race.step(line, dice.chance(0.3) ? "hello" : step);
      }
      race.finish();
    }
  });
});

describe("S4 K2 a power cut in a session", () => {
  const scripts: Step[][] = [
    ["hello", "time", { from: 1, to: 4 }, { from: 5, to: 8 }, "tick", "beat", "fetch"],
    ["hello", { from: 1, to: 6, signedAt: 4 }, "late-beat", "ask"],
  ];
  const faulty = (power: Power) => (board: VirtualBoard) => ({
    credentials: new FaultyNor(board.credentials, { power }),
    events: new FaultyNor(board.events, { power }),
  });

  /** The operations of a whole run. */
  function operationsOf(at: Site, order: readonly number[]): FlashOperation[] {
    const power = new Power();
    const race = new Race(at, MEDIA.slice(0, 2), faulty(power));
    play(race, scripts, order);
    return power.operations;
  }

  /** Runs into one cut, boots from what is left, and brings everything. */
  function cutAt(at: Site, order: readonly number[], operation: number, bytes: number, torn: Torn): void {
    const power = new Power({ operation, bytes, torn, seed: cases });
    const race = new Race(at, MEDIA.slice(0, 2), faulty(power));
    race.power = power;
    let told = race.applied;
    const next = scripts.map(() => 0);
    let most = told;
    let knew = false;
    try {
      for (const line of order) {
        const step = scripts[line][next[line]++];
        told = most = race.applied;
        knew = race.known;
        if (typeof step !== "string" && at.history + step.from <= told + 1)
          most = Math.max(told, at.history + step.to);
        race.step(line, step);
      }
      assert.fail("no cut");
    } catch (error) {
      if (error !== POWER_CUT) throw error;
    }
    const { credentials, events } = race.parts as { credentials: FaultyNor; events: FaultyNor };
    race.reboot({ credentials: FaultyNor.boot(credentials.image()), events: FaultyNor.boot(events.image()) });
    if (told < at.history + 2) race.knewStart = knew;
    race.resume(told, most);
    race.check();
    for (const step of scripts[0]) race.step(0, step);
    race.check();
    cases++;
  }

  /** Every operation of some orders, with some shares of it done, torn in every way. */
  function cutEverywhere(at: Site, nth: number): { operations: number; erases: number } {
    const found = { operations: 0, erases: 0 };
    let number = 0;
    for (const order of interleavings(scripts.map(({ length }) => length))) {
      if (number++ % nth !== 0) continue;
      operationsOf(at, [...order]).forEach(({ kind, length }, operation) => {
        found.operations++;
        if (kind === "erase") found.erases++;
        for (const torn of tornOf(kind))
          for (const bytes of [0, length >> 1, length]) cutAt(at, order, operation, bytes, torn);
      });
    }
    return found;
  }

  it("at every operation of it, torn in every way: what was acked stands, the rest comes again", () => {
    const { operations } = cutEverywhere(site, 90);
    assert.ok(operations > 50, `${operations}`);
  });

  it("also where the table is compacted meanwhile", () => {
    for (let history = 40; history < 200; history++) {
      const order = [0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0];
      const full = new Site(history);
      if (!operationsOf(full, order).some(({ kind }) => kind === "erase")) continue;
      const { erases } = cutEverywhere(full, 330);
      assert.ok(erases > 0);
      return;
    }
    assert.fail("no history compacts");
  });
});

describe("all of these", () => {
  it("are at least 20,000 enumerated cases", function () {
    assert.ok(cases >= WANTED_CASES, `${cases}`);
    if (this.test !== undefined) this.test.title += `: ${cases}`;
  });
});
