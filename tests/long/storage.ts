// The storage suite in the long run: every cut, flip, stuck sector and ruined record; or one of its parts; or one state alone.

import type { Command } from "commander";
import { FAULT_KINDS } from "../../simulator/board/faulty-nor";
import { ERASE_TORN, PROGRAM_TORN } from "../../simulator/board/power";
import { type Job, type Only, PARTS, type Part, type Phase } from "../storage/job";
import { doAlone, doItems, type Item, LONG } from "../storage/suite";
import { type Mode, SIZES, type SizeName } from "../storage/workload";
import { BadOption, numberOf, type Options, type PartReport, type Suite } from "./suite";

const TORN: readonly string[] = [...new Set([...PROGRAM_TORN, ...ERASE_TORN])];
const MODES = ["plain", "scrambled"];
const PHASES = ["fill", "life"];

function configure(command: Command): void {
  const words = (list: readonly string[]): string => list.join(", ");
  command
    .option("--only <part>", `one part: ${words(PARTS)}`)
    .option("--size <size>", `one table: ${words(Object.keys(SIZES))}`)
    .option("--mode <mode>", `one kind of flash: ${words(MODES)}`)
    .option("--phase <phase>", `cuts: while the table is filled, or in its life: ${words(PHASES)}`)
    .option("--stride <n>", "every so many operations, bits or records instead of the usual ones")
    .option("--operation <n>", "cuts: this operation on flash alone")
    .option("--bytes <n>", "cuts: after so many bytes of it")
    .option("--torn <pattern>", `cuts: in this pattern: ${words(TORN)}`)
    .option("--second <n:bytes:pattern>", "cuts: and once more in this operation of the recovery")
    .option("--bit <n>", "flips: this bit alone")
    .option("--sector <n>", "stuck: this sector alone")
    .option("--kind <kind>", `stuck, wear: failing in this way: ${words(FAULT_KINDS)}`)
    .option("--onset <n>", "stuck: from this operation on")
    .option("--erases <n>", "wear: after so many erases")
    .option("--at <byte>", "ruin: what begins here alone")
    .option("--how <how>", "ruin: in this way alone");
}

function wordOf<T extends string>(options: Options, name: string, words: readonly T[]): T | undefined {
  const value = options[name];
  if (value === undefined || words.includes(value as T)) return value as T | undefined;
  throw new BadOption(`--${name}: wanted one of ${words.join(", ")}, got ${value}`);
}

function secondOf({ second }: Options): Only["second"] {
  if (second === undefined) return undefined;
  const match = /^(\d{1,9}):(\d{1,9}):([a-z-]+)$/.exec(String(second));
  if (match === null) throw new BadOption(`--second: wanted operation:bytes:pattern, got ${second}`);
  const torn = wordOf({ second: match[3] }, "second", TORN)!;
  return { operation: Number(match[1]), bytes: Number(match[2]), torn };
}

function onlyOf(options: Options): Only | undefined {
  const only: Only = {
    operation: numberOf(options, "operation"),
    bytes: numberOf(options, "bytes"),
    torn: wordOf(options, "torn", TORN),
    second: secondOf(options),
    bit: numberOf(options, "bit"),
    sector: numberOf(options, "sector"),
    kind: wordOf(options, "kind", FAULT_KINDS),
    onset: numberOf(options, "onset"),
    erases: numberOf(options, "erases"),
    at: numberOf(options, "at"),
    how: options.how as string | undefined,
  };
  return Object.values(only).some((value) => value !== undefined) ? only : undefined;
}

/** The items of the long run that the options leave. */
function itemsOf(options: Options): Item[] {
  const wanted = {
    part: wordOf<Part>(options, "only", PARTS),
    size: wordOf(options, "size", Object.keys(SIZES) as SizeName[]),
    mode: wordOf(options, "mode", MODES as Mode[]),
    phase: wordOf(options, "phase", PHASES as Phase[]),
  };
  const stride = numberOf(options, "stride");
  if (stride === 0) throw new BadOption("--stride: wanted 1 or more, got 0");
  const isWanted = (item: Item): boolean =>
    Object.entries(wanted).every(
      ([name, value]) => (value ?? item[name as keyof Item]) === item[name as keyof Item],
    );
  return LONG.filter(isWanted).map((item) => ({ ...item, stride: stride ?? item.stride }));
}

async function run(
  options: Options,
  seed: number,
  onStanding: Parameters<Suite["run"]>[2],
): Promise<ReadonlyMap<string, PartReport>> {
  const items = itemsOf(options);
  if (items.length === 0) throw new BadOption("these options together leave nothing to try");
  const only = onlyOf(options);
  if (only === undefined) return doItems(items, seed, onStanding);
  if (options.only === undefined)
    throw new BadOption("--only: wanted the part that the other options are about");
  const [{ part, size, mode, phase }] = items;
  const job: Job = { part, size, mode, phase, seed, share: 0, of: 1, stride: 1, only };
  const summary = doAlone(job, () => {});
  if (summary.states === 0 && summary.failures.length === 0)
    throw new BadOption("these options together name no state that there is");
  return new Map([[part, summary]]);
}

export const storage: Suite = {
  name: "storage",
  about: "the credential table: cuts, flipped bits, stuck and worn sectors, ruined records",
  configure,
  run,
};
