// The clock with a supply of its own, behind a driver that throws.

import assert from "node:assert/strict";
import { Guard } from "../../../firmware/device/guard";
import type { RtcDevice } from "../../../firmware/device/rtc";
import { HeldRtc } from "../../../firmware/device/rtc";

const PINS = { data: 21, clock: 22, driftPpm: 20 };
const NOW = 1_800_000_000;

/** The chip, and the SDK's way of driving it: whatever the bus does not carry is thrown. */
class Chip {
  time: number | undefined;
  isThere = true;
  /** Transfers that fail from now on. */
  failures = 0;
  opened = 0;

  transfer(): void {
    if (!this.isThere) throw new Error("read failed");
    if (this.failures > 0) {
      this.failures--;
      throw new Error("write failed");
    }
  }
}

function make(chip: Chip) {
  class Rtc implements RtcDevice {
    constructor(options: { readonly clock: { readonly io: unknown } }) {
      assert.equal(options.clock.io, "smbus");
      chip.transfer();
      chip.opened++;
    }
    get time(): number | undefined {
      chip.transfer();
      return chip.time;
    }
    set time(time: number | undefined) {
      chip.transfer();
      chip.time = time;
    }
    close(): void {}
  }
  const guard = new Guard();
  return { guard, rtc: new HeldRtc({ pins: PINS, RTC: Rtc, io: "smbus", guard }) };
}

describe("T11 A clock that counts on without power", () => {
  it("gives whole seconds since it was set, in this power cycle and the next", () => {
    const chip = new Chip();
    const { rtc } = make(chip);
    rtc.set(NOW);
    assert.equal(rtc.read(), NOW);
    chip.time = NOW * 1000 + 5999;
    assert.equal(make(chip).rtc.read(), NOW + 5);
    assert.equal(rtc.driftPpm, 20);
    assert.equal(chip.opened, 2);
  });

  it("gives 0 when it was never set, or its supply failed", () => {
    assert.equal(make(new Chip()).rtc.read(), 0);
  });

  it("gives 0 for a time that cannot be", () => {
    const chip = new Chip();
    for (const time of [Number.NaN, -1, -2_208_988_800_000, 0, 2 ** 32 * 1000]) {
      chip.time = time;
      assert.equal(make(chip).rtc.read(), 0, String(time));
    }
    chip.time = (2 ** 32 - 1) * 1000;
    assert.equal(make(chip).rtc.read(), 2 ** 32 - 1);
  });

  it("gives 0 and throws nothing while it does not answer, and works when it does", () => {
    const chip = new Chip();
    chip.time = NOW * 1000;
    chip.isThere = false;
    const { rtc, guard } = make(chip);
    assert.equal(rtc.read(), 0);
    assert.equal(guard.lastFault, "rtc");
    chip.isThere = true;
    assert.equal(rtc.read(), NOW);
    chip.isThere = false;
    assert.equal(rtc.read(), 0);
  });

  it("is set in spite of a transfer or two that fail", () => {
    const chip = new Chip();
    const { rtc } = make(chip);
    chip.failures = 2;
    rtc.set(NOW);
    assert.equal(chip.time, NOW * 1000);
    assert.equal(rtc.read(), NOW);
  });

  it("is not believed when it did not take the time, until it takes one", () => {
    const chip = new Chip();
    chip.time = NOW * 1000;
    const { rtc } = make(chip);
    chip.failures = 3;
    rtc.set(NOW + 100);
    assert.equal(rtc.read(), 0);
    rtc.set(NOW + 200);
    assert.equal(rtc.read(), NOW + 200);
  });
});
