// One lock on a virtual board behind one function from bytes to bytes, the same on Node and on XS: what happens to a lock goes in, and
// what it answered, moved and wrote comes out. Everything ambient is in the steps, the random bytes as a seed, so a life is its steps.
//
// A step is its number and its arguments; an answer is [length, two bytes][what can be seen of the board, JSON][bytes].

import type { Lock } from "../../../firmware/core/lock";
import type { Session } from "../../../firmware/core/session";
import type { Board, Identity } from "../../../firmware/ports";
import type { Crypto } from "../../../protocol/crypto/port";
import { ascii, getU16, getU32, putU16, putU32 } from "../../../protocol/wire/bytes";
import { Trust } from "../../../protocol/wire/receipt";
import type { VirtualBolt, VirtualFeedback } from "../../../simulator/board/board";
import type * as Core from "./core";
import type { CutNor, Supply } from "./cut-nor";

/** What can happen to a lock. Arguments are given in bytes, numbers big-endian. */
export const Step = {
  /** profile 1, lock id 8, lock's seed 32, device secret 32, maker's root 32, seed of randomness 32: chips, erased and without power. */
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
  /** Power comes, whether it was there or not: nothing but the cells of flash goes on. */
  powerCycle: 8,
  /** Two bits flip where these bytes stand last in the credential partition. */
  damage: 9,
  /** Number of a sector 2: the answer is the sector. */
  credentials: 10,
  events: 11,
  /** First event 4, events 2: the answer is those of them that are still there, as JSON. */
  diary: 12,
  /** Operation on flash 2, counted from 0 from here on, bytes 2: there the power goes. The next power cycle calls it off. */
  cut: 13,
  /** The button inside; the answer is what it did, as text. */
  reset: 14,
  /** Before the first power cycle: the maker formats the chips. */
  format: 15,
} as const;

const SECRET = 32;
const LOCK_ID = 8;
const SECTOR_BYTES = 4096;
const DRIFT_PPM = 20;
const NOTHING = new Uint8Array(0);

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

/** What a power cycle leaves of a lock: its chips. */
interface Chips {
  readonly identity: Identity;
  readonly supply: Supply;
  readonly credentials: CutNor;
  readonly events: CutNor;
  readonly random: (buffer: Uint8Array) => void;
}

/** A lock that runs, and what of its board can be seen. */
interface Running {
  readonly lock: Lock;
  readonly bolt: VirtualBolt;
  readonly feedback: VirtualFeedback;
  session: Session;
}

class Life {
  readonly #core: typeof Core;
  readonly #crypto: Crypto;
  #time = 0;
  #chips: Chips | undefined;
  #running: Running | undefined;

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
    if (step === Step.provision) return this.#provision(rest);
    if (step === Step.clock) {
      this.#time = getU32(rest, 0) + getU16(rest, 4) / 1000;
      return NOTHING;
    }
    const chips = this.#chips;
    if (chips === undefined) throw new Error("a life begins with provisioning");
    if (step === Step.powerCycle) return this.#boot(chips);
    if (step === Step.format) {
      this.#core.formatParts(this.#boardOf(chips));
      return NOTHING;
    }
    if (this.#running === undefined) throw new Error("nothing happens to a lock without power");
    return happen(step, rest, chips, this.#running);
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
    const profile = this.#core.profileById(identity.profile);
    if (profile === undefined) throw new Error("provision: no such profile");
    const { CutNor, Supply } = this.#core;
    const supply = new Supply();
    this.#chips = {
      identity,
      supply,
      credentials: new CutNor(profile.credentialBytes, supply),
      events: new CutNor(profile.eventBytes, supply),
      random: randomFrom(this.#crypto, take(SECRET)),
    };
    return NOTHING;
  }

  #boardOf({ identity, credentials, events, random }: Chips) {
    const booted = this.#time;
    return {
      identity,
      credentials,
      events,
      random,
      crypto: this.#crypto,
      clock: { uptime: () => this.#time - booted, driftPpm: DRIFT_PPM },
      bolt: new this.#core.VirtualBolt(),
      feedback: new this.#core.VirtualFeedback(),
    } satisfies Board;
  }

  #boot(chips: Chips): Uint8Array {
    // The lock that ran is gone before there is another.
    this.#running = undefined;
    chips.supply.restore();
    const board = this.#boardOf(chips);
    const lock = new this.#core.Lock(board);
    const { bolt, feedback } = board;
    this.#running = { lock, bolt, feedback, session: lock.open() };
    return NOTHING;
  }

  #seen(): object {
    const chips = this.#chips;
    if (chips === undefined || this.#running === undefined) return {};
    const { bolt, feedback } = this.#running;
    return {
      bolt: [bolt.drawn, bolt.moves],
      shown: [feedback.grants, feedback.refusals, feedback.identifications, feedback.shownAt],
      credentials: chips.credentials.counters,
      events: chips.events.counters,
    };
  }
}

/** What happens to a lock that has power. */
function happen(step: number, rest: Uint8Array, chips: Chips, running: Running): Uint8Array {
  const { lock } = running;
  switch (step) {
    case Step.tick:
      lock.tick();
      return NOTHING;
    case Step.open:
      running.session = lock.open();
      return NOTHING;
    case Step.message:
      return lock.receive(running.session, rest);
    case Step.keys:
      return press(lock, rest);
    case Step.card:
      return Uint8Array.of(lock.presentCard(rest));
    case Step.why:
      return why(lock, rest);
    case Step.damage:
      return damage(chips.credentials, rest);
    case Step.credentials:
      return sectorOf(chips.credentials, rest);
    case Step.events:
      return sectorOf(chips.events, rest);
    case Step.diary:
      return diary(lock, rest);
    case Step.cut:
      chips.supply.cutAt(getU16(rest, 0), getU16(rest, 2));
      return NOTHING;
    case Step.reset:
      return ascii(lock.pressReset());
    default:
      throw new Error("no such step: " + step);
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

function damage(flash: CutNor, wanted: Uint8Array): Uint8Array {
  let at = flash.bytes.lastIndexOf(wanted[0]);
  while (at >= 0 && !wanted.every((byte, i) => flash.bytes[at + i] === byte))
    at = at === 0 ? -1 : flash.bytes.lastIndexOf(wanted[0], at - 1);
  if (at < 0) throw new Error("damage: those bytes are not there");
  flash.bytes[at + 3] ^= 0x10;
  flash.bytes[at + 5] ^= 0x02;
  return NOTHING;
}

function sectorOf({ bytes }: CutNor, rest: Uint8Array): Uint8Array {
  const start = getU16(rest, 0) * SECTOR_BYTES;
  return bytes.subarray(start, start + SECTOR_BYTES);
}

function diary(lock: Lock, rest: Uint8Array): Uint8Array {
  const first = getU32(rest, 0);
  const end = first + getU16(rest, 4);
  const events: object[] = [];
  lock.parts.events.read((event) => {
    if (event.seq >= first && event.seq < end) events.push({ ...event });
  });
  return ascii(JSON.stringify(events));
}

/** A rig whose lock is made of `core` and computes with `crypto`. */
export function rig(core: typeof Core, crypto: Crypto): Rig {
  const life = new Life(core, crypto);
  return (step) => life.step(step);
}
