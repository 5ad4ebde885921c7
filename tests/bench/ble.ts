// Door syncs over the virtual air: seconds of virtual time, which are connection events counted, and bytes on the air. The same on every run.

import { BleSite, peopleWithPins } from "../support/ble-site";
import type { Figures } from "./figures";

/** What each figure is measured in. */
export const BLE_UNITS: Readonly<Record<string, string>> = {
  "ble.seconds_1000_puts": "s, virtual",
  "ble.bytes_on_air_per_put": "bytes",
  "ble.seconds_1_put": "s, virtual",
};

/** A phone of our days: MTU 247, a connection event every 30 ms, four packets each way. */
const PHONE = { mtu: 247, line: { intervalS: 0.03 } };

async function sync(puts: number): Promise<{ seconds: number; bytes: number }> {
  const site = await BleSite.make({ people: peopleWithPins(puts) });
  await site.run(site.time.sleep(1));
  const began = site.time.now;
  const { outcome } = await site.run(site.visit(PHONE));
  if (outcome !== "done" || !site.issuer.isSettled(site.id)) throw new Error("bench: a sync failed");
  const bytes = site.lines.reduce((sum, line) => sum + line.bytes, 0);
  return { seconds: site.time.now - began, bytes };
}

/** All figures over Bluetooth; connecting, time, sign of life and events are in them. */
export async function bleFigures(): Promise<Figures> {
  const all = await sync(1000);
  const one = await sync(1);
  return {
    "ble.seconds_1000_puts": all.seconds,
    "ble.bytes_on_air_per_put": all.bytes / 1000,
    "ble.seconds_1_put": one.seconds,
  };
}
