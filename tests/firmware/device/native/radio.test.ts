// What stands between NimBLE and the SDK's GATT server (radio.c), compiled here between models of both: a client may be as quick, as slow or
// as short as it likes, and the server never meets a connection that JavaScript does not know.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = join(__dirname, "../../../../firmware/device/native");
const MODEL = join(__dirname, "nimble");

describe("The radio in C", function () {
  this.timeout(20_000);
  let folder = "";
  const program = () => join(folder, "radio");

  before(function () {
    if (spawnSync("cc", ["--version"]).error !== undefined) {
      console.log("    skipped: no C compiler (cc)");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "tumbler-radio-"));
    const strict = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"];
    const files = [join(FOLDER, "radio.c"), join(MODEL, "model.c")];
    execFileSync("cc", [...strict, "-I" + FOLDER, "-I" + MODEL, "-o", program(), ...files, "-lpthread"]);
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  /** What the server and NimBLE saw of these events, each "what handle value" with zeros left out. */
  function seen(...events: string[]): string[] {
    const input = events.map((event) => `${event} 0 0`.split(" ").slice(0, 3).join(" ")).join("\n");
    const { stdout, stderr } = spawnSync(program(), { input, encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout.trimEnd().split("\n");
  }

  /** The same with the listener in its place. */
  function safe(...events: string[]): string[] {
    const [ready, first, ...rest] = seen("listen", ...events);
    assert.deepEqual([ready, first], ["ready random", "listen 1"]);
    return rest;
  }

  it("is needed: without it, the first MTU, access or subscription of a quick client follows a null pointer", () => {
    for (const event of ["mtu 1", "access 1", "subscribe 1"])
      assert.deepEqual(seen("up 1", event, "rest"), ["null pointer"], event);
    assert.deepEqual(seen("up 1", "connect 1", "mtu 1"), ["null pointer"]);
  });

  it("tells of a connection with its first sign, and once, whatever that sign is", () => {
    const begun = "js connect 1";
    assert.deepEqual(safe("up 1", "connect 1"), [begun]);
    assert.deepEqual(safe("up 1", "mtu 1", "connect 1"), [begun, "mtu 1"]);
    assert.deepEqual(safe("up 1", "access 1", "connect 1", "mtu 1"), [
      begun,
      "access 1 0",
      "answer 0",
      "mtu 1",
    ]);
    assert.deepEqual(safe("up 1", "access 1 1", "connect 1"), [begun, "access 1 1", "answer 0"]);
    assert.deepEqual(safe("up 1", "descriptor 1", "connect 1"), [begun, "access 1 9", "answer 0"]);
    assert.deepEqual(safe("up 1", "subscribe 1", "connect 1"), [begun, "js subscribe 1"]);
    assert.deepEqual(safe("up 1", "connect 1", "mtu 1", "subscribe 1"), [begun, "mtu 1", "js subscribe 1"]);
  });

  it("serves a peer that never told its version: its link stands whatever NimBLE says", () => {
    assert.deepEqual(safe("up 1", "connect 1 26", "access 1", "down 1"), [
      "js connect 1",
      "access 1 0",
      "answer 0",
      "js disconnect 1",
    ]);
    assert.deepEqual(safe("connect 1 62", "connect 65535 13", "access 65535"), ["answer 14"]);
  });

  it("leaves NimBLE's own services alone", () => {
    assert.deepEqual(safe("up 1", "own 1"), ["own access 1"]);
  });

  it("keeps handles in the order of connecting until they are over, also when a handle comes again", () => {
    assert.deepEqual(
      safe("handle 0", "up 5", "up 3", "mtu 3", "connect 5", "handle 0", "handle 1", "handle 2"),
      ["handle -1", "js connect 3", "mtu 3", "js connect 5", "handle 3", "handle 5", "handle -1"],
    );
    assert.deepEqual(
      safe(
        "up 1",
        "connect 1",
        "down 1",
        "up 1",
        "mtu 1",
        "handle 0",
        "handle 1",
        "end 1",
        "end 2",
        "end 70000",
      ),
      [
        "js connect 1",
        "js disconnect 1",
        "js connect 1",
        "mtu 1",
        "handle -1",
        "handle 1",
        "terminate 1 19",
        "end 0",
        "terminate 2 19",
        "end -7",
        "end -3",
      ],
    );
  });

  it("waits after an end until JavaScript has taken it out of its list", () => {
    assert.deepEqual(safe("up 1", "up 2", "connect 1", "connect 2", "down 1", "access 2", "down 2"), [
      "js connect 1",
      "js connect 2",
      "js disconnect 1",
      "access 2 0",
      "answer 0",
      "js disconnect 2",
    ]);
  });

  it("ends a connection that JavaScript does not take in time, serves it nothing, and goes on with the next", () => {
    assert.deepEqual(
      safe(
        "deaf 1",
        "up 1",
        "mtu 1",
        "access 1",
        "subscribe 1",
        "connect 1",
        "sent 1",
        "down 1",
        "deaf 0",
        "rest",
      ),
      ["terminate 1 19", "answer 14", "js connect 1", "js disconnect 1"],
    );
    assert.deepEqual(
      safe("taking 0", "up 1", "access 1", "down 1", "handle 0", "taking 1", "rest", "up 1", "access 1"),
      [
        "js connect 1",
        "terminate 1 19",
        "answer 14",
        "handle -1",
        "js disconnect 1",
        "js connect 1",
        "access 1 0",
        "answer 0",
      ],
    );
  });

  it("serves eight connections, and nothing to a ninth", () => {
    const eight = Array.from({ length: 8 }, (_, i) => i + 1);
    const events = eight.flatMap((handle) => [`up ${handle}`, `connect ${handle}`]);
    const begun = eight.map((handle) => `js connect ${handle}`);
    assert.deepEqual(safe(...events, "up 9", "access 9", "down 1", "access 9"), [
      ...begun,
      "answer 14",
      "js disconnect 1",
      "js connect 9",
      "access 9 0",
      "answer 0",
    ]);
  });

  it("tells the server once of a notification that failed, which its result does, and of all else that was sent", () => {
    assert.deepEqual(safe("up 1", "connect 1", "sent 1", "sent 1 6", "indicated 1", "indicated 1 14"), [
      "js connect 1",
      "sent 0",
      "sent 0",
      "sent 14",
    ]);
  });

  describe("S7 the address", () => {
    it("is random from before anything is shown: the server asks for it once more, and once only", () => {
      assert.deepEqual(seen("show"), ["shown 0"]);
      assert.deepEqual(safe("show", "listen", "show"), ["shown 1", "listen 0", "shown 1"]);
    });

    it("is another one each time that it is asked for, whether the lock shows itself or not", () => {
      assert.deepEqual(safe("show", "address", "show", "address", "address", "show"), [
        "shown 1",
        "address 0",
        "shown 2",
        "address 0",
        "address 0",
        "shown 4",
      ]);
      assert.deepEqual(safe("show", "up 1", "connect 1", "address", "show").slice(-2), [
        "address 0",
        "shown 2",
      ]);
    });

    it("is random again after the controller was reset", () => {
      assert.deepEqual(safe("show", "reset", "show"), ["shown 1", "ready random", "shown 2"]);
    });

    it("stays where there is no other, and the lock says so", () => {
      const errors = [
        ["fail 1", -9],
        ["fail 2", -12],
        ["fail 0 5", -5],
      ] as const;
      for (const [fail, error] of errors)
        assert.deepEqual(safe(fail, "address", "show"), [`address ${error}`, "shown 1"]);
      assert.deepEqual(seen("fail 2", "listen", "listen", "show"), ["listen -12", "listen 0", "shown 0"]);
      assert.deepEqual(seen("fail 2", "listen", "fail 0", "reset", "show").slice(1), [
        "ready random",
        "shown 2",
      ]);
    });
  });
});
