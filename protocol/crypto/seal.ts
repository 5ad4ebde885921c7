// What a lock and its owner seal for each other (rules X5, L10): secret settings under sealKey, pages of events under eventKey. The bytes are
// a random nonce, then XChaCha20-Poly1305. What they are for and for which lock is authenticated, so none can stand in another's place.

import { ascii } from "../wire/bytes";
import { LOCK_ID_BYTES, SEAL_NONCE_BYTES } from "../wire/limits";
import type { Crypto } from "./port";

const SETTING = ascii("tumbler/1 setting");
const PAGE = ascii("tumbler/1 page");

/** What is authenticated with a setting: `tumbler/1 setting` ‖ lock id ‖ number of the setting. */
export function settingAad(lock: Uint8Array, setting: number): Uint8Array {
  const aad = new Uint8Array(SETTING.length + LOCK_ID_BYTES + 1);
  aad.set(SETTING);
  aad.set(lock, SETTING.length);
  aad[aad.length - 1] = setting;
  return aad;
}

/** What is authenticated with a page of events: `tumbler/1 page` ‖ lock id. */
export function pageAad(lock: Uint8Array): Uint8Array {
  const aad = new Uint8Array(PAGE.length + LOCK_ID_BYTES);
  aad.set(PAGE);
  aad.set(lock, PAGE.length);
  return aad;
}

/** nonce ‖ sealed bytes. `nonce` is 24 bytes that were never used under this key. */
export function sealWith(
  crypto: Crypto,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const sealed = crypto.seal(key, nonce, aad, plain);
  const bytes = new Uint8Array(SEAL_NONCE_BYTES + sealed.length);
  bytes.set(nonce);
  bytes.set(sealed, SEAL_NONCE_BYTES);
  return bytes;
}

/** What {@link sealWith} sealed; undefined for anything else. */
export function unsealWith(
  crypto: Crypto,
  key: Uint8Array,
  aad: Uint8Array,
  bytes: Uint8Array,
): Uint8Array | undefined {
  if (bytes.length < SEAL_NONCE_BYTES) return undefined;
  return crypto.unseal(key, bytes.subarray(0, SEAL_NONCE_BYTES), aad, bytes.subarray(SEAL_NONCE_BYTES));
}
