// `tumbler door unlock`, `lock`, `mode` and so on: a phone at the door, with the key of its credential.

import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { Link } from "../../protocol/courier/link";
import { openDoor, type Phone, type PhoneAnswer, sendCommand } from "../../protocol/courier/phone";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { CommandOp } from "../../protocol/wire/payloads";
import { MODE_NAMES } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { writeAll } from "../files";
import { findKey } from "../key-file";
import { openReach, withLink } from "../links/open-reach";
import { addLinkOptions, type LinkArguments } from "../links/options";
import { Exit, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options extends LinkArguments {
  readonly key: string;
  readonly lock: string;
  readonly json?: boolean;
}

/** Adds the commands of a phone. */
export function addPhone(door: Command, terminal: Terminal): void {
  door
    .command("key")
    .description("a phone: tell the public key of its key file (PKCS #8 in PEM), made when absent")
    .requiredOption("--key <file>", "the phone's private key")
    .option("--json", "print it as JSON")
    .action((options: { key: string; json?: boolean }) => tellKey(options, terminal));
  const sub = (usage: string, summary: string): Command =>
    addLinkOptions(
      door
        .command(usage)
        .description(`a phone: ${summary}`)
        .requiredOption("--key <file>", "the phone's private key")
        .requiredOption("--lock <hex>", "the lock id, 16 hexadecimal digits")
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
  act: (link: Link, phone: Phone) => Promise<PhoneAnswer>,
): Promise<void> {
  if (!/^[0-9a-f]{16}$/i.test(options.lock))
    throw new Failure(`--lock ${options.lock}: wanted 16 hexadecimal digits`);
  if (!existsSync(options.key))
    throw new Failure(`${options.key}: no such file`, "make a key: tumbler door key --key FILE");
  const lock = fromHex(options.lock.toLowerCase());
  const phone: Phone = { crypto: node, key: findKey(options.key).key, lock };
  const reach = await openReach(options);
  const answer = await withLink(reach, { lock }, `lock ${options.lock}`, (link) => act(link, phone)).finally(
    () => reach.close(),
  );
  const isDone = answer.outcome === "done";
  const text = isDone ? done : `${answer.outcome}: ${answer.reason ?? "no answer"}`;
  terminal.out(options.json ? `${JSON.stringify({ lock: options.lock, ...answer })}\n` : `${text}\n`);
  terminal.exitCode = isDone ? Exit.fine : Exit.wrong;
}
