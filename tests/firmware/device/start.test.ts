// The whole device on a bench of doubles: a lock that was made elsewhere boots from its flash, opens for its people, and goes on whatever part
// of it fails (rules M11, S14, X14).

import assert from "node:assert/strict";
import { pinMask } from "../../../firmware/device/board-config";
import type { Hosts } from "../../../firmware/device/hosts";
import { BOXED_S } from "../../../firmware/device/power";
import { WATCHDOG_S } from "../../../firmware/device/start";
import { TRIAL_S } from "../../../firmware/device/update";
import { claimKeys } from "../../../protocol/crypto/derive";
import { sealWith, settingAad } from "../../../protocol/crypto/seal";
import { ascii, toHex } from "../../../protocol/wire/bytes";
import { Trust } from "../../../protocol/wire/receipt";
import { packBroker, packWifi, Setting } from "../../../protocol/wire/settings";
import { node } from "../../../simulator/board/crypto";
import { Door, L500I } from "../../support/door";
import { BENCH_CONFIG, Bench, type BenchOptions } from "../../support/sdk/bench";

/** A lock with an owner and one PIN, and what the power leaves of it. */
function claimed(): Door {
  const door = new Door();
  door.apply(door.pin(1, "47114711"));
  door.pass(5);
  return door;
}

const bench = (door: Door, options: BenchOptions = {}): Bench =>
  new Bench({ image: door.board.image(), ...options });

/** Whether a person at this bench gets in, and the door locks itself again. */
function opens(at: Bench): boolean {
  at.type("47114711#");
  at.live(1.5);
  const isOpen = at.bolt.position < 0.1;
  at.live(8);
  assert.ok(at.bolt.position > 0.9, "the door locks itself again");
  return isOpen;
}

describe("the device, started on its flash", () => {
  it("opens for a PIN at its keypad and locks itself again", () => {
    const at = bench(claimed());
    at.live(1);
    assert.equal(opens(at), true);
    at.type("12341234#");
    at.live(2);
    assert.ok(at.bolt.position > 0.9);
    assert.deepEqual([at.device.trouble, at.device.guard.faults, at.bolt.clashes], ["", 0, 0]);
  });

  it("M11 moves nothing at its boot, wherever the bolt is, and draws it never by itself", () => {
    for (const position of [1, 0.5, 0]) {
      const at = bench(claimed(), { position });
      assert.equal(at.bolt.starts, 0);
      at.live(10);
      assert.ok(at.bolt.position > 0.9);
    }
  });

  it("M9 shows a person who was let in that the bolt is stuck, with the motor off, and opens once it is free", () => {
    // Before the door locks itself again, which is another command.
    const bolt = { ...BENCH_CONFIG.bolt, timeoutMs: 700 };
    const at = bench(claimed(), { change: (hosts) => ({ ...hosts, config: { ...hosts.config, bolt } }) });
    at.live(1);
    at.bolt.wall = 0.6;
    at.type("47114711#");
    let isRefused = false;
    for (let i = 0; i < 400; i++) {
      at.live(0.05);
      isRefused ||= at.pins.isHigh(BENCH_CONFIG.lights.refused);
    }
    assert.ok(isRefused);
    assert.equal(at.bolt.isOn, false);
    at.bolt.wall = undefined;
    assert.equal(opens(at), true);
  });

  it("is a lock without an identity that opens for nobody, and says so over its cable", () => {
    const at = new Bench();
    at.live(1);
    at.type("47114711#");
    at.live(2);
    assert.equal(at.bolt.starts, 0);
    assert.equal(at.device.trouble, "not-provisioned");
    const reply = at.ask("report");
    assert.ok(reply !== undefined && "ok" in reply);
    const { lock, claimed: isClaimed, mounted } = reply.ok as unknown as Record<string, unknown>;
    assert.deepEqual([lock, isClaimed, mounted], [null, false, null]);
  });

  it("counts as owned while its identity cannot be read: nobody is told how to move its bolt", () => {
    for (const identity of [-0x1105, new Uint8Array(116)]) {
      const at = new Bench({ chip: { identity } });
      at.live(1);
      assert.equal(at.device.isClaimed, true);
      const reply = at.ask("bolt", { to: "draw" });
      assert.ok(reply !== undefined && "refused" in reply && reply.refused === "claimed");
      assert.equal(at.bolt.starts, 0);
    }
  });

  it("has no network where its model has none", () => {
    const door = new Door({ profile: L500I });
    const at = new Bench({ image: door.board.image() });
    at.live(5);
    assert.equal(at.device.works?.site, undefined);
    assert.equal(at.wifi.made, 0);
  });
});

describe("F8 the device goes on whatever fails", () => {
  const broken = class {
    constructor() {
      throw new Error("broken");
    }
  } as never;
  const without: Record<string, (hosts: Hosts) => Hosts> = {
    "its radio": (hosts) => ({ ...hosts, GATTServer: broken }),
    "its serial ports": (hosts) => ({ ...hosts, Serial: broken }),
    "its buzzer": (hosts) => ({ ...hosts, PWM: broken }),
    "its battery's converter": (hosts) => ({ ...hosts, Analog: broken }),
    "its Wi-Fi": (hosts) => ({ ...hosts, net: { ...hosts.net, WiFi: broken } }),
    "its MQTT": (hosts) => ({ ...hosts, net: { ...hosts.net, MQTTClient: broken, NTP: broken } }),
  };
  for (const [what, change] of Object.entries(without))
    it("opens for a PIN without " + what, () => {
      const at = bench(claimed(), { change });
      at.live(1);
      assert.equal(opens(at), true);
    });

  it("is restarted by its watchdog when its turn does not get through the lock, with the motor off", () => {
    const at = bench(claimed());
    at.live(3);
    const works = at.device.works;
    assert.ok(works !== undefined);
    assert.ok(at.called("watchdogStart") === 1 && at.called("watchdogFeed") > 0);
    works.lock.tick = () => {
      throw new Error("broken");
    };
    const fed = at.called("watchdogFeed");
    at.live(WATCHDOG_S);
    assert.equal(at.called("watchdogFeed"), fed);
    assert.equal(at.bolt.isOn, false);
  });

  it("switches the motor off with the engine's last breath", () => {
    const at = bench(claimed());
    at.live(1);
    at.type("47114711#");
    at.live(0.1);
    assert.equal(at.bolt.isOn, true);
    at.device.abort();
    assert.equal(at.bolt.isOn, false);
  });

  it("opens after the power was cut in the middle of a motion, with nothing but its flash", () => {
    const door = claimed();
    const first = bench(door);
    first.live(1);
    first.type("47114711#");
    first.live(0.2);
    const next = new Bench({ image: first.image(door.board.identity), position: first.bolt.position });
    assert.equal(next.bolt.starts, 0);
    next.live(10);
    assert.ok(next.bolt.position > 0.9);
    assert.equal(opens(next), true);
  });
});

describe("S14 the device sleeps", () => {
  it("deeply in its box after a while, with its keypad to wake it, and boots when that comes back", () => {
    const at = new Bench({ image: new Door({ unclaimed: true }).board.image() });
    at.live(1);
    at.pass(BOXED_S + 10);
    const asleep = at.chip.calls.find(([name]) => name === "deepSleep");
    assert.deepEqual(asleep, [
      "deepSleep",
      0,
      (1 << 18) | (1 << 19) | (1 << 22),
      0,
      (1 << 13) | (1 << 14) | (1 << 15) | (1 << 4),
      0,
    ]);
    assert.ok(at.called("restart") > 0);
  });

  it("lightly with an owner, and wakes for a key", () => {
    const at = bench(claimed());
    at.live(30);
    const last = () => at.chip.calls.filter(([name]) => name === "lightSleep").at(-1);
    const { keypad, reset } = BENCH_CONFIG;
    const pins = pinMask([...keypad.columns, reset.pin]);
    assert.deepEqual(last(), ["lightSleep", 1, ...pins]);
    at.type("4");
    assert.deepEqual(last(), ["lightSleep", 0, ...pins]);
  });
});

describe("X14 a new image on the device", () => {
  const calls = (at: Bench): string[] =>
    at.chip.calls.map(([name]) => name).filter((name) => /^ota(Accept|Reject)$/.test(name));

  it("is accepted after it has been the lock for a while", () => {
    const at = bench(claimed(), {
      chip: { ota: 1 },
      change: (hosts) => ({ ...hosts, config: { ...hosts.config, battery: undefined } }),
    });
    at.live(TRIAL_S - 2);
    assert.deepEqual(calls(at), []);
    at.live(4);
    assert.deepEqual(calls(at), ["otaAccept"]);
  });

  it("is given back when it cannot read the table, or computes wrongly", () => {
    const door = claimed();
    const image = door.board.image();
    const wrong = { ...node, sha256: (data: Uint8Array) => node.sha256(data).fill(7, 0, 1) };
    const foreign = { ...image, identity: { ...image.identity, lock: new Uint8Array(8).fill(9) } };
    for (const options of [
      { image: foreign },
      { image, change: (hosts: Hosts) => ({ ...hosts, crypto: wrong }) },
    ]) {
      const at = new Bench({ ...options, chip: { ota: 1 } });
      at.live(2);
      assert.deepEqual(calls(at).slice(0, 1), ["otaReject"]);
    }
  });
});

describe("the device's cable", () => {
  it("has the factory's test of an unclaimed lock: its bolt, its keys, its random bytes", () => {
    const at = new Bench({ image: new Door({ unclaimed: true }).board.image() });
    at.live(1);
    const drawn = at.ask("bolt", { to: "draw" }, 4);
    assert.ok(drawn !== undefined && "ok" in drawn);
    assert.deepEqual(drawn.ok, { state: "drawn" });
    const crypto = at.ask("crypto");
    assert.ok(crypto !== undefined && "ok" in crypto && "wrong" in crypto.ok);
    assert.deepEqual(crypto.ok.wrong, []);
  });

  it("tells nothing but public facts of a claimed lock", () => {
    const door = claimed();
    const at = bench(door);
    at.live(1);
    const reply = at.ask("report");
    assert.ok(reply !== undefined && "ok" in reply);
    const facts = reply.ok as unknown as Record<string, unknown>;
    assert.equal(facts.lock, toHex(door.identity.lock));
    assert.equal(facts.publicKey, toHex(node.ed25519PublicKey(door.identity.seed)));
    assert.deepEqual([facts.claimed, facts.mounted, facts.bolt], [true, true, "thrown"]);
    const secrets = [door.identity.seed, door.identity.deviceSecret].map(toHex);
    for (const secret of secrets) assert.ok(!JSON.stringify(reply).includes(secret));
    for (const ask of ["bolt", "keypad", "random", "feedback", "sleep"]) {
      const refused = at.ask(ask, { to: "draw", seconds: 1, bytes: 1, show: "granted" });
      assert.ok(refused !== undefined && "refused" in refused && refused.refused === "claimed", ask);
    }
    assert.equal(at.bolt.starts, 0);
  });
});

describe("S7 the device on its site's network", () => {
  it("joins what its owner has set, shows itself at the broker, and tells nobody the time of it (rule T14)", () => {
    const door = claimed();
    const key = claimKeys(node, door.identity.deviceSecret, 1).sealKey;
    const nonce = new Uint8Array(24).fill(1);
    const sealed = (setting: number, plain: Uint8Array) => ({
      op: "set" as const,
      setting,
      value: sealWith(node, key, nonce, settingAad(door.identity.lock, setting), plain),
    });
    const wifi = packWifi({ network: ascii("site"), password: ascii("correct horse") });
    const broker = packBroker({ host: ascii("broker.example"), port: 1883, tls: false });
    assert.deepEqual(door.apply(sealed(Setting.wifi, wifi), sealed(Setting.broker, broker)), [
      "applied",
      "applied",
    ]);
    const at = bench(door);
    at.wifi.networks.set("site", "correct horse");
    at.internet.names.set("broker.example", "192.0.2.10");
    at.internet.tcp.set("192.0.2.10:1883", at.broker.serve);
    at.live(20);
    const { site } = at.device.works ?? {};
    assert.deepEqual([site?.wifi.state, site?.uplink.state], ["joined", "online"]);
    assert.equal(at.broker.payloads("state").length, 1);
    assert.ok(at.date !== undefined && at.date > 1_800_000_000);
    assert.equal(at.device.works?.lock.parts.clock.read().trust, Trust.unknown);
    assert.ok(!at.traced.some((line) => line.includes("correct horse")));
    assert.equal(opens(at), true);
  });
});
