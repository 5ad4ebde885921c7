// `tumbler audit` (rule K6): where a lock's table is not what its acks add up to, finds the slots by asking for sums over ranges of them.

import type { Command } from "commander";
import { fromHex } from "../../protocol/wire/bytes";
import { askLock } from "../links/ask";
import { addLinkOptions, LINK_HELP, type LinkArguments } from "../links/options";
import { inOffice } from "../office/office";
import { lockOf } from "../office/works";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import { USUAL_STORE } from "./issuer";

interface Options extends LinkArguments {
  readonly store: string;
  readonly json?: boolean;
}

const HELP = `
${LINK_HELP}

A lock tells sums over ranges of slots, and nothing of what is in them; ten
questions find one slot among a thousand. Sync the door first: only what is
acknowledged can be compared. A slot that differs is mended by putting its
credential again, all of it by \`tumbler issuer rebase\`.

Example:
  tumbler audit front --link sim --image front.img
${exitHelp("the table is as it should be", "it is not")}`;

/** Adds the command to the program. */
export function addAudit(program: Command, terminal: Terminal): void {
  const command = program
    .command("audit")
    .summary("find the slots in which a lock is not what it should be")
    .description(
      "Compares a lock's table with what its acknowledged deltas add up to, without seeing what is in it.",
    )
    .argument("<door>", "the door")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--json", "print the result as JSON");
  addLinkOptions(command)
    .addHelpText("after", HELP)
    .action((door: string, options: Options) => audit(door, options, terminal));
}

async function audit(door: string, options: Options, terminal: Terminal): Promise<void> {
  const found = await inOffice(options.store, async (issuer) => {
    const lock = lockOf(issuer, door);
    const { linkKey } = issuer.directory.door(door).lock!.keys;
    const asked = { door, lock: fromHex(lock), linkKey, site: issuer.signers.site };
    return askLock(options, asked, (ask) => issuer.audit(lock, ask));
  });
  if (!found.isDone)
    throw new Failure(
      `${door}: what the lock has is not all acknowledged`,
      "sync the door first, then ask again",
    );
  const isSound = found.slots.length === 0 && !found.rest;
  terminal.out(options.json ? `${JSON.stringify({ door, ...found })}\n` : textOf(door, found));
  terminal.exitCode = isSound ? Exit.fine : Exit.wrong;
}

function textOf(door: string, found: { slots: readonly number[]; rest: boolean; questions: number }): string {
  const { slots, rest, questions } = found;
  const asked = `(${count(questions, "question")})`;
  if (slots.length === 0 && !rest) return `${door}: the table is what the acks add up to ${asked}.\n`;
  const lines =
    slots.length > 0
      ? [`  another content in ${slots.length === 1 ? "slot" : "slots"} ${slots.join(", ")}`]
      : [];
  if (rest) lines.push("  other schedules or settings");
  return `${door}: not what the acks add up to ${asked}:\n${lines.join("\n")}\n`;
}
