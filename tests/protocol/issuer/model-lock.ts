// A lock as the protocol describes it, in as few lines as possible: the judge of what an issuer sends. It imports nothing of the project,
// keeps its table as plain values, verifies with node:crypto and reads with cborg.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type * as Cborg from "cborg";
import { canonical, hex } from "../../support/cbor";

const cborg = require("../../../node_modules/cborg/cborg.js") as typeof Cborg;

type Fields = Map<number, unknown>;

const CODE = {
  applied: 0,
  unchanged: 2,
  installed: 3,
  gap: 0x20,
  capacity: 0x30,
  duplicate: 0x31,
  stale: 0x32,
  range: 0x34,
  inUse: 0x36,
  noSchedule: 0x37,
  unsupported: 0x38,
  badSignature: 0x40,
  fork: 0x43,
};

/** One slot: the fields of its put, as later deltas left them, beside its generation. */
interface ModelSlot {
  fields: Fields;
  generation: number;
  disabled: boolean;
}

export interface ModelState {
  applied: number;
  head: string;
  codes: number[];
  details: number[];
  slots: Map<number, ModelSlot>;
  schedules: Map<number, number[][]>;
  settings: Map<number, string>;
  boot: number;
  receipts: number;
  events: number;
}

const sha = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const ascii = (text: string) => Buffer.from(text, "ascii");
const num = (value: unknown) => (value as number | undefined) ?? 0;

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function privateKey(seed: Uint8Array): KeyObject {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
}

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(der.length - 32));
}

function publicKey(raw: Uint8Array): KeyObject {
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  return createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" });
}

/** The parts of a COSE_Sign1 and what its signature is of. */
export function takeApart(envelope: Uint8Array, domain: string) {
  const [header, , payload, signature] = cborg.decode(envelope, { useMaps: true }) as Uint8Array[];
  const signed = canonical(["Signature1", header, ascii(domain), payload]);
  return { header, payload, signature, signed, fields: cborg.decode(payload, { useMaps: true }) as Fields };
}

/** The encoded deltas of a bundle. */
export function deltasIn(bundle: Uint8Array): { first: number; deltas: Uint8Array[] } {
  const { fields } = takeApart(bundle, "tumbler/1 bundle");
  return { first: num(fields.get(3)), deltas: (fields.get(7) as unknown[]).map(canonical) };
}

export class ModelLock {
  readonly id: Uint8Array;
  readonly seed: Uint8Array;
  readonly size: number;
  readonly epoch: number;
  readonly reader: boolean;
  state: ModelState;
  /** So many acks are kept. */
  kept = Number.POSITIVE_INFINITY;
  /** Refuses a delta with a code, to test what a table cannot provoke. */
  refuse: ((fields: Fields, op: number) => number | undefined) | undefined;

  constructor(
    id: Uint8Array,
    seed: Uint8Array,
    size: number,
    options: { epoch?: number; reader?: boolean } = {},
  ) {
    this.id = id;
    this.seed = seed;
    this.size = size;
    this.epoch = options.epoch ?? 1;
    this.reader = options.reader ?? true;
    const head = hex(sha(ascii("tumbler/1 head"), id, u32(this.epoch)).subarray(0, 16));
    this.state = {
      applied: 0,
      head,
      codes: [],
      details: [],
      slots: new Map(),
      schedules: new Map(),
      settings: new Map(),
      boot: 1,
      receipts: 0,
      events: 1,
    };
  }

  get publicKey(): Uint8Array {
    return publicKeyOf(this.seed);
  }

  /** A copy of everything that the lock keeps. */
  snapshot(): ModelState {
    return structuredClone(this.state);
  }

  reboot(): void {
    this.state.boot++;
    this.state.receipts = 0;
    this.state.events++;
  }

  /** A whole receipt message, or a result code. */
  bundle(envelope: Uint8Array, issuer: Uint8Array): Uint8Array | number {
    const { signature, signed, fields } = takeApart(envelope, "tumbler/1 bundle");
    if (!verify(null, signed, publicKey(issuer), signature)) return CODE.badSignature;
    const first = num(fields.get(3));
    const deltas = fields.get(7) as [number, Fields][];
    if (num(fields.get(2)) !== this.epoch) return 0x42;
    if (first > this.state.applied + 1) return CODE.gap;
    let head = hex(fields.get(4) as Uint8Array);
    if (first === this.state.applied + 1 && head !== this.state.head) return CODE.fork;
    deltas.forEach(([op, body], i) => {
      head = hex(sha(Buffer.from(head, "hex"), canonical([op, body])).subarray(0, 16));
      const seq = first + i;
      if (seq <= this.state.applied) return;
      const [code, detail] = this.#apply(seq, op, body);
      this.state.codes.push(code);
      this.state.details.push(detail);
      this.state.applied = seq;
      this.state.head = head;
    });
    this.state.events++;
    return this.receipt(first, deltas.length);
  }

  #apply(seq: number, op: number, fields: Fields): [number, number] {
    const refusal = this.refuse?.(fields, op);
    if (refusal !== undefined) return [refusal, 0];
    const { slots, schedules, settings } = this.state;
    const slot = num(fields.get(0));
    const held = slots.get(slot);
    const isMeant = held !== undefined && held.generation === num(fields.get(15));
    switch (op) {
      case 1:
        return [this.#put(seq, slot, held, fields), 0];
      case 2: {
        if (!isMeant) return [CODE.stale, 0];
        const schedule = num(fields.get(7));
        if (schedule !== 0 && !schedules.has(schedule)) return [CODE.noSchedule, 0];
        const kept = [...held.fields].filter(([key]) => [0, 1, 2, 3, 4, 6, 10].includes(key));
        const next = new Map([...kept, ...[...fields].filter(([key]) => key !== 15)]);
        if (same(next, held.fields)) return [CODE.unchanged, 0];
        held.fields = next;
        return [CODE.applied, 0];
      }
      case 3:
        if (slot >= this.size) return [CODE.range, 0];
        if (held === undefined) return [CODE.unchanged, 0];
        if (!isMeant) return [CODE.stale, 0];
        slots.delete(slot);
        return [CODE.applied, 0];
      case 4:
      case 5:
        if (!isMeant) return [CODE.stale, 0];
        if (held.disabled === (op === 5)) return [CODE.unchanged, 0];
        held.disabled = op === 5;
        return [CODE.applied, 0];
      case 6:
        return this.#revoke(num(fields.get(4)));
      case 7: {
        const windows = fields.get(1) as number[][];
        if (JSON.stringify(schedules.get(slot)) === JSON.stringify(windows)) return [CODE.unchanged, 0];
        schedules.set(slot, windows);
        return [CODE.applied, 0];
      }
      case 8:
        if (!schedules.has(slot)) return [CODE.unchanged, 0];
        if ([...slots.values()].some((one) => one.fields.get(7) === slot)) return [CODE.inUse, 0];
        if (this.#hours() === slot) return [CODE.inUse, 0];
        schedules.delete(slot);
        return [CODE.applied, 0];
      case 11: {
        const value = hex(fields.get(1) as Uint8Array);
        if (settings.get(slot) === value) return [CODE.unchanged, 0];
        if (slot === 4 && this.#holds(value.slice(2), -1)) return [CODE.duplicate, 0];
        const schedule = slot === 7 ? Number.parseInt(value.slice(0, 2), 16) : 0;
        if (schedule !== 0 && !schedules.has(schedule)) return [CODE.noSchedule, 0];
        settings.set(slot, value);
        return [CODE.applied, 0];
      }
      default:
        return [CODE.unsupported, 0];
    }
  }

  #put(seq: number, slot: number, held: ModelSlot | undefined, fields: Fields): number {
    if (slot >= this.size) return CODE.capacity;
    if (fields.get(1) === 3 && !this.reader) return CODE.unsupported;
    const schedule = num(fields.get(7));
    if (schedule !== 0 && !this.state.schedules.has(schedule)) return CODE.noSchedule;
    const content = new Map([...fields].filter(([key]) => key !== 15));
    if (held !== undefined && !held.disabled && same(content, held.fields)) return CODE.unchanged;
    if (num(fields.get(15)) !== (held?.generation ?? 0)) return CODE.stale;
    const tag = hex(fields.get(2) as Uint8Array);
    if (this.#holds(tag, slot) || this.master === tag) return CODE.duplicate;
    this.state.slots.set(slot, { fields: content, generation: seq, disabled: false });
    return fields.has(8) ? CODE.installed : CODE.applied;
  }

  /** The tag of the master in hexadecimal, empty for none. */
  get master(): string {
    return (this.state.settings.get(4) ?? "").slice(2);
  }

  /** The schedule of the business hours, 0 for none. */
  #hours(): number {
    return Number.parseInt((this.state.settings.get(7) ?? "00").slice(0, 2), 16);
  }

  /** Whether a slot, but for one, holds a tag. */
  #holds(tag: string, but: number): boolean {
    return [...this.state.slots].some(
      ([slot, { fields }]) => slot !== but && hex(fields.get(2) as Uint8Array) === tag,
    );
  }

  #revoke(user: number): [number, number] {
    const gone = new Set([user]);
    let count = 0;
    for (let again = true; again; ) {
      again = false;
      for (const [slot, { fields }] of this.state.slots) {
        if (!gone.has(num(fields.get(4))) && !gone.has(num(fields.get(6)))) continue;
        gone.add(num(fields.get(4)));
        this.state.slots.delete(slot);
        count++;
        again = true;
      }
    }
    return count === 0 ? [CODE.unchanged, 0] : [CODE.applied, count];
  }

  digest(): Uint8Array {
    const items: Uint8Array[] = [];
    for (const [slot, one] of this.state.slots) items.push(entryItem(slot, one));
    for (const [id, windows] of this.state.schedules)
      items.push(
        Buffer.concat([
          Buffer.from([2, id]),
          ...windows.map(([d, s, n]) => u32((d << 22) | (s << 11) | (n - 1))),
        ]),
      );
    for (const [id, value] of this.state.settings)
      items.push(Buffer.concat([Buffer.from([3, id]), Buffer.from(value, "hex")]));
    let sum = 0n;
    for (const item of items) sum += BigInt(`0x${hex(sha(item))}`);
    return Buffer.from((sum % (1n << 256n)).toString(16).padStart(64, "0"), "hex");
  }

  /** A whole receipt message with the acks from `wanted` on, as far as they are kept. */
  receipt(wanted: number, most = 256, patch: (payload: Fields) => void = () => {}): Uint8Array {
    const { state } = this;
    const first = Math.max(wanted, state.applied - this.kept + 1);
    const codes = state.codes.slice(first - 1, first - 1 + most);
    const details = codes.flatMap((_, i) =>
      state.details[first - 1 + i] > 0 ? [i, state.details[first - 1 + i]] : [],
    );
    const payload: Fields = new Map<number, unknown>([
      [0, 1],
      [1, this.id],
      [2, this.epoch],
      [3, state.applied],
      [4, Buffer.from(state.head, "hex")],
      [5, first],
      [6, Uint8Array.from(codes)],
      [7, details],
      [8, ++state.receipts],
      [9, state.boot],
      [11, 0],
      [12, 0],
      [13, new Uint8Array(this.digest())],
      [14, [state.slots.size, 0, state.schedules.size, 0]],
      [15, [state.events, new Uint8Array(16)]],
      [16, [0, new Uint8Array(8)]],
    ]);
    patch(payload);
    return this.sign(payload);
  }

  sign(payload: Fields, kid = this.id, seed = this.seed): Uint8Array {
    const header = canonical(
      new Map<number, unknown>([
        [1, -19],
        [4, plain(kid)],
      ]),
    );
    const body = canonical(new Map([...payload].map(([key, value]) => [key, plain(value)])));
    const signed = canonical(["Signature1", header, plain(ascii("tumbler/1 receipt")), body]);
    const signature = plain(sign(null, signed, privateKey(seed))) as Uint8Array;
    return canonical([6, 1, [header, new Map(), body, signature]]);
  }
}

/** Buffers as plain arrays of bytes. */
function plain(value: unknown): unknown {
  return Buffer.isBuffer(value) ? new Uint8Array(value) : value;
}

function same(a: Fields, b: Fields): boolean {
  return hex(canonical(a)) === hex(canonical(b));
}

/** The 42 bytes that a slot counts with in the table digest. */
function entryItem(slot: number, { fields, generation, disabled }: ModelSlot): Uint8Array {
  const field = (key: number) => num(fields.get(key));
  const digits = field(3) === 0 ? 0 : field(3) - 3;
  const flags = field(14) | (disabled ? 1 : 0);
  return Buffer.concat([
    Buffer.from([1]),
    u32((slot << 17) | (field(1) << 15) | (field(5) << 12) | field(11)),
    u32((digits << 29) | (flags << 24) | (field(12) << 16) | field(10)),
    u32(generation).subarray(1),
    fields.get(2) as Uint8Array,
    u32(field(4)),
    u32(field(6)),
    u32(field(8)),
    u32(field(9)),
    Buffer.from([field(7), field(13)]),
  ]);
}
