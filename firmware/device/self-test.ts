// Whether a crypto backend gives what the standards say it gives: one known answer for each primitive, and what must be refused. A lock
// whose backend fails here must not be trusted with a signature or a secret (rule X14 of a new firmware, and the factory's test).

import type { Crypto } from "../../protocol/crypto/port";
import { verifySignature } from "../../protocol/crypto/verify";
import { ascii, equal, fromHex } from "../../protocol/wire/bytes";

/** FIPS 180-4, example "abc". */
const SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/** RFC 4231 §4.3. */
const HMAC_JEFE = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
/** RFC 8032 §7.1, test 2: its message is the byte 0x72. */
const SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const PUBLIC_KEY = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE =
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
/** XChaCha20-Poly1305 of "lock" with "tumbler" beside it; key and nonce count up from 0 and 64. */
const SEALED = "b856661b2883d266b48fe2540d302272da7da40c";

/** What is tried, in its order. */
export const CRYPTO_TESTS: readonly string[] = [
  "sha256",
  "hmac-sha256",
  "ed25519-public-key",
  "ed25519-sign",
  "ed25519-verify",
  "ed25519-refuse",
  "seal",
  "unseal",
  "unseal-refuse",
];

/** Tries one of {@link CRYPTO_TESTS}. Whether it gave the right answer; an exception is a wrong one. */
export function passesCryptoTest(crypto: Crypto, name: string): boolean {
  try {
    return isRight(crypto, name);
  } catch {
    return false;
  }
}

function isRight(crypto: Crypto, name: string): boolean {
  const message = new Uint8Array([0x72]);
  switch (name) {
    case "sha256":
      return equal(crypto.sha256(ascii("abc")), fromHex(SHA256_ABC));
    case "hmac-sha256":
      return equal(
        crypto.hmacSha256(ascii("Jefe"), ascii("what do ya want for nothing?")),
        fromHex(HMAC_JEFE),
      );
    case "ed25519-public-key":
      return equal(crypto.ed25519PublicKey(fromHex(SEED)), fromHex(PUBLIC_KEY));
    case "ed25519-sign":
      return equal(crypto.ed25519Sign(message, fromHex(SEED)), fromHex(SIGNATURE));
    case "ed25519-verify":
      return verifySignature(crypto, fromHex(SIGNATURE), message, fromHex(PUBLIC_KEY));
    case "ed25519-refuse":
      return !verifySignature(crypto, flipped(SIGNATURE), message, fromHex(PUBLIC_KEY));
    case "seal":
      return equal(
        crypto.seal(counted(32, 0), counted(24, 64), ascii("tumbler"), ascii("lock")),
        fromHex(SEALED),
      );
    case "unseal": {
      const plain = crypto.unseal(counted(32, 0), counted(24, 64), ascii("tumbler"), fromHex(SEALED));
      return plain !== undefined && equal(plain, ascii("lock"));
    }
    case "unseal-refuse":
      return crypto.unseal(counted(32, 0), counted(24, 64), ascii("tumbler"), flipped(SEALED)) === undefined;
    default:
      return false;
  }
}

/** Whether a backend gives the right answer to all of {@link CRYPTO_TESTS}. */
export function isCryptoRight(crypto: Crypto): boolean {
  return CRYPTO_TESTS.every((name) => passesCryptoTest(crypto, name));
}

/** Bytes with the lowest bit of the first one changed. */
function flipped(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  bytes[0] ^= 1;
  return bytes;
}

function counted(length: number, first: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = first + i;
  return bytes;
}
