// A D-Bus of one's own: the real dbus-daemon, with a configuration and a socket in a folder that only this user can enter.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../ui/failure";

/** A bus that runs as a child of this process. */
export interface DbusDaemon {
  /** Its address, as clients have it in DBUS_SYSTEM_BUS_ADDRESS. */
  readonly address: string;
  /** Resolves when it is gone, whoever ended it. */
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

/** Whoever is let in may own names and talk to everyone; without a policy for others, that is this user (and root). */
const configuration = (address: string): string => `<!DOCTYPE busconfig PUBLIC
  "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`;

/** Starts a bus. Throws a {@link Failure} where there is no dbus-daemon, or it does not start. */
export async function startDbus(): Promise<DbusDaemon> {
  const folder = mkdtempSync(join(tmpdir(), "tumbler-bus-"));
  const address = `unix:path=${join(folder, "bus")}`;
  const file = join(folder, "bus.conf");
  writeFileSync(file, configuration(address));
  const options = [`--config-file=${file}`, "--nofork", "--nopidfile", "--print-address=1"];
  const child = spawn("dbus-daemon", options, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    child.once("exit", () => resolve(said.trim() || "it ended"));
  });
  const isUp = new Promise<undefined>((resolve) => child.stdout.once("data", () => resolve(undefined)));
  const why = await Promise.race([isUp, ended]);
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  if (why !== undefined) {
    clear();
    if (why === "ENOENT")
      throw new Failure("no program dbus-daemon", "install it (Debian: apt install dbus), or name a --bus");
    throw new Failure(`dbus-daemon: ${why}`);
  }
  return {
    address,
    ended,
    close: async () => {
      child.kill();
      await ended;
      clear();
    },
  };
}
