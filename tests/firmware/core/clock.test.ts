// The lock's clock (rules T11 to T13): what it promises of the true time must hold for every board that keeps its declared drift.

import assert from "node:assert/strict";
import fc from "fast-check";
import { LockClock, MAX_BOUND_S } from "../../../firmware/core/clock";
import { MAX_TIME_ANSWER_AGE_S } from "../../../protocol/wire/limits";
import { Trust } from "../../../protocol/wire/receipt";

const TIME = 1_803_859_200;
const UNKNOWN = { trust: Trust.unknown, now: 0, bound: 0 };

/** A clock on a board whose uptime the test moves. */
function clockOf(driftPpm: number): { clock: LockClock; board: { uptimeS: number } } {
  const board = { uptimeS: 0 };
  return { clock: new LockClock({ uptime: () => board.uptimeS, driftPpm }), board };
}

describe("T11 trust in the clock", () => {
  it("is unknown until a time was set, whatever the uptime", () => {
    const { clock, board } = clockOf(20);
    assert.deepEqual({ ...clock.read() }, UNKNOWN);
    board.uptimeS = 1e6;
    assert.deepEqual({ ...clock.read() }, UNKNOWN);
  });

  it("starts with the delay of the answer and the second that an answer does not tell", () => {
    const { clock } = clockOf(0);
    clock.set(TIME, 0);
    assert.deepEqual({ ...clock.read() }, { trust: Trust.set, now: TIME, bound: 1 });
    clock.set(TIME, 0.25);
    assert.equal(clock.read().bound, 2);
    clock.set(TIME, MAX_TIME_ANSWER_AGE_S);
    assert.equal(clock.read().bound, 31);
  });

  it("has a bound that grows by the drift that the board declares", () => {
    const table = [
      { ppm: 0, hours: 100_000, bound: 1 },
      { ppm: 20, hours: 10, bound: 2 },
      { ppm: 20, hours: 24 * 30, bound: 1 + 52 },
      { ppm: 100, hours: 24 * 30, bound: 1 + 260 },
      { ppm: 50_000, hours: 1, bound: 1 + 190 },
    ];
    for (const { ppm, hours, bound } of table) {
      const { clock, board } = clockOf(ppm);
      clock.set(TIME, 0);
      board.uptimeS = hours * 3600;
      const expected = { trust: Trust.set, now: TIME + hours * 3600, bound };
      assert.deepEqual({ ...clock.read() }, expected, `${ppm} ppm, ${hours} h`);
    }
  });

  it("is unknown past a bound of ten minutes, and set again by the next answer", () => {
    for (const ppm of [20, 100, 50_000, 500_000]) {
      const { clock, board } = clockOf(ppm);
      clock.set(TIME, 0);
      // The bound is a whole number above 1 + elapsed × share, so 600 is reached where that passes 599 and left where it passes 600.
      const share = ppm / (1e6 - ppm);
      board.uptimeS = Math.floor((MAX_BOUND_S - 1) / share);
      assert.equal(clock.read().trust, Trust.set, `${ppm} ppm`);
      assert.equal(clock.read().bound, MAX_BOUND_S);
      board.uptimeS++;
      assert.deepEqual({ ...clock.read() }, UNKNOWN, `${ppm} ppm, a second later`);
      clock.set(TIME, 0);
      assert.equal(clock.read().bound, 1);
    }
  });

  it("is unknown on a board that declares no clock at all", () => {
    for (const ppm of [1e6, Number.NaN]) {
      const { clock, board } = clockOf(ppm);
      clock.set(TIME, 0);
      board.uptimeS = 1;
      assert.deepEqual({ ...clock.read() }, UNKNOWN, String(ppm));
    }
  });

  it("keeps the true time within the bound: any drift up to the declared one, any delay, any fraction of a second", () => {
    const cases = fc.record({
      ppm: fc.constantFrom(0, 20, 100, 50_000),
      /** The share of the declared drift that the clock has; 1 is as fast as it may be. */
      lean: fc.oneof(fc.constantFrom(-1, 0, 1), fc.double({ min: -1, max: 1, noNaN: true })),
      fraction: fc.double({ min: 0, max: 0.999999, noNaN: true }),
      asked: fc.double({ min: 0, max: 100, noNaN: true }),
      ageS: fc.double({ min: 0, max: MAX_TIME_ANSWER_AGE_S, noNaN: true }),
      /** When between question and answer the time was signed. */
      signed: fc.double({ min: 0, max: 1, noNaN: true }),
      later: fc.oneof(
        fc.double({ min: 0, max: 120, noNaN: true }),
        fc.double({ min: 0, max: 5e6, noNaN: true }),
      ),
    });
    let known = 0;
    fc.assert(
      fc.property(cases, ({ ppm, lean, fraction, asked, ageS, signed, later }) => {
        const rate = 1 + (lean * ppm) / 1e6;
        const booted = TIME + fraction;
        const { clock, board } = clockOf(ppm);
        const uptimeAt = (instant: number) => (instant - booted) * rate;
        const time = Math.floor(booted + asked + ageS * signed);
        board.uptimeS = uptimeAt(booted + asked + ageS);
        clock.set(time, board.uptimeS - uptimeAt(booted + asked));
        const instant = booted + asked + ageS + later;
        board.uptimeS = uptimeAt(instant);
        const { trust, now, bound } = clock.read();
        if (trust === Trust.unknown) return;
        known++;
        const off = instant - now;
        // A double tells seconds of these years to a few parts in ten million.
        assert.ok(Math.abs(off) <= bound + 1e-5, `${off} s off, bound ${bound}`);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(known > 5000, `the time was known in ${known} cases`);
  });
});

describe("T13 the time floor", () => {
  it("comes back as it was kept, to its limits", () => {
    for (const [floor, timeEpoch, setTo] of [
      [0, 0, 0],
      [TIME, 7, TIME - 1],
      [0xffffffff, 0xffff, 0xffffffff],
    ]) {
      const { clock } = clockOf(20);
      const kept = clock.stateAfter(floor, timeEpoch, setTo);
      assert.equal(kept.length, 10);
      clock.restore(kept);
      assert.deepEqual([clock.floor, clock.timeEpoch], [floor, timeEpoch]);
      assert.deepEqual(clock.stateAfter(floor, timeEpoch), kept, "what it was set to stays");
      assert.deepEqual({ ...clock.read() }, UNKNOWN, "a floor is no time");
    }
  });
});
