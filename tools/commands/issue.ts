// `tumbler issue`: signs all that is wanted of some locks and puts it into a work list, which an installer takes to the doors.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import { Type } from "../../protocol/wire/messages";
import { writeAll } from "../files";
import { inOffice, wallClock } from "../office/office";
import { doorsWithoutLock } from "../office/works";
import { exitHelp, Failure } from "../ui/failure";
import { hanging } from "../ui/live";
import { columns } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { workAtDoor } from "../worklist/from-issuer";
import { readWorkList, unreported, type WorkDoor, workFile } from "../worklist/work-list";
import { USUAL_STORE } from "./issuer";

interface Options {
  readonly store: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const USUAL_WORK = "doors.work";
const HELP = `
A work list is one file for any number of doors, and works without a network:
claim and keys where a lock may lack them, signed changes, a sign of life, and
what each change is in plain words. It names people and holds the keys by which
locks are recognised over Bluetooth: it is written for its owner alone (mode
600), and is a secret wherever it goes. It cannot open a door, and not change
what is signed.

Signed bytes are in the store before they are in a list, so a list that is lost
is simply written again. What answers a lock in its session is in none: the
time, and a consent to a factory reset.

Examples:
  tumbler issue
  tumbler issue front shed --out north.work --force
${exitHelp("written")}`;

/** Adds the command to the program. */
export function addIssue(program: Command, terminal: Terminal): void {
  program
    .command("issue")
    .summary("sign what locks are to know, into a work list for an installer")
    .description(
      "Signs all that is wanted of the locks of these doors, of all without any, into a file for an installer.",
    )
    .argument("[door...]", "doors")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--out <file>", "the work list", USUAL_WORK)
    .option("--force", "replace a work list that exists and is handed in")
    .option("--json", "print what was written as JSON")
    .addHelpText("after", HELP)
    .action((doors: readonly string[], options: Options) => issue(doors, options, terminal));
}

/** What came home and was not handed in is nowhere else. */
function refuseUnreported(path: string): void {
  if (!existsSync(path)) return;
  const open = unreported(readWorkList(path));
  if (open > 0)
    throw new Failure(
      `${path}: ${open} of its receipts and pages of events are not yet reported`,
      `hand them in first: tumbler receipts ${path}`,
    );
}

async function issue(names: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { store, out, force = false } = options;
  if (force) refuseUnreported(out);
  const { doors, without } = await inOffice(store, async (issuer) => {
    const wanted = names.length > 0 ? [...new Set(names)] : issuer.locks.map((lock) => issuer.doorOf(lock));
    if (wanted.length === 0)
      throw new Failure("no door has a lock yet", "bind one: tumbler issuer bind DOOR RECORD");
    const made: WorkDoor[] = [];
    for (const door of wanted) made.push(await workAtDoor(issuer, door));
    writeAll([workFile(out, { site: issuer.signers.site, madeAt: wallClock(), doors: made }, force)]);
    return { doors: made, without: names.length > 0 ? [] : doorsWithoutLock(issuer) };
  });
  const value = doors.map(({ door, lock, bag, changes, isNewTable }) => {
    const bundles = bag.mail.filter(({ type }) => type === Type.bundle).length;
    return { door, lock: toHex(lock), changes: changes.length, bundles, isNewTable };
  });
  const rows = value.map(({ door, changes, bundles, isNewTable }) => [
    door,
    String(changes),
    String(bundles),
    isNewTable ? "a whole new table first" : "",
  ]);
  const table = columns(["door", "changes", "bundles", ""], rows, [1, 2], terminal.colours);
  const leftOut =
    without.length === 0
      ? ""
      : `${hanging(`left out, as no lock is bound to them: ${without.join(", ")}`, 2)}\n`;
  terminal.out(
    options.json
      ? `${JSON.stringify({ work: out, doors: value, doorsWithoutLock: without }, null, 2)}\n`
      : `${table}\n${leftOut}${out}: a secret; take it to the doors: tumbler door sync --work ${out}\n`,
  );
}
