// A virtual board: flash, a monotonic clock, keypad, bolt and feedback for one lock. A power cycle gives a new board whose only
// inheritance is the bytes of its flash, copied.

import { Key } from "../../firmware/core/keypad";
import type { Lock } from "../../firmware/core/lock";
import { profileById } from "../../firmware/core/profile";
import type { Board, Bolt, Clock, DoorSensor, Feedback, HeldClock, Identity } from "../../firmware/ports";
import type { Crypto } from "../../protocol/crypto/port";
import { NorFlash } from "./nor";

/** What survives a power cycle. */
export interface FlashImage {
  readonly identity: Identity;
  readonly credentials: Uint8Array;
  readonly events: Uint8Array;
}

/** Time as the world has it, shared by all boards of a simulation; seconds, UTC. */
export interface WorldClock {
  now(): number;
}

/** Where the bolt is and how often it moved. */
export class VirtualBolt implements Bolt {
  drawn = false;
  moves = 0;

  draw(): void {
    this.drawn = true;
    this.moves++;
  }

  throw(): void {
    this.drawn = false;
    this.moves++;
  }
}

/** Counts what a person at the door was shown. */
export class VirtualFeedback implements Feedback {
  grants = 0;
  refusals = 0;
  identifications = 0;
  /** The uptime at which the last of it is shown, seconds since boot. */
  shownAt = 0;

  granted(at: number): void {
    this.grants++;
    this.shownAt = at;
  }

  refused(at: number): void {
    this.refusals++;
    this.shownAt = at;
  }

  identify(at: number): void {
    this.identifications++;
    this.shownAt = at;
  }
}

/** How a board is made. */
export interface BoardOptions {
  readonly image: FlashImage;
  readonly crypto: Crypto;
  readonly world: WorldClock;
  /** Fills a buffer with random bytes; from a seed where a run shall repeat. */
  readonly random: (buffer: Uint8Array) => void;
  /** Drift that the board declares, in parts per million; 20 is a usual crystal. */
  readonly driftPpm?: number;
  /** A clock that goes on without power, if the board has one. */
  readonly held?: HeldClock;
  /** A sensor that sees whether the door is closed, if it has one. */
  readonly door?: DoorSensor;
}

const USUAL_DRIFT_PPM = 20;

export class VirtualBoard implements Board {
  readonly identity: Identity;
  readonly credentials: NorFlash;
  readonly events: NorFlash;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly bolt = new VirtualBolt();
  readonly feedback = new VirtualFeedback();
  readonly door?: DoorSensor;
  readonly random: (buffer: Uint8Array) => void;

  constructor(options: BoardOptions) {
    const { image, world } = options;
    const booted = world.now();
    this.identity = copyIdentity(image.identity);
    this.credentials = new NorFlash(image.credentials.length, image.credentials);
    this.events = new NorFlash(image.events.length, image.events);
    this.crypto = options.crypto;
    this.random = options.random;
    const { held, driftPpm = USUAL_DRIFT_PPM } = options;
    this.clock = { uptime: () => world.now() - booted, driftPpm, held };
    this.door = options.door;
  }

  /** The bytes that a power cycle leaves. */
  image(): FlashImage {
    return {
      identity: copyIdentity(this.identity),
      credentials: this.credentials.bytes.slice(),
      events: this.events.bytes.slice(),
    };
  }
}

function copyIdentity(identity: Identity): Identity {
  return {
    lock: identity.lock.slice(),
    profile: identity.profile,
    seed: identity.seed.slice(),
    deviceSecret: identity.deviceSecret.slice(),
    makerRoot: identity.makerRoot.slice(),
  };
}

/** Erased partitions of the sizes that the identity's profile has. Throws a RangeError for an unknown profile. */
export function blankImage(identity: Identity): FlashImage {
  const profile = profileById(identity.profile);
  if (profile === undefined) throw new RangeError(`identity: unknown profile ${identity.profile}`);
  return {
    identity,
    credentials: new Uint8Array(profile.credentialBytes).fill(0xff),
    events: new Uint8Array(profile.eventBytes).fill(0xff),
  };
}

/** Types digits and the confirm key at a lock's keypad, a fifth of a second apart at most. Returns the reason. */
export function typePin(lock: Lock, digits: string): number {
  for (const digit of digits) lock.press(Number(digit));
  const reason = lock.press(Key.confirm);
  if (reason === undefined) throw new Error("keypad: the confirm key always ends an entry");
  return reason;
}
