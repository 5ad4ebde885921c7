// Tells a life to a lock and writes it down: the maker, owner and issuer of one lock, a clock, and a person at its keypad, as steps that
// another rig can be put through. It signs with node:crypto, and what it hears is read, but judged by nobody here.

import { Key } from "../../../firmware/core/keypad";
import type { Profile } from "../../../firmware/core/profile";
import { type ClaimKeys, claimKeys, credentialTag } from "../../../protocol/crypto/derive";
import type { Crypto } from "../../../protocol/crypto/port";
import { pageAad, unsealWith } from "../../../protocol/crypto/seal";
import {
  type Delta,
  encodeDelta,
  type PutDelta,
  type SigningKey,
  signBundle,
  signClaim,
  signCommand,
  signHeartbeat,
  signingKey,
  signKeyset,
  signRebase,
  signReset,
  signTime,
  signUnlock,
} from "../../../protocol/issuer/encode";
import { makeOfflineCode, offlineCodeOn } from "../../../protocol/issuer/offline";
import { partPrint } from "../../../protocol/issuer/rebase";
import { ascii, getU16, getU32, putU16, putU32 } from "../../../protocol/wire/bytes";
import { Reader } from "../../../protocol/wire/cbor";
import { genesisHead, nextHead } from "../../../protocol/wire/chain";
import { DAY_S, dateOfDay } from "../../../protocol/wire/civil";
import { codeName, reasonName } from "../../../protocol/wire/codes";
import { readEnvelope } from "../../../protocol/wire/cose";
import { Kind, Role } from "../../../protocol/wire/entry";
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_DELTAS, MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import {
  askBody,
  emptyBody,
  fetchBody,
  frame,
  helloBody,
  partBody,
  readFrame,
  readNonce,
  readPage,
  readResult,
  readStatus,
  Type,
} from "../../../protocol/wire/messages";
import { CommandOp, May } from "../../../protocol/wire/payloads";
import { readReceipt } from "../../../protocol/wire/receipt";
import { readRefusals } from "../../../protocol/wire/refusals";
import { node } from "../../../simulator/board/crypto";
import { SECTOR_BYTES } from "../../../simulator/board/nor";
import { type Recording, recording } from "./prompter";
import { type Rig, Step } from "./rig";

/** One step as it was told, and what came back. */
export interface Told {
  /** What a person would call it, with what came of it as far as it was read. */
  label: string;
  readonly step: Uint8Array;
  readonly answer: Uint8Array;
  /** What the crypto gave in it, as {@link Prompter} takes it. */
  readonly results: Uint8Array;
}

/** An answer of {@link Rig} in its two halves. */
export function splitAnswer(answer: Uint8Array): { seen: string; bytes: Uint8Array } {
  const end = 2 + getU16(answer, 0);
  return { seen: Buffer.from(answer.subarray(2, end)).toString(), bytes: answer.subarray(end) };
}

/** What a bundle can say other than the truth, for a lock to refuse. */
export interface Lie {
  readonly key?: SigningKey;
  readonly lock?: Uint8Array;
  readonly epoch?: number;
  readonly first?: number;
  readonly before?: Uint8Array;
  readonly notAfter?: number;
}

/** Events that one step shows. */
const DIARY_EVENTS = 32;
const PAGE_HEAD_BYTES = 20;
const EVENT_BYTES = 32;

type OnPart = (number: number) => (() => void) | undefined;

const secret = (name: string): Uint8Array => node.sha256(ascii(name));

export class Teller {
  readonly steps: Told[] = [];
  /** The names of all decisions at the door that came, and of all results of messages and deltas. */
  readonly reasons = new Set<string>();
  readonly results = new Set<string>();
  readonly maker = signingKey(node, secret("maker"));
  readonly owner = signingKey(node, secret("owner"));
  readonly issuer = signingKey(node, secret("issuer"));
  /** A key of the keyset that may tell the time and nothing else. */
  readonly clockmaker = signingKey(node, secret("clockmaker"));
  /** Of a person who may read the lock's log. */
  readonly phone = signingKey(node, secret("phone"));
  readonly lock = secret("lock").slice(0, 8);
  /** The claim that the lock is in, and what its owner derives. */
  claimed = 1;
  keys: ClaimKeys = claimKeys(node, secret("device secret"), 1);
  /** How often each operation on flash was cut, and how many parts of a rebase were taken. */
  cuts = 0;
  parts = 0;
  /** The seq of the first event that was not exported. */
  exported = 1;
  epoch = 1;
  seq = 0;
  head = genesisHead(node, this.lock, 1);
  nonce: Uint8Array = new Uint8Array(8);
  challenge: Uint8Array = new Uint8Array(8);
  readonly #rig: Rig;
  readonly #recording: Recording = recording(node);
  #profile: Profile | undefined;
  #detail = 0;
  #now = 0;
  #request = 0;

  /** `rigOf` makes the rig that lives with this crypto. */
  constructor(rigOf: (crypto: Crypto) => Rig) {
    this.#rig = rigOf(this.#recording.crypto);
  }

  /** What was told, a step each. */
  get labels(): string[] {
    return this.steps.map(({ label }) => label);
  }

  #tell(label: string, number: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
    const step = new Uint8Array(1 + rest.length);
    step[0] = number;
    step.set(rest, 1);
    const answer = this.#rig(step);
    this.steps.push({ label, step, answer, results: this.#recording.take() });
    return splitAnswer(answer).bytes;
  }

  #note(outcome: string): string {
    this.steps[this.steps.length - 1].label += " → " + outcome;
    return outcome;
  }

  #decided(answer: Uint8Array): string {
    if (answer.length === 0) return this.#note("nothing");
    this.reasons.add(reasonName(answer[0]));
    return this.#note(reasonName(answer[0]));
  }

  provision(profile: Profile): void {
    const parts = [
      this.lock,
      secret("lock's seed"),
      secret("device secret"),
      this.maker.publicKey,
      secret("chance"),
    ];
    this.#tell(
      "provision " + profile.name,
      Step.provision,
      Buffer.concat([[profile.id], ...parts].map((part) => Uint8Array.from(part))),
    );
    this.#profile = profile;
    this.#tell("format", Step.format);
    this.powerCycle();
  }

  // ---- time

  get now(): number {
    return Math.floor(this.#now);
  }

  /** Sets the world's clock, in seconds to the millisecond, and lets the lock tick. */
  at(time: number): void {
    this.#now = time;
    const when = new Uint8Array(6);
    putU32(when, 0, Math.floor(time));
    putU16(when, 4, Math.round((time % 1) * 1000));
    this.#tell("clock " + time, Step.clock, when);
  }

  wait(seconds: number): void {
    this.at(this.#now + seconds);
    this.tick();
  }

  tick(): void {
    this.#tell("tick", Step.tick);
  }

  // ---- the door

  type(digits: string, last: number = Key.confirm): string {
    const keys = Uint8Array.of(...Array.from(digits, Number), last);
    return this.#decided(this.#tell("type " + digits, Step.keys, keys));
  }

  card(uid: Uint8Array): string {
    return this.#decided(this.#tell("card", Step.card, uid));
  }

  why(kind: number, value: Uint8Array, now: number, bound = 0): string {
    const head = new Uint8Array(7);
    head[0] = kind;
    putU32(head, 1, now);
    putU16(head, 5, bound);
    return this.#note(Buffer.from(this.#tell("why", Step.why, Buffer.concat([head, value]))).toString());
  }

  powerCycle(): void {
    this.#tell("power cycle", Step.powerCycle);
  }

  /** Flips two bits of a record, where these bytes stand in its newest copy. */
  damage(bytes: Uint8Array): void {
    this.#tell("damage", Step.damage, bytes);
  }

  /** Both partitions and the events, at the end of a life. */
  end(): void {
    const { credentialBytes, eventBytes } = this.#profile as Profile;
    this.#sectors("credentials", Step.credentials, credentialBytes);
    this.#sectors("events", Step.events, eventBytes);
    const words = new Uint8Array(6);
    for (let first = 1, shown = "[]"; shown !== "[]" || first < this.exported; first += DIARY_EVENTS) {
      putU32(words, 0, first);
      putU16(words, 4, DIARY_EVENTS);
      shown = Buffer.from(this.#tell("the events from " + first, Step.diary, words)).toString();
    }
  }

  #sectors(name: string, step: number, bytes: number): void {
    for (let number = 0; number < bytes / SECTOR_BYTES; number++) {
      const word = new Uint8Array(2);
      putU16(word, 0, number);
      this.#tell("sector " + number + " of the " + name, step, word);
    }
  }

  /** The power goes in an operation on flash, counted from 0 from here on, after so many bytes of it; until the next power cycle. */
  cut(operation: number, bytes: number): void {
    const words = new Uint8Array(4);
    putU16(words, 0, operation);
    putU16(words, 2, bytes);
    this.#tell("cut in operation " + operation + " after " + bytes + " bytes", Step.cut, words);
    this.cuts++;
  }

  /** Presses the keys of a text: digits, `*` for clear, `#` for confirm. */
  press(text: string): string {
    const keys = Array.from(text, (key) =>
      key === "*" ? Key.clear : key === "#" ? Key.confirm : Number(key),
    );
    return this.#decided(this.#tell("press " + text, Step.keys, Uint8Array.from(keys)));
  }

  pressReset(): string {
    return this.#note(Buffer.from(this.#tell("the reset button", Step.reset)).toString());
  }

  /** Types today's offline code of a kind. */
  offline(kind: number, index = 0): string {
    const code = offlineCodeOn(kind, index, dateOfDay(Math.floor(this.#now / DAY_S)));
    return this.type(makeOfflineCode(node, this.keys.codeKey, code));
  }

  // ---- the link

  connect(): void {
    this.#tell("connect", Step.open);
  }

  /** Sends a message as it is; returns the name of the result, or the codes of a receipt, or "status". */
  message(label: string, message: Uint8Array): string {
    return this.#note(this.#read(this.#tell(label, Step.message, message)));
  }

  #read(answer: Uint8Array): string {
    const reader = new Reader(answer);
    const type = readFrame(reader)?.type;
    if (type === Type.status) {
      this.nonce = readStatus(reader)?.nonce.slice() ?? this.nonce;
      return "status";
    }
    if (type === Type.result) {
      const result = readResult(reader);
      this.#detail = result?.detail ?? 0;
      return this.#result(result?.code ?? -1);
    }
    if (type === Type.page) return this.#page(readPage(reader));
    if (type === Type.nonce) {
      this.challenge = readNonce(reader)?.slice() ?? this.challenge;
      return "nonce";
    }
    if (type === Type.refusals) return "refusals: " + readRefusals(reader)?.length;
    const envelope = readEnvelope(reader, MAX_BUNDLE_BYTES);
    const receipt = envelope && readReceipt(new Reader(envelope.payload));
    if (receipt === undefined) return "unreadable";
    const names = Array.from(receipt.codes, (code) => this.#result(code));
    return "receipt of " + receipt.applied + ": " + names.join(" ");
  }

  #page(sealed: Uint8Array | undefined): string {
    const plain = sealed && unsealWith(node, this.keys.eventKey, pageAad(this.lock), sealed);
    if (plain === undefined) return "a page that does not open";
    const count = (plain.length - PAGE_HEAD_BYTES) / EVENT_BYTES;
    if (count > 0) this.exported = getU32(plain, 0) + count;
    return "page of " + count + " from " + getU32(plain, 0);
  }

  #result(code: number): string {
    this.results.add(codeName(code));
    return codeName(code);
  }

  send(label: string, type: number, body: Uint8Array): string {
    return this.message(label, frame(type, ++this.#request, body));
  }

  hello(): void {
    this.send("hello", Type.hello, helloBody(MAX_MESSAGE_BYTES));
  }

  ask(first: number): string {
    return this.send("ask from " + first, Type.ask, askBody({ first }));
  }

  claim(key = this.maker, number = 1): string {
    const ticket = { lock: this.lock, number, owner: this.owner.publicKey, site: "harbour" };
    return this.send("claim", Type.claim, signClaim(node, key, ticket));
  }

  keyset(key = this.owner): string {
    const issuer = { kid: this.issuer.kid, publicKey: this.issuer.publicKey, may: May.bundle | May.time };
    const clockmaker = { kid: this.clockmaker.kid, publicKey: this.clockmaker.publicKey, may: May.time };
    const keyset = { lock: this.lock, number: 1, keys: [issuer, clockmaker], claim: this.claimed };
    return this.send("keys", Type.keys, signKeyset(node, key, keyset));
  }

  /** Answers the nonce that came last. */
  time(): string {
    const answer = { lock: this.lock, nonce: this.nonce, time: this.now, timeEpoch: 0 };
    return this.send("time", Type.time, signTime(node, this.issuer, answer));
  }

  /** Asks why the door stayed shut, with the phone. */
  whyShut(): string {
    return this.command(CommandOp.refusals);
  }

  /** Commands something with the phone. */
  command(op: number, argument: Uint8Array = new Uint8Array(0)): string {
    this.send("challenge", Type.challenge, emptyBody());
    const what = { lock: this.lock, nonce: this.challenge, op, argument };
    return this.send("command " + op, Type.command, signCommand(node, this.phone, what));
  }

  /** Opens with the phone. */
  unlock(): string {
    this.send("challenge", Type.challenge, emptyBody());
    const what = { lock: this.lock, nonce: this.challenge };
    return this.send("unlock", Type.unlock, signUnlock(node, this.phone, what));
  }

  /** What has come home: all acks, and the events up to the last that was exported. */
  beat(): string {
    const { lock, epoch, seq: acks, exported: events } = this;
    const heartbeat = { lock, epoch, issuedAt: this.now, acks, events };
    return this.send("heartbeat", Type.heartbeat, signHeartbeat(node, this.issuer, heartbeat));
  }

  /** Fetches pages until there is none. */
  export(): void {
    for (let before = 0; before !== this.exported; ) {
      before = this.exported;
      this.send("fetch from " + before, Type.fetch, fetchBody(before));
    }
  }

  /**
   * A whole new table under a new epoch, whose log begins behind `base`. `onPart` sees the number of each part before it is sent; what it
   * returns happens behind that part, and is a boot.
   */
  rebase(parts: readonly Uint8Array[], base: number, onPart: OnPart = () => undefined): string {
    const prints = parts.map((part) => partPrint(node, part));
    const head = { lock: this.lock, epoch: this.epoch + 1, issuedAt: this.now, base };
    const order = signRebase(node, this.owner, head, prints);
    let said = this.send("rebase", Type.rebase, order);
    for (let sent = 0; sent < 3 * parts.length && said === "applied"; sent++) {
      const number = this.#detail;
      const boot = onPart(number);
      said = this.send("part " + number, Type.part, partBody(number, parts[number - 1]));
      this.parts++;
      boot?.();
      // A lock that has booted knows of no order.
      if (boot !== undefined) said = this.send("rebase again", Type.rebase, order);
    }
    this.epoch++;
    this.seq = base;
    this.head = genesisHead(node, this.lock, this.epoch);
    return said;
  }

  /** The owner's consent to a factory reset. */
  consent(): string {
    const body = signReset(node, this.owner, { lock: this.lock, claim: this.claimed, nonce: this.nonce });
    return this.send("consent", Type.reset, body);
  }

  /** From here on the lock is in its next claim, and its log begins anew. */
  nextClaim(): void {
    this.claimed++;
    this.keys = claimKeys(node, secret("device secret"), this.claimed);
    this.epoch++;
    this.seq = 0;
    this.head = genesisHead(node, this.lock, this.epoch);
  }

  /** Deltas as the next run of the log, signed, and counted as sent. */
  bundle(deltas: readonly Delta[], notAfter = 0): Uint8Array {
    const bundle = this.lie(deltas, { notAfter });
    for (const delta of deltas) this.head = nextHead(node, this.head, encodeDelta(delta));
    this.seq += deltas.length;
    return bundle;
  }

  /** What would be the next bundle, but for what is named; not counted as sent. */
  lie(deltas: readonly Delta[], lie: Lie): Uint8Array {
    const truth = { lock: this.lock, epoch: this.epoch, first: this.seq + 1, before: this.head, notAfter: 0 };
    const { key = this.issuer, ...head } = { ...truth, ...lie };
    return signBundle(node, key, { ...head, issuedAt: this.now }, deltas.map(encodeDelta));
  }

  /** Sends deltas in bundles of at most 32; returns what the last receipt says. */
  apply(...deltas: Delta[]): string {
    let said = "";
    for (let i = 0; i < deltas.length; i += MAX_BUNDLE_DELTAS) {
      const some = deltas.slice(i, i + MAX_BUNDLE_DELTAS);
      said = this.send(some.map((delta) => delta.op).join(" "), Type.bundle, this.bundle(some));
    }
    return said;
  }

  tag(kind: number, value: Uint8Array): Uint8Array {
    return credentialTag(node, this.keys.pinKey, kind, value);
  }

  pin(slot: number, digits: string, more: Partial<PutDelta> = {}): PutDelta {
    const tag = this.tag(Kind.pin, ascii(digits));
    const user = 1000 + slot;
    return {
      op: "put",
      slot,
      kind: Kind.pin,
      tag,
      digits: digits.length,
      user,
      role: Role.resident,
      ...more,
    };
  }

  /** The put of the phone. */
  handset(slot: number, more: Partial<PutDelta> = {}): PutDelta {
    const tag = this.tag(Kind.phone, this.phone.publicKey);
    return { op: "put", slot, kind: Kind.phone, tag, user: 1000 + slot, role: Role.resident, ...more };
  }

  keycard(slot: number, uid: Uint8Array, more: Partial<PutDelta> = {}): PutDelta {
    const user = 1000 + slot;
    return {
      op: "put",
      slot,
      kind: Kind.card,
      tag: this.tag(Kind.card, uid),
      user,
      role: Role.resident,
      ...more,
    };
  }
}
