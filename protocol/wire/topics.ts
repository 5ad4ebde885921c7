// MQTT topics: `tumbler/1/<site>/<lock>/<leaf>`. All meaning is in the messages; topics only route them, QoS 1, not retained
// but for `state`.

/** dn: to the lock · up: from it · state: its last status, retained, emptied of "online" by the last will. */
export type Leaf = "dn" | "up" | "state";

/** The topic of one lock; `lock` is its id in lower-case hexadecimal. */
export function topic(site: string, lock: string, leaf: Leaf): string {
  return `tumbler/1/${site}/${lock}/${leaf}`;
}

/** What a topic names; undefined for one that is none of ours. */
export function parseTopic(name: string): { site: string; lock: string; leaf: Leaf } | undefined {
  const [root, version, site, lock, leaf, ...rest] = name.split("/");
  if (root !== "tumbler" || version !== "1" || rest.length > 0 || !site || !/^[0-9a-f]{16}$/.test(lock ?? ""))
    return undefined;
  return leaf === "dn" || leaf === "up" || leaf === "state" ? { site, lock, leaf } : undefined;
}

/** What a lock that is gone leaves in `state`: the broker publishes it as the last will. */
export const OFFLINE = "offline";
