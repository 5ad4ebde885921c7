// All slots of a lock as a map: a character for each, and below the numbers of those that are damaged.

import type { State } from "../inspection/inspection";
import { rangesText } from "./numbers";
import { paragraphs } from "./table";
import type { Colours } from "./terminal";

const Slot = { free: ".", used: "#", disabled: "d", damaged: "X" } as const;
const ROW = 64;
/** As many slots as have the record of their use in common. */
const GROUP = 8;
const LABEL_COLUMNS = 7;

/** The map, its legend with counts, and the damaged slots with what to do. `size` is how many slots there are. */
export function slotMap({ slots, slotList }: State, size: number, colours: Colours): string {
  const cells: string[] = Array.from({ length: size }, () => Slot.free);
  for (const slot of slotList) {
    const isOff = !slot.damaged && slot.flags.includes("disabled");
    cells[slot.slot] = slot.damaged ? Slot.damaged : isOff ? Slot.disabled : Slot.used;
  }
  const used = slots.used - slots.damaged - slots.disabled;
  const legend = [
    `${Slot.used} used ${used}`,
    `${Slot.disabled} disabled ${slots.disabled}`,
    `${Slot.damaged} damaged ${slots.damaged}`,
    `${Slot.free} free ${slots.free}`,
  ].join("   ");
  const lines = [...rowsOf(cells, colours), `  ${colours.dim(legend)}`].join("\n");
  const damaged = slotList.filter((slot) => slot.damaged).map(({ slot }) => slot);
  if (damaged.length === 0) return `${lines}\n`;
  const it = damaged.length === 1 ? "it" : "them";
  return `${lines}\n${paragraphs([`damaged: ${rangesText(damaged)}; denied until the issuer puts ${it} again`])}`;
}

function rowsOf(cells: readonly string[], colours: Colours): string[] {
  const lines: string[] = [];
  const line = (label: number | string, text: string): void => {
    const name = String(label).padStart(LABEL_COLUMNS - 2);
    lines.push(`${colours.dim(name)}  ${text}`);
  };
  for (let at = 0; at < cells.length; at += ROW) {
    const free = cells.slice(at).findIndex((cell) => cell !== Slot.free);
    const end = free < 0 ? cells.length : at + Math.floor(free / ROW) * ROW;
    // Rows without anything in them are told in words.
    if (end - at > ROW) {
      line(at, colours.dim(`to ${end - 1} free`));
      at = end - ROW;
      continue;
    }
    const groups: string[] = [];
    for (let group = at; group < Math.min(at + ROW, cells.length); group += GROUP)
      groups.push(cells.slice(group, Math.min(group + GROUP, at + ROW)).join(""));
    line(at, painted(groups.join(" "), colours));
  }
  return lines;
}

function painted(text: string, { green, yellow, red, dim }: Colours): string {
  const brushes: Readonly<Record<string, (run: string) => string>> = {
    [Slot.used]: green,
    [Slot.disabled]: yellow,
    [Slot.damaged]: red,
    [Slot.free]: dim,
  };
  return text.replace(/([^ ])\1*/g, (run) => brushes[run[0]](run));
}
