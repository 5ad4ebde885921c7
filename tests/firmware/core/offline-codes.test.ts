// Offline codes (rules C18, C23, T12): what a code is, when it is good, what is remembered of its use, and what it may cost.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { OFFLINE_MINUTES_S } from "../../../firmware/core/offline-codes";
import { Credential, EventKind } from "../../../firmware/core/storage/events";
import { NOWHERE, State } from "../../../firmware/core/storage/places";
import { claimKeys } from "../../../protocol/crypto/derive";
import type { Crypto } from "../../../protocol/crypto/port";
import type { Delta } from "../../../protocol/issuer/encode";
import { makeOfflineCode, offlineCodeOn } from "../../../protocol/issuer/offline";
import { ascii } from "../../../protocol/wire/bytes";
import { dateOfDay } from "../../../protocol/wire/civil";
import {
  OFFLINE_KINDS,
  OfflineKind,
  offlineNumber,
  packDensity,
  packNone,
  packOffline,
  packOfflineDenied,
  Setting,
} from "../../../protocol/wire/settings";
import { node } from "../../../simulator/board/crypto";
import { Door, L500I, MONDAY } from "../../support/door";
import { eventsIn } from "../../support/door-faults";

const DAY_S = 86_400;
const TODAY = MONDAY / DAY_S;
const { day: DAY, minutes: MINUTES, once: ONCE, week: WEEK } = OfflineKind;
const ALL = DAY | MINUTES | ONCE | WEEK;
/** Codes under the key 00 01 … 1f, by another program: Wednesday's of a day, Wednesday's for minutes, and so on. */
const VECTORS = ["755544039", "061929503", "515005505", "336646657"];
/** The door's clock may be off by this. */
const BOUND_S = 2;

const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });
const codes = (kinds: number, indexes = 8): Delta =>
  set(Setting.offlineCodes, packOffline({ kinds, indexes }));

/** Denies codes, given as kind, index and window. */
const deny = (...denied: readonly (readonly [number, number, number])[]): Delta => {
  const numbers = denied.map(([kind, index, window]) =>
    offlineNumber(OFFLINE_KINDS.indexOf(kind), index, window),
  );
  return set(Setting.offlineDenied, packOfflineDenied(numbers));
};

/** What node:crypto makes of the definition, by RFC 4226, 5.3, in words of its own. */
function oracle(codeKey: Uint8Array, kind: number, index: number, window: number): string {
  const tail = Buffer.alloc(6);
  tail.writeUInt8(kind, 0);
  tail.writeUInt8(index, 1);
  tail.writeUInt32BE(window, 2);
  const mac = createHmac("sha256", codeKey).update("tumbler/1 code").update(tail).digest();
  const number = mac.readUInt32BE(mac[mac.length - 1] % 16) % 2 ** 31;
  return String(number % 10 ** 9).padStart(9, "0");
}

function codeOf(door: Door, kind: number, index = 0, day = TODAY): string {
  const { codeKey } = claimKeys(door.crypto, door.identity.deviceSecret, 1);
  return makeOfflineCode(door.crypto, codeKey, offlineCodeOn(kind, index, dateOfDay(day)));
}

/** A door at noon of a Monday on which these kinds are good. */
function doorAt(kinds: number, hours = 12, options = {}): Door {
  const door = new Door(options);
  assert.deepEqual(door.apply(codes(kinds)), ["applied"]);
  door.now += hours * 3600;
  return door;
}

describe("C23 an offline code", () => {
  it("is what RFC 4226 makes of an HMAC-SHA256, as these vectors are", () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const date = { year: 2027, month: 3, dayOfMonth: 3 };
    const vectors = [
      [DAY, 0, TODAY + 2],
      [MINUTES, 7, TODAY + 2],
      [ONCE, 3, TODAY + 2],
      [WEEK, 0, TODAY],
    ].map(([kind, index, window]) => {
      const code = makeOfflineCode(node, key, offlineCodeOn(kind, index, date));
      assert.equal(code, oracle(key, kind, index, window));
      return code;
    });
    assert.deepEqual(vectors, VECTORS);
    for (let index = 0; index < 8; index++)
      for (let day = 0; day < 100; day++) {
        const made = makeOfflineCode(node, key, offlineCodeOn(DAY, index, dateOfDay(20_000 + day)));
        assert.equal(made, oracle(key, DAY, index, 20_000 + day));
      }
  });

  it("of a week is the same from Monday to Sunday, and of no other kind, index or week", () => {
    const key = new Uint8Array(32);
    const of = (kind: number, index: number, day: number): string =>
      makeOfflineCode(node, key, offlineCodeOn(kind, index, dateOfDay(day)));
    for (let day = 0; day < 7; day++) assert.equal(of(WEEK, 0, TODAY + day), of(WEEK, 0, TODAY));
    const all = [DAY, MINUTES, ONCE, WEEK].flatMap((kind) =>
      [0, 7].flatMap((index) => [-7, 0, 7].map((day) => of(kind, index, TODAY + day))),
    );
    assert.equal(new Set(all).size, all.length);
  });

  it("is not made for what no lock takes", () => {
    for (const [kind, index] of [
      [3, 0],
      [0, 0],
      [16, 0],
      [DAY, 8],
      [DAY, -1],
      [DAY, 0.5],
    ])
      assert.throws(() => offlineCodeOn(kind, index, dateOfDay(0)), RangeError);
    for (const [kind, first, last] of [
      [DAY, 0, 65_535],
      [WEEK, 4, 65_535],
    ]) {
      for (const day of [first, last]) assert.ok(offlineCodeOn(kind, 0, dateOfDay(day)).window <= day);
      for (const day of [first - 1, last + 8])
        assert.throws(() => offlineCodeOn(kind, 0, dateOfDay(day)), RangeError);
    }
  });

  it("opens nothing until its kind and its index are switched on", () => {
    for (const kind of [DAY, MINUTES, ONCE, WEEK]) {
      const off = doorAt(ALL & ~kind);
      assert.equal(off.type(codeOf(off, kind)), "unknown");
      const on = doorAt(kind);
      assert.deepEqual(on.apply(codes(kind, 3)), ["applied"]);
      assert.equal(on.type(codeOf(on, kind, 3)), "unknown");
      assert.equal(on.type(codeOf(on, kind, 2)), "granted");
      assert.equal(on.board.bolt.drawn, true);
    }
    const never = new Door();
    assert.equal(never.type(codeOf(never, DAY)), "unknown");
  });

  it("is logged as what it is, and which it was", () => {
    const door = doorAt(ALL);
    door.type(codeOf(door, ONCE, 5));
    const last = eventsIn(door).at(-1);
    assert.deepEqual([last?.kind, last?.credential, last?.user], [EventKind.granted, Credential.offline, 0]);
    assert.equal(last?.generation, (2 * 8 + 5) * 65_536 + TODAY);
  });

  it("never takes its neighbour: the whole error interval lies in the window", () => {
    const midnight = MONDAY + DAY_S;
    for (const kind of [DAY, MINUTES, ONCE]) {
      for (const [now, good] of [
        [MONDAY + 60, 0],
        [midnight - BOUND_S - 1, 0],
        [midnight - 1, -1],
        [midnight, -1],
        [midnight + BOUND_S, 1],
      ] as const) {
        const door = doorAt(kind, 0);
        door.now = now - BOUND_S;
        door.setTime();
        door.now = now;
        for (let day = 0; day < 2; day++)
          assert.equal(
            door.lock.why(1, ascii(codeOf(door, kind, 0, TODAY + day)), door.lock.parts.clock.read()).holder,
            good === day ? "offline" : "nobody",
            `kind ${kind}, ${now - midnight} s, day ${day}`,
          );
      }
    }
  });

  it("of a week is good over its midnights, and ends with Sunday", () => {
    const door = doorAt(WEEK, 24);
    assert.equal(door.type(codeOf(door, WEEK)), "granted");
    door.now = MONDAY + 7 * DAY_S - 60;
    door.setTime();
    assert.equal(door.type(codeOf(door, WEEK)), "granted");
    door.now += 120;
    assert.equal(door.type(codeOf(door, WEEK)), "unknown");
    assert.equal(door.type(codeOf(door, WEEK, 0, TODAY + 7)), "granted");
  });

  it("goes by the date of the lock's own zone", () => {
    const door = doorAt(DAY, 0);
    door.apply(set(Setting.zone, ascii("EST5")));
    door.now += 3600;
    assert.equal(door.type(codeOf(door, DAY)), "unknown");
    assert.equal(door.type(codeOf(door, DAY, 0, TODAY - 1)), "granted");
  });

  it("opens nothing without a known time, and everything again with it, without any mail", () => {
    const door = doorAt(ALL);
    door.reboot();
    const unknown = { trust: 0, now: 0, bound: 0 };
    for (const kind of [DAY, MINUTES, ONCE, WEEK]) {
      assert.equal(door.type(codeOf(door, kind)), "unknown");
      // Not even by the date that a clock shows which was never set.
      const first = kind === WEEK ? 4 : 0;
      for (const now of [0, first * DAY_S])
        assert.equal(reasonAt(door, codeOf(door, kind, 0, first), { ...unknown, now }), 3);
    }
    door.setTime();
    assert.equal(door.type(codeOf(door, DAY)), "granted");
  });

  it("good once is used up, over a reboot, for its date", () => {
    const door = doorAt(ONCE);
    assert.equal(door.type(codeOf(door, ONCE)), "granted");
    assert.equal(door.type(codeOf(door, ONCE)), "used-up");
    door.lock.tick();
    door.reboot();
    door.setTime();
    assert.equal(door.type(codeOf(door, ONCE)), "used-up");
    assert.equal(door.type(codeOf(door, ONCE, 1)), "granted");
    door.now += DAY_S;
    door.setTime();
    assert.equal(door.type(codeOf(door, ONCE, 0, TODAY + 1)), "granted");
  });

  it("good once is not good again when the clock is set back to its date", () => {
    const door = doorAt(ONCE, 23.9);
    assert.equal(door.type(codeOf(door, ONCE)), "granted");
    door.now += 1200;
    door.setTime();
    assert.equal(door.type(codeOf(door, ONCE, 0, TODAY + 1)), "granted");
    const back = { trust: 2, now: MONDAY + DAY_S - 600, bound: 1 };
    for (const index of [0, 1])
      assert.equal(reasonAt(door, codeOf(door, ONCE, index), back), 14, "of an earlier day all are used up");
  });

  it(`for minutes is good for ${OFFLINE_MINUTES_S} s after its first use, less the error bound, over a reboot`, () => {
    const door = doorAt(MINUTES);
    assert.equal(door.type(codeOf(door, MINUTES)), "granted");
    const { now, bound } = { ...door.lock.parts.clock.read() };
    const over = now - bound + OFFLINE_MINUTES_S;
    for (const boot of [false, true]) {
      if (boot) door.reboot();
      if (boot) door.setTime();
      const at = (later: number) => ({ trust: 2, now: over + later, bound: 3 });
      assert.equal(reasonAt(door, codeOf(door, MINUTES), at(-4)), 0);
      assert.equal(reasonAt(door, codeOf(door, MINUTES), at(-3)), 10);
      assert.equal(reasonAt(door, codeOf(door, MINUTES, 1), at(-3)), 0, "another one was not used yet");
    }
  });

  it("whose uses are lost is refused until the day is over, and those that need none are not", () => {
    const door = doorAt(ALL);
    assert.equal(door.type(codeOf(door, ONCE)), "granted");
    const { parts } = door.lock;
    parts.table.places.states[State.offline] = NOWHERE;
    parts.offline.restore();
    assert.equal(door.type(codeOf(door, ONCE, 1)), "used-up");
    assert.equal(door.type(codeOf(door, MINUTES, 1)), "expired");
    assert.equal(door.type(codeOf(door, DAY)), "granted");
    door.lock.tick();
    door.reboot();
    door.setTime();
    assert.equal(door.type(codeOf(door, ONCE, 2)), "used-up");
    door.now += DAY_S;
    door.setTime();
    assert.equal(door.type(codeOf(door, ONCE, 2, TODAY + 1)), "granted");
  });

  it("gives way to what is in the table, which is looked up first", () => {
    const door = doorAt(DAY);
    door.apply(door.pin(4, codeOf(door, DAY)));
    assert.equal(door.type(codeOf(door, DAY)), "granted");
    assert.equal(eventsIn(door).at(-1)?.user, 1004);
    door.apply({ op: "disable", slot: 4, generation: 2 });
    assert.equal(door.type(codeOf(door, DAY)), "disabled");
  });

  it("opens like a guest's: holidays and modes count", () => {
    const door = doorAt(DAY);
    const holiday = Uint8Array.of(TODAY >> 8, TODAY & 0xff, 0, 1, 8, 255);
    assert.deepEqual(door.apply(set(Setting.holiday, holiday)), ["applied"]);
    assert.equal(door.type(codeOf(door, DAY)), "holiday");
  });

  it("calls no menu", () => {
    const door = doorAt(DAY);
    assert.equal(door.keys(`**${codeOf(door, DAY)}#`), "refused");
  });
});

describe("C23 an offline code that is denied", () => {
  it("is one that nobody has, of every kind, and no other code of its kind or day is", () => {
    for (const kind of [DAY, MINUTES, ONCE]) {
      const door = doorAt(ALL);
      assert.deepEqual(door.apply(deny([kind, 2, TODAY])), ["applied"]);
      assert.equal(door.type(codeOf(door, kind, 2)), "unknown");
      for (const other of [DAY, MINUTES, ONCE, WEEK].filter((each) => each !== kind))
        assert.equal(door.type(codeOf(door, other, 2)), "granted");
      for (const index of [1, 3]) assert.equal(door.type(codeOf(door, kind, index)), "granted");
      door.now += DAY_S;
      door.setTime();
      assert.equal(door.type(codeOf(door, kind, 2, TODAY + 1)), "granted", "the day after");
    }
  });

  it("of a week is denied on all of its days, and on no day of the next week", () => {
    const door = doorAt(WEEK);
    assert.deepEqual(door.apply(deny([WEEK, 0, TODAY])), ["applied"]);
    for (let day = 0; day < 7; day++) {
      assert.equal(door.type(codeOf(door, WEEK)), "unknown", `day ${day}`);
      door.now += DAY_S;
      door.setTime();
    }
    assert.equal(door.type(codeOf(door, WEEK, 0, TODAY + 7)), "granted");
  });

  it("does not open any more while its minutes go on, and goes on with them when it is allowed again", () => {
    const door = doorAt(MINUTES);
    assert.equal(door.type(codeOf(door, MINUTES)), "granted");
    assert.deepEqual(door.apply(deny([MINUTES, 0, TODAY])), ["applied"]);
    assert.equal(door.type(codeOf(door, MINUTES)), "unknown");
    assert.deepEqual(door.apply(set(Setting.offlineDenied, packNone())), ["applied"]);
    assert.equal(door.type(codeOf(door, MINUTES)), "granted");
    door.now += OFFLINE_MINUTES_S;
    assert.equal(door.type(codeOf(door, MINUTES)), "expired");
  });

  it("stays denied to the end of its window without any more mail: over reboots, and other settings", () => {
    const door = doorAt(ALL, 0);
    door.apply(deny([DAY, 0, TODAY], [WEEK, 7, TODAY]), codes(ALL, 7), codes(ALL, 8));
    for (const hour of [1, 23]) {
      door.reboot();
      door.now = MONDAY + hour * 3600;
      door.setTime();
      assert.equal(door.type(codeOf(door, DAY)), "unknown");
      assert.equal(door.type(codeOf(door, WEEK, 7)), "unknown");
    }
    assert.equal(door.type(codeOf(door, DAY, 1)), "granted");
  });

  it("may be denied before its window comes, up to eight at a time", () => {
    const door = doorAt(DAY);
    const eight = Array.from({ length: 8 }, (_, index) => [DAY, index, TODAY + 1] as const);
    assert.deepEqual(door.apply(deny(...eight), deny(...eight, [MINUTES, 0, TODAY])), [
      "applied",
      "bad-format",
    ]);
    for (let index = 0; index < 8; index++) assert.equal(door.type(codeOf(door, DAY, index)), "granted");
    door.now += DAY_S;
    door.setTime();
    for (let index = 0; index < 5; index++)
      assert.equal(door.type(codeOf(door, DAY, index, TODAY + 1)), "unknown");
  });

  it("counts as a wrong entry, and one that has the same digits in the table opens", () => {
    const door = doorAt(DAY);
    door.apply(deny([DAY, 0, TODAY]), door.pin(4, "4711080"));
    for (let times = 0; times < 5; times++) assert.equal(door.type(codeOf(door, DAY)), "unknown");
    assert.equal(door.type("4711080"), "locked-out");
    const other = doorAt(DAY);
    other.apply(deny([DAY, 0, TODAY]), other.pin(4, codeOf(other, DAY)));
    assert.equal(other.type(codeOf(other, DAY)), "granted");
    assert.equal(eventsIn(other).at(-1)?.user, 1004);
  });

  it("is not known any more when the setting is lost: all are denied until it is set again", () => {
    const door = doorAt(ALL);
    door.apply(deny([DAY, 7, TODAY]), door.pin(4, "4711080"));
    const { parts } = door.lock;
    const { density } = door.receipt();
    parts.table.places.settings[Setting.offlineDenied] = NOWHERE;
    parts.policy.read(parts.table);
    for (const kind of [DAY, MINUTES, ONCE, WEEK]) assert.equal(door.type(codeOf(door, kind)), "unknown");
    assert.equal(door.type("4711080"), "granted");
    assert.equal(door.receipt().density, density, "they still count: they may come back");
    assert.deepEqual(door.apply(deny([DAY, 7, TODAY])), ["applied"]);
    assert.equal(door.type(codeOf(door, DAY)), "granted");
    assert.equal(door.type(codeOf(door, DAY, 7)), "unknown");
  });

  it("is in the table digest, and no wipe takes it away", () => {
    const door = doorAt(ALL);
    const before = door.receipt().digest;
    door.apply(deny([DAY, 0, TODAY]));
    assert.notDeepEqual(door.receipt().digest, before);
    assert.deepEqual(door.apply({ op: "wipe" }), ["unchanged"]);
    assert.equal(door.type(codeOf(door, DAY)), "unknown");
  });
});

describe("C6 C23 the work that an entry takes", () => {
  /** HMACs of one entry. */
  function hmacsOf(
    kinds: number,
    typed: (door: Door) => string,
    more: (door: Door) => void = () => {},
  ): number {
    let count = 0;
    const crypto: Crypto = {
      ...node,
      hmacSha256: (key, data) => {
        count++;
        return node.hmacSha256(key, data);
      },
    };
    const door = doorAt(kinds, 12, { crypto });
    door.apply(door.pin(1, "4711080"));
    more(door);
    const pin = typed(door);
    count = 0;
    door.type(pin);
    return count;
  }

  it("is one HMAC without offline codes, and one more for each kind and index, whatever is typed", () => {
    assert.equal(
      hmacsOf(0, () => "4711080"),
      1,
    );
    const entries: ((door: Door) => string)[] = [
      () => "4711080",
      () => "1234",
      () => "987654321",
      (door) => codeOf(door, DAY),
      (door) => codeOf(door, WEEK, 7),
    ];
    for (const entry of entries) {
      assert.equal(hmacsOf(ALL, entry), 33);
      const denying = (door: Door): unknown => door.apply(deny([DAY, 0, TODAY], [WEEK, 7, TODAY]));
      assert.equal(hmacsOf(ALL, entry, denying), 33, "also of what is denied");
      const losing = (door: Door): void => {
        door.lock.parts.table.places.settings[Setting.offlineDenied] = NOWHERE;
        door.lock.parts.policy.read(door.lock.parts.table);
      };
      assert.equal(hmacsOf(ALL, entry, losing), 33, "also while nobody knows what is denied");
    }
    for (const entry of entries.slice(0, 3))
      assert.equal(
        hmacsOf(ONCE, entry, (door) => door.reboot()),
        9,
        "also without a clock",
      );
  });
});

describe("C18 C23 the density of offline codes", () => {
  it("is ten for each kind and index", () => {
    const door = new Door({ profile: L500I });
    assert.equal(door.receipt().density, 0);
    door.apply(codes(ALL));
    assert.equal(door.receipt().density, 320);
    door.apply(codes(DAY | ONCE, 3));
    assert.equal(door.receipt().density, 60);
    door.reboot();
    assert.equal(door.receipt().density, 60);
  });

  it("keeps to the limit: up to it, and not past it; what weighs less is always taken", () => {
    const door = new Door();
    assert.deepEqual(
      door.apply(
        set(Setting.density, packDensity(80)),
        codes(DAY, 8),
        codes(DAY | ONCE, 8),
        set(Setting.density, packDensity(10)),
        codes(DAY, 7),
        door.pin(0, "4711080123"),
      ),
      ["applied", "applied", "pin-too-short", "applied", "applied", "pin-too-short"],
    );
  });
});

function reasonAt(door: Door, code: string, clock: { trust: number; now: number; bound: number }): number {
  return door.lock.why(1, ascii(code), clock).reason;
}
