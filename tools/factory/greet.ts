// The first word to a lock: waits until it answers, as it restarts with some adapters whenever their port is opened, and tells what is
// wrong where it never does.

import { Failure } from "../ui/failure";
import { Facts } from "./facts";
import type { LockLine, Noise } from "./lock-line";

/** A lock that starts, with its flash to be read, is there in less. */
export const GREET_MS = 12_000;
const TRY_MS = 1500;
/** A share of unreadable bytes that no text has. */
const GARBAGE = 0.2;
const LAST_LINE_COLUMNS = 60;

/** What a lock says of itself. Throws a {@link Failure} that tells what came instead. */
export async function greet(line: LockLine, port: string, withinMs = GREET_MS): Promise<Facts> {
  const until = Date.now() + withinMs;
  do {
    const reply = await line.ask("report", {}, Math.min(TRY_MS, withinMs));
    if (reply.is === "ok") return new Facts(reply.facts);
    if (reply.is !== "silent") throw new Failure(`${port}: the lock does not report: ${reply.why}`);
  } while (Date.now() < until);
  throw silence(port, line.noise());
}

/** Why there is no answer, as far as what came instead tells. */
function silence(port: string, { bytes, unreadable, lines }: Noise): Failure {
  const text = lines.join("\n");
  if (bytes === 0)
    return new Failure(
      `${port}: no answer`,
      "is it powered, flashed (npm run firmware -- flash), and awake? Press a key on the lock",
    );
  if (/waiting for download/.test(text))
    return new Failure(`${port}: the chip waits to be flashed`, "let go of the boot button, and restart it");
  if (/invalid header: 0x|No bootable app/.test(text))
    return new Failure(`${port}: there is no firmware in the chip`, "run: npm run firmware -- flash");
  if (/<xsbug|xsbug/.test(text) || unreadable / bytes > GARBAGE)
    return new Failure(
      `${port}: what comes is no text`,
      "is it a lock? A debug build talks to its debugger at another speed: flash a release build",
    );
  const last = (lines.at(-1) ?? "").slice(0, LAST_LINE_COLUMNS);
  return new Failure(
    `${port}: something writes, but no lock answers${last === "" ? "" : `; last: ${last}`}`,
    "is Tumbler's firmware in it? npm run firmware -- flash",
  );
}
