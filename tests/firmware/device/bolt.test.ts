// The bolt's motor against a bolt of iron: every way a motion can go, every fault, and a power cut at each moment of it.

import assert from "node:assert/strict";
import fc from "fast-check";
import { MotorBolt } from "../../../firmware/device/bolt";
import { MAX_RETRIES, RETRACT_MS } from "../../../firmware/device/bolt-motion";
import { Guard } from "../../../firmware/device/guard";
import type { DigitalOptions } from "../../../firmware/device/io";
import { BOLT_PINS, BoltModel, TRAVEL_MS } from "../../support/sdk/bolt-model";
import { Pins } from "../../support/sdk/digital";
import { VirtualTimers } from "../../support/sdk/timers";

const TIMES = { timeoutMs: 1000, restMs: 60 };
/** The driver looks every so many milliseconds. */
const POLL_MS = 5;
/** A command, all its retries, and looks that come late. */
const LONGEST_MS =
  (MAX_RETRIES + 1) * (TIMES.timeoutMs + POLL_MS) + MAX_RETRIES * (RETRACT_MS + POLL_MS) + POLL_MS;
/** Long enough for anything to be over. */
const LONG_MS = LONGEST_MS + 20 * TIMES.restMs;

class Bench {
  timers = new VirtualTimers();
  pins = new Pins(this.timers);
  readonly iron: BoltModel;
  guard = new Guard();
  readonly states: string[] = [];
  bolt: MotorBolt;

  constructor(position: number) {
    this.iron = new BoltModel(this.pins, position);
    this.bolt = this.#boot();
  }

  #boot(): MotorBolt {
    const { pins, timers, guard, states } = this;
    const { Digital } = pins;
    return new MotorBolt({
      pins: { ...BOLT_PINS, ...TIMES },
      Digital,
      timers,
      guard,
      uptimeMs: () => timers.now,
      onState: (state) => states.push(state),
    });
  }

  run(ms: number): void {
    this.iron.run(this.timers, ms);
  }

  /** The power goes, and comes back. */
  cut(): void {
    this.timers = new VirtualTimers();
    this.pins = new Pins(this.timers);
    this.iron.plug(this.pins);
    this.guard = new Guard();
    this.bolt = this.#boot();
  }

  /** Runs until nothing moves. */
  rest(): void {
    this.run(LONG_MS);
    assert.equal(this.bolt.isMoving, false);
    assert.equal(this.iron.isOn, false);
    assert.equal(this.timers.count, 0);
  }
}

describe("M11 A boot moves nothing", () => {
  for (const [position, state] of [
    [0, "drawn"],
    [0.5, "between"],
    [1, "thrown"],
  ] as const)
    it(`finds a bolt that is ${state} by its switches, and leaves it`, () => {
      const { iron, bolt, ...bench } = new Bench(position);
      assert.equal(bolt.state, state);
      iron.run(bench.timers, 5000);
      assert.equal(iron.starts, 0);
      assert.equal(iron.position, position);
    });
});

describe("M10 A motion ends at its switch", () => {
  it("draws, throws, and says each change once", () => {
    const bench = new Bench(1);
    bench.bolt.draw();
    assert.equal(bench.bolt.state, "moving");
    bench.rest();
    assert.equal(bench.bolt.state, "drawn");
    bench.bolt.throw();
    bench.rest();
    assert.equal(bench.bolt.state, "thrown");
    assert.deepEqual(bench.states, ["moving", "drawn", "moving", "thrown"]);
    assert.ok(bench.iron.longestMs <= TRAVEL_MS + POLL_MS);
  });

  it("does not start where it already is", () => {
    const bench = new Bench(0);
    bench.bolt.draw();
    assert.equal(bench.iron.starts, 0);
    assert.equal(bench.bolt.state, "drawn");
    assert.equal(bench.timers.count, 0);
  });

  it("is ended by a hand that pushes the bolt home", () => {
    const bench = new Bench(1);
    bench.iron.wall = 0.5;
    bench.bolt.draw();
    bench.run(2 * TIMES.timeoutMs);
    bench.iron.position = 0;
    bench.rest();
    assert.equal(bench.bolt.state, "drawn");
  });

  it("sees the power cut at each moment of a motion as a bolt between, which the next command moves", () => {
    for (let at = 1; at < TRAVEL_MS; at += 7) {
      const bench = new Bench(1);
      bench.bolt.draw();
      bench.run(at);
      bench.cut();
      const { position, starts } = bench.iron;
      bench.run(2000);
      assert.equal(bench.iron.position, position);
      assert.equal(bench.iron.starts, starts);
      assert.notEqual(bench.bolt.state, "moving");
      bench.bolt.throw();
      bench.rest();
      assert.equal(bench.bolt.state, "thrown");
    }
  });
});

describe("M12 A command during a motion", () => {
  it("takes the place of the one in hand, after a rest", () => {
    for (let at = 1; at < TRAVEL_MS; at += 13) {
      const bench = new Bench(1);
      bench.bolt.draw();
      bench.run(at);
      bench.bolt.throw();
      bench.rest();
      assert.equal(bench.bolt.state, "thrown", `at ${at} ms`);
      assert.ok(bench.iron.shortestRestMs >= TIMES.restMs);
    }
  });

  it("is nothing when it is the same one: nothing is queued, no time is won", () => {
    const bench = new Bench(1);
    bench.iron.wall = 0.5;
    for (let i = 0; i < 100; i++) {
      bench.bolt.draw();
      bench.run(20);
    }
    bench.rest();
    assert.equal(bench.bolt.state, "jammed");
    assert.ok(bench.iron.onMs <= LONGEST_MS);
  });

  it("counts latest: back and forth within one rest ends where the last one said", () => {
    const bench = new Bench(1);
    for (let i = 0; i < 6; i++) {
      bench.bolt.draw();
      bench.bolt.throw();
    }
    bench.bolt.draw();
    bench.rest();
    assert.equal(bench.bolt.state, "drawn");
    assert.equal(bench.iron.clashes, 0);
  });
});

describe("M9 A jam", () => {
  it("is tried three times more, going back a little each time, and reported", () => {
    const bench = new Bench(1);
    bench.iron.wall = 0.5;
    bench.bolt.draw();
    bench.rest();
    assert.equal(bench.bolt.state, "jammed");
    assert.deepEqual(bench.states, ["moving", "jammed"]);
    assert.equal(bench.iron.starts, 1 + 2 * MAX_RETRIES);
    assert.ok(bench.iron.onMs <= LONGEST_MS);
    assert.ok(bench.iron.shortestRestMs >= TIMES.restMs);
  });

  it("is tried again by the next command", () => {
    const bench = new Bench(1);
    bench.iron.wall = 0.5;
    bench.bolt.draw();
    bench.rest();
    bench.iron.wall = undefined;
    bench.bolt.draw();
    bench.rest();
    assert.equal(bench.bolt.state, "drawn");
  });

  it("that comes free during the retries ends well", () => {
    const bench = new Bench(1);
    bench.iron.wall = 0.5;
    bench.bolt.draw();
    bench.run(2 * TIMES.timeoutMs);
    bench.iron.wall = undefined;
    bench.rest();
    assert.equal(bench.bolt.state, "drawn");
  });

  it("at the end that it should leave does not press against that end", () => {
    const bench = new Bench(1);
    bench.iron.wall = 1;
    bench.bolt.draw();
    bench.rest();
    assert.equal(bench.bolt.state, "jammed");
    assert.equal(bench.iron.starts, 1 + MAX_RETRIES);
  });

  it("is what a dead switch looks like: the motor stops all the same", () => {
    const bench = new Bench(1);
    bench.iron.drawnFault = "open";
    bench.bolt.draw();
    bench.rest();
    assert.equal(bench.bolt.state, "jammed");
    assert.ok(bench.iron.onMs <= LONGEST_MS);
  });
});

describe("M9 Two closed switches are a fault", () => {
  it("and nothing moves when they are closed before", () => {
    const bench = new Bench(1);
    bench.iron.drawnFault = "closed";
    bench.run(1);
    assert.equal(bench.bolt.state, "fault");
    bench.bolt.draw();
    bench.bolt.throw();
    bench.rest();
    assert.equal(bench.iron.starts, 0);
    assert.equal(bench.bolt.state, "fault");
  });

  it("and the motor stops when they close in a motion", () => {
    const bench = new Bench(1);
    bench.bolt.draw();
    bench.run(100);
    bench.iron.drawnFault = bench.iron.thrownFault = "closed";
    bench.run(POLL_MS + 1);
    assert.equal(bench.iron.isOn, false);
    assert.equal(bench.bolt.state, "fault");
    bench.iron.drawnFault = bench.iron.thrownFault = "none";
    bench.rest();
    assert.equal(bench.bolt.state, "fault", "until the next command");
    bench.bolt.draw();
    bench.rest();
    assert.equal(bench.bolt.state, "drawn");
  });

  it("and a thrown bolt with a stuck switch of the other end says so", () => {
    const bench = new Bench(0);
    bench.iron.drawnFault = "closed";
    bench.bolt.throw();
    bench.rest();
    assert.equal(bench.bolt.state, "fault");
    assert.ok(bench.iron.position > 0.97);
  });
});

describe("M11 A crash moves nothing", () => {
  it("stop() switches the motor off at once, and forgets the command", () => {
    const bench = new Bench(1);
    bench.bolt.draw();
    bench.run(100);
    bench.bolt.stop();
    assert.equal(bench.iron.isOn, false);
    const { starts } = bench.iron;
    bench.rest();
    assert.equal(bench.bolt.state, "between");
    assert.equal(bench.iron.starts, starts);
  });

  it("whatever is thrown at a pin stops the motor, both inputs low, and is noted", () => {
    for (const broken of Object.values(BOLT_PINS)) {
      const timers = new VirtualTimers();
      const pins = new Pins(timers);
      const iron = new BoltModel(pins, 1);
      const guard = new Guard();
      let isBroken = false;
      class Breaking extends pins.Digital {
        readonly #pin: number;
        constructor(options: DigitalOptions) {
          super(options);
          this.#pin = options.pin;
        }
        override read(): number {
          if (isBroken && this.#pin === broken) throw new Error("broken");
          return super.read();
        }
        override write(value: number): void {
          super.write(value);
          if (isBroken && this.#pin === broken) throw new Error("broken");
        }
      }
      const bolt = new MotorBolt({
        pins: { ...BOLT_PINS, ...TIMES },
        Digital: Breaking,
        timers,
        guard,
        uptimeMs: () => timers.now,
      });
      bolt.draw();
      iron.run(timers, 100);
      isBroken = true;
      bolt.throw();
      iron.run(timers, LONG_MS);
      assert.equal(iron.isOn, false, `pin ${broken}`);
      assert.equal(bolt.isMoving, false);
      assert.ok(guard.faults > 0);
      assert.equal(iron.clashes, 0);
      assert.doesNotThrow(() => bolt.stop());
      assert.doesNotThrow(() => bolt.state);
    }
  });

  it("a report that throws does not keep the motor running", () => {
    const timers = new VirtualTimers();
    const pins = new Pins(timers);
    const iron = new BoltModel(pins, 1);
    const onState = () => {
      throw new Error("full");
    };
    const guard = new Guard();
    const bolt = new MotorBolt({
      pins: { ...BOLT_PINS, ...TIMES },
      Digital: pins.Digital,
      timers,
      guard,
      uptimeMs: () => timers.now,
      onState,
    });
    bolt.draw();
    iron.run(timers, LONG_MS);
    assert.equal(bolt.state, "drawn");
    assert.equal(guard.faults, 2);
  });

  it("a pin that is taken is refused before anything moves", () => {
    const timers = new VirtualTimers();
    const pins = new Pins(timers);
    new pins.Digital({ pin: BOLT_PINS.thrown, mode: pins.Digital.InputPullUp });
    const make = () =>
      new MotorBolt({
        pins: { ...BOLT_PINS, ...TIMES },
        Digital: pins.Digital,
        timers,
        guard: new Guard(),
        uptimeMs: () => timers.now,
      });
    assert.throws(make, /in use/);
    assert.equal(pins.isHigh(BOLT_PINS.draw) || pins.isHigh(BOLT_PINS.throw), false);
  });
});

const steps = fc.array(
  fc.record({
    gap: fc.integer({ min: 0, max: 1500 }),
    act: fc.constantFrom("draw", "throw", "draw", "throw", "stop", "cut", "wall", "free", "busy"),
    wall: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 14 },
);

describe("M9 to M12 for any commands, cuts, jams and a busy chip", () => {
  it("never drives both ways, never without end, always rests, and ends where it was told last", () => {
    const property = fc.property(fc.double({ min: 0, max: 1, noNaN: true }), steps, (start, script) => {
      const bench = new Bench(start);
      const { iron } = bench;
      let wanted: number | undefined;
      let wasBlocked = false;
      let busyMs = 0;
      for (const { gap, act, wall } of script) {
        bench.run(gap);
        if (act === "draw" || act === "throw") {
          assert.ok(iron.onMs <= LONGEST_MS + busyMs, "no endless motor");
          iron.mark();
          busyMs = 0;
          bench.bolt[act]();
          wanted = act === "draw" ? 0 : 1;
        }
        if (act === "stop") bench.bolt.stop();
        if (act === "cut") bench.cut();
        if (act === "stop" || act === "cut") wanted = undefined;
        if (act === "free") iron.wall = undefined;
        if (act === "wall") {
          iron.wall = wall;
          wasBlocked = true;
        }
        if (act === "busy") {
          iron.pass(300);
          bench.timers.now += 300;
          busyMs += 300;
        }
      }
      bench.rest();
      assert.equal(iron.clashes, 0);
      assert.ok(iron.onMs <= LONGEST_MS + busyMs, "no endless motor");
      assert.ok(iron.longestMs <= TIMES.timeoutMs + POLL_MS + busyMs);
      assert.ok(iron.shortestRestMs >= TIMES.restMs || script.some(({ act }) => act === "cut"));
      const { state } = bench.bolt;
      if (wanted === undefined || (wasBlocked && state === "jammed")) return;
      assert.equal(state, wanted === 0 ? "drawn" : "thrown");
      assert.ok(Math.abs(iron.position - wanted) <= 0.02 + 1e-9);
    });
    fc.assert(property, { numRuns: 250 });
  });
});
