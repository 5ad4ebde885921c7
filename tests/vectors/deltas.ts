// deltas.json: what a lock makes of every case. A lock that gives another code than the specification is an Error.

import { L500I, LOCK_1000 } from "../../firmware/core/profile";
import { encodeDelta } from "../../protocol/issuer/encode";
import { toHex } from "../../protocol/wire/bytes";
import { Field, Op } from "../../protocol/wire/deltas";
import { ENTRY_BYTES, packEntry } from "../../protocol/wire/entry";
import { MAX_BUNDLE_DELTAS } from "../../protocol/wire/limits";
import { Type } from "../../protocol/wire/messages";
import { Bench, claimTicket, KEYS, keyset, PIN_KEY, readableIdentity, START } from "./bench";

import { deltaPlans, type Plan } from "./delta-cases";

/** One delta for a lock in service, at the position behind the given ones. */
export interface DeltaCase {
  readonly name: string;
  readonly profile: "lock-1000" | "l500i";
  /** The lock's UTC time, 0 where it knows none. */
  readonly time: number;
  /** The bundle's "not applied after", where it has one. */
  readonly notAfter?: number;
  /** The deltas before it, each with the code that it gets. */
  readonly given: readonly (readonly [string, string])[];
  readonly delta: string;
  readonly code: string;
  readonly detail?: number;
  /** The named slot's entry afterwards, where there is one. */
  readonly entry?: string;
  /** The table digest afterwards. */
  readonly digest: string;
}

function run(plan: Plan): DeltaCase {
  const bench = new Bench({ profile: plan.profile === undefined ? LOCK_1000 : L500I });
  if (plan.isUntimed === true) {
    bench.hello();
    bench.send("claim", Type.claim, claimTicket());
    bench.send("keys", Type.keys, keyset());
  } else bench.serve();
  const encoded = (plan.given ?? []).map(encodeDelta);
  const given: [string, string][] = [];
  for (let i = 0; i < encoded.length; i += MAX_BUNDLE_DELTAS) {
    const part = encoded.slice(i, i + MAX_BUNDLE_DELTAS);
    const { codes } = bench.send("given", Type.bundle, bench.bundle(part)).reads;
    for (const [n, delta] of part.entries()) given.push([toHex(delta), (codes as string[])[n]]);
  }
  const { notAfter } = plan;
  const { reads } = bench.send(
    "case",
    Type.bundle,
    bench.bundle([plan.delta], notAfter === undefined ? {} : { notAfter }),
  );
  const { codes, details, digest } = reads as { codes: string[]; details: number[]; digest: string };
  if (codes[0] !== plan.code) throw new Error(`vectors: ${plan.name}: wanted ${plan.code}, got ${codes[0]}`);
  return {
    name: plan.name,
    profile: plan.profile ?? "lock-1000",
    time: plan.isUntimed === true ? 0 : START,
    ...(notAfter === undefined ? {} : { notAfter }),
    given,
    delta: toHex(plan.delta),
    code: plan.code,
    ...(details.length > 0 ? { detail: details[1] } : {}),
    ...entryOf(bench, plan.delta),
    digest,
  };
}

/** The entry of the slot that the usual case is about, 3 or 5. */
function entryOf(bench: Bench, delta: Uint8Array): { entry?: string } {
  const { table } = bench.lock.parts;
  const isOfSlot = delta[1] <= Op.disable;
  const slot = delta[4];
  if (!isOfSlot || delta[3] !== Field.slot || slot > 23 || table.load(slot) !== "ok") return {};
  const bytes = new Uint8Array(ENTRY_BYTES);
  packEntry(table.entry, bytes, 0);
  return { entry: toHex(bytes) };
}

/** deltas.json. */
export function deltaVectors() {
  const about =
    "A lock in service, at uptime 0, with nothing applied; the given deltas come first, at positions 1 and up, each with its code. `digest` is the table digest after the delta, `entry` the entry of the slot that it names.";
  return {
    about,
    identity: readableIdentity(LOCK_1000),
    pinKey: toHex(PIN_KEY),
    sealKey: toHex(KEYS.sealKey),
    cases: deltaPlans().map(run),
  };
}
