// `tumbler door`: a phone at the door: opens it, locks it, and changes its mode, with the key of a phone credential.

import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { openDoor, type Phone, type PhoneAnswer, sendCommand } from "../../protocol/courier/phone";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { CommandOp } from "../../protocol/wire/payloads";
import { MODE_NAMES } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { writeAll } from "../files";
import { findKey } from "../key-file";
import { LINK_HELP, openLink } from "../links/open-link";
import { addLinkOptions, type LinkArguments, linkOptionsOf } from "../links/options";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options extends LinkArguments {
  readonly key: string;
  readonly lock: string;
  readonly to: string;
  readonly json?: boolean;
}

const HELP = `
${LINK_HELP}

The key file is the phone's: PKCS #8 in PEM. \`tumbler door key\` makes one and
tells its public key, which goes into people.csv (column phone-key).

Examples:
  tumbler door key --key phone.key
  tumbler door unlock --key phone.key --lock 00112233aabbccdd --to image:front.img
  tumbler door mode tour --key phone.key --lock 00112233aabbccdd --to image:front.img
${exitHelp("done", "the lock refused, and why")}`;

/** Adds the command to the program. */
export function addDoor(program: Command, terminal: Terminal): void {
  const door = program
    .command("door")
    .summary("a phone at the door: unlock, lock, mode, rename")
    .description("What a phone does at a door, with the key of its credential.")
    .addHelpText("after", HELP);
  door
    .command("key")
    .description("tell the public key of a phone's key file, which is made when absent")
    .requiredOption("--key <file>", "the phone's private key")
    .option("--json", "print it as JSON")
    .action((options: { key: string; json?: boolean }) => tellKey(options, terminal));
  const sub = (usage: string, summary: string): Command =>
    addLinkOptions(
      door
        .command(usage)
        .description(summary)
        .requiredOption("--key <file>", "the phone's private key")
        .requiredOption("--lock <hex>", "the lock id, 16 hexadecimal digits")
        .requiredOption("--to <link>", "how the lock is reached")
        .option("--json", "print the outcome as JSON"),
    );
  sub("unlock", "open the door").action((options: Options) =>
    at(options, terminal, "unlocked", (link, phone) => openDoor(link, phone, firstRequest())),
  );
  const command = (usage: string, summary: string, op: number, done: string): void => {
    sub(usage, summary).action((options: Options) =>
      at(options, terminal, done, (link, phone) => sendCommand(link, phone, op, undefined, firstRequest())),
    );
  };
  command("lock", "lock the door now", CommandOp.lock, "locked");
  command(
    "reset-codes",
    "take away the codes programmed at the keypad",
    CommandOp.resetCodes,
    "codes taken away",
  );
  command(
    "reset-lock",
    "consent to a factory reset, done at the lock",
    CommandOp.resetLock,
    "consented to a reset",
  );
  sub("mode <mode>", `set the operating mode: ${MODE_NAMES.join(", ")}`).action(
    (name: string, options: Options) => {
      const mode = MODE_NAMES.indexOf(name);
      if (mode < 0) throw new Failure(`mode ${name}: wanted ${MODE_NAMES.join(", ")}`);
      const argument = new Uint8Array([mode]);
      return at(options, terminal, `mode is ${name}`, (link, phone) =>
        sendCommand(link, phone, CommandOp.mode, argument, firstRequest()),
      );
    },
  );
  sub("rename <name>", "give the lock another name").action((name: string, options: Options) =>
    at(options, terminal, "renamed", (link, phone) =>
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
  done: string,
  act: (link: Parameters<typeof openDoor>[0], phone: Phone) => Promise<PhoneAnswer>,
): Promise<void> {
  if (!/^[0-9a-f]{16}$/i.test(options.lock))
    throw new Failure(`--lock ${options.lock}: wanted 16 hexadecimal digits`);
  if (!existsSync(options.key))
    throw new Failure(`${options.key}: no such file`, "make a key: tumbler door key --key FILE");
  const lock = fromHex(options.lock.toLowerCase());
  const phone: Phone = { crypto: node, key: findKey(options.key).key, lock };
  const link = await openLink(options.to, lock, linkOptionsOf(options));
  const answer = await act(link, phone).finally(() => link.close());
  const isDone = answer.outcome === "done";
  const text = isDone ? done : `${answer.outcome}: ${answer.reason ?? "no answer"}`;
  terminal.out(options.json ? `${JSON.stringify({ lock: options.lock, ...answer })}\n` : `${text}\n`);
  terminal.exitCode = isDone ? Exit.fine : Exit.wrong;
}
