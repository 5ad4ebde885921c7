// What the readers of all maps share (rule X9): keys from 128 up may come from a later version and are passed over; an unknown key below
// is critical, and refuses the map.

import type { Reader } from "./cbor";
import { FIRST_EXTENSION_KEY } from "./limits";

/** What may nest inside an extension of a body, which stands two deep, and of a payload, which stands one deep (eight in all). */
export const BODY_DEPTH = 6;
export const PAYLOAD_DEPTH = 7;

/** Passes over the `left` pairs of a map behind its last known key, each of which must be an extension. */
export function skipExtensions(reader: Reader, lastKey: number, left: number, depth: number): void {
  if (left < 0) reader.fail();
  for (let key = Math.max(lastKey, FIRST_EXTENSION_KEY - 1); left > 0 && reader.ok; left--) {
    key = reader.key(key);
    reader.skip(depth);
  }
}

/**
 * Takes the key of a pair that may be left out, when it is the next one. Else the reader stays where it is; `left` is how many pairs are
 * still to come.
 */
export function takeKey(reader: Reader, previous: number, wanted: number, left: number): boolean {
  const at = reader.position;
  if (left > 0 && reader.ok && reader.peek() === 0 && reader.key(previous) === wanted) return true;
  if (reader.ok) reader.position = at;
  return false;
}
