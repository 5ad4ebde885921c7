// When a lock may sleep (rule S14): what keeps it awake, how deep it goes, and when its network is on.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AFTER_TOUCH_S,
  BOXED_S,
  CRITICAL_S,
  type Going,
  LEAST_SLEEP_S,
  LONGEST_SLEEP_S,
  NetworkHours,
  restOf,
  sleepSeconds,
  VISIT_S,
} from "../../../firmware/device/power";

const QUIET: Going = {
  now: 100_000,
  isLocked: true,
  isBusy: false,
  isIdle: true,
  touchedAt: 0,
  isClaimed: true,
  isCritical: false,
};
const anyGoing = fc.record({
  now: fc.nat(1_000_000),
  isLocked: fc.boolean(),
  isBusy: fc.boolean(),
  isIdle: fc.boolean(),
  touchedAt: fc.nat(1_000_000),
  isClaimed: fc.boolean(),
  isCritical: fc.boolean(),
});

describe("S14 when a lock rests", () => {
  it("stays awake while anything goes on, whatever else is true", () => {
    fc.assert(fc.property(anyGoing, (going) => assert.equal(restOf({ ...going, isBusy: true }), "awake")));
  });

  it("stays awake for a while after a touch, so that the next key comes at once", () => {
    const now = 500;
    assert.equal(restOf({ ...QUIET, now, touchedAt: now - AFTER_TOUCH_S + 1 }), "awake");
    assert.equal(restOf({ ...QUIET, now, touchedAt: now - AFTER_TOUCH_S }), "light");
  });

  it("sleeps lightly between two things to do, and not while mail is left", () => {
    assert.equal(restOf(QUIET), "light");
    assert.equal(restOf({ ...QUIET, isIdle: false }), "awake");
  });

  it("never sleeps deeply with an owner and a good battery: a phone at the door must find it", () => {
    fc.assert(
      fc.property(anyGoing, (going) => {
        assert.notEqual(restOf({ ...going, isClaimed: true, isCritical: false }), "deep");
      }),
    );
  });

  it("never sleeps deeply with the bolt drawn: somebody has to throw it", () => {
    fc.assert(
      fc.property(anyGoing, (going) => assert.notEqual(restOf({ ...going, isLocked: false }), "deep")),
    );
  });

  it("sleeps deeply in its box, a while after the last touch, whether a network is there or not", () => {
    const boxed = { ...QUIET, isClaimed: false, isIdle: false, touchedAt: QUIET.now - BOXED_S };
    assert.equal(restOf(boxed), "deep");
    assert.equal(restOf({ ...boxed, touchedAt: boxed.touchedAt + 1 }), "awake");
  });

  it("never sleeps lightly without an owner: the factory's test comes over a cable, which light sleep is deaf to", () => {
    fc.assert(
      fc.property(anyGoing, (going) => assert.notEqual(restOf({ ...going, isClaimed: false }), "light")),
    );
  });

  it("sleeps deeply with a battery that is nearly empty, after the time that a courier needs", () => {
    const empty = { ...QUIET, isCritical: true, touchedAt: QUIET.now - CRITICAL_S };
    assert.equal(restOf(empty), "deep");
    assert.equal(restOf({ ...empty, touchedAt: empty.touchedAt + 1 }), "light");
  });

  it("wakes from its box by a touch alone, and from anything else for the next heartbeat", () => {
    assert.equal(sleepSeconds(false, 600), 0);
    assert.equal(sleepSeconds(true, 600), 600);
    assert.equal(sleepSeconds(true, 0), LEAST_SLEEP_S);
    assert.equal(sleepSeconds(true, 10 * LONGEST_SLEEP_S), LONGEST_SLEEP_S);
  });
});

describe("S14 when the network is on", () => {
  it("is on all the time where the board asks for no heartbeat", () => {
    const hours = new NetworkHours(0);
    for (const now of [0, 1, 1e6]) assert.equal(hours.isOn(now, true), true);
  });

  it("is on from each heartbeat until all mail is done with", () => {
    const hours = new NetworkHours(600);
    assert.equal(hours.isOn(0, false), true);
    assert.equal(hours.isOn(10, false), true);
    assert.equal(hours.isOn(11, true), false);
    assert.equal(hours.isOn(599, false), false);
    assert.equal(hours.isOn(600, false), true);
  });

  it("gives a site that does not answer its time, and no more of the battery", () => {
    const hours = new NetworkHours(600);
    assert.equal(hours.isOn(0, false), true);
    assert.equal(hours.isOn(VISIT_S - 1, false), true);
    assert.equal(hours.isOn(VISIT_S, false), false);
  });

  it("comes on at once for a touch", () => {
    const hours = new NetworkHours(3600);
    hours.isOn(0, false);
    assert.equal(hours.isOn(200, false), false);
    hours.wake(300);
    assert.equal(hours.isOn(300, false), true);
  });

  it("is on for at most a visit in each heartbeat, whoever asks how often", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.boolean()), { maxLength: 400 }),
        (steps) => {
          const hours = new NetworkHours(1000);
          let now = 0;
          let on = 0;
          let was = false;
          for (const [step, isIdle] of steps) {
            if (was) on += step;
            now += step;
            was = hours.isOn(now, isIdle);
          }
          assert.ok(on <= (VISIT_S + 20) * (1 + now / 1000), on + " of " + now);
        },
      ),
    );
  });
});
