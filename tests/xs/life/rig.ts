// One lock on a virtual board behind one function from bytes to bytes, the same on Node and on XS: what happens to a lock goes in, and
// what it answered, moved and wrote comes out. Everything ambient is in the steps, the random bytes as a seed, so a life is its steps.
//
// A step is its number and its arguments; an answer is [length, two bytes][what can be seen of the board, JSON][bytes].

import type { Lock } from "../../../firmware/core/lock";
import type { Session } from "../../../firmware/core/session";
import type { Identity } from "../../../firmware/ports";
import type { Crypto } from "../../../protocol/crypto/port";
import { ascii, getU16, getU32, putU16, putU32 } from "../../../protocol/wire/bytes";
import { Trust } from "../../../protocol/wire/receipt";
import type { FlashImage, VirtualBoard, WorldClock } from "../../../simulator/board/board";
import type { NorFlash } from "../../../simulator/board/nor";
import type * as Core from "./core";

/** What can happen to a lock. Arguments are given in bytes, numbers big-endian. */
export const Step = {
  /** profile 1, lock id 8, lock's seed 32, device secret 32, maker's root 32, seed of randomness 32: formatted, then booted. */
  provision: 0,
  /** UTC seconds 4, milliseconds 2: what the world's clock shows from now on. */
  clock: 1,
  tick: 2,
  /** A new connection in place of the one before. */
  open: 3,
  /** A message; the answer's bytes are the lock's. */
  message: 4,
  /** Keys of the pad, one a byte; the answer is a reason, or nothing. */
  keys: 5,
  /** A card's UID; the answer is a reason. */
  card: 6,
  /** kind 1, UTC seconds 4, error bound 2, credential: the answer is the explanation as JSON. */
  why: 7,
  /** Nothing but flash bytes goes on. */
  powerCycle: 8,
  /** Two bits flip where these bytes stand last in the credential partition. */
  damage: 9,
  /** The answer is the partition. */
  credentials: 10,
  events: 11,
  /** The answer is every event that is still there, as JSON. */
  diary: 12,
} as const;

const SECRET = 32;
const LOCK_ID = 8;

export type Rig = (step: Uint8Array) => Uint8Array;

/** Random bytes that follow from a seed: SHA-256(seed ‖ counter), one hash for each buffer of up to 32 bytes. */
function randomFrom(crypto: Crypto, seed: Uint8Array): (buffer: Uint8Array) => void {
  const input = new Uint8Array(SECRET + 4);
  input.set(seed);
  let counter = 0;
  return (buffer) => {
    putU32(input, SECRET, counter++);
    buffer.set(crypto.sha256(input).subarray(0, buffer.length));
  };
}

class Life {
  readonly #core: typeof Core;
  readonly #crypto: Crypto;
  #time = 0;
  readonly #world: WorldClock = { now: () => this.#time };
  #random: (buffer: Uint8Array) => void = () => {};
  #board: VirtualBoard | undefined;
  #lock: Lock | undefined;
  #session: Session | undefined;

  constructor(core: typeof Core, crypto: Crypto) {
    this.#core = core;
    this.#crypto = crypto;
  }

  step(step: Uint8Array): Uint8Array {
    const bytes = this.#take(step[0], step.subarray(1));
    const seen = ascii(JSON.stringify(this.#seen()));
    const answer = new Uint8Array(2 + seen.length + bytes.length);
    putU16(answer, 0, seen.length);
    answer.set(seen, 2);
    answer.set(bytes, 2 + seen.length);
    return answer;
  }

  #take(step: number, rest: Uint8Array): Uint8Array {
    const nothing = new Uint8Array(0);
    if (step === Step.provision) return this.#provision(rest);
    if (step === Step.clock) {
      this.#time = getU32(rest, 0) + getU16(rest, 4) / 1000;
      return nothing;
    }
    const board = this.#board;
    const lock = this.#lock;
    const session = this.#session;
    if (board === undefined || lock === undefined || session === undefined)
      throw new Error("a life begins with provisioning");
    switch (step) {
      case Step.tick:
        lock.tick();
        return nothing;
      case Step.open:
        this.#session = lock.open();
        return nothing;
      case Step.message:
        return lock.receive(session, rest);
      case Step.keys:
        return press(lock, rest);
      case Step.card:
        return Uint8Array.of(lock.presentCard(rest));
      case Step.why:
        return why(lock, rest);
      case Step.powerCycle:
        return this.#boot(board.image());
      case Step.damage:
        return damage(board.credentials, rest);
      case Step.credentials:
        return board.credentials.bytes;
      case Step.events:
        return board.events.bytes;
      case Step.diary:
        return diary(lock);
      default:
        throw new Error("no such step: " + step);
    }
  }

  #provision(rest: Uint8Array): Uint8Array {
    let at = 1;
    const take = (length: number): Uint8Array => {
      at += length;
      return rest.slice(at - length, at);
    };
    const identity: Identity = {
      profile: rest[0],
      lock: take(LOCK_ID),
      seed: take(SECRET),
      deviceSecret: take(SECRET),
      makerRoot: take(SECRET),
    };
    this.#random = randomFrom(this.#crypto, take(SECRET));
    const blank = this.#core.blankImage(identity);
    const board = this.#makeBoard(blank);
    this.#core.formatParts(board);
    return this.#boot(board.image());
  }

  #makeBoard(image: FlashImage): VirtualBoard {
    const crypto = this.#crypto;
    return new this.#core.VirtualBoard({ image, crypto, world: this.#world, random: (b) => this.#random(b) });
  }

  #boot(image: FlashImage): Uint8Array {
    this.#board = this.#makeBoard(image);
    this.#lock = new this.#core.Lock(this.#board);
    this.#session = this.#lock.open();
    return new Uint8Array(0);
  }

  #seen(): object {
    if (this.#board === undefined) return {};
    const { bolt, feedback, credentials, events } = this.#board;
    return {
      bolt: [bolt.drawn, bolt.moves],
      shown: [feedback.grants, feedback.refusals],
      credentials: credentials.counters,
      events: events.counters,
    };
  }
}

function press(lock: Lock, keys: Uint8Array): Uint8Array {
  let reason: number | undefined;
  for (const key of keys) reason = lock.press(key);
  return reason === undefined ? new Uint8Array(0) : Uint8Array.of(reason);
}

function why(lock: Lock, rest: Uint8Array): Uint8Array {
  const clock = { trust: Trust.set, now: getU32(rest, 1), bound: getU16(rest, 5) };
  return ascii(JSON.stringify(lock.why(rest[0], rest.subarray(7), clock)));
}

function damage(flash: NorFlash, wanted: Uint8Array): Uint8Array {
  let at = flash.bytes.lastIndexOf(wanted[0]);
  while (at >= 0 && !wanted.every((byte, i) => flash.bytes[at + i] === byte))
    at = at === 0 ? -1 : flash.bytes.lastIndexOf(wanted[0], at - 1);
  if (at < 0) throw new Error("damage: those bytes are not there");
  flash.bytes[at + 3] ^= 0x10;
  flash.bytes[at + 5] ^= 0x02;
  return new Uint8Array(0);
}

function diary(lock: Lock): Uint8Array {
  const events: object[] = [];
  lock.parts.events.read((event) => events.push({ ...event }));
  return ascii(JSON.stringify(events));
}

/** A rig whose lock is made of `core` and computes with `crypto`. */
export function rig(core: typeof Core, crypto: Crypto): Rig {
  const life = new Life(core, crypto);
  return (step) => life.step(step);
}
