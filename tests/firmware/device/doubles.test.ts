// The doubles of the SDK's timers, pins and ports do what the SDK's own code does where it surprises: what is tested with them relies on it.

import assert from "node:assert/strict";
import { analogOf } from "../../support/sdk/analog";
import { Pins } from "../../support/sdk/digital";
import { pwmOf } from "../../support/sdk/pwm";
import { serialOf } from "../../support/sdk/serial";
import { VirtualTimers } from "../../support/sdk/timers";

function world() {
  const timers = new VirtualTimers();
  return { timers, pins: new Pins(timers) };
}

describe("The SDK's timers", () => {
  it("call whoever is due in the order in which they were made, a late one too", () => {
    const { timers } = world();
    const calls: string[] = [];
    timers.set(() => calls.push("second, at " + timers.now), 20);
    timers.set(() => calls.push("first, at " + timers.now), 10);
    timers.advance(15);
    timers.now += 10;
    timers.set(() => calls.push("third, at " + timers.now), 0);
    timers.advance(0);
    assert.deepEqual(calls, ["first, at 10", "second, at 25", "third, at 25"]);
  });

  it("call nobody who was cleared in the same turn, and clear what is over without a word", () => {
    const { timers } = world();
    let calls = 0;
    timers.set(() => timers.clear(other), 10);
    const other = timers.set(() => calls++, 10);
    timers.advance(20);
    timers.clear(other);
    assert.equal(calls, 0);
    assert.equal(timers.count, 0);
  });

  it("catch up with a repetition that was late, and repeat nothing after 0 ms", () => {
    const { timers } = world();
    const calls: number[] = [];
    const timer = timers.repeat(() => calls.push(timers.now), 10);
    timers.advance(10);
    timers.now += 35;
    timers.advance(0);
    timers.clear(timer);
    assert.deepEqual(calls, [10, 45, 45, 45]);
    timers.repeat(() => calls.push(0), 0);
    timers.advance(100);
    assert.equal(calls.length, 5);
  });

  it("run a message never inside whoever posts it", () => {
    const { timers } = world();
    let isDone = false;
    timers.post(() => {
      isDone = true;
    });
    assert.equal(isDone, false);
    timers.advance(0);
    assert.equal(isDone, true);
  });
});

describe("The SDK's digital pins", () => {
  it("tell many edges as one, later, and none after they were closed", () => {
    const { timers, pins } = world();
    const { Digital } = pins;
    let calls = 0;
    const pin = new Digital({
      pin: 4,
      mode: Digital.InputPullUp,
      edge: Digital.Falling,
      onReadable: () => calls++,
    });
    for (let i = 0; i < 5; i++) {
      pins.drive(4, 0);
      pins.drive(4, 1);
    }
    assert.equal(calls, 0);
    timers.advance(0);
    assert.equal(calls, 1);
    pins.drive(4, 0);
    pin.close();
    timers.advance(0);
    assert.equal(calls, 1);
  });

  it("throw for a pin that is taken or is none, for the wrong way, and once they are closed", () => {
    const { pins } = world();
    const { Digital } = pins;
    const output = new Digital({ pin: 4, mode: Digital.Output });
    const input = new Digital({ pin: 34, mode: Digital.Input });
    assert.throws(() => new Digital({ pin: 4, mode: Digital.Input }), /in use/);
    assert.throws(() => new Digital({ pin: 24, mode: Digital.Input }), /in use/);
    assert.throws(() => new Digital({ pin: 35, mode: Digital.Output }), /input only/);
    assert.throws(() => new Digital({ pin: 5, mode: 7 }), /invalid mode/);
    assert.throws(() => new Digital({ pin: 5, mode: Digital.Input, onReadable: () => {} }), /invalid edges/);
    assert.throws(() => output.read(), /can't read output/);
    assert.throws(() => input.write(1), /can't write input/);
    output.close();
    output.close();
    assert.throws(() => output.write(1), TypeError);
    new Digital({ pin: 4, mode: Digital.Input });
  });

  it("see what is wired: open drains, resistors, contacts and shorts", () => {
    const { pins } = world();
    const { Digital } = pins;
    const row = new Digital({ pin: 4, mode: Digital.OutputOpenDrain, initialValue: 1 });
    const column = new Digital({ pin: 5, mode: Digital.InputPullUp });
    pins.connect(4, 5, true);
    assert.equal(column.read(), 1);
    row.write(0);
    assert.equal(column.read(), 0);
    assert.equal(pins.shorts, 0);
    pins.drive(5, 1);
    assert.ok(pins.shorts > 0);
  });

  it("have no resistors where they can only be read", () => {
    const { pins } = world();
    const { Digital } = pins;
    assert.equal(new Digital({ pin: 36, mode: Digital.InputPullUp }).read(), 0);
  });
});

describe("The SDK's other ports", () => {
  it("share the pins with each other", () => {
    const { pins } = world();
    const { PWM } = pwmOf(pins);
    const { Analog } = analogOf(pins);
    const { Serial } = serialOf(pins);
    new PWM({ pin: 4, hz: 1000 });
    assert.throws(() => new Analog({ pin: 4 }), /in use/);
    assert.throws(() => new Serial({ receive: 4, baud: 9600 }), /in use/);
    assert.throws(() => new Analog({ pin: 5 }), /not analog/);
    assert.throws(() => new PWM({ pin: 5, hz: 5 }), /invalid combination/);
  });

  it("write no more to a serial line than there is room for, and lose what nobody reads", () => {
    const { timers, pins } = world();
    const { Serial, line } = serialOf(pins);
    const port = new Serial({ receive: 16, transmit: 17, baud: 9600 });
    port.write(new Uint8Array(128));
    assert.throws(() => port.write(new Uint8Array(1)), /output full/);
    timers.advance(134);
    port.write(new Uint8Array(128));
    line.send(new Uint8Array(130));
    assert.equal(line.lost, 2);
    assert.equal(port.read()?.byteLength, 128);
    assert.equal(port.read(), undefined);
  });

  it("are not to be closed inside their own callback", () => {
    const { timers, pins } = world();
    const { Serial, line } = serialOf(pins);
    const port = new Serial({ receive: 16, baud: 9600, onReadable: () => port.close() });
    line.send([1]);
    assert.throws(() => timers.advance(0), /freed/);
  });
});
