// The whole decision at a real door (rules C3, C6, C15 to C17, C24, T7, T10, T11, T13, T16, X1 to X4): keys, cards and signed deltas
// in, bolt, feedback and log out.

import assert from "node:assert/strict";
import { FEEDBACK_S } from "../../../firmware/core/doorway";
import { credentialTag } from "../../../protocol/crypto/derive";
import type { Delta } from "../../../protocol/issuer/encode";
import { ascii } from "../../../protocol/wire/bytes";
import { Capability, Flag, Kind, Role } from "../../../protocol/wire/entry";
import { TRUST_NAMES } from "../../../protocol/wire/receipt";
import {
  Mode,
  NO_MODE,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLocalCodes,
  packLockout,
  packMaster,
  packNone,
  Setting,
} from "../../../protocol/wire/settings";
import { Door, L500I, MONDAY } from "../../support/door";

const DAY_S = 86_400;
const HOUR_S = 3600;

const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });
const tagOf = (door: Door, digits: string): Uint8Array =>
  credentialTag(door.crypto, door.pinKey, Kind.pin, ascii(digits));
const setMaster = (door: Door, digits: string): Delta =>
  set(Setting.master, packMaster({ digits: digits.length, tag: tagOf(door, digits) }));
const dayOf = (utcSeconds: number): number => Math.floor(utcSeconds / DAY_S);

describe("C15 a door for two", () => {
  const dual = { flags: Flag.dual };
  let door: Door;

  beforeEach(() => {
    door = new Door();
    door.apply(door.pin(0, "111222", dual), door.pin(1, "333444", dual), door.pin(2, "555666"));
  });

  it("opens for two people within 30 seconds, in either order, and the log has both", () => {
    const from = door.lock.parts.events.next;
    assert.equal(door.type("111222"), "needs-second");
    door.now += 30;
    assert.equal(door.type("333444"), "granted");
    assert.ok(door.board.bolt.drawn);
    assert.deepEqual(door.events(from), ["refused needs-second", "granted"]);
    assert.equal(door.type("333444"), "needs-second", "the next opening needs two again");
    assert.equal(door.type("111222"), "granted");
  });

  it("forgets the first after 30 seconds: the second is a first then", () => {
    assert.equal(door.type("111222"), "needs-second");
    door.now += 30.001;
    assert.equal(door.type("333444"), "needs-second");
    assert.equal(door.type("111222"), "granted");
  });

  it("does not take one person for two, with the same or with another credential", () => {
    door.apply(door.card(3, new Uint8Array([1, 2, 3, 4]), { ...dual, user: 1000 }));
    assert.equal(door.type("111222"), "needs-second");
    assert.equal(door.type("111222"), "needs-second");
    assert.equal(door.lock.presentCard(new Uint8Array([1, 2, 3, 4])), 15);
  });

  it("does not open for one for two and one for one, but for the latter alone", () => {
    assert.equal(door.type("555666"), "granted");
    assert.equal(door.type("111222"), "needs-second");
    assert.equal(door.type("555666"), "granted");
    assert.equal(door.type("333444"), "needs-second", "an opening ends the wait");
  });

  it("does not count a first who has been revoked, disabled or put anew in the meantime", () => {
    const revoke: Delta = { op: "revoke", user: 1000 };
    const disable: Delta = { op: "disable", slot: 0, generation: 1 };
    const again = door.pin(0, "111222", { ...dual, generation: 1, user: 1777 });
    for (const delta of [revoke, disable, again]) {
      const other = new Door();
      other.apply(other.pin(0, "111222", dual), other.pin(1, "333444", dual));
      assert.equal(other.type("111222"), "needs-second");
      assert.deepEqual(other.apply(delta), ["applied"]);
      assert.equal(other.type("333444"), "needs-second");
    }
  });

  it("uses up a use of each, committed before the bolt moves", () => {
    door.apply(door.pin(4, "777888", { ...dual, uses: 1 }), door.pin(5, "999000", { ...dual, uses: 2 }));
    assert.equal(door.type("777888"), "needs-second");
    assert.equal(door.type("999000"), "granted");
    assert.equal(door.type("777888"), "used-up");
    door.reboot();
    door.lock.tick();
    assert.equal(door.type("777888"), "used-up");
    assert.equal(door.type("999000"), "needs-second");
    assert.equal(door.type("111222"), "granted");
    assert.equal(door.type("999000"), "used-up");
  });
});

describe("C16 duress", () => {
  it("opens like any other, is shown like any other, and only the log says what it was", () => {
    const door = new Door();
    door.apply(door.pin(0, "246802", { flags: Flag.duress }), door.pin(1, "135791"));
    const from = door.lock.parts.events.next;
    const shown = (digits: string) => {
      const { feedback, bolt } = door.board;
      const before = { grants: feedback.grants, moves: bolt.moves };
      const reason = door.type(digits);
      return [reason, feedback.grants - before.grants, bolt.moves - before.moves, feedback.shownAt];
    };
    assert.deepEqual(shown("246802"), shown("135791"));
    assert.deepEqual(door.events(from), ["duress", "granted"]);
    const heard = (other: Door): number => {
      const session = other.lock.open("radio");
      assert.ok(session);
      other.session = session;
      return other.hello().flags;
    };
    assert.equal(heard(door), heard(new Door()), "no stranger hears of it");
  });
});

describe("C16 duress where two are needed, and at the menu", () => {
  it("is in the log of an opening by two, whoever of them came first", () => {
    for (const order of [
      ["111222", "333444"],
      ["333444", "111222"],
    ]) {
      const door = new Door();
      door.apply(
        door.pin(0, "111222", { flags: Flag.dual | Flag.duress }),
        door.pin(1, "333444", { flags: Flag.dual }),
      );
      for (const digits of order) door.type(digits);
      assert.ok(door.board.bolt.drawn);
      assert.equal(door.events().filter((event) => event === "duress").length, 1, order.join());
    }
  });

  it("is in the log when an administrator calls the menu with it", () => {
    const door = new Door();
    door.apply(door.pin(0, "808182", { role: Role.admin, flags: Flag.duress }));
    assert.equal(door.keys("**808182#"), "granted");
    assert.ok(door.events().includes("duress"));
  });
});

describe("C17 A21 the master", () => {
  it("opens whatever mode, holidays and an unknown clock say, takes no slot, and is named in the log", () => {
    const door = new Door({ profile: L500I });
    const day = dayOf(door.now);
    const closed = packHoliday({ first: day - 1, days: 9, roles: 0x7f, mode: NO_MODE });
    const all = Array.from({ length: 10 }, (_, slot) => door.pin(slot, `58${slot}3917`));
    const deltas = [setMaster(door, "90817263"), set(Setting.mode, new Uint8Array([Mode.resident]))];
    assert.deepEqual(door.apply(...deltas, set(Setting.holiday, closed)), ["applied", "applied", "applied"]);
    assert.deepEqual(new Set(door.apply(...all)), new Set(["applied"]), "ten slots are still there");
    assert.equal(door.type("5803917"), "holiday");
    assert.equal(door.type("90817263"), "granted");
    door.reboot();
    door.lock.tick();
    const from = door.lock.parts.events.next;
    assert.equal(door.type("5803917"), "clock-unknown");
    assert.equal(door.type("90817263"), "granted");
    const credentials: number[] = [];
    door.lock.parts.events.read((event) => {
      if (event.seq >= from) credentials.push(event.credential);
    });
    assert.deepEqual(credentials, [1, 4]);
  });

  it("survives a wipe of the codes, and goes with a delta only", () => {
    const door = new Door();
    door.apply(setMaster(door, "90817263"), door.pin(0, "445566"));
    assert.deepEqual(door.apply({ op: "wipe" }), ["applied"]);
    assert.equal(door.type("445566"), "unknown");
    assert.equal(door.type("90817263"), "granted");
    assert.deepEqual(door.apply(set(Setting.master, packNone())), ["applied"]);
    assert.equal(door.type("90817263"), "unknown");
  });

  it("is not any slot's PIN, and no slot's PIN is the master (rule C3)", () => {
    const door = new Door();
    assert.deepEqual(door.apply(setMaster(door, "90817263"), door.pin(0, "90817263")), [
      "applied",
      "duplicate",
    ]);
    assert.deepEqual(door.apply(door.pin(0, "445566"), setMaster(door, "445566")), ["applied", "duplicate"]);
    assert.deepEqual(door.apply(setMaster(door, "90817263")), ["unchanged"]);
  });

  it("counts in the density, against the limit that is set (rule C18)", () => {
    const door = new Door();
    const before = door.receipt().density;
    door.apply(setMaster(door, "90817263"));
    assert.equal(door.receipt().density - before, 100);
    assert.equal(door.hello().density, door.receipt().density);
    assert.deepEqual(door.apply(set(Setting.density, packDensity(1100))), ["applied"]);
    assert.deepEqual(door.apply(door.pin(0, "4455667"), door.pin(1, "7766554")), [
      "applied",
      "pin-too-short",
    ]);
    assert.deepEqual(door.apply(setMaster(door, "9081726")), ["pin-too-short"]);
    assert.deepEqual(door.apply(setMaster(door, "908172635")), ["applied"]);
  });
});

describe("C6 X4 what a person is shown", () => {
  it(`comes ${FEEDBACK_S * 1000} ms after the confirm key whatever was decided, and the bolt at once`, () => {
    const door = new Door();
    const night = { schedule: 1 };
    door.apply(
      { op: "put-schedule", id: 1, windows: [{ days: 1 << 3, start: 0, duration: 60 }] },
      door.pin(0, "111222"),
      door.pin(1, "333444", night),
      door.pin(2, "555666"),
    );
    door.apply({ op: "disable", slot: 2, generation: 4 });
    const { feedback } = door.board;
    const shown = new Set<number>();
    for (const digits of ["111222", "333444", "555666", "987654", "12"]) {
      door.now += 7;
      const pressed = door.now;
      door.type(digits);
      shown.add(Math.round((door.lock.parts.clock.uptime() - (door.now - pressed) - feedback.shownAt) * 1e6));
    }
    assert.deepEqual([...shown], [Math.round(-FEEDBACK_S * 1e6)]);
    assert.equal(feedback.refusals, 4);
  });
});

describe("C24 A17 codes programmed at the keypad", () => {
  let door: Door;

  beforeEach(() => {
    door = new Door();
    door.apply(
      door.pin(0, "808182", { role: Role.admin }),
      door.pin(1, "606162"),
      door.pin(2, "707172", { role: Role.programmingOnly }),
    );
  });

  const add = (code: string, by = "808182"): string => door.keys(`**${by}#1#${code}#${code}#`);

  it("are made by an administrator, and open after a reboot as well", () => {
    assert.equal(door.type("491827"), "unknown");
    assert.equal(add("491827"), "granted granted granted granted");
    assert.ok(!door.board.bolt.drawn, "the menu opens nothing");
    assert.equal(door.type("491827"), "granted");
    door.reboot();
    door.lock.tick();
    assert.equal(door.type("491827"), "granted");
  });

  it("are made by a credential for programming only, which never opens, and by the master", () => {
    assert.equal(door.type("707172"), "wrong-mode");
    assert.equal(add("491827", "707172"), "granted granted granted granted");
    door.apply(setMaster(door, "90817263"));
    assert.equal(add("592837", "90817263"), "granted granted granted granted");
    for (const code of ["491827", "592837"]) assert.equal(door.type(code), "granted");
  });

  it("are not made by anybody else, nor with a wrong code, nor where the policy forbids it", () => {
    assert.equal(door.keys("**606162#"), "refused");
    assert.equal(door.keys("**111999#"), "refused");
    assert.equal(door.keys("*808182#1#"), "granted refused", "one clear key is none: this opens");
    door.apply(set(Setting.localCodes, packLocalCodes(false)));
    assert.equal(add("491827"), "granted granted granted refused");
    assert.equal(door.type("491827"), "unknown");
  });

  it("open nothing while the policy forbids them", () => {
    add("491827");
    door.apply(set(Setting.localCodes, packLocalCodes(false)));
    assert.equal(door.type("491827"), "disabled");
    door.apply(set(Setting.localCodes, packLocalCodes(true)));
    assert.equal(door.type("491827"), "granted");
  });

  it("must be typed twice alike, have 4 to 10 digits, not be weak and not be in use (rules C2, C3, C19)", () => {
    assert.equal(door.keys("**808182#1#491827#491828#"), "granted granted granted refused");
    assert.equal(door.keys("**808182#1#491#"), "granted granted refused");
    for (const bad of ["123456", "111222", "777777", "606162", "808182"])
      assert.match(add(bad), /refused$/, bad);
    assert.match(add("491827"), /granted$/);
    assert.match(add("491827"), /refused$/);
    assert.deepEqual(door.apply(door.pin(3, "491827")), ["duplicate"]);
  });

  it("fall with whoever made them: revoked, disabled, replaced, no administrator any more", () => {
    const falls: Delta[] = [
      { op: "revoke", user: 1000 },
      { op: "drop", slot: 0, generation: 1 },
      { op: "disable", slot: 0, generation: 1 },
      { op: "change", slot: 0, generation: 1, role: Role.team },
      door.pin(0, "919293", { role: Role.admin, generation: 1 }),
    ];
    for (const delta of falls) {
      door = new Door();
      door.apply(door.pin(0, "808182", { role: Role.admin }));
      assert.match(add("491827"), /granted$/);
      assert.deepEqual(door.apply(delta), ["applied"]);
      assert.equal(door.type("491827"), "disabled", JSON.stringify(delta));
    }
  });

  it("are made by nobody who is good for some uses or minutes, and fall with a start that is put off", () => {
    for (const terms of [
      { uses: 1 },
      { minutesAfterFirstUse: 15 },
      { start: MONDAY - 9, firstUseHours: 2 },
    ]) {
      door = new Door();
      door.apply(door.pin(0, "808182", { role: Role.admin, ...terms }));
      assert.equal(door.keys("**808182#"), "refused", JSON.stringify(terms));
    }
    const changes = [{ start: MONDAY + DAY_S }, { minutesAfterFirstUse: 15 }];
    for (const terms of changes) {
      door = new Door();
      door.apply(door.pin(0, "808182", { role: Role.admin }));
      add("491827");
      const change = { op: "change", slot: 0, generation: 1, role: Role.admin, ...terms } as const;
      assert.match(door.apply(change)[0], /applied|installed/);
      assert.equal(door.type("491827"), "disabled", JSON.stringify(terms));
    }
  });

  it("are ten at most, beside all slots; one taken away makes room for one", () => {
    const codes = Array.from({ length: 11 }, (_, i) => `4${i % 10}9${(i * 7) % 10}27${i > 9 ? "5" : ""}`);
    for (const code of codes.slice(0, 10)) assert.match(add(code), /granted$/, code);
    assert.match(add(codes[10]), /refused$/);
    assert.equal(door.receipt().localCodes, 10);
    assert.equal(door.keys(`**808182#2#${codes[3]}#`), "granted granted granted");
    assert.equal(door.type(codes[3]), "unknown");
    assert.match(add(codes[10]), /granted$/);
    assert.equal(door.keys("**808182#3#3#"), "granted granted granted");
    assert.equal(door.receipt().localCodes, 0);
    for (const code of codes) {
      assert.equal(door.type(code), "unknown");
      door.now += HOUR_S;
    }
  });

  it("go with a wipe, after a reboot as well, and are reported by number and a digest of their own", () => {
    const none = door.receipt();
    add("491827");
    const one = door.receipt();
    assert.deepEqual([none.localCodes, one.localCodes], [0, 1]);
    assert.notDeepEqual(one.localDigest, none.localDigest);
    assert.deepEqual(one.digest, none.digest, "the table digest is of deltas alone");
    assert.deepEqual(door.apply({ op: "wipe" }), ["applied"]);
    assert.deepEqual(door.receipt().localDigest, none.localDigest);
    door.reboot();
    door.lock.tick();
    assert.equal(door.type("491827"), "unknown");
    assert.equal(door.receipt().localCodes, 0);
  });

  it("the menu waits half a minute for each entry", () => {
    assert.equal(door.keys("**808182#1#"), "granted granted");
    door.now += 30;
    assert.equal(door.keys("491827#"), "granted");
    door.now += 31;
    assert.equal(door.keys("491827#"), "refused", "this was an entry at the door");
    assert.equal(door.type("491827"), "unknown");
  });

  it("count in the density (rule C18)", () => {
    const before = door.receipt().density;
    add("491827");
    assert.equal(door.receipt().density - before, 10_000);
    door.apply(set(Setting.density, packDensity(door.receipt().density + 999)));
    assert.match(add("5928371"), /refused$/);
    assert.match(add("59283714"), /granted$/);
  });
});

describe("T7 holidays at the door", () => {
  it("begin and end with the local day, and let administrators in", () => {
    const door = new Door();
    const day = dayOf(MONDAY) + 1;
    door.apply(
      set(Setting.holiday + 5, packHoliday({ first: day, days: 1, roles: 0x7e, mode: NO_MODE })),
      door.pin(0, "111222"),
      door.pin(1, "808182", { role: Role.admin }),
    );
    door.now = MONDAY + DAY_S - 60;
    assert.equal(door.type("111222"), "granted");
    door.now = MONDAY + DAY_S + 60;
    assert.deepEqual([door.type("111222"), door.type("808182")], ["holiday", "granted"]);
    door.now = MONDAY + 2 * DAY_S + 60;
    assert.equal(door.type("111222"), "granted");
    door.now = MONDAY + DAY_S + 90;
    assert.deepEqual(door.apply(set(Setting.holiday + 5, packNone())), ["applied"]);
  });
});

describe("T10 T8 a change of zone", () => {
  it("holds from its commit on, for hours and not for absolute limits, and is in the log", () => {
    const door = new Door();
    door.now = MONDAY + 8.5 * HOUR_S;
    const nine = { op: "put-schedule", id: 1, windows: [{ days: 2, start: 540, duration: 480 }] } as const;
    door.apply(nine, door.pin(0, "111222", { schedule: 1 }), door.pin(1, "333444", { end: door.now + 600 }));
    assert.equal(door.type("111222"), "outside-schedule");
    const from = door.lock.parts.events.next;
    assert.deepEqual(door.apply(set(Setting.zone, ascii("<+01>-1"))), ["applied"]);
    assert.deepEqual([door.type("111222"), door.type("333444")], ["granted", "granted"]);
    assert.equal(door.events(from)[0], "setting");
  });

  it("takes a table of changes with the string, in one commit", () => {
    const door = new Door();
    // From 09:00 UTC the clock is an hour ahead, from 10:00 as before.
    const table = new Uint8Array(10);
    const view = new DataView(table.buffer);
    view.setUint32(0, MONDAY + 9 * HOUR_S);
    view.setInt8(4, 4);
    view.setUint16(6, 4);
    view.setUint16(8, 4);
    const zone = new Uint8Array([...ascii("UTC0"), 0, ...table]);
    const ten = { op: "put-schedule", id: 1, windows: [{ days: 2, start: 600, duration: 60 }] } as const;
    assert.deepEqual(door.apply(set(Setting.zone, zone), ten, door.pin(0, "111222", { schedule: 1 })), [
      "applied",
      "applied",
      "applied",
    ]);
    door.now = MONDAY + 9.5 * HOUR_S;
    assert.equal(door.type("111222"), "granted");
    assert.deepEqual(door.apply(set(Setting.zone, zone.subarray(0, -1))), ["bad-format"]);
  });
});

describe("T11 a clock that goes on without power", () => {
  it("is held after a power cut, with a bound for the time since it was set, and unknown when its supply failed", () => {
    const door = new Door({ rtc: true });
    door.apply(door.pin(0, "111222", { end: door.now + 10 * DAY_S }));
    door.now += 5 * DAY_S;
    door.reboot();
    const { trust, now, bound } = door.lock.parts.clock.read();
    assert.equal(TRUST_NAMES[trust], "held");
    assert.ok(Math.abs(now - door.now) <= bound);
    assert.equal(
      bound,
      40,
      "30 s of the answer, 20 ppm of five days, rounded up with the second that nobody tells",
    );
    assert.equal(door.type("111222"), "granted");
    door.now += 5 * DAY_S - 45;
    assert.equal(door.type("111222"), "expired", "limits shrink by the bound");
    door.rtc?.fail();
    door.reboot();
    assert.equal(door.type("111222"), "clock-unknown");
  });

  it("is not believed when it is behind the floor, nor above the policy's bound", () => {
    const door = new Door({ rtc: true });
    door.apply(set(Setting.clockBound, packClockBound(31)));
    door.reboot();
    assert.equal(TRUST_NAMES[door.lock.parts.clock.read().trust], "held");
    door.now += 3 * DAY_S;
    door.reboot();
    assert.equal(TRUST_NAMES[door.lock.parts.clock.read().trust], "unknown", "36 s are more than 31");
    const late = new Door({ rtc: true });
    late.rtc?.set(late.now - 1000);
    late.reboot();
    assert.equal(TRUST_NAMES[late.lock.parts.clock.read().trust], "unknown");
  });
});

describe("T13 the time floor", () => {
  it("rises with what an issuer signed, by at most the clock's bound, and with the log; no power loss lowers it", () => {
    const door = new Door();
    const floorOf = () => door.lock.parts.clock.floor;
    assert.equal(floorOf(), MONDAY);
    door.now += 2 * HOUR_S;
    door.apply(door.pin(0, "111222"));
    assert.equal(floorOf(), MONDAY + 2 * HOUR_S);
    door.now += 10 * HOUR_S;
    assert.equal(door.type("111222"), "granted");
    door.reboot();
    assert.equal(
      floorOf(),
      MONDAY + 12 * HOUR_S - 600,
      "the time of the event, less the most that it may be off",
    );
    door.lock.tick();
    door.now = MONDAY + 11 * HOUR_S;
    assert.equal(door.setTime().result, "replayed");
    door.reboot();
    assert.equal(floorOf(), MONDAY + 12 * HOUR_S - 600);
    door.now = MONDAY + 12 * HOUR_S;
    assert.equal(door.setTime().result, "applied");
  });
});

describe("T16 A34 business hours at the door", () => {
  const hours = packHours({ schedule: 1, firstIn: true, graceMinutes: 15 });
  const nineToFive = {
    op: "put-schedule",
    id: 1,
    windows: [{ days: 0x3e, start: 540, duration: 480 }],
  } as const;
  let door: Door;

  beforeEach(() => {
    door = new Door({ sensor: true });
    door.apply(
      nineToFive,
      set(Setting.businessHours, hours),
      door.pin(0, "808182", { capabilities: Capability.firstIn }),
      door.pin(1, "606162"),
    );
  });

  const at = (hour: number, minute = 0, second = 0): void => {
    door.now = MONDAY + hour * HOUR_S + minute * 60 + second;
    door.lock.tick();
  };

  it("unlock when a first-in person has come, stay unlocked, and lock at the end", () => {
    at(9, 5);
    assert.ok(!door.board.bolt.drawn, "nobody was first in");
    assert.equal(door.type("606162"), "granted");
    at(9, 6);
    assert.ok(!door.board.bolt.drawn, "not a first-in person");
    assert.equal(door.type("808182"), "granted");
    at(9, 7);
    at(16, 59);
    assert.ok(door.board.bolt.drawn);
    at(17, 0, 5);
    assert.ok(!door.board.bolt.drawn);
  });

  it("never lock a door that stands open, but as soon as it is closed (rule M8)", () => {
    at(9, 5);
    door.type("808182");
    at(9, 6);
    door.isClosed = false;
    at(17, 1);
    assert.ok(door.board.bolt.drawn);
    door.isClosed = true;
    at(17, 2);
    assert.ok(!door.board.bolt.drawn);
  });

  it("go on after a power cut once the time is known, and never before; the first tick draws nothing", () => {
    at(9, 5);
    door.type("808182");
    at(9, 6);
    assert.ok(door.board.bolt.drawn);
    door.reboot();
    at(10, 0);
    at(10, 1);
    assert.ok(!door.board.bolt.drawn);
    door.setTime();
    at(10, 2);
    assert.ok(door.board.bolt.drawn);
  });

  it("are relocked, resumed and held at the keypad by first-in people alone", () => {
    at(9, 5);
    door.type("808182");
    at(9, 6);
    assert.equal(door.keys("**606162#"), "refused");
    assert.equal(door.keys("**808182#4#"), "granted granted");
    at(9, 7);
    assert.ok(!door.board.bolt.drawn);
    assert.equal(door.keys("**808182#5#"), "granted granted");
    at(9, 8);
    assert.ok(door.board.bolt.drawn);
    at(16, 30);
    assert.equal(door.keys("**808182#6#2#"), "granted granted granted");
    at(18, 29);
    assert.ok(door.board.bolt.drawn);
    at(18, 30, 10);
    assert.ok(!door.board.bolt.drawn);
    assert.equal(door.keys("**808182#1#"), "granted refused", "first-in people program no codes");
    assert.equal(door.events().filter((event) => event === "hours").length, 3, "each command is in the log");
  });

  it("name a schedule that is there, and keep it", () => {
    const of = (schedule: number) =>
      set(Setting.businessHours, packHours({ schedule, firstIn: false, graceMinutes: 0 }));
    assert.deepEqual(door.apply(of(2)), ["unknown-schedule"]);
    assert.deepEqual(door.apply({ op: "drop-schedule", id: 1 }), ["schedule-in-use"]);
    assert.deepEqual(door.apply(of(0), { op: "drop-schedule", id: 1 }), ["applied", "applied"]);
  });

  it("take a schedule that is changed while it holds", () => {
    at(9, 5);
    door.type("808182");
    at(9, 6);
    door.apply({ op: "put-schedule", id: 1, windows: [{ days: 0x3e, start: 540, duration: 120 }] });
    at(10, 59);
    assert.ok(door.board.bolt.drawn);
    at(11, 0, 10);
    assert.ok(!door.board.bolt.drawn);
  });

  it("do not happen on a holiday", () => {
    const first = dayOf(MONDAY);
    door.apply(set(Setting.holiday, packHoliday({ first, days: 1, roles: 1 << Role.guest, mode: NO_MODE })));
    at(9, 5);
    assert.equal(door.type("808182"), "granted");
    at(9, 6);
    assert.ok(!door.board.bolt.drawn);
  });
});

describe("X1 X2 X3 the lockout at the door", () => {
  let door: Door;

  beforeEach(() => {
    door = new Door();
    door.apply(door.pin(0, "111222"), door.pin(1, "333444"), door.card(2, new Uint8Array([1, 2, 3, 4])));
    door.apply({ op: "disable", slot: 1, generation: 2 });
  });

  const wrong = (times: number): void => {
    for (let i = 0; i < times; i++) assert.equal(door.type("987654"), "unknown");
  };

  it("looks at nothing for a minute after five wrong entries, then 5, 15 and 60 minutes after each one more", () => {
    wrong(5);
    for (const minutes of [1, 5, 15, 60, 60]) {
      door.now += minutes * 60 - 1;
      assert.equal(door.type("987654"), "locked-out", `${minutes} min, a second before`);
      assert.equal(door.type("111222"), "locked-out");
      door.now += 1;
      wrong(1);
    }
  });

  it("is not shortened by a power cut, before or after anything is shown", () => {
    wrong(5);
    door.now += 59;
    door.reboot();
    assert.equal(door.type("111222"), "locked-out");
    door.now += 59;
    assert.equal(door.type("111222"), "locked-out");
    door.now += 1;
    assert.equal(door.type("111222"), "granted");
  });

  it("leaves cards alone", () => {
    wrong(5);
    assert.equal(door.type("111222"), "locked-out");
    assert.equal(door.lock.presentCard(new Uint8Array([1, 2, 3, 4])), 0);
  });

  it("counts unknown codes, and neither disabled ones nor what is no PIN", () => {
    for (let i = 0; i < 12; i++)
      assert.deepEqual([door.type("333444"), door.type("12")], ["disabled", "bad-entry"]);
    wrong(5);
    assert.equal(door.type("111222"), "locked-out");
  });

  it("is as strict as the policy says", () => {
    door.apply(set(Setting.lockout, packLockout({ tries: 2, leastMinutes: 30 })));
    wrong(2);
    door.now += 30 * 60 - 1;
    assert.equal(door.type("111222"), "locked-out");
    door.now += 1;
    assert.equal(door.type("111222"), "granted");
  });

  it("shows one refusal of a wait in the log, and how many came after it (rule L7)", () => {
    wrong(5);
    const from = door.lock.parts.events.next;
    for (let i = 0; i < 100; i++) door.type("987654");
    door.now += 60;
    door.type("111222");
    assert.deepEqual(door.events(from), ["refused locked-out", "suppressed", "granted"]);
  });
});
