// The lock that the vectors are made with: fixed keys, a clock that is set by hand, nonces that are written down. What an answer holds of
// the lock's own event log (key 15 of a receipt) is not the protocol's, so it is replaced by numbers that the vectors give.

import { Lock } from "../../firmware/core/lock";
import { formatParts } from "../../firmware/core/parts";
import { L500I, type Profile } from "../../firmware/core/profile";
import type { Session } from "../../firmware/core/session";
import type { Identity } from "../../firmware/ports";
import { claimKeys, credentialTag } from "../../protocol/crypto/derive";
import { pageAad, sealWith, settingAad, unsealWith } from "../../protocol/crypto/seal";
import {
  type BundleHead,
  type Delta,
  encodeDelta,
  type PutDelta,
  type SigningKey,
  signBundle,
  signClaim,
  signingKey,
  signKeyset,
  signTime,
} from "../../protocol/issuer/encode";
import { ascii, fromHex, getU32, putU32, toHex } from "../../protocol/wire/bytes";
import { Reader, Writer } from "../../protocol/wire/cbor";
import { genesisHead, nextHead } from "../../protocol/wire/chain";
import { codeName } from "../../protocol/wire/codes";
import { Domain, readEnvelope, signEnvelope } from "../../protocol/wire/cose";
import { Kind, Role } from "../../protocol/wire/entry";
import {
  EVENT_BYTES,
  HEAD_BYTES,
  MAX_MESSAGE_BYTES,
  PAGE_HEAD_BYTES,
  SEAL_NONCE_BYTES,
} from "../../protocol/wire/limits";
import {
  frame,
  helloBody,
  pageBody,
  readFrame,
  readNonce,
  readPage,
  readResult,
  readStatus,
  Type,
} from "../../protocol/wire/messages";
import { May } from "../../protocol/wire/payloads";
import { type Receipt, readReceipt, writeReceipt } from "../../protocol/wire/receipt";
import { readRefusals } from "../../protocol/wire/refusals";
import { blankImage, type FlashImage, VirtualBoard } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";

/** 2027-03-01 00:00:00 UTC, a Monday. */
export const START = 1_803_859_200;

/** Bytes for a purpose: nothing but its name goes in, so they are the same for ever. */
const named = (purpose: string): Uint8Array => node.sha256(ascii(`tumbler/1 vectors ${purpose}`));

const signer = (name: string): SigningKey => signingKey(node, named(name));

/**
 * Everyone who signs. `clerk` may sign time answers only, `porter` bundles only; nobody knows `stranger`. `phone`, `visitor` and `former`
 * are phones: an admin's, a resident's without capabilities, and one that is disabled.
 */
export const SIGNERS = {
  maker: signer("maker"),
  owner: signer("owner"),
  issuer: signer("issuer"),
  clerk: signer("clerk"),
  porter: signer("porter"),
  stranger: signer("stranger"),
  phone: signer("phone"),
  visitor: signer("visitor"),
  former: signer("former"),
};

export const LOCK_ID = fromHex("7b1d5a40c3e29f86");
const LOCK_SEED = named("lock");
const DEVICE_SECRET = named("device secret");
/** The keys of the claim. */
export const KEYS = claimKeys(node, DEVICE_SECRET, 1);
export const PIN_KEY = KEYS.pinKey;
/** How slow the lock's clock may be, in parts per million: it is part of a receipt's error bound. */
const DRIFT_PPM = 20;
/** The number of the keyset that {@link Bench.serve} sends. */
export const KEYSET_NUMBER = 5;

/** The identity of the bench's lock, as a profile's. */
export function identityOf(profile: Profile): Identity {
  return {
    lock: LOCK_ID,
    profile: profile.id,
    seed: LOCK_SEED,
    deviceSecret: DEVICE_SECRET,
    makerRoot: SIGNERS.maker.publicKey,
  };
}

/** The same as vectors write it. */
export function readableIdentity(profile: Profile): { readonly [field: string]: string | number } {
  const { lock, seed, deviceSecret, makerRoot } = identityOf(profile);
  const bytes = {
    lock: toHex(lock),
    seed: toHex(seed),
    deviceSecret: toHex(deviceSecret),
    makerRoot: toHex(makerRoot),
  };
  return { profile: profile.name, ...bytes, driftPpm: DRIFT_PPM };
}

/** The keyset in service. */
export const KEYSET = [
  { ...SIGNERS.issuer, may: May.bundle | May.time },
  { ...SIGNERS.clerk, may: May.time },
  { ...SIGNERS.porter, may: May.bundle },
].map(({ kid, publicKey, may }) => ({ kid, publicKey, may }));

/** One message and its answer, as vectors write them. */
export interface Exchange {
  readonly name: string;
  /** Seconds since boot. */
  readonly uptime: number;
  /** The bytes that the lock draws for its nonce. */
  readonly random?: string;
  readonly send: string;
  readonly answer: string;
  /** What the answer means. */
  readonly reads: Readable;
}

/** A decoded message: numbers, names and hexadecimal bytes. */
export type Readable = { readonly [key: string]: unknown };

/** How a bench is made. */
export interface BenchOptions {
  /** The small lock where nothing is said: it is made faster. */
  readonly profile?: Profile;
}

export class Bench {
  /** Seconds since boot. */
  uptime = 0;
  /** UTC seconds at boot. */
  booted = START;
  board: VirtualBoard;
  lock: Lock;
  session: Session;
  /** The issuer's side of the log. */
  epoch = 1;
  seq = 0;
  head = genesisHead(node, LOCK_ID, 1);
  /** The bytes of the next nonce, where a test wants particular ones. */
  #drawn: string | undefined;
  #nonces = 0;
  /** Receipts as they were, and as they are shown: a repeated one stays the same. */
  readonly #shown = new Map<string, Uint8Array>();
  #request = 0;

  constructor({ profile = L500I }: BenchOptions = {}) {
    this.board = this.#boardOf(blankImage(identityOf(profile)));
    formatParts(this.board);
    this.lock = new Lock(this.board);
    this.session = this.lock.open();
    this.lock.tick();
  }

  #boardOf(image: FlashImage): VirtualBoard {
    const random = (buffer: Uint8Array) => {
      const bytes = named(`nonce ${++this.#nonces}`).subarray(0, buffer.length);
      this.#drawn = toHex(bytes);
      buffer.set(bytes);
    };
    return new VirtualBoard({
      image,
      crypto: node,
      world: { now: () => this.uptime },
      random,
      driftPpm: DRIFT_PPM,
    });
  }

  /** A power cycle at the same hour of the next day: uptime begins at 0. */
  reboot(): void {
    const image = this.board.image();
    this.uptime = 0;
    this.booted += 86_400;
    this.board = this.#boardOf(image);
    this.lock = new Lock(this.board);
    this.lock.tick();
    this.reconnect();
  }

  /** A new connection. */
  reconnect(): void {
    this.session = this.lock.open();
  }

  /** Sends a whole message. */
  exchange(name: string, message: Uint8Array): Exchange {
    this.#drawn = undefined;
    const given = this.lock.receive(this.session, message.slice()).slice();
    const answer = this.#withoutEvents(withPlainEvents(given));
    const drawn: string | undefined = this.#drawn;
    const random = drawn === undefined ? {} : { random: drawn };
    const bytes = { send: toHex(message), answer: toHex(answer) };
    return { name, uptime: this.uptime, ...random, ...bytes, reads: readAnswer(answer) };
  }

  /** Sends a body as the next request. */
  send(name: string, type: number, body: Uint8Array): Exchange {
    this.#request = (this.#request + 1) & 0xffff;
    return this.exchange(name, frame(type, this.#request, body));
  }

  hello(): Exchange {
    return this.send("hello", Type.hello, helloBody(MAX_MESSAGE_BYTES));
  }

  /** The nonce of the current session. */
  get nonce(): Uint8Array {
    return this.session.nonce.slice();
  }

  /** The nonce that a challenge of the current session was answered with. */
  get challenge(): Uint8Array {
    return this.session.challenge.slice();
  }

  /** Everything that makes a lock ready for bundles: claim, keys and time. */
  serve(): Exchange[] {
    const steps = [this.hello(), this.send("claim", Type.claim, claimTicket())];
    steps.push(this.send("keys", Type.keys, keyset()), this.hello());
    steps.push(this.send("time", Type.time, this.timeAnswer()));
    return steps;
  }

  /** The issuer's answer to the current nonce. */
  timeAnswer(): Uint8Array {
    const time = this.booted + Math.floor(this.uptime);
    return signTime(node, SIGNERS.issuer, { lock: LOCK_ID, nonce: this.nonce, time, timeEpoch: 0 });
  }

  /** What the next bundle says beside its deltas. */
  bundleHead(more: Partial<BundleHead> = {}): BundleHead {
    const place = { lock: LOCK_ID, epoch: this.epoch, first: this.seq + 1, before: this.head };
    return { ...place, issuedAt: START + 60, notAfter: 0, ...more };
  }

  /** Signs deltas as the next run of the log. */
  bundle(deltas: readonly Uint8Array[], more: Partial<BundleHead> = {}): Uint8Array {
    const head = this.bundleHead(more);
    for (const delta of deltas) this.head = nextHead(node, this.head, delta);
    this.seq += deltas.length;
    return signBundle(node, SIGNERS.issuer, head, deltas);
  }

  /** Signs deltas and sends them. */
  apply(name: string, ...deltas: Delta[]): Exchange {
    return this.send(name, Type.bundle, this.bundle(deltas.map(encodeDelta)));
  }

  /** A receipt as another lock of the same history would write it: with event numbers that are nobody's. */
  #withoutEvents(answer: Uint8Array): Uint8Array {
    const reader = new Reader(answer);
    const head = readFrame(reader);
    const envelope = head?.type === Type.receipt ? readEnvelope(reader, MAX_MESSAGE_BYTES) : undefined;
    const receipt = envelope && readReceipt(new Reader(envelope.payload));
    if (head === undefined || receipt === undefined) return answer;
    const count = this.#shown.size;
    receipt.nextEvent = 100 + count;
    receipt.eventHead = named(`events ${count}`).subarray(0, HEAD_BYTES);
    const shown = this.#shown.get(toHex(answer)) ?? frame(Type.receipt, head.request, signReceipt(receipt));
    this.#shown.set(toHex(answer), shown);
    return shown;
  }
}

/** A receipt that the bench's lock signs. */
export function signReceipt(receipt: Receipt): Uint8Array {
  const writer = new Writer(new Uint8Array(MAX_MESSAGE_BYTES));
  writeReceipt(writer, receipt);
  return signEnvelope(node, Domain.receipt, LOCK_ID, writer.view(), LOCK_SEED);
}

/** The claim ticket of the bench's lock. */
export function claimTicket(more: { number?: number; site?: string; owner?: Uint8Array } = {}): Uint8Array {
  const ticket = { lock: LOCK_ID, number: 1, owner: SIGNERS.owner.publicKey, site: "tower", ...more };
  return signClaim(node, SIGNERS.maker, ticket);
}

/** A setting as it travels: sealed under a nonce that comes from its content, since vectors stay as they are. */
export function sealed(setting: number, plain: Uint8Array, lock = LOCK_ID): Uint8Array {
  const nonce = named(`seal ${setting} ${toHex(plain)}`).subarray(0, SEAL_NONCE_BYTES);
  return sealWith(node, KEYS.sealKey, nonce, settingAad(lock, setting), plain);
}

/** The keyset of the bench's lock. */
export function keyset(number = KEYSET_NUMBER, keys = KEYSET): Uint8Array {
  return signKeyset(node, SIGNERS.owner, { lock: LOCK_ID, number, keys, claim: 1 });
}

/** A put of a PIN with what matters set and the rest as usual. */
export function pin(slot: number, digits: string, more: Partial<PutDelta> = {}): PutDelta {
  const tag = credentialTag(node, PIN_KEY, Kind.pin, ascii(digits));
  const user = 1000 + slot;
  return { op: "put", slot, kind: Kind.pin, tag, digits: digits.length, user, role: Role.resident, ...more };
}

/** A put of a card. */
export function card(slot: number, uid: string, more: Partial<PutDelta> = {}): PutDelta {
  const tag = credentialTag(node, PIN_KEY, Kind.card, fromHex(uid));
  return { op: "put", slot, kind: Kind.card, tag, user: 1000 + slot, role: Role.resident, ...more };
}

/** A put of a phone, by its public key. */
export function phone(slot: number, publicKey: Uint8Array, more: Partial<PutDelta> = {}): PutDelta {
  const tag = credentialTag(node, PIN_KEY, Kind.phone, publicKey);
  return { op: "put", slot, kind: Kind.phone, tag, user: 1000 + slot, role: Role.resident, ...more };
}

// ---- pages of events: the bits of an event that are for the lock's own use are not the protocol's, and read as 0 here

const OWN_BITS = Uint8Array.from({ length: EVENT_BYTES }, (_, at) =>
  at >= 26 ? 0xff : at === 0 ? 0xc0 : at === 2 ? 0x0c : at === 25 ? 1 : 0,
);

/** What a page of the bench's lock says. */
export interface Page {
  readonly nonce: Uint8Array;
  readonly first: number;
  readonly head: Uint8Array;
  readonly events: readonly Uint8Array[];
}

/** Opens a whole page message; undefined for any other. */
export function openPage(message: Uint8Array): Page | undefined {
  const reader = new Reader(message);
  const value = readFrame(reader)?.type === Type.page ? readPage(reader) : undefined;
  const plain = value && unsealWith(node, KEYS.eventKey, pageAad(LOCK_ID), value);
  if (value === undefined || plain === undefined) return undefined;
  const count = (plain.length - PAGE_HEAD_BYTES) / EVENT_BYTES;
  const events = Array.from({ length: count }, (_, i) =>
    plain.slice(PAGE_HEAD_BYTES + i * EVENT_BYTES, PAGE_HEAD_BYTES + (i + 1) * EVENT_BYTES),
  );
  return {
    nonce: value.slice(0, SEAL_NONCE_BYTES),
    first: getU32(plain, 0),
    head: plain.slice(4, 20),
    events,
  };
}

/** The value of a page that says so, sealed. */
export function sealPage({ nonce, first, head, events }: Page, lock = LOCK_ID): Uint8Array {
  const plain = new Uint8Array(PAGE_HEAD_BYTES + events.length * EVENT_BYTES);
  putU32(plain, 0, first);
  plain.set(head, 4);
  for (const [i, event] of events.entries()) plain.set(event, PAGE_HEAD_BYTES + i * EVENT_BYTES);
  return sealWith(node, KEYS.eventKey, nonce, pageAad(lock), plain);
}

/** A page with those bits cleared, and a head that is nobody's; any other message as it is. */
export function withPlainEvents(message: Uint8Array): Uint8Array {
  const page = openPage(message);
  if (page === undefined) return message;
  const events = page.events.map((event) => event.map((byte, at) => byte & ~OWN_BITS[at]));
  const head = named("events before a page").subarray(0, HEAD_BYTES);
  const request = readFrame(new Reader(message))?.request ?? 0;
  return frame(Type.page, request, pageBody(sealPage({ ...page, head, events })));
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  return isPlainObject(value) ? fieldsOf(value) : value;
}
const fieldsOf = (object: object): Readable =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, readable(value)]));

/** An answer as names and numbers. */
export function readAnswer(answer: Uint8Array): Readable {
  const reader = new Reader(answer);
  const head = readFrame(reader);
  if (head === undefined) throw new Error("answer: not a message");
  if (head.type === Type.status) return { type: "status", ...fieldsOf(readStatus(reader) ?? {}) };
  if (head.type === Type.result) {
    const result = readResult(reader);
    if (result === undefined) throw new Error("answer: not a result");
    const detail = result.detail === 0 ? {} : { detail: result.detail };
    return { type: "result", code: codeName(result.code), ...detail };
  }
  if (head.type === Type.nonce)
    return { type: "nonce", nonce: toHex(readNonce(reader) ?? new Uint8Array(0)) };
  if (head.type === Type.refusals) return { type: "refusals", refusals: readRefusals(reader) };
  const page = openPage(answer);
  if (page !== undefined) {
    const { first, events } = page;
    return { type: "page", first, head: toHex(page.head), events: events.map(toHex) };
  }
  const envelope = readEnvelope(reader, MAX_MESSAGE_BYTES);
  const receipt = envelope && readReceipt(new Reader(envelope.payload));
  if (receipt === undefined) throw new Error("answer: not a receipt");
  const codes = Array.from(receipt.codes, codeName);
  return { type: "receipt", ...fieldsOf(receipt), codes };
}
