// The sectors of a partition as a picture: a cell for each, its state as a letter and its fill as a bar below.

import type { SectorView } from "../inspection/sectors";
import type { Colours } from "./terminal";

const BARS = " ▁▂▃▄▅▆▇█";
const LETTERS = { head: "H", live: "L", ready: "·", dirty: "x" } as const;
const LEGEND = "H head, written now   L live   · erased and ready   x to be erased";
/** Cells in a row: what fits 80 columns behind a label. */
const ROW = 64;
const NAME_COLUMNS = 7;

/** The picture, with two rows of text for every 64 sectors, then the wear and the legend. */
export function sectorPicture(sectors: readonly SectorView[], colours: Colours): string {
  const paint = { head: colours.green, live: colours.cyan, ready: colours.dim, dirty: colours.yellow };
  const row = (label: string, cells: readonly SectorView[], cell: (view: SectorView) => string): string => {
    const painted = cells.map((view) => (cell(view) === " " ? " " : paint[view.state](cell(view))));
    return `  ${colours.dim(label)}${" ".repeat(NAME_COLUMNS - label.length)}${painted.join("")}`.trimEnd();
  };
  const lines: string[] = [];
  for (let at = 0; at < sectors.length; at += ROW) {
    const cells = sectors.slice(at, at + ROW);
    lines.push(row("state", cells, ({ state }) => LETTERS[state]));
    lines.push(row("fill", cells, ({ fill }) => BARS[Math.ceil(fill * (BARS.length - 1))]));
  }
  lines.push(`  ${colours.dim("opens")}  ${wearText(sectors)}; a block takes 100,000`);
  return `${lines.join("\n")}\n  ${colours.dim(LEGEND)}\n`;
}

/** `3 × blocks 0–12, 2 × blocks 13–47`: how often a sector was opened in each block. */
function wearText(sectors: readonly SectorView[]): string {
  const runs: { opens: number; first: number; last: number }[] = [];
  for (const { opens, block } of sectors) {
    const run = runs.at(-1);
    if (run !== undefined && run.opens === opens) run.last = block;
    else runs.push({ opens, first: block, last: block });
  }
  return runs
    .map(({ opens, first, last }) => {
      const blocks = first === last ? `block ${first}` : `blocks ${first}–${last}`;
      return `${opens} × ${blocks}`;
    })
    .join(", ");
}
