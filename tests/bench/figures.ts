// The figures that the bench prints, each made by really doing the work once or more. Counts are the same on every run; times are
// only good for comparing within one run.

import { performance } from "node:perf_hooks";
import { SLOT_BYTES } from "../../firmware/core/storage/records";
import { noble } from "../../protocol/crypto/noble";
import type { Crypto } from "../../protocol/crypto/port";
import { MAX_BUNDLE_DELTAS } from "../../protocol/wire/limits";
import { Type } from "../../protocol/wire/messages";
import { node } from "../../simulator/board/crypto";
import { Door } from "../support/door";

/** Named figures; the unit is the last part of the name, or stands in {@link UNITS}. Null for what this machine cannot measure. */
export type Figures = Record<string, number | null>;

/** What each figure is measured in. */
export const UNITS: Readonly<Record<string, string>> = {
  "sync.deltas_per_s.noble": "deltas/s",
  "sync.deltas_per_s.node": "deltas/s",
  "sync.seconds_1000_puts.node": "s",
  "sync.wire_bytes_per_put": "bytes",
  "table.bytes_per_slot": "bytes",
  "table.programmed_bytes_per_put": "bytes",
  "boot.ms": "ms",
};

const SLOTS = 1000;
/** PINs that look like real ones: six digits, all different. */
const pinOf = (slot: number): string => String(100_000 + ((slot * 7919) % 900_000));
/** Fewer puts for the slow backend; the rate is what counts. */
const NOBLE_PUTS = 128;

/** Signs `count` puts in bundles: what an issuer hands to a courier. A put as large as a real one: start, end and schedule. */
function bundles(door: Door, count: number): Uint8Array[] {
  const week = [{ days: 0b0111110, start: 540, duration: 480 }];
  door.apply({ op: "put-schedule", id: 1, windows: week });
  const signed: Uint8Array[] = [];
  for (let slot = 0; slot < count; slot += MAX_BUNDLE_DELTAS) {
    const puts = Array.from({ length: Math.min(MAX_BUNDLE_DELTAS, count - slot) }, (_, i) =>
      door.pin(slot + i, pinOf(slot + i), { start: door.now - 60, end: door.now + 86_400, schedule: 1 }),
    );
    signed.push(door.bundle(puts));
  }
  return signed;
}

interface Synced {
  readonly seconds: number;
  readonly bytes: number;
}

/** From signed bundles to verified receipts: time, and the bytes of all messages both ways. */
function sync(door: Door, signed: readonly Uint8Array[]): Synced {
  let bytes = 0;
  const { receive } = door.lock;
  door.lock.receive = (session, message) => {
    const answer = receive.call(door.lock, session, message);
    bytes += message.length + answer.length;
    return answer;
  };
  const start = performance.now();
  door.hello();
  for (const bundle of signed) {
    const { receipt } = door.send(Type.bundle, bundle);
    if (receipt === undefined || receipt.codes.some((code) => code !== 0))
      throw new Error("bench: a put failed");
  }
  const seconds = (performance.now() - start) / 1000;
  door.lock.receive = receive;
  return { seconds, bytes };
}

function syncRate(crypto: Crypto, count: number): Synced {
  const door = new Door({ crypto });
  return sync(door, bundles(door, count));
}

/** All figures that need no XS. */
export function nodeFigures(): Figures {
  // One unmeasured run first, so that both backends are compared warm.
  syncRate(node, SLOTS);
  const door = new Door();
  const before = door.board.credentials.counters.programmedBytes;
  const full = sync(door, bundles(door, SLOTS));
  const programmed = door.board.credentials.counters.programmedBytes - before;
  const slow = syncRate(noble, NOBLE_PUTS);
  const boots: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    door.reboot();
    boots.push(performance.now() - start);
  }
  boots.sort((a, b) => a - b);
  return {
    "sync.deltas_per_s.noble": NOBLE_PUTS / slow.seconds,
    "sync.deltas_per_s.node": SLOTS / full.seconds,
    "sync.seconds_1000_puts.node": full.seconds,
    "sync.wire_bytes_per_put": full.bytes / SLOTS,
    "table.bytes_per_slot": SLOT_BYTES,
    "table.programmed_bytes_per_put": programmed / SLOTS,
    "boot.ms": boots[boots.length >> 1],
  };
}
