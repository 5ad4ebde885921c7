// What is derived from keys: the five keys of a claim, the tag that stands for a credential, the password of a
// lock at its broker, and the id of a public key.
// Property 6 of the protocol: no PIN, phone key or card number travels or is stored, only its tag. A former
// owner knows the keys of his own claim and can derive none of another: only the lock and its maker hold the
// device secret.

import { ascii, putU32, toHex } from "../wire/bytes";
import type { Crypto } from "./port";

const HASH_BYTES = 32;
const DEVICE_SECRET_BYTES = 32;
const CREDENTIAL_TAG_BYTES = 12;
const KEY_ID_BYTES = 8;

/**
 * What the value under a credential's tag is; the first byte of the hashed text, so kinds never share a tag.
 */
export const TAG_KIND = {
  /** Everything typed at the keypad (PIN, master, duress and local codes): the digits in ASCII. */
  typed: 1,
  /** A phone: its Ed25519 public key, 32 bytes. */
  phone: 2,
  /** A card: its UID, 4 to 10 bytes. */
  card: 3,
} as const;

/** HKDF-Extract with SHA-256 (RFC 5869 §2.2): 32 bytes. An empty salt is the salt of zeros. */
export function hkdfExtract(crypto: Crypto, salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return crypto.hmacSha256(salt, secret);
}

/** HKDF-Expand with SHA-256 (RFC 5869 §2.3): `length` bytes, 0 to 8,160; RangeError beyond. */
export function hkdfExpand(
  crypto: Crypto,
  extracted: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (!(length >= 0 && length <= 255 * HASH_BYTES)) throw new RangeError("HKDF: " + length + " bytes wanted");
  const output = new Uint8Array(length);
  let block = new Uint8Array(0);
  for (let offset = 0, counter = 1; offset < length; offset += HASH_BYTES, counter++) {
    const input = new Uint8Array(block.length + info.length + 1);
    input.set(block);
    input.set(info, block.length);
    input[input.length - 1] = counter;
    block = new Uint8Array(crypto.hmacSha256(extracted, input));
    output.set(block.subarray(0, length - offset), offset);
  }
  return output;
}

/** The keys of one claim, 32 bytes each. */
export interface ClaimKeys {
  /** Makes credential tags. */
  readonly pinKey: Uint8Array;
  /** Seals pages of the event log. */
  readonly eventKey: Uint8Array;
  /** Offline codes. */
  readonly codeKey: Uint8Array;
  /** Seals secret settings inside a delta. */
  readonly sealKey: Uint8Array;
  /** The rotating id of the lock's advertisement and its broker password. */
  readonly linkKey: Uint8Array;
}

const PIN_INFO = ascii("tumbler/1 pin");
const EVENT_INFO = ascii("tumbler/1 event");
const CODE_INFO = ascii("tumbler/1 code");
const SEAL_INFO = ascii("tumbler/1 seal");
const LINK_INFO = ascii("tumbler/1 link");

/**
 * The keys that the owner of claim `claimNumber` (unsigned, 32 bits) gets of a lock with this 32-byte device
 * secret: HKDF-SHA256 with the claim number, four bytes big-endian, as salt and "tumbler/1 pin" and so on as
 * info. RangeError on other sizes.
 */
export function claimKeys(crypto: Crypto, deviceSecret: Uint8Array, claimNumber: number): ClaimKeys {
  if (deviceSecret.length !== DEVICE_SECRET_BYTES) {
    throw new RangeError("device secret: wanted 32 bytes, got " + deviceSecret.length);
  }
  if (claimNumber >>> 0 !== claimNumber)
    throw new RangeError("claim number: wanted 32 bits, got " + claimNumber);
  const salt = new Uint8Array(4);
  putU32(salt, 0, claimNumber);
  const extracted = hkdfExtract(crypto, salt, deviceSecret);
  return {
    pinKey: hkdfExpand(crypto, extracted, PIN_INFO, 32),
    eventKey: hkdfExpand(crypto, extracted, EVENT_INFO, 32),
    codeKey: hkdfExpand(crypto, extracted, CODE_INFO, 32),
    sealKey: hkdfExpand(crypto, extracted, SEAL_INFO, 32),
    linkKey: hkdfExpand(crypto, extracted, LINK_INFO, 32),
  };
}

/**
 * The 12 bytes that stand for a credential on the wire and in flash: HMAC-SHA256(pinKey, kind ‖ value), cut.
 * `kind` is one of TAG_KIND.
 */
export function credentialTag(
  crypto: Crypto,
  pinKey: Uint8Array,
  kind: number,
  value: Uint8Array,
): Uint8Array {
  const input = new Uint8Array(1 + value.length);
  input[0] = kind;
  input.set(value, 1);
  return crypto.hmacSha256(pinKey, input).slice(0, CREDENTIAL_TAG_BYTES);
}

const BROKER_INFO = ascii("tumbler/1 broker");

/**
 * The password with which a lock, its id in hexadecimal as user, shows itself to the MQTT broker of its site:
 * HMAC-SHA256(linkKey, "tumbler/1 broker") in lower-case hexadecimal. A new claim has another one.
 */
export function brokerPassword(crypto: Crypto, linkKey: Uint8Array): string {
  return toHex(crypto.hmacSha256(linkKey, BROKER_INFO));
}

/** The 8 bytes by which an envelope's `kid` names an Ed25519 public key: SHA-256(publicKey), cut. */
export function keyId(crypto: Crypto, publicKey: Uint8Array): Uint8Array {
  return crypto.sha256(publicKey).slice(0, KEY_ID_BYTES);
}
