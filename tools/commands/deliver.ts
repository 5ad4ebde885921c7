// `tumbler deliver`: a courier's work: carries the mail of a bag to its lock over any link, and brings the receipts back in the same bag.

import { randomInt } from "node:crypto";
import type { Command } from "commander";
import { bagMailbox } from "../../protocol/courier/bag";
import { carry } from "../../protocol/courier/courier";
import { toHex } from "../../protocol/wire/bytes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { readBag, writeBags } from "../bag-file";
import { LINK_HELP, openLink } from "../links/open-link";
import { addLinkOptions, type LinkArguments, linkOptionsOf } from "../links/options";
import { Exit, exitHelp } from "../ui/failure";
import { fields } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";

interface Options extends LinkArguments {
  readonly to: string;
  readonly json?: boolean;
}

const HELP = `
${LINK_HELP}

The courier reads nothing of what it carries and needs no key. A delivery that
was cut off is simply done again: the lock knows where it stands, and nothing is
applied twice. Hand the bag in with \`tumbler receipts\`.

Examples:
  tumbler deliver bags/front.bag --to image:front.img
  tumbler deliver bags/front.bag --to mqtts://broker.example --site north --ca ca.pem
${exitHelp("the lock has everything", "it has not, and why")}`;

/** Adds the command to the program. */
export function addDeliver(program: Command, terminal: Terminal): void {
  const command = program
    .command("deliver")
    .summary("carry a bag's mail to its lock, and its receipts back")
    .description("Carries the mail of a bag to its lock, and puts the lock's receipts into the same bag.")
    .argument("<bag>", "a file that `tumbler issue` wrote")
    .requiredOption("--to <link>", "how the lock is reached")
    .option("--json", "print the outcome as JSON");
  addLinkOptions(command)
    .addHelpText("after", HELP)
    .action((path: string, options: Options) => deliverBag(path, options, terminal));
}

async function deliverBag(path: string, options: Options, terminal: Terminal): Promise<void> {
  const bag = readBag(path);
  const before = bag.receipts.length;
  const link = await openLink(options.to, bag.lock, linkOptionsOf(options));
  const carried = await carry(
    link,
    bagMailbox(bag, async () => undefined),
    randomInt(1, MAX_REQUEST_ID),
  ).finally(async () => {
    // Receipts first: what the lock has signed must not be lost to a link that does not close.
    writeBags([{ path, bag }], true);
    await link.close();
  });
  const receipts = bag.receipts.length - before;
  const value = { lock: toHex(bag.lock), ...carried, receipts };
  const isDone = carried.outcome === "done";
  const rows: [string, string][] = [
    ["lock", value.lock],
    ["outcome", isDone ? "the lock has everything" : `${carried.outcome}: ${carried.reason ?? "no answer"}`],
    ["carried", `${count(carried.bundles, "bundle")}, ${count(receipts, "receipt")} in ${path}`],
  ];
  if (!isDone) rows.push(["next", "nothing is lost: deliver the same bag again"]);
  terminal.out(options.json ? `${JSON.stringify(value)}\n` : fields(rows, terminal.colours));
  terminal.exitCode = isDone ? Exit.fine : Exit.wrong;
}
