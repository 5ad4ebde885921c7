// The battery's grades.

import assert from "node:assert/strict";
import { Battery, HYSTERESIS_MV } from "../../../firmware/device/battery";
import { Guard } from "../../../firmware/device/guard";
import { analogOf } from "../../support/sdk/analog";
import { Pins } from "../../support/sdk/digital";
import { VirtualTimers } from "../../support/sdk/timers";

const PINS = { pin: 34, scale: 3, lowMv: 4800, criticalMv: 4400 };
/** A third of the battery is at the pin. */
const DIVIDER = 3;
/** One step of the converter, and what is lost in dividing, in millivolts of the battery. */
const STEP_MV = 4;

function make(millivolts: number) {
  const timers = new VirtualTimers();
  const { Analog, world } = analogOf(new Pins(timers));
  const guard = new Guard();
  let isLoaded = false;
  const battery = new Battery({
    pins: PINS,
    Analog,
    clock: { uptime: () => timers.now / 1000 },
    guard,
    isLoaded: () => isLoaded,
  });
  const set = (mv: number) => {
    world.millivolts = () => mv / DIVIDER;
    timers.advance(60_000);
  };
  set(millivolts);
  return { timers, guard, battery, world, set, load: (on: boolean) => (isLoaded = on) };
}

describe("M10 The battery", () => {
  it("is measured in millivolts before the divider", () => {
    for (const mv of [3000, 4400, 4800, 5555, 6000, 7000])
      assert.ok(Math.abs(make(mv).battery.millivolts - mv) <= STEP_MV, `${mv} mV`);
  });

  it("has its grades at their thresholds", () => {
    assert.equal(make(PINS.lowMv + STEP_MV).battery.grade, "fine");
    assert.equal(make(PINS.lowMv - STEP_MV).battery.grade, "low");
    assert.equal(make(PINS.criticalMv + STEP_MV).battery.grade, "low");
    assert.equal(make(PINS.criticalMv - STEP_MV).battery.grade, "critical");
  });

  it("is better again only well above the threshold", () => {
    const { battery, set } = make(PINS.criticalMv - 50);
    assert.equal(battery.grade, "critical");
    set(PINS.criticalMv + HYSTERESIS_MV - STEP_MV);
    assert.equal(battery.grade, "critical");
    set(PINS.criticalMv + HYSTERESIS_MV + STEP_MV);
    assert.equal(battery.grade, "low");
    set(PINS.lowMv + HYSTERESIS_MV - STEP_MV);
    assert.equal(battery.grade, "low");
    set(PINS.lowMv + HYSTERESIS_MV + STEP_MV);
    assert.equal(battery.grade, "fine");
    set(PINS.lowMv + STEP_MV);
    assert.equal(battery.grade, "fine");
  });

  it("is a median: two wild readings of five change nothing", () => {
    const { battery, world, timers } = make(6000);
    const readings = [0, 2000, 9999, 2000, 2000];
    world.millivolts = () => readings[world.reads % 5];
    timers.advance(60_000);
    assert.ok(Math.abs(battery.millivolts - 6000) <= STEP_MV);
  });

  it("is read at most once a minute", () => {
    const { battery, world, timers } = make(6000);
    const before = world.reads;
    for (let i = 0; i < 600; i++) {
      assert.equal(battery.grade, "fine");
      timers.advance(1000);
    }
    assert.equal((world.reads - before) / 5, 10);
  });

  it("is not read while the motor pulls it down", () => {
    const { battery, set, load } = make(6000);
    assert.equal(battery.grade, "fine");
    load(true);
    set(3000);
    assert.equal(battery.grade, "fine");
    load(false);
    assert.equal(battery.grade, "critical");
  });

  it("stays what it was when nothing can be read, and that is noted", () => {
    const { battery, world, timers, guard } = make(4600);
    assert.equal(battery.grade, "low");
    world.millivolts = () => undefined;
    timers.advance(60_000);
    assert.equal(battery.grade, "low");
    assert.equal(guard.faults, 1);
  });

  it("is fine until it was measured", () => {
    const { battery, load } = make(3000);
    load(true);
    assert.equal(battery.grade, "fine");
    assert.equal(battery.millivolts, 0);
  });
});
