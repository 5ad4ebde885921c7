// The crypto port over node:crypto (OpenSSL), for fleets of virtual locks, the issuer and the tools.
// It gives the same bytes as ../../protocol/crypto/noble.ts ten to a hundred times faster.
// The edge rules of OpenSSL are looser than the project's: only protocol/crypto/verify.ts calls
// ed25519Verify.

import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  hash,
  type JsonWebKey,
  type JsonWebKeyInput,
  type KeyObject,
  sign as opensslSign,
  verify as opensslVerify,
} from "node:crypto";
import { noble } from "../../protocol/crypto/noble";
import type { Crypto } from "../../protocol/crypto/port";

/**
 * Of each kind, room for a fleet of 10,000 locks. A KeyObject takes 2 KB; making one takes about the time of
 * a signature.
 */
export const MAX_CACHED_KEYS = 16_384;

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: Uint8Array;
}

const keyPairs = new Map<string, KeyPair>();
const publicKeys = new Map<string, KeyObject>();

/** The cached value of these bytes, made when it is not there; the one that came in first makes room. */
function cached<T>(cache: Map<string, T>, bytes: Uint8Array, make: () => T): T {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  let value = cache.get(name);
  if (value === undefined) {
    value = make();
    if (cache.size >= MAX_CACHED_KEYS) cache.delete(cache.keys().next().value as string);
    cache.set(name, value);
  }
  return value;
}

/**
 * Keys come in as JSON Web Keys (RFC 8037 §2): making one from DER takes OpenSSL ten times as long, and each
 * virtual lock brings its own. Beside a seed (`d`) Node asks for a public key (`x`) and computes its own
 * instead of using it.
 */
function okp(fields: { x: Uint8Array; d?: Uint8Array }): JsonWebKeyInput {
  const key: JsonWebKey = { kty: "OKP", crv: "Ed25519", x: Buffer.from(fields.x).toString("base64url") };
  if (fields.d !== undefined) key.d = Buffer.from(fields.d).toString("base64url");
  return { key, format: "jwk" };
}

function keyPair(seed: Uint8Array): KeyPair {
  if (seed.length !== 32) throw new RangeError("Ed25519 seed: wanted 32 bytes, got " + seed.length);
  return cached(keyPairs, seed, () => {
    const privateKey = createPrivateKey(okp({ x: new Uint8Array(32), d: seed }));
    const { x } = createPublicKey(privateKey).export({ format: "jwk" });
    return { privateKey, publicKey: Buffer.from(x as string, "base64url") };
  });
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  return cached(publicKeys, publicKey, () => createPublicKey(okp({ x: publicKey })));
}

/**
 * A fresh Uint8Array: a Buffer would betray the backend, and its slice() shares memory where an array's
 * copies.
 */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer);
}

/** The backend of virtual fleets, of the issuer and of the tools. */
export const node: Crypto = {
  name: "node",
  sha256: (data) => plain(hash("sha256", data, "buffer")),
  hmacSha256: (key, data) => plain(createHmac("sha256", key).update(data).digest()),
  ed25519PublicKey: (seed) => plain(keyPair(seed).publicKey),
  ed25519Sign: (message, seed) => plain(opensslSign(null, message, keyPair(seed).privateKey)),
  ed25519Verify(signature, message, publicKey) {
    if (signature.length !== 64 || publicKey.length !== 32) return false;
    try {
      return opensslVerify(null, message, publicKeyObject(publicKey), signature);
    } catch {
      return false;
    }
  },
  // OpenSSL has no XChaCha20: its nonce is longer than that of RFC 8439.
  seal: noble.seal,
  unseal: noble.unseal,
};
