// `tumbler door what-if` (rules I3, T17): whether somebody will be let in at an instant once a door is synced, and what comes next. Offline, by
// the core of a lock, on the table of a work list.

import type { Command } from "commander";
import type { Holder } from "../../protocol/issuer/door-table";
import { toHex } from "../../protocol/wire/bytes";
import { Reason } from "../../protocol/wire/codes";
import { addWorkOption } from "../door/options";
import { TableLock } from "../door/what-if";
import { type Answer, explanationJson, explanationText } from "../ui/explanation";
import { Exit, exitHelp } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { isoText } from "../ui/time";
import { doorsOf, readWorkList, type WorkDoor, type WorkList } from "../worklist/work-list";
import { instantAt } from "./explain";

interface Options {
  readonly work: string;
  readonly at?: string;
  readonly json?: boolean;
}

const HELP = `
PERSON is a handle or a name of people.csv. A time without Z or an offset is
local at the door; without --at it is now. The answer is that of a lock with the
table that the door has once the list is synced, with a clock that is right and
its issuer heard when the list was made. What was used up, and when something
was used first, only the door itself knows: it counts as never used. A PIN is
not needed, and not in the list.

Examples:
  tumbler door what-if front dora --work doors.work --at 2027-03-01T18:30
  tumbler door what-if front "Dora Maar" --work doors.work --json
${exitHelp("a credential of this person opens", "none does")}`;

/** Adds the command. */
export function addWhatIf(door: Command, terminal: Terminal): void {
  addWorkOption(
    door
      .command("what-if")
      .description("offline: tell whether a person would be let in, and why")
      .argument("<door>", "the door")
      .argument("<person>", "the person")
      .option("--at <time>", "the instant, such as 2027-03-01T09:00"),
  )
    .addHelpText("after", HELP)
    .action((name: string, person: string, options: Options) => run(name, person, options, terminal));
}

function run(name: string, person: string, options: Options, terminal: Terminal): void {
  const list = readWorkList(options.work);
  const [door] = doorsOf(list, [name]);
  const { holders } = door.facts.table;
  const found = holders.filter((holder) => holder.person === person);
  const meant = found.length > 0 ? found : holders.filter((holder) => holder.name === person);
  const lock = new TableLock(door.lock, door.facts.table, list.madeAt);
  const at = instantAt(lock.lock, options.at);
  const asked = meant.map((holder) => ({ holder, answers: holder.slots.map((slot) => lock.ask(slot, at)) }));
  const isLetIn = asked.some(({ answers }) => answers.some(opens));
  terminal.out(
    options.json
      ? `${JSON.stringify(jsonOf(list, door, person, asked))}\n`
      : textOf(list, door, person, asked, terminal),
  );
  terminal.exitCode = isLetIn ? Exit.fine : Exit.wrong;
}

const opens = ({ reason }: Answer): boolean => reason.value === Reason.granted;

interface Asked {
  readonly holder: Holder;
  readonly answers: readonly Answer[];
}

function jsonOf(
  { madeAt }: WorkList,
  { door, lock }: WorkDoor,
  person: string,
  asked: readonly Asked[],
): object {
  return {
    door,
    lock: toHex(lock),
    person,
    listMadeAt: madeAt,
    granted: asked.some(({ answers }) => answers.some(opens)),
    people: asked.map(({ holder, answers }) => ({
      person: holder.person,
      name: holder.name,
      credentials: answers.map(explanationJson),
    })),
  };
}

function textOf(
  { madeAt }: WorkList,
  { door }: WorkDoor,
  person: string,
  asked: readonly Asked[],
  terminal: Terminal,
): string {
  const { bold } = terminal.colours;
  const basis = `As ${door} is to be after a sync with the list of ${isoText(madeAt)}.\n`;
  if (asked.length === 0) return `${person} has no credential at ${door}.\n${basis}`;
  const texts = asked.flatMap(({ holder, answers }) =>
    answers.map(
      (answer) => `${bold(`${holder.name} (${holder.person})`)}: ${explanationText(answer, terminal)}\n`,
    ),
  );
  return `${texts.join("")}${basis}`;
}
