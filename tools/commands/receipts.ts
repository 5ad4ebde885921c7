// `tumbler receipts`: hands in what an installer brought back: receipts confirm or fail each delta, pages of events go into the issuer's record.

import type { Command } from "commander";
import { inOffice } from "../office/office";
import { Exit, exitHelp } from "../ui/failure";
import { hanging } from "../ui/live";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import { type Handed, handIn } from "../worklist/from-issuer";
import { markReported, readWorkList } from "../worklist/work-list";
import { USUAL_STORE } from "./issuer";

interface Options {
  readonly store: string;
  readonly json?: boolean;
}

const HELP = `
A receipt that is not the lock's own is refused and said; one that was handed in
before changes nothing, so a work list may be handed in twice. What was handed
in counts as reported in the list from then on.

Examples:
  tumbler receipts doors.work
  tumbler receipts *.work --json
${exitHelp("everything confirmed", "a failure, a refusal or an alarm")}`;

/** Adds the command to the program. */
export function addReceipts(program: Command, terminal: Terminal): void {
  program
    .command("receipts")
    .summary("hand in the receipts that an installer brought back")
    .description("Hands the receipts and events of work lists in to the issuer's store.")
    .argument("<work...>", "work lists that were at the doors")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action((paths: readonly string[], options: Options) => handInAll(paths, options, terminal));
}

async function handInAll(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const lists = paths.map(readWorkList);
  const handed = await inOffice(options.store, async (issuer) => {
    const all: Handed[] = [];
    for (const list of lists) {
      for (const door of list.doors) all.push(await handIn(issuer, list, door));
      markReported(list);
    }
    return all;
  });
  terminal.out(options.json ? `${JSON.stringify(handed, null, 2)}\n` : handed.map(textOf).join(""));
  const isFine = handed.every(
    ({ refused, failed, alarms }) => refused.length + failed.length + alarms.length === 0,
  );
  terminal.exitCode = isFine ? Exit.fine : Exit.wrong;
}

function textOf({ door, receipts, refused, confirmed, failed, alarms, events }: Handed): string {
  const lines = [
    `${door}: ${count(receipts, "receipt")}, ${count(confirmed, "change")} confirmed, ${failed.length} failed, ${count(events, "event")}`,
    ...failed.map(
      ({ seq, change, item, code, text }) => `  ${hanging(`${seq} ${change ?? item}: ${text} (${code})`, 4)}`,
    ),
    ...refused.map((why) => `  ${hanging(`refused: ${why}`, 4)}`),
    ...alarms.map((text) => `  ${hanging(`alarm: ${text}`, 4)}`),
  ];
  return `${lines.join("\n")}\n`;
}
