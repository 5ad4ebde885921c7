// `tumbler audit` (rule K6): where a lock's table is not what its acks add up to, finds the slots by asking for sums over ranges of them.

import { randomInt } from "node:crypto";
import type { Command } from "commander";
import { Round } from "../../protocol/courier/round";
import { fromHex } from "../../protocol/wire/bytes";
import { MAX_REQUEST_ID, Type } from "../../protocol/wire/messages";
import { LINK_HELP, openLink } from "../links/open-link";
import { addLinkOptions, type LinkArguments, linkOptionsOf } from "../links/options";
import { inOffice } from "../office/office";
import { lockOf } from "../office/works";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import { USUAL_STORE } from "./issuer";

interface Options extends LinkArguments {
  readonly store: string;
  readonly to: string;
  readonly json?: boolean;
}

const HELP = `
${LINK_HELP}

A lock tells sums over ranges of slots, and nothing of what is in them; ten
questions find one slot among a thousand. Sync the door first: only what is
acknowledged can be compared. A slot that differs is mended by putting its
credential again, all of it by \`tumbler issuer rebase\`.

Example:
  tumbler audit front --to image:front.img
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
    .requiredOption("--to <link>", "how the lock is reached")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--json", "print the result as JSON");
  addLinkOptions(command)
    .addHelpText("after", HELP)
    .action((door: string, options: Options) => audit(door, options, terminal));
}

async function audit(door: string, options: Options, terminal: Terminal): Promise<void> {
  const found = await inOffice(options.store, async (issuer) => {
    const lock = lockOf(issuer, door);
    const { site } = issuer.signers;
    const link = await openLink(options.to, fromHex(lock), { site, ...linkOptionsOf(options) });
    try {
      const round = new Round(link, randomInt(1, MAX_REQUEST_ID));
      await round.hello();
      return await issuer.audit(lock, async (body) => (await round.exchange(Type.ask, body)).message);
    } catch (error) {
      if (error instanceof Error) throw error;
      throw new Failure(`${options.to}: the lock does not answer`, "check the link, and try again");
    } finally {
      await link.close();
    }
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
