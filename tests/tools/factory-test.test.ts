// `tumbler factory-test` on the lock's own console: in memory, over a real pseudo-terminal, and on lines where no lock answers.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { Duplex } from "node:stream";
import { Command } from "commander";
import pc from "picocolors";
import { addFactoryTest } from "../../tools/commands/factory-test";
import { boardOf } from "../../tools/factory/board";
import { CHECKS, type FactoryRecord, factoryTest } from "../../tools/factory/factory-test";
import { openSerial, portFailure } from "../../tools/factory/serial";
import { Failure } from "../../tools/ui/failure";
import { type ConsoleLock, lockOnStream, REPORT } from "../support/console-lock";
import { ownFolder, run } from "./support";

/** What a person does when a line on the screen asks for it. */
function handsOf(lock: ConsoleLock, slips: readonly number[] = []): (prompt: string) => void {
  const state = { closed: false, turned: false };
  lock.parts.isDoorClosed = () => state.closed;
  lock.parts.isHandleTurned = () => state.turned;
  const mistakes = [...slips];
  const soon = (job: () => void): void => void setTimeout(job, 15);
  const keyOf = (name: string): number => (name === "✓" ? 10 : name === "*" ? 11 : Number(name));
  return (prompt) => {
    const key = /press (\S) /.exec(prompt)?.[1];
    if (key !== undefined) soon(() => lock.onKey?.(mistakes.shift() ?? keyOf(key)));
    if (/✓ yes/.test(prompt)) soon(() => lock.onKey?.(10));
    if (/hold a card/.test(prompt)) soon(() => lock.onCard?.(7));
    if (/reset button/.test(prompt)) soon(() => lock.onReset?.());
    if (/close the door/.test(prompt)) state.closed = true;
    if (/open the door/.test(prompt)) state.closed = false;
    if (/turn the/.test(prompt)) state.turned = true;
    if (/let go/.test(prompt)) state.turned = false;
  };
}

interface Tested {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly lock: ConsoleLock;
}

interface Situation {
  readonly args?: readonly string[];
  readonly prepare?: (lock: ConsoleLock) => void;
  readonly slips?: readonly number[];
  readonly stream?: Duplex;
  readonly hands?: boolean;
}

/** Runs the command with a lock at the other end of its line, and a person who does what is asked. */
async function test(situation: Situation = {}): Promise<Tested> {
  const { lock, stream } = lockOnStream();
  const act = situation.hands === false ? () => {} : handsOf(lock, situation.slips);
  situation.prepare?.(lock);
  let out = "";
  let err = "";
  const terminal = {
    out: (text: string) => {
      out += text;
      act(text);
    },
    err: (text: string) => {
      err += text;
      act(text);
    },
    colours: pc.createColors(false),
    secret: async () => "",
    exitCode: 0,
  };
  const program = new Command("tumbler").exitOverride().configureOutput({ writeErr: terminal.err });
  let isClosed = false;
  addFactoryTest(program, terminal, async () => ({
    stream: situation.stream ?? stream,
    close: async () => {
      isClosed = true;
    },
  }));
  try {
    const args = ["factory-test", "--port", "bench", ...(situation.args ?? [])];
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    err += `error: ${error.message}\n(${error.advice})\n`;
    terminal.exitCode = 2;
  }
  assert.ok(isClosed || /exists already/.test(err), "the port is given back");
  return { code: terminal.exitCode, out, err, lock };
}

/** The one check of a test with `--only`. */
async function check(name: string, situation: Situation = {}): Promise<FactoryRecord["checks"][number]> {
  const args = ["--only", name, "--json", ...(situation.args ?? [])];
  const { out } = await test({ ...situation, args });
  const record: FactoryRecord = JSON.parse(out);
  assert.deepEqual(
    record.checks.map((each) => each.name),
    [name],
  );
  return record.checks[0];
}

describe("tumbler factory-test: a lock that is fine", () => {
  const path = ownFolder();

  it("passes every check, tells a person what to do, and records every value", async () => {
    const file = path("report.json");
    const { code, out, lock } = await test({ args: ["--record", file] });
    assert.equal(code, 0, out);
    assert.match(out, /^Lock 00112233aabbccdd, tumbler 0\.1\.0 for bench$/m);
    for (const { name } of CHECKS) assert.match(out, new RegExp(`^ {2}passed {3}${name}\\b`, "m"));
    assert.match(out, /→ press 1 {3}\(1 of 12\)/);
    assert.match(out, /→ press ✓ {3}\(12 of 12\)/);
    assert.match(out, /20 passed, 0 failed, 0 skipped\. The lock is fine in 20 checks\./);
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
    assert.deepEqual(lock.done, ["granted", "refused", "throw", "draw"], "it ends with the bolt drawn");
    const record: FactoryRecord = JSON.parse(readFileSync(file, "utf8"));
    assert.equal(record.lock, REPORT.lock);
    assert.equal(record.publicKey, REPORT.publicKey);
    assert.equal(record.isFine, true);
    assert.ok(record.beganAt < record.endedAt);
    const bolt = record.checks.find(({ name }) => name === "bolt")?.values as Record<string, { ms: number }>;
    assert.ok(bolt.throw.ms >= 300 && bolt.draw.ms >= 300);
    if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("prints the same record with --json, and prompts on stderr", async () => {
    const { code, out, err } = await test({ args: ["--json", "--only", "door,firmware"] });
    assert.equal(code, 0);
    const record: FactoryRecord = JSON.parse(out);
    assert.deepEqual(
      record.checks.map(({ name, result }) => `${name} ${result}`),
      ["firmware passed", "door passed"],
    );
    assert.match(err, /→ open the door/);
  });

  it("asks before the bolt moves, and does not with --yes", async () => {
    const asked = await test({ args: ["--only", "bolt"] });
    assert.match(asked.out, /the bolt is going to move/);
    const agreed = await test({ args: ["--only", "bolt", "--yes"] });
    assert.doesNotMatch(agreed.out, /going to move/);
    assert.deepEqual(agreed.lock.done, ["throw", "draw"]);
  });

  it("moves no bolt for whoever presses another key than yes", async () => {
    const { code, out, lock } = await test({
      args: ["--only", "bolt"],
      hands: false,
      prepare: (lock) => {
        lock.parts.awaitKey = (told) => {
          setTimeout(() => told(1), 5);
          return () => {};
        };
      },
    });
    assert.equal(code, 1);
    assert.match(out, /failed {3}bolt +nobody agreed to it/);
    assert.deepEqual(lock.done, []);
  });

  it("does not write over an older report, and says so before anybody has pressed a key", async () => {
    const file = path("old.json");
    writeFileSync(file, "{}");
    const { code, err } = await test({ args: ["--record", file] });
    assert.equal(code, 2);
    assert.match(
      err,
      /old\.json: exists already, and is not overwritten\n\(choose another name, or add --force\)/,
    );
    assert.equal((await test({ args: ["--record", file, "--force", "--only", "door"] })).code, 0);
  });
});

describe("tumbler factory-test: what is not as it should be", () => {
  it("forgives one wrong key, and not a second one", async () => {
    assert.equal((await check("keypad", { slips: [2] })).result, "passed");
    const { result, why } = await check("keypad", { slips: [2, 4] });
    assert.equal(`${result}: ${why}`, "failed: pressed 1, seen 4");
  });

  it("fails for a key that is never seen, with the key", async () => {
    const { result, why } = await check("keypad", { hands: false, args: ["--wait", "1"] });
    assert.equal(`${result}: ${why}`, "failed: 1: no key within 1 s");
  });

  it("fails for a door and a card that are never seen", async () => {
    const door = await check("door", {
      args: ["--wait", "1"],
      hands: false,
      prepare: (lock) => Object.assign(lock.parts, { isDoorClosed: () => false }),
    });
    assert.equal(`${door.result}: ${door.why}`, 'failed: "close the door": still not closed after 1 s');
    const card = await check("card", { args: ["--wait", "1"], hands: false });
    assert.equal(`${card.result}: ${card.why}`, "failed: no card within 1 s");
  });

  const reports: readonly [string, object, string, string][] = [
    ["another firmware version", { firmware: "tumbler 9.9" }, "firmware", "tumbler 9.9 for bench"],
    ["flash that does not mount", { mounted: false }, "identity", "00112233aabbccdd, lock-1000, not mounted"],
    [
      "a fault since boot",
      { faults: 2, lastFault: "wifi" },
      "health",
      "2 faults, the last in wifi, started by power-on, 61,000 bytes free",
    ],
    [
      "a start after a brownout",
      { resetReason: "brownout" },
      "health",
      "0 faults, started by brownout, 61,000 bytes free",
    ],
    ["little memory", { freeHeap: 19_999 }, "health", "0 faults, started by power-on, 19,999 bytes free"],
    ["no secure boot", { secureBoot: false }, "protection", "flash encryption on, secure boot off"],
  ];
  for (const [what, report, name, measured] of reports)
    it(`fails for ${what}`, async () => {
      const prepare = (lock: ConsoleLock): void => {
        lock.report = { ...REPORT, ...report };
      };
      const { result, ...rest } = await check(name, { prepare });
      assert.equal(`${result}: ${rest.measured}`, `failed: ${measured}`);
    });

  it("passes at the bound of free memory", async () => {
    const prepare = (lock: ConsoleLock): void => {
      lock.report = { ...REPORT, freeHeap: 20_000 };
    };
    assert.equal((await check("health", { prepare })).result, "passed");
  });

  it("fails for another board than --board says", async () => {
    const { result, bound } = await check("firmware", { args: ["--board", "l500i"] });
    assert.equal(`${result}: ${bound}`, "failed: tumbler 0.1.0 for l500i");
  });

  it("skips the protection of a board for development", async () => {
    assert.equal((await check("protection", { args: ["--development"] })).result, "skipped");
  });

  const parts: readonly [string, (lock: ConsoleLock) => void, string, RegExp][] = [
    [
      "a forged signature that is accepted",
      ({ parts }) => Object.assign(parts, { crypto: { ...parts.crypto, ed25519Verify: () => true } }),
      "crypto",
      /^wrong: ed25519-refuse, /,
    ],
    [
      "random bytes that are all the same",
      ({ parts }) => Object.assign(parts, { random: (buffer: Uint8Array) => void buffer.fill(0x55) }),
      "random",
      /^2048 ones of 4096, 1 different bytes$/,
    ],
    [
      "a partition of another size",
      ({ parts }) => Object.assign(parts, { events: parts.credentials }),
      "flash",
      /^credentials 192 KiB, events 192 KiB/,
    ],
    ["an empty battery", ({ parts }) => Object.assign(parts, { batteryMv: () => 0 }), "battery", /^0 mV$/],
    [
      "a clock that stands",
      ({ parts }) => Object.assign(parts, { heldClock: { read: () => 5, set: () => {}, driftPpm: 1 } }),
      "rtc",
      /^0 s in 2 s, was set$/,
    ],
    [
      "a silent radio",
      ({ parts }) => Object.assign(parts, { isAdvertising: () => false }),
      "bluetooth",
      /^silent$/,
    ],
    [
      "no network in range",
      ({ parts }) => Object.assign(parts, { countNetworks: (told: (n: number) => void) => told(0) }),
      "wifi",
      /^0 in range$/,
    ],
    [
      "a watchdog that is off",
      ({ parts }) => Object.assign(parts, { watchdogSeconds: () => 0 }),
      "watchdog",
      /^off$/,
    ],
    [
      "a sleep that ends at once",
      ({ parts }) => Object.assign(parts, { sleep: (_: number, told: (ms: number) => void) => told(3) }),
      "sleep",
      /^3 ms, and answers again$/,
    ],
    [
      "a bolt that does not arrive",
      ({ parts }) =>
        Object.assign(parts, { moveBolt: (_: string, told: (s: string) => void) => told("jammed") }),
      "bolt",
      /^jammed after \d+ ms, jammed after \d+ ms$/,
    ],
  ];
  for (const [what, prepare, name, measured] of parts)
    it(`fails for ${what}`, async () => {
      const outcome = await check(name, { prepare });
      assert.equal(outcome.result, "failed");
      assert.match(outcome.measured ?? "", measured);
    });

  it("shows what was wanted, and the command that repeats what failed", async () => {
    const { code, out } = await test({
      args: ["--only", "watchdog,door"],
      prepare: ({ parts }) => Object.assign(parts, { watchdogSeconds: () => 0 }),
    });
    assert.equal(code, 1);
    assert.match(out, /^ {2}failed {3}watchdog {3}off\n {22}wanted on$/m);
    assert.match(out, /1 passed, 1 failed, 0 skipped\. Again, when it is mended: --only watchdog$/m);
  });

  it("skips parts that are not fitted, and fails for those that the lock must have", async () => {
    const prepare = ({ parts }: ConsoleLock): void =>
      void Object.assign(parts, {
        isHandleTurned: undefined,
        awaitCard: undefined,
        countNetworks: undefined,
      });
    assert.equal((await check("handle", { prepare, hands: false })).result, "skipped");
    const card = await check("card", { prepare });
    assert.equal(`${card.result}: ${card.why}`, "failed: not found, and this board has one");
    assert.equal((await check("wifi", { prepare })).result, "failed");
    const l500i = (lock: ConsoleLock): void => {
      prepare(lock);
      lock.report = { ...REPORT, board: "elsewhere", profile: "l500i" };
    };
    assert.equal((await check("wifi", { prepare: l500i })).result, "skipped");
    assert.equal((await check("card", { prepare: l500i })).result, "skipped");
  });

  it("says that a lock without an identity is still to be provisioned", async () => {
    const prepare = (lock: ConsoleLock): void => {
      lock.report = { ...REPORT, lock: null, publicKey: null, profile: null, mounted: null };
    };
    const { result, why } = await check("identity", { prepare });
    assert.equal(`${result}: ${why}`, "skipped: no identity yet: provision the lock, and test it again");
  });

  it("tells a restart in the middle from silence", async () => {
    const prepare = (lock: ConsoleLock): void => {
      lock.parts.isAdvertising = () => {
        lock.report = { ...REPORT, uptime: 1, resetReason: "brownout" };
        // What it was to send is gone with it.
        const { onBytes } = lock.serial;
        lock.serial.onBytes = () => {};
        setTimeout(() => {
          lock.serial.onBytes = onBytes;
        }, 300);
        return true;
      };
    };
    const { result, why } = await check("bluetooth", { prepare });
    assert.equal(`${result}: ${why}`, "failed: the lock restarted: brownout");
  }).timeout(20_000);

  it("asks again after a line that lost a byte", async () => {
    const prepare = (lock: ConsoleLock): void => {
      let losses = 1;
      lock.parts.watchdogSeconds = () => {
        const { onBytes } = lock.serial;
        if (losses-- > 0)
          lock.serial.onBytes = (bytes) => {
            lock.serial.onBytes = onBytes;
            onBytes(bytes.slice(0, -9));
          };
        return 20;
      };
    };
    assert.equal((await check("watchdog", { prepare })).result, "passed");
  });
});

describe("tumbler factory-test: a claimed lock", () => {
  const prepare = (lock: ConsoleLock): void => {
    lock.claimed = true;
  };

  it("is checked by its report alone, does nothing, and is told to be given up first", async () => {
    const { code, out, lock } = await test({ prepare });
    assert.equal(code, 1);
    assert.match(out, /the lock is claimed, and tells nothing but its report: the rest is skipped\./);
    assert.match(out, /4 passed, 0 failed, 16 skipped\. To check the rest, have its owner/);
    assert.deepEqual(lock.done, []);
  });

  it("is fine for whoever wants no more", async () => {
    assert.equal((await test({ prepare, args: ["--only", "firmware,health"] })).code, 0);
  });
});

describe("tumbler factory-test: no lock", () => {
  /** A stream that answers everything with these bytes. */
  const says = (bytes: string): Duplex =>
    new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        if (bytes !== "") this.push(Buffer.from(bytes, "latin1"));
        done();
      },
    });
  const silent: readonly [string, string, RegExp][] = [
    ["silence", "", /no answer; is it powered, flashed/],
    ["an empty chip", "invalid header: 0xffffffff\r\n", /there is no firmware in the chip; run: npm run/],
    ["a chip that waits to be flashed", "waiting for download\r\n", /let go of the boot button/],
    ["another speed", "\xf8\x80\x00\x91\xe6\x98\n", /what comes is no text; is it a lock\?/],
    ["another program", "login: \r\n", /something writes, but no lock answers; last: login: ; is Tumbler's/],
  ];
  for (const [what, bytes, wanted] of silent)
    it(`tells ${what}`, async () => {
      const watcher = { greeted() {}, begins() {}, say() {}, ended() {} };
      const options = { port: "p", waitS: 1, isAgreed: false, isDevelopment: false, greetMs: 50 };
      await assert.rejects(factoryTest(says(bytes), options, watcher), (error: Failure) => {
        assert.match(`${error.message}; ${error.advice}`, wanted);
        return true;
      });
    });

  it("tells a line that is gone", async () => {
    const { lock, stream } = lockOnStream();
    lock.parts.isAdvertising = () => {
      stream.destroy();
      return true;
    };
    const { code, err } = await test({ stream, args: ["--only", "bluetooth"] });
    assert.equal(code, 2);
    assert.match(err, /the line to the lock is gone/);
  });

  it("reads a lock's answer behind what its chip wrote when it started", async () => {
    const { lock, stream } = lockOnStream();
    const { onBytes } = lock.serial;
    lock.serial.onBytes = (bytes) => {
      stream.push("ets Jul 29 2019 12:21:46\r\nrst:0x1 (POWERON_RESET)\r\ngarb");
      lock.serial.onBytes = onBytes;
      onBytes(bytes);
    };
    assert.equal((await test({ stream, args: ["--only", "firmware"] })).code, 0);
  });

  it("tells why a port cannot be had, and what to do", async () => {
    const missing = await run(["factory-test", "--port", "/dev/there-is-none"]);
    assert.equal(missing.code, 2);
    assert.match(missing.err, /^error: \/dev\/there-is-none: no such port\n\(/);
    const told = (message: string): string => {
      const failure = portFailure("/dev/ttyUSB0", new Error(message));
      return `${failure.message}; ${failure.advice}`;
    };
    assert.match(told("Error: Permission denied, cannot open /dev/ttyUSB0"), /no permission; .*dialout/);
    assert.match(
      told("Error Resource temporarily unavailable Cannot lock port"),
      /is in use by another program; end it/,
    );
    assert.match(told("Opening COM4: File not found"), /no such port/);
    assert.match(told("Error: Inappropriate ioctl for device, cannot get"), /is not a serial port/);
    assert.match(told("Error: something else"), /ttyUSB0: something else; $/);
  });

  it("names the adapters that are plugged in", () => {
    const failure = portFailure(
      "x",
      new Error("No such file or directory"),
      adapters(["ttyUSB1", "tty0", "ttyUSB0"]),
    );
    assert.match(failure.advice, /^try --port \S+\/ttyUSB0 or --port \S+\/ttyUSB1$/);
  });

  const path = ownFolder();
  function adapters(names: readonly string[]): string {
    for (const name of names) writeFileSync(path(name), "");
    return path("");
  }

  it("refuses a check that does not exist, and names all", async () => {
    const { code, err } = await run(["factory-test", "--port", "x", "--only", "keypad,lamp"]);
    assert.equal(code, 2);
    assert.match(err, /There is no check "lamp"\. Wanted some of firmware, identity/);
  });

  it("knows what is fitted on a board by its manifest", () => {
    const [lock, l500i, unknown] = ["lock", "l500i", "../../package"].map((name) => boardOf(name));
    assert.equal(lock.has("reader"), true);
    assert.equal(l500i.has("reader"), false);
    assert.ok(lock.boltMs > 0 && lock.lowMv !== undefined && lock.lowMv > 0);
    assert.equal(unknown.has("door"), undefined);
    assert.ok(unknown.boltMs > 0);
  });
});

describe("tumbler factory-test: a real pseudo-terminal", () => {
  const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;
  let terminal: ChildProcess | undefined;
  after(() => terminal?.stdin?.end());

  it("tests a lock behind one, with the package that opens real ports", async function () {
    if (!hasScript) {
      console.log("      skipped: the program script (util-linux) is not installed");
      this.skip();
    }
    const { lock, stream } = lockOnStream();
    const child = spawn("script", ["-qfc", "tty; stty raw -echo; echo ready; exec sleep 20", "/dev/null"]);
    terminal = child;
    let seen = "";
    const path = await new Promise<string>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        if (/ready/.test(seen)) {
          stream.write(chunk);
          return;
        }
        seen += chunk;
        const found = /(\/dev\/pts\/\d+)\r?\n[\s\S]*ready/.exec(seen);
        if (found !== null) resolve(found[1]);
      });
    });
    stream.on("data", (chunk) => child.stdin.write(chunk));
    const line = await openSerial(path);
    const ended: string[] = [];
    const act = handsOf(lock);
    const options = {
      port: path,
      only: ["firmware", "random", "keypad", "door", "bolt"],
      waitS: 5,
      isAgreed: true,
      isDevelopment: false,
    };
    const watcher = {
      greeted() {},
      begins() {},
      say: act,
      ended: ({ name, result }: { name: string; result: string }) => void ended.push(`${name} ${result}`),
    };
    const record = await factoryTest(line.stream, options, watcher);
    await line.close();
    await line.close();
    child.kill();
    assert.deepEqual(
      ended,
      options.only.map((name) => `${name} passed`),
    );
    assert.equal(record.isFine, true);
  }).timeout(30_000);
});
