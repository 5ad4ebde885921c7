// A rebase as messages bring it to a lock: the owner's order and its parts. The table after it is judged by what people can open with, and
// by a digest that is summed up here from the items that were sent.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { State } from "../../../firmware/core/storage/places";
import type { Delta } from "../../../protocol/issuer/encode";
import { signRebase } from "../../../protocol/issuer/encode";
import { partPrint, partsOf } from "../../../protocol/issuer/rebase";
import { Table } from "../../../protocol/issuer/table";
import { decode, encode } from "../../../protocol/wire/cborx";
import { genesisHead } from "../../../protocol/wire/chain";
import { type Entry, emptyEntry, Flag, Kind, Role } from "../../../protocol/wire/entry";
import { MAX_PARTS } from "../../../protocol/wire/limits";
import { partBody, Type } from "../../../protocol/wire/messages";
import {
  MAX_OFFLINE_DENIED,
  offlineNumber,
  packHours,
  packOfflineDenied,
  Setting,
} from "../../../protocol/wire/settings";
import type { FlashImage } from "../../../simulator/board/board";
import { FaultyNor } from "../../../simulator/board/faulty-nor";
import { type FlashOperation, tornOf } from "../../../simulator/board/power";
import { tear } from "../../../simulator/board/tear";
import { type Answer, Door, L500I, LOCK_1000, MONDAY } from "../../support/door";
import { bootFrom, bootWith } from "../../support/door-faults";

const OLD_PIN = "471108";
const BASE = 5000;

const pinOf = (slot: number): string => String(20_000_000 + 7919 * slot);

/** A slot as an issuer's mirror holds it. */
function slotOf(door: Door, slot: number, more: Partial<Entry> = {}): Entry {
  const { tag } = door.pin(slot, pinOf(slot));
  const usual = { ...emptyEntry(), kind: Kind.pin, role: Role.resident, digits: 8, user: 1 + slot };
  return { ...usual, slot, generation: 1 + slot, tag, ...more };
}

/** The mirror of a table with so many slots and schedules, a zone and business hours. */
function tableOf(door: Door, slots: number, schedules: number): Table {
  const table = new Table();
  for (let slot = 0; slot < slots; slot++) table.slots.set(slot, slotOf(door, slot));
  for (let id = 1; id <= schedules; id++) {
    const windows = Array.from({ length: 8 }, (_, n) => (0x7f << 22) | ((60 * n) << 11) | (id % 59));
    table.schedules.set(id, windows);
  }
  table.settings.set(Setting.zone, Buffer.from("CET-1CEST,M3.5.0,M10.5.0/3"));
  table.settings.set(Setting.relockSeconds, Uint8Array.of(0, 9));
  return table;
}

/** An order and its parts, as messages. */
interface Rebase {
  readonly order: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

function rebaseOf(door: Door, parts: readonly Uint8Array[], head: object = {}, signer = door.owner): Rebase {
  const usual = { lock: door.identity.lock, epoch: 2, issuedAt: MONDAY, base: BASE };
  const prints = parts.map((part) => partPrint(door.crypto, part));
  return { order: signRebase(door.crypto, signer, { ...usual, ...head }, prints), parts };
}

/** The result's name with its detail, "receipt" for a receipt. */
const textOf = ({ receipt, result, detail = 0 }: Answer): string =>
  receipt === undefined ? result + (detail > 0 ? ` ${detail}` : "") : "receipt";

const sendOrder = (door: Door, { order }: Rebase): string => textOf(door.send(Type.rebase, order));
const sendPart = (door: Door, { parts }: Rebase, number: number): string =>
  textOf(door.send(Type.part, partBody(number, parts[number - 1])));

/** Sends order and parts from the one that is wanted on; the last answer. */
function run(door: Door, rebase: Rebase): string {
  if (!door.session.greeted) door.hello();
  let answer = sendOrder(door, rebase);
  for (let sent = 0; sent < 100; sent++) {
    const wanted = /^applied (\d+)$/.exec(answer);
    if (wanted === null) return answer;
    answer = sendPart(door, rebase, Number(wanted[1]));
  }
  throw new Error("no end");
}

/** The digest of all items in parts, summed up by another program than the lock's. */
function digestOf(parts: readonly Uint8Array[]): string {
  let sum = 0n;
  for (const part of parts)
    for (const item of decode(part) as Uint8Array[])
      sum += BigInt(`0x${createHash("sha256").update(item).digest("hex")}`);
  return (sum % 2n ** 256n).toString(16).padStart(64, "0");
}

const digestAt = (door: Door): string => Buffer.from(door.receipt().digest).toString("hex");

/** The issuer goes on at the base of a new epoch. */
function follow(door: Door, epoch = 2, base = BASE): void {
  door.epoch = epoch;
  door.seq = base;
  door.head = genesisHead(door.crypto, door.identity.lock, epoch);
}

/** A small lock with a PIN of its old table, and a rebase for it of nine slots and ten schedules in some parts. */
function smallCase(): { door: Door; rebase: Rebase; old: string } {
  const door = new Door({ profile: L500I });
  assert.deepEqual(door.apply(door.pin(1, OLD_PIN), { op: "set", setting: 3, value: Uint8Array.of(0, 7) }), [
    "applied",
    "applied",
  ]);
  const items = partsOf(tableOf(door, 9, 10)).flatMap((part) => decode(part) as Uint8Array[]);
  const parts = [0, 5, 10, 15, 18].map((from, i, all) => encode(items.slice(from, all[i + 1])));
  return { door, rebase: rebaseOf(door, parts), old: digestAt(door) };
}

/** Whether the old table decides, or the new one; anything between fails. */
function whichTable(door: Door, old: string, rebase: Rebase, where: string): "old" | "new" {
  const digest = digestAt(door);
  const { epoch, applied, damaged } = door.receipt();
  const isNew = epoch === 2;
  assert.equal(digest, isNew ? digestOf(rebase.parts) : old, where);
  assert.deepEqual([applied, damaged], [isNew ? BASE : 2, 0], where);
  assert.equal(door.type(OLD_PIN), isNew ? "unknown" : "granted", where);
  assert.equal(door.type(pinOf(3)), isNew ? "granted" : "unknown", where);
  return isNew ? "new" : "old";
}

describe("S9 a rebase of a whole building", () => {
  const door = new Door({ profile: LOCK_1000 });
  const weekly: Delta = { op: "put-schedule", id: 9, windows: [{ days: 127, start: 0, duration: 1440 }] };
  door.apply(weekly, door.pin(1, OLD_PIN), door.pin(2, "90210887", { schedule: 9 }));
  const table = tableOf(door, 1000, 255);
  const parts = partsOf(table);
  const rebase = rebaseOf(door, parts);

  it("brings a thousand users and all schedules in parts that fit messages, within what flash takes", () => {
    assert.ok(parts.length <= MAX_PARTS);
    const before = { ...door.board.credentials.counters };
    assert.equal(run(door, rebase), "receipt");
    const { programs, programmedBytes, erases } = door.board.credentials.counters;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const cost = {
      parts: parts.length,
      bytes,
      programs: programs - before.programs,
      programmed: programmedBytes - before.programmedBytes,
      erases: erases - before.erases,
    };
    if (process.env.SHOW !== undefined) console.log(cost);
    assert.ok(cost.programs < 1450 && cost.programmed < 72_000 && cost.erases <= 20, JSON.stringify(cost));
  });

  it("K6 the digest afterwards is the sum of what was sent, also after a boot", () => {
    assert.equal(digestAt(door), digestOf(parts));
    door.reboot();
    assert.equal(digestAt(door), digestOf(parts));
    const { epoch, applied, slots, damaged, schedules, codes, first } = door.receipt();
    assert.deepEqual([epoch, applied, slots, damaged, schedules], [2, BASE, 1000, 0, 255]);
    assert.deepEqual([codes.length, first], [0, BASE + 1]);
  });

  it("X1 the new table decides, and nobody of the old one opens", () => {
    assert.equal(door.type(pinOf(999)), "granted");
    assert.equal(door.type(OLD_PIN), "unknown");
    assert.ok(door.events().includes("rebased"));
  });

  it("S2 bundles go on from the base in the new epoch, and those of the old one are stale", () => {
    const late = door.bundle([door.pin(7, "11223344")]);
    door.hello();
    assert.equal(textOf(door.send(Type.bundle, late)), "stale-epoch");
    follow(door);
    const { tag, generation } = table.slots.get(5) as Entry;
    assert.deepEqual(door.apply({ op: "drop", slot: 5, generation }), ["applied"]);
    assert.deepEqual(door.apply({ ...door.pin(5, pinOf(5)), tag }), ["applied"]);
    const { acks } = door.lock.parts.table;
    assert.deepEqual([acks.first, acks.last], [BASE + 1, BASE + 2]);
    assert.equal(digestAt(door).length, 64);
    door.reboot();
    assert.equal(door.receipt().applied, BASE + 2);
  });

  it("S11 the order comes again: already applied, and after another rebase it is stale", () => {
    door.hello();
    assert.equal(sendOrder(door, rebase), "already-applied");
    assert.equal(sendPart(door, rebase, 1), "bad-state");
    const next = rebaseOf(door, [], { epoch: 7, base: 9000 });
    assert.equal(sendOrder(door, next), "receipt");
    assert.equal(sendOrder(door, rebase), "stale-epoch");
    assert.equal(sendOrder(door, next), "already-applied");
    assert.deepEqual([door.receipt().slots, digestAt(door)], [0, "0".repeat(64)]);
    follow(door, 7, 9000);
    assert.deepEqual(door.apply(door.pin(1, OLD_PIN)), ["applied"]);
  });
});

describe("S9 an order", () => {
  it("is refused for another lock, without an owner, of an epoch that was, and when somebody else signed it", () => {
    const { door, rebase, old } = smallCase();
    door.hello();
    const other = rebaseOf(door, rebase.parts, { lock: new Uint8Array(8) });
    assert.equal(sendOrder(door, other), "wrong-lock");
    for (const epoch of [1])
      assert.equal(sendOrder(door, rebaseOf(door, rebase.parts, { epoch })), "stale-epoch");
    assert.equal(sendOrder(door, rebaseOf(door, rebase.parts, {}, door.issuer)), "bad-signature");
    assert.equal(sendOrder(door, rebaseOf(door, rebase.parts, {}, door.maker)), "bad-signature");
    assert.equal(textOf(door.send(Type.rebase, rebase.order.slice(1))), "malformed");
    assert.equal(sendPart(door, rebase, 1), "bad-state");
    assert.equal(whichTable(door, old, rebase, "refused"), "old");
    const bare = new Door({ profile: L500I, unclaimed: true });
    bare.hello();
    assert.equal(sendOrder(bare, rebaseOf(bare, rebase.parts)), "unclaimed");
  });

  it("S11 that a later one has taken the place of is stale, also before that one is done, and after a boot", () => {
    const { door, rebase } = smallCase();
    const later = rebaseOf(door, rebase.parts, { epoch: 3 });
    door.hello();
    assert.equal(sendOrder(door, rebase), "applied 1");
    assert.equal(sendOrder(door, later), "applied 1");
    assert.equal(sendOrder(door, rebase), "stale-epoch");
    door.reboot();
    door.hello();
    assert.equal(sendOrder(door, rebase), "stale-epoch");
    assert.equal(run(door, later), "receipt");
  });

  it("S11 is refused by a lock that does not know any more which epoch it was in", () => {
    const { door, rebase } = smallCase();
    door.lock.parts.table.places.states[State.rebase] = 1;
    assert.equal(run(door, rebase), "storage-failed");
  });
});

describe("S4 parts of a rebase", () => {
  it("that are not in the order's list program nothing", () => {
    const { door, rebase } = smallCase();
    door.hello();
    assert.equal(sendOrder(door, rebase), "applied 1");
    const before = door.board.credentials.bytes.slice();
    const { programs } = door.board.credentials.counters;
    for (const bytes of [rebase.parts[1], rebase.parts[0].slice(1), new Uint8Array(0), new Uint8Array(2000)])
      assert.equal(textOf(door.send(Type.part, partBody(1, bytes))), "bad-signature");
    assert.equal(door.board.credentials.counters.programs, programs);
    assert.deepEqual(door.board.credentials.bytes, before);
    assert.equal(run(door, rebase), "receipt");
  });

  it("come in order: an earlier one is done already, a later one must wait, and the answer says which is wanted", () => {
    const { door, rebase } = smallCase();
    door.hello();
    assert.equal(sendOrder(door, rebase), "applied 1");
    assert.equal(sendPart(door, rebase, 2), "gap 1");
    assert.equal(sendPart(door, rebase, 1), "applied 2");
    assert.equal(sendPart(door, rebase, 1), "already-applied 2");
    assert.equal(sendPart(door, rebase, 4), "gap 2");
    assert.equal(sendOrder(door, rebase), "applied 2", "the order again");
    assert.equal(run(door, rebase), "receipt");
    assert.equal(sendPart(door, rebase, 4), "bad-state");
  });

  it("S5 go on after a break at any message, by a new session or by a boot, and nothing is written twice", () => {
    const straight = smallCase();
    const before = straight.door.board.credentials.counters.programs;
    run(straight.door, straight.rebase);
    const cost = straight.door.board.credentials.counters.programs - before;
    for (const isBoot of [false, true])
      for (let sent = 0; sent <= straight.rebase.parts.length; sent++) {
        const { door, rebase, old } = smallCase();
        const flash = door.board.credentials;
        const { programs } = flash.counters;
        door.hello();
        if (sent > 0) sendOrder(door, rebase);
        for (let number = 1; number < sent; number++) sendPart(door, rebase, number);
        const first = flash.counters.programs - programs;
        if (isBoot) door.reboot();
        else door.session = door.lock.open() ?? door.session;
        const second = door.board.credentials.counters.programs;
        assert.equal(whichTable(door, old, rebase, `after ${sent}`), "old");
        if (isBoot && sent > 0) assert.equal(sendPart(door, rebase, 1), "bad-state");
        assert.equal(run(door, rebase), "receipt");
        const all = first + door.board.credentials.counters.programs - second;
        assert.ok(
          all <= cost + 6,
          `after ${sent} ${isBoot ? "a boot" : "a break"}: ${all} programs, not ${cost}`,
        );
        assert.equal(whichTable(door, old, rebase, `after ${sent}`), "new");
      }
  });

  it("leave the old table to decide and to take bundles, which the swap then replaces", () => {
    const { door, rebase } = smallCase();
    door.hello();
    assert.equal(sendOrder(door, rebase), "applied 1");
    assert.equal(sendPart(door, rebase, 1), "applied 2");
    assert.deepEqual(door.apply(door.pin(8, "55667788")), ["applied"]);
    assert.equal(door.type(OLD_PIN), "granted");
    assert.equal(door.type("55667788"), "granted");
    assert.equal(run(door, rebase), "receipt");
    assert.equal(door.type("55667788"), "unknown");
    assert.equal(digestAt(door), digestOf(rebase.parts));
  });

  it("are refused when flash fails, and the same part goes on when it works again", () => {
    const { door, rebase, old } = smallCase();
    for (let failing = 0; failing <= rebase.parts.length; failing++) {
      const copy = new Door({ profile: L500I });
      bootFrom(copy, door.board.image());
      const flash = new FaultyNor(copy.board.credentials);
      bootWith(copy, { credentials: flash });
      copy.hello();
      for (let number = 0; number < failing; number++)
        if (number === 0) sendOrder(copy, rebase);
        else sendPart(copy, rebase, number);
      flash.fail({ kind: "program-error" });
      const send = (): string => (failing === 0 ? sendOrder(copy, rebase) : sendPart(copy, rebase, failing));
      assert.match(send(), /^(storage-failed|busy)$/);
      assert.match(send(), /^(storage-failed|busy)$/);
      flash.heal();
      for (let ticks = 0; ticks < 9; ticks++) copy.lock.tick();
      assert.equal(whichTable(copy, old, rebase, "failed"), "old");
      const goesOn = failing === rebase.parts.length ? "receipt" : `applied ${failing + 1}`;
      assert.equal(send(), goesOn);
      if (goesOn !== "receipt") assert.equal(run(copy, rebase), "receipt");
      assert.equal(whichTable(copy, old, rebase, "healed"), "new");
    }
  });
});

describe("S4 a rebase that the power cuts", () => {
  it("leaves the old table or the new one at any operation, and then ends", () => {
    const { door, rebase, old } = smallCase();
    for (let ticks = 0; ticks < 4; ticks++) door.lock.tick();
    const found: { image: FlashImage; operation: FlashOperation }[] = [];
    const onOperation = (operation: FlashOperation): void => {
      found.push({ image: door.board.image(), operation: { ...operation, bytes: operation.bytes?.slice() } });
    };
    bootWith(door, { credentials: new FaultyNor(door.board.credentials, { onOperation }) });
    assert.equal(run(door, rebase), "receipt");
    for (let ticks = 0; ticks < 4; ticks++) door.lock.tick();
    let states = 0;
    const seen = { old: 0, new: 0 };
    for (const { image, operation } of found)
      for (const torn of tornOf(operation.kind))
        for (const bytes of [17, operation.length]) {
          const where = `${operation.kind} at ${operation.offset}, ${bytes} bytes, ${torn}`;
          const cut = { operation: 0, bytes, torn, seed: states++ };
          const after = tear({ bytes: image.credentials, shaky: [] }, operation, cut);
          const again = new Door({ profile: L500I, unclaimed: true });
          bootFrom(again, image);
          bootWith(again, { credentials: FaultyNor.boot(after) });
          seen[whichTable(again, old, rebase, where)]++;
          if (states % 3 !== 0) continue;
          const answer = run(again, rebase);
          assert.ok(answer === "receipt" || answer === "already-applied", `${where}: ${answer}`);
          again.lock.tick();
          assert.equal(whichTable(again, old, rebase, where), "new");
        }
    assert.ok(seen.old > 100 && seen.new > 5, JSON.stringify(seen));
  }).timeout(240_000);
});

describe("S9 what is checked before the swap", () => {
  type Case = readonly [what: string, code: string, change: (table: Table, door: Door) => void];
  const slot = (more: Partial<Entry>) => (table: Table, door: Door) => {
    table.slots.set(4, slotOf(door, 4, more));
  };
  const set =
    (id: number, ...value: number[]) =>
    (table: Table) => {
      table.settings.set(id, Uint8Array.from(value));
    };
  const cases: readonly Case[] = [
    ["a slot past the profile's", "capacity", slot({ slot: 10 })],
    ["a slot twice", "bad-format", slot({ slot: 5 })],
    ["a generation of 0", "range", slot({ generation: 0 })],
    ["a generation above the base", "range", slot({ generation: BASE + 1 })],
    ["a schedule that is not there", "unknown-schedule", slot({ schedule: 11 })],
    ["a card without a reader", "unsupported", slot({ kind: Kind.card, digits: 0 })],
    ["a kind that there is not", "unsupported", slot({ kind: 0, digits: 0 })],
    ["a role that there is not", "unsupported", slot({ role: 7 })],
    ["a PIN without digits", "bad-format", slot({ digits: 0 })],
    ["nobody's credential", "bad-format", slot({ user: 0 })],
    ["a guest without an end", "bad-format", slot({ role: Role.guest, start: MONDAY })],
    ["an end before its start", "range", slot({ start: MONDAY + 9, end: MONDAY })],
    ["minutes past their limit", "range", slot({ minutesAfterFirstUse: 2881 })],
    ["capabilities of another version", "unsupported", slot({ capabilities: 0x80 })],
    [
      "the master in a slot",
      "duplicate",
      (table, door) => table.settings.set(Setting.master, Uint8Array.of(8, ...door.pin(4, pinOf(4)).tag)),
    ],
    [
      "a PIN too short for the limit that comes with it",
      "pin-too-short",
      (table, door) => {
        set(Setting.density, 0, 0, 3, 131)(table);
        slot({ digits: 5 })(table, door);
      },
    ],
    [
      "business hours of a schedule that is not there",
      "unknown-schedule",
      (table) =>
        table.settings.set(
          Setting.businessHours,
          packHours({ schedule: 11, firstIn: false, graceMinutes: 0 }),
        ),
    ],
    ["a setting of another version", "unsupported", set(200, 1)],
    ["a network on a lock without one", "unsupported", set(Setting.wifi, ...new Uint8Array(60))],
    ["a setting out of range", "range", set(Setting.relockSeconds, 99, 99)],
    ["denied codes that descend", "range", set(Setting.offlineDenied, 0, 81, 143, 0, 81, 142)],
    ["a zone that is none", "bad-format", set(Setting.zone, 1, 2, 3)],
    ["a name that does not open", "bad-format", set(Setting.alias, ...new Uint8Array(60))],
    ["a holiday past the profile's", "capacity", set(Setting.holiday + L500I.holidays, 0)],
    [
      "a schedule past the profile's",
      "capacity",
      (table) => table.schedules.set(L500I.schedules + 1, [(1 << 22) | 9]),
    ],
    ["a schedule of nothing", "bad-format", (table) => table.schedules.set(3, [])],
    ["a window that is none", "range", (table) => table.schedules.set(3, [0])],
    [
      "windows that overlap",
      "schedule-overlap",
      (table) => table.schedules.set(3, [(1 << 22) | 9, (1 << 22) | 5]),
    ],
  ];

  /** Nothing of the old table has changed, and a good rebase goes through. */
  function expectUntouched(door: Door, old: string, rebase: Rebase): void {
    assert.equal(sendPart(door, rebase, 1), "bad-state", "it is given up");
    assert.equal(door.lock.parts.table.rebase.staged, undefined);
    assert.equal(whichTable(door, old, rebase, "refused"), "old");
    door.reboot();
    assert.equal(whichTable(door, old, rebase, "refused, booted"), "old");
    assert.equal(run(door, rebase), "receipt");
    assert.equal(whichTable(door, old, rebase, "good"), "new");
  }

  for (const [what, code, change] of cases)
    it(`refuses ${what}: ${code}`, () => {
      const { door, rebase, old } = smallCase();
      const table = tableOf(door, 9, 10);
      change(table, door);
      const wrong = rebaseOf(door, partsOf(table));
      assert.equal(run(door, wrong), code);
      expectUntouched(door, old, rebase);
    });

  it("refuses items that are not in their order, not items, or cut short", () => {
    const { door } = smallCase();
    const items = partsOf(tableOf(door, 9, 10)).flatMap((part) => decode(part) as Uint8Array[]);
    const swapped = (a: number, b: number): Uint8Array[] => {
      const other = [...items];
      [other[a], other[b]] = [other[b], other[a]];
      return other;
    };
    const lists: Uint8Array[][] = [
      swapped(0, 1),
      swapped(2, 3),
      swapped(1, 2),
      swapped(12, 13),
      swapped(11, 12),
      [...items, items[items.length - 1]],
      [...items.slice(0, 1), ...items],
      [...items, Uint8Array.of(4, 1, 1)],
      [...items, new Uint8Array(0)],
      [...items.slice(0, -1), items[items.length - 1].subarray(0, 41)],
      [...items.slice(0, -1), Uint8Array.of(1, items[20][1] | 8, ...items[20].subarray(2))],
    ];
    const whole = encode(items);
    const parts = [...lists.map((list) => encode(list)), whole.slice(0, -1), Uint8Array.of(...whole, 0)];
    parts.push(Uint8Array.of(0xa0), new Uint8Array(0));
    for (const [n, part] of parts.entries()) {
      const each = smallCase();
      assert.equal(run(each.door, rebaseOf(each.door, [part])), "bad-format", `list ${n}`);
      expectUntouched(each.door, each.old, each.rebase);
    }
  });

  it("C18 lets a table stand whose limit was lowered after its codes were put", () => {
    const { door, rebase } = smallCase();
    assert.equal(run(door, rebase), "receipt");
    const table = tableOf(door, 9, 10);
    table.settings.set(Setting.density, Uint8Array.of(0, 0, 0, 1));
    assert.equal(run(door, rebaseOf(door, partsOf(table), { epoch: 3 })), "receipt");
    table.slots.set(9, slotOf(door, 9));
    assert.equal(run(door, rebaseOf(door, partsOf(table), { epoch: 4 })), "pin-too-short");
  });

  it("C20 keeps what a slot says of itself, disabled or not, and counts uses from the beginning", () => {
    const { door } = smallCase();
    const table = tableOf(door, 9, 10);
    table.slots.set(2, slotOf(door, 2, { flags: Flag.disabled }));
    table.slots.set(3, slotOf(door, 3, { uses: 1 }));
    const rebase = rebaseOf(door, partsOf(table));
    assert.equal(run(door, rebase), "receipt");
    assert.deepEqual(
      [door.type(pinOf(2)), door.type(pinOf(3)), door.type(pinOf(3))],
      ["disabled", "granted", "used-up"],
    );
    assert.equal(run(door, rebaseOf(door, partsOf(table), { epoch: 3 })), "receipt");
    assert.equal(door.type(pinOf(3)), "granted");
  });

  it("C24 keeps the codes of the keypad, and refuses a table that has one of them", () => {
    const { door, rebase, old } = smallCase();
    const { tag } = door.pin(0, pinOf(6));
    const maker = { slot: 0xffff, generation: 0, user: 0 };
    assert.ok(door.lock.parts.locals.add(door.pin(0, "31415926").tag, 8, maker) >= 0);
    const place = door.lock.parts.locals.add(tag, 8, maker);
    assert.equal(run(door, rebase), "duplicate");
    assert.equal(digestAt(door), old);
    assert.ok(door.lock.parts.locals.remove(place));
    assert.equal(run(door, rebase), "receipt");
    door.reboot();
    assert.equal(door.receipt().localCodes, 1);
  });
});

describe("S9 a full small lock", () => {
  it("takes whole tables again and again, and its housekeeping comes to rest after each", () => {
    const door = new Door({ profile: L500I });
    for (let epoch = 2; epoch < 12; epoch++) {
      const table = tableOf(door, L500I.slots, L500I.schedules);
      for (let n = 0; n < L500I.holidays; n++)
        table.settings.set(Setting.holiday + n, Uint8Array.of(81, n + epoch, 0, 2, 3, 255));
      const denied = Array.from({ length: MAX_OFFLINE_DENIED }, (_, i) => offlineNumber(2, i, epoch));
      table.settings.set(Setting.offlineDenied, packOfflineDenied(denied));
      const parts = partsOf(table);
      assert.equal(run(door, rebaseOf(door, parts, { epoch, base: BASE })), "receipt");
      for (let ticks = 0; ticks < 20; ticks++) door.lock.tick();
      const { erases } = door.board.credentials.counters;
      for (let ticks = 0; ticks < 20; ticks++) door.lock.tick();
      assert.equal(door.board.credentials.counters.erases, erases, "at rest");
      assert.equal(digestAt(door), digestOf(parts));
      if (epoch % 2 === 0) door.reboot();
      follow(door, epoch);
      assert.deepEqual(door.apply({ op: "drop", slot: 3, generation: 4 }), ["applied"]);
    }
  });
});
