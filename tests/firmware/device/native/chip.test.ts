// The chip's functions in C (power.c, identity.c, update.c), compiled here over a model of ESP-IDF that writes down every call and fails the
// one it is told to: what is done in which order, and that every error comes back, with nothing left half done.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OTA_STATE, WAKE } from "../../../../firmware/device/native";

const FOLDER = join(__dirname, "../../../../firmware/device/native");
const MODEL = join(__dirname, "esp");
const SET_UP = [
  "PM_ENABLE",
  "PM_LIGHT_SLEEP_CALLBACKS",
  "ESP_TASK_WDT_EN",
  "ESP_TASK_WDT_TIMEOUT_S=10",
  "NVS_ENCRYPTION",
];
/** Columns 4 and 33, rows 12 and 32. */
const SLEEP = "deepSleep 300 16 2 4096 1";
/** Of pins 4 and 33. */
const LIGHT = "lightSleep 1 16 2";
const ROWS = [
  "init 12 0",
  "output 12 0",
  "level 12 1",
  "hold 12 0",
  "init 32 0",
  "output 32 0",
  "level 32 1",
  "hold 32 0",
];
const COLUMNS = [
  "init 4 0",
  "input 4 0",
  "no-pullup 4 0",
  "pulldown 4 0",
  "init 33 0",
  "input 33 0",
  "no-pullup 33 0",
  "pulldown 33 0",
];
const BACK = ["unwatch 1 0", ...[4, 12, 32, 33].flatMap((pin) => [`release ${pin} 0`, `deinit ${pin} 0`])];

describe("The chip in C", function () {
  this.timeout(20_000);
  let folder = "";

  before(function () {
    if (spawnSync("cc", ["--version"]).error !== undefined) {
      console.log("    skipped: no C compiler (cc)");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "tumbler-chip-"));
    build("full", SET_UP);
    build("bare", []);
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  function build(name: string, settings: readonly string[]): void {
    const files = ["power.c", "identity.c", "update.c"].map((file) => join(FOLDER, file));
    const flags = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"];
    const options = [...flags, "-I" + MODEL, "-I" + FOLDER, ...settings.map((one) => "-DCONFIG_" + one)];
    execFileSync("cc", [...options, "-o", join(folder, name), ...files, join(MODEL, "model.c")]);
  }

  function run(name: string, lines: readonly string[]): string[] {
    const { stdout, stderr } = spawnSync(join(folder, name), { input: lines.join("\n"), encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout.trimEnd().split("\n");
  }
  const full = (...lines: string[]) => run("full", lines);
  const bare = (...lines: string[]) => run("bare", lines);
  /** What the last call gave. */
  const result = (lines: readonly string[]): number => Number(lines.at(-1)?.split(" = ")[1]);

  describe("sleep", () => {
    it("holds the rows high, pulls the columns down, watches them and the time, and sleeps", () => {
      const steps = [
        "unwatch 1 0",
        ...ROWS,
        ...COLUMNS,
        "power 0 1",
        "watch 8589934608 1",
        "timer 300000000 0",
        "sleep 0 0",
      ];
      assert.deepEqual(full(SLEEP), [...steps, ...BACK, "deepSleep = 0"]);
    });

    it("has no timer where it lasts for ever", () => {
      assert.ok(!full("deepSleep 0 16 0 4096 0").some((line) => line.startsWith("timer")));
    });

    it("does not sleep when anything cannot be set up, takes the pins back and says why", () => {
      const names = [
        "init",
        "output",
        "level",
        "hold",
        "input",
        "no-pullup",
        "pulldown",
        "power",
        "watch",
        "timer",
        "sleep",
      ];
      for (const name of names) {
        const lines = full(`fail ${name} 0x10c`, SLEEP);
        assert.equal(result(lines), -0x10c, name);
        const failed = lines.findIndex((line) => line.endsWith("fails"));
        assert.deepEqual(lines.slice(failed + 1, -1), BACK, name);
      }
    });

    it("refuses no columns, a pin that is both, one that cannot stay alive and one that there is not, before it sleeps", () => {
      for (const pins of ["0 0 4096 1", "16 0 16 0", "32 0 4096 0", "16 0 32 0", "16 256 4096 0"]) {
        const lines = full(`deepSleep 300 ${pins}`);
        assert.equal(result(lines), -0x102, pins);
        assert.ok(!lines.some((line) => line.startsWith("sleep")), pins);
      }
    });

    it("gives pins back after a boot, all that it can, and says what failed first", () => {
      assert.deepEqual(full("pinsAwake 16 2"), [
        "release 4 0",
        "deinit 4 0",
        "release 33 0",
        "deinit 33 0",
        "pinsAwake = 0",
      ]);
      const failing = full("fail release 0x103", "pinsAwake 16 2");
      assert.deepEqual(failing, ["release 4 0 fails", "release 33 0 fails", "pinsAwake = -259"]);
      assert.deepEqual(full("pinsAwake 32 2"), ["release 33 0", "deinit 33 0", "pinsAwake = -258"]);
    });

    it("tells a key from the timer, and both from everything else", () => {
      const causeOf = (bits: number) => result(full(`causes ${bits}`, "wakeCause"));
      assert.deepEqual([0, 1].map(causeOf), [WAKE.none, WAKE.none]);
      assert.equal(causeOf(1 << 4), WAKE.timer);
      assert.equal(causeOf(1 << 3), WAKE.pin);
      assert.equal(causeOf((1 << 3) | (1 << 4)), WAKE.pin);
      assert.equal(causeOf(1 << 2), WAKE.other);
    });

    it("is light only where the chip was built for it and can be woken, and leaves the clock's rates as they are", () => {
      const watching = ["callbacks 0 0", "watch-pins 0 0"];
      assert.deepEqual(full(LIGHT), [...watching, "get-pm 0 0", "set-pm 240080 1", "lightSleep = 0"]);
      assert.deepEqual(full("lightSleep 0 0 0"), ["get-pm 0 0", "set-pm 240080 0", "lightSleep = 0"]);
      for (const name of ["callbacks", "watch-pins", "get-pm", "set-pm"]) {
        const lines = full(`fail ${name} 0x106`, LIGHT);
        assert.equal(result(lines), -0x106, name);
        assert.ok(lines.at(-2)?.endsWith("fails"), name);
      }
      assert.deepEqual([result(bare(LIGHT)), result(bare("lightSleep 0 0 0"))], [-0x106, 0]);
    });

    it("is not light without a pin, with one that there is not, and with others than before", () => {
      for (const pins of ["0 0", "16777216 0", "16 256"])
        assert.equal(result(full(`lightSleep 1 ${pins}`)), -0x102, pins);
      assert.equal(result(full(LIGHT, "lightSleep 1 16 0")), -0x103);
      assert.equal(
        full(LIGHT, "lightSleep 0 0 0", LIGHT).filter((line) => line === "callbacks 0 0").length,
        1,
      );
    });
  });

  describe("S14 a key in light sleep", () => {
    const WATCHED = ["wakes 4 4", "wakes 33 4"];
    const AWAKE = ["wakes-not 4 4", "interrupts 4 2", "wakes-not 33 4", "interrupts 33 2"];
    const FOUR = 1 << 4;
    const BOTH = 2 ** 33 + FOUR;
    /** What happens in these sleeps, and between them. */
    const slept = (...lines: string[]): string[] => {
      const all = full(LIGHT, ...lines);
      return all.slice(all.indexOf("lightSleep = 0") + 1);
    };
    const told = (...lines: string[]) => slept(...lines).filter((line) => line.startsWith("told"));

    it("wakes the chip by its level, which interrupts nobody awake, and is told as the edge that it was", () => {
      assert.deepEqual(slept("doze 0"), [...WATCHED, ...AWAKE, "told 0 0"]);
      assert.deepEqual(slept(`doze ${FOUR}`), [...WATCHED, ...AWAKE, "told 16 0"]);
      assert.deepEqual(told(`doze ${BOTH}`), ["told 16 2"]);
    });

    it("is told once while it is held, keeps nobody awake, and wakes again when it was released", () => {
      const lines = slept(`doze ${FOUR}`, `doze ${FOUR}`).slice(WATCHED.length + AWAKE.length + 1);
      assert.deepEqual(lines, [
        "wakes 33 4",
        "wakes-not 4 2",
        "interrupts 4 2",
        "wakes-not 33 4",
        "interrupts 33 2",
        "told 0 0",
      ]);
      const again = [`doze ${FOUR}`, "doze 0", `doze ${FOUR}`];
      assert.deepEqual(told(...again), ["told 16 0", "told 0 0", "told 16 0"]);
      const between = [`doze ${FOUR}`, "low 0", `doze ${FOUR}`];
      assert.deepEqual(told(...between), ["told 16 0", "told 16 0"]);
      assert.deepEqual(told(`doze ${FOUR}`, `doze ${BOTH}`), ["told 16 0", "told 0 2"]);
    });

    it("is not told where it was down before the lock slept at all: it is no touch, as a stuck button is none", () => {
      const lines = full(`low ${FOUR}`, LIGHT, `doze ${FOUR}`, `doze ${FOUR}`);
      assert.deepEqual(
        lines.filter((line) => line.startsWith("told")),
        ["told 0 0", "told 0 0"],
      );
      assert.ok(!lines.includes("wakes 4 4"));
    });

    it("wakes also when it comes down just before the chip sleeps", () => {
      assert.deepEqual(slept(`low ${FOUR}`, `doze ${FOUR}`), [...WATCHED, ...AWAKE, "told 16 0"]);
    });
  });

  describe("the watchdog", () => {
    it("is started once, never shorter than the SDK's tasks feed it, and is fed", () => {
      assert.deepEqual(full("watchdogFeed", "watchdogStart 30", "watchdogFeed", "watchdogStart 30"), [
        "watchdogFeed = -259",
        "wdt-init 30000 1",
        "lock 0 0",
        "watchdogStart = 0",
        "wdt-feed 1 0",
        "watchdogFeed = 0",
        "watchdogStart = -259",
      ]);
      assert.equal(full("watchdogStart 9")[0], "wdt-init 10000 1");
      assert.equal(full("watchdogStart 11")[0], "wdt-init 11000 1");
      for (const seconds of [0, 4_294_968]) assert.equal(result(full(`watchdogStart ${seconds}`)), -0x102);
    });

    it("takes over one that runs already, and says what failed", () => {
      assert.deepEqual(full("fail wdt-init 0x103", "watchdogStart 30"), [
        "wdt-init 30000 1 fails",
        "wdt-change 30000 1",
        "lock 0 0",
        "watchdogStart = 0",
      ]);
      assert.equal(result(full("fail wdt-init 0x101", "watchdogStart 30")), -0x101);
      assert.equal(result(full("fail lock 0x101", "watchdogStart 30")), -0x101);
      assert.deepEqual([result(bare("watchdogStart 30")), result(bare("watchdogFeed"))], [-0x106, -0x106]);
    });
  });

  describe("X10 the identity", () => {
    const READ = ["handle 105116 0", "blob 7105 128", "handle-closed 7 0", "close 105 0"];

    it("is read with the keys of nvs_keys where the chip encrypts, plain where it does not, and the partition is closed again", () => {
      const opened = ["find 1 4", "read-keys 1 0", "open-secure 105 90"];
      assert.deepEqual(full("length 116", "identityRead"), [...opened, ...READ, "identityRead = 116"]);
      assert.deepEqual(bare("length 116", "identityRead"), ["open 105 0", ...READ, "identityRead = 116"]);
    });

    it("is an error and nothing else when any step fails, and the partition is closed all the same", () => {
      assert.equal(result(full("keys 0", "identityRead")), -0x1114);
      for (const name of ["read-keys", "open-secure"]) {
        const lines = full(`fail ${name} 0x1117`, "identityRead");
        assert.equal(result(lines), -0x1117, name);
        assert.ok(!lines.some((line) => line.startsWith("handle")), name);
      }
      for (const name of ["handle", "blob"]) {
        const lines = full(`fail ${name} 0x1102`, "identityRead");
        assert.equal(result(lines), -0x1102, name);
        assert.equal(lines.at(-2), "close 105 0", name);
        const opens = lines.filter((line) => line === "handle 105116 0").length;
        assert.equal(lines.filter((line) => line === "handle-closed 7 0").length, opens, name);
      }
      assert.equal(result(full("fail close 0x1101", "identityRead")), -0x1101);
      assert.equal(result(bare("fail open -1", "identityRead")), -1);
    });
  });

  describe("X14 images", () => {
    it("have the state that the bootloader knows", () => {
      for (const state of [
        OTA_STATE.new,
        OTA_STATE.pending,
        OTA_STATE.valid,
        OTA_STATE.invalid,
        OTA_STATE.aborted,
      ])
        assert.equal(result(full(`state ${state}`, "otaState")), state);
      assert.equal(result(full("state 0x7fffffff", "otaState")), OTA_STATE.unknown);
      assert.equal(result(full("fail state 0x105", "otaState")), -0x105);
    });

    it("are accepted or rejected, or say why not", () => {
      assert.deepEqual(full("otaAccept", "otaReject"), [
        "accept 0 0",
        "otaAccept = 0",
        "reject 0 0",
        "otaReject = 0",
      ]);
      assert.equal(result(full("fail accept 0x103", "otaAccept")), -0x103);
      assert.equal(result(full("fail reject 0x1504", "otaReject")), -0x1504);
    });

    it("have a security version each, if there is another one at all", () => {
      assert.equal(result(full("version 7", "runningVersion")), 7);
      assert.equal(result(full("version 0x7fffffff", "nextVersion")), 0x7fffffff);
      assert.equal(result(full("version -1", "nextVersion")), -0x104);
      assert.equal(result(full("next 0", "nextVersion")), -0x105);
      assert.equal(result(full("fail description 0x105", "nextVersion")), -0x105);
    });
  });
});
