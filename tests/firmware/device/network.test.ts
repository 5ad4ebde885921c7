// The uplink on the board's network, over the SDK's MQTT client, and what a broker that lies, a network that fails and a middleman do to it.

import assert from "node:assert/strict";
import { Uplink } from "../../../firmware/core/uplink";
import { Guard } from "../../../firmware/device/guard";
import { type NetworkParts, SafeNetwork, type SdkMqtt, type SdkTls } from "../../../firmware/device/network";
import { RadioTurns } from "../../../firmware/device/radio-turns";
import type { ResolverConstructor } from "../../../firmware/device/sockets";
import { ascii, toHex } from "../../../protocol/wire/bytes";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import { frame, helloBody, Type } from "../../../protocol/wire/messages";
import { Door } from "../../support/door";
import { Internet, type Service } from "../../support/sdk/internet";
import { mqttClient, SdkBroker } from "../../support/sdk/mqtt";
import { VirtualTimers } from "../../support/sdk/timers";
import {
  AUTHORITY,
  CERTIFICATE,
  certificates,
  FLIGHT,
  message,
  overTls,
  record,
  tlsSocket,
} from "../../support/sdk/tls";

const HOST = "broker.example";
const ADDRESS = "192.0.2.10";
const hello = (request: number): Uint8Array => frame(Type.hello, request, helloBody(MAX_MESSAGE_BYTES));

interface RigOptions {
  readonly tls?: boolean;
  readonly host?: string;
  readonly changes?: Partial<NetworkParts["secure"]>;
}

class Rig {
  readonly timers = new VirtualTimers();
  readonly internet = new Internet(this.timers);
  readonly broker = new SdkBroker();
  readonly guard = new Guard();
  readonly turns = new RadioTurns();
  readonly door = new Door();
  readonly network: SafeNetwork;
  readonly uplink: Uplink;
  isDateSet = true;
  turn = (): void => {
    this.door.lock.tick();
    this.uplink.tick();
  };

  constructor({ tls = false, host = HOST, changes = {} }: RigOptions = {}) {
    const { timers, internet, guard, turns } = this;
    const broker = { host: ascii(host), port: tls ? 8883 : 1883, tls };
    this.network = new SafeNetwork({
      MQTTClient: mqttClient(timers) as unknown as SdkMqtt,
      TCP: internet.TCP,
      UDP: internet.UDP,
      Resolver: internet.Resolver as unknown as ResolverConstructor,
      nameServers: ["192.0.2.53"],
      timers,
      guard,
      secure: {
        TLSSocket: tlsSocket(timers) as unknown as SdkTls,
        authority: { certificate: AUTHORITY, hasSigned: (one) => CERTIFICATE.equals(one) },
        isDateSet: () => this.isDateSet,
        turns,
        ...changes,
      },
      onEvent: () => timers.set(() => this.turn(), 0),
    });
    internet.names.set(HOST, ADDRESS);
    internet.tcp.set(`${ADDRESS}:1883`, this.broker.serve);
    internet.tcp.set(`${ADDRESS}:8883`, overTls(this.broker.serve));
    this.uplink = new Uplink(this.door.lock, this.door.board, this.network);
    this.uplink.use(broker);
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.door.now++;
      this.turn();
      this.timers.advance(1000);
    }
  }

  topic(leaf: string): string {
    return `tumbler/1/test/${toHex(this.door.identity.lock)}/${leaf}`;
  }

  /** Whether the lock answers whoever brings mail. */
  answers(): boolean {
    const before = this.broker.payloads("up").length;
    this.broker.send(this.topic("dn"), hello(1));
    this.pass(2);
    return this.broker.payloads("up").length === before + 1;
  }

  /** A middleman in place of the broker: what its server sends first. */
  middleman(...flight: readonly Uint8Array[]): void {
    this.internet.tcp.set(`${ADDRESS}:8883`, overTls(this.broker.serve, flight));
  }

  /** A middleman who says this as soon as somebody connects. */
  greets(bytes: Uint8Array): void {
    const service: Service = (peer) => {
      overTls(this.broker.serve)(peer);
      peer.send(bytes);
    };
    this.internet.tcp.set(`${ADDRESS}:8883`, service);
  }
}

for (const tls of [false, true])
  describe(`S7 the uplink over the board's network, ${tls ? "with" : "without"} TLS`, () => {
    it("comes online, shows its status, and answers short messages and long ones", () => {
      const rig = new Rig({ tls });
      rig.pass(3);
      assert.equal(rig.uplink.state, "online");
      assert.equal(rig.broker.payloads("state").length, 1);
      assert.ok(rig.answers());
      const before = rig.broker.payloads("up").length;
      rig.broker.send(rig.topic("dn"), new Uint8Array(MAX_MESSAGE_BYTES).fill(1));
      rig.pass(2);
      assert.equal(rig.broker.payloads("up").length, before + 1);
      assert.equal(rig.guard.faults, 0);
    });

    it("comes back after the broker was gone, and every time gives all sockets back", () => {
      const rig = new Rig({ tls });
      rig.pass(3);
      for (let i = 0; i < 5; i++) {
        rig.broker.kill();
        rig.pass(40);
        assert.equal(rig.uplink.state, "online");
      }
      assert.ok(rig.answers());
      assert.equal(rig.internet.open, 1);
      rig.uplink.use(undefined);
      rig.pass(1);
      assert.equal(rig.internet.open, 0);
    });

    it("survives a broker that sends nonsense, refuses or says nothing, and converges when it is good again", () => {
      const rig = new Rig({ tls });
      rig.pass(3);
      rig.broker.nonsense();
      rig.pass(1);
      assert.notEqual(rig.uplink.state, "online");
      assert.ok(rig.guard.faults > 0);
      rig.broker.code = 5;
      rig.pass(60);
      rig.broker.code = 0;
      rig.broker.isSilent = true;
      rig.pass(100);
      assert.notEqual(rig.uplink.state, "online");
      rig.broker.isSilent = false;
      rig.pass(310);
      assert.equal(rig.uplink.state, "online");
      assert.ok(rig.answers());
    });

    it("survives a network without names, without ways, and a resolver that is told lies", () => {
      const rig = new Rig({ tls });
      rig.internet.names.clear();
      rig.pass(20);
      rig.internet.isUp = false;
      rig.pass(100);
      rig.internet.isUp = true;
      const dns = rig.internet.udp.get("192.0.2.53:53");
      rig.internet.udp.set("192.0.2.53:53", () => [ascii("nonsense")]);
      rig.pass(100);
      rig.internet.udp.set("192.0.2.53:53", dns as NonNullable<typeof dns>);
      rig.internet.names.set(HOST, ADDRESS);
      rig.pass(310);
      assert.equal(rig.uplink.state, "online");
    });
  });

describe("X5 the board's network", () => {
  it("tells nobody of a name that is found after the end, nor of anything else", () => {
    const rig = new Rig();
    rig.turn();
    rig.uplink.use(undefined);
    rig.uplink.tick();
    rig.timers.advance(60_000);
    assert.equal(rig.broker.clients.size, 0);
    assert.equal(rig.internet.open, 0);
    assert.equal(rig.guard.faults, 0);
  });

  it("takes a second close, and gives nothing after the first", () => {
    const rig = new Rig();
    const told: string[] = [];
    const service = rig.network.mqtt;
    const client = new service.io({
      ...service,
      ...{ host: HOST, port: 1883, id: "x", user: "x", password: "x", keepAlive: 0, clean: true },
      will: { topic: "t", message: "m", QoS: 1, retain: true },
      onReadable: () => told.push("readable"),
      onWritable: () => told.push("writable"),
      onControl: () => told.push("control"),
      onError: () => told.push("error"),
    });
    assert.throws(() => client.write(new Uint8Array(1)));
    rig.timers.advance(3000);
    assert.equal(told[0], "control");
    const before = told.length;
    client.close();
    client.close();
    assert.throws(() => client.write(new Uint8Array(1)), /no connection/);
    assert.equal(client.read(new Uint8Array(1)), undefined);
    rig.broker.kill();
    rig.timers.advance(60_000);
    assert.equal(told.length, before);
  });

  it("tells of an error once, later than the write that met it, and of nothing after it", () => {
    const rig = new Rig();
    const told: string[] = [];
    const service = rig.network.mqtt;
    const client = new service.io({
      ...service,
      ...{ host: HOST, port: 1883, id: "x", user: "x", password: "x", keepAlive: 0, clean: true },
      will: { topic: "t", message: "m", QoS: 1, retain: true },
      onReadable: () => {},
      onWritable: () => {},
      onControl: () => {},
      onError: () => told.push("error"),
    });
    rig.timers.advance(3000);
    const topic = { topic: "t", QoS: 1, retain: false, id: 1 };
    try {
      client.write(new Uint8Array(8000), { ...topic, byteLength: 8000 });
    } catch {
      // There is no room for it.
    }
    assert.deepEqual(told, []);
    rig.broker.kill();
    rig.broker.kill();
    rig.timers.advance(60_000);
    assert.deepEqual(told, ["error"]);
    assert.equal(rig.internet.open, 0);
    client.close();
  });

  it("lets the lock live, whatever the uplink's callbacks throw", () => {
    const rig = new Rig();
    const service = rig.network.mqtt;
    const fail = (): never => {
      throw new Error("callback");
    };
    const client = new service.io({
      ...service,
      ...{ host: HOST, port: 1883, id: "x", user: "x", password: "x", keepAlive: 0, clean: true },
      will: { topic: "t", message: "m", QoS: 1, retain: true },
      onReadable: fail,
      onWritable: fail,
      onControl: fail,
      onError: fail,
    });
    rig.timers.advance(3000);
    client.write(null, { operation: 8, id: 1, items: [{ topic: "dn", QoS: 1 }] });
    rig.timers.advance(1000);
    rig.broker.send("dn", ascii("mail"));
    rig.timers.advance(1000);
    rig.broker.kill();
    rig.timers.advance(1000);
    assert.ok(rig.guard.faults >= 4);
    client.close();
  });

  it("does not ask for hosts whose labels the resolver would take for something else", () => {
    for (const host of ["a..b", "a.", `${"a".repeat(64)}.example`]) {
      const rig = new Rig({ host });
      rig.pass(5);
      assert.equal(rig.internet.open, 0);
    }
    const rig = new Rig({ host: `${"a".repeat(60)}.b` });
    rig.internet.names.set(`${"a".repeat(60)}.b`, ADDRESS);
    rig.pass(5);
    assert.equal(rig.uplink.state, "online");
  });
});

describe("T14 TLS on the board", () => {
  it("is not begun before the date is known, nor without the site's authority", () => {
    const rig = new Rig({ tls: true });
    rig.isDateSet = false;
    rig.pass(10);
    assert.equal(rig.internet.open, 0);
    rig.isDateSet = true;
    rig.uplink.tick();
    rig.uplink.wake();
    rig.pass(3);
    assert.equal(rig.uplink.state, "online");
    const bare = new Rig({ tls: true, changes: { authority: undefined } });
    bare.pass(60);
    assert.equal(bare.broker.clients.size, 0);
  });

  it("X5 says its password to nobody before the handshake is done, though the SDK would", () => {
    const rig = new Rig({ tls: true });
    // "close_notify" in the clear ends the handshake for the SDK, as if it were done.
    rig.greets(record(21, new Uint8Array([1, 0])));
    rig.pass(20);
    rig.greets(record(22, message(20)));
    rig.pass(60);
    assert.deepEqual(rig.broker.passwords, []);
    assert.notEqual(rig.uplink.state, "online");
  });

  it("X5 believes nobody but the site's authority, though the SDK would", () => {
    const fake = ascii("a certificate of one's own");
    const lists = [
      certificates(fake, AUTHORITY),
      certificates(fake, CERTIFICATE, AUTHORITY),
      certificates(CERTIFICATE, fake),
      certificates(CERTIFICATE),
      certificates(),
    ];
    for (const list of lists) {
      const rig = new Rig({ tls: true });
      rig.middleman(FLIGHT[0], record(22, list), FLIGHT[2]);
      rig.pass(60);
      assert.deepEqual(rig.broker.passwords, []);
    }
  });

  it("survives a record that somebody has spoilt, behind a good one", () => {
    const rig = new Rig({ tls: true });
    rig.pass(3);
    const bad = record(23, new Uint8Array([0xff]));
    const had = rig.internet.tcp.get(`${ADDRESS}:8883`) as Service;
    rig.internet.tcp.set(`${ADDRESS}:8883`, (peer) => {
      const { send } = peer;
      let count = 0;
      // The acknowledgement of the connection comes in one piece with what is spoilt.
      peer.send = (bytes) => send(bytes[0] === 23 && count++ === 0 ? Buffer.concat([bytes, bad]) : bytes);
      had(peer);
    });
    rig.broker.kill();
    rig.pass(30);
    assert.ok(rig.guard.faults > 0);
    rig.internet.tcp.set(`${ADDRESS}:8883`, had);
    rig.pass(300);
    assert.equal(rig.uplink.state, "online");
  });
});

describe("S14 a TLS session and a visit over Bluetooth", () => {
  it("are never there at once: the session waits, and is taken up when the last central has left", () => {
    const turns = new RadioTurns();
    assert.equal(turns.centrals(0), "none");
    assert.ok(turns.askTls());
    turns.tls(true);
    assert.equal(turns.centrals(0), "none");
    assert.equal(turns.centrals(1), "hang-up");
    turns.tls(false);
    assert.equal(turns.centrals(2), "none");
    assert.equal(turns.askTls(), false);
    assert.equal(turns.centrals(1), "none");
    assert.equal(turns.centrals(0), "connect");
    assert.equal(turns.centrals(0), "none");
    assert.ok(turns.askTls());
  });

  it("leave no trace where nobody asked for the network meanwhile", () => {
    const turns = new RadioTurns();
    assert.equal(turns.centrals(1), "none");
    assert.equal(turns.centrals(0), "none");
  });

  it("give way to each other on the board: the uplink hangs up, waits, and converges", () => {
    const rig = new Rig({ tls: true });
    let centrals = 0;
    rig.turn = () => {
      const order = rig.turns.centrals(centrals);
      if (order === "hang-up") rig.network.hangUp();
      rig.door.lock.tick();
      rig.uplink.tick();
      // A try that has just failed is no wait before the tick.
      if (order === "connect") rig.uplink.wake();
    };
    rig.pass(3);
    assert.equal(rig.uplink.state, "online");
    centrals = 1;
    rig.turn();
    assert.equal(rig.internet.open, 0, "its memory is free at once");
    rig.pass(100);
    assert.equal(rig.internet.open, 0);
    assert.notEqual(rig.uplink.state, "online");
    centrals = 0;
    rig.pass(5);
    assert.equal(rig.uplink.state, "online");
    assert.ok(rig.answers());
    assert.equal(rig.guard.faults, 0);
  });

  it("do not disturb an uplink without TLS", () => {
    const rig = new Rig();
    rig.pass(3);
    assert.equal(rig.turns.centrals(1), "none");
    rig.network.hangUp();
    assert.ok(rig.answers());
  });
});
