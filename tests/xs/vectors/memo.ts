// Crypto that computes each thing once. The vectors bring locks into the same state again and again; what is asked for the first time is
// computed, so every signature and every key of the vectors is, by the engine under test.

import type { Crypto } from "../../../protocol/crypto/port";
import { toHex } from "../../../protocol/wire/bytes";

export function memo(crypto: Crypto): Crypto {
  const known = new Map<string, Uint8Array | boolean | undefined>();
  function once<T extends Uint8Array | boolean | undefined>(
    name: string,
    parts: readonly Uint8Array[],
    compute: () => T,
  ): T {
    const key = name + parts.map((part) => " " + toHex(part)).join("");
    if (!known.has(key)) known.set(key, compute());
    const result = known.get(key);
    return (result instanceof Uint8Array ? result.slice() : result) as T;
  }
  return {
    name: crypto.name,
    sha256: (data) => once("hash", [data], () => crypto.sha256(data)),
    hmacSha256: (key, data) => once("mac", [key, data], () => crypto.hmacSha256(key, data)),
    ed25519PublicKey: (seed) => once("key", [seed], () => crypto.ed25519PublicKey(seed)),
    ed25519Sign: (message, seed) => once("sign", [message, seed], () => crypto.ed25519Sign(message, seed)),
    ed25519Verify: (signature, message, key) =>
      once("verify", [signature, message, key], () => crypto.ed25519Verify(signature, message, key)),
    seal: (key, nonce, aad, plain) => crypto.seal(key, nonce, aad, plain),
    unseal: (key, nonce, aad, sealed) => crypto.unseal(key, nonce, aad, sealed),
  };
}
