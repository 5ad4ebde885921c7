// `tumbler sim`: virtual locks that run on flash images for as long as the command does, where other programs can reach them.

import type { EventEmitter } from "node:events";
import type { MessageBus } from "@jellybrick/dbus-next";
import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import { RealTime } from "../../simulator/fleet/real-time";
import { Air } from "../../simulator/net/air";
import { loadOptional } from "../optional";
import { startDbus } from "../sim/dbus-daemon";
import { Fleet } from "../sim/fleet";
import { exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options {
  readonly bluez?: boolean;
  readonly bus?: string;
}

const DBUS = "@jellybrick/dbus-next";
const HELP = `
With --bluez the locks are Bluetooth devices without any radio: they stand on a
D-Bus as Linux's Bluetooth daemon (BlueZ) shows devices. The command starts a
bus of its own (dbus-daemon) and prints its address first; a program that is
started with this in its environment finds the locks, and connects.

Runs until it is told to end (Ctrl-C, or the signal TERM), and writes the flash
back into the images.

Examples:
  tumbler sim front.img back.img --bluez
  DBUS_SYSTEM_BUS_ADDRESS=unix:path=… tumbler door scan --work doors.work
${exitHelp("ended, and the images are written")}`;

/** Adds the command to the program. */
export function addSim(program: Command, terminal: Terminal): void {
  program
    .command("sim")
    .summary("virtual locks that other programs can reach")
    .description("Runs virtual locks on flash images, where other programs can reach them.")
    .argument("<images...>", "flash images, which are written back")
    .option("--bluez", "as Bluetooth devices on a D-Bus")
    .option("--bus <address>", "on this bus instead of one of its own")
    .addHelpText("after", HELP)
    .action((images: string[], options: Options) => simulate(images, options, terminal));
}

async function simulate(images: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  if (options.bluez !== true) throw new Failure("how are the locks to be reached?", "add --bluez");
  const fleet = new Fleet(images, new Air(new RealTime()));
  try {
    await onBluez(fleet, options, terminal);
  } finally {
    fleet.close();
  }
}

/** Shows the locks on a bus until the command is told to end. */
async function onBluez(fleet: Fleet, options: Options, terminal: Terminal): Promise<void> {
  const daemon = options.bus === undefined ? await startDbus() : undefined;
  const address = daemon?.address ?? String(options.bus);
  try {
    let lose = (): void => {};
    const lost = new Promise<"lost">((resolve) => {
      lose = () => resolve("lost");
    });
    const bus = await showOn(address, fleet, lose);
    daemon?.ended.then(lose);
    terminal.out(`DBUS_SYSTEM_BUS_ADDRESS=${address}\n`);
    for (const { path, virtual } of fleet.locks) terminal.out(`${path}: lock ${toHex(virtual.id)}\n`);
    if ((await Promise.race([lost, told()])) === "lost")
      throw new Failure(`${address}: the bus is gone`, "start the command again");
    bus.disconnect();
  } finally {
    await daemon?.close();
  }
}

/** Shows the locks on a bus. Throws a {@link Failure} for a bus that is not there, or on which others do that. */
async function showOn(address: string, { air }: Fleet, onLost: () => void): Promise<MessageBus> {
  const { sessionBus } = await loadOptional(DBUS, () => import("@jellybrick/dbus-next"));
  const { Bluez } = await import("../../simulator/net/bluez");
  const bus = sessionBus({ busAddress: address });
  const why = await new Promise<string | undefined>((resolve) => {
    bus.on("connect", () => resolve(undefined));
    // The types of the package leave this event out.
    (bus as EventEmitter).on("error", (error: Error) => {
      resolve(error.message || String(error));
      onLost();
    });
  });
  if (why !== undefined) throw new Failure(`bus ${address}: ${why}`, "leave --bus out for a bus of its own");
  const shown = await Bluez.own(bus, air, onLost).catch((error: Error) => error);
  if (shown instanceof Bluez) return bus;
  bus.disconnect();
  const refused = shown?.message ?? "another program shows Bluetooth devices there";
  throw new Failure(`bus ${address}: ${refused}`, "leave --bus out for a bus of its own");
}

/** Resolves when somebody wants the command to end. */
function told(): Promise<"told"> {
  return new Promise((resolve) => {
    const done = (): void => {
      process.off("SIGINT", done);
      process.off("SIGTERM", done);
      resolve("told");
    };
    process.on("SIGINT", done);
    process.on("SIGTERM", done);
  });
}
