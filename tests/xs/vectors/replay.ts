// A lock as an identity of the vectors describes it, with the clock and the nonces that their steps give: on whatever engine, with whatever
// crypto. An answer is compared with the one that stands in the vectors, but for the lock's own event numbers, as their texts say.

import { Lock } from "../../../firmware/core/lock";
import { formatParts } from "../../../firmware/core/parts";
import { PROFILES, type Profile } from "../../../firmware/core/profile";
import type { Session } from "../../../firmware/core/session";
import { claimKeys } from "../../../protocol/crypto/derive";
import type { Crypto } from "../../../protocol/crypto/port";
import { pageAad, unsealWith } from "../../../protocol/crypto/seal";
import { fromHex, toHex } from "../../../protocol/wire/bytes";
import { Reader, Writer } from "../../../protocol/wire/cbor";
import { codeName } from "../../../protocol/wire/codes";
import { Domain, readEnvelope, signEnvelope } from "../../../protocol/wire/cose";
import { EVENT_BYTES } from "../../../protocol/wire/limits";
import { frame, readFrame, readPage, readResult, Type } from "../../../protocol/wire/messages";
import { type Receipt, readReceipt, writeReceipt } from "../../../protocol/wire/receipt";
import { type FlashImage, VirtualBoard } from "../../../simulator/board/board";

export interface IdentityJson {
  readonly profile: string;
  readonly lock: string;
  readonly seed: string;
  readonly deviceSecret: string;
  readonly makerRoot: string;
}

/** A message and its answer, in hexadecimal. */
export interface ExchangeJson {
  readonly name: string;
  readonly send: string;
  readonly answer: string;
  readonly uptime: number;
  readonly random?: string;
  readonly reads: Readonly<Record<string, unknown>>;
}

const NO_RANDOM = "0000000000000000";
const PAGE_HEAD_BYTES = 20;
/** The first event stands behind its seq; the head of the chain before it is the lock's own. */
const SEQ_BYTES = 4;
/** Bits of an event for the lock's own use, which the vectors show as 0. */
const OWN_BITS = Uint8Array.from({ length: EVENT_BYTES }, (_, at) =>
  at >= 26 ? 0xff : at === 0 ? 0xc0 : at === 2 ? 0x0c : at === 25 ? 1 : 0,
);
const SECTOR_BYTES = 4096;
/** As much flash as a few messages need: a lock boots in a fraction of the time. */
const SMALL_SECTORS = 3;

/** What is in a message: its head, and the receipt where it is one. */
export function receiptOf(message: Uint8Array): { type: number; request: number; receipt?: Receipt } {
  const reader = new Reader(message);
  const head = readFrame(reader);
  if (head === undefined) throw new Error("an answer that is no message");
  const envelope = head.type === Type.receipt ? readEnvelope(reader, message.length) : undefined;
  return { ...head, receipt: envelope && readReceipt(new Reader(envelope.payload)) };
}

/** An answer in one word: the name of its code, the names of its acks, or what it is; and its detail. */
export function answerOf(message: Uint8Array): { answer: string | string[]; detail: number } {
  const { type, receipt } = receiptOf(message);
  if (receipt !== undefined) return { answer: Array.from(receipt.codes, codeName), detail: 0 };
  if (type !== Type.result) {
    const [name] = Object.entries(Type).find(([, number]) => number === type) ?? ["nothing"];
    return { answer: name, detail: 0 };
  }
  const reader = new Reader(message);
  readFrame(reader);
  const result = readResult(reader);
  if (result === undefined) throw new Error("a result that cannot be read");
  return { answer: codeName(result.code), detail: result.detail };
}

/** Chips as the maker formats them: the same for every lock of an identity. */
const formatted = new Map<string, FlashImage>();

function blankOf(identity: IdentityJson, profile: Profile, isSmall: boolean): FlashImage {
  const blank = (bytes: number) => new Uint8Array(bytes).fill(0xff);
  return {
    identity: {
      profile: profile.id,
      lock: fromHex(identity.lock),
      seed: fromHex(identity.seed),
      deviceSecret: fromHex(identity.deviceSecret),
      makerRoot: fromHex(identity.makerRoot),
    },
    credentials: blank(isSmall ? SMALL_SECTORS * SECTOR_BYTES : profile.credentialBytes),
    events: blank(isSmall ? SMALL_SECTORS * SECTOR_BYTES : profile.eventBytes),
  };
}

export class Replay {
  lock: Lock;
  readonly #crypto: Crypto;
  readonly #identity: IdentityJson;
  #board: VirtualBoard;
  #session: Session;
  #uptime = 0;
  #random = NO_RANDOM;

  /** `isSmall` gives the lock no more flash than a few messages need. */
  constructor(identity: IdentityJson, crypto: Crypto, isSmall = false) {
    const profile = PROFILES.find(({ name }) => name === identity.profile);
    if (profile === undefined) throw new Error(`no such profile: ${identity.profile}`);
    this.#crypto = crypto;
    this.#identity = identity;
    const key = `${isSmall} ${Object.values(identity).join()}`;
    let image = formatted.get(key);
    if (image === undefined) {
      const board = this.#boardOf(blankOf(identity, profile, isSmall));
      formatParts(board);
      image = board.image();
      formatted.set(key, image);
    }
    this.#board = this.#boardOf(image);
    this.lock = new Lock(this.#board);
    this.lock.tick();
    this.#session = this.lock.open();
  }

  #boardOf(image: FlashImage): VirtualBoard {
    const random = (buffer: Uint8Array) => buffer.set(fromHex(this.#random).subarray(0, buffer.length));
    return new VirtualBoard({ image, crypto: this.#crypto, world: { now: () => this.#uptime }, random });
  }

  powerCycle(): void {
    this.#uptime = 0;
    this.#board = this.#boardOf(this.#board.image());
    this.lock = new Lock(this.#board);
    this.lock.tick();
    this.newSession();
  }

  newSession(): void {
    this.#session = this.lock.open();
  }

  send(message: Uint8Array, uptime: number, random = NO_RANDOM): Uint8Array {
    this.#uptime = uptime;
    this.#random = random;
    return this.lock.receive(this.#session, message).slice();
  }

  /** Sends what an exchange sends. Returns what is wrong with the answer, undefined for nothing. */
  exchange({ name, send, answer, uptime, random, reads }: ExchangeJson): string | undefined {
    const got = this.#plain(this.send(fromHex(send), uptime, random), reads);
    const wanted = this.#plain(fromHex(answer), reads);
    return toHex(got) === toHex(wanted) ? undefined : `${name}: wanted ${toHex(wanted)}, got ${toHex(got)}`;
  }

  /** An answer without what is the lock's own. */
  #plain(message: Uint8Array, reads: ExchangeJson["reads"]): Uint8Array {
    const { type, request, receipt } = receiptOf(message);
    if (type === Type.page) return this.#plainPage(message);
    if (receipt === undefined) return message;
    receipt.nextEvent = Number(reads.nextEvent);
    receipt.eventHead = fromHex(String(reads.eventHead));
    const writer = new Writer(new Uint8Array(message.length + 64));
    writeReceipt(writer, receipt);
    const { lock, seed } = this.#identity;
    const cose = signEnvelope(this.#crypto, Domain.receipt, fromHex(lock), writer.view(), fromHex(seed));
    return frame(type, request, cose);
  }

  /** The opened page: seq and events, without their own bits and the head. */
  #plainPage(message: Uint8Array): Uint8Array {
    const { lock, deviceSecret } = this.#identity;
    const reader = new Reader(message);
    readFrame(reader);
    const sealed = readPage(reader);
    const { eventKey } = claimKeys(this.#crypto, fromHex(deviceSecret), 1);
    const plain = sealed && unsealWith(this.#crypto, eventKey, pageAad(fromHex(lock)), sealed);
    if (plain === undefined) throw new Error("a page that does not open");
    return plain.map((byte, at) => {
      if (at < PAGE_HEAD_BYTES) return at < SEQ_BYTES ? byte : 0;
      return byte & ~OWN_BITS[(at - PAGE_HEAD_BYTES) % EVENT_BYTES];
    });
  }
}
