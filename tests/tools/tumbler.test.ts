// The command as people run it: a process of its own, without a terminal. Few of these, since each takes a second or more to start; what
// the commands do is tested in this process.

import assert from "node:assert/strict";
import { accessSync, constants, mkdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { wantsColours } from "../../tools/ui/terminal";
import { Door } from "../support/door";
import { livelyDoor, ownFolder, PINS, run, spawn, widest, writeImage } from "./support";

const ROOT = resolve(__dirname, "../..");

describe("the tumbler command", () => {
  const at = ownFolder();

  it("is what npx and npm run start, and may be executed", () => {
    const { bin, scripts } = JSON.parse(readFileSync(resolve(ROOT, "package.json"), "utf8"));
    assert.equal(bin.tumbler, "tools/bin/tumbler.js");
    assert.equal(scripts.tumbler, "node tools/bin/tumbler.js");
    accessSync(resolve(ROOT, bin.tumbler), constants.X_OK);
  });

  it("makes a lock as files of mode 600, in plain text on 80 columns", () => {
    const folder = at("made");
    mkdirSync(folder);
    const args = ["provision", "--out", "a.img", "--record", "a.json", "--owner-key", "owner.key"];
    const { code, out, err } = spawn(args, folder);
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(widest(out) <= 80 && !out.includes("\x1b"), out);
    for (const name of ["a.img", "a.json", "owner.key", "maker.key"])
      assert.equal((statSync(resolve(folder, name)).mode & 0o777).toString(8), "600");
  });

  it("exits with 0 for a sound image, in colours where they are asked for", () => {
    const path = writeImage(at("a.img"), livelyDoor());
    const { code, out, err } = spawn(["inspect", path], at("."), { FORCE_COLOR: "1" });
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.startsWith("\x1b[1mLock "));
  });

  it("exits with 1 for a PIN from a pipe that is refused", () => {
    const path = writeImage(at("b.img"), livelyDoor());
    const args = ["explain", path, "--pin", "-", "--at", "2027-03-01T08:59:59"];
    const { code, out, err } = spawn(args, at("."), {}, `${PINS.cleaner}\nrest\n`);
    assert.deepEqual([code, err], [1, ""]);
    assert.match(out, /^Refused\n/);
  });

  it("keeps colours from pipes, and from whoever wants none", () => {
    assert.equal(wantsColours({}, false), false);
    assert.equal(wantsColours({}, true), true);
    assert.equal(wantsColours({ FORCE_COLOR: "1", NO_COLOR: "1" }, true), false);
    assert.equal(wantsColours({ NO_COLOR: "1" }, true), false);
    assert.equal(wantsColours({ NO_COLOR: "" }, true), true);
    assert.equal(wantsColours({ TERM: "dumb" }, true), false);
    assert.equal(wantsColours({ CI: "1" }, false), false);
  });

  it("suggests what was meant", async () => {
    const cases: [string[], RegExp][] = [
      [["inspekt"], /unknown command 'inspekt'\n\(Did you mean inspect\?\)/],
      [["inspect", "a.img", "--slot"], /unknown option '--slot'\n\(Did you mean --slots\?\)/],
      [
        ["provision", "--out", "a", "--record", "b", "--profil", "l500i"],
        /unknown option '--profil'\n\(Did you mean --profile\?\)/,
      ],
      [["explain"], /missing required argument 'image'/],
      [["inspect", "a.img", "b.img"], /too many arguments/],
    ];
    for (const [args, text] of cases) {
      const { code, out, err } = await run(args);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, text);
      assert.match(err, /\(add --help to see how it is used\)\n$/);
    }
    const bare = await run([]);
    assert.deepEqual([bare.code, bare.out], [2, ""]);
    assert.match(bare.err, /^Usage: tumbler/);
  });

  it("helps on 80 columns, with examples and exit codes", async () => {
    for (const name of ["provision", "inspect", "explain"]) {
      const { code, out, err } = await run([name, "--help"]);
      assert.deepEqual([code, err], [0, ""]);
      assert.ok(widest(out) <= 80, out);
      assert.match(out, new RegExp(`Examples:\n {2}tumbler ${name} `));
      assert.match(out, /Exit codes: 0 .*\n2 usage, or not readable; 3 a fault of the program itself\.\n/);
    }
    assert.ok(widest((await run(["--help"])).out) <= 80);
  });

  it("tells a fault of its own from a mistake of its user", async () => {
    const path = writeImage(at("c.img"), new Door());
    const terminal = { out: () => assert.fail("a fault"), err: "" };
    const { main } = await import("../../tools/tumbler");
    const code = await main(["inspect", path], {
      out: terminal.out,
      err: (text) => {
        terminal.err += text;
      },
      colours: (await import("picocolors")).default.createColors(false),
      secret: async () => "",
      exitCode: 0,
    });
    assert.equal(code, 3);
    assert.match(terminal.err, /^a fault of this program: AssertionError.*a fault/);
  });
});
