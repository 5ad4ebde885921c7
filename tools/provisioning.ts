// Provisioning (rules P1, P6): a new lock's identity on formatted flash, and what its owner's issuer gets to know of it. The device
// secret and the seed stay in the image; the record has the keys of this one claim and no more.

import { formatParts } from "../firmware/core/parts";
import { claimKeys } from "../protocol/crypto/derive";
import { type SigningKey, signClaim } from "../protocol/issuer/encode";
import type { LockRecord } from "../protocol/issuer/facts";
import { LOCK_ID_BYTES } from "../protocol/wire/limits";
import { blankImage, type FlashImage, VirtualBoard } from "../simulator/board/board";
import { node } from "../simulator/board/crypto";

/** What a lock is made with. */
export interface Provisioning {
  /** The number of the profile. */
  readonly profile: number;
  /** The maker's root, which signs the claim ticket. */
  readonly maker: SigningKey;
  /** The public key of the owner's root. */
  readonly owner: Uint8Array;
  readonly site: string;
  /** Fills a buffer with random bytes that nobody can guess. */
  readonly random: (buffer: Uint8Array) => void;
  /** 8 bytes; random ones when left out. */
  readonly lock?: Uint8Array;
  /** 1 when left out. */
  readonly claim?: number;
}

/** A new lock: its flash, and the issuer's record of it. */
export interface Provisioned {
  readonly image: FlashImage;
  readonly record: LockRecord;
}

/** Makes a lock. Throws a RangeError for an unknown profile. */
export function provisionLock(options: Provisioning): Provisioned {
  const { profile, maker, owner, site, random } = options;
  const fresh = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    random(bytes);
    return bytes;
  };
  const lock = options.lock ?? fresh(LOCK_ID_BYTES);
  const number = options.claim ?? 1;
  const identity = { lock, profile, seed: fresh(32), deviceSecret: fresh(32), makerRoot: maker.publicKey };
  const world = { now: () => 0 };
  const board = new VirtualBoard({ image: blankImage(identity), crypto: node, world, random });
  formatParts(board);
  const record: LockRecord = {
    lock,
    publicKey: node.ed25519PublicKey(identity.seed),
    claim: number,
    ticket: signClaim(node, maker, { lock, number, owner, site }),
    keys: claimKeys(node, identity.deviceSecret, number),
  };
  return { image: board.image(), record };
}
