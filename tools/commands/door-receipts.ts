// `tumbler door receipts`: what a work list has brought home so far, change by change, and what the office does not have yet. No lock is asked.

import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import type { LatestWord, Tick } from "../door/events";
import { addWorkOption, type WorkArguments } from "../door/options";
import { reportCsv } from "../door/report";
import { type Standing, standingOf } from "../door/standing";
import { answerEvent, tickOf, wordOf } from "../door/visit";
import { answerLines, forgedText, openLine, tickText, unreportedText } from "../door/words";
import { writeAll } from "../files";
import { Exit, exitHelp } from "../ui/failure";
import { hanging } from "../ui/live";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import { doorsOf, readWorkList, unreported, type WorkDoor, type WorkList } from "../worklist/work-list";

interface Options extends WorkArguments {
  readonly csv?: string;
}

const HELP = `
Examples:
  tumbler door receipts --work doors.work
  tumbler door receipts front --work doors.work --csv today.csv
${exitHelp("nothing was refused", "something was, or is no receipt")}`;

/** What --json prints for each door, one object a line. */
export interface ReceiptsLine {
  readonly door: string;
  readonly lock: string;
  readonly changes: readonly {
    readonly seq: number;
    readonly change: string;
    /** The name of the lock's answer; null while there is none. */
    readonly code: string | null;
    readonly time: number | null;
    readonly reported: boolean;
  }[];
  /** Receipts and pages of events that the office does not have yet. */
  readonly unreported: number;
  readonly tick: Tick | null;
  readonly latest: LatestWord | null;
  /** Why what came home is not the lock's own. */
  readonly notReceipts: readonly string[];
}

/** Adds the command. */
export function addDoorReceipts(door: Command, terminal: Terminal): void {
  addWorkOption(
    door
      .command("receipts")
      .description("what came home with a work list, and what of it is not yet reported")
      .argument("[door...]", "doors of the work list; all of them if none is named")
      .option("--csv <file>", "write each change and its answer to this file"),
  )
    .addHelpText("after", HELP)
    .action((names: readonly string[], options: Options) => run(names, options, terminal));
}

function run(names: readonly string[], options: Options, terminal: Terminal): void {
  const list = readWorkList(options.work);
  const doors = doorsOf(list, names);
  for (const door of doors) {
    const standing = standingOf(list, door);
    if (standing.refused.length + standing.bad.length > 0) terminal.exitCode = Exit.wrong;
    const line = lineOf(list, door, standing);
    terminal.out(options.json ? `${JSON.stringify(line)}\n` : textOf(door, line, standing, terminal));
  }
  const { csv } = options;
  if (csv !== undefined) writeAll([{ path: csv, content: reportCsv(list, doors), replace: true }]);
  if (options.json) return;
  if (list.damaged > 0)
    terminal.out(`${count(list.damaged, "line")} of the file cannot be read; sync these doors again\n`);
  terminal.out(unreportedText(unreported(list, doors), options.work));
}

function lineOf(list: WorkList, door: WorkDoor, standing: Standing): ReceiptsLine {
  return {
    door: door.door,
    lock: toHex(door.lock),
    changes: standing.answers.map((answer) => {
      const { seq, change, code, time } = answerEvent(door, answer);
      const isKnown = answer.code !== undefined;
      return {
        seq,
        change,
        code: isKnown ? code : null,
        time: isKnown ? time : null,
        reported: answer.isReported,
      };
    }),
    unreported: unreported(list, [door]),
    tick: tickOf(standing),
    latest: wordOf(standing),
    notReceipts: standing.bad,
  };
}

function textOf(
  door: WorkDoor,
  { latest, notReceipts }: ReceiptsLine,
  standing: Standing,
  { colours }: Terminal,
): string {
  const { answers, answered } = standing;
  const reported = answers.filter(({ isReported }) => isReported).length;
  const lines = [
    `${door.door}: ${answered} of ${count(answers.length, "change")} answered${answered === 0 ? "" : `; ${reported} of the answers reported, ${answered - reported} not yet`}`,
  ];
  if (latest !== null) lines.push(`  ${hanging(tickText(latest, colours), 2)}`);
  for (const why of notReceipts) lines.push(`  ${colours.red(forgedText(why))}`);
  const events = answers.filter(({ code }) => code !== undefined).map((each) => answerEvent(door, each));
  const open = answers.filter(({ code }) => code === undefined).map((each) => openLine(each, colours));
  return `${[...lines, ...answerLines(events, colours), ...open].join("\n")}\n`;
}
