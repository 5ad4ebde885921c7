// `npm run firmware` with an SDK that is made of files and shell scripts: every missing piece has its message, and mcconfig gets the line
// that it wants.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import pc from "picocolors";
import { main } from "../../tools/firmware/command";
import { ownFolder, type Ran } from "./support";

const ROOT = resolve(__dirname, "../..");
const SLOT_BYTES = 1664 * 1024;
const COMPILER = ".espressif/tools/xtensa-esp-elf/esp-15/xtensa-esp-elf/bin/xtensa-esp32-elf-gcc";

/** A machine with everything, of which a test takes something away. */
class FakeMachine {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(folder: string) {
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    this.file("sdk/tools/VERSION", "8.2.3\n");
    this.file("sdk/build/devices/esp32/manifest.json", '{"build": {"EXPECTED_ESP_IDF": "v6.0"}}');
    this.mcconfig("true");
    this.program("bin/make");
    this.file("idf/tools/idf.py", "");
    this.file("idf/.git", "");
    this.idfVersion(6, 0);
    this.program(COMPILER);
    this.file(".espressif/python_env/idf6.0_py3.11_env/bin/python", "");
    this.file("tumbler/node_modules/@noble/ed25519/index.js", "");
    cpSync(join(ROOT, "firmware/boards"), this.at("tumbler/firmware/boards"), { recursive: true });
    this.env = { PATH: this.at("bin"), MODDABLE: this.at("sdk"), IDF_PATH: this.at("idf") };
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  file(path: string, content: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content);
  }

  program(path: string, script = "true"): void {
    this.file(path, `#!/bin/sh\n${script}\n`);
    chmodSync(this.at(path), 0o755);
  }

  /** mcconfig: records how it was called, then does this. */
  mcconfig(script: string): void {
    const record = `{ pwd; echo "$@"; echo "port $UPLOAD_PORT"; echo "idf $IDF_PATH"; } > ${this.at("called")}`;
    this.program("sdk/build/bin/lin/release/mcconfig", `${record}\n${script}`);
  }

  idfVersion(major: number, minor: number): void {
    const text = `set(IDF_VERSION_MAJOR ${major})\nset(IDF_VERSION_MINOR ${minor})\n`;
    this.file("idf/tools/cmake/version.cmake", text);
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true });
  }

  get called(): string[] {
    return existsSync(this.at("called")) ? readFileSync(this.at("called"), "utf8").trim().split("\n") : [];
  }

  image(mode = "release", board = "lock"): string {
    return `sdk/build/bin/esp32/${board}/${mode}/tumbler/xs_esp32.bin`;
  }

  /** A mcconfig that makes an image of so many bytes. */
  builds(bytes: number, mode = "release", board = "lock"): void {
    const image = this.at(this.image(mode, board));
    this.mcconfig(`/bin/mkdir -p ${dirname(image)} && /usr/bin/head -c ${bytes} /dev/zero > ${image}`);
  }

  async run(...args: string[]): Promise<Ran> {
    let out = "";
    let err = "";
    const terminal = {
      out: (text: string) => {
        out += text;
      },
      err: (text: string) => {
        err += text;
      },
      colours: pc.createColors(false),
      secret: async () => "",
      exitCode: 0,
    };
    const { env, folder: home } = this;
    const code = await main(args, terminal, { env, home, platform: "linux", root: this.at("tumbler") });
    return { code, out, err };
  }
}

const describeUnix = process.platform === "win32" ? describe.skip : describe;

describeUnix("npm run firmware: what a build needs", () => {
  const path = ownFolder();
  const machine = (): FakeMachine => new FakeMachine(path("machine"));

  it("finds everything where the environment says", async () => {
    const { code, out } = await machine().run("check");
    assert.equal(code, 0, out);
    assert.doesNotMatch(out, /missing|other/);
    assert.match(out, /Ready to build\.$/m);
  });

  it("finds everything where xs-dev puts it, and tells mcconfig", async () => {
    const fake = machine();
    cpSync(fake.at("sdk"), fake.at(".local/share/moddable"), { recursive: true });
    cpSync(fake.at("idf"), fake.at(".local/share/esp32/esp-idf"), { recursive: true });
    delete fake.env.MODDABLE;
    delete fake.env.IDF_PATH;
    assert.equal((await fake.run("check")).code, 0);
    fake.builds(1000);
    await fake.run("build");
    assert.equal(fake.called[3], `idf ${fake.at(".local/share/esp32/esp-idf")}`);
  });

  const lacks: readonly [string, (fake: FakeMachine) => void, string, RegExp, RegExp][] = [
    [
      "the project's packages",
      (fake) => fake.remove("tumbler/node_modules"),
      "packages",
      /node_modules is not there/,
      /^npm ci$/,
    ],
    [
      "MODDABLE",
      (fake) => delete fake.env.MODDABLE,
      "Moddable SDK",
      /^MODDABLE is not set$/,
      /npm install -g xs-dev, then: xs-dev setup/,
    ],
    [
      "an SDK where MODDABLE says",
      (fake) => fake.remove("sdk/tools/VERSION"),
      "Moddable SDK",
      /^MODDABLE is .*, which is not the SDK$/,
      /xs-dev setup/,
    ],
    [
      "the SDK's tools",
      (fake) => fake.remove("sdk/build/bin"),
      "mcconfig",
      /tools are not built/,
      /build\/makefiles/,
    ],
    ["make", (fake) => fake.remove("bin/make"), "make", /not on PATH/, /build-essential/],
    [
      "IDF_PATH",
      (fake) => delete fake.env.IDF_PATH,
      "ESP-IDF",
      /^IDF_PATH is not set$/,
      /^xs-dev setup --device esp32$/,
    ],
    [
      "ESP-IDF where IDF_PATH says",
      (fake) => fake.remove("idf/tools"),
      "ESP-IDF",
      /^IDF_PATH is .*, which is not ESP-IDF$/,
      /xs-dev setup --device esp32/,
    ],
    [
      "a repository whose version git tells",
      (fake) => fake.remove("idf/.git"),
      "ESP-IDF",
      /is no clone of its repository/,
      /xs-dev/,
    ],
    [
      "the compiler",
      (fake) => fake.remove(".espressif/tools"),
      "compiler",
      /^xtensa-esp32-elf-gcc is neither on PATH nor in .*\.espressif$/,
      /idf\/install\.sh esp32$/,
    ],
    [
      "ESP-IDF's Python",
      (fake) => fake.remove(".espressif/python_env"),
      "idf.py",
      /has no Python for it/,
      /install\.sh esp32$/,
    ],
  ];
  for (const [what, take, name, text, how] of lacks)
    it(`says that ${what} is missing, and how to get it, and runs nothing`, async () => {
      const fake = machine();
      take(fake);
      const { code, out } = await fake.run("check", "--json");
      assert.equal(code, 1);
      const { ready, findings } = JSON.parse(out);
      assert.equal(ready, false);
      const missing = findings.filter(({ is }: { is: string }) => is === "missing");
      assert.ok(missing.length >= 1);
      assert.equal(missing[0].name, name);
      assert.match(missing[0].what, text);
      assert.match(missing[0].how, how);
      for (const action of ["build", "flash", "monitor"]) {
        const ran = await fake.run(action);
        assert.equal(ran.code, 2, action);
        assert.ok(ran.err.includes(`cannot ${action}: this is missing\n  ${name}: `), ran.err);
        assert.ok(ran.err.includes(`→ ${missing[0].how}`), ran.err);
      }
      assert.deepEqual(fake.called, []);
    });

  it("warns of other versions, and goes on", async () => {
    const fake = machine();
    fake.file("sdk/tools/VERSION", "7.1.0");
    fake.idfVersion(5, 5);
    const { code, out } = await fake.run("check");
    assert.equal(code, 0);
    assert.match(out, /other +Moddable SDK 7\.1\.0 in .*, wanted[\s\S]*8\.2/);
    assert.match(out, /other +ESP-IDF +5\.5 in/);
    fake.builds(1000);
    const built = await fake.run("build");
    assert.equal(built.code, 0);
    assert.match(built.err, /^warning: Moddable SDK: 7\.1\.0.*\n {2}→ git -C .* checkout 8\.2/m);
    assert.match(built.err, /^warning: ESP-IDF: 5\.5 in .*, wanted 6\.0\n {2}→ .*v6\.0.*install\.sh esp32/m);
  });

  it("takes the version of ESP-IDF that the SDK itself expects", async () => {
    const fake = machine();
    fake.file("sdk/build/devices/esp32/manifest.json", '{"build": {"EXPECTED_ESP_IDF": "v6.1"}}');
    const { out } = await fake.run("check", "--json");
    assert.match(out, /6\.0 in .*, wanted 6\.1/);
  });

  it("finds a compiler and idf.py of an export.sh that was sourced", async () => {
    const fake = machine();
    fake.remove(".espressif");
    fake.program("bin/xtensa-esp32-elf-gcc");
    fake.program("bin/idf.py");
    assert.equal((await fake.run("check")).code, 0);
  });

  it("wants the debugger for a monitor of a debug build alone", async () => {
    const fake = machine();
    const { code, err } = await fake.run("monitor", "--debug");
    assert.equal(code, 2);
    assert.match(err, /serial2xsbug: the SDK's debugger is not built/);
    assert.equal((await fake.run("monitor")).code, 0);
    for (const name of ["serial2xsbug", "xsbug"]) fake.program(`sdk/build/bin/lin/release/${name}`);
    assert.equal((await fake.run("monitor", "--debug")).code, 0);
    assert.equal(fake.called[1], "-d -m -p esp32:./firmware/boards/lock -t xsbug manifest.json");
  });
});

describeUnix("npm run firmware: what is run", () => {
  const path = ownFolder();
  const machine = (): FakeMachine => new FakeMachine(path("machine"));

  it("builds in the project's folder, with a relative path, since mcconfig makes it lower-case", async () => {
    const fake = machine();
    fake.builds(1_000_000);
    const { code, out, err } = await fake.run("build");
    assert.equal(code, 0, err);
    assert.deepEqual(fake.called.slice(0, 3), [
      fake.at("tumbler"),
      "-m -p esp32:./firmware/boards/lock -t build manifest.json",
      "port ",
    ]);
    assert.match(out, /size +1,000,000 bytes/);
    assert.match(out, /slot +1,703,936 bytes \(1664 KiB\), 58\.7 % taken/);
  });

  it("builds every board, for debugging too, by its name or its profile", async () => {
    const fake = machine();
    const lines: [string[], string][] = [
      [["--board", "l500i"], "-m -p esp32:./firmware/boards/l500i -t build manifest.json"],
      [["--profile", "l500i"], "-m -p esp32:./firmware/boards/l500i -t build manifest.json"],
      [["--profile", "lock-1000", "--release"], "-m -p esp32:./firmware/boards/lock -t build manifest.json"],
      [["--board", "esp32", "--debug"], "-d -m -p esp32:./firmware/boards/lock -t build manifest.json"],
    ];
    for (const [args, line] of lines) {
      const { code, out } = await fake.run("build", "--dry-run", ...args);
      assert.equal(code, 0);
      assert.equal(out, `mcconfig ${line}\n`);
    }
    assert.deepEqual(fake.called, []);
  });

  it("prints what it would run with --dry-run, and what is missing, even where nothing is there", async () => {
    const fake = machine();
    delete fake.env.MODDABLE;
    const { code, out, err } = await fake.run("flash", "--dry-run", "--port", "/dev/ttyUSB7");
    assert.equal(code, 0);
    assert.equal(
      out,
      "UPLOAD_PORT=/dev/ttyUSB7 mcconfig -m -p esp32:./firmware/boards/lock -t deploy manifest.json\n",
    );
    assert.match(err, /^missing: Moddable SDK: MODDABLE is not set$/m);
  });

  it("flashes what was built, on the port that is named", async () => {
    const fake = machine();
    const unbuilt = await fake.run("flash", "--port", "/dev/null");
    assert.equal(unbuilt.code, 2);
    assert.match(
      unbuilt.err,
      /nothing was built yet for the board lock\n\(run: npm run firmware -- build --board lock\)/,
    );
    fake.file(fake.image(), "image");
    assert.equal((await fake.run("flash", "--debug")).code, 2, "that is another build");
    assert.equal((await fake.run("flash", "--port", "/dev/null")).code, 0);
    assert.deepEqual(fake.called.slice(1, 3), [
      "-m -p esp32:./firmware/boards/lock -t deploy manifest.json",
      "port /dev/null",
    ]);
    const nowhere = await fake.run("flash", "--port", fake.at("ttyUSB0"));
    assert.match(nowhere.err, /ttyUSB0: no such port/);
  });

  it("takes an image that fills its slot, and none that is a byte larger", async () => {
    const fake = machine();
    fake.builds(SLOT_BYTES);
    const full = await fake.run("build");
    assert.equal(full.code, 0);
    assert.match(full.out, /100\.0 % taken/);
    fake.builds(SLOT_BYTES + 1);
    const over = await fake.run("build");
    assert.equal(over.code, 1);
    assert.match(over.err, /1 bytes too large for its slot/);
  });

  it("is not deceived by an image of an earlier build: the SDK's make goes on after some errors", async () => {
    const fake = machine();
    fake.file(fake.image(), "old");
    utimesSync(fake.at(fake.image()), 1e9, 1e9);
    const { code, err } = await fake.run("build");
    assert.equal(code, 2);
    assert.match(err, /the build made no .*xs_esp32\.bin/);
  });

  it("says that mcconfig failed, and with what", async () => {
    const fake = machine();
    fake.mcconfig("exit 7");
    const { code, err } = await fake.run("build");
    assert.equal(code, 2);
    assert.match(err, /^error: mcconfig ended with 7\n\(what it wrote above says why\)$/m);
  });

  it("refuses boards and profiles that do not exist, or do not fit together", async () => {
    const fake = machine();
    const said = async (...args: string[]): Promise<string> => {
      const { code, err } = await fake.run("build", "--dry-run", ...args);
      assert.equal(code, 2);
      return err;
    };
    assert.match(await said("--board", "gate"), /no board gate\n\(boards: l500i, lock/);
    assert.match(await said("--profile", "gate"), /no profile gate\n\(profiles: lock-1000, l500i\)/);
    assert.match(
      await said("--board", "l500i", "--profile", "lock-1000"),
      /board l500i has no flash map for the profile lock-1000\n\(leave out --board, or take --board lock\)/,
    );
    assert.match(await said("--debug", "--release"), /are two builds/);
    assert.match(await said("--speed"), /unknown option '--speed'/);
  });

  it("says when there are no boards at all", async () => {
    const fake = machine();
    fake.remove("tumbler/firmware/boards");
    assert.match((await fake.run("build")).err, /no board lock\n\(firmware\/boards is empty\)/);
  });

  it("runs as the script of package.json does, and explains itself", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const [program, ...args] = scripts.firmware.split(" ");
    assert.equal(program, "node");
    const child = spawnSync(process.execPath, [...args, "--help"], { cwd: ROOT, encoding: "utf8" });
    assert.equal(child.status, 0, child.stderr);
    assert.match(child.stdout, /^Usage: npm run firmware -- /);
    for (const line of child.stdout.split("\n")) assert.ok(line.length <= 80, line);
  });
});
