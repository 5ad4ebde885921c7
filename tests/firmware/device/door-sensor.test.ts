// The reed switch at the door.

import assert from "node:assert/strict";
import { ReedSensor, SETTLE_MS } from "../../../firmware/device/door-sensor";
import { Guard } from "../../../firmware/device/guard";
import type { DigitalOptions } from "../../../firmware/device/io";
import { Pins } from "../../support/sdk/digital";
import { VirtualTimers } from "../../support/sdk/timers";

const PIN = 27;

function make(isClosed: boolean) {
  const timers = new VirtualTimers();
  const pins = new Pins(timers);
  const guard = new Guard();
  const set = (closed: boolean) => pins.drive(PIN, closed ? 0 : undefined);
  let isBroken = false;
  class Breaking extends pins.Digital {
    override read(): number {
      if (isBroken) throw new Error("broken");
      return super.read();
    }
  }
  const Digital: new (options: DigitalOptions) => InstanceType<typeof Breaking> = Breaking;
  set(isClosed);
  let changes = 0;
  const sensor = new ReedSensor({
    pins: { closed: PIN },
    Digital: Object.assign(Digital, pins.Digital) as typeof pins.Digital,
    guard,
    uptimeMs: () => timers.now,
    onChange: () => changes++,
  });
  return { timers, guard, set, sensor, changes: () => changes, breakIt: () => (isBroken = true) };
}

describe("M8 The door sensor", () => {
  it("knows a door that stood still since the boot at once", () => {
    assert.equal(make(true).sensor.isClosed(), true);
    assert.equal(make(false).sensor.isClosed(), false);
  });

  it("says open at once, and closed when nothing has changed for a while", () => {
    const { timers, set, sensor } = make(true);
    set(false);
    assert.equal(sensor.isClosed(), false);
    timers.advance(1000);
    set(true);
    timers.advance(SETTLE_MS - 1);
    assert.equal(sensor.isClosed(), false);
    timers.advance(1);
    assert.equal(sensor.isClosed(), true);
  });

  it("never says closed while the door bounces", () => {
    const { timers, set, sensor } = make(false);
    for (let i = 0; i < 20; i++) {
      set(i % 2 === 0);
      timers.advance(50);
      assert.equal(sensor.isClosed(), false);
    }
    set(true);
    timers.advance(SETTLE_MS);
    assert.equal(sensor.isClosed(), true);
  });

  it("tells of each change, so that the lock looks soon", () => {
    const { timers, set, changes } = make(false);
    set(true);
    timers.advance(10);
    set(false);
    timers.advance(10);
    assert.equal(changes(), 2);
  });

  it("locks as if it were not there when it cannot be read, and says so", () => {
    const { sensor, guard, breakIt } = make(false);
    breakIt();
    assert.equal(sensor.isClosed(), true);
    assert.equal(guard.faults, 1);
  });
});
