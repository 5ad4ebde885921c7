// The event log (rules L1, L2, L4, L9, L12): numbered, wrapped, chained, and never an erase too many.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "../../../../firmware/core/storage/crc";
import {
  EventKind,
  EventLog,
  emptyEvent,
  type LockEvent,
  Method,
} from "../../../../firmware/core/storage/events";
import { Kind } from "../../../../protocol/wire/entry";
import { Trust } from "../../../../protocol/wire/receipt";
import { node } from "../../../../simulator/board/crypto";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { Dice, SEED } from "../../../support/dice";
import { Door, L500I, LOCK_1000, MONDAY } from "../../../support/door";
import { hex } from "../../../support/look";

const LOCK = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2);
const ENTRY = 32;
const CHAIN = 16;

/** An event log on its own flash, with every entry that was ever programmed noted beside it. */
class Ring {
  flash: NorFlash;
  log: EventLog;
  readonly written: Uint8Array[] = [];
  erases = 0;

  constructor(bytes: number) {
    this.flash = new NorFlash(bytes);
    this.log = this.#make();
    this.log.format();
    this.reboot();
  }

  #make(): EventLog {
    const write = this.flash.write.bind(this.flash);
    this.flash.write = (buffer, offset) => {
      if (offset % SECTOR_BYTES !== 0) this.written.push(buffer.slice());
      write(buffer, offset);
    };
    return new EventLog(this.flash, node, LOCK);
  }

  reboot(): void {
    this.flash = new NorFlash(this.flash.bytes.length, this.flash.bytes);
    this.log = this.#make();
    this.log.mount();
  }

  append(more: Partial<LockEvent> = {}): boolean {
    const { erases } = this.flash.counters;
    const done = this.log.append({ ...emptyEvent(), kind: EventKind.refused, time: MONDAY, ...more });
    assert.equal(this.flash.counters.erases, erases, "an event never waits for an erase");
    return done;
  }

  maintain(): void {
    const { erases } = this.flash.counters;
    this.log.maintain();
    this.erases += this.flash.counters.erases - erases;
    assert.ok(this.flash.counters.erases - erases <= 1);
  }

  seqs(): number[] {
    const seqs: number[] = [];
    this.log.read(({ seq }) => seqs.push(seq));
    return seqs;
  }
}

/** Gives an entry the CRC that it should have. */
function seal(entry: Uint8Array): void {
  const view = new DataView(entry.buffer, entry.byteOffset);
  view.setInt32(ENTRY - 4, crc32(entry, 0, ENTRY - 4, crc32(LOCK, 0, LOCK.length, 0)));
}

/** The chain over entries, as the rule says: SHA-256(chain ‖ entry) cut to 16 bytes, from zeros. */
function chainOver(entries: readonly Uint8Array[], start = new Uint8Array(CHAIN)): string {
  let chain: Uint8Array = start;
  for (const entry of entries)
    chain = createHash("sha256").update(chain).update(entry).digest().subarray(0, CHAIN);
  return hex(chain);
}

/** What stands in a partition: headers with the chain that each begins with, and all entries, both by number. */
function contentOf(bytes: Uint8Array): {
  headers: { first: number; chain: string }[];
  entries: Uint8Array[];
} {
  const places = Array.from({ length: bytes.length / ENTRY }, (_, i) =>
    bytes.subarray(i * ENTRY, (i + 1) * ENTRY),
  );
  const u32 = (place: Uint8Array, at: number): number =>
    new DataView(place.buffer, place.byteOffset).getUint32(at);
  const isHeader = (_: Uint8Array, place: number): boolean => place % (SECTOR_BYTES / ENTRY) === 0;
  const written = (place: Uint8Array): boolean => place[0] !== 0xff;
  const headers = places
    .filter(isHeader)
    .filter(written)
    .sort((a, b) => u32(a, 4) - u32(b, 4))
    .map((header) => ({ first: u32(header, 8), chain: hex(header.subarray(12, 12 + CHAIN)) }));
  const entries = places
    .filter((place, i) => !isHeader(place, i))
    .filter(written)
    .sort((a, b) => numberOf(a) - numberOf(b));
  return { headers, entries };
}

const numberOf = (entry: Uint8Array): number => new DataView(entry.buffer, entry.byteOffset).getUint32(4);

const eventsOf = (door: Door): LockEvent[] => {
  const events: LockEvent[] = [];
  door.lock.parts.events.read((event) => events.push({ ...event }));
  return events;
};

describe("L1 L5 an event", () => {
  it("says who, how, when and with what result", () => {
    const door = new Door();
    door.apply(door.pin(3, "482913", { user: 4711 }));
    door.now += 5;
    door.type("482913");
    door.type("999999");
    const [granted, refused] = eventsOf(door).slice(-2);
    assert.deepEqual(granted, {
      seq: refused.seq - 1,
      kind: EventKind.granted,
      reason: 0,
      method: Method.keypad,
      trust: Trust.set,
      mode: 0,
      time: MONDAY + 5,
      boot: 1,
      user: 4711,
      generation: 1,
      credential: Kind.pin,
      detail: 1,
    });
    assert.deepEqual([refused.kind, refused.reason, refused.user], [EventKind.refused, 3, 0]);
  });

  it("keeps its user when the slot goes to another, and over a reboot", () => {
    const door = new Door();
    door.apply(door.pin(3, "482913", { user: 4711 }));
    door.type("482913");
    door.apply({ op: "drop", slot: 3, generation: 1 }, door.pin(3, "592913", { user: 4712 }));
    door.type("592913");
    const users = (): number[] =>
      eventsOf(door)
        .filter(({ kind }) => kind === EventKind.granted)
        .map(({ user }) => user);
    assert.deepEqual(users(), [4711, 4712]);
    door.reboot();
    assert.deepEqual(users(), [4711, 4712]);
  });

  it("L11 carries seconds since boot while the time is unknown, and the boot's number", () => {
    const door = new Door();
    door.reboot();
    door.now += 77;
    door.type("1234");
    const event = eventsOf(door).at(-1)!;
    assert.deepEqual([event.time, event.trust, event.boot], [77, Trust.unknown, 2]);
  });

  it("L4 that cannot be committed keeps the door shut", () => {
    const door = new Door();
    door.apply(door.pin(3, "482913"));
    door.board.events.write = () => {
      throw new Error("worn out");
    };
    assert.equal(door.type("482913"), "busy");
    assert.equal(door.board.bolt.drawn, false);
  });
});

describe("L2 depth", () => {
  for (const profile of [LOCK_1000, L500I])
    it(`at every moment the last ${profile.events} events of ${profile.name} are there, numbered without a gap`, () => {
      const ring = new Ring(profile.eventBytes);
      const total = 2.5 * (profile.eventBytes / ENTRY);
      for (let count = 1; count <= total; count++) {
        const { erases } = ring;
        assert.ok(ring.append());
        ring.maintain();
        // Fewest are left just after an erase.
        if (ring.erases === erases) continue;
        const seqs = ring.seqs();
        assert.ok(seqs.length >= Math.min(profile.events, count), `${seqs.length} of ${count}`);
        assert.ok(seqs.every((seq, i) => seq === count - seqs.length + 1 + i));
      }
      assert.equal(ring.log.next, Math.floor(total) + 1);
    });

  it("without housekeeping the log refuses rather than writing over what is there", () => {
    const ring = new Ring(L500I.eventBytes);
    let count = 0;
    while (ring.append()) count++;
    assert.equal(ring.log.hasRoom, false);
    assert.equal(ring.seqs().length, count);
    ring.maintain();
    assert.ok(ring.log.hasRoom && ring.append());
    assert.equal(ring.seqs().at(-1), count + 1);
  });
});

describe("Events survive", () => {
  it(`any number of reboots: the same events, the next number, a higher boot number (seed ${SEED})`, () => {
    const ring = new Ring(L500I.eventBytes);
    const dice = new Dice();
    for (let boots = 1; boots < 400; boots++) {
      for (let count = 1 + dice.below(9); count > 0; count--) {
        assert.ok(ring.append({ user: ring.log.next }));
        ring.maintain();
      }
      const { next, boot } = ring.log;
      assert.equal(boot, boots);
      const before = ring.seqs();
      ring.reboot();
      assert.deepEqual(ring.seqs(), before);
      assert.deepEqual([ring.log.next, ring.log.boot], [next, boot + 1]);
      assert.equal(ring.flash.counters.programs + ring.flash.counters.erases, 0, "a mount writes nothing");
    }
    ring.log.read(({ seq, user }) => assert.equal(user, seq));
  });
});

describe("L9 the hash chain", () => {
  it(`equals an independent one over everything ever written, over reboots and round the ring (seed ${SEED})`, () => {
    const ring = new Ring(L500I.eventBytes);
    const dice = new Dice();
    for (let count = 0; count < 3000; count++) {
      ring.append({
        kind: 1 + dice.below(9),
        user: dice.below(2 ** 31),
        generation: dice.below(2 ** 24),
        method: dice.below(6),
      });
      ring.maintain();
      if (dice.chance(0.01)) ring.reboot();
      if (dice.chance(0.02)) assert.equal(hex(ring.log.head()), chainOver(ring.written), `event ${count}`);
    }
    assert.equal(ring.written.length, 3000);
    assert.equal(hex(ring.log.head()), chainOver(ring.written));
  });

  it("goes on from sector to sector: an edit of any entry that is still there breaks it", () => {
    const ring = new Ring(L500I.eventBytes);
    for (let count = 0; count < 1500; count++) {
      ring.append({ user: count });
      ring.maintain();
    }
    const { headers, entries } = contentOf(ring.flash.bytes);
    assert.ok(headers.length >= 5);
    headers.push({ first: ring.log.next, chain: hex(ring.log.head()) });
    for (let i = 0; i + 1 < headers.length; i++) {
      const [{ first, chain }, next] = [headers[i], headers[i + 1]];
      // The oldest header may stand for events that are overwritten.
      const covered = entries.filter((entry) => numberOf(entry) >= first && numberOf(entry) < next.first);
      if (covered.length === next.first - first)
        assert.equal(chainOver(covered, Buffer.from(chain, "hex")), next.chain);
      else assert.equal(i, 0, "only the oldest");
      const edited = covered.map((entry) => entry.slice());
      const middle = edited[edited.length >> 1];
      middle[18] ^= 1;
      seal(middle);
      assert.notEqual(chainOver(edited, Buffer.from(chain, "hex")), next.chain);
    }
  });

  it("is in every receipt, and covers every event before the number that stands beside it", () => {
    const door = new Door({ profile: L500I });
    const entries: Uint8Array[] = [];
    const { events } = door.board;
    for (let at = ENTRY; at < 10 * ENTRY; at += ENTRY)
      if (events.bytes[at] !== 0xff) entries.push(events.bytes.slice(at, at + ENTRY));
    const receipt = door.receipt();
    assert.equal(receipt.nextEvent, entries.length + 1);
    assert.equal(hex(receipt.eventHead), chainOver(entries));
  });

  it("shows any entry that was changed, taken out or put in, though its CRC is right", () => {
    const ring = new Ring(L500I.eventBytes);
    for (let count = 0; count < 100; count++) ring.append({ user: count });
    ring.reboot();
    const honest = hex(ring.log.head());
    const tampered = (change: (entry: Uint8Array) => void, at: number): string => {
      const bytes = ring.flash.bytes.slice();
      change(bytes.subarray(at, at + ENTRY));
      const log = new EventLog(new NorFlash(bytes.length, bytes), node, LOCK);
      log.mount();
      return hex(log.head());
    };
    for (let at = ENTRY; at <= 100 * ENTRY; at += ENTRY) {
      for (const byte of [0, 1, 2, 3, 9, 13, 15, 19, 24]) {
        const edited = tampered((entry) => {
          entry[byte] ^= 3;
          seal(entry);
        }, at);
        assert.notEqual(edited, honest, `byte ${byte} at ${at}`);
      }
      assert.notEqual(
        tampered((entry) => entry.fill(0), at),
        honest,
        `without the entry at ${at}`,
      );
    }
    const more = tampered((entry) => {
      entry.set(ring.flash.bytes.subarray(ENTRY, 2 * ENTRY));
      seal(entry);
    }, 101 * ENTRY);
    assert.notEqual(more, honest);
    assert.equal(
      tampered(() => {}, ENTRY),
      honest,
    );
  });
});
