// What a lock needs from its board: the only way in or out of firmware/core. Shapes follow ECMA-419 where it has one: a flash
// partition is `embedded:storage/flash`. The ESP32 board, the virtual board and the tests implement these; hosts are injected.

import type { Crypto } from "../protocol/crypto/port";

/** A flash partition, as ECMA-419's storage/flash gives it. Offsets and lengths are in bytes. */
export interface Flash {
  /** Reads into `buffer` (all of it) from `offset`; throws when out of range. */
  read(buffer: Uint8Array, offset: number): void;
  /** Programs `buffer` at `offset`: both are multiples of 16. Bits only go from 1 to 0; throws when the device reports an error. */
  write(buffer: Uint8Array, offset: number): void;
  /** Erases blocks `start` to `end` (end excluded), numbers of blocks. */
  eraseBlock(start: number, end: number): void;
  /** Size and block length in bytes, and how many blocks there are. */
  status(): FlashStatus;
}

/** What {@link Flash.status} tells. */
export interface FlashStatus {
  readonly size: number;
  readonly blockLength: number;
  readonly blocks: number;
}

/** What provisioning put into a lock, and nothing ever changes: the board keeps it where the chip encrypts (rule X10). */
export interface Identity {
  /** 8 bytes. */
  readonly lock: Uint8Array;
  /** The number of a profile in core/profile.ts. */
  readonly profile: number;
  /** The lock's Ed25519 seed, 32 bytes. */
  readonly seed: Uint8Array;
  /** 32 bytes that every derived key comes from. */
  readonly deviceSecret: Uint8Array;
  /** The maker's root public key, 32 bytes: signs claim tickets and nothing else. */
  readonly makerRoot: Uint8Array;
}

/** The monotonic clock of this power cycle, and what the board promises of it. */
export interface Clock {
  /** Seconds since boot; never goes back. */
  uptime(): number;
  /** How far the clock may drift, in parts per million. */
  readonly driftPpm: number;
  /** A clock that goes on while the lock has no power, if the board has one (rule T11). */
  readonly held?: HeldClock;
}

/** A clock with a supply of its own: an external RTC, or a crystal on a backup cell. */
export interface HeldClock {
  /** UTC seconds, counted on since {@link set}; 0 when it was never set or its supply failed. */
  read(): number;
  /** Sets it to UTC seconds. */
  set(time: number): void;
  /** How far it may drift, in parts per million. */
  readonly driftPpm: number;
}

/** The motor bolt. */
export interface Bolt {
  /** Draws the bolt: the door can be opened from outside. */
  draw(): void;
  /** Throws the bolt: the door is locked from outside. The inside handle works in any case. */
  throw(): void;
}

/**
 * What a person at the door sees and hears; the same for every refusal. It is shown when the board's uptime reaches `at`, seconds since
 * boot, and not before, so that nobody learns from its delay what was decided (rules C6, X4).
 */
export interface Feedback {
  granted(at: number): void;
  refused(at: number): void;
}

/** The sensor that sees whether the door is closed. */
export interface DoorSensor {
  isClosed(): boolean;
}

/** Everything a lock is built on. */
export interface Board {
  readonly identity: Identity;
  readonly credentials: Flash;
  readonly events: Flash;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly bolt: Bolt;
  readonly feedback: Feedback;
  /** On boards that have one: the bolt is never thrown while the door stands open (rule M8). */
  readonly door?: DoorSensor;
  /** Fills `buffer` with random bytes. */
  random(buffer: Uint8Array): void;
}
