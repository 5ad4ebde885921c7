// What a work list knows of each change, as CSV (RFC 4180) for whoever has to file it.

import { toHex } from "../../protocol/wire/bytes";
import { codeName, codeRow } from "../../protocol/wire/codes";
import { isoText } from "../ui/time";
import type { WorkDoor, WorkList } from "../worklist/work-list";
import { standingOf } from "./standing";

const HEAD = ["door", "lock", "seq", "change", "code", "text", "time"];

const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One row for each change at these doors; code, text and time are empty where there is no answer yet. */
export function reportCsv(list: WorkList, doors: readonly WorkDoor[]): string {
  const rows = doors.flatMap((door) =>
    standingOf(list, door).answers.map(({ seq, text, code, time }) => {
      const answer =
        code === undefined
          ? ["", "", ""]
          : [codeName(code), codeRow(code)?.text ?? codeName(code), isoText(time)];
      return [door.door, toHex(door.lock), String(seq), text, ...answer];
    }),
  );
  return [HEAD, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
