// The date for certificates, on the SDK's NTP client.

import assert from "node:assert/strict";
import { Guard } from "../../../firmware/device/guard";
import { DAY_S, DateKeeper, EARLIEST, RETRY_S, type SdkNtp } from "../../../firmware/device/sntp";
import type { ResolverConstructor } from "../../../firmware/device/sockets";
import { Internet } from "../../support/sdk/internet";
import { ntpAnswer, ntpClient } from "../../support/sdk/sntp";
import { VirtualTimers } from "../../support/sdk/timers";

const NOW = 1_790_000_000;

class Rig {
  readonly timers = new VirtualTimers();
  readonly internet = new Internet(this.timers);
  readonly guard = new Guard();
  readonly dates: number[] = [];
  readonly asked: string[] = [];
  now = () => NOW + this.timers.now / 1000;
  #random = 1;
  readonly date = new DateKeeper({
    NTP: ntpClient(this.timers) as unknown as SdkNtp,
    UDP: this.internet.UDP,
    Resolver: this.internet.Resolver as unknown as ResolverConstructor,
    servers: ["one.example", "two.example"],
    nameServers: ["192.0.2.53"],
    guard: this.guard,
    uptime: () => this.timers.now / 1000,
    random: (buffer) => {
      for (let i = 0; i < buffer.length; i++) buffer[i] = this.#random++;
    },
    setDate: (seconds) => this.dates.push(seconds),
    onEvent: () => {},
  });

  constructor() {
    this.internet.names.set("one.example", "192.0.2.1").set("two.example", "192.0.2.2");
    this.serve("192.0.2.1", (packet) => [ntpAnswer(packet, this.now())]);
    this.serve("192.0.2.2", (packet) => [ntpAnswer(packet, this.now())]);
  }

  serve(address: string, answer: (packet: Uint8Array) => readonly Uint8Array[]): void {
    this.internet.udp.set(`${address}:123`, (packet) => {
      this.asked.push(address);
      return answer(packet);
    });
  }

  pass(seconds: number, isOnline = true): void {
    for (let i = 0; i < seconds; i++) {
      this.timers.advance(1000);
      this.date.tick(isOnline);
    }
  }
}

describe("T14 the date for certificates", () => {
  it("is asked for once there is a network, and given to the host alone", () => {
    const rig = new Rig();
    rig.pass(10, false);
    assert.equal(rig.date.isSet, false);
    assert.deepEqual(rig.asked, []);
    rig.pass(3);
    assert.equal(rig.date.isSet, true);
    assert.equal(rig.dates.length, 1);
    assert.ok(Math.abs(rig.dates[0] - rig.now()) <= 3);
    assert.equal(rig.internet.open, 0, "sockets are left open");
  });

  it("is asked for again after a day and not before", () => {
    const rig = new Rig();
    rig.pass(3);
    rig.pass(DAY_S - 10);
    assert.equal(rig.dates.length, 1);
    rig.pass(20);
    assert.equal(rig.dates.length, 2);
  }).timeout(10_000);

  it("asks the next server when one is silent, or has no address", () => {
    for (const [name, address] of [
      ["one.example", "192.0.2.1"],
      ["one.example", ""],
    ]) {
      const rig = new Rig();
      if (address === "") rig.internet.names.delete(name);
      else rig.serve(address, () => []);
      rig.pass(30);
      assert.equal(rig.date.isSet, true);
      assert.equal(rig.asked.at(-1), "192.0.2.2");
    }
  });

  it("asks again a minute after nobody has answered, later twice that, and at once when it is needed", () => {
    const rig = new Rig();
    rig.serve("192.0.2.1", () => []);
    rig.serve("192.0.2.2", () => []);
    rig.pass(30);
    const before = rig.asked.length;
    assert.equal(before, 10);
    rig.pass(RETRY_S + 30);
    assert.equal(rig.asked.length, 20);
    rig.date.wake();
    rig.pass(2);
    assert.ok(rig.asked.length > 20);
  });

  it("does not believe an answer to another question, of no server, out of sync, too short or before the build", () => {
    const lies: ((packet: Uint8Array) => readonly Uint8Array[])[] = [
      (packet) => [
        ntpAnswer(
          packet.map((byte) => byte ^ 1),
          NOW,
        ),
      ],
      (packet) => [ntpAnswer(packet, NOW, { mode: 3 })],
      (packet) => [ntpAnswer(packet, NOW, { stratum: 0 })],
      (packet) => [ntpAnswer(packet, NOW, { stratum: 16 })],
      () => [new Uint8Array(4), new Uint8Array(0)],
      (packet) => [ntpAnswer(packet, EARLIEST - 1)],
    ];
    for (const lie of lies) {
      const rig = new Rig();
      rig.serve("192.0.2.1", lie);
      rig.serve("192.0.2.2", () => []);
      rig.pass(40);
      assert.deepEqual(rig.dates, []);
      assert.equal(rig.date.isSet, false);
    }
  });

  it("takes the earliest date that can be, and goes on when the seconds of SNTP begin anew in 2036", () => {
    for (const time of [EARLIEST, 2_085_978_496, 2_200_000_000]) {
      const rig = new Rig();
      rig.serve("192.0.2.1", (packet) => [ntpAnswer(packet, time)]);
      rig.pass(3);
      assert.deepEqual(rig.dates, [time]);
    }
  });

  it("survives packets that are none, for its resolver as well, and a network that fails under it", () => {
    const rig = new Rig();
    rig.internet.udp.set("192.0.2.53:53", () => [
      Buffer.from("what?"),
      Buffer.from("1 one.example 192.0.2.1"),
    ]);
    rig.pass(5);
    assert.ok(rig.guard.faults > 0);
    rig.internet.isUp = false;
    rig.pass(60);
    rig.pass(2, false);
    assert.equal(rig.internet.open, 0);
    rig.internet.isUp = true;
    rig.pass(600);
    assert.equal(rig.date.isSet, true);
  });
});
