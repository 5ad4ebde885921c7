// Business hours (rules T16, A34): to the second at every edge, and against a reference that knows openings from a list of minutes.

import assert from "node:assert/strict";
import fc from "fast-check";
import { BusinessHours, MAX_HOLD_S } from "../../../firmware/core/business-hours";
import type { Zone } from "../../../firmware/core/calendar";
import { parseTransitions, parseZone, UTC0, withTransitions } from "../../../firmware/core/calendar";
import { lockZone } from "../../../protocol/issuer/zone";
import { Trust } from "../../../protocol/wire/receipt";
import type { HoursPolicy } from "../../../protocol/wire/settings";
import type { Window } from "../../../protocol/wire/windows";
import { packWindow } from "../../../protocol/wire/windows";
import { intlOffset } from "../../../tools/zone";

const SEED = Number(process.env.SEED ?? 1);
const DAY = 1440;
const DAY_S = 86_400;
const [SUN, MON, TUE, WED, THU, FRI, SAT] = [1, 2, 4, 8, 16, 32, 64];
const WEEKDAYS = MON | TUE | WED | THU | FRI;
const ALL_DAYS = WEEKDAYS | SAT | SUN;

/** UTC seconds of "2026-06-01 09:00:00". */
const utc = (text: string): number => Date.parse(`${text.replace(" ", "T")}Z`) / 1000;
/** UTC seconds of a time of day on 2026-06-01, a Monday. */
const monday = (time: string): number => utc(`2026-06-01 ${time}`);
const tuesday = (time: string): number => monday(time) + DAY_S;
const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/** A window from one time of day until another, the next day if it is not later. */
function window(days: number, from: string, until: string): Window {
  const start = minutes(from);
  return { days, start, duration: ((minutes(until) - start + DAY - 1) % DAY) + 1 };
}

function packed(windows: readonly Window[]): Uint32Array {
  return Uint32Array.from(windows, ({ days, start, duration }) => {
    const number = packWindow(days, start, duration);
    assert.ok(number !== undefined);
    return number;
  });
}

const zones = new Map<string, Zone>();

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const told = lockZone(name, intlOffset, 2024, 2037);
  const plain = told && parseZone(Uint8Array.from(Buffer.from(told.text)));
  assert.ok(told && plain, name);
  const zone = told.transitions ? withTransitions(plain, parseTransitions(told.transitions)) : plain;
  zones.set(name, zone);
  return zone;
}

const OFFICE = [window(WEEKDAYS, "09:00", "17:00")];
const ALWAYS = [{ days: ALL_DAYS, start: 0, duration: DAY }];
const FIRST_IN: HoursPolicy = { schedule: 1, firstIn: true, graceMinutes: 15 };
const BY_ITSELF: HoursPolicy = { schedule: 1, firstIn: false, graceMinutes: 15 };

/** Business hours in the hands of a test, which moves the clock; the lock around it stores what is unsettled. */
class Shop {
  hours = new BusinessHours();
  policy: HoursPolicy | undefined;
  windows: Uint32Array;
  zone: Zone = UTC0;
  bound = 0;
  trust: number = Trust.set;
  closed = false;
  stored: Uint8Array | undefined;

  constructor(policy: HoursPolicy | undefined, windows: readonly Window[] = OFFICE) {
    this.policy = policy;
    this.windows = packed(windows);
    this.hours.configure(policy);
    this.hours.restore(undefined);
  }

  view(t: number) {
    const clock =
      this.trust === Trust.unknown
        ? { trust: this.trust, now: 0, bound: 0 }
        : { trust: this.trust, now: t, bound: this.bound };
    const { windows, zone, closed } = this;
    return { clock, zone, windows, windowCount: windows.length, closed };
  }

  /** What the hours say at an instant. */
  at(t: number): boolean {
    const unlocked = this.hours.advance(this.view(t));
    this.#store();
    return unlocked;
  }

  /** The standing at an instant, and whether the door is unlocked then. */
  standing(t: number): string {
    const unlocked = this.at(t);
    assert.equal(unlocked, ["open", "held"].includes(this.hours.standing));
    return this.hours.standing;
  }

  opened(t: number, isFirstIn = true): void {
    this.hours.opened(this.view(t), isFirstIn);
    this.#store();
  }

  relock(t: number): boolean {
    return this.#did(this.hours.relock(this.view(t)));
  }

  resume(t: number): boolean {
    return this.#did(this.hours.resume(this.view(t)));
  }

  hold(t: number, until: number): boolean {
    return this.#did(this.hours.holdUntil(this.view(t), until));
  }

  /** A power cut and a boot; the clock is as the test says. What was stored may have been lost with it. */
  reboot(lost = false): void {
    this.hours = new BusinessHours();
    this.hours.configure(this.policy);
    this.hours.restore(lost ? undefined : this.stored, lost);
  }

  #did(done: boolean): boolean {
    this.#store();
    return done;
  }

  #store(): void {
    if (!this.hours.unsettled) return;
    this.stored = this.hours.state();
    assert.ok(this.stored.length <= 16);
    this.hours.settled();
    assert.equal(this.hours.unsettled, false);
  }
}

/** Asks at an instant, one second before and one after. */
function around(shop: Shop, t: number): boolean[] {
  return [t - 1, t, t + 1].map((at) => shop.at(at));
}

describe("T16 business hours that begin by themselves (A34)", () => {
  it("unlock at the second of the start and lock at the second of the end", () => {
    const shop = new Shop(BY_ITSELF);
    assert.deepEqual(around(shop, monday("09:00:00")), [false, true, true]);
    assert.deepEqual(around(shop, monday("17:00:00")), [true, false, false]);
    assert.deepEqual(around(shop, tuesday("09:00:00")), [false, true, true]);
  });

  it("shrink by the error bound of the clock at both ends (T12)", () => {
    const shop = new Shop(BY_ITSELF);
    for (const bound of [1, 30, 600]) {
      shop.bound = bound;
      assert.deepEqual(around(shop, monday("09:00:00") + bound), [false, true, true], `${bound}`);
      assert.deepEqual(around(shop, monday("17:00:00") - bound), [true, false, false], `${bound}`);
    }
  });

  it("do not happen where the error bound leaves nothing of them (T12)", () => {
    const shop = new Shop(BY_ITSELF, [{ days: MON, start: 540, duration: 1 }]);
    const unlocked = (bound: number): number => {
      shop.bound = bound;
      let count = 0;
      for (let t = monday("08:58:00"); t < monday("09:03:00"); t++) if (shop.at(t)) count++;
      return count;
    };
    assert.deepEqual([0, 1, 29, 30, 31].map(unlocked), [60, 58, 2, 0, 0]);
  });

  it("unlock nothing while the clock is unknown, and lock at once when it becomes so", () => {
    const shop = new Shop(BY_ITSELF);
    assert.equal(shop.standing(monday("10:00:00")), "open");
    shop.trust = Trust.unknown;
    assert.equal(shop.standing(monday("10:00:01")), "unknown-time");
    shop.trust = Trust.held;
    assert.equal(shop.standing(monday("10:00:02")), "open");
  });

  it("need nobody, and remember nobody", () => {
    const shop = new Shop(BY_ITSELF);
    shop.opened(monday("09:30:00"));
    assert.equal(shop.stored, undefined);
  });

  it("are off without a policy, and with schedule 0", () => {
    for (const policy of [undefined, { ...BY_ITSELF, schedule: 0 }]) {
      const shop = new Shop(policy);
      assert.equal(shop.hours.standing, "off");
      assert.equal(shop.standing(monday("10:00:00")), "off");
      shop.opened(monday("10:00:00"));
      assert.equal(shop.relock(monday("10:00:00")), false);
      assert.equal(shop.resume(monday("10:00:00")), false);
      assert.equal(shop.hold(monday("10:00:00"), monday("11:00:00")), false);
      assert.equal(shop.stored, undefined);
    }
  });

  it("do not happen when the schedule cannot be read", () => {
    const shop = new Shop(BY_ITSELF, []);
    assert.equal(shop.standing(monday("10:00:00")), "closed");
  });
});

describe("T16 First-In (A34)", () => {
  it("keeps the door locked until a first-in person comes inside the window, and unlocked from that second", () => {
    const shop = new Shop(FIRST_IN);
    assert.equal(shop.standing(monday("08:59:59")), "closed");
    assert.equal(shop.standing(monday("09:00:00")), "waiting");
    assert.equal(shop.standing(monday("10:29:59")), "waiting");
    shop.opened(monday("10:30:00"));
    assert.equal(shop.hours.standing, "open");
    assert.equal(shop.standing(monday("10:30:00")), "open");
    assert.deepEqual(around(shop, monday("17:00:00")), [true, false, false]);
  });

  it("unlocks at the start when a first-in person came within the grace period, from its first second on", () => {
    const table: [string, string][] = [
      ["08:44:59", "waiting"],
      ["08:45:00", "open"],
      ["08:45:01", "open"],
      ["08:59:59", "open"],
      ["09:00:00", "open"],
      ["16:59:59", "open"],
    ];
    for (const [time, expected] of table) {
      const shop = new Shop(FIRST_IN);
      shop.opened(monday(time));
      const later = Math.max(monday(time), monday("09:00:00"));
      if (later > monday(time)) assert.equal(shop.standing(later - 1), "closed", time);
      assert.equal(shop.standing(later), expected, time);
    }
  });

  it("counts in the grace period, and in the window, only who surely came in them (T12)", () => {
    const came = (t: number, bound: number, then: number): string => {
      const shop = new Shop(FIRST_IN);
      shop.bound = bound;
      shop.opened(t);
      shop.bound = 0;
      return shop.standing(then);
    };
    const grace = monday("08:45:00");
    const inside = monday("12:00:00");
    assert.deepEqual(
      [-1, 0, 1].map((d) => came(grace + 60 + d, 60, inside)),
      ["waiting", "open", "open"],
    );
    const end = monday("17:00:00");
    assert.deepEqual(
      [-1, 0, 1].map((d) => came(end - 60 + d, 60, end - 1)),
      ["open", "waiting", "waiting"],
    );
    assert.equal(came(monday("09:00:00"), 60, inside), "open", "across the start, early or inside");
  });

  it("takes nobody early without a grace period, by a single second", () => {
    for (const [time, expected] of [
      ["08:59:59", "waiting"],
      ["09:00:00", "open"],
    ]) {
      const shop = new Shop({ ...FIRST_IN, graceMinutes: 0 });
      shop.opened(monday(time));
      assert.equal(shop.standing(monday("09:00:00")), expected);
    }
  });

  it("is not begun by anybody else", () => {
    const shop = new Shop(FIRST_IN);
    for (const time of ["08:50:00", "09:00:00", "12:00:00"]) {
      shop.opened(monday(time), false);
      assert.equal(shop.at(monday(time)), false, time);
    }
    assert.equal(shop.standing(monday("12:00:01")), "waiting");
    assert.equal(shop.stored, undefined);
  });

  it("is not begun while the clock is unknown", () => {
    const shop = new Shop(FIRST_IN);
    shop.trust = Trust.unknown;
    shop.opened(monday("10:00:00"));
    shop.trust = Trust.set;
    assert.equal(shop.standing(monday("10:00:01")), "waiting");
  });

  it("counts for the day it came on, not for the next", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("08:50:00"));
    assert.equal(shop.standing(monday("12:00:00")), "open");
    assert.equal(shop.standing(tuesday("12:00:00")), "waiting");
    const asleep = new Shop(FIRST_IN);
    asleep.opened(monday("08:50:00"));
    assert.equal(asleep.standing(tuesday("12:00:00")), "waiting", "without a tick in between");
  });

  it("counts for the opening that it lies in, and not for the next as well, however soon that comes", () => {
    const lunch = [window(MON, "09:00", "12:00"), window(MON, "12:10", "17:00")];
    const came = (time: string): string[] => {
      const shop = new Shop(FIRST_IN, lunch);
      shop.opened(monday(time));
      return [monday("11:59:59"), monday("12:10:00")]
        .filter((t) => t >= monday(time))
        .map((t) => shop.standing(t));
    };
    assert.deepEqual(came("11:59:59"), ["open", "waiting"]);
    assert.deepEqual(came("12:00:00"), ["open"]);
    const unsure = new Shop(FIRST_IN, lunch);
    unsure.bound = 10;
    unsure.opened(monday("12:00:09"));
    assert.equal(unsure.standing(monday("12:11:00")), "waiting");
    unsure.opened(monday("12:11:00"));
    assert.equal(unsure.standing(monday("12:11:00")), "open");
  });

  it("may come on the day before, into an opening that begins at midnight", () => {
    const shop = new Shop(FIRST_IN, [window(TUE, "00:00", "06:00")]);
    shop.opened(monday("23:45:00"));
    assert.deepEqual(around(shop, tuesday("00:00:00")), [false, true, true]);
  });

  it("takes touching windows for one opening, also across the end of the week", () => {
    const shop = new Shop(FIRST_IN, [window(SAT, "20:00", "00:00"), window(SUN, "00:00", "04:00")]);
    shop.opened(utc("2026-06-06 21:00:00"));
    for (let t = utc("2026-06-06 21:00:00"); t < utc("2026-06-07 04:00:00"); t += 599)
      assert.equal(shop.at(t), true);
    assert.deepEqual(around(shop, utc("2026-06-07 04:00:00")), [true, false, false]);
    shop.opened(utc("2026-06-13 19:50:00"));
    shop.at(utc("2026-06-13 20:00:00"));
    assert.equal(shop.standing(utc("2026-06-14 03:59:59")), "open");
  });
});

describe("T16 first-in people lock again, and resume (A34)", () => {
  it("keep an opening locked until they resume it, to the second, whoever comes", () => {
    for (const policy of [FIRST_IN, BY_ITSELF]) {
      const shop = new Shop(policy);
      shop.opened(monday("09:30:00"));
      assert.equal(shop.relock(monday("12:00:00")), true);
      assert.equal(shop.hours.standing, "relocked");
      shop.opened(monday("12:30:00"));
      assert.equal(shop.standing(monday("12:30:00")), "relocked");
      assert.equal(shop.resume(monday("13:00:00")), true);
      assert.equal(shop.hours.standing, "open");
      assert.deepEqual(around(shop, monday("17:00:00")), [true, false, false]);
    }
  });

  it("keep locked no opening but that one", () => {
    const shop = new Shop(BY_ITSELF);
    assert.equal(shop.relock(monday("16:59:59")), true);
    assert.equal(shop.standing(monday("16:59:59")), "relocked");
    assert.deepEqual(around(shop, tuesday("09:00:00")), [false, true, true]);
  });

  it("may call off an opening that was to begin by somebody's coming, and call it on again", () => {
    const shop = new Shop(FIRST_IN);
    assert.equal(shop.relock(monday("08:50:00")), false);
    shop.opened(monday("08:50:00"));
    assert.equal(shop.relock(monday("08:55:00")), true);
    assert.equal(shop.standing(monday("09:00:00")), "relocked");
    shop.reboot();
    assert.equal(shop.standing(monday("09:01:00")), "relocked");
    assert.equal(shop.resume(monday("09:02:00")), true);
    assert.equal(shop.standing(monday("09:02:00")), "open");
  });

  it("are told where it means nothing: locked anyway, not relocked, the time unknown", () => {
    const shop = new Shop(FIRST_IN);
    assert.equal(shop.relock(monday("07:00:00")), false);
    assert.equal(shop.relock(monday("12:00:00")), false, "nobody was first in yet");
    assert.equal(shop.resume(monday("12:00:00")), false, "to resume does not begin an opening");
    shop.opened(monday("12:00:00"));
    assert.equal(shop.resume(monday("12:00:01")), false);
    assert.equal(shop.relock(monday("13:00:00")), true);
    const { stored } = shop;
    assert.equal(shop.relock(monday("13:00:01")), false, "relocked already");
    shop.trust = Trust.unknown;
    assert.equal(shop.relock(monday("13:00:02")), false);
    assert.equal(shop.resume(monday("13:00:02")), false);
    assert.equal(shop.hold(monday("13:00:02"), monday("14:00:00")), false);
    shop.trust = Trust.set;
    assert.deepEqual(shop.stored, stored);
    assert.equal(shop.resume(monday("17:00:00")), false, "at the end");
    assert.equal(shop.resume(tuesday("10:00:00")), false, "another opening");
  });
});

describe("T16 first-in people hold the door unlocked until a time (A34)", () => {
  it("to the second, past the end of the hours", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("09:30:00"));
    assert.equal(shop.hold(monday("16:00:00"), monday("19:00:00")), true);
    assert.deepEqual(around(shop, monday("17:00:00")), [true, true, true]);
    assert.equal(shop.standing(monday("17:00:00")), "held");
    assert.deepEqual(around(shop, monday("19:00:00")), [true, false, false]);
    assert.equal(shop.hours.standing, "closed");
    assert.equal(shop.standing(tuesday("10:00:00")), "waiting");
  });

  it("not past it by the error bound (T12)", () => {
    const shop = new Shop(FIRST_IN);
    shop.bound = 20;
    assert.equal(shop.hold(monday("18:00:00"), monday("18:00:20")), false);
    assert.equal(shop.hold(monday("18:00:00"), monday("18:00:21")), true);
    assert.deepEqual(around(shop, monday("18:00:01")), [true, false, false]);
  });

  it("at any time of day, and not for more than 24 hours, by a second", () => {
    const shop = new Shop(FIRST_IN);
    const t = monday("20:00:00");
    assert.equal(shop.hold(t, t + MAX_HOLD_S + 1), false);
    for (const until of [t, t - 1, 0, Number.NaN, Number.POSITIVE_INFINITY])
      assert.equal(shop.hold(t, until), false, `${until}`);
    assert.equal(shop.stored, undefined);
    assert.equal(shop.hold(t, t + MAX_HOLD_S), true);
    assert.deepEqual(around(shop, t + MAX_HOLD_S), [true, false, false]);
  });

  it("and have come first then: inside the hours the door stays unlocked behind it", () => {
    for (const time of ["08:45:00", "12:00:00"]) {
      const shop = new Shop(FIRST_IN);
      assert.equal(shop.hold(monday(time), monday("13:00:00")), true);
      assert.equal(shop.standing(monday("12:59:59")), "held");
      assert.equal(shop.standing(monday("13:00:00")), "open");
    }
    const early = new Shop(FIRST_IN);
    assert.equal(early.hold(monday("08:44:59"), monday("13:00:00")), true);
    assert.equal(early.standing(monday("12:59:59")), "held");
    assert.equal(early.standing(monday("13:00:00")), "waiting");
  });

  it("and take back a relock, and may relock to end it", () => {
    const shop = new Shop(BY_ITSELF);
    shop.relock(monday("10:00:00"));
    assert.equal(shop.hold(monday("11:00:00"), monday("12:00:00")), true);
    assert.equal(shop.standing(monday("12:00:00")), "open");
    assert.equal(shop.hold(monday("16:00:00"), monday("20:00:00")), true);
    assert.equal(shop.relock(monday("16:30:00")), true);
    assert.equal(shop.standing(monday("16:30:00")), "relocked");
    assert.equal(shop.hold(monday("17:30:00"), monday("20:00:00")), true);
    assert.equal(shop.relock(monday("18:00:00")), true);
    assert.equal(shop.standing(monday("18:00:00")), "closed");
    assert.equal(shop.standing(tuesday("09:00:00")), "open");
  });

  it("anew: the last hold counts, be it shorter", () => {
    const shop = new Shop(FIRST_IN);
    shop.hold(monday("18:00:00"), monday("20:00:00"));
    shop.hold(monday("18:30:00"), monday("19:00:00"));
    assert.deepEqual(around(shop, monday("19:00:00")), [true, false, false]);
  });

  it("whatever a correction of the clock does within its error bound", () => {
    const shop = new Shop(FIRST_IN);
    shop.bound = 300;
    assert.equal(shop.hold(monday("18:05:00"), monday("19:00:00")), true);
    shop.bound = 0;
    assert.equal(shop.standing(monday("18:00:01")), "held", "the clock was fast");
    shop.bound = 300;
    assert.equal(shop.standing(monday("18:55:00")), "closed", "perhaps over");
    shop.bound = 0;
    assert.equal(shop.standing(monday("18:55:01")), "held", "not over yet");
  });

  it("and a relock before the start ends it without calling off hours that begin by themselves", () => {
    const shop = new Shop(BY_ITSELF);
    shop.opened(monday("08:00:00"));
    assert.equal(shop.hold(monday("08:00:00"), monday("12:00:00")), true);
    assert.equal(shop.relock(monday("08:50:00")), true);
    assert.deepEqual(around(shop, monday("09:00:00")), [false, true, true]);
  });

  it("and an unknown clock ends it, but not the opening", () => {
    const shop = new Shop(FIRST_IN);
    shop.hold(monday("16:00:00"), monday("20:00:00"));
    shop.trust = Trust.unknown;
    assert.equal(shop.standing(monday("16:10:00")), "unknown-time");
    shop.trust = Trust.set;
    assert.equal(shop.standing(monday("16:20:00")), "open");
    assert.equal(shop.standing(monday("17:00:00")), "closed");
  });
});

describe("T16 and holidays (T7): a holiday", () => {
  it("takes the hours away, and gives them back behind it", () => {
    const shop = new Shop(BY_ITSELF);
    shop.closed = true;
    assert.equal(shop.standing(monday("10:00:00")), "closed");
    shop.closed = false;
    assert.equal(shop.standing(tuesday("10:00:00")), "open");
  });

  it("ends an opening: the rest of it waits for the next who is first in", () => {
    const shop = new Shop(FIRST_IN, ALWAYS);
    shop.opened(monday("12:00:00"));
    assert.equal(shop.standing(monday("23:59:59")), "open");
    shop.closed = true;
    assert.equal(shop.standing(tuesday("00:00:00")), "closed");
    shop.opened(tuesday("12:00:00"));
    shop.closed = false;
    assert.equal(shop.standing(tuesday("00:00:00") + DAY_S), "waiting");
    shop.opened(tuesday("00:00:01") + DAY_S);
    assert.equal(shop.hours.standing, "open");
  });

  it("leaves a relock in force", () => {
    const shop = new Shop(BY_ITSELF, ALWAYS);
    shop.relock(monday("12:00:00"));
    shop.closed = true;
    shop.at(tuesday("00:00:00"));
    shop.closed = false;
    assert.equal(shop.standing(tuesday("00:00:00") + DAY_S), "relocked");
  });

  it("leaves the grace period of an opening behind it", () => {
    const shop = new Shop(FIRST_IN, [window(TUE, "00:00", "06:00")]);
    shop.bound = 5;
    shop.closed = true;
    shop.opened(monday("23:50:00"));
    for (const time of ["23:59:50", "23:59:59"]) assert.equal(shop.standing(monday(time)), "closed");
    assert.equal(shop.standing(tuesday("00:00:04")), "closed", "it reaches over by the error bound");
    shop.closed = false;
    assert.equal(shop.standing(tuesday("00:00:05")), "open");
  });

  it("takes away an opening that somebody came for the evening before", () => {
    const shop = new Shop(FIRST_IN, [window(TUE, "00:00", "06:00")]);
    shop.opened(monday("23:50:00"));
    shop.closed = true;
    shop.at(tuesday("00:00:00"));
    shop.closed = false;
    assert.equal(shop.standing(tuesday("00:00:01")), "waiting");
  });

  it("leaves a hold, of before and of that day, and no hours behind it", () => {
    const shop = new Shop(FIRST_IN);
    shop.hold(monday("08:50:00"), monday("10:00:00"));
    shop.closed = true;
    assert.deepEqual(around(shop, monday("10:00:00")), [true, false, false]);
    assert.equal(shop.hold(monday("11:00:00"), monday("12:00:00")), true);
    assert.deepEqual(around(shop, monday("12:00:00")), [true, false, false]);
    shop.closed = false;
    assert.equal(shop.standing(monday("12:00:02")), "waiting");
  });
});

describe("T16 and power loss (M5, M7)", () => {
  const phases: [string, (shop: Shop) => unknown, string][] = [
    ["started", () => undefined, "open"],
    ["relocked", (shop) => shop.relock(monday("12:00:00")), "relocked"],
    ["held", (shop) => shop.hold(monday("12:00:00"), monday("18:00:00")), "held"],
  ];
  for (const [name, act, expected] of phases)
    it(`an opening that was ${name} goes on when the time is known again, and not before`, () => {
      const shop = new Shop(FIRST_IN);
      shop.opened(monday("08:50:00"));
      act(shop);
      assert.equal(shop.standing(monday("12:00:01")), expected);
      for (let boot = 0; boot < 3; boot++) {
        shop.reboot();
        assert.equal(shop.hours.standing, "unknown-time");
        shop.trust = Trust.unknown;
        assert.equal(shop.standing(monday("12:30:00")), "unknown-time");
        shop.trust = Trust.set;
        shop.bound = 40 * boot;
        assert.equal(shop.standing(monday("13:00:00")), expected);
      }
    });

  it("of a hold that is over, or of yesterday's opening, nothing comes back", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("08:50:00"));
    shop.hold(monday("12:00:00"), monday("18:00:00"));
    shop.reboot();
    assert.deepEqual(around(shop, monday("18:00:00")), [true, false, false]);
    shop.reboot();
    assert.equal(shop.standing(tuesday("10:00:00")), "waiting");
  });

  it("before the start: who came within the grace period has come", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("08:45:00"));
    shop.reboot();
    assert.deepEqual(around(shop, monday("09:00:00")), [false, true, true]);
  });

  it("an error bound that grows, shrinks or jumps makes nobody come again", () => {
    const shop = new Shop(FIRST_IN);
    shop.bound = 300;
    shop.opened(monday("08:55:00"));
    for (const bound of [600, 0, 600, 1]) {
      shop.bound = bound;
      shop.reboot();
      assert.equal(shop.standing(monday("16:50:00") - 1), "open");
      if (bound === 600) assert.equal(shop.standing(monday("16:50:00")), "closed", "not surely inside");
    }
    assert.equal(shop.standing(monday("16:59:58")), "open", "surely inside again");
  });

  it("stores on changes only: the coming, and that it is over", () => {
    const shop = new Shop(FIRST_IN);
    const writes: string[] = [];
    let last = shop.stored;
    for (let t = monday("08:00:00"); t < tuesday("08:00:00"); t += 10) {
      if (t === monday("08:50:00") || t === monday("10:00:00")) shop.opened(t);
      shop.at(t);
      if (shop.stored !== last) writes.push(new Date(t * 1000).toISOString().slice(11, 19));
      last = shop.stored;
    }
    assert.deepEqual(writes, ["08:50:00", "17:00:00"]);
  });

  it("says that it differs from what is stored only while it does", () => {
    const { hours } = new Shop(FIRST_IN);
    const shop = new Shop(FIRST_IN);
    hours.opened(shop.view(monday("12:00:00")), true);
    assert.equal(hours.unsettled, true);
    const state = hours.state();
    hours.advance(shop.view(tuesday("12:00:00")));
    assert.equal(hours.unsettled, false, "come and gone before it was stored");
    hours.restore(state);
    assert.equal(hours.unsettled, false);
    assert.deepEqual(hours.state(), state);
  });

  it("counts as relocked after a state that is malformed, at every limit", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("12:00:00"));
    shop.hold(monday("12:00:00"), monday("18:00:00"));
    const good = shop.stored;
    assert.ok(good);
    const put = (offset: number, ...bytes: number[]): Uint8Array => {
      const bad = good.slice();
      bad.set(bytes, offset);
      return bad;
    };
    const bad = [
      new Uint8Array(0),
      good.subarray(1),
      Uint8Array.of(...good, 0),
      put(0, 3),
      put(11, 0, 0, 0, 0),
      put(11, 0, 0, 0, 1),
      put(11, 0xff, 0xff, 0xff, 0xff),
      put(11, ...good.subarray(7, 11)),
    ];
    const blank = new BusinessHours().state();
    for (const stored of bad) {
      shop.stored = stored;
      shop.reboot();
      assert.deepEqual(shop.hours.state(), blank);
      assert.equal(shop.standing(monday("12:00:01")), "relocked");
    }
    shop.stored = good;
    shop.reboot();
    assert.deepEqual(shop.hours.state(), good);
  });

  for (const policy of [FIRST_IN, BY_ITSELF]) {
    const who = policy.firstIn ? "a first-in person" : "the clock";

    it(`that loses what was stored keeps the opening locked until it is resumed, where ${who} begins it`, () => {
      const shop = new Shop(policy);
      shop.opened(monday("08:50:00"));
      shop.relock(monday("10:00:00"));
      shop.reboot(true);
      assert.equal(shop.standing(monday("10:01:00")), "relocked");
      shop.reboot();
      assert.equal(shop.standing(monday("16:59:59")), "relocked", "it is stored again");
      assert.equal(shop.resume(monday("16:59:59")), true);
      assert.equal(shop.hours.standing, "open");
    });

    it(`that loses what was stored concerns no other opening, where ${who} begins it`, () => {
      const shop = new Shop(policy);
      shop.reboot(true);
      shop.trust = Trust.unknown;
      assert.equal(shop.standing(monday("07:00:00")), "unknown-time");
      shop.trust = Trust.set;
      assert.equal(shop.standing(monday("07:00:00")), "closed");
      assert.ok(shop.stored !== undefined, "the loss is over");
      assert.equal(shop.standing(monday("12:00:00")), policy.firstIn ? "waiting" : "open");
    });
  }

  it("of a coming, and of a hold, that are noted for later than now nothing is believed", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(tuesday("10:00:00"));
    shop.hold(tuesday("10:00:00"), tuesday("20:00:00"));
    assert.equal(shop.standing(monday("10:00:00")), "waiting", "the clock was put back by a day");
    assert.equal(shop.standing(tuesday("10:00:00")), "waiting");
  });
});

describe("T16 and changes of the settings (T10): all is as if it had been so from the start", () => {
  it("a schedule that begins later keeps who came inside, or within the new grace period", () => {
    const table: [string, string][] = [
      ["09:30:00", "waiting"],
      ["11:44:59", "waiting"],
      ["11:45:00", "open"],
      ["12:00:00", "open"],
    ];
    for (const [time, expected] of table) {
      const shop = new Shop(FIRST_IN);
      shop.opened(monday(time));
      shop.windows = packed([window(WEEKDAYS, "12:00", "17:00")]);
      assert.equal(shop.standing(monday("12:30:00")), expected, time);
    }
  });

  it("a coming counts with all of its error bound for the new schedule, also after a boot (T12)", () => {
    const table: [Window, string][] = [
      [window(WEEKDAYS, "11:59", "12:02"), "open"],
      [window(WEEKDAYS, "12:00", "12:02"), "waiting"],
      [window(WEEKDAYS, "11:59", "12:01"), "waiting"],
    ];
    for (const [windows, expected] of table)
      for (const isBooted of [false, true]) {
        const shop = new Shop({ ...FIRST_IN, graceMinutes: 0 });
        shop.bound = 60;
        shop.opened(monday("12:00:00"));
        shop.bound = 0;
        if (isBooted) shop.reboot();
        shop.windows = packed([windows]);
        assert.equal(shop.standing(monday("12:00:30")), expected);
      }
  });

  it("a schedule that ends earlier locks at once, one that ends later goes on", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("10:00:00"));
    shop.windows = packed([window(WEEKDAYS, "09:00", "18:00")]);
    assert.equal(shop.standing(monday("17:30:00")), "open");
    shop.windows = packed(OFFICE);
    assert.equal(shop.standing(monday("17:30:01")), "closed");
    shop.windows = packed([window(WEEKDAYS, "09:00", "18:00")]);
    assert.equal(shop.standing(monday("17:30:02")), "waiting", "what was over is forgotten");
  });

  it("the same windows in another array are the same schedule, the same array with others is not", () => {
    const shop = new Shop(BY_ITSELF);
    assert.equal(shop.at(monday("10:00:00")), true);
    shop.windows = packed([...OFFICE]);
    assert.equal(shop.at(monday("10:00:01")), true);
    shop.windows[0] = packed([window(TUE, "09:00", "17:00")])[0];
    assert.equal(shop.at(monday("10:00:02")), false);
  });

  it("another zone moves the hours at once", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("10:00:00"));
    shop.zone = zoneOf("America/New_York");
    assert.equal(shop.standing(monday("10:00:01")), "closed");
    assert.equal(shop.standing(monday("13:00:00")), "waiting");
  });

  it("a policy without First-In begins by itself, one with it waits for who has not come", () => {
    const shop = new Shop(BY_ITSELF);
    assert.equal(shop.standing(monday("10:00:00")), "open");
    shop.hours.configure(FIRST_IN);
    assert.equal(shop.standing(monday("10:00:01")), "waiting");
    shop.hours.configure(BY_ITSELF);
    assert.equal(shop.standing(monday("10:00:02")), "open");
  });

  it("a longer or shorter grace period counts for who has come already", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("08:50:00"));
    shop.hours.configure({ ...FIRST_IN, graceMinutes: 10 });
    assert.equal(shop.standing(monday("09:00:00")), "open");
    shop.hours.configure({ ...FIRST_IN, graceMinutes: 9 });
    assert.equal(shop.standing(monday("09:00:01")), "waiting");
  });

  it("turned off, the hours lock, and forget who came and who held", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("10:00:00"));
    shop.hold(monday("10:00:00"), monday("20:00:00"));
    shop.hours.configure(undefined);
    assert.equal(shop.standing(monday("10:00:01")), "off");
    shop.hours.configure(FIRST_IN);
    assert.equal(shop.standing(monday("10:00:02")), "waiting");
  });

  it("a schedule that cannot be read for a while makes nobody come again", () => {
    const shop = new Shop(FIRST_IN);
    shop.opened(monday("10:00:00"));
    const { windows } = shop;
    shop.windows = new Uint32Array(0);
    assert.equal(shop.standing(monday("10:00:01")), "closed");
    assert.equal(shop.relock(monday("10:00:01")), false);
    shop.windows = windows;
    assert.equal(shop.standing(monday("10:00:02")), "open");
    assert.equal(shop.relock(monday("10:00:03")), true);
    shop.windows = new Uint32Array(0);
    assert.equal(shop.resume(monday("10:00:04")), false);
    shop.windows = windows;
    assert.equal(shop.standing(monday("10:00:05")), "relocked");
  });
});

describe("T16 a schedule that is always open is one opening without end", () => {
  const daily: Window[] = [1, 2, 4, 8, 16, 32, 64].map((days) => ({ days, start: 300, duration: DAY }));
  for (const [name, windows] of [
    ["one window of all days", ALWAYS],
    ["seven windows that touch", daily],
  ] as const)
    it(`that one person begins, and a relock ends until it is resumed: ${name}`, () => {
      const shop = new Shop(FIRST_IN, windows);
      shop.zone = zoneOf("Europe/Berlin");
      assert.equal(shop.standing(monday("03:00:00")), "waiting");
      shop.opened(monday("03:00:01"));
      for (let day = 0; day < 400; day += 7) {
        if (day % 5 === 0) shop.reboot();
        assert.equal(shop.standing(monday("03:00:01") + day * DAY_S), "open", `${day}`);
      }
      const later = monday("03:00:01") + 500 * DAY_S;
      assert.equal(shop.relock(later), true);
      assert.equal(shop.standing(later + 60 * DAY_S), "relocked");
      shop.reboot();
      assert.equal(shop.resume(later + 61 * DAY_S), true);
      assert.equal(shop.standing(later + 62 * DAY_S), "open");
    });

  it("and is another one after it was not always open", () => {
    const shop = new Shop(FIRST_IN, ALWAYS);
    shop.opened(monday("12:00:00"));
    shop.windows = packed(OFFICE);
    assert.equal(shop.standing(monday("12:00:01")), "open");
    assert.equal(shop.standing(tuesday("12:00:00")), "waiting");
    shop.windows = packed(ALWAYS);
    assert.equal(shop.standing(tuesday("12:00:01")), "waiting");
  });
});

describe("T16 and changes of the clock on the wall (T9)", () => {
  const berlin = (policy: HoursPolicy, ...windows: Window[]): Shop => {
    const shop = new Shop(policy, windows);
    shop.zone = zoneOf("Europe/Berlin");
    return shop;
  };

  it("an opening across a leap is one, and an hour shorter or longer", () => {
    const table: [string, string][] = [
      ["2026-03-28 21:00:00", "2026-03-29 04:00:00"],
      ["2026-10-24 20:00:00", "2026-10-25 05:00:00"],
    ];
    for (const [start, end] of table) {
      const shop = berlin(FIRST_IN, window(SAT, "22:00", "06:00"));
      shop.opened(utc(start) - 1);
      assert.deepEqual(around(shop, utc(start)), [false, true, true]);
      for (let t = utc(start); t < utc(end); t += 300) {
        if (t % 1800 === 0) shop.reboot();
        assert.equal(shop.at(t), true);
      }
      assert.deepEqual(around(shop, utc(end)), [true, false, false]);
    }
  });

  it("a window in the hour that is leapt over does not happen, and nobody can be first in for it", () => {
    const shop = berlin(FIRST_IN, window(SUN, "02:15", "02:45"));
    shop.opened(utc("2026-03-29 00:59:59"));
    shop.opened(utc("2026-03-29 01:00:00"));
    assert.equal(shop.stored, undefined);
    for (let t = utc("2026-03-29 00:00:00"); t < utc("2026-03-29 03:00:00"); t += 20)
      assert.equal(shop.standing(t), "closed");
    shop.opened(utc("2026-04-05 00:10:00"));
    assert.deepEqual(around(shop, utc("2026-04-05 00:15:00")), [false, true, true]);
    assert.deepEqual(around(shop, utc("2026-04-05 00:45:00")), [true, false, false]);
  });

  it("a window in the hour that comes twice is two openings, each with its own who is first in", () => {
    const shop = berlin(FIRST_IN, window(SUN, "02:15", "02:45"));
    shop.opened(utc("2026-10-25 00:15:00"));
    assert.deepEqual(around(shop, utc("2026-10-25 00:45:00")), [true, false, false]);
    assert.equal(shop.standing(utc("2026-10-25 01:15:00")), "waiting");
    shop.opened(utc("2026-10-25 01:15:01"));
    assert.equal(shop.hours.standing, "open");
    assert.deepEqual(around(shop, utc("2026-10-25 01:45:00")), [true, false, false]);
    const alone = berlin(BY_ITSELF, window(SUN, "02:15", "02:45"));
    assert.deepEqual(around(alone, utc("2026-10-25 01:15:00")), [false, true, true]);
  });
});

describe("T16 the cost of a tick", () => {
  it("asks the calendar at an edge and after a change, never in an ordinary tick", () => {
    let questions = 0;
    const zone = new Proxy(zoneOf("Europe/Berlin"), {
      get: (target, key) => {
        questions++;
        return Reflect.get(target, key);
      },
    });
    const shop = new Shop(FIRST_IN);
    shop.zone = zone;
    const asked = (from: number, to: number): number => {
      questions = 0;
      for (let t = from; t < to; t++) {
        shop.bound = Math.floor((t - from) / 1000);
        shop.at(t);
      }
      return questions;
    };
    assert.ok(asked(monday("05:00:00"), monday("05:00:01")) > 0);
    shop.opened(monday("06:59:00"));
    assert.equal(asked(monday("05:00:01"), monday("07:00:00")), 0);
    assert.ok(asked(monday("07:00:00"), monday("07:00:02")) > 0);
    assert.equal(asked(monday("07:00:02"), monday("14:00:00")), 0);
    shop.zone = new Proxy(zone, {});
    assert.ok(asked(monday("14:00:00"), monday("14:00:01")) > 0);
  });
});

// ---- The reference: openings from a list of minutes, by the platform's own zones ----------------------------------------------

interface Opening {
  start: number;
  end: number;
}

const RANGE_DAYS = 32;
const quarters = new Map<string, number[]>();

/** The platform's offsets from `base` on, one for each quarter of an hour: it changes on no other minute. */
function offsetsFrom(zone: string, base: number): number[] {
  const key = `${zone} ${base}`;
  let list = quarters.get(key);
  if (list === undefined) {
    list = Array.from({ length: RANGE_DAYS * 96 }, (_, i) => intlOffset(zone, base + i * 900));
    quarters.set(key, list);
  }
  return list;
}

/** Every opening of the days from `base` on, minute by minute. One that has begun before, or does not end, has no limit. */
function openingsFrom(windows: readonly Window[], zone: string, base: number): Opening[] {
  const week = new Uint8Array(7 * DAY);
  for (const { days, start, duration } of windows)
    for (let weekday = 0; weekday < 7; weekday++)
      for (let k = 0; k < duration && days & (1 << weekday); k++)
        week[(weekday * DAY + start + k) % week.length] = 1;
  const offsets = offsetsFrom(zone, base);
  const list: Opening[] = [];
  let last: Opening | undefined;
  for (let minute = 0; minute < RANGE_DAYS * DAY; minute++) {
    const t = base + minute * 60;
    // 1970-01-01 was a Thursday.
    const wall = (t + offsets[Math.floor(minute / 15)]) / 60 + 4 * DAY;
    if (week[wall % week.length] === 0) {
      if (last !== undefined) last.end = t;
      last = undefined;
    } else if (last === undefined) {
      last = { start: minute === 0 ? Number.NEGATIVE_INFINITY : t, end: Number.POSITIVE_INFINITY };
      list.push(last);
    }
  }
  return list;
}

/** What the lock knows at a moment, as the reference sees it. */
interface Moment {
  known: boolean;
  now: number;
  bound: number;
  closed: boolean;
}

interface Memory {
  deed: { what: "started" | "relocked"; earliest: number; latest: number } | undefined;
  hold: { earliest: number; until: number } | undefined;
}

/** Business hours without an economy: it looks through all openings each time. */
class Reference {
  memory: Memory = { deed: undefined, hold: undefined };
  stored: Memory = this.memory;
  policy: HoursPolicy | undefined;
  openings: readonly Opening[] = [];
  readable = true;
  hadTime = false;

  /** The opening that all of a span of time belongs to: the next to end, unless its grace period has not begun. */
  belonging(earliest: number, latest: number): Opening | undefined {
    const next = this.openings.find(({ end }) => earliest < end);
    const isSoon = next !== undefined && earliest >= next.start - (this.policy?.graceMinutes ?? 0) * 60;
    return isSoon && latest < next.end ? next : undefined;
  }

  owned(): Opening | undefined {
    const { deed } = this.memory;
    return deed && this.belonging(deed.earliest, deed.latest);
  }

  here({ now, bound, closed }: Moment): Opening | undefined {
    const opening = this.belonging(now - bound, now + bound);
    return closed && opening !== undefined && opening.start <= now - bound ? undefined : opening;
  }

  tell(deed: Memory["deed"], hold: Memory["hold"]): void {
    this.memory = { deed, hold };
  }

  pass(moment: Moment): void {
    const { deed, hold } = this.memory;
    if (this.policy === undefined) this.tell(undefined, undefined);
    else if (!moment.known) this.tell(deed, this.hadTime ? undefined : hold);
    else {
      this.hadTime = true;
      const [earliest, latest] = [moment.now - moment.bound, moment.now + moment.bound];
      const isHeld = hold !== undefined && earliest < hold.until && hold.earliest <= latest;
      this.tell(!this.readable || this.lasts(moment) ? deed : undefined, isHeld ? hold : undefined);
    }
  }

  lasts({ now, bound, closed }: Moment): boolean {
    const { deed } = this.memory;
    const opening = this.owned();
    if (deed === undefined || opening === undefined) return false;
    if (now - bound >= opening.end || deed.earliest > now + bound) return false;
    const hasBegun = opening.start <= now - bound || opening.start <= deed.earliest;
    return !(closed && deed.what === "started" && hasBegun);
  }

  standing(moment: Moment): string {
    if (this.policy === undefined) return "off";
    if (!moment.known) return "unknown-time";
    const { deed, hold } = this.memory;
    if (hold !== undefined && moment.now + moment.bound < hold.until) return "held";
    const opening = this.here(moment);
    if (opening === undefined || opening.start > moment.now - moment.bound) return "closed";
    const what = this.owned() === opening ? deed?.what : undefined;
    if (what === "relocked") return "relocked";
    return what === "started" || !this.policy.firstIn ? "open" : "waiting";
  }

  mark(what: "started" | "relocked", { now, bound }: Moment): void {
    this.tell({ what, earliest: now - bound, latest: now + bound }, this.memory.hold);
  }

  opened(moment: Moment): boolean {
    const opening = this.here(moment);
    const isFirst = this.policy?.firstIn && moment.known && opening !== undefined && opening !== this.owned();
    if (isFirst) this.mark("started", moment);
    return isFirst === true;
  }

  relock(moment: Moment): boolean {
    if (this.policy === undefined || !moment.known) return false;
    const before = this.standing(moment);
    const opening = this.here(moment);
    const isOwn = opening !== undefined && opening === this.owned();
    const isAwaited = isOwn && this.memory.deed?.what === "started";
    if (before !== "open" && before !== "held" && !isAwaited) return false;
    this.tell(this.memory.deed, undefined);
    if (opening !== undefined && (isOwn || opening.start <= moment.now - moment.bound))
      this.mark("relocked", moment);
    return true;
  }

  resume(moment: Moment): boolean {
    const opening = this.here(moment);
    const can = this.policy && moment.known && opening !== undefined && opening === this.owned();
    if (!can || this.memory.deed?.what !== "relocked") return false;
    this.mark("started", moment);
    return true;
  }

  hold(moment: Moment, until: number): boolean {
    const { now, bound } = moment;
    if (this.policy === undefined || !moment.known) return false;
    if (until <= now + bound || until > now + DAY_S) return false;
    const opening = this.here(moment);
    const isStarted = opening === this.owned() && this.memory.deed?.what === "started";
    this.tell(this.memory.deed, { earliest: now - bound, until });
    if (opening !== undefined && !isStarted) this.mark("started", moment);
    return true;
  }
}

// ---- A life: the truth, a clock that is honest about it, and what people and couriers do ----------------------------------------

/** Zones, each with days around which its clock changes, in UTC. */
const PLACES: [string, string[]][] = [
  ["Europe/Berlin", ["2026-03-29", "2026-10-25"]],
  ["America/New_York", ["2026-03-08", "2026-11-01"]],
  ["Australia/Lord_Howe", ["2026-04-04", "2026-10-03"]],
  ["UTC", ["2026-02-28", "2026-12-31"]],
];

const DEEDS = [
  ...[
    "first-in",
    "first-in",
    "first-in",
    "first-in",
    "other",
    "relock",
    "relock",
    "relock",
    "resume",
    "resume",
  ],
  ...["hold", "hold at its limit", "reboot", "lose the time", "set the clock", "holiday", "cut"],
  ...["schedule", "policy", "zone", "unreadable"],
] as const;
type Deed = (typeof DEEDS)[number];
type Step = readonly [deed: Deed, number, number, number];

const anyWindow: fc.Arbitrary<Window> = fc.record({
  days: fc.oneof(fc.integer({ min: 1, max: 127 }), fc.constantFrom(SUN, SAT, SUN | SAT, WEEKDAYS, ALL_DAYS)),
  start: fc.oneof(
    fc.integer({ min: 0, max: 1439 }),
    fc.integer({ min: 0, max: 20 }).map((q) => q * 15),
  ),
  duration: fc.oneof(fc.integer({ min: 1, max: 1440 }), fc.integer({ min: 1, max: 90 })),
});
/** Two windows that touch, of the same days. */
const touching = anyWindow
  .filter(({ start, duration }) => start + duration < DAY)
  .map((first) => [first, { days: first.days, start: first.start + first.duration, duration: 60 }]);
const anyWindows = fc.oneof(
  { weight: 6, arbitrary: fc.array(anyWindow, { minLength: 1, maxLength: 8 }) },
  { weight: 2, arbitrary: touching },
  { weight: 1, arbitrary: fc.constant(ALWAYS) },
  { weight: 1, arbitrary: fc.constant(OFFICE) },
);
const roll = fc.nat(0xffffff);
const anyLife = fc.record({
  schedules: fc.tuple(anyWindows, anyWindows),
  place: fc.nat(PLACES.length - 1),
  change: fc.nat(1),
  steps: fc.array(fc.tuple(fc.constantFrom(...DEEDS), roll, roll, roll), { minLength: 20, maxLength: 150 }),
});

interface Life {
  schedules: readonly (readonly Window[])[];
  place: number;
  change: number;
  steps: readonly Step[];
}

/** One lock's business hours beside the reference, through a life. */
class World {
  readonly seen = new Map<string, number>();
  readonly #life: Life;
  readonly #base: number;
  readonly #openings = new Map<string, Opening[]>();
  readonly #reference = new Reference();
  readonly #moment: Moment = { known: true, now: 0, bound: 0, closed: false };
  /** When somebody came who may be first in, in true time. */
  readonly #arrivals: number[] = [];
  #hours = new BusinessHours();
  #stored: Uint8Array | undefined;
  #policy: HoursPolicy | undefined = FIRST_IN;
  #schedule = 0;
  #place: number;
  /** The true time, and how far the clock is ahead of it. */
  #t: number;
  #ahead = 0;

  constructor(life: Life) {
    this.#life = life;
    this.#place = life.place;
    const changeAt = utc(`${PLACES[life.place][1][life.change]} 00:00:00`);
    this.#base = changeAt - 10 * DAY_S;
    this.#t = changeAt - 2 * DAY_S;
    this.#hours.configure(this.#policy);
    this.#settings();
  }

  #settings(): void {
    this.#reference.policy = this.#policy;
    if (!this.#reference.readable) {
      this.#reference.openings = [];
      return;
    }
    const key = `${this.#schedule} ${this.#place}`;
    const windows = this.#life.schedules[this.#schedule];
    const openings = this.#openings.get(key) ?? openingsFrom(windows, PLACES[this.#place][0], this.#base);
    this.#openings.set(key, openings);
    this.#reference.openings = openings;
  }

  #view() {
    const { known, now, bound, closed } = this.#moment;
    const clock = known ? { trust: Trust.set, now, bound } : { trust: Trust.unknown, now: 0, bound: 0 };
    const windows = packed(this.#reference.readable ? this.#life.schedules[this.#schedule] : []);
    return { clock, zone: zoneOf(PLACES[this.#place][0]), windows, windowCount: windows.length, closed };
  }

  /** Goes on in time: by a little, by a lot, or to a second at which something may happen. */
  #goOn(how: number, how2: number): void {
    const { openings, memory } = this.#reference;
    if (how % 8 === 0) this.#t += how2 % 3;
    else if (how % 8 === 1) this.#t += how2 % 1200;
    else if (how % 8 === 2) this.#t += how2 % (30 * 3600);
    else {
      const grace = (this.#policy?.graceMinutes ?? 0) * 60;
      const edges = openings.flatMap(({ start, end }) => [start - grace, start, end]);
      if (memory.hold !== undefined) edges.push(memory.hold.until);
      const { bound } = this.#moment;
      const off = [-bound, 0, bound][how2 % 3] + (Math.floor(how2 / 3) % 3) - 1 - this.#ahead;
      const next = edges.map((edge) => edge + off).filter((t) => t >= this.#t && t < this.#t + 3 * DAY_S);
      this.#t = next.length > 0 ? Math.min(...next) : this.#t + 3600;
    }
    this.#moment.now = this.#t + this.#ahead;
  }

  /** The clock is set: another bound, and another error within it. */
  #setClock(a: number, b: number): void {
    const moment = this.#moment;
    moment.known = true;
    moment.bound = [0, 0, 1, 30, 300, 600][a % 6];
    this.#ahead = (b % (2 * moment.bound + 1)) - moment.bound;
    moment.now = this.#t + this.#ahead;
  }

  #reboot(timeIsKnown: boolean): void {
    this.#hours = new BusinessHours();
    this.#hours.configure(this.#policy);
    this.#hours.restore(this.#stored);
    this.#reference.memory = this.#reference.stored;
    this.#reference.hadTime = false;
    if (!timeIsKnown) this.#moment.known = false;
  }

  #change(deed: Deed, a: number, b: number): void {
    const policies = [FIRST_IN, FIRST_IN, FIRST_IN, FIRST_IN, BY_ITSELF, BY_ITSELF, undefined];
    // What is bad does not last, or little else would ever happen.
    if (!this.#moment.known && a % 2 === 0) this.#setClock(a, b);
    if (this.#policy === undefined && a % 2 === 0) deed = "policy";
    if (!this.#reference.readable) deed = "unreadable";
    if (deed === "reboot") this.#reboot(a % 2 === 0);
    else if (deed === "lose the time") this.#moment.known = false;
    else if (deed === "set the clock") this.#setClock(a, b);
    else if (deed === "holiday") this.#moment.closed = !this.#moment.closed && a % 2 === 0;
    else if (deed === "schedule" && a % 3 === 0) this.#schedule = b % 2;
    else if (deed === "zone" && a % 4 === 0)
      this.#place = this.#place === this.#life.place ? 3 : this.#life.place;
    else if (deed === "unreadable") this.#reference.readable = a % 4 !== 0;
    else if (deed === "policy") {
      const policy = policies[a % policies.length];
      this.#policy = policy && { ...policy, graceMinutes: [0, 1, 15, 120, 720][b % 5] };
      this.#hours.configure(this.#policy);
    }
    this.#settings();
  }

  /** Does the same to both, and compares what they answer. */
  #act(deed: Deed, a: number): void {
    const moment = this.#moment;
    const reference = this.#reference;
    const view = this.#view();
    const until =
      deed === "hold"
        ? moment.now + (a % (30 * 3600))
        : moment.now + [DAY_S, moment.bound][a % 2] + (a % 3) - 1;
    if (deed === "first-in" || deed === "other") {
      this.#hours.opened(view, deed === "first-in");
      if (deed === "first-in" && reference.opened(moment)) this.#count("came");
    } else if (deed === "relock") this.#same(deed, this.#hours.relock(view), reference.relock(moment));
    else if (deed === "resume") this.#same(deed, this.#hours.resume(view), reference.resume(moment));
    else if (deed === "hold" || deed === "hold at its limit")
      this.#same(deed, this.#hours.holdUntil(view, until), reference.hold(moment, until));
    if (deed !== "other") this.#arrivals.push(this.#t);
  }

  #same(deed: Deed, actual: boolean, expected: boolean): void {
    assert.equal(actual, expected, deed);
    this.#count(`${deed} ${expected ? "done" : "refused"}`);
  }

  #count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** What must hold whatever the reference says: never unlocked in a second that is outside of the true hours. */
  #checkTruth(): void {
    const { standing } = this.#hours;
    if (standing === "held") assert.ok(this.#t < (this.#reference.memory.hold?.until ?? 0));
    if (standing !== "open") return;
    const opening = this.#reference.openings.find(({ start, end }) => start <= this.#t && this.#t < end);
    assert.ok(opening, "inside the true hours");
    if (!this.#policy?.firstIn) return;
    const from = opening.start - this.#policy.graceMinutes * 60;
    assert.ok(
      this.#arrivals.some((t) => t >= from && t < opening.end),
      "somebody came",
    );
  }

  #check(): void {
    const expected = this.#reference.standing(this.#moment);
    const unlocked = this.#hours.advance(this.#view());
    assert.equal(this.#hours.standing, expected);
    assert.equal(unlocked, expected === "open" || expected === "held");
    this.#checkTruth();
    this.#count(expected);
    const { memory, stored } = this.#reference;
    assert.equal(this.#hours.unsettled, JSON.stringify(memory) !== JSON.stringify(stored), "unsettled");
  }

  step([drawn, a, b, c]: Step): void {
    this.#goOn(a, b);
    const deed = drawn === "other" && this.#hours.standing === "relocked" ? "resume" : drawn;
    // Of openings near the end of the list the reference does not know the end.
    if (this.#t > this.#base + (RANGE_DAYS - 15) * DAY_S) return;
    this.#reference.pass(this.#moment);
    this.#check();
    this.#change(deed, c, b);
    this.#reference.pass(this.#moment);
    this.#act(deed, c);
    this.#reference.pass(this.#moment);
    this.#check();
    // Power may fail before this is stored.
    if (deed === "cut" || !this.#hours.unsettled) return;
    this.#stored = this.#hours.state();
    this.#hours.settled();
    this.#reference.stored = this.#reference.memory;
  }
}

describe("T16 business hours beside a reference that goes through all minutes", () => {
  it(`stand as it says, and are never unlocked outside of the true hours (seed ${SEED})`, () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(anyLife, (life) => {
        const world = new World(life);
        for (const step of life.steps) world.step(step);
        for (const [what, count] of world.seen) seen.set(what, (seen.get(what) ?? 0) + count);
      }),
      { seed: SEED, numRuns: 300 },
    );
    const least = ["open", "held", "waiting", "relocked", "closed", "off", "unknown-time", "came"];
    for (const deed of ["relock", "resume", "hold", "hold at its limit"])
      least.push(`${deed} done`, `${deed} refused`);
    for (const what of least)
      assert.ok((seen.get(what) ?? 0) >= 40, `${what} came up ${seen.get(what)} times`);
  });
});
