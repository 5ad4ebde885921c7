// What the credential table costs its flash and its memory, counted on a full table. Nothing here is a time: every run gives the same.

import { LOCK_1000, PROFILES, type Profile } from "../../firmware/core/profile";
import { SLOT_BYTES } from "../../firmware/core/storage/records";
import { FullTable, update } from "../storage/full-table";
import type { Dice } from "../support/dice";
import type { Figures } from "./figures";
import { sitesOf } from "./ram";

/** What each figure is measured in; those that are not here count bytes. */
export const FLASH_UNITS: Readonly<Record<string, string>> = {
  "flash.erases_per_1000_updates.uniform": "erases",
  "flash.erases_per_1000_updates.hot": "erases",
  "flash.erases_per_1000_updates.laden": "erases",
  "flash.write_amplification": "× the record",
  "flash.wear_spread_1e6": "erases",
  "flash.wear_spread_1e5": "erases",
  "flash.mount_read_ratio": "× the partition",
};

const SLOTS = LOCK_1000.slots;
const WARM_UP = 5000;
const MEASURED = 20_000;
const HOT_SLOTS = 10;

/** Which slot an update is of. */
export const uniform = (dice: Dice): number => dice.below(SLOTS);
/** Nine of ten updates are of ten slots that lie apart. */
export const hot = (dice: Dice): number =>
  dice.chance(0.9) ? dice.below(HOT_SLOTS) * (SLOTS / HOT_SLOTS) : dice.below(SLOTS);

/** What updates cost. */
export interface Cost {
  readonly erasesPer1000: number;
  readonly programmedPerUpdate: number;
}

/** What one update costs in a table that has been in use for a while. */
export function costOf(slotOf: (dice: Dice) => number, full = new FullTable()): Cost {
  update(full, WARM_UP, slotOf);
  const before = { ...full.flash.counters };
  update(full, MEASURED, slotOf);
  const { erases, programmedBytes } = full.flash.counters;
  return {
    erasesPer1000: ((erases - before.erases) * 1000) / MEASURED,
    programmedPerUpdate: (programmedBytes - before.programmedBytes) / MEASURED,
  };
}

/** The most erases of a sector less the fewest, after so many updates. `progress` is told how many are done, 100 times. */
export function wearSpread(updates: number, progress: (done: number) => void = () => {}): number {
  const full = new FullTable();
  full.flash.sectorErases.fill(0);
  for (let part = 1; part <= 100; part++) {
    update(full, updates / 100, uniform);
    progress((updates / 100) * part);
  }
  return Math.max(...full.flash.sectorErases) - Math.min(...full.flash.sectorErases);
}

/** What a mount did to its flash. */
export interface Mounted {
  readonly readBytes: number;
  readonly writes: number;
  readonly partitionBytes: number;
}

/** Mounts a full partition that has gone round a few times. */
export function mountCost(): Mounted {
  const full = new FullTable();
  update(full, WARM_UP, uniform);
  full.reboot();
  const { readBytes, programs, erases } = full.flash.counters;
  return { readBytes, writes: programs + erases, partitionBytes: full.flash.bytes.length };
}

/** Bytes of typed arrays that a table holds, by the module that made them. */
export interface Memory {
  /** Those that are larger in a table of more slots. */
  readonly growing: ReadonlyMap<string, number>;
  readonly growingBytes: number;
  /** Those that are not. */
  readonly fixedBytes: number;
  /** What a mount takes beside, and gives back; only what is larger in a table of more slots. */
  readonly mountBytes: number;
}

/** What a table holds after a mount and some updates with their housekeeping: at 1000 slots, and against half as many. */
export async function memory(): Promise<Memory> {
  const sites = (profile: Profile) => {
    const full = new FullTable(profile);
    return sitesOf(() => {
      full.reboot();
      update(full, 200, (dice) => dice.below(profile.slots));
      return full.table;
    });
  };
  const [whole, half] = [await sites(LOCK_1000), await sites({ ...LOCK_1000, slots: SLOTS / 2 })];
  const growing = new Map<string, number>();
  const sums = { growing: 0, fixed: 0, mount: 0 };
  for (const [place, { module, largest, held }] of whole) {
    const less = half.get(place) ?? { largest: 0, held: 0 };
    const grows = largest > less.largest || held > less.held;
    if (held > 0 && grows) growing.set(module, (growing.get(module) ?? 0) + held);
    if (grows) sums.growing += held;
    else sums.fixed += held;
    if (grows && held === 0) sums.mount += largest;
  }
  return { growing, growingBytes: sums.growing, fixedBytes: sums.fixed, mountBytes: sums.mount };
}

const progress = (done: number): void => void process.stderr.write(`\rflash: ${done} updates `);

/** All figures of flash. `quick` takes a tenth of the updates for the wear. */
export async function flashFigures(quick: boolean): Promise<Figures> {
  const even = costOf(uniform);
  const mounted = mountCost();
  const ram = await memory();
  const spread = wearSpread(quick ? 1e5 : 1e6, progress);
  process.stderr.write("\n");
  return {
    "flash.erases_per_1000_updates.uniform": even.erasesPer1000,
    "flash.erases_per_1000_updates.hot": costOf(hot).erasesPer1000,
    "flash.erases_per_1000_updates.laden": costOf(uniform, new FullTable().lade()).erasesPer1000,
    "flash.programmed_bytes_per_update": even.programmedPerUpdate,
    "flash.write_amplification": even.programmedPerUpdate / SLOT_BYTES,
    [`flash.wear_spread_${quick ? "1e5" : "1e6"}`]: spread,
    "flash.mount_read_bytes": mounted.readBytes,
    "flash.mount_read_ratio": mounted.readBytes / mounted.partitionBytes,
    "flash.ram_bytes": ram.growingBytes,
    ...Object.fromEntries(
      Array.from(ram.growing, ([module, bytes]) => [`flash.ram_bytes.${module.split("/").pop()}`, bytes]),
    ),
    "flash.ram_fixed_bytes": ram.fixedBytes,
    "flash.ram_mount_bytes": ram.mountBytes,
    ...Object.fromEntries(
      PROFILES.map(({ slots, credentialBytes }) => [`flash.partition_bytes.${slots}`, credentialBytes]),
    ),
  };
}
