// MQTT topics: `tumbler/1/<site>/<lock>/<leaf>`. All meaning is in the messages; topics only route them, QoS 1, not retained
// but for `state` and `head`.

import { getU24, getU32, putU24, putU32 } from "./bytes";

/**
 * dn: to the lock · up: from it · state: its last status, retained, emptied of "online" by the last will · head: a hint that newer mail
 * exists, retained: see {@link packHead}.
 */
export type Leaf = "dn" | "up" | "state" | "head";

/** The topic of one lock; `lock` is its id in lower-case hexadecimal. */
export function topic(site: string, lock: string, leaf: Leaf): string {
  return `tumbler/1/${site}/${lock}/${leaf}`;
}

/** What a topic names; undefined for one that is none of ours. */
export function parseTopic(name: string): { site: string; lock: string; leaf: Leaf } | undefined {
  const [root, version, site, lock, leaf, ...rest] = name.split("/");
  if (root !== "tumbler" || version !== "1" || rest.length > 0 || !site || !/^[0-9a-f]{16}$/.test(lock ?? ""))
    return undefined;
  return isLeaf(leaf) ? { site, lock, leaf } : undefined;
}

const isLeaf = (leaf: string): leaf is Leaf =>
  leaf === "dn" || leaf === "up" || leaf === "state" || leaf === "head";

/** What a lock that is gone leaves in `state`: the broker publishes it as the last will. */
export const OFFLINE = "offline";

/** The position up to which an issuer has mail for a lock. */
export interface Head {
  readonly epoch: number;
  readonly seq: number;
}

const HEAD_HINT_BYTES = 7;

/**
 * The payload of `head`: epoch (4 bytes) ‖ seq (3 bytes) of the last delta that is signed for the lock. It is no proof, and nothing is
 * applied or refused for it: a lock that reads a position above its own stays on the line for its mail, or wakes for it (rule S14).
 * Whoever lies in it costs a lock some power, and nothing else.
 */
export function packHead({ epoch, seq }: Head): Uint8Array {
  const bytes = new Uint8Array(HEAD_HINT_BYTES);
  putU32(bytes, 0, epoch);
  putU24(bytes, 4, seq);
  return bytes;
}

/** Reads what {@link packHead} made; undefined for anything else. */
export function readHead(bytes: Uint8Array): Head | undefined {
  return bytes.length === HEAD_HINT_BYTES ? { epoch: getU32(bytes, 0), seq: getU24(bytes, 4) } : undefined;
}
