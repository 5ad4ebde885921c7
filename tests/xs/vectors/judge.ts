// Judges the code of a lock by protocol/vectors, on the engine that it runs on: every family of them, each by the functions that a lock has
// for it. It imports no Node, and gives what is wrong as text.

import { claimKeys, credentialTag, hkdfExpand, hkdfExtract, keyId } from "../../../protocol/crypto/derive";
import type { Crypto } from "../../../protocol/crypto/port";
import { pageAad, unsealWith } from "../../../protocol/crypto/seal";
import { verifySignature } from "../../../protocol/crypto/verify";
import { packAdvert, packInfo, readInfo, rotatingId } from "../../../protocol/wire/advert";
import { fromHex, toHex } from "../../../protocol/wire/bytes";
import { isDeterministic, Reader, Writer } from "../../../protocol/wire/cbor";
import { genesisHead, nextHead } from "../../../protocol/wire/chain";
import { codeName } from "../../../protocol/wire/codes";
import { Domain, readEnvelope, signEnvelope, verifyEnvelope } from "../../../protocol/wire/cose";
import {
  addDigest,
  scheduleDigest,
  settingDigest,
  slotDigest,
  subtractDigest,
} from "../../../protocol/wire/digest";
import { ENTRY_BYTES, type Entry, packEntry } from "../../../protocol/wire/entry";
import { emptyEvent, unpackEvent } from "../../../protocol/wire/event";
import { DIGEST_BYTES } from "../../../protocol/wire/limits";
import {
  frame,
  readFrame,
  readNonce,
  readPage,
  readResult,
  readStatus,
  Type,
} from "../../../protocol/wire/messages";
import { readReceipt } from "../../../protocol/wire/receipt";
import { readRefusals } from "../../../protocol/wire/refusals";
import { agree, packAgreement, readHandshake, Segments, Taken } from "../../../protocol/wire/segments";
import { memo } from "./memo";
import { answerOf, type ExchangeJson, type IdentityJson, Replay, receiptOf } from "./replay";

/** What a family came to. */
export interface Verdict {
  /** How much was compared. */
  checks: number;
  /** What differs: the first few. */
  readonly flaws: string[];
}

// biome-ignore lint/suspicious/noExplicitAny: the vectors are JSON, and what is not as it should be differs
type Json = any;

const MAX_FLAWS = 5;
/** More than a bundle of few deltas needs. */
const MESSAGE_BYTES = 2048;
/** The START of the vectors' issuers. */
const ISSUED_AT = 1_803_859_260;

class Bar implements Verdict {
  checks = 0;
  readonly flaws: string[] = [];

  equal(name: string, got: unknown, wanted: unknown): void {
    this.checks++;
    const [a, b] = [textOf(got), textOf(wanted)];
    if (a !== b && this.flaws.length < MAX_FLAWS) this.flaws.push(`${name}: wanted ${b}, got ${a}`);
  }

  bytes(name: string, got: Uint8Array | undefined, wanted: string): void {
    this.equal(name, got && toHex(got), wanted);
  }

  note(flaw: string | undefined): void {
    this.checks++;
    if (flaw !== undefined && this.flaws.length < MAX_FLAWS) this.flaws.push(flaw);
  }
}

/** JSON with keys in order, and bytes in hexadecimal. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(toHex(value));
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "nothing";
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, item]) => `${key}:${textOf(item)}`).join()}}`;
}

function cbor(bar: Bar, { valid, invalid }: Json): void {
  for (const { hex, note } of valid) bar.equal(note, isDeterministic(fromHex(hex)), true);
  for (const { hex, why } of invalid) bar.equal(why, isDeterministic(fromHex(hex)), false);
}

function derive(bar: Bar, vectors: Json, crypto: Crypto): void {
  for (const { name, data, sha256 } of vectors.sha256) bar.bytes(name, crypto.sha256(fromHex(data)), sha256);
  // RFC 4231 cuts one of its results short.
  for (const { name, key, data, hmac } of vectors.hmacSha256)
    bar.bytes(name, crypto.hmacSha256(fromHex(key), fromHex(data)).subarray(0, hmac.length / 2), hmac);
  for (const { name, secret, salt, info, length, extracted, output } of vectors.hkdfSha256) {
    bar.bytes(name, hkdfExtract(crypto, fromHex(salt), fromHex(secret)), extracted);
    bar.bytes(name, hkdfExpand(crypto, fromHex(extracted), fromHex(info), length), output);
  }
  for (const { name, deviceSecret, claimNumber, ...keys } of vectors.claimKeys)
    bar.equal(name, claimKeys(crypto, fromHex(deviceSecret), claimNumber), keys);
  for (const { name, pinKey, kind, value, tag } of vectors.credentialTag)
    bar.bytes(name, credentialTag(crypto, fromHex(pinKey), kind, fromHex(value)), tag);
  for (const { name, publicKey, keyId: id } of vectors.keyId)
    bar.bytes(name, keyId(crypto, fromHex(publicKey)), id);
}

function ed25519(bar: Bar, vectors: Json, crypto: Crypto): void {
  for (const { name, seed, publicKey, message, signature, valid } of vectors) {
    const [s, m, k] = [fromHex(signature), fromHex(message), fromHex(publicKey)];
    bar.equal(name, verifySignature(crypto, s, m, k), valid);
    if (!seed || !valid) continue;
    bar.bytes(name, crypto.ed25519PublicKey(fromHex(seed)), publicKey);
    bar.bytes(name, crypto.ed25519Sign(m, fromHex(seed)), signature);
  }
}

function chain(bar: Bar, { genesis, heads }: Json, crypto: Crypto): void {
  for (const { name, lock, epoch, head } of genesis)
    bar.bytes(name, genesisHead(crypto, fromHex(lock), epoch), head);
  for (const { seq, before, delta, after } of heads)
    bar.bytes(`head ${seq}`, nextHead(crypto, fromHex(before), fromHex(delta)), after);
}

function digest(bar: Bar, { entries, schedules, settings, sums }: Json, crypto: Crypto): void {
  for (const { name, fields, entry, hash } of entries) {
    const packed = new Uint8Array(ENTRY_BYTES);
    packEntry({ ...fields, tag: fromHex(fields.tag) } as Entry, packed, 0);
    bar.bytes(name, packed, entry);
    bar.bytes(name, slotDigest(crypto, packed), hash);
  }
  for (const { id, packed, hash } of schedules)
    bar.bytes(`schedule ${id}`, scheduleDigest(crypto, id, Uint32Array.from(packed), packed.length), hash);
  for (const { id, value, hash } of settings)
    bar.bytes(`setting ${id}`, settingDigest(crypto, id, fromHex(value)), hash);
  for (const { name, add, subtract, digest: wanted } of sums) {
    const sum = new Uint8Array(DIGEST_BYTES);
    for (const hash of add) addDigest(sum, fromHex(hash));
    for (const hash of subtract) subtractDigest(sum, fromHex(hash));
    bar.bytes(name, sum, wanted);
  }
}

function events(bar: Bar, { lock, eventKey, events: all, pages }: Json, crypto: Crypto): void {
  for (const { fields, bytes } of all) {
    const event = emptyEvent();
    unpackEvent(fromHex(bytes), 0, event);
    bar.equal(bytes, { ...event }, fields);
  }
  for (const { name, sealed, reads } of pages) {
    const plain = unsealWith(crypto, fromHex(eventKey), pageAad(fromHex(lock)), fromHex(sealed));
    const wanted = reads && reads.first.toString(16).padStart(8, "0") + reads.head + reads.events.join("");
    bar.equal(name, plain === undefined ? null : toHex(plain), wanted);
  }
}

/** Two ends that say what stands in the vectors, segment by segment. */
function segments(bar: Bar, { size, window, request, answer, segments: all }: Json): void {
  const ends = { courier: new Segments({ size, window }), lock: new Segments({ size, window }) };
  const heard = { courier: "", lock: "" };
  const mailbag: { from: "courier" | "lock"; segment: string }[] = [];
  ends.courier.send(fromHex(request));
  for (let moved = -1; moved < mailbag.length; ) {
    moved = mailbag.length;
    for (const from of ["courier", "lock"] as const) {
      const said: Uint8Array[] = [];
      for (let next = ends[from].next(); next !== undefined; next = ends[from].next())
        said.push(next.slice());
      const to = from === "lock" ? "courier" : "lock";
      for (const segment of said) {
        mailbag.push({ from, segment: toHex(segment) });
        if (ends[to].take(segment) !== Taken.message) continue;
        heard[to] = toHex(ends[to].message);
        ends[to].done();
        if (to === "lock") ends.lock.send(fromHex(answer));
      }
    }
  }
  const name = `${request.length / 2} and ${answer.length / 2} bytes in segments of ${size}`;
  bar.equal(name, mailbag, all);
  bar.equal(name, heard, { lock: request, courier: answer });
}

function bluetooth(bar: Bar, vectors: Json, crypto: Crypto): void {
  for (const { request, takes, answer } of vectors.handshakes) {
    const read = readHandshake(fromHex(request));
    const given = read && packAgreement(read.speaksOurs ? agree(read, takes) : undefined);
    bar.equal(request, given === undefined ? null : toHex(given), answer);
  }
  for (const exchange of vectors.exchanges) segments(bar, exchange);
  for (const { why, segments: all } of vectors.broken) {
    const end = new Segments({ size: 20, window: 6 });
    const taken = all.map((segment: string) => end.take(fromHex(segment)));
    bar.equal(why, taken.indexOf(Taken.broken), all.length - 1);
  }
  for (const { linkKey, random, applied, flags, serviceData } of vectors.advertisements) {
    const id = rotatingId(crypto, fromHex(linkKey), fromHex(random));
    bar.bytes("an advertisement", packAdvert({ id, applied, flags }), serviceData);
  }
  for (const { value, ...info } of vectors.info) {
    bar.bytes("info", packInfo({ ...info, shortId: fromHex(info.shortId) }), value);
    bar.equal("info", { ...readInfo(fromHex(value)) }, info);
  }
}

function fieldsOf(type: number, reader: Reader): object | undefined {
  if (type === Type.status) return readStatus(reader);
  if (type === Type.result) return readResult(reader);
  if (type === Type.nonce) {
    const nonce = readNonce(reader);
    return nonce && { nonce };
  }
  if (type === Type.refusals) {
    const refusals = readRefusals(reader);
    return refusals && { refusals };
  }
  const sealed = readPage(reader);
  return sealed && { sealed };
}

function messages(bar: Bar, { identity, service, toLock, fromLock }: Json, crypto: Crypto): void {
  const lock = new Replay(identity, crypto);
  for (const exchange of service) bar.note(lock.exchange(exchange));
  for (const { name, greeted, bytes, answer } of toLock) {
    lock.newSession();
    if (greeted) lock.send(fromHex(service[0].send), 1);
    const got = lock.send(fromHex(bytes), 1);
    bar.equal(name, receiptOf(got).receipt === undefined ? answerOf(got).answer : "receipt", answer);
  }
  for (const { name, bytes, means } of fromLock) {
    const reader = new Reader(fromHex(bytes));
    const fields = fieldsOf(readFrame(reader)?.type ?? 0, reader);
    bar.equal(name, fields ?? null, means && { ...means, type: undefined });
  }
}

function envelopes(bar: Bar, { identity, states, cases, receipts, keys }: Json, crypto: Crypto): void {
  const inState = (state: string): Replay => {
    const lock = new Replay(identity, crypto, true);
    for (const exchange of states[state]) bar.note(lock.exchange(exchange));
    return lock;
  };
  for (const { name, message, state, uptime, cose, answer, detail } of cases) {
    const type = Type[message as keyof typeof Type];
    const got = answerOf(inState(state).send(frame(type, 100, fromHex(cose)), uptime ?? 0));
    bar.equal(`${message}, ${state}: ${name}`, got, { answer, detail: detail ?? 0 });
  }
  for (const { name, cose, reads } of receipts) {
    const reader = new Reader(fromHex(cose));
    const envelope = readEnvelope(reader, MESSAGE_BYTES);
    const isWhole = envelope !== undefined && reader.done();
    const isGood = isWhole && verifyEnvelope(crypto, envelope, Domain.receipt, fromHex(keys.lock.publicKey));
    const receipt = isGood ? readReceipt(new Reader(envelope.payload)) : undefined;
    const wrong = isWhole && !isGood ? "bad-signature" : "malformed";
    bar.equal(name, receipt ?? wrong, reads);
  }
}

/** The same crypto, but for signatures: all are good. What a delta does is the matter here, and `signature` any that has the form of one. */
function unsigned(crypto: Crypto, signature: Uint8Array): Crypto {
  return { ...crypto, ed25519Sign: () => signature.slice(), ed25519Verify: () => true };
}

/** A lock in service, as messages.json brings it there, and the issuer whose log it takes. */
class Service {
  readonly replay: Replay;
  readonly #crypto: Crypto;
  readonly #lock: Uint8Array;
  readonly #issuer: { readonly kid: string; readonly seed: string };
  #head: Uint8Array;
  #seq = 0;

  constructor(identity: IdentityJson, service: readonly ExchangeJson[], issuer: Json, crypto: Crypto) {
    this.#crypto = crypto;
    this.#lock = fromHex(identity.lock);
    this.#issuer = issuer;
    this.#head = genesisHead(crypto, this.#lock, 1);
    this.replay = new Replay(identity, crypto, true);
    for (const { send, uptime, random } of service) this.replay.send(fromHex(send), uptime, random);
  }

  /** Sends deltas as the next bundle; the receipt. */
  apply(deltas: readonly Uint8Array[], notAfter = 0) {
    const writer = new Writer(new Uint8Array(MESSAGE_BYTES)).map(notAfter > 0 ? 8 : 7);
    writer.uint(0).uint(1).uint(1).raw(this.#lock).uint(2).uint(1);
    writer
      .uint(3)
      .uint(this.#seq + 1)
      .uint(4)
      .raw(this.#head)
      .uint(5)
      .uint(ISSUED_AT);
    if (notAfter > 0) writer.uint(6).uint(notAfter);
    writer.uint(7).array(deltas.length);
    const head = writer.bytes();
    const payload = new Uint8Array(head.length + deltas.reduce((sum, { length }) => sum + length, 0));
    payload.set(head);
    let at = head.length;
    for (const delta of deltas) {
      payload.set(delta, at);
      at += delta.length;
      this.#head = nextHead(this.#crypto, this.#head, delta);
    }
    this.#seq += deltas.length;
    const { kid, seed } = this.#issuer;
    const cose = signEnvelope(this.#crypto, Domain.bundle, fromHex(kid), payload, fromHex(seed));
    return receiptOf(this.replay.send(frame(Type.bundle, 100 + this.#seq, cose), 0)).receipt;
  }
}

/** The entry of the slot that the last delta named, as it stands in the lock. */
function entryOf({ replay }: Service, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return undefined;
  const slot = (Number.parseInt(wanted.slice(0, 4), 16) >> 1) & 0x3ff;
  const { table } = replay.lock.parts;
  if (table.load(slot) !== "ok") return "none";
  const packed = new Uint8Array(ENTRY_BYTES);
  packEntry(table.entry, packed, 0);
  return toHex(packed);
}

interface DeltaFamily {
  readonly deltas: Json;
  readonly messages: Json;
  readonly envelopes: Json;
}

function deltas(
  bar: Bar,
  { deltas: family, messages: mail, envelopes: signed }: DeltaFamily,
  crypto: Crypto,
) {
  const signature = fromHex(mail.service[1].send.slice(-128));
  const free = unsigned(crypto, signature);
  for (const {
    name,
    profile,
    time,
    notAfter,
    given,
    delta,
    code,
    detail,
    entry,
    digest: sum,
  } of family.cases) {
    const { service } = mail;
    const steps = time === 0 ? service.slice(0, 3) : service;
    const lock = new Service({ ...family.identity, profile }, steps, signed.keys.issuer, free);
    if (given.length > 0) {
      const before = lock.apply(given.map(([one]: [string]) => fromHex(one)));
      bar.equal(
        name,
        before && Array.from(before.codes, codeName),
        given.map(([, one]: string[]) => one),
      );
    }
    const receipt = lock.apply([fromHex(delta)], notAfter);
    const got = receipt && {
      code: codeName(receipt.codes[0]),
      detail: receipt.details[1],
      digest: receipt.digest,
    };
    bar.equal(name, got, { code, detail, digest: sum });
    bar.equal(name, entryOf(lock, entry), entry);
  }
}

function sessions(bar: Bar, { sessions: all }: Json, crypto: Crypto): void {
  for (const { name, identity, steps } of all) {
    const lock = new Replay(identity, crypto);
    for (const step of steps) {
      if (!("event" in step)) {
        const flaw = lock.exchange(step);
        bar.note(flaw && `${name}: ${flaw}`);
      } else if (step.event === "power-cycle") lock.powerCycle();
      else lock.newSession();
    }
  }
}

const FAMILIES: Readonly<Record<string, (bar: Bar, vectors: Json, crypto: Crypto) => void>> = {
  cbor,
  derive,
  ed25519,
  chain,
  digest,
  events,
  bluetooth,
  messages,
  envelopes,
  deltas,
  sessions,
};

/** Judges one family, by the content of its file; deltas by those of deltas, messages and envelopes together. */
export function judge(family: string, vectors: Json, crypto: Crypto): Verdict {
  const bar = new Bar();
  FAMILIES[family](bar, vectors, memo(crypto));
  return bar;
}
