// The crypto port: the few primitives that lock and issuer need, so that a lock can run them in C, a fleet in node:crypto
// and everyone else in noble. All implementations give the same bytes on the same vectors.
// Nobody but ./verify.ts calls `ed25519Verify`: the checks that make backends agree live there.

/** The primitives of one backend. Every returned array is fresh and belongs to the caller. Inputs are never kept or changed. */
export interface Crypto {
  /** What reports call this backend, such as "noble" or "node". */
  readonly name: string;
  /** SHA-256 of `data` (FIPS 180-4), 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** HMAC-SHA256 (RFC 2104) of `data` under `key` (any length), 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** The Ed25519 public key (32 bytes) of a 32-byte seed (RFC 8032 §5.1.5). */
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  /** The deterministic Ed25519 signature (64 bytes) of `message` under a 32-byte seed (RFC 8032 §5.1.6). */
  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array;
  /** The backend's own verification, whatever its edge rules; false, never an exception, on any input. Only ./verify.ts calls it. */
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  /**
   * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2): `plain` sealed under a 32-byte key and a 24-byte nonce that is used once, with
   * the authenticated `aad`; 16 bytes longer than it was.
   */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array;
  /** What {@link seal} sealed; undefined, never an exception, when key, nonce, aad or any byte is another. */
  unseal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}
