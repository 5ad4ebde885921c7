// `tumbler serve`: the issuer on a broker, running on: delivers, retries, confirms, and raises alarms.

import { statSync } from "node:fs";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { accessOf, addBrokerOptions, type BrokerArguments } from "../links/options";
import { openBegunOffice, openCounter, wallClock } from "../office/office";
import { doWork } from "../office/works";
import { Server, type Told } from "../serve/server";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { readSheets, type SheetPaths, USUAL_STORE } from "./issuer";

interface Options extends BrokerArguments, SheetPaths {
  readonly store: string;
  readonly broker: string;
  readonly lines: number;
  readonly idle: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

const ANSWER_MS = 10_000;
const WATCH_MS = 2000;
const HELP = `
Runs until it is told to end (Ctrl-C, or the signal TERM), and ends the sessions
that run first. It may be killed at any time: what it signed is in the store.
While it runs, \`tumbler issuer\` hands its work to it; sheets that are named here
are imported again whenever they change.

Each line says what happened at which door; --json prints one object a line.

Examples:
  tumbler serve --broker mqtts://broker.example --ca ca.pem --user issuer \\
      --password-file issuer.password
  tumbler serve --broker mqtt://127.0.0.1:1883 --people people.csv --once
${exitHelp("ended, all confirmed", "ended with alarms, or with --once something that failed")}`;

function numberOf(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError("Wanted a number from 1.");
  return Number(text);
}

/** Adds the command to the program. */
export function addServe(program: Command, terminal: Terminal): void {
  const command = program
    .command("serve")
    .summary("the issuer on an MQTT broker: deliver, retry, confirm, alarm")
    .description("Serves all locks of an issuer over an MQTT broker, for as long as it runs.")
    .requiredOption("--broker <url>", "mqtt://host:port, or mqtts://host:port")
    .option("--store <folder>", "the issuer's store", USUAL_STORE)
    .option("--doors <file>", "doors.csv, imported now and whenever it changes")
    .option("--schedules <file>", "schedules.csv, in the same way")
    .option("--people <file...>", "people.csv, in the same way")
    .option("--lines <n>", "sessions at a time", numberOf, 16)
    .option("--idle <seconds>", "visit a lock without mail after so many seconds", numberOf, 3600)
    .option("--once", "end when nothing waits for any lock")
    .option("--json", "print one JSON object a line");
  addBrokerOptions(command)
    .addHelpText("after", HELP)
    .action((options: Options) => serve(options, terminal));
}

async function serve(options: Options, terminal: Terminal): Promise<void> {
  const { store, broker, lines, idle } = options;
  const access = accessOf(options);
  const office = await openBegunOffice(store);
  try {
    const { issuer } = office;
    let failed = 0;
    const tell = (told: Told): void => {
      if (told.event === "failed") failed++;
      terminal.out(options.json ? `${JSON.stringify(told)}\n` : `${stamp()} ${textOf(told)}\n`);
    };
    const server = new Server({ issuer, broker, access, lines, idleS: idle, answerMs: ANSWER_MS, tell });
    await importNow(options, issuer, terminal);
    const counter = await openCounter(store, issuer, () => server.poke());
    const watch = watchSheets(options, async () => {
      await importNow(options, issuer, terminal);
      server.poke();
    });
    try {
      await server.start();
      await ended(options.once === true, server);
    } finally {
      clearInterval(watch);
      await new Promise<void>((resolve) => counter.close(() => resolve()));
      await server.stop();
    }
    const isAlarmed = issuer.locks.some((lock) => issuer.alarms(lock).length > 0);
    terminal.exitCode = isAlarmed || (options.once === true && failed > 0) ? Exit.wrong : Exit.fine;
  } finally {
    await office.close();
  }
}

/** Imports the sheets that are named. Errors are said; then nothing of them was imported, and what was known goes on. */
async function importNow(
  options: Options,
  issuer: Parameters<typeof doWork>[0],
  terminal: Terminal,
): Promise<void> {
  const { doors, schedules, people } = options;
  if (doors === undefined && schedules === undefined && people === undefined) return;
  try {
    const { text } = await doWork(issuer, { work: "import", sheets: readSheets(options) }, wallClock());
    terminal.err(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    terminal.err(`error: ${error.message}\n(${error.advice})\n`);
  }
}

function watchSheets(
  { doors, schedules, people = [] }: Options,
  onChange: () => Promise<void>,
): NodeJS.Timeout {
  const paths = [doors, schedules, ...people].filter((path) => path !== undefined);
  const standing = (): string =>
    paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join();
  let last = standing();
  return setInterval(() => {
    const now = standing();
    if (now === last) return;
    last = now;
    void onChange();
  }, WATCH_MS);
}

/** Resolves on a signal to end, or, with `once`, when nothing waits any more. */
function ended(once: boolean, server: Server): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearInterval(timer);
      process.off("SIGINT", done);
      process.off("SIGTERM", done);
      resolve();
    };
    const timer = setInterval(() => {
      if (once && server.isSettled) done();
    }, 250);
    process.on("SIGINT", done);
    process.on("SIGTERM", done);
  });
}

const stamp = (): string => new Date().toISOString().slice(0, 19).replace("T", " ");

function textOf(told: Told): string {
  switch (told.event) {
    case "connected":
    case "disconnected":
      return `${told.event}: ${told.broker}`;
    case "online":
    case "offline":
      return `${told.door}: ${told.event}`;
    case "session":
      return `${told.door}: session ${told.outcome}${told.reason === undefined ? "" : ` (${told.reason})`}, ${told.bundles} bundles`;
    case "confirmed":
    case "failed":
      return `${told.door}: ${told.event} ${told.seq} (${told.item}): ${told.code}`;
    case "alarm":
      return `${told.door}: ALARM ${told.alarm.kind}: ${told.alarm.text}`;
    case "events":
      return `${told.door}: ${told.count} events`;
    case "refused-page":
      return `${told.door}: a page that is not the lock's: ${told.why}`;
    case "refused-receipt":
      return `${told.door}: a receipt that is not the lock's: ${told.why}`;
  }
}
