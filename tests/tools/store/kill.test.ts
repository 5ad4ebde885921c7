// The issuer's process is killed at 200 moments from a seed: at the n-th write of its store or of the lock beside it, or after a while.
// Whatever it was doing, both ends start again from their files and agree.

import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { codeClass } from "../../../protocol/wire/codes";
import { LOCK, numbersFrom, provision, World } from "./kill-world";

const SEED = Number(process.env.KILL_SEED ?? 20_270_301);
const KILLS = 200;
/** Each series begins with a new account and a new lock. */
const SERIES = 8;
/** Series run in pairs, since half of the time is a process that starts. */
const AT_ONCE = 2;
const MAX_STOP = 240;
const MAX_DELAY_MS = 200;

/** Runs the child until it is killed. */
function kill(script: string, folder: string, number: (below: number) => number): Promise<void> {
  const isByDelay = number(5) === 0;
  const stopAt = isByDelay ? 0 : 1 + number(number(2) === 0 ? MAX_STOP : 60);
  const seed = number(1_000_000);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, folder, String(seed), String(stopAt)]);
    let fault = "";
    child.stderr.on("data", (text) => {
      fault += text;
    });
    child.stdout.on("data", () => child.kill("SIGKILL"));
    if (isByDelay) setTimeout(() => child.kill("SIGKILL"), 20 + number(MAX_DELAY_MS));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL" || (code === 0 && fault === "")) resolve();
      else reject(new Error(`the child ended with ${code ?? signal}: ${fault}`));
    });
  });
}

/** Every content that was ever sent for a position, which must be one. */
function checkSent(folder: string): number {
  const path = join(folder, "sent");
  const sent = new Map<string, string>();
  for (const line of existsSync(path) ? readFileSync(path, "ascii").split("\n").slice(0, -1) : []) {
    const [epoch, seq, delta] = line.split(" ");
    assert.equal(sent.get(`${epoch}/${seq}`) ?? delta, delta, `two contents at ${epoch}/${seq}`);
    sent.set(`${epoch}/${seq}`, delta);
  }
  return sent.size;
}

/** Starts both ends again and compares them. */
async function compare(folder: string): Promise<void> {
  const world = await World.open(folder, () => {}, 1);
  try {
    assert.equal(world.lock.parts.mountState, "mounted");
    if (world.issuer.locks.length === 0) return;
    await world.ask();
    const { alarms, signed, acknowledged, digest } = world.issuer.report(LOCK);
    const { table } = world.lock.parts;
    assert.deepEqual(alarms, []);
    assert.ok(table.applied <= signed, `${table.applied} applied, ${signed} signed`);
    assert.equal(acknowledged, table.applied);
    if (table.applied > 0)
      assert.equal(digest, Buffer.from(world.lock.parts.digest.of(table)).toString("hex"));
  } finally {
    await world.close();
  }
}

/** After the last kill everything is carried, and nothing is left open. */
async function converge(folder: string): Promise<void> {
  const world = await World.open(folder, () => {}, 2);
  try {
    await world.setUp();
    await world.visit(true);
    const { isSettled, alarms, counts, credentials } = world.issuer.report(LOCK);
    assert.deepEqual([isSettled, alarms, counts.pending, counts.unconfirmed], [true, [], 0, 0]);
    const held = credentials.filter(({ slot }) => slot >= 0).length;
    assert.equal(world.lock.parts.table.index.used, held);
    for (const { state, code } of credentials)
      assert.ok(state === "confirmed" || (state === "failed" && codeClass(code ?? 0) === 3), state);
  } finally {
    await world.close();
  }
}

describe("S2, K2 an issuer that is killed at any moment", () => {
  const folders: string[] = [];
  const make = (name: string) => {
    const folder = mkdtempSync(join(tmpdir(), name));
    folders.push(folder);
    return folder;
  };
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it(`never signs two contents for one position, and agrees with the lock after each of ${KILLS} kills (KILL_SEED=${SEED})`, async () => {
    const script = join(make("kill-script-"), "child.js");
    buildSync({
      entryPoints: [join(__dirname, "kill-child.ts")],
      outfile: script,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
    });
    let sent = 0;
    const series = async (number: (below: number) => number, isSmall: boolean) => {
      const folder = make("kill-");
      provision(folder, isSmall);
      for (let round = 0; round < KILLS / SERIES; round++) {
        await kill(script, folder, number);
        await compare(folder);
      }
      await converge(folder);
      sent += checkSent(folder);
    };
    const waiting = Array.from({ length: SERIES }, (_, i) => i);
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        await series(numbersFrom(SEED + next), next % 2 === 0);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    assert.ok(sent > KILLS, `${sent} positions were sent`);
  }).timeout(600_000);
});
