// `tumbler receipts`: hands in what a courier brought back: receipts confirm or fail each delta, pages of events go into the issuer's record.

import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import { codeName } from "../../protocol/wire/codes";
import { readBag } from "../bag-file";
import { inOffice } from "../office/office";
import { Exit, exitHelp } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import { USUAL_STORE } from "./issuer";

interface Options {
  readonly store: string;
  readonly json?: boolean;
}

/** What became of one bag. */
interface Handed {
  readonly bag: string;
  readonly lock: string;
  readonly receipts: number;
  readonly refused: readonly string[];
  readonly confirmed: number;
  readonly failed: readonly { readonly seq: number; readonly item: string; readonly code: string }[];
  readonly alarms: readonly string[];
  readonly events: number;
}

const HELP = `
A receipt that is not the lock's own is refused and said; one that was handed in
before changes nothing, so a bag may be handed in twice.

Examples:
  tumbler receipts bags/*.bag
  tumbler receipts bags/front.bag --json
${exitHelp("everything confirmed", "something failed, was refused, or is an alarm")}`;

/** Adds the command to the program. */
export function addReceipts(program: Command, terminal: Terminal): void {
  program
    .command("receipts")
    .summary("hand in the receipts that a courier brought back")
    .description("Hands the receipts and events of bags in to the issuer's store.")
    .argument("<bag...>", "bags that were delivered")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action((bags: readonly string[], options: Options) => handIn(bags, options, terminal));
}

async function handIn(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const bags = paths.map((path) => ({ path, bag: readBag(path) }));
  const handed = await inOffice(options.store, async (issuer) => {
    const all: Handed[] = [];
    for (const { path, bag } of bags) {
      const lock = toHex(bag.lock);
      const refused: string[] = [];
      const failed: { seq: number; item: string; code: string }[] = [];
      const alarms: string[] = [];
      let confirmed = 0;
      let events = 0;
      for (const receipt of bag.receipts) {
        const received = await issuer.receive(lock, receipt);
        if (received.refused !== undefined) {
          refused.push(received.refused);
          continue;
        }
        for (const { seq, item, code, state } of received.outcomes)
          if (state === "confirmed") confirmed++;
          else failed.push({ seq, item, code: codeName(code) });
        alarms.push(...received.alarms.map(({ kind, text }) => `${kind}: ${text}`));
      }
      for (const page of bag.pages) {
        const taken = await issuer.takePage(lock, page);
        if (taken.refused !== undefined) refused.push(`page: ${taken.refused}`);
        else {
          events += taken.events;
          alarms.push(...taken.alarms.map(({ kind, text }) => `${kind}: ${text}`));
        }
      }
      all.push({
        bag: path,
        lock,
        receipts: bag.receipts.length,
        refused,
        confirmed,
        failed,
        alarms,
        events,
      });
    }
    return all;
  });
  terminal.out(options.json ? `${JSON.stringify(handed, null, 2)}\n` : handed.map(textOf).join(""));
  const isFine = handed.every(
    ({ refused, failed, alarms }) => refused.length + failed.length + alarms.length === 0,
  );
  terminal.exitCode = isFine ? Exit.fine : Exit.wrong;
}

function textOf({ bag, receipts, refused, confirmed, failed, alarms, events }: Handed): string {
  const lines = [
    `${bag}: ${count(receipts, "receipt")}, ${count(confirmed, "delta")} confirmed, ${count(failed.length, "delta")} failed, ${count(events, "event")}`,
    ...failed.map(({ seq, item, code }) => `  ${seq} (${item}): ${code}`),
    ...refused.map((why) => `  refused: ${why}`),
    ...alarms.map((text) => `  alarm: ${text}`),
  ];
  return `${lines.join("\n")}\n`;
}
