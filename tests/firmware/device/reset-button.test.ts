// The button of the factory reset.

import assert from "node:assert/strict";
import { Guard } from "../../../firmware/device/guard";
import { ResetButton } from "../../../firmware/device/reset-button";
import { Pins } from "../../support/sdk/digital";
import { VirtualTimers } from "../../support/sdk/timers";

const PIN = 4;
const HOLD_MS = 10_000;

function make(isDown = false) {
  const timers = new VirtualTimers();
  const pins = new Pins(timers);
  const guard = new Guard();
  const press = (down: boolean) => pins.drive(PIN, down ? 0 : undefined);
  press(isDown);
  let times = 0;
  const button = new ResetButton({
    pins: { pin: PIN, holdMs: HOLD_MS },
    Digital: pins.Digital,
    timers,
    guard,
    onHeld: () => {
      times++;
      if (times === 2) throw new Error("refused");
    },
  });
  return { timers, guard, button, press, times: () => times };
}

describe("X11 The physical act of a factory reset", () => {
  it("is holding the button long enough, and not a moment less", () => {
    const { timers, press, times } = make();
    press(true);
    timers.advance(HOLD_MS - 1);
    assert.equal(times(), 0);
    timers.advance(100);
    assert.equal(times(), 1);
  });

  it("is not many short presses", () => {
    const { timers, press, times } = make();
    for (let i = 0; i < 40; i++) {
      press(true);
      timers.advance(900);
      press(false);
      timers.advance(100);
    }
    assert.equal(times(), 0);
    assert.equal(timers.count, 0);
  });

  it("counts once while the button is held, and again after it was let go", () => {
    const { timers, press, times, guard } = make();
    press(true);
    timers.advance(10 * HOLD_MS);
    assert.equal(times(), 1);
    press(false);
    timers.advance(1000);
    for (let i = 2; i <= 3; i++) {
      press(true);
      timers.advance(HOLD_MS + 100);
      assert.equal(times(), i);
      press(false);
      timers.advance(1000);
    }
    assert.equal(guard.faults, 1, "what was thrown is noted, and the button works on");
  });

  it("is no button that is down when the lock boots", () => {
    const { timers, press, times } = make(true);
    timers.advance(3 * HOLD_MS);
    assert.equal(times(), 0);
    press(false);
    timers.advance(1000);
    press(true);
    timers.advance(HOLD_MS + 100);
    assert.equal(times(), 1);
  });

  it("is held by a finger that trembles", () => {
    const { timers, press, times } = make();
    press(true);
    for (let i = 0; i < 110; i++) {
      timers.advance(92);
      press(false);
      timers.advance(2);
      press(true);
      timers.advance(3);
    }
    assert.equal(times(), 1);
  });

  it("is not the time that the chip was busy", () => {
    const { timers, press, times } = make();
    press(true);
    timers.advance(100);
    press(false);
    press(true);
    timers.now += HOLD_MS;
    timers.advance(100);
    assert.equal(times(), 0);
    press(false);
    timers.advance(100);
    assert.equal(timers.count, 0);
  });

  it("keeps the chip awake while it may still count", () => {
    const { timers, press, button } = make();
    assert.equal(button.isBusy, false);
    press(true);
    timers.advance(100);
    assert.equal(button.isBusy, true);
    timers.advance(HOLD_MS);
    assert.equal(button.isBusy, false);
    press(false);
    timers.advance(1000);
    assert.equal(timers.count, 0);
  });
});
