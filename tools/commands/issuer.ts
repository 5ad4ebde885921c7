// `tumbler issuer`: the issuer's office: the account, doors and people from files, locks, settings, revocations, and where everything stands.

import type { Command } from "commander";
import { OFFLINE_KIND_NAMES } from "../../protocol/issuer/offline";
import { readSheet } from "../csv";
import { readSecret } from "../files";
import { DOOR_SETTINGS } from "../office/door-settings";
import { workAt } from "../office/office";
import type { OfflineRequest } from "../office/offline-codes";
import type { Request } from "../office/works";
import { exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Common {
  readonly store: string;
  readonly json?: boolean;
}

/** Where an issuer's store is when nothing else is said. */
export const USUAL_STORE = "issuer";
const MAX_RECORD_BYTES = 65_536;

const SETTINGS_HELP = Object.entries(DOOR_SETTINGS)
  .map(
    ([name, { value, isSecret }]) =>
      `  ${name.padEnd(16)}${value}${isSecret ? "; - reads it from standard input" : ""}`,
  )
  .join("\n");
const RESET_HELP = `
The consent answers a lock in its session, so \`tumbler serve\` brings it, and no
work list can. A lock that is not on a broker is reset with the consent of a
phone at the door that may reset-lock (\`tumbler door reset-lock\`), or after the
hours of its setting reset-delay without any.`;
const HELP = `
The store is a folder: a sealed journal and its key. Everything is written there
before it has any effect, so it may be ended at any time. While \`tumbler serve\`
has it open, these commands hand their work to it.

Examples:
  tumbler issuer begin --site north
  tumbler issuer import --doors doors.csv --schedules schedules.csv \\
      --people people.csv
  tumbler issuer bind front front.record.json
  tumbler issuer set front lease-days 14
  tumbler issuer offline-code make front --kind day --index 0 --date 2027-03-01
  tumbler issuer revoke dora
  tumbler issuer show --json
${exitHelp("done", "show: there are alarms; offline-code make: with a warning")}`;
const OFFLINE_HELP = `
An offline code is nine digits for one door and one date, or one week, that open
without any mail, where a setting has switched its kind and its index on:
  tumbler issuer set front offline-codes day,once:4
The kinds: day, any number of times on the date; once, one time on the date;
minutes, on the date for 15 minutes after its first use; week, from Monday to
Sunday, named by any date of it. The index, from 0 on, tells codes of one kind
and date apart: give each person another. The same words give the same code.

What was given out opens to the end of its window, unless it is denied. A lock
keeps eight denied codes; those that are over go by themselves.

Examples:
  tumbler issuer offline-code make front --kind once --index 2 --date 2027-03-01
  tumbler issuer offline-code deny front --kind once --index 2 --date 2027-03-01
  tumbler issuer offline-code allow front --kind day --index 0 --date 2027-03-02
${exitHelp("done", "make: with a warning, such as that it is not switched on")}`;

/** Adds the command to the program. */
export function addIssuer(program: Command, terminal: Terminal): void {
  const issuer = program
    .command("issuer")
    .summary("the issuer's office: people, doors, locks, settings, revocations")
    .description("The issuer's office: who may enter where, and where that stands at the locks.")
    .addHelpText("after", HELP);
  const sub = (usage: string, summary: string): Command =>
    issuer
      .command(usage)
      .description(summary)
      .option("--store <folder>", "the issuer's store", USUAL_STORE)
      .option("--json", "print the result as JSON");
  const run = async (options: Common, request: Request): Promise<void> => {
    const reply = await workAt(options.store, request);
    terminal.out(options.json ? `${JSON.stringify(reply.value, null, 2)}\n` : reply.text);
    terminal.exitCode = reply.exitCode;
  };

  sub("begin", "begin an account, with fresh keys of owner and issuer")
    .requiredOption("--site <name>", 'the site, 1 to 16 of a-z, 0-9 and "-": part of MQTT topics')
    .action((options: Common & { site: string }) => run(options, { work: "begin", site: options.site }));
  sub("import", "take doors, schedules and people from CSV files, all or nothing")
    .option("--doors <file>", "doors.csv")
    .option("--schedules <file>", "schedules.csv")
    .option("--people <file...>", "people.csv, in one file or several")
    .action((options: Common & SheetPaths) => run(options, { work: "import", sheets: readSheets(options) }));
  sub("bind <door> <record>", "give a door the lock of a record that `tumbler provision` wrote").action(
    (door: string, path: string, options: Common) => {
      const record = Buffer.from(readSecret(path, MAX_RECORD_BYTES)).toString("utf8");
      return run(options, { work: "bind", door, path, record });
    },
  );
  for (const [work, summary] of [
    ["revoke", "end all access of a person and of everyone below; the record stays"],
    ["remove", "end all access of a person and of everyone below; the record goes"],
    ["disable", "switch a person's credentials off"],
    ["enable", "switch a person's credentials on again"],
  ] as const)
    sub(`${work} <person>`, summary).action((person: string, options: Common) =>
      run(options, { work, person }),
    );
  sub("set <door> <setting> <value>", "set one setting of a door's lock")
    .addHelpText("after", `\nSettings:\n${SETTINGS_HELP}\n`)
    .action(async (door: string, name: string, given: string, options: Common) => {
      const value = given === "-" ? await terminal.secret(`${name}: `) : given;
      return run(options, { work: "set", door, name, value });
    });
  addOfflineCode(issuer, run);
  sub("rotate-keys", "sign with a new issuer key from now on").action((options: Common) =>
    run(options, { work: "rotate" }),
  );
  sub("rebase <door>", "send a whole new table to a door's lock").action((door: string, options: Common) =>
    run(options, { work: "rebase", door }),
  );
  sub("reset <door>", "consent to a factory reset of a door's lock")
    .addHelpText("after", RESET_HELP)
    .action((door: string, options: Common) => run(options, { work: "reset", door }));
  sub("show [door]", "tell where everything stands at the locks, with every alarm").action(
    (door: string | undefined, options: Common) => run(options, { work: "show", door }),
  );
}

type OfflineOptions = Common & Pick<OfflineRequest, "kind" | "index" | "date">;

/** The commands about one offline code (rule C23). */
function addOfflineCode(issuer: Command, run: (options: Common, request: Request) => Promise<void>): void {
  const offline = issuer
    .command("offline-code")
    .summary("make a code that opens without any mail, deny it, allow it again")
    .description(
      "Makes codes that open a door on a date without any mail, denies them, and allows them again.",
    )
    .addHelpText("after", OFFLINE_HELP);
  for (const [deed, summary] of [
    ["make", "print the nine digits, when they open, and whether they do as things stand"],
    ["deny", "let a code open no more, to the end of its window"],
    ["allow", "let a code that was denied open again"],
  ] as const)
    offline
      .command(`${deed} <door>`)
      .description(summary)
      .requiredOption("--kind <kind>", OFFLINE_KIND_NAMES.join(", "))
      .requiredOption("--index <number>", "0 to 7")
      .option("--date <date>", "YYYY-MM-DD at the door; today there if not given")
      .option("--store <folder>", "the issuer's store", USUAL_STORE)
      .option("--json", "print the result as JSON")
      .addHelpText("after", OFFLINE_HELP)
      .action((door: string, { kind, index, date, ...common }: OfflineOptions) =>
        run(common, { work: "offline-code", deed, door, kind, index, date }),
      );
}

/** Paths of sheets, as options of a command. */
export interface SheetPaths {
  readonly doors?: string;
  readonly schedules?: string;
  readonly people?: readonly string[];
}

/** The sheets that are named. Throws a {@link Failure} where none is, or one cannot be read. */
export function readSheets({ doors, schedules, people }: SheetPaths) {
  if (doors === undefined && schedules === undefined && people === undefined)
    throw new Failure("no file is named", "add --doors, --schedules or --people");
  return {
    ...(doors === undefined ? {} : { doors: readSheet(doors) }),
    ...(schedules === undefined ? {} : { schedules: readSheet(schedules) }),
    ...(people === undefined ? {} : { people: people.map(readSheet) }),
  };
}
