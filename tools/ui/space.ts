// The space of the credentials partition as one bar, and under it what each part of the bar is.

import type { Living, SpaceView } from "../inspection/space";
import { commas, wrapped } from "./numbers";
import { Fill, paint } from "./sectors";
import { columns } from "./table";
import type { Colours } from "./terminal";
import { percentText } from "./words";

const BAR_COLUMNS = 76;
const NOTE_COLUMNS = 42;

/** The bar with its legend. */
export function spaceText(space: SpaceView, colours: Colours): string {
  const { bytes, lives, living, dead, room, reserve, toErase, puts } = space;
  const kinds = (Object.keys(living) as (keyof Living)[]).filter((kind) => living[kind] > 0);
  const what = wrapped(
    kinds.map((kind) => `${kind} ${commas(living[kind])}`),
    NOTE_COLUMNS,
  );
  const parts: [string, string, number, string][] = [
    [Fill.lives, "lives", lives, what.join(",\n")],
    [Fill.dead, "dead", dead, "comes back by compaction"],
    [Fill.erased, "erased ahead", room, `room for about ${commas(puts)} puts as it is`],
    [Fill.reserve, "reserve", reserve, "erased, for revocations and compaction"],
    [Fill.toErase, "to be erased", toErase, ""],
  ];
  const lengths = partsOf(
    parts.map(([, , size]) => size),
    BAR_COLUMNS,
  );
  const bar = parts.map(([glyph], i) => glyph.repeat(lengths[i])).join("");
  const rows = parts.map(([glyph, name, size, note]) => [
    paint(colours, glyph),
    name,
    commas(size),
    percentText(size / bytes),
    note,
  ]);
  const table = columns(["", "part", "bytes", "share", "note"], rows, [2, 3], colours);
  return `  ${paint(colours, bar)}\n${table}`;
}

/** Divides `length` in proportion, to whole numbers; what there is at all gets 1 at least. */
export function partsOf(sizes: readonly number[], length: number): number[] {
  const sum = sizes.reduce((all, size) => all + size, 0);
  const parts = sizes.map((size) => (size === 0 ? 0 : Math.max(1, Math.round((size / sum) * length))));
  const most = parts.indexOf(Math.max(...parts));
  parts[most] += length - parts.reduce((all, part) => all + part, 0);
  return parts;
}
