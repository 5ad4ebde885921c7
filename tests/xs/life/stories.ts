// The lives that are lived on both engines: the whole one of a thousand-slot lock, which first meets every decision and every refusal it
// can, and is then filled and goes through all that thousand.ts tells; and one of the ten-slot lock whose small flash is compacted again
// and again, and which becomes another owner's.

import { L500I, LOCK_1000 } from "../../../firmware/core/profile";
import type { Delta } from "../../../protocol/issuer/encode";
import { ascii, putU32 } from "../../../protocol/wire/bytes";
import { Capability, Flag, Kind, Role } from "../../../protocol/wire/entry";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import { Type } from "../../../protocol/wire/messages";
import {
  Mode,
  NO_MODE,
  packHoliday,
  packLockout,
  packMaster,
  packNone,
  Setting,
} from "../../../protocol/wire/settings";
import type { Window } from "../../../protocol/wire/windows";
import { packWindow } from "../../../protocol/wire/windows";
import type { Lie, Teller } from "./teller";
import { exporting, losingPower, rebasing, filling as thousandSlots, using } from "./thousand";

/** 2027-03-01 10:00:00 UTC, a Monday. */
const START = 1_803_895_200;
const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEKDAYS = 0b0111110;
const SATURDAY = 0b1000000;
const OFFICE = { days: WEEKDAYS, start: 9 * 60, duration: 8 * 60 };
const NIGHT = { days: SATURDAY, start: 22 * 60, duration: 8 * 60 };

const uid = (slot: number): Uint8Array => Uint8Array.of(4, slot, 0xa5, 0x5a, slot ^ 0xff, 7, 1);
/** The bytes of a window in its record. */
const packed = ({ days, start, duration }: Window): Uint8Array => {
  const bytes = new Uint8Array(4);
  putU32(bytes, 0, packWindow(days, start, duration) ?? 0);
  return bytes;
};
const pinOf = (slot: number): string => String(10_000_000 + slot * 800_011);

/** An ordinary slot of a building: every fifth a card, every third on office hours, some for a while, some counted. */
function tenant(teller: Teller, slot: number): Delta {
  const more = {
    schedule: slot % 3 === 0 ? 1 : 0,
    start: slot % 4 === 0 ? START - DAY : 0,
    end: slot % 4 === 0 ? START + 30 * DAY : 0,
    uses: slot % 7 === 0 ? 3 : 0,
    capabilities: slot % 10,
  };
  return slot % 5 === 0 ? teller.keycard(slot, uid(slot), more) : teller.pin(slot, pinOf(slot), more);
}

/** An unclaimed lock, its claim and its keys, and what it refuses before and between. */
function beginning(teller: Teller): void {
  teller.at(START);
  teller.provision(LOCK_1000);
  teller.tick();
  teller.type("1234567");
  teller.send("bye before hello", Type.bye, Uint8Array.of(0xa0));
  teller.hello();
  teller.send("a later version", Type.hello, Uint8Array.of(0xa2, 0, 0x81, 2, 1, 0x18, 64));
  teller.send("bundle before claim", Type.bundle, teller.lie([{ op: "wipe" }], {}));
  teller.claim(teller.owner);
  teller.claim();
  teller.claim();
  teller.claim(teller.maker, 2);
  teller.keyset(teller.issuer);
  teller.send("bundle before keys", Type.bundle, teller.lie([{ op: "wipe" }], {}));
  teller.keyset();
  teller.apply(teller.pin(0, "4711471147", { start: START }));
  teller.time();
  teller.hello();
  teller.time();
  teller.time();
}

/** Settings, schedules and a hundred slots, with a delta of every kind that is refused. */
function filling(teller: Teller): void {
  const zone = ascii("CET-1CEST,M3.5.0,M10.5.0/3");
  teller.apply(
    { op: "set", setting: Setting.zone, value: zone },
    { op: "set", setting: Setting.zone, value: zone },
    { op: "set", setting: Setting.zone, value: ascii("nowhere") },
    { op: "set", setting: Setting.relockSeconds, value: Uint8Array.of(0, 7) },
    { op: "set", setting: Setting.relockSeconds, value: Uint8Array.of(0xff, 0xff) },
    { op: "set", setting: 99, value: Uint8Array.of(1) },
    { op: "put-schedule", id: 1, windows: [OFFICE] },
    { op: "put-schedule", id: 2, windows: [NIGHT, { ...NIGHT, days: 1 }] },
    { op: "put-schedule", id: 3, windows: [NIGHT, { ...NIGHT, start: 23 * 60 }] },
    { op: "drop-schedule", id: 9 },
  );
  const tenants: Delta[] = [];
  for (let slot = 1; slot <= 100; slot++) tenants.push(tenant(teller, slot));
  teller.apply(...tenants);
  teller.apply(
    tenants[1],
    teller.pin(500, pinOf(2)),
    teller.pin(2, "99999999", { generation: 1 }),
    teller.pin(1000, "12345678"),
    teller.pin(501, "1234"),
    teller.pin(502, "123"),
    teller.pin(503, "12345678", { schedule: 77 }),
    teller.pin(504, "12345678", { role: 9 }),
    teller.pin(505, "12345678", { start: 20, end: 10 }),
    { op: "drop-schedule", id: 1 },
    { op: "drop", slot: 900, generation: 1 },
    { op: "disable", slot: 3, generation: 1 },
  );
  const short: Delta[] = [];
  for (let slot = 600; slot < 610; slot++) short.push(teller.pin(slot, String(8000 + slot)));
  teller.apply(...short);
}

/** Slots for the decisions to come. */
function conditions(teller: Teller): void {
  teller.apply(
    teller.pin(200, "20000000", { start: START + HOUR }),
    teller.pin(201, "20100000", { start: START - HOUR, end: START + 2 * HOUR }),
    teller.pin(202, "20200000", { schedule: 2 }),
    teller.pin(203, "20300000", { uses: 1 }),
    teller.pin(204, "20400000"),
    teller.pin(205, "20500000", { role: Role.prospect }),
    teller.pin(206, "20600000", { minutesAfterFirstUse: 15 }),
    teller.pin(207, "20700000", { start: START - HOUR, firstUseHours: 2 }),
    teller.pin(208, "20800000", { role: Role.programmingOnly }),
    teller.pin(209, "20900000", { role: Role.admin, schedule: 2 }),
    teller.pin(210, "21000000"),
    teller.keycard(211, uid(211), { schedule: 1 }),
    teller.pin(212, "21200000", { start: START - HOUR, firstUseHours: 2 }),
  );
  teller.apply({ op: "disable", slot: 204, generation: teller.seq - 8 });
  teller.apply({ op: "change", slot: 209, generation: teller.seq - 4, role: Role.admin, start: START - DAY });
}

/** The master, two people for one door, duress, a holiday, and somebody who guesses until the lock looks at nothing any more. */
function strictness(teller: Teller): void {
  const today = Math.floor(teller.now / DAY);
  const closed = packHoliday({ first: today, days: 1, roles: 0x7e, mode: NO_MODE });
  const master = { digits: 8, tag: teller.tag(Kind.pin, ascii("90817263")) };
  const policy = { tries: 3, leastMinutes: 0 };
  teller.apply(
    { op: "set", setting: Setting.master, value: packMaster(master) },
    { op: "set", setting: Setting.lockout, value: packLockout(policy) },
    { op: "set", setting: Setting.businessHours, value: Uint8Array.of(77, 0, 0, 0) },
    teller.pin(220, "22000000", { flags: Flag.dual, uses: 2 }),
    teller.pin(221, "22100000", { flags: Flag.dual }),
    teller.pin(222, "22200000", { flags: Flag.duress }),
    teller.pin(223, "90817263"),
  );
  for (const pin of ["22000000", "22100000", "22000000", "22200000", "90817263"]) teller.type(pin);
  teller.apply({ op: "set", setting: Setting.holiday + 7, value: closed });
  for (const pin of ["22200000", "90817263", "20900000"]) teller.type(pin);
  teller.apply({ op: "set", setting: Setting.holiday + 7, value: packNone() });
  for (const pin of ["66666666", "66666667", "66666668", "22200000", "90817263"]) teller.type(pin);
  teller.card(uid(5));
  teller.wait(61);
  teller.type("22200000");
}

function everyone(teller: Teller): void {
  for (let slot = 200; slot <= 210; slot++) teller.type(slot + "00000");
  teller.card(uid(211));
  teller.card(uid(5));
  teller.wait(8);
}

/** People at the door over three days, among them the clock's leap of an hour that the zone does not make. */
function deciding(teller: Teller): void {
  everyone(teller);
  teller.type("77777777");
  teller.type("777");
  teller.type("12345678901");
  teller.type("2000000", 11);
  teller.card(Uint8Array.of(1));
  teller.type(pinOf(2));
  teller.wait(0.25);
  teller.wait(20 * 60);
  everyone(teller);
  teller.wait(2 * HOUR);
  everyone(teller);
  teller.type("21200000");
  teller.apply({ op: "set", setting: Setting.mode, value: Uint8Array.of(Mode.resident) });
  everyone(teller);
  teller.wait(5 * DAY + 12 * HOUR);
  everyone(teller);
  teller.damage(teller.tag(Kind.pin, ascii("21000000")));
  teller.type("21000000");
  teller.damage(packed(OFFICE));
  teller.card(uid(211));
  teller.apply({ op: "put-schedule", id: 1, windows: [OFFICE] });
  teller.card(uid(211));
  for (let slot = 200; slot <= 210; slot++)
    for (const now of [START, START + 3 * HOUR, START + 40 * DAY])
      teller.why(Kind.pin, ascii(slot + "00000"), now, slot - 200);
}

/** A family that falls with its head, single drops, and lapsed bundles. */
function revoking(teller: Teller): void {
  teller.apply(
    teller.pin(300, "30000000", { user: 5001 }),
    teller.pin(301, "30100000", { user: 5002, grantor: 5001 }),
    teller.keycard(302, uid(202), { user: 5003, grantor: 5002 }),
    teller.pin(303, "30300000", { user: 5004 }),
  );
  teller.type("30100000");
  teller.apply({ op: "revoke", user: 5001 }, { op: "revoke", user: 5001 }, { op: "revoke", user: 1001 });
  teller.type("30100000");
  teller.card(uid(202));
  teller.type("30300000");
  const late = [teller.pin(304, "30400000"), teller.keycard(305, uid(205))];
  teller.send("a lapsed bundle", Type.bundle, teller.bundle(late, teller.now - 9));
}

/** What no honest courier brings. */
function misuse(teller: Teller): void {
  const wipe: Delta[] = [{ op: "wipe" }];
  const first = teller.seq;
  const last = teller.bundle([{ op: "drop", slot: 303, generation: first - 5 }]);
  teller.send("the last bundle", Type.bundle, last);
  teller.send("the last bundle again", Type.bundle, last);
  teller.message("the last message again", teller.steps[teller.steps.length - 1].step.slice(1));
  const lies: [string, Lie][] = [
    ["a gap", { first: teller.seq + 2 }],
    ["a fork", { before: new Uint8Array(16) }],
    ["an unknown key", { key: teller.owner }],
    ["a key for other things", { key: teller.clockmaker }],
    ["another lock's", { lock: new Uint8Array(8) }],
    ["an old epoch", { epoch: 0 }],
    ["a later epoch", { epoch: 2 }],
  ];
  for (const [label, lie] of lies) teller.send(label, Type.bundle, teller.lie(wipe, lie));
  for (const at of [1, 20, 70, -1]) {
    const changed = teller.lie(wipe, {});
    changed[at < 0 ? changed.length + at : at] ^= 1;
    teller.send("a flipped bit at " + at, Type.bundle, changed);
  }
  teller.message("noise", Uint8Array.of(0x9f, 0xff, 0x00));
  teller.message("too much", new Uint8Array(MAX_MESSAGE_BYTES + 1));
  teller.send("no such type", 99, Uint8Array.of(0xa0));
}

/** Power goes and comes: the time is unknown until it is told again, and everything else is as before. */
function rebooting(teller: Teller): void {
  teller.powerCycle();
  teller.type("21000000");
  teller.tick();
  everyone(teller);
  teller.ask(1);
  teller.hello();
  const lapsing = teller.lie([{ op: "wipe" }], { notAfter: teller.now });
  teller.send("a lapse that nobody can tell", Type.bundle, lapsing);
  teller.ask(1);
  teller.wait(31);
  teller.time();
  teller.hello();
  teller.time();
  everyone(teller);
  teller.ask(teller.seq - 3);
  // Bad entries until a sector of events is full and nobody ticked: whoever must be logged has to wait.
  teller.powerCycle();
  // Entries that no tick came after count as wrong: hours pass until they are forgotten.
  teller.wait(12 * HOUR);
  for (let i = 0; i < 260; i++) teller.type("1");
  teller.type(pinOf(2));
  teller.tick();
  teller.type(pinOf(2));
  teller.hello();
  teller.apply(teller.handset(400, { capabilities: Capability.readLog }));
  teller.whyShut();
  teller.apply({ op: "change", slot: 400, generation: teller.seq, role: Role.resident });
  teller.whyShut();
  teller.apply({ op: "wipe" });
  teller.ask(1);
}

/** The whole life of a thousand-slot lock. */
export function longLife(teller: Teller): void {
  beginning(teller);
  filling(teller);
  conditions(teller);
  strictness(teller);
  deciding(teller);
  revoking(teller);
  misuse(teller);
  rebooting(teller);
  const first = teller.seq + 6;
  thousandSlots(teller);
  using(teller);
  exporting(teller);
  losingPower(teller, first);
  rebasing(teller);
  exporting(teller);
  teller.end();
}

/** A small lock, filled, changed and cut off so often that its four sectors go round several times. */
export function smallLife(teller: Teller): void {
  teller.at(START);
  teller.provision(L500I);
  teller.tick();
  teller.hello();
  teller.claim();
  teller.keyset();
  teller.time();
  teller.apply({ op: "put-schedule", id: 1, windows: [OFFICE] });
  const generations = new Array<number>(10).fill(0);
  for (let round = 0; round < 24; round++) {
    const puts: Delta[] = [];
    for (let slot = 0; slot < 11; slot++) {
      const more = { generation: generations[slot] ?? 0, schedule: (slot + round) % 3 === 0 ? 1 : 0 };
      puts.push(teller.pin(slot, String(30_000_000 + round * 1000 + slot), more));
      generations[slot] = teller.seq + puts.length;
    }
    for (let slot = 0; slot < 10; slot += 3)
      puts.push({ op: "disable", slot, generation: generations[slot] });
    teller.apply(...puts);
    teller.type(String(30_000_000 + round * 1000 + (round % 10)));
    for (let second = 0; second < 8; second++) teller.wait(1);
    if (round % 7 === 6) {
      teller.powerCycle();
      teller.tick();
      teller.hello();
      teller.time();
    }
  }
  teller.ask(1);
  teller.pressReset();
  teller.hello();
  teller.consent();
  teller.pressReset();
  teller.type("30000000");
  teller.nextClaim();
  teller.hello();
  teller.claim(teller.maker, 2);
  teller.keyset();
  teller.time();
  teller.apply(teller.pin(3, "30303030"));
  teller.type("30303030");
  teller.tick();
  teller.end();
}
