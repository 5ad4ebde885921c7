// `tumbler door`: what is done at a door, with a work list as an installer does it, or with a phone's key as whoever has one.

import type { Command } from "commander";
import { LINK_HELP } from "../links/options";
import { exitHelp } from "../ui/failure";
import type { Terminal } from "../ui/terminal";
import { addCheck } from "./door-check";
import { addIdentify } from "./door-identify";
import { addPhone } from "./door-phone";
import { addDoorReceipts } from "./door-receipts";
import { addScan } from "./door-scan";
import { addStatus } from "./door-status";
import { addSync } from "./door-sync";
import { addWhatIf } from "./door-what-if";
import { addWhy } from "./door-why";

const HELP = `
${LINK_HELP}

A work list is one file for any number of doors, written at the office by
\`tumbler issue\`. It holds the names of people and the keys by which locks are
recognised: keep it as a secret. No network is needed at the door.

Examples:
  tumbler door scan --work doors.work
  tumbler door sync --work doors.work
  tumbler door sync front --work doors.work --link sim --image front.img
  tumbler door unlock --key phone.key --lock 00112233aabbccdd
${exitHelp("done", "something was refused or not reached, and why")}`;

/** Adds the command to the program. */
export function addDoor(program: Command, terminal: Terminal): void {
  const door = program
    .command("door")
    .summary("at the door: scan, sync, status; or a phone: unlock, lock, mode")
    .description("What an installer does at doors, with a work list, and what a phone does, with its key.")
    .addHelpText("after", HELP);
  for (const add of [
    addScan,
    addSync,
    addStatus,
    addDoorReceipts,
    addIdentify,
    addPhone,
    addCheck,
    addWhy,
    addWhatIf,
  ])
    add(door, terminal);
}
