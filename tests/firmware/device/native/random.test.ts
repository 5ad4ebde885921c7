// Random bytes (random.c) on a chip whose generator is stuck, as far as it can be without its radio: what counts is the noise at boot.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { NativeRandom } from "../../../../firmware/device/native";
import { missingForC, NativeProcess } from "../../../support/native-process";

const MODEL = join(__dirname, "esp");

describe("The lock's random bytes in C", function () {
  this.timeout(20_000);

  before(function () {
    const missing = missingForC("sodium.h");
    if (missing === undefined) return;
    console.log(`    skipped: ${missing}`);
    this.skip();
  });

  /** Draws pieces of 40 bytes from a chip whose noise is this byte. */
  function draw(noise: number, pieces: number, isStarted = true): string[] {
    const options = ["-I" + MODEL, "-DNOISE=" + noise, join(MODEL, "random-model.c")];
    const process = new NativeProcess(["random.c"], ["randomStart", "fillRandom"], options);
    try {
      const chip = process.functions<NativeRandom>();
      if (isStarted) assert.equal(chip.randomStart(), 0);
      return Array.from({ length: pieces }, () => {
        const buffer = new ArrayBuffer(50);
        chip.fillRandom(buffer, 3, 40);
        const bytes = Buffer.from(buffer);
        assert.ok(bytes.subarray(0, 3).every((byte) => byte === 0));
        assert.ok(bytes.subarray(43).every((byte) => byte === 0));
        return bytes.subarray(3, 43).toString("hex");
      });
    } finally {
      process.close();
    }
  }

  it("never repeat, and are others after another boot's noise", () => {
    const pieces = [...draw(1, 50), ...draw(2, 50), ...draw(1, 50, false)];
    const halves = pieces.flatMap((piece) => [piece.slice(0, 40), piece.slice(40)]);
    assert.equal(new Set(halves).size, halves.length);
  });

  it("fill as many bytes as are wanted, none included", () => {
    const process = new NativeProcess(
      ["random.c"],
      ["fillRandom"],
      ["-I" + MODEL, "-DNOISE=1", join(MODEL, "random-model.c")],
    );
    try {
      const chip = process.functions<Pick<NativeRandom, "fillRandom">>();
      for (const length of [0, 1, 31, 32, 33, 1000]) {
        const buffer = new ArrayBuffer(length);
        chip.fillRandom(buffer, 0, length);
        const zeros = new Uint8Array(buffer).reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
        assert.ok(zeros <= 1 + length / 20, String(length));
      }
    } finally {
      process.close();
    }
  });
});
