// `tumbler door why` (rule I2): the last refusals at a door and their reasons, for the phone of whoever may read the lock's log.

import type { Command } from "commander";
import { parseZoneSetting, type Zone } from "../../firmware/core/calendar";
import { askRefusals, type Phone, type RefusalsAnswer } from "../../protocol/courier/phone";
import { toHex } from "../../protocol/wire/bytes";
import { Item } from "../../protocol/wire/digest";
import { Setting } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import { phoneText } from "../door/phone-words";
import { refusalsText, refusalView } from "../door/refusals";
import { phoneKey } from "../key-file";
import { atLock, firstRequest } from "../links/open-reach";
import { addLinkOptions, type LinkArguments, lockIdOf } from "../links/options";
import type { Wanted } from "../links/reach";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { doorsOf, readWorkList, type WorkDoor } from "../worklist/work-list";

interface Options extends LinkArguments {
  readonly key: string;
  readonly work?: string;
  readonly lock?: string;
  readonly json?: boolean;
}

/** The lock that is asked. */
interface Place extends Wanted {
  readonly name: string;
  readonly site: string | undefined;
  readonly zone: Zone | undefined;
}

const HELP = `
Tells when and why, and not who. The phone needs a credential that the door
would let in, with the capability read-log, which the office gives; the lock
logs each question. Times are the door's where a work list tells its zone, else
UTC. Nobody signs the answer: it is a help for the eye and proves nothing.

Examples:
  tumbler door why front --key phone.key --work doors.work
  tumbler door why --key phone.key --lock 00112233aabbccdd
${exitHelp("told", "the lock refused, and why")}`;

/** Adds the command. */
export function addWhy(door: Command, terminal: Terminal): void {
  addLinkOptions(
    door
      .command("why")
      .description("a phone: tell the last refusals at a door, with reason and time")
      .argument("[door]", "the door, with --work")
      .requiredOption("--key <file>", "the phone's private key")
      .option("--work <file>", "the work list that has the door")
      .option("--lock <hex>", "without a work list: the lock id, 16 hexadecimal digits")
      .option("--json", "print JSON"),
  )
    .addHelpText("after", HELP)
    .action((name: string | undefined, options: Options) => run(name, options, terminal));
}

async function run(name: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  const place = placeOf(name, options);
  const phone: Phone = { crypto: node, key: phoneKey(options.key), lock: place.lock };
  const answer = await atLock(options, place, place.name, (link, reach) =>
    askRefusals(link, phone, firstRequest(reach)),
  );
  tell(place, answer, options, terminal);
}

function placeOf(name: string | undefined, { work, lock }: Options): Place {
  if (work !== undefined && name !== undefined) {
    const list = readWorkList(work);
    const [door] = doorsOf(list, [name]);
    return { name, lock: door.lock, linkKey: door.linkKey, site: list.site, zone: zoneOf(door) };
  }
  if (lock === undefined || name !== undefined)
    throw new Failure("which door?", "name it and its list: DOOR --work FILE; or only its lock: --lock HEX");
  return { name: `lock ${lock}`, lock: lockIdOf(lock), site: undefined, zone: undefined };
}

function zoneOf({ facts }: WorkDoor): Zone | undefined {
  const item = facts.table.items.find(([what, id]) => what === Item.setting && id === Setting.zone);
  return item && parseZoneSetting(item.subarray(2));
}

function tell(place: Place, answer: RefusalsAnswer, { json }: Options, terminal: Terminal): void {
  const { refusals, ...outcome } = answer;
  const views = refusals?.map((refusal) => refusalView(refusal, place.zone));
  terminal.exitCode = views === undefined ? Exit.wrong : Exit.fine;
  if (json) {
    terminal.out(`${JSON.stringify({ lock: toHex(place.lock), ...outcome, refusals: views ?? null })}\n`);
    return;
  }
  terminal.out(
    views === undefined ? `${phoneText(answer, "read-log")}\n` : refusalsText(views, place.zone, terminal),
  );
}
