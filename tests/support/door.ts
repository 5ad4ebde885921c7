// A door for tests: one virtual lock, the keys of its maker, owner and issuer, and a clock to move. What goes in and out are messages;
// a reboot makes a new lock from copied flash bytes. It signs what it is told to, also what an issuer never would.

import { Key } from "../../firmware/core/keypad";
import { Lock } from "../../firmware/core/lock";
import { formatParts } from "../../firmware/core/parts";
import { L500I, LOCK_1000, type Profile } from "../../firmware/core/profile";
import type { Session } from "../../firmware/core/session";
import { EVENT_NAMES } from "../../firmware/core/storage/events";
import type { DoorSensor, Identity } from "../../firmware/ports";
import { claimKeys, credentialTag } from "../../protocol/crypto/derive";
import type { Crypto } from "../../protocol/crypto/port";
import { pageAad, unsealWith } from "../../protocol/crypto/seal";
import {
  type Delta,
  encodeDelta,
  type PutDelta,
  signBundle,
  signClaim,
  signHeartbeat,
  signingKey,
  signKeyset,
  signTime,
} from "../../protocol/issuer/encode";
import { ascii, getU32 } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { genesisHead, nextHead } from "../../protocol/wire/chain";
import { codeName, reasonName } from "../../protocol/wire/codes";
import { Domain, readEnvelope, verifyEnvelope } from "../../protocol/wire/cose";
import { Kind, Role } from "../../protocol/wire/entry";
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_DELTAS, MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import {
  type Ask,
  askBody,
  fetchBody,
  frame,
  helloBody,
  readFrame,
  readPage,
  readResult,
  readStatus,
  type Status,
  Type,
} from "../../protocol/wire/messages";
import { type Heartbeat, May } from "../../protocol/wire/payloads";
import { type Receipt, readReceipt } from "../../protocol/wire/receipt";
import { blankImage, type FlashImage, typePin, VirtualBoard } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { VirtualRtc } from "../../simulator/board/rtc";
import { Dice } from "./dice";

export { L500I, LOCK_1000 };

/** 2027-03-01 00:00:00 UTC, a Monday. */
export const MONDAY = 1_803_859_200;

const bytesOf = (random: (buffer: Uint8Array) => void, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  random(bytes);
  return bytes;
};

/** An answer of the lock, taken apart. */
export interface Answer {
  readonly type: number;
  /** The result code's name where the answer is a result. */
  readonly result?: string;
  readonly detail?: number;
  readonly receipt?: Receipt;
  readonly status?: Status;
  /** Sealed. */
  readonly page?: Uint8Array;
}

/** A page of events, opened. */
export interface OpenPage {
  readonly first: number;
  readonly head: Uint8Array;
  /** 32 bytes each. */
  readonly entries: readonly Uint8Array[];
}

/** What a door can be made with. */
export interface DoorOptions {
  readonly profile?: Profile;
  readonly seed?: number;
  readonly crypto?: Crypto;
  /** Leave the lock unclaimed. */
  readonly unclaimed?: boolean;
  /** Give the board a clock that goes on without power. */
  readonly rtc?: boolean;
  /** Give it a sensor that sees whether the door is closed: {@link Door.isClosed}. */
  readonly sensor?: boolean;
}

export class Door {
  readonly crypto: Crypto;
  /** UTC seconds of the world. */
  now = MONDAY;
  board: VirtualBoard;
  lock: Lock;
  session: Session;
  readonly maker;
  readonly owner;
  readonly issuer;
  readonly identity: Identity;
  readonly random: (buffer: Uint8Array) => void;
  readonly pinKey: Uint8Array;
  /** The issuer's side of the log. */
  epoch = 1;
  seq = 0;
  head: Uint8Array;
  readonly rtc: VirtualRtc | undefined;
  isClosed = true;
  readonly #sensor: DoorSensor | undefined;
  #request = 0;

  constructor(options: DoorOptions = {}) {
    this.crypto = options.crypto ?? node;
    if (options.rtc) this.rtc = new VirtualRtc({ world: { now: () => this.now } });
    if (options.sensor) this.#sensor = { isClosed: () => this.isClosed };
    this.random = new Dice(options.seed ?? 1).fill;
    this.maker = signingKey(this.crypto, bytesOf(this.random, 32));
    this.owner = signingKey(this.crypto, bytesOf(this.random, 32));
    this.issuer = signingKey(this.crypto, bytesOf(this.random, 32));
    this.identity = {
      lock: bytesOf(this.random, 8),
      profile: (options.profile ?? LOCK_1000).id,
      seed: bytesOf(this.random, 32),
      deviceSecret: bytesOf(this.random, 32),
      makerRoot: this.maker.publicKey,
    };
    this.pinKey = claimKeys(this.crypto, this.identity.deviceSecret, 1).pinKey;
    this.head = genesisHead(this.crypto, this.identity.lock, 1);
    this.board = this.#makeBoard(blankImage(this.identity));
    formatParts(this.board);
    this.lock = new Lock(this.board);
    this.session = this.lock.open();
    this.lock.tick();
    if (options.unclaimed !== true) this.claim();
  }

  #makeBoard(image: FlashImage): VirtualBoard {
    const world = { now: () => this.now };
    const { crypto, random, rtc: held } = this;
    return new VirtualBoard({ image, crypto, world, random, held, door: this.#sensor });
  }

  /** A power cycle: nothing but flash bytes goes on. */
  reboot(): void {
    this.board = this.#makeBoard(this.board.image());
    this.lock = new Lock(this.board);
    this.session = this.lock.open();
  }

  /** Sends a whole message and takes the answer apart. A receipt is verified first. */
  sendMessage(message: Uint8Array): Answer {
    const bytes = this.lock.receive(this.session, message.slice()).slice();
    const reader = new Reader(bytes);
    const head = readFrame(reader);
    if (head === undefined) throw new Error("answer: not a message");
    if (head.type === Type.status) return { type: head.type, status: readStatus(reader) };
    if (head.type === Type.result) {
      const result = readResult(reader);
      if (result === undefined) throw new Error("answer: not a result");
      return { type: head.type, result: codeName(result.code), detail: result.detail };
    }
    if (head.type === Type.page) return { type: head.type, page: readPage(reader) };
    const envelope = readEnvelope(reader, MAX_BUNDLE_BYTES);
    const key = this.crypto.ed25519PublicKey(this.identity.seed);
    if (envelope === undefined || !verifyEnvelope(this.crypto, envelope, Domain.receipt, key))
      throw new Error("answer: a receipt that does not verify");
    const receipt = readReceipt(new Reader(envelope.payload));
    if (receipt === undefined) throw new Error("answer: not a receipt");
    return { type: head.type, receipt };
  }

  /** Sends a body as the next request. */
  send(type: number, body: Uint8Array): Answer {
    return this.sendMessage(frame(type, ++this.#request & 0xffff, body));
  }

  hello(): Status {
    const answer = this.send(Type.hello, helloBody(MAX_MESSAGE_BYTES));
    if (answer.status === undefined) throw new Error("hello: wanted a status");
    return answer.status;
  }

  /** Claim, keyset and time: a lock in service. */
  claim(): void {
    this.hello();
    const { lock } = this.identity;
    const ticket = { lock, number: 1, owner: this.owner.publicKey, site: "test" };
    this.expectDone(this.send(Type.claim, signClaim(this.crypto, this.maker, ticket)));
    const key = { kid: this.issuer.kid, publicKey: this.issuer.publicKey, may: May.bundle | May.time };
    const keyset = { lock, number: 1, keys: [key], claim: 1 };
    this.expectDone(this.send(Type.keys, signKeyset(this.crypto, this.owner, keyset)));
    this.setTime();
  }

  /** A fresh session with a fresh time answer. */
  setTime(): Answer {
    const { nonce } = this.hello();
    const answer = {
      lock: this.identity.lock,
      nonce: nonce.slice(),
      time: Math.floor(this.now),
      timeEpoch: 0,
    };
    return this.send(Type.time, signTime(this.crypto, this.issuer, answer));
  }

  expectDone(answer: Answer): void {
    if (answer.result !== "applied") throw new Error(`wanted applied, got ${answer.result}`);
  }

  /** Signs deltas as the next run of the log, without sending them. */
  bundle(deltas: readonly Delta[], notAfter = 0): Uint8Array {
    const encoded = deltas.map(encodeDelta);
    const head = {
      lock: this.identity.lock,
      epoch: this.epoch,
      first: this.seq + 1,
      before: this.head,
      issuedAt: Math.floor(this.now),
      notAfter,
    };
    for (const delta of encoded) this.head = nextHead(this.crypto, this.head, delta);
    this.seq += encoded.length;
    return signBundle(this.crypto, this.issuer, head, encoded);
  }

  /** Signs and sends deltas in bundles of at most 32; returns the name of each one's result code. */
  apply(...deltas: Delta[]): string[] {
    const names: string[] = [];
    if (!this.session.greeted) this.hello();
    for (let i = 0; i < deltas.length; i += MAX_BUNDLE_DELTAS) {
      const answer = this.send(Type.bundle, this.bundle(deltas.slice(i, i + MAX_BUNDLE_DELTAS)));
      if (answer.receipt === undefined) throw new Error(`bundle: ${answer.result}`);
      for (const code of answer.receipt.codes) names.push(codeName(code));
    }
    return names;
  }

  /** A put of a PIN with what matters set and the rest as usual. */
  pin(slot: number, digits: string, more: Partial<PutDelta> = {}): PutDelta {
    const tag = credentialTag(this.crypto, this.pinKey, Kind.pin, ascii(digits));
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

  /** A put of a card. */
  card(slot: number, uid: Uint8Array, more: Partial<PutDelta> = {}): PutDelta {
    const tag = credentialTag(this.crypto, this.pinKey, Kind.card, uid);
    return { op: "put", slot, kind: Kind.card, tag, user: 1000 + slot, role: Role.resident, ...more };
  }

  /**
   * Presses keys: digits, `*` for clear, `#` for confirm. Says of each entry whether the person was shown a grant or a refusal, as in
   * "granted refused".
   */
  keys(text: string): string {
    const shown: string[] = [];
    for (const key of text) {
      const { grants, refusals } = this.board.feedback;
      this.lock.press(key === "*" ? Key.clear : key === "#" ? Key.confirm : Number(key));
      if (this.board.feedback.grants > grants) shown.push("granted");
      if (this.board.feedback.refusals > refusals) shown.push("refused");
    }
    return shown.join(" ");
  }

  /** Lets seconds pass, with a tick each second. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now++;
      this.lock.tick();
    }
  }

  /** The events of the log from `first` on, oldest first, as "kind reason" or "kind". */
  events(first = 1): string[] {
    const texts: string[] = [];
    this.lock.parts.events.read(({ seq, kind, reason }) => {
      if (seq >= first) texts.push(EVENT_NAMES[kind] + (reason === 0 ? "" : ` ${reasonName(reason)}`));
    });
    return texts;
  }

  /** Types a PIN at the keypad; the name of the reason. */
  type(digits: string): string {
    return reasonName(typePin(this.lock, digits));
  }

  /** Sends a heartbeat: issued now, with everything seen, unless `more` says otherwise. Returns the result's name. */
  beat(more: Partial<Heartbeat> = {}): string {
    if (!this.session.greeted) this.hello();
    const heartbeat = {
      lock: this.identity.lock,
      epoch: this.epoch,
      issuedAt: Math.floor(this.now),
      acks: this.seq,
      events: this.lock.parts.events.next,
      ...more,
    };
    const answer = this.send(Type.heartbeat, signHeartbeat(this.crypto, this.issuer, heartbeat));
    return answer.result ?? "no result";
  }

  /** Fetches events from `first` on, and opens the page with the key of claim `claim`. */
  page(first: number, claim = 1): OpenPage {
    if (!this.session.greeted) this.hello();
    const { page, result } = this.send(Type.fetch, fetchBody(first));
    const { eventKey } = claimKeys(this.crypto, this.identity.deviceSecret, claim);
    const plain = page && unsealWith(this.crypto, eventKey, pageAad(this.identity.lock), page);
    if (plain === undefined) throw new Error(`fetch: ${result ?? "a page that does not open"}`);
    const entries: Uint8Array[] = [];
    for (let at = 20; at < plain.length; at += 32) entries.push(plain.slice(at, at + 32));
    return { first: getU32(plain, 0), head: plain.slice(4, 20), entries };
  }

  /** Asks the lock to state something in its receipt. */
  ask(ask: Partial<Ask>): Receipt {
    if (!this.session.greeted) this.hello();
    const { receipt, result } = this.send(Type.ask, askBody({ first: 1, ...ask }));
    if (receipt === undefined) throw new Error(`ask: ${result}`);
    return receipt;
  }

  /** The receipt that an empty question gives: what the lock is now. */
  receipt(): Receipt {
    if (!this.session.greeted) this.hello();
    const answer = this.send(Type.ask, new Uint8Array([0xa1, 0x00, 0x01]));
    if (answer.receipt === undefined) throw new Error(`ask: ${answer.result}`);
    return answer.receipt;
  }
}
