// The board's flash partitions on the SDK's module.

import assert from "node:assert/strict";
import { FlashPartition } from "../../../firmware/device/flash";
import { SdkFlashModule } from "../../support/sdk/flash";

const SIZE = 16 * 1024;

function rig(size = SIZE) {
  const module = new SdkFlashModule();
  const bytes = module.add("credentials", size);
  return { module, bytes };
}

describe("X10 the board's flash partition", () => {
  it("reads into a view, programs bits from 1 to 0 and erases whole blocks", () => {
    const { module, bytes } = rig();
    const flash = new FlashPartition(module, "credentials", SIZE);
    const whole = new Uint8Array(64).fill(0x5a);
    flash.write(whole.subarray(16, 48), 4096 + 32);
    const seen = new Uint8Array(64);
    flash.read(seen.subarray(8, 40), 4096 + 32);
    assert.deepEqual([...seen.subarray(8, 40)], new Array(32).fill(0x5a));
    assert.equal(seen[7] + seen[40], 0);
    flash.write(new Uint8Array(16).fill(0x0f), 4096 + 32);
    assert.equal(bytes[4096 + 32], 0x0a);
    flash.eraseBlock(1, 2);
    assert.ok(bytes.every((byte) => byte === 0xff));
    assert.deepEqual(flash.status(), { size: SIZE, blockLength: 4096, blocks: 4 });
  });

  it("takes the profile's size, and no byte more or less", () => {
    const { module } = rig();
    assert.throws(
      () => new FlashPartition(module, "credentials", SIZE + 4096),
      /wanted 20480 bytes, got 16384/,
    );
    assert.throws(() => new FlashPartition(module, "credentials", SIZE - 4096), /wanted 12288/);
    assert.throws(() => new FlashPartition(module, "events", SIZE), /can't find partition/);
  });

  it("programs 16 bytes at a time, as the chip encrypts them, and never 15 or 17", () => {
    const { module, bytes } = rig();
    const flash = new FlashPartition(module, "credentials", SIZE);
    for (const [length, at] of [
      [15, 0],
      [17, 0],
      [16, 8],
      [8, 16],
    ])
      assert.throws(() => flash.write(new Uint8Array(length), at), RangeError);
    assert.ok(bytes.every((byte) => byte === 0xff));
    flash.write(new Uint8Array(16), SIZE - 16);
    assert.equal(bytes[SIZE - 1], 0);
  });

  it("throws at what is out of range, and touches nothing", () => {
    const { module, bytes } = rig();
    const flash = new FlashPartition(module, "credentials", SIZE);
    assert.throws(() => flash.read(new Uint8Array(2), SIZE - 1), RangeError);
    assert.throws(() => flash.read(new Uint8Array(2), -1), RangeError);
    assert.throws(() => flash.read(new Uint8Array(2), 0.5), RangeError);
    assert.throws(() => flash.write(new Uint8Array(32), SIZE - 16), RangeError);
    for (const [start, end] of [
      [3, 5],
      [2, 1],
      [-1, 1],
      [0, 1.5],
    ])
      assert.throws(() => flash.eraseBlock(start, end), RangeError);
    assert.ok(bytes.every((byte) => byte === 0xff));
    flash.read(new Uint8Array(1), SIZE - 1);
    flash.eraseBlock(4, 4);
  });

  it("lets the driver's errors through", () => {
    const { module } = rig();
    const storage = module.open({ path: "credentials", mode: "r" });
    const flash = new FlashPartition({ open: () => storage }, "credentials", SIZE);
    assert.throws(() => flash.write(new Uint8Array(16), 0), /read-only/);
    assert.throws(() => flash.eraseBlock(0, 1), /read-only/);
  });
});
