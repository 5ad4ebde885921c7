// The keypad on a matrix of contacts that bounce, ghost and come at any moment.

import assert from "node:assert/strict";
import fc from "fast-check";
import { Guard } from "../../../firmware/device/guard";
import { MatrixKeypad } from "../../../firmware/device/keypad";
import { Pins } from "../../support/sdk/digital";
import { VirtualTimers } from "../../support/sdk/timers";

const ROWS = [16, 17, 18, 19];
const COLUMNS = [21, 22, 23];
/** What is printed on the keys: 11 is clear, 10 is confirm. */
const PRINTED = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 0, 10];
/** The longest that a contact bounces, and the shortest touch and pause of a person, in milliseconds. */
const BOUNCE_MS = 20;
const TOUCH_MS = 60;

class Bench {
  readonly timers = new VirtualTimers();
  readonly pins = new Pins(this.timers);
  readonly guard = new Guard();
  readonly keys: number[] = [];
  keypad!: MatrixKeypad;
  onKey = (key: number): void => {
    this.keys.push(key);
  };

  constructor() {
    this.boot();
  }

  boot(): void {
    const { pins, timers, guard } = this;
    this.keypad = new MatrixKeypad({
      pins: { rows: ROWS, columns: COLUMNS },
      Digital: pins.Digital,
      timers,
      guard,
      onKey: (key) => this.onKey(key),
    });
  }

  contact(key: number, isClosed: boolean): void {
    const place = PRINTED.indexOf(key);
    this.pins.connect(ROWS[Math.trunc(place / 3)], COLUMNS[place % 3], isClosed);
  }

  /** A contact goes one way, bouncing at the given milliseconds. */
  bounce(key: number, isClosed: boolean, bounces: readonly number[], ms: number): void {
    let at = 0;
    let level = isClosed;
    this.contact(key, level);
    for (const bounce of [...bounces].sort((a, b) => a - b)) {
      this.timers.advance(bounce - at);
      at = bounce;
      level = !level;
      this.contact(key, level);
    }
    this.contact(key, isClosed);
    this.timers.advance(ms - at);
  }

  press(key: number, ms = 100): void {
    this.bounce(key, true, [], ms);
    this.bounce(key, false, [], 100);
  }

  /** Nothing is held, and nothing is done any more. */
  asleep(): void {
    this.timers.advance(200);
    assert.equal(this.timers.count, 0);
    assert.equal(this.keypad.isBusy, false);
    assert.equal(this.pins.shorts, 0);
    assert.equal(this.guard.faults, 0);
    for (const row of ROWS) assert.equal(this.pins.level(row), 0);
  }
}

const bounces = fc.array(fc.integer({ min: 0, max: BOUNCE_MS }), { maxLength: 12 });
const presses = fc.array(
  fc.record({
    key: fc.constantFrom(...PRINTED),
    down: bounces,
    held: fc.integer({ min: TOUCH_MS, max: 400 }),
    up: bounces,
    pause: fc.integer({ min: TOUCH_MS, max: 200 }),
  }),
  { maxLength: 12 },
);

describe("S14 A touch wakes the keypad", () => {
  it("gives each key its number", () => {
    const bench = new Bench();
    for (const key of PRINTED) bench.press(key);
    assert.deepEqual(bench.keys, PRINTED);
    bench.asleep();
  });

  it("sleeps without a timer, with all rows low, until one is pressed", () => {
    const bench = new Bench();
    bench.asleep();
    bench.contact(5, true);
    assert.deepEqual(bench.keypad.wakePins, COLUMNS);
    assert.equal(bench.pins.level(COLUMNS[1]), 0, "a column that wakes the chip");
    bench.timers.advance(100);
    assert.equal(bench.keypad.isBusy, true);
    bench.contact(5, false);
    bench.asleep();
    assert.deepEqual(bench.keys, [5]);
  });

  it("counts the key that woke the chip: one that is down at boot, or whose edge nobody saw", () => {
    const bench = new Bench();
    bench.timers.advance(100);
    const timers = new VirtualTimers();
    const pins = new Pins(timers);
    pins.connect(ROWS[2], COLUMNS[0], true);
    const keys: number[] = [];
    const { Digital } = pins;
    const onKey = (key: number) => keys.push(key);
    new MatrixKeypad({ pins: { rows: ROWS, columns: COLUMNS }, Digital, timers, guard: new Guard(), onKey });
    timers.advance(100);
    assert.deepEqual(keys, [7]);
  });

  it("may be woken by hand at any time, and finds nothing", () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) {
      bench.keypad.wake();
      bench.timers.advance(3);
    }
    bench.asleep();
    assert.deepEqual(bench.keys, []);
  });
});

describe("C4 Each press is one key", () => {
  it("for any keys, however their contacts bounce", () => {
    const property = fc.property(presses, (script) => {
      const bench = new Bench();
      for (const { key, down, held, up, pause } of script) {
        bench.bounce(key, true, down, held + BOUNCE_MS);
        bench.bounce(key, false, up, pause + BOUNCE_MS);
      }
      assert.deepEqual(
        bench.keys,
        script.map(({ key }) => key),
      );
      bench.asleep();
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("loses none that comes down while the keypad falls asleep after another was released", () => {
    const count = (bench: Bench, at: number): number => {
      let drives = 0;
      bench.press(1, 60);
      bench.asleep();
      bench.contact(1, true);
      bench.timers.advance(60);
      bench.contact(1, false);
      // From here on nothing is held: the last scans, then sleep.
      bench.timers.advance(12);
      bench.pins.onDrive = () => {
        if (++drives === at) bench.contact(6, true);
      };
      bench.timers.advance(100);
      return drives;
    };
    const all = count(new Bench(), -1);
    assert.ok(all > 8);
    for (let at = 1; at <= all; at++) {
      const bench = new Bench();
      count(bench, at);
      bench.contact(6, false);
      bench.asleep();
      // Before the release was certain, it is the same touch still.
      const isSame = bench.keys.length === 2;
      assert.deepEqual(bench.keys, isSame ? [1, 1] : [1, 1, 6], `at change ${at}`);
      if (isSame) assert.ok(at <= all - ROWS.length, "only while a scan was still running");
    }
  });

  it("loses none while the chip is busy with something else", () => {
    const bench = new Bench();
    bench.contact(4, true);
    bench.timers.now += 40;
    bench.timers.advance(60);
    bench.contact(4, false);
    bench.timers.advance(100);
    assert.deepEqual(bench.keys, [4]);
  });

  it("counts a key that is held once, however long, and looks at a stuck one less often", () => {
    const bench = new Bench();
    bench.contact(3, true);
    bench.timers.advance(60_000);
    assert.deepEqual(bench.keys, [3]);
    assert.equal(bench.keypad.isBusy, false, "a stuck key keeps nobody awake");
    bench.contact(3, false);
    bench.timers.advance(600);
    bench.press(8);
    assert.deepEqual(bench.keys, [3, 8]);
    bench.asleep();
  });

  it("goes on after whatever takes the key has thrown, and keeps no key in what is noted", () => {
    const bench = new Bench();
    const notes: unknown[] = [];
    const guard = new Guard((where, error) => notes.push(where, String(error)));
    const { pins, timers } = bench;
    const other = new Pins(timers);
    let calls = 0;
    new MatrixKeypad({
      pins: { rows: ROWS, columns: COLUMNS },
      Digital: other.Digital,
      timers,
      guard,
      onKey: () => {
        calls++;
        throw new Error("full");
      },
    });
    for (let i = 0; i < 2; i++) {
      other.connect(ROWS[0], COLUMNS[1], true);
      timers.advance(100);
      other.connect(ROWS[0], COLUMNS[1], false);
      timers.advance(100);
    }
    assert.equal(calls, 2);
    assert.equal(guard.faults, 2);
    assert.deepEqual(notes, ["keypad", "Error: full", "keypad", "Error: full"]);
    assert.equal(pins.shorts, 0);
  });
});

describe("C4 Several keys at once are none", () => {
  it("when they come down together", () => {
    for (const a of PRINTED)
      for (const b of PRINTED) {
        if (a === b) continue;
        const bench = new Bench();
        bench.contact(a, true);
        bench.timers.advance(5);
        bench.contact(b, true);
        bench.timers.advance(100);
        bench.contact(a, false);
        bench.timers.advance(100);
        bench.contact(b, false);
        bench.asleep();
        assert.deepEqual(bench.keys, [], `${a} and ${b}`);
      }
  });

  it("and three of a rectangle never make the fourth", () => {
    const bench = new Bench();
    for (const key of [1, 3, 7]) bench.contact(key, true);
    bench.timers.advance(100);
    for (const key of [1, 3, 7]) {
      bench.contact(key, false);
      bench.timers.advance(50);
    }
    bench.asleep();
    assert.deepEqual(bench.keys, []);
  });

  it("and a second key does not count before the first one was released", () => {
    const bench = new Bench();
    bench.contact(1, true);
    bench.timers.advance(100);
    bench.contact(2, true);
    bench.timers.advance(100);
    bench.contact(1, false);
    bench.timers.advance(100);
    bench.contact(2, false);
    bench.timers.advance(100);
    bench.press(2);
    bench.asleep();
    assert.deepEqual(bench.keys, [1, 2]);
  });

  it("for any contacts at all: only keys that were down, and one a touch", () => {
    const changes = fc.array(
      fc.record({ key: fc.constantFrom(...PRINTED), gap: fc.integer({ min: 0, max: 60 }) }),
      { maxLength: 40 },
    );
    const property = fc.property(changes, (script) => {
      const bench = new Bench();
      const down = new Set<number>();
      let touched = new Set<number>();
      let touches = 0;
      bench.onKey = (key) => {
        assert.ok(touched.has(key), `${key} was not down`);
        bench.keys.push(key);
      };
      for (const { key, gap } of script) {
        if (down.size === 0) touches++;
        touched.add(key);
        const isClosed = !down.has(key);
        bench.contact(key, isClosed);
        if (isClosed) down.add(key);
        else down.delete(key);
        bench.timers.advance(gap);
        if (gap > 40) touched = new Set(down);
      }
      for (const key of down) bench.contact(key, false);
      bench.asleep();
      assert.ok(bench.keys.length <= touches);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
