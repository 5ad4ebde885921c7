// `tumbler door unlock`, `lock`, `mode` and so on: a phone at the door, with the key of its credential.

import { randomInt } from "node:crypto";
import type { Command } from "commander";
import type { Link } from "../../protocol/courier/link";
import { openDoor, type Phone, type PhoneAnswer, sendCommand } from "../../protocol/courier/phone";
import { toHex } from "../../protocol/wire/bytes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { CommandOp } from "../../protocol/wire/payloads";
import { MODE_NAMES } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { phoneText } from "../door/phone-words";
import { writeAll } from "../files";
import { findKey, phoneKey } from "../key-file";
import { atLock } from "../links/open-reach";
import { addLinkOptions, type LinkArguments, lockIdOf } from "../links/options";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options extends LinkArguments {
  readonly key: string;
  readonly lock: string;
  readonly json?: boolean;
}

const KEY_HELP = `
The office takes the public key in the column phone-key of people.csv.

Example:
  tumbler door key --key phone.key
${exitHelp("told")}`;

const helpOf = (deed: string): string => `
The lock id is what \`tumbler door receipts --json\` and \`tumbler inspect\` tell.

Example:
  tumbler door ${deed} --key phone.key --lock 00112233aabbccdd
${exitHelp("done", "the lock refused, and why")}`;

/** Adds the commands of a phone. */
export function addPhone(door: Command, terminal: Terminal): void {
  door
    .command("key")
    .description("a phone: tell the public key of its key file (PKCS #8 in PEM), made when absent")
    .requiredOption("--key <file>", "the phone's private key")
    .option("--json", "print it as JSON")
    .addHelpText("after", KEY_HELP)
    .action((options: { key: string; json?: boolean }) => tellKey(options, terminal));
  const sub = (usage: string, summary: string, example = usage): Command =>
    addLinkOptions(
      door
        .command(usage)
        .description(`a phone: ${summary}`)
        .requiredOption("--key <file>", "the phone's private key")
        .requiredOption("--lock <hex>", "the lock id, 16 hexadecimal digits")
        .option("--json", "print the outcome as JSON"),
    ).addHelpText("after", helpOf(example));
  sub("unlock", "open the door").action((options: Options) =>
    at(options, terminal, { done: "unlocked" }, (link, phone) => openDoor(link, phone, firstRequest())),
  );
  const command = (usage: string, summary: string, op: number, done: string, capability?: string): void => {
    sub(usage, summary).action((options: Options) =>
      at(options, terminal, { done, capability }, (link, phone) =>
        sendCommand(link, phone, op, undefined, firstRequest()),
      ),
    );
  };
  command("lock", "lock the door now", CommandOp.lock, "locked");
  command(
    "reset-codes",
    "take away the codes programmed at the keypad",
    CommandOp.resetCodes,
    "codes taken away",
    "reset-code",
  );
  command(
    "reset-lock",
    "consent to a factory reset, done at the lock",
    CommandOp.resetLock,
    "consented to a reset",
    "reset-lock",
  );
  sub("mode <mode>", `set the operating mode: ${MODE_NAMES.join(", ")}`, `mode ${MODE_NAMES[1]}`).action(
    (name: string, options: Options) => {
      const mode = MODE_NAMES.indexOf(name);
      if (mode < 0) throw new Failure(`mode ${name}: wanted ${MODE_NAMES.join(", ")}`);
      const argument = new Uint8Array([mode]);
      return at(options, terminal, { done: `mode is ${name}`, capability: "set-mode" }, (link, phone) =>
        sendCommand(link, phone, CommandOp.mode, argument, firstRequest()),
      );
    },
  );
  sub("rename <name>", "give the lock another name", "rename Front").action(
    (name: string, options: Options) =>
      at(options, terminal, { done: "renamed", capability: "rename" }, (link, phone) =>
        sendCommand(link, phone, CommandOp.rename, new Uint8Array(Buffer.from(name, "utf8")), firstRequest()),
      ),
  );
}

const firstRequest = (): number => randomInt(1, MAX_REQUEST_ID);

function tellKey({ key: path, json }: { key: string; json?: boolean }, terminal: Terminal): void {
  const { key, made } = findKey(path);
  if (made !== undefined) writeAll([made]);
  const publicKey = toHex(key.publicKey);
  terminal.out(json ? `${JSON.stringify({ publicKey, made: made !== undefined })}\n` : `${publicKey}\n`);
}

async function at(
  options: Options,
  terminal: Terminal,
  { done, capability }: { readonly done: string; readonly capability?: string },
  act: (link: Link, phone: Phone) => Promise<PhoneAnswer>,
): Promise<void> {
  const lock = lockIdOf(options.lock);
  const phone: Phone = { crypto: node, key: phoneKey(options.key), lock };
  const answer = await atLock(options, { lock }, `lock ${options.lock}`, (link) => act(link, phone));
  const isDone = answer.outcome === "done";
  const text = isDone ? done : phoneText(answer, capability);
  terminal.out(options.json ? `${JSON.stringify({ lock: options.lock, ...answer })}\n` : `${text}\n`);
  terminal.exitCode = isDone ? Exit.fine : Exit.wrong;
}
