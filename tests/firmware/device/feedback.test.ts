// What a person at the door sees and hears: when, and that all refusals are alike.

import assert from "node:assert/strict";
import fc from "fast-check";
import { LightsAndBuzzer } from "../../../firmware/device/feedback";
import { Guard } from "../../../firmware/device/guard";
import { Pins } from "../../support/sdk/digital";
import { pwmOf } from "../../support/sdk/pwm";
import { VirtualTimers } from "../../support/sdk/timers";

const GRANTED = 12;
const REFUSED = 13;
const BUZZER = 14;
const LONG_MS = 4000;

class Bench {
  readonly timers = new VirtualTimers();
  readonly pins = new Pins(this.timers);
  readonly guard = new Guard();
  readonly duties: Map<number, number>;
  /** How far the clock is behind the timers, in milliseconds. */
  lateMs = 0;
  bothOn = 0;
  readonly feedback: LightsAndBuzzer;

  constructor(prepare: (pins: Pins) => void = () => {}) {
    prepare(this.pins);
    const { PWM, duties } = pwmOf(this.pins);
    this.duties = duties;
    this.pins.onDrive = () => {
      if (this.pins.isHigh(GRANTED) && this.pins.isHigh(REFUSED)) this.bothOn++;
    };
    const { timers, guard } = this;
    this.feedback = new LightsAndBuzzer({
      pins: { buzzer: { pin: BUZZER }, lights: { granted: GRANTED, refused: REFUSED } },
      Digital: this.pins.Digital,
      PWM,
      timers,
      clock: { uptime: () => (timers.now - this.lateMs) / 1000 },
      guard,
    });
  }

  /** What is on: G, R and B for the buzzer. */
  get look(): string {
    const granted = this.pins.isHigh(GRANTED) ? "G" : "";
    const refused = this.pins.isHigh(REFUSED) ? "R" : "";
    return granted + refused + ((this.duties.get(BUZZER) ?? 0) > 0 ? "B" : "");
  }

  /** Each change of what is on during some milliseconds, with its time. */
  film(ms = LONG_MS): string[] {
    const changes: string[] = [];
    let last = this.look;
    for (let i = 0; i <= ms; i++) {
      if (i > 0) this.timers.advance(1);
      else this.timers.advance(0);
      if (this.look !== last) changes.push(`${this.timers.now} ${this.look}`);
      last = this.look;
    }
    return changes;
  }

  dark(): void {
    assert.equal(this.look, "");
    assert.equal(this.feedback.isBusy, false);
    assert.equal(this.timers.count, 0);
    assert.equal(this.bothOn, 0);
  }
}

describe("C6 X4 Feedback comes at its time", () => {
  it("to the millisecond, and not before", () => {
    for (const show of ["granted", "refused", "identify"] as const) {
      const bench = new Bench();
      bench.timers.advance(1000);
      bench.feedback[show](1.4);
      assert.equal(bench.feedback.isBusy, true);
      assert.match(bench.film()[0], /^1400 [GR]/);
      bench.dark();
    }
  });

  it("not before, when the timers run ahead of the clock", () => {
    const bench = new Bench();
    bench.feedback.refused(0.4);
    bench.timers.advance(200);
    bench.lateMs = 3;
    assert.match(bench.film()[0], /^403 R/);
  });

  it("at once when the time has passed", () => {
    const bench = new Bench();
    bench.timers.advance(1000);
    bench.feedback.granted(0.5);
    bench.timers.advance(0);
    assert.equal(bench.look, "GB");
  });

  it("the same for every refusal, and however long it took to decide", () => {
    const films = [0, 1, 50, 399].map((ms) => {
      const bench = new Bench();
      bench.timers.advance(ms);
      bench.feedback.refused(0.4);
      const film = bench.film();
      bench.dark();
      return film;
    });
    for (const film of films) assert.deepEqual(film, films[0]);
  });

  it("a grant shows the one light, a refusal the other", () => {
    const bench = new Bench();
    bench.feedback.granted(0);
    assert.ok(bench.film().every((change) => !change.includes("R")));
    bench.feedback.refused(0);
    assert.ok(bench.film().every((change) => !change.includes("G")));
    bench.dark();
  });
});

describe("C6 One thing is shown at a time", () => {
  it("the later one takes the place of the one before", () => {
    const bench = new Bench();
    bench.feedback.refused(0.1);
    bench.feedback.granted(0.3);
    const film = bench.film();
    assert.match(film[0], /^100 R/);
    assert.ok(film.includes("300 GB"), film.join(", "));
    bench.dark();
  });

  it("and nobody hides an answer by asking who the lock is", () => {
    const [quiet, asked] = [false, true].map((isAsked) => {
      const bench = new Bench();
      bench.feedback.refused(0.4);
      for (let i = 0; i < 10 && isAsked; i++) bench.feedback.identify(i / 10);
      return bench.film();
    });
    assert.deepEqual(asked, quiet);
    const bench = new Bench();
    bench.feedback.identify(0);
    bench.timers.advance(160);
    bench.feedback.refused(0.4);
    assert.ok(bench.film().includes("400 RB"));
  });

  it("at its time whatever the clock shows: a sum of seconds that is over by nothing is not waited for again and again", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), (start) => {
        const bench = new Bench();
        bench.timers.advance(start);
        bench.feedback.granted(start / 1000 + 0.4);
        bench.timers.advance(399);
        assert.equal(bench.look, "");
        bench.timers.advance(1);
        assert.ok(bench.look.startsWith("G"));
      }),
      { examples: [[75_730]] },
    );
  });

  it("and the two lights are never on together, whatever is shown when", () => {
    const shows = fc.array(
      fc.record({
        show: fc.constantFrom("granted" as const, "refused" as const, "identify" as const),
        gap: fc.integer({ min: 0, max: 500 }),
        delay: fc.integer({ min: 0, max: 800 }),
      }),
      { maxLength: 10 },
    );
    const property = fc.property(shows, (script) => {
      const bench = new Bench();
      for (const { show, gap, delay } of script) {
        bench.timers.advance(gap);
        bench.feedback[show]((bench.timers.now + delay) / 1000);
      }
      bench.timers.advance(LONG_MS);
      bench.dark();
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe("C6 Feedback with something broken", () => {
  it("has its lights when the buzzer cannot be had", () => {
    const bench = new Bench((pins) => pins.take(BUZZER));
    assert.equal(bench.guard.faults, 1);
    bench.feedback.granted(0);
    bench.timers.advance(1);
    assert.equal(bench.look, "G");
    bench.timers.advance(LONG_MS);
    bench.dark();
  });
});
