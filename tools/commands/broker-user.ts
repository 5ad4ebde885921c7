// `tumbler broker-user`: the users and passwords of locks at the MQTT broker of their site (rule X5), as lines of a mosquitto password file.

import type { Command } from "commander";
import { writeAll } from "../files";
import { workAt } from "../office/office";
import type { BrokerUser } from "../office/works";
import { exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import { USUAL_STORE } from "./issuer";

interface Options {
  readonly all?: boolean;
  readonly store: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const HELP = `
A lock's user is its id; its password comes from the keys of its claim: it is
never sent to the lock, and another after a new claim. Lines are
"user:password", for mosquitto to hash:

  tumbler broker-user --all --out passwords
  mosquitto_passwd -U passwords

mosquitto_passwd -U hashes every line of its file: give it new lines
only, append what comes out to the broker's file, and send the signal HUP.

Examples:
  tumbler broker-user front
  tumbler broker-user --all --json
${exitHelp("told, or written")}`;

/** Adds the command to the program. */
export function addBrokerUser(program: Command, terminal: Terminal): void {
  program
    .command("broker-user")
    .summary("the users and passwords of locks at their MQTT broker")
    .description("Tells by which user and password locks log in at the MQTT broker of their site.")
    .argument("[door]", "the door of one lock")
    .option("--all", "the locks of all doors")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--out <file>", "write the lines into a file of mode 600, and print no password")
    .option("--force", "replace a file that exists")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action((door: string | undefined, options: Options) => tell(door, options, terminal));
}

async function tell(door: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { all, store, out, force, json } = options;
  if ((door === undefined) === (all !== true))
    throw new Failure("wanted either a door or --all", "run: tumbler broker-user --help");
  const { text, value } = await workAt(store, { work: "broker-users", door });
  const users = value as readonly BrokerUser[];
  if (out === undefined) {
    terminal.out(json ? `${JSON.stringify(users, null, 2)}\n` : text);
    return;
  }
  writeAll([{ path: out, content: text, replace: force === true }]);
  const written = users.map(({ door: name, user }) => ({ door: name, user }));
  terminal.out(
    json
      ? `${JSON.stringify({ file: out, users: written }, null, 2)}\n`
      : `${out}: ${count(users.length, "user")}; hash the passwords: mosquitto_passwd -U ${out}\n`,
  );
}
