// The board's Wi-Fi on the SDK's.

import assert from "node:assert/strict";
import { Guard } from "../../../firmware/device/guard";
import { JOIN_S, LONGEST_WAIT_S, WifiStation } from "../../../firmware/device/wifi";
import { ascii } from "../../../protocol/wire/bytes";
import { VirtualTimers } from "../../support/sdk/timers";
import { WifiDriver } from "../../support/sdk/wifi";

const HOME = { network: ascii("house"), password: ascii("swordfish-99") };
const OTHER = { network: ascii("other"), password: ascii("") };

class Rig {
  readonly timers = new VirtualTimers();
  readonly driver = new WifiDriver(this.timers);
  readonly notes: string[] = [];
  events = 0;
  chance = 0;
  onEvent = (): void => {};
  readonly guard = new Guard((where, error) =>
    this.notes.push(`${where} ${error} ${(error as Error).stack}`),
  );
  readonly wifi = new WifiStation({
    WiFi: this.driver.WiFi,
    guard: this.guard,
    uptime: () => this.timers.now / 1000,
    random: (buffer) => buffer.fill(this.chance),
    onEvent: () => {
      this.events++;
      this.onEvent();
    },
  });

  constructor() {
    this.driver.networks.set("house", "swordfish-99").set("other", "");
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.timers.advance(1000);
      this.wifi.tick();
    }
  }
}

describe("A63 the board's Wi-Fi", () => {
  it("stays dark while no network is set: nothing is made of the SDK's", () => {
    const rig = new Rig();
    rig.pass(10);
    assert.equal(rig.wifi.state, "off");
    assert.equal(rig.driver.made, 0);
  });

  it("joins the network that is set, with its password, and says when there is an address", () => {
    const rig = new Rig();
    rig.wifi.use(HOME);
    rig.pass(1);
    assert.equal(rig.wifi.state, "joining");
    rig.pass(3);
    assert.deepEqual(rig.wifi.report, { state: "joined", address: "192.0.2.7", rssi: -61, failures: 0 });
    assert.deepEqual(rig.driver.tries, ["house swordfish-99"]);
    assert.ok(rig.events > 0);
  });

  it("joins an open network without a password", () => {
    const rig = new Rig();
    rig.wifi.use(OTHER);
    rig.pass(4);
    assert.equal(rig.wifi.state, "joined");
    assert.deepEqual(rig.driver.tries, ["other "]);
  });

  it("leaves and goes dark when the setting goes, and changes over when another comes", () => {
    const rig = new Rig();
    rig.wifi.use(HOME);
    rig.pass(4);
    rig.wifi.use({ ...OTHER });
    rig.pass(5);
    assert.equal(rig.wifi.state, "joined");
    assert.deepEqual(rig.driver.tries, ["house swordfish-99", "other "]);
    rig.wifi.use({ network: ascii("other"), password: ascii("") });
    rig.pass(2);
    assert.equal(rig.driver.tries.length, 2);
    rig.wifi.use(undefined);
    rig.pass(2);
    assert.equal(rig.wifi.state, "off");
    assert.equal(rig.driver.closed, 1);
    rig.wifi.use(HOME);
    rig.pass(4);
    assert.equal(rig.wifi.state, "joined");
  });

  it("comes back after the access point was gone, in waits that double up to five minutes", () => {
    const rig = new Rig();
    rig.wifi.use(HOME);
    rig.pass(4);
    rig.driver.networks.clear();
    rig.driver.drop();
    const times: number[] = [];
    for (let i = 0; i < 3000; i++) {
      const before = rig.driver.tries.length;
      rig.pass(1);
      if (rig.driver.tries.length > before) times.push(rig.timers.now / 1000);
    }
    const waits = times.slice(1).map((time, i) => time - times[i]);
    assert.ok(waits[0] <= 5 && waits[1] > waits[0] && waits[2] > waits[1], String(waits));
    assert.ok(
      Math.max(...waits) <= LONGEST_WAIT_S + 4 && Math.max(...waits) >= LONGEST_WAIT_S,
      String(waits),
    );
    rig.driver.networks.set("house", "swordfish-99");
    rig.pass(LONGEST_WAIT_S + 10);
    assert.equal(rig.wifi.state, "joined");
    assert.equal(rig.wifi.report.failures, 0);
  });

  it("comes back up to half a wait sooner by chance, so that a house does not come at once", () => {
    const waits = [0, 255].map((chance) => {
      const rig = new Rig();
      rig.chance = chance;
      rig.driver.networks.clear();
      rig.wifi.use(HOME);
      while (rig.driver.tries.length < 7) rig.pass(1);
      return rig.timers.now;
    });
    assert.ok(waits[1] < waits[0] * 0.75, String(waits));
  });

  it("gives a try up on which no address comes, after 30 seconds and not before", () => {
    const rig = new Rig();
    rig.driver.hasAddresses = false;
    rig.wifi.use(HOME);
    rig.wifi.tick();
    rig.pass(JOIN_S - 1);
    assert.equal(rig.wifi.state, "joining");
    rig.pass(1);
    assert.equal(rig.wifi.state, "waiting");
    rig.driver.hasAddresses = true;
    rig.pass(6);
    assert.equal(rig.wifi.state, "joined");
  });

  it("S14 tries at once when the lock is woken, and not every time within a second", () => {
    const rig = new Rig();
    rig.driver.networks.clear();
    rig.wifi.use(HOME);
    rig.pass(120);
    rig.driver.networks.set("house", "swordfish-99");
    rig.wifi.wake();
    rig.pass(3);
    assert.equal(rig.wifi.state, "joined");
    rig.driver.networks.clear();
    rig.driver.drop();
    const before = rig.driver.tries.length;
    for (let i = 0; i < 10; i++) {
      rig.wifi.wake();
      rig.wifi.tick();
    }
    assert.equal(rig.driver.tries.length, before);
  });

  it("survives a driver that throws at everything, and a callback that throws", () => {
    const rig = new Rig();
    rig.driver.refusal = new Error("connect failed");
    rig.wifi.use(HOME);
    rig.pass(20);
    assert.equal(rig.wifi.state, "waiting");
    rig.driver.refusal = undefined;
    rig.onEvent = () => {
      throw new Error("the lock's turn");
    };
    rig.pass(60);
    assert.equal(rig.wifi.state, "joined");
    assert.ok(rig.guard.faults > 0);
  });

  it("X5 hands the password to the SDK and to nobody else, whatever goes wrong", () => {
    const rig = new Rig();
    rig.driver.refusal = new Error("cannot join with swordfish-99");
    rig.wifi.use(HOME);
    rig.pass(30);
    rig.wifi.use({ network: new Uint8Array([0xff, 0xfe]), password: HOME.password });
    rig.pass(30);
    assert.ok(rig.notes.length > 0);
    assert.ok(!rig.notes.some((note) => note.includes("swordfish")), rig.notes[0]);
    assert.ok(!JSON.stringify(rig.wifi.report).includes("swordfish"));
  });
});
