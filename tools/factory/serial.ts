// A lock's serial port on this machine, by the package serialport: opened as a stream, with errors that say what to do.

import { existsSync, readdirSync } from "node:fs";
import type { Duplex } from "node:stream";
import { loadOptional } from "../optional";
import { Failure } from "../ui/failure";

/** A line to a lock. */
export interface Line {
  readonly stream: Duplex;
  /** Resolves when it is given back. */
  close(): Promise<void>;
}

const BAUD = 115_200;
/** How USB adapters are called on Linux and macOS. */
const ADAPTER = /^(ttyUSB|ttyACM|cu\.usb|cu\.SLAB|cu\.wchusb)/;

/** Opens a port. Throws a {@link Failure} that tells why it cannot be had. */
export async function openSerial(path: string): Promise<Line> {
  const { SerialPort } = await loadOptional("serialport", () => import("serialport"));
  const port = new SerialPort({ path, baudRate: BAUD, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(portFailure(path, error))));
  });
  return {
    stream: port,
    close: () => new Promise((resolve) => (port.isOpen ? port.close(() => resolve()) : resolve())),
  };
}

/** What an error of the package, which has no codes, means for a port. */
export function portFailure(path: string, { message }: Error, dev = "/dev"): Failure {
  if (/no such|file not found|enoent/i.test(message))
    return new Failure(`${path}: no such port`, adaptersText(dev));
  if (/permission denied|access denied|eacces/i.test(message))
    return new Failure(
      `${path}: no permission`,
      "join the group that owns it, often: sudo usermod -a -G dialout $USER, and log in again",
    );
  if (/busy|cannot lock|temporarily unavailable|ebusy/i.test(message))
    return new Failure(
      `${path}: is in use by another program`,
      "end it: a monitor, another test, or serial2xsbug",
    );
  if (/directory|ioctl|not a (tty|typewriter)|inappropriate|tcgetattr/i.test(message))
    return new Failure(`${path}: is not a serial port`, adaptersText(dev));
  return new Failure(`${path}: ${message.replace(/^Error:?\s*/, "")}`);
}

function adaptersText(dev: string): string {
  const names = existsSync(dev) ? readdirSync(dev).filter((name) => ADAPTER.test(name)) : [];
  const paths = names.sort().map((name) => `${dev}/${name}`);
  if (paths.length === 0) return "no USB adapter is plugged in here; is the cable one that carries data?";
  return `try ${paths.map((path) => `--port ${path}`).join(" or ")}`;
}
