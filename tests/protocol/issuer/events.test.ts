// Events on their way from the lock's own core to the issuer: each once, in order, held against what signed receipts tell.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { bagMailbox, packBag, unpackBag } from "../../../protocol/courier/bag";
import { carry } from "../../../protocol/courier/courier";
import { pageAad, sealWith } from "../../../protocol/crypto/seal";
import { EventBook, type Page, readEvent } from "../../../protocol/issuer/events";
import { emptyBag, fillBag } from "../../../protocol/issuer/mailbox";
import { putU16, putU32 } from "../../../protocol/wire/bytes";
import { EventKind } from "../../../protocol/wire/event";
import { frame, pageBody, Type } from "../../../protocol/wire/messages";
import type { Receipt } from "../../../protocol/wire/receipt";
import { node } from "../../../simulator/board/crypto";
import { World } from "./world";

const ANNA = "anna,,resident,all,471108,,,,,,";

/** What the lock itself says of its events from the claim on: their numbers, oldest first. */
function atLock(world: World): number[] {
  const seqs: number[] = [];
  world.door.lock.parts.events.read(({ seq }) => seqs.push(seq));
  return seqs;
}

const atHome = (world: World): number[] => world.issuer.events(world.id).events.map(({ event }) => event.seq);

describe("L3 events come home exactly once", () => {
  it("in order, whatever happened between two sessions, and again from the journal", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    for (let i = 0; i < 70; i++) world.door.lock.presentCard(new Uint8Array(4).fill(i));
    await world.sync();
    const home = atHome(world);
    assert.deepEqual(
      home,
      Array.from(home, (_, i) => home[0] + i),
    );
    assert.deepEqual(home, atLock(world).slice(-home.length));
    assert.ok(home.length >= 75);
    await world.reopen();
    assert.deepEqual(atHome(world), home);
    assert.deepEqual(world.issuer.events(world.id).gaps, []);
    assert.deepEqual(world.report().alarms, []);
  });

  it("over links that die at every message (rule K3)", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    for (let cut = 1; cut <= 9; cut++) {
      world.door.lock.presentCard(new Uint8Array(4).fill(cut));
      await world.carry(world.mailbox(), cut);
    }
    await world.sync();
    const home = atHome(world);
    assert.deepEqual(
      home,
      Array.from(home, (_, i) => home[0] + i),
    );
    const seen = new Set(world.pages);
    for (const page of seen) assert.equal((await world.issuer.takePage(world.id, page)).refused, undefined);
    assert.deepEqual(atHome(world), home);
  });

  it("tells the lock with the next sign of life which have come", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    const next = world.issuer.nextEvent(world.id);
    assert.deepEqual(world.types.slice(-4, -1), ["heartbeat", "fetch", "fetch"]);
    await world.sync();
    assert.ok(world.issuer.nextEvent(world.id) > next);
    assert.deepEqual(world.report().alarms, []);
  });

  it("in the bag of a courier who cannot read them", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    for (let i = 0; i < 60; i++) world.door.lock.presentCard(new Uint8Array(4).fill(i));
    const delivery = { issuer: world.issuer, lock: world.id, now: () => world.door.now, firstRequest: 1 };
    const bag = unpackBag(packBag(await fillBag(delivery)));
    assert.ok(bag);
    world.door.now += 5;
    const carried = await carry(
      world.link(),
      bagMailbox(bag, async () => undefined),
    );
    assert.deepEqual([carried.outcome, carried.heartbeatRefused], ["done", undefined]);
    const before = atHome(world).length;
    const home = unpackBag(packBag(bag));
    assert.ok(home && home.pages.length >= 2);
    await emptyBag(delivery, home);
    await emptyBag(delivery, home);
    assert.equal(atHome(world).length, before + 60);
  });
});

describe("L10 pages are the owner's alone", () => {
  it("takes no page of another claim, and none that was changed", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    const [page] = world.pages;
    const changed = page.slice();
    changed[changed.length - 1] ^= 1;
    assert.deepEqual(await world.issuer.takePage(world.id, changed), { refused: "not-sealed-for-us" });
    assert.deepEqual(await world.issuer.takePage(world.id, page.slice(0, 20)), { refused: "malformed" });
    await world.bind(2);
    assert.deepEqual(await world.issuer.takePage(world.id, page), { refused: "not-sealed-for-us" });
  });
});

// ---- the book of events by itself: entries as they stand on a page, made here

interface Made {
  readonly kind?: number;
  readonly trust?: number;
  readonly time?: number;
  readonly boot?: number;
  readonly user?: number;
}

function entryOf(
  seq: number,
  { kind = EventKind.refused, trust = 2, time = 1, boot = 1, user = 0 }: Made = {},
) {
  const bytes = new Uint8Array(32);
  bytes[0] = kind;
  bytes[2] = trust;
  putU32(bytes, 4, seq);
  putU32(bytes, 8, time);
  putU16(bytes, 12, boot);
  putU32(bytes, 17, user);
  return bytes;
}

const head = (before: Uint8Array, entry: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(before).update(entry).digest().subarray(0, 16));

/** A log of events with the head before each, from seq 1 on. */
class Chain {
  readonly entries: Uint8Array[] = [];
  readonly heads: Uint8Array[] = [new Uint8Array(16)];

  add(made: Made = {}): this {
    this.entries.push(entryOf(this.entries.length + 1, made));
    this.heads.push(head(this.heads[this.heads.length - 1], this.entries[this.entries.length - 1]));
    return this;
  }

  page(first: number, end: number): Page {
    return { first, before: this.heads[first - 1], entries: this.entries.slice(first - 1, end - 1) };
  }

  receipt(next: number): Receipt {
    return { nextEvent: next, eventHead: this.heads[next - 1] } as Receipt;
  }
}

function chain(count: number): Chain {
  const made = new Chain();
  for (let i = 0; i < count; i++) made.add({ time: 1000 + i });
  return made;
}

const seqs = (book: EventBook): number[] => book.kept.map(({ event }) => event.seq);

describe("L9 what was removed or edited shows", () => {
  it("takes overlapping pages and pages twice, each event once", () => {
    const log = chain(9);
    const book = new EventBook(node);
    for (const [first, end] of [
      [1, 4],
      [2, 6],
      [1, 4],
      [6, 6],
      [4, 10],
      [9, 10],
    ])
      assert.equal(book.take(log.page(first, end)), undefined);
    assert.deepEqual(seqs(book), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual([book.next, book.gaps], [10, []]);
    assert.equal(book.told(log.receipt(10)), undefined);
    assert.equal(book.told(log.receipt(3)), undefined);
  });

  it("an edited entry, against the head of a receipt that came before or comes after", () => {
    const log = chain(6);
    const edited = chain(6);
    edited.entries[2][17] ^= 1;
    for (let i = 2; i < 6; i++) edited.heads[i + 1] = head(edited.heads[i], edited.entries[i]);
    const before = new EventBook(node);
    before.told(log.receipt(6));
    assert.equal(before.take(edited.page(1, 7))?.seq, 6);
    const after = new EventBook(node);
    assert.equal(after.take(edited.page(1, 7)), undefined);
    assert.equal(after.told(log.receipt(6))?.seq, 6);
    const known = new EventBook(node);
    known.take(log.page(1, 7));
    assert.equal(known.take(edited.page(2, 7))?.seq, 4);
    assert.deepEqual(
      known.kept.map(({ entry }) => entry),
      log.entries,
    );
  });

  it("a page that does not go on from the last one", () => {
    const log = chain(6);
    const book = new EventBook(node);
    book.take(log.page(1, 4));
    const other = { ...log.page(4, 7), before: new Uint8Array(16).fill(9) };
    assert.equal(book.take(other)?.seq, 4);
  });

  it("a gap, and a chain that begins anew behind one, as gaps", () => {
    const log = chain(12);
    const book = new EventBook(node);
    book.take(log.page(1, 4));
    assert.equal(book.take(log.page(6, 8)), undefined);
    assert.deepEqual(book.gaps, [{ first: 4, end: 6 }]);
    const restarted = { ...log.page(10, 12), before: new Uint8Array(16) };
    assert.equal(book.take(restarted), undefined);
    assert.deepEqual(book.gaps.slice(1), [{ first: 8, end: 10 }]);
    assert.deepEqual(seqs(book), [1, 2, 3, 6, 7, 10, 11]);
  });

  it("what was lost before the first page, where a receipt had told of it", () => {
    const log = chain(9);
    const told = new EventBook(node);
    told.told(log.receipt(3));
    told.take(log.page(6, 8));
    assert.deepEqual(told.gaps, [{ first: 3, end: 6 }]);
    const untold = new EventBook(node);
    untold.take(log.page(6, 8));
    assert.deepEqual(untold.gaps, []);
  });

  it("is an alarm at the issuer that stands, also after a restart, and is told once", async () => {
    const world = await World.make(ANNA);
    await world.sync();
    const [first] = world.issuer.events(world.id).events;
    const entry = entryOf(first.event.seq, { kind: EventKind.granted });
    const plain = new Uint8Array(20 + 32);
    putU32(plain, 0, first.event.seq);
    plain.set(entry, 20);
    const { lock, keys } = world.issuer.directory.door("main").lock ?? {};
    assert.ok(lock && keys);
    const sealed = sealWith(node, keys.eventKey, new Uint8Array(24).fill(3), pageAad(lock), plain);
    const message = frame(Type.page, 1, pageBody(sealed));
    const taken = await world.issuer.takePage(world.id, message);
    assert.ok(taken.refused === undefined);
    assert.deepEqual([taken.events, taken.alarms.map(({ kind }) => kind)], [0, ["events-changed"]]);
    const { length } = world.store.records;
    await world.issuer.takePage(world.id, message);
    assert.equal(world.store.records.length, length);
    await world.reopen();
    assert.deepEqual(
      world.report().alarms.map(({ kind }) => kind),
      ["events-changed"],
    );
  });
});

describe("L11 events of an unknown time", () => {
  it("are dated by the setting of the clock in the same boot, marked so, and never rewritten", () => {
    const log = new Chain()
      .add({ kind: EventKind.boot, trust: 0, time: 0 })
      .add({ trust: 0, time: 40 })
      .add({ kind: EventKind.clockSet, trust: 2, time: 1_800_000_100, user: 100 })
      .add({ trust: 2, time: 1_800_000_150 })
      .add({ trust: 0, time: 900 })
      .add({ kind: EventKind.boot, trust: 0, time: 0, boot: 2 })
      .add({ trust: 0, time: 7, boot: 2 });
    const book = new EventBook(node);
    book.take(log.page(1, 8));
    assert.deepEqual(
      book.dated().map(({ date, isRedated }) => [date, isRedated]),
      [
        [1_800_000_000, true],
        [1_800_000_040, true],
        [1_800_000_100, false],
        [1_800_000_150, false],
        [1_800_000_900, true],
        [0, false],
        [0, false],
      ],
    );
    assert.equal(readEvent(log.entries[1]).time, 40);
    assert.equal(book.dated()[1].event.time, 40);
  });

  it("stay undated where the setting does not tell the uptime", () => {
    const log = new Chain()
      .add({ trust: 0, time: 40 })
      .add({ kind: EventKind.clockSet, trust: 2, time: 1_800_000_100 });
    const book = new EventBook(node);
    book.take(log.page(1, 3));
    assert.deepEqual(book.dated()[0], { event: book.kept[0].event, date: 0, isRedated: false });
  });
});
