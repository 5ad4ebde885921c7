// `tumbler sim`: virtual locks that run on flash images for as long as the command does, where other programs can reach them; and the
// image of a real lock, from a dump of its flash.

import type { EventEmitter } from "node:events";
import type { MessageBus } from "@jellybrick/dbus-next";
import type { Command } from "commander";
import { toHex } from "../../protocol/wire/bytes";
import { RealTime } from "../../simulator/fleet/real-time";
import { Air } from "../../simulator/net/air";
import { identityOption, nvsKeysOption } from "../flash-map/options";
import type { DumpFiles } from "../image";
import { loadOptional } from "../optional";
import { startDbus } from "../sim/dbus-daemon";
import { Fleet } from "../sim/fleet";
import { imageFromDump } from "../sim/from-dump";
import { Exit, exitHelp, Failure } from "../ui/failure";
import type { Terminal } from "../ui/terminal";

interface Options extends DumpFiles {
  readonly bluez?: boolean;
  readonly bus?: string;
  readonly from?: string;
  readonly out?: string;
  readonly force?: boolean;
}

const DBUS = "@jellybrick/dbus-next";
const HELP = `
With --bluez the locks are Bluetooth devices without any radio: they stand on a
D-Bus as Linux's Bluetooth daemon (BlueZ) shows devices. The command starts a
bus of its own (dbus-daemon) and prints its address first; a program that is
started with this in its environment finds the locks, and connects.

Runs until it is told to end (Ctrl-C, or the signal TERM), and writes the flash
back into the images.

With --from a lock of the field is taken along: the dump of its flash (esptool
read-flash 0 ALL front.bin) becomes an image, which can be looked into, asked
and run. The dump stays as it is. The image has the lock's own keys, but is not
the lock: what it is told, the lock does not know, and its receipts are not for
the issuer.

Examples:
  tumbler sim front.img back.img --bluez
  DBUS_SYSTEM_BUS_ADDRESS=unix:path=… tumbler door scan --work doors.work
  tumbler sim --from front.bin --out front.img
${exitHelp("ended, and the images are written")}`;

/** Adds the command to the program. */
export function addSim(program: Command, terminal: Terminal): void {
  program
    .command("sim")
    .summary("virtual locks that other programs can reach")
    .description("Runs virtual locks on flash images, where other programs can reach them.")
    .argument("[images...]", "flash images, which are written back")
    .option("--bluez", "as Bluetooth devices on a D-Bus")
    .option("--bus <address>", "on this bus instead of one of its own")
    .option("--from <dump>", "make an image of this dump of a board's flash first")
    .option("--out <file>", "where that image goes")
    .addOption(nvsKeysOption())
    .addOption(identityOption())
    .option("--force", "replace an image that exists")
    .addHelpText("after", HELP)
    .action((images: string[], options: Options) => simulate(images, options, terminal));
}

async function simulate(images: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { from, out } = options;
  checkFrom(options);
  const isRun = options.bluez === true;
  if (from === undefined && images.length === 0)
    throw new Failure("no lock to run", "name flash images, or a dump with --from and --out");
  if (!isRun && (from === undefined || images.length > 0))
    throw new Failure("how are the locks to be reached?", "add --bluez");
  const made = from === undefined || out === undefined ? [] : [out];
  if (from !== undefined && out !== undefined) {
    terminal.out(imageFromDump(from, out, options));
    terminal.exitCode = Exit.fine;
  }
  if (!isRun) return;
  const fleet = new Fleet([...images, ...made], new Air(new RealTime()));
  try {
    await onBluez(fleet, options, terminal);
  } finally {
    fleet.close();
  }
}

function checkFrom({ from, out, nvsKeys, identity, force }: Options): void {
  if (from !== undefined && out === undefined)
    throw new Failure("--from: where does the image go?", "add --out with a file");
  const named = { "--out": out, "--nvs-keys": nvsKeys, "--identity": identity, "--force": force };
  for (const [name, value] of Object.entries(named))
    if (value !== undefined && from === undefined)
      throw new Failure(`${name}: of which dump?`, "add --from with a dump of a board's flash");
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
