// The keypad lockout (rules X1 to X3): what a wrong entry costs to the second, what a right one forgives, and that no power cut, no
// clock and no order of storing gives a try. All numbers here come from the rule; nothing is taken from the code.

import assert from "node:assert/strict";
import fc from "fast-check";
import { LockClock } from "../../../firmware/core/clock";
import { Lockout } from "../../../firmware/core/lockout";
import { MAX_LOCKOUT_TRIES } from "../../../protocol/wire/settings";
import { MONDAY } from "../../support/door";
import { CUTS, type Cut, DAY_S, HOUR_S, LockoutAlone, MONTH_S, mostWithin } from "../../support/guesser";
import { tell } from "../../support/tell";

/** Waits after the fifth wrong entry and each further one. */
const WAITS_S = [60, 300, 900, 3600, 3600, 3600];
const MAX_U32 = 2 ** 32 - 1;

/** Wrong entries, each as soon as it is looked at. */
function fail(lock: LockoutAlone, times: number): void {
  for (let i = 0; i < times; i++) {
    lock.wait(lock.untilNext());
    assert.ok(lock.wrong(), `wrong entry ${i + 1} of ${times}`);
  }
}

/** A right entry, stored. */
function open(lock: LockoutAlone, id: number): void {
  assert.ok(lock.right(id), `right entry of ${id}`);
  lock.tick();
}

/** Whether a credential has one wrong entry forgiven, whatever counted before. */
function isForgiven(lock: LockoutAlone, id: number): boolean {
  lock.lockout.clear();
  fail(lock, 1);
  open(lock, id);
  return lock.lockout.count === 0;
}

/** A lockout that boots with these bytes in flash, with its lock. */
function bootedWith(state?: Uint8Array, forgiven?: Uint8Array): LockoutAlone {
  const lock = new LockoutAlone();
  lock.state = state;
  lock.forgiven = forgiven;
  lock.cutPower();
  return lock;
}

/** That the next entry is looked at after exactly so many seconds. */
function expectWait(lock: LockoutAlone, seconds: number): void {
  assert.equal(lock.untilNext(), seconds);
  if (seconds === 0) return;
  lock.wait(seconds - 1);
  assert.equal(lock.untilNext(), 1, "a second before");
  assert.equal(lock.wrong(), false, "a second before");
  lock.wait(1);
  assert.equal(lock.untilNext(), 0, "at the second");
}

describe("X1 waits", () => {
  it("looks at five wrong entries at once, then after 1, 5, 15, 60 and again 60 minutes, to the second", () => {
    const lock = new LockoutAlone();
    for (let i = 1; i <= MAX_LOCKOUT_TRIES; i++) {
      assert.equal(lock.untilNext(), 0, `before entry ${i}`);
      assert.ok(lock.wrong());
      assert.equal(lock.lockout.count, i);
    }
    for (const seconds of WAITS_S) {
      expectWait(lock, seconds);
      assert.ok(lock.wrong());
    }
    assert.equal(lock.lockout.count, 8);
  });

  it("counts fractions of a second", () => {
    const lock = new LockoutAlone();
    lock.now = 10.25;
    fail(lock, 5);
    lock.now = 70;
    assert.equal(lock.untilNext(), 0.25);
    lock.now = 70.25;
    assert.equal(lock.untilNext(), 0);
  });

  it("begins with the n-th wrong entry where the policy says so", () => {
    for (let tries = 1; tries <= 5; tries++) {
      const lock = new LockoutAlone({ tries });
      for (let i = 1; i < tries; i++) {
        assert.ok(lock.wrong());
        assert.equal(lock.untilNext(), 0, `${i} of ${tries}`);
      }
      assert.ok(lock.wrong());
      for (const seconds of WAITS_S) {
        expectWait(lock, seconds);
        assert.ok(lock.wrong());
      }
      assert.equal(lock.lockout.count, tries + 3);
    }
  });

  it("lasts as long as the policy says at least, and where that is over an hour so does forgetting", () => {
    const table = [
      { leastMinutes: 1, waits: [60, 300, 900, 3600, 3600] },
      { leastMinutes: 10, waits: [600, 600, 900, 3600, 3600] },
      { leastMinutes: 60, waits: [3600, 3600, 3600, 3600] },
      { leastMinutes: 61, waits: [3660, 3660, 3660, 3660] },
      { leastMinutes: 1440, waits: [86_400, 86_400, 86_400] },
    ];
    for (const { leastMinutes, waits } of table) {
      const lock = new LockoutAlone({ leastMinutes });
      fail(lock, 5);
      for (const seconds of waits) {
        expectWait(lock, seconds);
        const before = lock.lockout.count;
        assert.ok(lock.wrong());
        assert.equal(lock.lockout.count, Math.min(before + 1, 8), `${leastMinutes} min`);
      }
    }
  });

  it("knows no policy milder than its own", () => {
    const lock = new LockoutAlone({ tries: 6 });
    fail(lock, 5);
    assert.equal(lock.untilNext(), 60);
    const strict = new LockoutAlone({ tries: 0 });
    fail(strict, 1);
    assert.equal(strict.untilNext(), 60);
  });

  it("obeys a new policy at once, in either direction, whenever it comes", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    lock.lockout.configure(3, 0);
    assert.equal(lock.untilNext(), 60);
    lock.lockout.configure(3, 2);
    assert.equal(lock.untilNext(), 120);
    lock.lockout.configure(1, 0);
    assert.equal(lock.untilNext(), 900);
    lock.lockout.configure(5, 0);
    assert.equal(lock.untilNext(), 0);
    // Eight wrong entries are more than a policy of one try can count: the top is the top.
    fail(lock, 5);
    lock.lockout.configure(1, 0);
    assert.equal(lock.lockout.count, 4);
    expectWait(lock, 3600);
    assert.equal(lock.lockout.count, 3);
    open(lock, 1);
    assert.equal(lock.lockout.count, 0);
  });
});

describe("X1 forgetting", () => {
  it("forgets one wrong entry for each full hour without another, parts of an hour carried over", () => {
    const lock = new LockoutAlone();
    fail(lock, 4);
    for (const [seconds, count] of [
      [0, 4],
      [3599, 4],
      [3600, 3],
      [5400, 3],
      [7199, 3],
      [7200, 2],
      [14_399, 1],
      [14_400, 0],
      [1e6, 0],
    ]) {
      lock.wait(seconds - lock.now);
      assert.equal(lock.lockout.count, count, `after ${seconds} s`);
    }
  });

  it("begins the hour anew at each wrong entry, but not at a known or a right one", () => {
    const lock = new LockoutAlone();
    fail(lock, 2);
    lock.wait(3599);
    assert.ok(lock.wrong());
    lock.wait(1);
    assert.equal(lock.lockout.count, 3);
    lock.wait(1800);
    assert.ok(lock.known());
    lock.wait(1798);
    assert.equal(lock.lockout.count, 3);
    lock.wait(1);
    assert.equal(lock.lockout.count, 2);
    lock.wait(1800);
    open(lock, 1);
    assert.equal(lock.lockout.count, 0);
  });

  it("admits exactly one entry an hour at the top, for ever", () => {
    const lock = new LockoutAlone();
    fail(lock, 8);
    for (let hour = 0; hour < 1000; hour++) {
      expectWait(lock, 3600);
      assert.equal(lock.lockout.count, 7);
      assert.ok(lock.wrong());
    }
  });

  it("stores that all is forgotten, so that a later power loss with an unknown clock does not bring it back", () => {
    const lock = new LockoutAlone();
    fail(lock, 8);
    lock.wait(7 * HOUR_S);
    lock.cutPower();
    assert.equal(lock.lockout.count, 8, "restarted in full");
    lock.wait(8 * HOUR_S);
    lock.cutPower();
    assert.equal(lock.lockout.count, 0);
    assert.equal(lock.untilNext(), 0);
  });
});

describe("X1 stored before the compare", () => {
  it("gives the state as if the entry were wrong, and changes nothing by that", () => {
    const lock = new LockoutAlone();
    fail(lock, 2);
    const before = lock.lockout.state().slice();
    const guess = lock.lockout.guess().slice();
    assert.deepEqual(lock.lockout.state(), before);
    assert.equal(lock.lockout.count, 2);
    assert.equal(lock.lockout.unsettled, false);
    assert.deepEqual(lock.lockout.guess(), guess, "again the same");
    assert.equal(bootedWith(guess).lockout.count, 3);
    lock.lockout.wrong();
    assert.deepEqual(lock.lockout.state(), guess, "memory is what is stored");
    assert.equal(lock.lockout.unsettled, false);
  });

  it("gives no more than the top, though it is asked while it waits", () => {
    const lock = new LockoutAlone();
    fail(lock, 8);
    assert.equal(lock.lockout.guess()[0], 8);
    assert.equal(bootedWith(lock.lockout.guess().slice()).lockout.unsettled, false, "and reads it again");
  });

  it("counts an entry as wrong whose power was cut, whatever it was", () => {
    const entries: readonly ((lock: LockoutAlone, cut: Cut) => boolean)[] = [
      (lock, cut) => lock.wrong(cut),
      (lock, cut) => lock.right(1, cut),
      (lock, cut) => lock.known(cut),
    ];
    for (const entry of entries) {
      for (const cut of CUTS) {
        const lock = new LockoutAlone();
        fail(lock, 4);
        entry(lock, cut);
        assert.equal(lock.lockout.count, 5, cut);
        assert.equal(lock.untilNext(), 60, cut);
      }
    }
  });

  it("restarts every wait in full after a power loss with an unknown clock, however often", () => {
    for (const [wrong, seconds] of [
      [5, 60],
      [6, 300],
      [7, 900],
      [8, 3600],
    ]) {
      const lock = new LockoutAlone();
      lock.setClock();
      fail(lock, wrong);
      for (let times = 0; times < 3; times++) {
        lock.wait(seconds - 1);
        lock.cutPower();
        assert.equal(lock.untilNext(), seconds, `${wrong} wrong entries, cut ${times + 1}`);
      }
      expectWait(lock, seconds);
    }
  });

  it("restarts forgetting in full, too", () => {
    const lock = new LockoutAlone();
    fail(lock, 4);
    lock.wait(3599);
    lock.cutPower();
    lock.wait(3599);
    assert.equal(lock.lockout.count, 4);
    lock.wait(1);
    assert.equal(lock.lockout.count, 3);
  });

  it("goes on with a wait when the clock is known at the entry and again after the power loss, less both error bounds", () => {
    // A clock just set is right to a second, and without drift stays so.
    const lock = new LockoutAlone({ driftPpm: 0 });
    lock.setClock();
    fail(lock, 8);
    const sinceEight = 1000;
    lock.wait(sinceEight);
    lock.cutPower();
    assert.equal(lock.untilNext(), 3600);
    lock.setClock();
    expectWait(lock, 3600 - sinceEight + 2);
    assert.equal(lock.lockout.count, 7);
  });

  it("does not know how long ago an entry was that was made with an unknown clock, though the clock is known later", () => {
    const lock = new LockoutAlone();
    fail(lock, 8);
    lock.setClock();
    lock.wait(1000);
    assert.equal(lock.untilNext(), 2600, "as long as the power stays");
    lock.cutPower();
    lock.setClock();
    expectWait(lock, 3600);
  });

  it("gains nothing by a clock that is set while it waits", () => {
    const lock = new LockoutAlone();
    fail(lock, 8);
    for (const later of [0, 100, 1e6]) {
      lock.clock.set(MONDAY + later, 0);
      assert.equal(lock.untilNext(), 3600, `set ${later} s ahead`);
    }
    assert.equal(lock.lockout.count, 8);
  });

  it("takes a date in the future of the clock for no time passed, not for less than none", () => {
    const lock = new LockoutAlone({ start: MONDAY + 10 * DAY_S });
    lock.setClock();
    fail(lock, 8);
    const earlier = new LockoutAlone({ start: MONDAY });
    earlier.state = lock.state;
    earlier.cutPower();
    earlier.setClock();
    assert.equal(earlier.lockout.count, 8);
    earlier.wait(100);
    assert.equal(earlier.untilNext(), 3500);
  });

  it("falls back to counting when the clock becomes unknown by its bound", () => {
    const lock = new LockoutAlone({ driftPpm: 50_000 });
    lock.setClock();
    fail(lock, 8);
    lock.wait(7 * HOUR_S);
    lock.cutPower();
    lock.setClock();
    assert.ok(lock.lockout.count <= 2, "dated");
    lock.wait(1);
    lock.now += 4 * HOUR_S;
    assert.equal(lock.clock.read().now, 0);
    assert.equal(lock.lockout.count, 4, "eight, less the four hours since the boot");
  });

  it("dates up to the last second that 32 bits hold, and leaves later entries without a date", () => {
    for (const [ahead, isDated] of [
      [0, true],
      [1, false],
      [2, false],
    ] as const) {
      const lock = new LockoutAlone();
      // The bound of a fresh clock is one second.
      lock.clock.set(MAX_U32 - 1 + ahead, 0);
      assert.ok(lock.wrong());
      const date = [...lock.state!.subarray(2)];
      assert.deepEqual(date, isDated ? [255, 255, 255, 255] : [0, 0, 0, 0]);
      lock.clock.set(MAX_U32 + DAY_S, 0);
      lock.state = lock.state!.slice();
      assert.equal(lock.lockout.count, isDated ? 0 : 1);
    }
  });
});

describe("X1 stored bytes", () => {
  it("begins with nothing where nothing was ever stored", () => {
    const lock = new LockoutAlone();
    assert.equal(lock.lockout.count, 0);
    assert.equal(lock.untilNext(), 0);
    assert.equal(lock.lockout.unsettled, false);
    assert.equal(lock.lockout.forgivenUnsettled, false);
  });

  const isWorst = (lock: LockoutAlone, what: string): void => {
    assert.equal(lock.lockout.count, 8, what);
    assert.equal(lock.untilNext(), 3600, what);
    assert.ok(lock.lockout.unsettled, what);
    lock.wait(HOUR_S);
    fail(lock, 1);
    assert.equal(lock.lockout.count, 8, what);
  };

  it("assumes the worst where the state is lost or not its own, and stores that", () => {
    const lost = new LockoutAlone();
    lost.now = 1000;
    lost.lockout.restore(undefined, undefined, true);
    isWorst(lost, "lost");
    const good = new LockoutAlone();
    good.now = 1000;
    good.lockout.restore(new Uint8Array(6), new Uint8Array(0), true);
    isWorst(good, "lost beside good bytes");
    for (const bytes of [[], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0], [1, 4, 0, 0, 0, 0]])
      isWorst(bootedWith(new Uint8Array(bytes)), bytes.join(" "));
    assert.equal(bootedWith(new Uint8Array([8, 3, 0, 0, 0, 0])).lockout.unsettled, false);
  });

  it("forgives nobody for 24 hours where the record of it is lost or not its own", () => {
    const record = (amount: number) => [0, 7, 0, 0, 0, 1, amount, 0, 0, 0, 0];
    const bad = [
      [0],
      record(1).slice(1),
      record(1).slice(0, 10),
      [...record(1), 0],
      record(0),
      record(8),
      [...record(7), ...record(1)],
      Array.from({ length: 8 }, () => record(1)).flat(),
    ];
    const lost = new LockoutAlone();
    lost.lockout.restore(undefined, undefined, true);
    lost.lockout.clear();
    for (const lock of [lost, ...bad.map((bytes) => bootedWith(undefined, new Uint8Array(bytes)))]) {
      assert.ok(lock.lockout.forgivenUnsettled);
      lock.tick();
      const later = bootedWith(lock.state, lock.forgiven);
      later.wait(DAY_S - 1);
      assert.equal(isForgiven(later, 3), false, "a second before");
      later.wait(1);
      assert.equal(isForgiven(later, 3), true, "at the second");
    }
    const full = bootedWith(undefined, new Uint8Array(Array.from({ length: 7 }, () => record(1)).flat()));
    assert.equal(full.lockout.forgivenUnsettled, false);
  });

  it("never throws, and never counts more than the top, whatever the bytes", () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 90 }), { nil: undefined });
    const state = fc.option(fc.uint8Array({ minLength: 6, maxLength: 6 }), { nil: undefined });
    const records = fc
      .array(fc.tuple(fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.nat(3), fc.nat(MAX_U32)), {
        maxLength: 8,
      })
      .map((all) => Uint8Array.from(all.flatMap(([head, amount]) => [...head, amount, 0, 0, 0, 0])));
    fc.assert(
      fc.property(fc.oneof(bytes, state), fc.oneof(bytes, records), fc.boolean(), (a, b, lost) => {
        const lock = new LockoutAlone();
        lock.lockout.restore(a, b, lost);
        assert.ok(lock.lockout.count <= 8);
        assert.ok(lock.untilNext() >= 0 && lock.untilNext() <= 3600);
        lock.wait(lock.untilNext());
        assert.ok(lock.wrong());
        assert.ok(lock.lockout.count >= 1 && lock.lockout.count <= 8);
        lock.wait(lock.untilNext());
        open(lock, 1);
      }),
    );
  });

  it("is small: 6 bytes, and at most 77 beside", () => {
    const lock = new LockoutAlone();
    for (let id = 0; id < 20; id++) {
      lock.lockout.clear();
      fail(lock, 1);
      open(lock, id);
    }
    assert.equal(lock.lockout.state().length, 6);
    assert.equal(lock.lockout.guess().length, 6);
    assert.equal(lock.lockout.forgivenState().length, 77);
  });
});

describe("X1 forgiving", () => {
  it("forgives the wrong entries directly before a right one, three at most", () => {
    for (const [wrong, left] of [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 1],
      [5, 2],
      [8, 4],
    ]) {
      const lock = new LockoutAlone();
      fail(lock, wrong);
      lock.wait(lock.untilNext());
      // At the top an hour has passed, and one is forgotten.
      open(lock, 1);
      assert.equal(lock.lockout.count, left, `${wrong} wrong entries`);
    }
  });

  it("forgives none that were before another right one", () => {
    const lock = new LockoutAlone();
    fail(lock, 4);
    open(lock, 1);
    open(lock, 2);
    assert.equal(lock.lockout.count, 1);
    fail(lock, 1);
    open(lock, 3);
    assert.equal(lock.lockout.count, 1);
  });

  it("forgives those that count, not those that are forgotten already", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    lock.wait(2 * HOUR_S);
    open(lock, 1);
    assert.equal(lock.lockout.count, 0);
    // One of the three was used.
    fail(lock, 3);
    open(lock, 1);
    assert.equal(lock.lockout.count, 1);
  });

  it("forgives a credential three within any 24 hours, and again at the second they are over", () => {
    const lock = new LockoutAlone();
    fail(lock, 1);
    open(lock, 1);
    lock.wait(12 * HOUR_S);
    fail(lock, 3);
    open(lock, 1);
    assert.equal(lock.lockout.count, 1, "two more");
    lock.wait(12 * HOUR_S - 1);
    fail(lock, 1);
    open(lock, 1);
    assert.equal(lock.lockout.count, 1, "a second before");
    lock.wait(1);
    fail(lock, 2);
    open(lock, 1);
    assert.equal(lock.lockout.count, 2, "the first one is back");
  });

  it("takes another slot, and another generation of the slot, for another credential", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    open(lock, 1);
    fail(lock, 1);
    assert.ok(lock.untilNext() === 0);
    lock.state = lock.lockout.guess().slice();
    lock.lockout.right(1, 2);
    lock.tick();
    assert.equal(lock.lockout.count, 0);
    fail(lock, 1);
    open(lock, 0xfff0);
    assert.equal(lock.lockout.count, 0);
    fail(lock, 1);
    open(lock, 1);
    assert.equal(lock.lockout.count, 1);
  });

  it("forgives all credentials together seven within any 24 hours, so that people who come and go help nobody", () => {
    const lock = new LockoutAlone();
    for (let id = 0; id < 7; id++) {
      fail(lock, 1);
      open(lock, id);
      assert.equal(lock.lockout.count, 0, `credential ${id}`);
    }
    fail(lock, 1);
    open(lock, 7);
    assert.equal(lock.lockout.count, 1, "the eighth");
    lock.wait(DAY_S - 1);
    fail(lock, 1);
    open(lock, 8);
    assert.equal(lock.lockout.count, 1, "a second before");
    lock.wait(1);
    fail(lock, 1);
    open(lock, 9);
    assert.equal(lock.lockout.count, 1, "at the second");
  });

  it("forgives only when it is stored who was forgiven", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    assert.ok(lock.right(1));
    assert.equal(lock.lockout.count, 3);
    assert.ok(lock.lockout.unsettled && lock.lockout.forgivenUnsettled);
    // Stored in the wrong order, the count is still high; and it is asked for again.
    assert.equal(bootedWith(lock.lockout.state().slice()).lockout.count, 3);
    lock.lockout.settled();
    assert.equal(bootedWith(lock.lockout.guess().slice()).lockout.count, 4);
    lock.forgiven = lock.lockout.forgivenState().slice();
    lock.lockout.forgivenSettled();
    assert.equal(lock.lockout.count, 0);
    assert.ok(lock.lockout.unsettled && !lock.lockout.forgivenUnsettled);
    assert.equal(bootedWith(lock.lockout.state().slice()).lockout.count, 0);
  });

  it("loses wrong entries that come between a right one and its storing to nobody", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    assert.ok(lock.right(1));
    assert.ok(lock.wrong());
    lock.tick();
    assert.equal(lock.lockout.count, 1);
    assert.ok(lock.right(2));
    assert.ok(lock.right(3));
    lock.tick();
    assert.equal(lock.lockout.count, 0);
    assert.equal(lock.lockout.forgivenState().length, 22, "two forgivenesses: three entries, and one");
  });

  it("forgives what several right entries did when it is stored after the last of them", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    assert.ok(lock.right(1));
    assert.ok(lock.wrong());
    assert.ok(lock.right(2));
    assert.equal(lock.lockout.count, 4);
    lock.tick();
    assert.equal(lock.lockout.count, 0);
  });

  it("gives nobody a second three by cutting the power after a right entry", () => {
    for (const cut of CUTS) {
      const lock = new LockoutAlone();
      let looked = 0;
      for (let times = 0; times < 3 && lock.untilNext() === 0; times++) {
        while (looked < 20 && lock.untilNext() === 0) if (lock.wrong()) looked++;
        lock.right(1, cut);
      }
      // Five, of which none is forgiven: where the power goes before the count is stored, the entry counts on.
      assert.equal(looked, 5, cut);
    }
  });

  it("remembers whom it forgave over a power loss: from the boot with an unknown clock, else from then", () => {
    const first = new LockoutAlone({ driftPpm: 0 });
    first.setClock();
    fail(first, 3);
    open(first, 1);
    first.wait(20 * HOUR_S);
    for (const [isKnown, seconds] of [
      [false, DAY_S],
      [true, 4 * HOUR_S + 2],
    ] as const) {
      const lock = new LockoutAlone({ driftPpm: 0 });
      lock.now = first.now;
      lock.state = first.state;
      lock.forgiven = first.forgiven;
      lock.cutPower();
      if (isKnown) lock.setClock();
      lock.wait(seconds - 1);
      assert.equal(isForgiven(lock, 1), false, "a second before");
      lock.wait(1);
      assert.equal(isForgiven(lock, 1), true, "at the second");
    }
  });
});

describe("X2 clearing", () => {
  it("forgets all wrong entries at once, and that is to be stored", () => {
    const lock = new LockoutAlone();
    fail(lock, 8);
    lock.lockout.clear();
    assert.equal(lock.lockout.count, 0);
    assert.equal(lock.untilNext(), 0);
    assert.ok(lock.lockout.unsettled);
    lock.tick();
    assert.equal(lock.lockout.unsettled, false);
    lock.cutPower();
    assert.equal(lock.lockout.count, 0);
    fail(lock, 5);
    assert.equal(lock.untilNext(), 60);
  });

  it("does not forget who was forgiven, and leaves nothing to be forgiven later", () => {
    const lock = new LockoutAlone();
    fail(lock, 3);
    assert.ok(lock.right(1));
    lock.lockout.clear();
    assert.ok(lock.wrong());
    assert.ok(lock.wrong());
    lock.tick();
    assert.equal(lock.lockout.count, 2);
    open(lock, 1);
    assert.equal(lock.lockout.count, 2);
  });
});

describe("X3 what counts", () => {
  it("neither counts nor forgives a known code that did not open, and has flash told so", () => {
    const lock = new LockoutAlone();
    fail(lock, 4);
    for (let i = 0; i < 20; i++) {
      assert.ok(lock.known());
      assert.ok(lock.lockout.unsettled);
      assert.equal(lock.lockout.count, 4);
    }
    lock.tick();
    lock.cutPower();
    assert.equal(lock.lockout.count, 4);
    assert.ok(lock.known());
    open(lock, 1);
    assert.equal(lock.lockout.count, 1, "and it does not part the wrong entries from the right one");
  });

  it("has nothing left to store once a wrong entry is stored after it", () => {
    const lock = new LockoutAlone();
    assert.ok(lock.known());
    assert.ok(lock.wrong());
    assert.equal(lock.lockout.unsettled, false);
    assert.deepEqual(lock.lockout.state(), lock.state);
  });

  it("does not look at a known code either while it waits", () => {
    const lock = new LockoutAlone();
    fail(lock, 5);
    assert.equal(lock.known(), false);
    assert.equal(lock.right(1), false);
    lock.wait(60);
    assert.ok(lock.known());
  });
});

// ---- laws

type Action =
  | { readonly act: "wrong" | "right" | "known"; readonly person: number; readonly cut?: Cut }
  | { readonly act: "cut" | "clock" | "patience" }
  | { readonly act: "wait"; readonly seconds: number };

const entry = (act: "wrong" | "right" | "known") =>
  fc.record({
    act: fc.constant(act),
    person: fc.nat(9),
    cut: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constantFrom(...CUTS)),
  });
const pause = fc.oneof(
  fc.nat(120),
  fc.constantFrom(59, 60, 299, 300, 899, 900, 3599, 3600, 3601, 2 * HOUR_S, DAY_S - 1, DAY_S),
  fc.double({ min: 0, max: 4000, noNaN: true }),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: entry("wrong") },
  { weight: 4, arbitrary: entry("right") },
  { weight: 1, arbitrary: entry("known") },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom("cut" as const, "clock" as const) }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant("patience" as const) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("wait" as const), seconds: pause }) },
);

/** Does one thing; true where a wrong entry was looked at. */
function perform(lock: LockoutAlone, action: Action): boolean {
  if (action.act === "wrong") return lock.wrong(action.cut);
  if (action.act === "right") lock.right(action.person, action.cut);
  else if (action.act === "known") lock.known(action.cut);
  else if (action.act === "cut") lock.cutPower();
  else if (action.act === "clock") lock.setClock();
  else if (action.act === "wait") lock.wait(action.seconds);
  else lock.wait(lock.untilNext());
  return false;
}

describe("X1 laws", () => {
  it("admits in any span eight entries, one for each full hour, and seven for each day begun; whatever is done", () => {
    let tightest = Number.POSITIVE_INFINITY;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300, size: "max" }), (actions) => {
        const lock = new LockoutAlone();
        const looked: number[] = [];
        for (const each of actions) {
          const at = lock.now;
          if (perform(lock, each)) looked.push(at);
        }
        for (let last = 0; last < looked.length; last++) {
          for (let first = 0; first <= last; first++) {
            const span = looked[last] - looked[first];
            // A thousandth of a second for what doubles round away.
            const hours = Math.floor((span + 0.001) / HOUR_S);
            const days = Math.floor((span + 0.001) / DAY_S) + 1;
            const room = 8 + hours + 7 * days - (last - first + 1);
            tightest = Math.min(tightest, room);
            assert.ok(room >= 0, `${last - first + 1} entries in ${span} s`);
          }
        }
        const month = 8 + 30 * 24 + 7 * 31;
        assert.ok(mostWithin(looked, MONTH_S) <= month);
      }),
      { numRuns: 150 },
    );
    assert.ok(tightest <= 2, `the law was never put to the test: ${tightest}`);
  });

  it("never looks earlier, and never counts less, after a power cut than without it", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.boolean(), pause, (actions, isSet, later) => {
        const lock = new LockoutAlone();
        for (const each of actions) perform(lock, each);
        const twin = new LockoutAlone();
        twin.now = lock.now;
        twin.state = lock.state;
        twin.forgiven = lock.forgiven;
        twin.cutPower();
        if (isSet) twin.setClock();
        for (const seconds of [0, later, HOUR_S, DAY_S]) {
          lock.wait(seconds);
          twin.wait(seconds);
          assert.ok(twin.untilNext() >= lock.untilNext() - 1e-6);
          assert.ok(twin.lockout.count >= lock.lockout.count);
        }
      }),
    );
  });

  it("does in an undisturbed life what the rule says, told in another way", () => {
    const calm = action.filter(({ act }) => act !== "cut" && act !== "clock");
    fc.assert(
      fc.property(fc.array(calm, { maxLength: 120 }), (actions) => {
        const lock = new LockoutAlone();
        const story = new Story();
        for (const each of actions) {
          const uncut = "cut" in each ? { ...each, cut: undefined } : each;
          const isEntry = each.act === "wrong" || each.act === "right" || each.act === "known";
          if (isEntry) {
            assert.equal(lock.untilNext() === 0, story.isOpen(lock.now), `open at ${lock.now}`);
            if (story.isOpen(lock.now)) story.note(lock.now, each);
          }
          perform(lock, uncut);
          if (isEntry) lock.tick();
          assert.equal(lock.lockout.count, story.countAt(lock.now), `count at ${lock.now}`);
        }
      }),
    );
  });
});

/** The rule as a list of the wrong entries that still count: oldest first, each with what follows it. */
class Story {
  #last = 0;
  /** One for each that counts; true where no right entry came after it. */
  #open: boolean[] = [];
  #wait = 0;
  #forgotten = 0;
  readonly #forgiven: { at: number; person: number }[] = [];

  #forget(now: number): void {
    for (; now - this.#last >= HOUR_S * (this.#forgotten + 1) && this.#open.length > 0; this.#forgotten++)
      this.#open.shift();
  }

  countAt(now: number): number {
    this.#forget(now);
    return this.#open.length;
  }

  isOpen(now: number): boolean {
    return now - this.#last >= this.#wait;
  }

  note(now: number, action: Action): void {
    this.#forget(now);
    if (action.act === "wrong") {
      this.#open.push(true);
      this.#last = now;
      this.#forgotten = 0;
      this.#wait = [0, 0, 0, 0, 0, 60, 300, 900, 3600][this.#open.length];
    } else if (action.act === "right") {
      for (let times = 0; times < 3 && this.#open.at(-1) === true; times++) {
        const today = this.#forgiven.filter(({ at }) => now - at < DAY_S);
        if (today.length >= 7 || today.filter(({ person }) => person === action.person).length >= 3) break;
        this.#forgiven.push({ at: now, person: action.person });
        this.#open.pop();
      }
      this.#open.fill(false);
    }
  }
}

describe("X1 by calculation", () => {
  /** The risk that one of so many guesses opens, where each does with a probability of one in 100,000. */
  const risk = (guesses: number): number => 1 - (1 - 1e-5) ** guesses;

  it("30 days of guessing succeed with at most 1 % where 1000 codes have 8 digits, or 10 have 6", function () {
    assert.equal(1000 / 10 ** 8, 1e-5);
    assert.equal(10 / 10 ** 6, 1e-5);
    const hours = 30 * 24;
    // A day that begins in the span may hold its three or seven in the span: 31 do, the first and the last at its very ends.
    const days = 31;
    const table = [
      { who: "without a code", guesses: 8 + hours },
      { who: "with one code", guesses: 8 + hours + 3 * days },
      { who: "with two codes", guesses: 8 + hours + 6 * days },
      { who: "with any number of codes", guesses: 8 + hours + 7 * days },
    ];
    for (const { who, guesses } of table) {
      tell(this, `${who}: at most ${guesses} guesses, ${(100 * risk(guesses)).toFixed(3)} %`);
      assert.ok(risk(guesses) <= 0.01, who);
    }
    const most = Math.floor(Math.log(0.99) / Math.log(1 - 1e-5));
    assert.equal(most, 1005);
    assert.ok(risk(most) <= 0.01 && risk(most + 1) > 0.01);
    const fastest = (most - 8 - 7) / (hours + 7 * 30);
    tell(this, `1 % are ${most} guesses: so for clocks up to ${(100 * (fastest - 1)).toFixed(1)} % fast`);
    assert.ok(fastest >= 1.05);
    assert.ok(risk(8 + hours + 9 * days) > 0.01, "nine a day would be too many");
  });
});

describe("X1 on a lock of its own", () => {
  it("keeps two lockouts apart: no state is shared", () => {
    const clock = new LockClock({ uptime: () => 0, driftPpm: 20 });
    const one = new Lockout(clock);
    const other = new Lockout(clock);
    for (let i = 0; i < 5; i++) {
      one.guess();
      one.wrong();
    }
    assert.equal(one.wait(), 60);
    assert.equal(other.wait(), 0);
  });
});
