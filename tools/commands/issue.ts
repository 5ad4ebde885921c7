// `tumbler issue`: signs all that is wanted of some locks and puts it, with what waits for an answer, into bags that a courier takes along.

import { randomInt } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { fillBag } from "../../protocol/issuer/mailbox";
import { MAX_REQUEST_ID, Type } from "../../protocol/wire/messages";
import { writeBags } from "../bag-file";
import { inOffice, wallClock } from "../office/office";
import { lockOf } from "../office/works";
import { exitHelp } from "../ui/failure";
import { columns } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { USUAL_STORE } from "./issuer";

interface Options {
  readonly store: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const HELP = `
A bag is a file for one door: claim and keys where the lock may lack them, signed
bundles, a heartbeat. Signed bytes are in the store before they are in a bag, so
a bag that is lost is simply written again.

Examples:
  tumbler issue --out bags
  tumbler issue front shed --out bags --force
${exitHelp("written")}`;

/** Adds the command to the program. */
export function addIssue(program: Command, terminal: Terminal): void {
  program
    .command("issue")
    .summary("sign what locks are to know, into bags for a courier")
    .description(
      "Signs all that is wanted of the locks of these doors, of all without any, into files for a courier.",
    )
    .argument("[door...]", "doors")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--out <folder>", "where the bags go, one for each door", "bags")
    .option("--force", "replace bags that exist")
    .option("--json", "print what was written as JSON")
    .addHelpText("after", HELP)
    .action((doors: readonly string[], options: Options) => issue(doors, options, terminal));
}

async function issue(names: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const made = await inOffice(options.store, async (issuer) => {
    const wanted = names.length > 0 ? names : issuer.locks.map((lock) => issuer.report(lock).door);
    const bags = [];
    for (const door of wanted) {
      const lock = lockOf(issuer, door);
      const delivery = { issuer, lock, now: wallClock, firstRequest: randomInt(1, MAX_REQUEST_ID) };
      const bag = await fillBag(delivery);
      const { signed, acknowledged } = issuer.report(lock);
      const bundles = bag.mail.filter(({ type }) => type === Type.bundle).length;
      bags.push({
        door,
        lock,
        path: join(options.out, `${door}.bag`),
        bag,
        bundles,
        deltas: signed - acknowledged,
      });
    }
    mkdirSync(options.out, { recursive: true });
    writeBags(bags, options.force === true);
    return bags;
  });
  const value = made.map(({ door, lock, path, bundles, deltas }) => ({ door, lock, path, bundles, deltas }));
  const rows = value.map(({ door, path, bundles, deltas }) => [door, String(bundles), String(deltas), path]);
  terminal.out(
    options.json
      ? `${JSON.stringify(value, null, 2)}\n`
      : columns(["door", "bundles", "deltas", "bag"], rows, [1, 2], terminal.colours),
  );
}
