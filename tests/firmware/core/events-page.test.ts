// Pages of the event log: what an owner's issuer gets is what the lock has hashed, all of it, in order, and nobody else's.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EventKind } from "../../../firmware/core/storage/events";
import { signClaim } from "../../../protocol/issuer/encode";
import { MAX_PAGE_EVENTS } from "../../../protocol/wire/limits";
import { fetchBody, Type } from "../../../protocol/wire/messages";
import { Door, L500I } from "../../support/door";

const seqOf = (entry: Uint8Array): number => Buffer.from(entry).readUInt32BE(4);

function after(head: Uint8Array, entries: readonly Uint8Array[]): Uint8Array {
  let value = head;
  for (const entry of entries)
    value = createHash("sha256").update(value).update(entry).digest().subarray(0, 16);
  return Uint8Array.from(value);
}

/** Lets so many events happen, with the housekeeping that makes room for them. */
function happen(door: Door, events: number): void {
  const { events: log } = door.lock.parts;
  for (let i = 0; i < events; i++) {
    while (!log.hasRoom) log.maintain();
    const event = { seq: 0, kind: EventKind.refused, reason: 3, method: 1, trust: 2, mode: 0, time: i + 1 };
    assert.ok(log.append({ ...event, boot: 0, user: i, generation: 0, credential: 0, detail: 0 }));
    log.maintain();
  }
}

/** Takes all pages from `first` on, checks that each goes on from the one before, and returns the numbers of all events. */
function takeAll(door: Door, first = 1): { seqs: number[]; head: Uint8Array } {
  const seqs: number[] = [];
  let head: Uint8Array | undefined;
  for (let from = first; ; ) {
    const page = door.page(from);
    if (page.entries.length === 0) {
      assert.equal(page.first, door.lock.parts.events.next);
      assert.deepEqual(page.head, head ?? page.head);
      return { seqs, head: page.head };
    }
    assert.equal(seqOf(page.entries[0]), page.first);
    assert.ok(page.entries.length <= MAX_PAGE_EVENTS);
    assert.deepEqual(page.entries.map(seqOf), fromTo(page.first, page.first + page.entries.length - 1));
    if (head !== undefined) assert.deepEqual(page.head, head, `page from ${from}`);
    head = after(page.head, page.entries);
    for (const entry of page.entries) seqs.push(seqOf(entry));
    from = page.first + page.entries.length;
  }
}

const fromTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("L3 pages of events", () => {
  it("hold 48 at most, and lead from the first event of a claim to the signed head", () => {
    const door = new Door();
    happen(door, 300);
    const { firstEvent } = door.lock.authority;
    const { seqs, head } = takeAll(door);
    const receipt = door.receipt();
    assert.deepEqual(seqs, fromTo(firstEvent, receipt.nextEvent - 1));
    assert.deepEqual(head, receipt.eventHead);
    assert.equal(door.page(1).entries.length, MAX_PAGE_EVENTS);
  });

  it("begin at any event that is asked for, and are the same after a boot", () => {
    const door = new Door();
    happen(door, 200);
    for (const from of [2, 9, 95, 96, 97, 128, 129, 199]) {
      const page = door.page(from);
      assert.equal(page.first, Math.max(from, door.lock.authority.firstEvent));
    }
    const before = takeAll(door);
    door.reboot();
    assert.deepEqual(takeAll(door), before);
  });

  it("are empty behind the last event, and begin with the next one then", () => {
    const door = new Door();
    const { next } = door.lock.parts.events;
    assert.deepEqual(door.page(next - 1).entries.length, 1);
    for (const from of [next, next + 1, 0xffffffff]) {
      const page = door.page(from);
      assert.deepEqual([page.first, page.entries.length], [next, 0]);
    }
  });

  it("go on with what is left when the ring has written over the oldest, and every run is proven", () => {
    const door = new Door({ profile: L500I });
    happen(door, 1500);
    const { seqs, head } = takeAll(door);
    const { nextEvent, eventHead } = door.receipt();
    assert.deepEqual(head, eventHead);
    assert.equal(seqs[seqs.length - 1], nextEvent - 1);
    assert.deepEqual(seqs, fromTo(seqs[0], nextEvent - 1));
    assert.ok(seqs.length >= 500, `${seqs.length}`);
  });

  it("leave out a run of which a part is lost, and go on behind it", () => {
    const door = new Door({ profile: L500I });
    happen(door, 400);
    // The second sector cannot be read any more.
    door.board.events.bytes.fill(0, 4096, 8192);
    const { seqs, head } = takeAllLoose(door);
    assert.deepEqual(head, door.receipt().eventHead);
    assert.ok(seqs.length > 150, `${seqs.length}`);
    assert.ok(
      seqs.includes(127) && !seqs.includes(200),
      "what stood before the lost sector, and nothing of it",
    );
  });

  it("are for nobody without an owner, and want a number above 0", () => {
    const door = new Door({ unclaimed: true });
    door.hello();
    assert.equal(door.send(Type.fetch, fetchBody(1)).result, "unclaimed");
    assert.equal(door.send(Type.fetch, fetchBody(0)).result, "malformed");
  });
});

/** As {@link takeAll}, where the pages before a gap in the numbers prove nothing of those behind it. */
function takeAllLoose(door: Door): { seqs: number[]; head: Uint8Array } {
  const seqs: number[] = [];
  for (let from = 1; ; ) {
    const page = door.page(from);
    for (const entry of page.entries) seqs.push(seqOf(entry));
    if (page.entries.length === 0) return { seqs, head: page.head };
    from = page.first + page.entries.length;
  }
}

describe("L9 the bytes of a page", () => {
  it("are those that the chain has hashed, also where an entry has mended a bit", () => {
    const door = new Door();
    happen(door, 20);
    const whole = door.page(5);
    const at = 32 * 12;
    door.board.events.bytes[at + 8] ^= 4;
    assert.deepEqual(door.page(5), whole);
    door.reboot();
    assert.deepEqual(door.page(5), whole);
  });
});

describe("L10 who reads a page", () => {
  it("is the owner of this claim, and neither the one before nor the one behind", () => {
    const door = new Door();
    happen(door, 10);
    assert.throws(() => door.page(1, 2), /does not open/);
    const { authority, parts } = door.lock;
    assert.ok(authority.release() && authority.end());
    const { next } = parts.events;
    const ticket = { lock: door.identity.lock, number: 2, owner: door.owner.publicKey, site: "test" };
    door.expectDone(door.send(Type.claim, signClaim(door.crypto, door.maker, ticket)));
    assert.throws(() => door.page(1, 1), /does not open/);
    assert.equal(door.page(1, 2).first, next);
    door.reboot();
    assert.equal(door.page(1, 2).first, next);
  });

  it("gets other bytes each time, since each is sealed with a nonce of its own", () => {
    const door = new Door();
    door.hello();
    const [one, other] = [1, 2].map(() => door.send(Type.fetch, fetchBody(1)).page);
    assert.notDeepEqual(one, other);
  });
});
