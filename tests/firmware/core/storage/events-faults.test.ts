// The event log on flash that fails (rules L1, L2, L9, L12): power that goes in every operation, sectors that are stuck or lost, bits
// that flip. All of it also on flash behind encryption, where an erased sector reads as noise.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "../../../../firmware/core/storage/crc";
import { EventKind, EventLog, emptyEvent, type LockEvent } from "../../../../firmware/core/storage/events";
import type { Flash, FlashStatus } from "../../../../firmware/ports";
import { node } from "../../../../simulator/board/crypto";
import { FAULT_KINDS, type FaultPlan, FaultyNor, FlashFault } from "../../../../simulator/board/faulty-nor";
import { NorFlash, SECTOR_BYTES } from "../../../../simulator/board/nor";
import { type Cut, type FlashOperation, tornOf } from "../../../../simulator/board/power";
import { ScrambledNor } from "../../../../simulator/board/scrambled-nor";
import { type NorImage, tear } from "../../../../simulator/board/tear";
import { Dice, SEED } from "../../../support/dice";
import { hex } from "../../../support/look";

const LOCK = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2);
const ENTRY = 32;
const CHAIN = 16;
/** Entries that a sector holds. */
const CAPACITY = 127;
const PAGE = 256;
const MODES = ["plain", "scrambled"] as const;
type Mode = (typeof MODES)[number];

/** Events by number: the mark that each was given, different for all that were ever tried. */
type Seen = Map<number, number>;

/** An operation, with all that was known just before it. */
interface Moment {
  readonly image: NorImage;
  readonly operation: FlashOperation;
  /** The chain over everything committed. */
  readonly chain: Uint8Array;
}

function link(chain: Uint8Array, entry: Uint8Array): Uint8Array {
  return createHash("sha256").update(chain).update(entry).digest().subarray(0, CHAIN);
}

const isEntry = ({ kind, offset }: FlashOperation): boolean =>
  kind === "program" && offset % SECTOR_BYTES !== 0;
const numberIn = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32BE(4);
const markIn = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32BE(21);

function seenIn(log: EventLog): Seen {
  const seen: Seen = new Map();
  let last = 0;
  log.read(({ seq, detail }) => {
    assert.ok(seq > last, `${seq} behind ${last}`);
    last = seq;
    seen.set(seq, detail);
  });
  return seen;
}

const newestOf = (seen: Seen): number => [...seen.keys()].at(-1) ?? 0;

/** Every event of `part` is in `whole`. */
function assertWithin(part: Seen, whole: Seen, where: string): void {
  for (const [seq, mark] of part) if (whole.get(seq) !== mark) assert.fail(`${where}: event ${seq}, ${mark}`);
}

function blankFlash(mode: Mode, blocks: number): NorFlash {
  return mode === "plain"
    ? new NorFlash(blocks * SECTOR_BYTES)
    : new ScrambledNor(blocks * SECTOR_BYTES, { seed: SEED });
}

/** A lock's event log over many boots, with everything told that it ever did. */
class Life {
  flash!: FaultyNor;
  log!: EventLog;
  /** The marks of events that were committed, and the blocks that they stand in. */
  readonly committed: Seen = new Map();
  readonly blockOf = new Map<number, number>();
  readonly refused: number[] = [];
  readonly moments: Moment[] = [];
  chain: Uint8Array = new Uint8Array(CHAIN);
  erases = 0;
  ticksWithErase = 0;
  faults = 0;
  readonly #plan: FaultPlan;
  #mark: number;
  #entry = { bytes: new Uint8Array(0), offset: 0 };
  #erased = -1;
  #breach = "";

  constructor(image: NorImage, plan: FaultPlan = {}, mark = 0) {
    this.#plan = plan;
    this.#mark = mark;
    this.#boot(image);
  }

  static formatted(mode: Mode, blocks: number, plan: FaultPlan = {}): Life {
    const flash = new FaultyNor(blankFlash(mode, blocks));
    new EventLog(flash, node, LOCK).format();
    assert.equal(flash.nor.misuse, undefined);
    return new Life(flash.image(), plan);
  }

  /** From now on operations are kept. */
  keeps = false;

  #boot(image: NorImage): void {
    this.#erased = -1;
    this.flash = FaultyNor.boot(image, {
      ...this.#plan,
      onOperation: (operation) => this.#onOperation(operation),
    });
    this.log = new EventLog(this.flash, node, LOCK);
    this.log.mount();
    assert.equal(this.flash.operations, 0, "a mount writes nothing");
  }

  #onOperation(operation: FlashOperation): void {
    const block = Math.floor(operation.offset / SECTOR_BYTES);
    const bytes = operation.bytes?.slice();
    if (this.keeps)
      this.moments.push({ image: this.flash.image(), operation: { ...operation, bytes }, chain: this.chain });
    if (operation.kind === "erase") {
      this.erases++;
      this.#erased = block;
    } else if (isEntry(operation)) this.#entry = { bytes: bytes!, offset: operation.offset };
    else {
      // No exception from here would be heard of.
      if (this.#erased !== block)
        this.#breach = `a header at ${operation.offset} without an erase in the same boot`;
      this.#erased = -1;
    }
  }

  /** Whether a place was programmed twice: on scrambled flash, a print that fits by chance leads to that. */
  get hadBadLuck(): boolean {
    return this.flash.nor instanceof ScrambledNor && this.flash.nor.misuse !== undefined;
  }

  #assertLawful(): void {
    if (!this.hadBadLuck) assert.equal(this.flash.nor.misuse, undefined);
    assert.equal(this.#breach, "");
  }

  reboot(): void {
    this.faults += this.log.faults;
    this.#boot(this.flash.image());
  }

  tick(): void {
    const { erases } = this;
    if (this.log.maintain()) this.ticksWithErase++;
    else assert.equal(this.erases, erases);
    this.#assertLawful();
  }

  append(more: Partial<LockEvent> = {}): boolean {
    const { erases } = this;
    const event = { ...emptyEvent(), kind: EventKind.refused, ...more, detail: ++this.#mark };
    const done = this.log.append(event);
    assert.equal(this.erases, erases, "an event never waits for an erase");
    this.#assertLawful();
    if (!done) this.refused.push(this.#mark);
    else {
      assert.ok(!this.committed.has(event.seq), `number ${event.seq} is given twice`);
      assert.equal(this.log.next, event.seq + 1);
      this.committed.set(event.seq, event.detail);
      this.blockOf.set(event.seq, Math.floor(this.#entry.offset / SECTOR_BYTES));
      this.chain = link(this.chain, this.#entry.bytes);
    }
    return done;
  }
}

/** A life with many boots, some long, some without a moment to spare. Every operation of it is kept. */
function manyBoots(mode: Mode, blocks: number, events: number): Life {
  const dice = new Dice();
  const life = Life.formatted(mode, blocks);
  life.keeps = true;
  while (life.committed.size < events) {
    const isHasty = dice.chance(0.2);
    for (let count = 1 + dice.below(dice.pick([3, 12, 60])); count > 0; count--) {
      if (!isHasty || count === 1) life.tick();
      life.append();
    }
    const before = life.log.boot;
    life.reboot();
    assert.equal(life.log.boot, before + 1);
    assertWithin(seenIn(life.log), life.committed, "after a boot");
  }
  return life;
}

const places = ({ offset }: FlashOperation): number => (offset % SECTOR_BYTES) / ENTRY;

/** The cuts of an operation that are tried: all of them where sectors begin and end, some elsewhere. */
function cutsOf(operation: FlashOperation, dice: Dice): Cut[] {
  const steps = operation.kind === "erase" ? operation.length / PAGE : operation.length;
  const unit = operation.length / steps;
  const cuts: Cut[] = [];
  for (let step = 0; step <= steps; step++)
    for (const torn of tornOf(operation.kind))
      cuts.push({ operation: 0, bytes: step * unit, torn, seed: dice.below(1e6) });
  const isEdge = !isEntry(operation) || places(operation) === 1 || places(operation) === CAPACITY;
  return isEdge ? cuts : [dice.pick(cuts), dice.pick(cuts), dice.pick(cuts)];
}

/** What was seen just before an operation, and what must be there whatever becomes of it. */
interface Bounds {
  readonly before: Seen;
  readonly kept: Seen;
}

function boundsOf({ image, operation }: Moment): Bounds {
  const lookAt = (at: NorImage): Seen => seenIn(new Life(at).log);
  const before = lookAt(image);
  if (operation.kind === "program") return { before, kept: before };
  return {
    before,
    kept: lookAt(tear(image, operation, { operation: 0, bytes: operation.length, torn: "clean" })),
  };
}

/** What a boot after a cut found. */
interface After {
  readonly life: Life;
  readonly seen: Seen;
  readonly where: string;
}

/** Boots after a cut and looks at everything. */
function checkCut({ image, operation, chain }: Moment, { before, kept }: Bounds, cut: Cut): After {
  const where = `${operation.kind} at ${operation.offset}, ${cut.bytes} bytes, ${cut.torn}, seed ${cut.seed}`;
  const life = new Life(tear(image, operation, cut), { seed: cut.seed }, 1_000_000);
  const { log } = life;
  const seen = seenIn(log);
  const allowed = new Map(before);
  life.chain = chain;
  if (isEntry(operation)) {
    const number = numberIn(operation.bytes!);
    allowed.set(number, markIn(operation.bytes!));
    if (seen.has(number)) life.chain = link(chain, operation.bytes!);
  }
  assertWithin(seen, allowed, `${where}: more than there was`);
  assertWithin(kept, seen, `${where}: lost`);
  assert.equal(log.next, Math.max(newestOf(seen), newestOf(before)) + 1, where);
  assert.equal(hex(log.head()), hex(life.chain), where);
  return { life, seen, where };
}

/** Goes on after a cut: the sector that is due is made ready, events are appended, and nothing is lost by that. */
function goOn({ life, seen, where }: After): void {
  const { log } = life;
  for (let ticks = 0; ticks < 4; ticks++) life.tick();
  assert.ok(life.append() && life.append(), where);
  const { boot } = log;
  life.reboot();
  assert.equal(life.log.boot, boot + 1, where);
  const later = seenIn(life.log);
  assertWithin(life.committed, later, where);
  for (const [seq, mark] of life.committed) seen.set(seq, mark);
  assertWithin(later, seen, where);
  // Housekeeping may have erased the oldest sector, and nothing else.
  const [oldest] = later.keys();
  assert.ok(oldest <= [...seen.keys()][0] + 2 * CAPACITY, where);
  for (const [seq, mark] of seen) if (seq > oldest) assert.equal(later.get(seq), mark, where);
  assert.equal(hex(life.log.head()), hex(life.chain), where);
}

describe("L1 L9 events survive a cut", () => {
  for (const mode of MODES)
    it(`in any operation, boots and sector changes included, and in what follows it, ${mode} (seed ${SEED})`, () => {
      const { moments } = manyBoots(mode, 3, 500);
      const dice = new Dice(SEED + 1);
      let states = 0;
      let unlucky = 0;
      for (const moment of moments) {
        const bounds = boundsOf(moment);
        for (const cut of cutsOf(moment.operation, dice)) {
          const after = checkCut(moment, bounds, cut);
          states++;
          if (dice.chance(0.8)) continue;
          after.life.keeps = dice.chance(0.2);
          goOn(after);
          if (after.life.hadBadLuck) unlucky++;
          for (const second of after.life.moments) {
            const again = dice.pick(cutsOf(second.operation, dice));
            goOn(checkCut(second, boundsOf(second), again));
            states++;
          }
        }
      }
      assert.ok(states > 3000, `${states} states`);
      // One in 65,536, by the length of a print.
      assert.ok(unlucky <= 1, `${unlucky} places programmed twice`);
    });
});

/** Everything that a log tells after a boot. */
function told(flash: Flash): string {
  const log = new EventLog(flash, node, LOCK);
  log.mount();
  let text = `${log.mounted} ${log.next} ${log.boot} ${hex(log.head())}`;
  log.read(({ seq, kind, boot, user, detail }) => {
    text += ` ${seq} ${kind} ${boot} ${user} ${detail}`;
  });
  return text;
}

/** Memory with sectors of two pages: small enough to flip every bit of it. Strict about nothing but bounds. */
class SmallFlash implements Flash {
  static readonly SECTOR = 2 * PAGE;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  read(buffer: Uint8Array, offset: number): void {
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
  }

  write(buffer: Uint8Array, offset: number): void {
    for (let i = 0; i < buffer.length; i++) this.bytes[offset + i] &= buffer[i];
  }

  eraseBlock(start: number, end: number): void {
    this.bytes.fill(0xff, start * SmallFlash.SECTOR, end * SmallFlash.SECTOR);
  }

  status(): FlashStatus {
    const size = this.bytes.length;
    return { size, blockLength: SmallFlash.SECTOR, blocks: size / SmallFlash.SECTOR };
  }
}

describe("L1 a flipped bit", () => {
  for (const [name, count, step] of [
    ["with a sector begun", 50, 1],
    ["with a full sector before one that is ready", 15 * 3, 3],
  ] as const)
    it(`anywhere in a log ${name} changes nothing that it tells, and costs no event to come`, () => {
      const dice = new Dice();
      const flash = new SmallFlash(new Uint8Array(4 * SmallFlash.SECTOR).fill(0xff));
      let log = new EventLog(flash, node, LOCK);
      log.format();
      for (let number = 0; number < count; number++) {
        if (number % 20 === 0) {
          log = new EventLog(flash, node, LOCK);
          log.mount();
        }
        log.maintain();
        const [detail, user] = [dice.below(2 ** 32), dice.below(2 ** 32)];
        assert.ok(log.append({ ...emptyEvent(), kind: EventKind.granted, detail, user }));
      }
      const before = told(flash);
      for (let bit = 0; bit < flash.bytes.length * 8; bit += step) {
        flash.bytes[bit >>> 3] ^= 1 << (bit & 7);
        assert.equal(told(flash), before, `bit ${bit}`);
        flash.bytes[bit >>> 3] ^= 1 << (bit & 7);
        if (bit % 16 !== 0) continue;
        const copy = new SmallFlash(flash.bytes.slice());
        copy.bytes[bit >>> 3] ^= 1 << (bit & 7);
        log = new EventLog(copy, node, LOCK);
        log.mount();
        for (let ticks = 0; ticks < 3; ticks++) log.maintain();
        assert.ok(log.append({ ...emptyEvent(), kind: EventKind.granted }), `bit ${bit}`);
      }
    });

  it(`of scrambled flash spoils 16 bytes: no more than one event, or a sector by its header, is missing (seed ${SEED})`, () => {
    const { flash, committed, log } = manyBoots("scrambled", 4, 600);
    const dice = new Dice();
    const before = seenIn(log);
    for (let round = 0; round < 600; round++) {
      const bit = dice.below(flash.bytes.length * 8);
      const life = new Life(flash.image());
      life.flash.nor.flip(bit);
      life.reboot();
      const seen = seenIn(life.log);
      assertWithin(seen, committed, `bit ${bit}`);
      const missing = before.size - seen.size;
      const isHeader = (bit >>> 3) % SECTOR_BYTES < ENTRY;
      assert.ok(missing <= (isHeader ? CAPACITY : 1), `bit ${bit}: ${missing} missing`);
      // Where the last event is spoilt, nothing tells it from one that was cut.
      assert.ok(life.log.next >= log.next - 1, `bit ${bit}`);
    }
  });
});

describe("L1 an entry", () => {
  /** An entry as it would stand in flash, with the CRC that it should have. */
  function entryOf(number: number, kind: number): Uint8Array {
    const entry = new Uint8Array(ENTRY);
    const view = new DataView(entry.buffer);
    entry[0] = kind;
    view.setUint32(4, number);
    view.setInt32(ENTRY - 4, crc32(entry, 0, ENTRY - 4, crc32(LOCK, 0, LOCK.length, 0)));
    return entry;
  }

  /** The last number that a log finds when `entry` stands behind its ten events. */
  function lastWith(entry: Uint8Array): number {
    const life = Life.formatted("plain", 3);
    for (let count = 0; count < 10; count++) life.append();
    life.flash.bytes.set(entry, 11 * ENTRY);
    life.reboot();
    return newestOf(seenIn(life.log));
  }

  it("counts by its number as well: what the sector cannot hold is none, though its CRC is right", () => {
    assert.equal(lastWith(entryOf(11, EventKind.granted)), 11);
    assert.equal(lastWith(entryOf(2 * CAPACITY, EventKind.granted)), 2 * CAPACITY);
    assert.equal(lastWith(entryOf(2 * CAPACITY + 1, EventKind.granted)), 10);
    assert.equal(lastWith(entryOf(0, EventKind.granted)), 10);
    assert.equal(lastWith(entryOf(0xffffffff, EventKind.granted)), 10);
  });

  it("of a kind that this firmware does not know counts, but is not made up by mending a bit", () => {
    const newer = entryOf(11, 62);
    assert.equal(lastWith(newer), 11);
    newer[20] ^= 4;
    assert.equal(lastWith(newer), 10);
    const known = entryOf(11, EventKind.granted);
    known[20] ^= 4;
    assert.equal(lastWith(known), 11);
    assert.equal(lastWith(entryOf(11, 0)), 10);
  });

  it("that was found in noise has never been seen: 800 sectors of it hold none", () => {
    const life = Life.formatted("plain", 3);
    for (let count = 0; count < 10; count++) life.append();
    const dice = new Dice();
    for (let round = 0; round < 400; round++) {
      life.flash.bytes.set(dice.bytes(SECTOR_BYTES - PAGE * 2), PAGE * 2);
      life.flash.bytes.set(dice.bytes(SECTOR_BYTES), SECTOR_BYTES);
      assert.equal(seenIn(new Life(life.flash.image()).log).size, 10);
    }
  });

  it("L11 carries the boot's number modulo 2^23", () => {
    const life = Life.formatted("plain", 3);
    life.log.boot = 2 ** 23 - 2;
    for (const boot of [2 ** 23 - 2, 2 ** 23 - 1, 0, 1]) {
      assert.equal(life.log.boot, boot);
      life.append();
      let last = -1;
      life.log.read((event) => {
        last = event.boot;
      });
      assert.equal(last, boot);
      life.reboot();
    }
  });
});

describe("L2 L12 depth and wear", () => {
  for (const mode of MODES) {
    it(`an erase for 64 events at most, a reboot before each of them or not, ${mode} (seed ${SEED})`, () => {
      const dice = new Dice();
      for (const reboots of [0, 0.1, 0.5, 1]) {
        const life = Life.formatted(mode, 6);
        for (let count = 0; count < 1000; count++) {
          life.tick();
          assert.ok(life.append());
          if (dice.chance(reboots)) life.reboot();
        }
        assert.ok(life.erases * 64 <= 1000, `${life.erases} erases for 1,000 events`);
      }
    });

    it(`an erase for 64 events at most though every twentieth is cut, ${mode} (seed ${SEED})`, () => {
      const dice = new Dice();
      const life = Life.formatted(mode, 6);
      life.keeps = true;
      let erases = 0;
      let now = life;
      let events = 0;
      while (events < 2000) {
        now.tick();
        assert.ok(now.append());
        events++;
        const { image, operation } = now.moments.at(-1)!;
        const isCut = dice.chance(0.05);
        now.moments.length = 0;
        if (!isCut) continue;
        erases += now.erases;
        now = new Life(tear(image, operation, dice.pick(cutsOf(operation, dice))));
        now.keeps = true;
      }
      erases += now.erases;
      assert.ok(erases * 64 <= events, `${erases} erases for ${events} events`);
    });
  }

  it("a cut costs the rest of its page, and one in the next page right after it the rest of that, on scrambled flash too", () => {
    /** Appends an event and cuts that. Returns the life after it, and where the next event goes. */
    const cutNext = (life: Life): { after: Life; next: number | undefined } => {
      life.keeps = true;
      life.append();
      const { image, operation } = life.moments.at(-1)!;
      const torn = tear(image, operation, { operation: 0, bytes: 16, torn: "clean" });
      const probe = new Life(torn);
      probe.keeps = true;
      probe.append();
      return { after: new Life(torn), next: probe.moments.at(-1)?.operation.offset };
    };
    for (const mode of MODES)
      for (let count = 0; count < 100; count++) {
        const life = Life.formatted(mode, 3);
        for (let number = 0; number < count; number++) assert.ok(life.append());
        const page = Math.floor((count + 1) / 8);
        // Of the second page, the first one's last entry tells, and of the third the header.
        const once = cutNext(life);
        assert.equal(
          once.next,
          (page === 0 && mode === "scrambled" ? 2 : page + 1) * PAGE,
          `${mode} ${count}`,
        );
        const twice = cutNext(once.after);
        if (page > 1) assert.equal(twice.next, (page + 2) * PAGE, `${mode} ${count}, twice`);
      }
  });

  it(`10,000 events are there at every moment on scrambled flash too, with a reboot now and then (seed ${SEED})`, () => {
    const dice = new Dice();
    const life = Life.formatted("scrambled", 80);
    let { erases } = life;
    let fewest = Number.POSITIVE_INFINITY;
    for (let count = 1; count <= 10_800; count++) {
      life.tick();
      if (life.erases > erases && count > 10_000) fewest = Math.min(fewest, seenIn(life.log).size);
      ({ erases } = life);
      assert.ok(life.append());
      if (dice.chance(0.05)) life.reboot();
    }
    assert.equal(fewest, 10_001);
  });
});

describe("L2 a mount", () => {
  for (const mode of MODES)
    it(`reads every header and no more than three sectors, and writes nothing, ${mode}`, () => {
      const dice = new Dice();
      const life = Life.formatted(mode, 20);
      for (let count = 0; count < 5000; count++) {
        life.tick();
        life.append();
        if (!dice.chance(0.1)) continue;
        life.reboot();
        const { readBytes } = life.flash.nor.counters;
        assert.ok(readBytes <= 20 * ENTRY + 3 * SECTOR_BYTES, `${readBytes} bytes`);
      }
    });
});

/** From now on some reads fail. */
function spoilReads(flash: FaultyNor, fails: (offset: number, length: number) => boolean): void {
  const read = flash.read.bind(flash);
  flash.read = (buffer, offset) => {
    if (fails(offset, buffer.length)) throw new FlashFault("spoilt");
    read(buffer, offset);
  };
}

/** What a sector may read like when it is lost. */
const LOSSES: Record<string, (life: Life, block: number) => void> = {
  "can be read in small pieces only": (life, block) =>
    spoilReads(life.flash, (offset, length) => offset === block * SECTOR_BYTES && length > ENTRY),
  "cannot be read": (life, sector) => life.flash.fail({ kind: "read-error", sector }),
  "reads 0xFF": (life, block) =>
    life.flash.bytes.fill(0xff, block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES),
  "reads zeros": (life, block) => life.flash.bytes.fill(0, block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES),
  "reads noise": (life, block) => life.flash.bytes.set(new Dice().bytes(SECTOR_BYTES), block * SECTOR_BYTES),
  "has lost its header": (life, block) =>
    life.flash.bytes.fill(0, block * SECTOR_BYTES, block * SECTOR_BYTES + 8),
};

describe("L1 L9 a sector that is lost", () => {
  /** A life with so many events, and the block of the newest. */
  function livedUntil(events: number, mode: Mode): { life: Life; block: number } {
    const life = Life.formatted(mode, 5);
    for (let count = 0; count < events; count++) {
      life.tick();
      assert.ok(life.append());
    }
    return { life, block: life.blockOf.get(life.log.next - 1)! };
  }

  /** Boots again with the same faults of the flash. */
  function remount(life: Life): EventLog {
    const log = new EventLog(life.flash, node, LOCK);
    log.mount();
    return log;
  }

  for (const mode of MODES)
    for (const [name, lose] of Object.entries(LOSSES)) {
      it(`and is the newest: numbers go on behind all that it could have held, when it ${name}, ${mode}`, () => {
        for (const events of [128, 129, 200, 222, 223, 253, 254, 255, 700]) {
          const { life, block } = livedUntil(events, mode);
          const { next, boot } = life.log;
          lose(life, block);
          const log = remount(life);
          const kept = seenIn(log);
          assertWithin(kept, life.committed, name);
          for (const [seq, where] of life.blockOf)
            if (where !== block && seq > next - 3 * CAPACITY) assert.ok(kept.has(seq), `${seq} of ${next}`);
          assert.ok(log.next >= next && log.boot >= boot, `${log.next} after ${next}`);
          assert.ok(log.next <= next + 2 * CAPACITY);
          life.log = log;
          for (let ticks = 0; ticks < 3; ticks++) log.maintain();
          const first = log.next;
          assert.equal(hex(log.head()), "0".repeat(2 * CHAIN), "the chain starts again");
          life.chain = new Uint8Array(CHAIN);
          for (let count = 0; count < 300; count++) {
            assert.ok(life.append());
            log.maintain();
          }
          assert.equal(hex(log.head()), hex(life.chain));
          life.flash.heal();
          const later = remount(life);
          assert.equal(later.next, first + 300);
          assert.equal(hex(later.head()), hex(life.chain));
          const found = seenIn(later);
          assertWithin(found, life.committed, name);
          // Its block is left alone for a round: what can be read again is shown again.
          if (name === "cannot be read")
            for (const [seq, where] of life.blockOf)
              if (where === block && seq < next && seq >= next - CAPACITY)
                assert.ok(found.has(seq), `${seq} of ${next}`);
        }
      });

      it(`and is an older one: its events are a gap, when it ${name}, ${mode}`, () => {
        const { life, block } = livedUntil(600, mode);
        const { next } = life.log;
        const older = (block + 3) % 5;
        const before = seenIn(life.log);
        const head = hex(life.log.head());
        lose(life, older);
        const log = remount(life);
        const seen = seenIn(log);
        for (const seq of before.keys())
          assert.equal(seen.has(seq), life.blockOf.get(seq) !== older, `${seq}`);
        assert.deepEqual([log.next, hex(log.head())], [next, head]);
        assert.ok(log.append({ ...emptyEvent(), kind: EventKind.granted }));
      });
    }

  it("and is the newest, though its predecessor was full before anybody had the time to make it ready", () => {
    for (const mode of MODES)
      for (const lose of Object.values(LOSSES)) {
        const life = Life.formatted(mode, 5);
        while (life.append());
        assert.equal(life.committed.size, CAPACITY - 1);
        life.tick();
        for (let count = 0; count < 9; count++) assert.ok(life.append());
        const { next } = life.log;
        lose(life, 1);
        assert.ok(remount(life).next >= next);
      }
  });

  it("and is the one before the newest: the chain starts again with the newest's first event", () => {
    for (const mode of MODES) {
      const { life, block } = livedUntil(3 * CAPACITY + 10, mode);
      const { next } = life.log;
      life.flash.fail({ kind: "read-error", sector: (block + 4) % 5 });
      const log = remount(life);
      assert.equal(log.next, next);
      let chain: Uint8Array = new Uint8Array(CHAIN);
      const entries = [...life.blockOf.values()].filter((other) => other === block).length;
      for (let at = ENTRY; at <= entries * ENTRY; at += ENTRY)
        chain = link(
          chain,
          life.flash.bytes.subarray(block * SECTOR_BYTES + at, block * SECTOR_BYTES + at + ENTRY),
        );
      assert.equal(hex(log.head()), hex(chain));
    }
  });

  it("was ready and is no more: no event is missing, no number is left out, another sector is made ready", () => {
    for (const mode of MODES)
      for (const lose of Object.values(LOSSES)) {
        const { life, block } = livedUntil(CAPACITY - 10, mode);
        const { next } = life.log;
        const head = hex(life.log.head());
        lose(life, (block + 1) % 5);
        const log = remount(life);
        life.log = log;
        assert.deepEqual([log.next, hex(log.head())], [next, head]);
        for (let count = 0; count < 20; count++) {
          log.maintain();
          assert.ok(life.append());
        }
        assert.deepEqual([...seenIn(log)], [...life.committed]);
      }
  });
});

describe("L1 L2 a sector that is stuck", () => {
  for (const mode of MODES)
    for (const kind of FAULT_KINDS)
      it(`neither stops the log nor costs events of others: ${kind}, ${mode} (seed ${SEED})`, () => {
        const dice = new Dice();
        const blocks = 4;
        for (let sector = 0; sector < blocks; sector++)
          for (const from of [0, 60, 125 + dice.below(10), 200, 260 + dice.below(250)]) {
            const life = Life.formatted(mode, blocks);
            const at = `sector ${sector} from ${from}`;
            let isStuck = false;
            for (let count = 0; count < 650; count++) {
              life.tick();
              life.append();
              if (!isStuck && count >= from) life.flash.fail({ kind, sector });
              isStuck ||= count >= from;
              if (!dice.chance(0.02)) continue;
              life.reboot();
              if (isStuck) {
                life.flash.fail({ kind, sector });
                life.log = new EventLog(life.flash, node, LOCK);
                life.log.mount();
              }
              const seen = seenIn(life.log);
              if (kind === "erase-error" || kind === "silent")
                assert.equal(hex(life.log.head()), hex(life.chain), at);
              assertWithin(seen, new Map([...life.committed, ...failed(life)]), at);
              const missing = [...life.committed.keys()].filter(
                (seq) => !seen.has(seq) && life.blockOf.get(seq) !== sector,
              );
              assert.ok(
                (missing.at(-1) ?? Number.NEGATIVE_INFINITY) < life.log.next - CAPACITY,
                `${at}: ${missing.at(-1)} is missing`,
              );
            }
            assert.ok(life.refused.length <= 2, `${at}: ${life.refused.length} refused`);
            assert.ok(life.ticksWithErase <= life.erases && life.erases < 50, `${at}: ${life.erases} erases`);
            if (kind !== "silent" && from === 0) assert.ok(life.faults + life.log.faults > 0, at);
          }
      });

  /** Events that were refused may be there all the same: what did not take may read as an entry later. */
  function failed(life: Life): [number, number][] {
    const events: [number, number][] = [];
    life.log.read(({ seq, detail }) => {
      if (life.refused.includes(detail)) events.push([seq, detail]);
    });
    return events;
  }

  it("like all others: there is no room, nothing is appended, and housekeeping leaves time for others", () => {
    for (const mode of MODES)
      for (const kind of FAULT_KINDS) {
        const life = Life.formatted(mode, 7);
        for (let count = 0; count < 6 * CAPACITY + 50; count++) {
          life.tick();
          assert.ok(life.append());
        }
        life.flash.fail({ kind });
        for (let count = 0; count < 200 && life.log.hasRoom; count++) {
          life.append();
          life.log.maintain();
        }
        let erases = 0;
        for (let ticks = 0; ticks < 1000; ticks++) if (life.log.maintain()) erases++;
        assert.ok(erases <= 12, `${kind}: ${erases} of 1,000 ticks`);
        assert.equal(life.log.append({ ...emptyEvent(), kind: EventKind.granted }), false, kind);
        assert.equal(life.log.hasRoom, false, kind);
        // Erases that work cost the oldest events where nothing can be written instead.
        if (kind === "program-error") assert.ok(seenIn(life.log).size > 3 * CAPACITY);
        assert.ok(life.log.faults > 0);
        // Whoever comes to repair it: an hour later it goes on.
        life.flash.heal();
        for (let ticks = 0; ticks < 3700; ticks++) life.log.maintain();
        assert.ok(life.append(), kind);
      }
  });

  it("is passed even if the lock has no more than one tick and one event in each boot", () => {
    for (const mode of MODES)
      for (const kind of FAULT_KINDS) {
        const life = Life.formatted(mode, 4);
        for (let boot = 0; boot < 400; boot++) {
          life.flash.fail({ kind, sector: 1 });
          life.tick();
          life.append();
          life.reboot();
        }
        assert.ok(life.refused.length <= 8, `${kind}: ${life.refused.length} refused`);
      }
  });

  it("while the log is formatted: the log begins in the next one, and shows nothing of what is left of another", () => {
    for (const mode of MODES)
      for (const kind of FAULT_KINDS)
        for (let sector = 0; sector < 4; sector++) {
          const life = Life.formatted(mode, 4);
          for (let count = 0; count < 450; count++) {
            life.tick();
            life.append();
          }
          life.flash.fail({ kind, sector });
          new EventLog(life.flash, node, LOCK).format();
          const log = new EventLog(life.flash, node, LOCK);
          log.mount();
          assert.deepEqual([log.mounted, log.next, log.boot > 0, seenIn(log).size], [true, 1, true, 0], kind);
          for (let count = 0; count < 300; count++) {
            log.maintain();
            assert.ok(
              log.append({ ...emptyEvent(), kind: EventKind.granted, detail: count }),
              `${kind} ${count}`,
            );
          }
          assert.equal(log.next, 301);
        }
  });
});

describe("L2 a read that fails once", () => {
  it("changes nothing", () => {
    for (const mode of MODES) {
      const { image, told: before } = ((): { image: NorImage; told: string } => {
        const life = manyBoots(mode, 4, 600);
        return { image: life.flash.image(), told: told(FaultyNor.boot(life.flash.image())) };
      })();
      for (let number = 0; number < 40; number++)
        assert.equal(told(FaultyNor.boot(image, { readErrors: [number] })), before, `read ${number}`);
    }
  });
});

describe("L1 L2 what a log does not believe", () => {
  /** A life with so many events. */
  function lived(events: number, mode: Mode = "plain"): Life {
    const life = Life.formatted(mode, 4);
    for (let count = 0; count < events; count++) {
      life.tick();
      assert.ok(life.append());
    }
    return life;
  }

  it("a page that reads blank once and something else the next time", () => {
    const life = lived(10);
    const read = life.flash.read.bind(life.flash);
    let looks = 0;
    life.flash.read = (buffer, offset) => {
      read(buffer, offset);
      const cell = 14 * ENTRY - offset;
      if (cell >= 0 && cell < buffer.length && ++looks > 1) buffer[cell] &= 0xfe;
    };
    const log = new EventLog(life.flash, node, LOCK);
    log.mount();
    life.log = log;
    assert.ok(life.append());
    assert.notEqual(life.flash.bytes[2 * PAGE], 0xff, "it goes on in the next page");
  });

  it("the rest of a page in which a write was refused", () => {
    const life = lived(10);
    const write = life.flash.write.bind(life.flash);
    let isRefused = true;
    life.flash.write = (buffer, offset) => {
      if (isRefused) {
        isRefused = false;
        throw new FlashFault("once");
      }
      write(buffer, offset);
    };
    assert.ok(life.append());
    assert.notEqual(life.flash.bytes[2 * PAGE], 0xff, "it goes on in the next page");
    assert.equal(life.flash.bytes[11 * ENTRY], 0xff);
  });

  it("a page further on in which a bit has flipped: no write meets it", () => {
    const life = lived(10);
    for (const page of [2, 5, 15]) life.flash.nor.flip((page * PAGE + 100) * 8);
    life.reboot();
    for (let count = 0; count < 120; count++) {
      life.tick();
      assert.ok(life.append());
    }
    assert.equal(life.log.faults, 0);
  });

  it("a write whose result cannot be read: the number is given to no other event", () => {
    const life = lived(10);
    const before = seenIn(life.log);
    let isSpoilt = true;
    spoilReads(life.flash, () => isSpoilt);
    assert.equal(life.append(), false);
    isSpoilt = false;
    life.log = new EventLog(life.flash, node, LOCK);
    life.log.mount();
    assertWithin(before, seenIn(life.log), "before");
    assert.ok(life.append());
    const log = new EventLog(life.flash, node, LOCK);
    log.mount();
    assertWithin(life.committed, seenIn(log), "after");
  });

  it("a write that was refused is not in the way of the number of the next", () => {
    const life = lived(10);
    const { next } = life.log;
    let isSpoilt = true;
    spoilReads(life.flash, () => isSpoilt);
    assert.equal(life.append(), false);
    isSpoilt = false;
    // The same boot goes on: what was refused may be readable again.
    for (let ticks = 0; ticks < 3; ticks++) life.tick();
    assert.ok(life.append());
    assert.ok(life.log.next > next + 1);
    const marks = seenIn(life.log);
    assert.equal(marks.get(life.log.next - 1), life.committed.get(life.log.next - 1));
    assert.equal(new Set(marks.values()).size, marks.size);
  });

  it("an erase that left something of what stood there, or whose bits are not steady", () => {
    for (const [mode, partly] of [
      ["plain", true],
      ["plain", false],
      ["scrambled", true],
      ["scrambled", false],
    ] as const) {
      // Until the first sector is to be erased.
      const life = lived(CAPACITY * 4 - 40, mode);
      const { flash } = life;
      const block = 0;
      const erase = flash.eraseBlock.bind(flash);
      const last = (block + 1) * SECTOR_BYTES - PAGE;
      const rest = flash.bytes.slice(last, last + PAGE);
      flash.eraseBlock = (start, end) => {
        erase(start, end);
        if (partly && start === block) flash.bytes.set(rest, last);
      };
      let reads = 0;
      const read = flash.read.bind(flash);
      flash.read = (buffer, offset) => {
        read(buffer, offset);
        if (!partly && offset === block * SECTOR_BYTES && buffer.length > ENTRY && reads++ % 2 === 1)
          buffer[999] ^= 4;
      };
      const seen = life.committed.size;
      for (let count = 0; count < 100; count++) {
        life.tick();
        assert.ok(life.append());
      }
      assert.ok(life.log.faults >= 2);
      assert.deepEqual(
        [...life.blockOf].filter(([seq, where]) => seq > seen && where === block),
        [],
        "nothing is written there",
      );
    }
  });
});
