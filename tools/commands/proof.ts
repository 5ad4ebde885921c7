// `tumbler proof` (rule K7): a lock's own word that a person, and everyone below, has no slot left; for anyone who knows its public key.

import type { Command } from "commander";
import { verifyProof } from "../../protocol/issuer/proof";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { node } from "../../simulator/board/crypto";
import { readWhole, writeAll } from "../files";
import { askLock } from "../links/ask";
import { addLinkOptions, LINK_HELP, type LinkArguments } from "../links/options";
import { inOffice } from "../office/office";
import { lockOf } from "../office/works";
import { Exit, exitHelp, Failure } from "../ui/failure";
import { fields } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { USUAL_STORE } from "./issuer";

const FORMAT = "tumbler proof 1";
const MAX_PROOF_BYTES = 65_536;
const HELP = `
The proof is a receipt that the lock signed: at that position of its log no slot
of the person, or of anyone who has access from them, was left. Codes programmed
at the keypad, the master and offline codes are outside it.

Whoever verifies needs the lock's public key from somebody they trust; it is in
the record that \`tumbler provision\` wrote. Names are not in a proof.

${LINK_HELP}

Examples:
  tumbler proof make front dora --out dora.proof
  tumbler proof verify dora.proof --key 2d1f…(64 hexadecimal digits)
${exitHelp("proven", "not proven, and why")}`;

interface MakeOptions extends LinkArguments {
  readonly store: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface VerifyOptions {
  readonly key: string;
  readonly json?: boolean;
}

/** Adds the command to the program. */
export function addProof(program: Command, terminal: Terminal): void {
  const proof = program
    .command("proof")
    .summary("a lock's signed word that somebody has no access left")
    .description("Asks a lock to sign that somebody has no slot left, and verifies what it signed.")
    .addHelpText("after", HELP);
  addLinkOptions(
    proof
      .command("make <door> <person>")
      .description("ask the lock of a door, and keep what it signs")
      .requiredOption("--out <file>", "where the proof goes")
      .option("--store <folder>", "the issuer's store", USUAL_STORE)
      .option("--force", "replace a file that exists")
      .option("--json", "print the verdict as JSON"),
  ).action((door: string, person: string, options: MakeOptions) => make(door, person, options, terminal));
  proof
    .command("verify <file>")
    .description("say what a proof proves")
    .requiredOption("--key <hex>", "the lock's public key, 64 hexadecimal digits")
    .option("--json", "print the verdict as JSON")
    .action((path: string, options: VerifyOptions) => verify(path, options, terminal));
}

async function make(door: string, person: string, options: MakeOptions, terminal: Terminal): Promise<void> {
  const made = await inOffice(options.store, async (issuer) => {
    const id = lockOf(issuer, door);
    const lock = fromHex(id);
    const question = issuer.absenceQuestion(id, person);
    if (question === undefined)
      throw new Failure(
        `${person}: never had access at ${door}`,
        "check the names; of a stranger a lock can say nothing",
      );
    const { user, body } = question;
    const { publicKey, keys } = issuer.directory.door(door).lock!;
    const asked = { door, lock, linkKey: keys.linkKey, site: issuer.signers.site };
    const receipt = await askLock(options, asked, (ask) => ask(body));
    return { lock, user, publicKey, receipt };
  });
  const { lock, user, publicKey, receipt } = made;
  const verdict = verifyProof(node, receipt, { lock, publicKey }, user);
  if (verdict.isProof) {
    const content = { format: FORMAT, lock: toHex(lock), user, receipt: toHex(receipt) };
    writeAll([
      {
        path: options.out,
        content: `${JSON.stringify(content, null, 2)}\n`,
        replace: options.force === true,
      },
    ]);
  }
  show(verdict, options.json === true, terminal);
}

function verify(path: string, { key, json }: VerifyOptions, terminal: Terminal): void {
  if (!/^[0-9a-f]{64}$/i.test(key)) throw new Failure(`--key ${key}: wanted 64 hexadecimal digits`);
  const { lock, user, receipt } = parseProof(path);
  show(
    verifyProof(node, receipt, { lock, publicKey: fromHex(key.toLowerCase()) }, user),
    json === true,
    terminal,
  );
}

function parseProof(path: string): { lock: Uint8Array; user: number; receipt: Uint8Array } {
  const wrong = new Failure(`${path}: not a proof`, "name a file that `tumbler proof make` wrote");
  try {
    const value = JSON.parse(Buffer.from(readWhole(path, MAX_PROOF_BYTES)).toString("utf8"));
    const { format, lock, user, receipt } = value as Record<string, unknown>;
    const isHex = (text: unknown): text is string =>
      typeof text === "string" && /^([0-9a-f]{2})+$/.test(text);
    if (format !== FORMAT || !isHex(lock) || lock.length !== 16 || !isHex(receipt) || !Number.isInteger(user))
      throw wrong;
    return { lock: fromHex(lock), user: user as number, receipt: fromHex(receipt) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw wrong;
  }
}

const REASONS = {
  malformed: "it is no receipt",
  "wrong-lock": "it is of another lock",
  "bad-signature": "the lock with this key did not sign it",
  "not-stated": "it says nothing of this user",
  "slots-left": "the user, or somebody below, has slots left",
} as const;

function show(verdict: ReturnType<typeof verifyProof>, json: boolean, terminal: Terminal): void {
  terminal.exitCode = verdict.isProof ? Exit.fine : Exit.wrong;
  if (json) {
    terminal.out(`${JSON.stringify(verdict)}\n`);
    return;
  }
  if (!verdict.isProof) {
    const slots = verdict.slots === undefined ? "" : ` (${verdict.slots})`;
    terminal.out(`Not proven: ${REASONS[verdict.reason]}${slots}.\n`);
    return;
  }
  const { lock, user, epoch, seq, time, bound, localCodes, notCovered } = verdict;
  const when =
    time === 0 ? "unknown to the lock" : `${new Date(time * 1000).toISOString()}, give or take ${bound} s`;
  const rows: [string, string][] = [
    ["lock", lock],
    ["user", `${user}: no slot, nor anyone below`],
    ["position", `${seq} of epoch ${epoch}`],
    ["time", when],
    ["not covered", `${notCovered.join(", ")} (${localCodes} of these were there)`],
  ];
  terminal.out(`Proven.\n\n${fields(rows, terminal.colours)}`);
}
