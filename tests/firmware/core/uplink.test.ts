// The lock's end of MQTT, against clients that do what a script says: every order of callbacks, every failure, and a broker that lies.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Outbox } from "../../../firmware/core/outbox";
import {
  CONNECT_S,
  LONGEST_WAIT_S,
  MAX_WAITING,
  STABLE_S,
  STALLED_S,
  Uplink,
  type UplinkLock,
} from "../../../firmware/core/uplink";
import { brokerPassword, claimKeys } from "../../../protocol/crypto/derive";
import { noble } from "../../../protocol/crypto/noble";
import { ascii, equal, toHex } from "../../../protocol/wire/bytes";
import { Reader } from "../../../protocol/wire/cbor";
import { codeName } from "../../../protocol/wire/codes";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import {
  emptyBody,
  frame,
  helloBody,
  readFrame,
  readResult,
  readStatus,
  Type,
} from "../../../protocol/wire/messages";
import { OFFLINE, packHead, parseTopic, readHead } from "../../../protocol/wire/topics";
import { node } from "../../../simulator/board/crypto";
import { Dice, SEED } from "../../support/dice";
import { Door } from "../../support/door";
import { type ScriptedClient, ScriptedNetwork } from "../../support/scripted-broker";

const BROKER = { host: ascii("broker.example"), port: 8883, tls: true };
const hello = (request: number): Uint8Array => frame(Type.hello, request, helloBody(MAX_MESSAGE_BYTES));

/** A door whose lock has an uplink on a scripted network. */
class Rig {
  readonly door: Door;
  readonly network = new ScriptedNetwork();
  readonly uplink: Uplink;
  readonly id: string;

  constructor(
    options: ConstructorParameters<typeof Door>[0] = {},
    change: (lock: UplinkLock) => UplinkLock = (lock) => lock,
  ) {
    this.door = new Door(options);
    this.id = toHex(this.door.identity.lock);
    this.uplink = new Uplink(change(this.door.lock), this.door.board, this.network);
    this.uplink.use(BROKER);
  }

  /** Lets seconds pass, with a tick at each. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.door.now++;
      this.door.lock.tick();
      this.uplink.tick();
    }
  }

  get client(): ScriptedClient {
    return this.network.last;
  }

  /** A lock that is online. */
  online(room?: number): ScriptedClient {
    this.uplink.tick();
    return this.client.accept(room);
  }

  topic(leaf: string): string {
    return `tumbler/1/test/${this.id}/${leaf}`;
  }

  /** Brings a message and gives what the lock published upon it. */
  ask(message: Uint8Array): Uint8Array[] {
    const before = this.client.payloads("up").length;
    this.client.deliver(this.topic("dn"), message);
    return this.client.payloads("up").slice(before);
  }

  /** Seconds from now to the next try. */
  wait(): number {
    const made = this.network.clients.length;
    for (let seconds = 1; seconds <= 2 * LONGEST_WAIT_S; seconds++) {
      this.pass(1);
      if (this.network.clients.length > made) return seconds;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** The request number and the code or type of an answer. */
function told(answer: Uint8Array): string {
  const reader = new Reader(answer);
  const head = readFrame(reader);
  if (head === undefined) return "no message";
  if (head.type !== Type.result) return `${head.request} type ${head.type}`;
  return `${head.request} ${codeName(readResult(reader)?.code ?? -1)}`;
}

/** The same lock with some of what it does replaced. */
const changed =
  (change: Partial<UplinkLock>) =>
  (lock: UplinkLock): UplinkLock => ({
    authority: lock.authority,
    parts: lock.parts,
    open: (medium) => lock.open(medium),
    receive: (session, message) => lock.receive(session, message),
    status: (session) => lock.status(session),
    ...change,
  });

describe("S7 any courier's mail over the broker of the site", () => {
  it("X5 shows itself with its id, and a password that its claim gives and another claim does not", () => {
    const { door, client, id } = (() => {
      const rig = new Rig();
      rig.uplink.tick();
      return { door: rig.door, client: rig.client, id: rig.id };
    })();
    const { linkKey } = claimKeys(node, door.identity.deviceSecret, 1);
    const password = createHmac("sha256", linkKey).update("tumbler/1 broker").digest("hex");
    const { host, port, user, keepAlive, clean, will } = client.options;
    assert.deepEqual([host, port, client.isSecure], ["broker.example", 8883, true]);
    assert.deepEqual([client.options.id, user, client.options.password], [id, id, password]);
    assert.deepEqual(will, { topic: `tumbler/1/test/${id}/state`, message: OFFLINE, QoS: 1, retain: true });
    assert.ok(clean, "the broker keeps nothing for it");
    assert.ok(keepAlive > 0, "an empty message would deafen a client without a keep-alive for ever");
    assert.equal(brokerPassword(noble, linkKey), password);
    assert.notEqual(brokerPassword(node, claimKeys(node, door.identity.deviceSecret, 2).linkKey), password);
  });

  it("goes without TLS only where the broker's setting says so", () => {
    const rig = new Rig();
    rig.uplink.use({ ...BROKER, tls: false, port: 1883 });
    rig.uplink.tick();
    assert.deepEqual([rig.client.isSecure, rig.client.options.port], [false, 1883]);
  });

  it("subscribes to mail and hints, and shows its status then, retained", () => {
    const rig = new Rig();
    rig.uplink.tick();
    const { client } = rig;
    assert.equal(rig.uplink.state, "connecting");
    client.connack();
    assert.deepEqual(client.subscribed, [], "nothing is written before there is room");
    client.writable(4096);
    assert.deepEqual(client.subscribed, [`${rig.topic("dn")} 1`, `${rig.topic("head")} 1`]);
    assert.equal(client.published.length, 0, "an issuer who sees a status may send at once");
    client.suback(1, 1);
    assert.equal(rig.uplink.state, "online");
    const state = client.published.at(0);
    assert.ok(state);
    assert.deepEqual([state.topic, state.retain], [rig.topic("state"), true]);
    const reader = new Reader(state.payload);
    assert.equal(readFrame(reader)?.type, Type.status);
    const status = readStatus(reader);
    assert.ok(status);
    assert.deepEqual([status.epoch, status.applied], [1, 0]);
    assert.ok(equal(status.nonce, new Uint8Array(8)), "a nonce is for whoever asks for it");
  });

  it("answers each message, not retained, whoever sends it", () => {
    const rig = new Rig();
    rig.online();
    const [first] = rig.ask(hello(7));
    assert.equal(told(first), "7 type 2");
    assert.deepEqual(rig.ask(hello(40_000)).map(told), ["40000 type 2"]);
    assert.deepEqual(rig.ask(frame(Type.bye, 9, emptyBody())).map(told), ["9 applied"]);
    assert.deepEqual(rig.ask(Uint8Array.of(1)).map(told), ["0 malformed"]);
    assert.ok(rig.client.published.filter(({ leaf }) => leaf === "up").every(({ retain }) => !retain));
  });

  it("shows its status again when it is another, and only then", () => {
    const rig = new Rig();
    const client = rig.online();
    rig.pass(5);
    rig.ask(hello(1));
    rig.pass(5);
    assert.equal(client.payloads("state").length, 1, "a nonce changes nothing");
    rig.ask(frame(Type.bundle, 2, rig.door.bundle([rig.door.pin(0, "4802135")])));
    rig.pass(5);
    const [, second] = client.payloads("state");
    const reader = new Reader(second);
    readFrame(reader);
    assert.equal(readStatus(reader)?.applied, 1);
    assert.equal(client.payloads("state").length, 2);
  });

  it("is off without an owner and without a broker, and follows both", () => {
    const rig = new Rig({ unclaimed: true });
    rig.pass(10);
    assert.deepEqual([rig.uplink.state, rig.network.clients.length], ["off", 0]);
    rig.door.claim();
    rig.uplink.tick();
    const client = rig.client.accept();
    rig.uplink.use({ ...BROKER, host: BROKER.host.slice() });
    rig.pass(1);
    assert.equal(client.closes, 0, "the same broker again is no change");
    rig.uplink.use({ ...BROKER, host: ascii("other.example") });
    rig.pass(1);
    assert.equal(client.closes, 1);
    assert.equal(rig.client.options.host, "other.example");
    rig.uplink.use(undefined);
    rig.pass(600);
    assert.deepEqual([rig.uplink.state, rig.network.clients.length], ["off", 2]);
  });
});

describe("S3 mail that comes twice over a broker", () => {
  it("has one effect and the same answer, a hundred times", () => {
    const rig = new Rig();
    rig.online();
    rig.ask(hello(1));
    const bundle = frame(Type.bundle, 2, rig.door.bundle([rig.door.pin(0, "4802135")]));
    const answers = Array.from({ length: 100 }, () => rig.ask(bundle)).flat();
    assert.equal(answers.length, 100);
    assert.ok(answers.every((answer) => equal(answer, answers[0])));
    assert.equal(rig.door.lock.parts.table.applied, 1);
  });

  it("has one effect when two couriers bring it at once, and again after the connection was lost", () => {
    const rig = new Rig();
    rig.online();
    const bundle = rig.door.bundle([rig.door.pin(0, "4802135"), rig.door.pin(1, "7193046")]);
    rig.ask(hello(1));
    rig.ask(hello(500));
    assert.equal(rig.ask(frame(Type.bundle, 2, bundle)).map(told)[0], "2 type 6");
    assert.equal(rig.ask(frame(Type.bundle, 501, bundle)).map(told)[0], "501 type 6");
    rig.client.error();
    rig.wait();
    rig.client.accept();
    assert.deepEqual(
      rig.ask(frame(Type.bundle, 3, bundle)).map(told),
      ["3 bad-state"],
      "a new connection is a new session",
    );
    rig.ask(hello(4));
    assert.equal(rig.ask(frame(Type.bundle, 5, bundle)).map(told)[0], "5 type 6");
    assert.equal(rig.door.lock.parts.table.applied, 2);
    assert.equal(rig.door.type("4802135"), "granted");
  });
});

describe("S14 waking and resting", () => {
  it("waits 1, 2, 4 to 300 seconds for the next try, up to half of it less by chance", () => {
    const rig = new Rig();
    rig.uplink.tick();
    for (const longest of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      rig.client.error();
      rig.uplink.tick();
      const wait = rig.wait();
      assert.ok(wait <= longest && wait >= longest / 2, `${wait} s, wanted ${longest / 2} to ${longest}`);
    }
  });

  it("tells locks apart that lost their broker at the same moment", () => {
    const waits = Array.from({ length: 8 }, (_, i) => {
      const rig = new Rig({ seed: i + 1 });
      rig.uplink.tick();
      for (let n = 0; n < 6; n++) {
        rig.client.error();
        rig.uplink.tick();
        if (n < 5) rig.wait();
      }
      return rig.wait();
    });
    assert.ok(new Set(waits).size > 3, waits.join());
  });

  it("begins with short waits again after a connection that stood for a minute, and not before", () => {
    const rig = new Rig();
    rig.uplink.tick();
    for (let i = 0; i < 6; i++) {
      rig.client.error();
      rig.uplink.tick();
      rig.wait();
    }
    rig.client.accept();
    rig.pass(STABLE_S - 1);
    rig.client.error();
    rig.uplink.tick();
    assert.ok(rig.wait() >= 32);
    rig.client.accept();
    rig.pass(STABLE_S);
    rig.client.error();
    rig.uplink.tick();
    assert.ok(rig.wait() <= 1);
  });

  it("a touch of the keypad ends the wait, once a second at most", () => {
    const rig = new Rig();
    rig.uplink.tick();
    for (let i = 0; i < 8; i++) {
      rig.client.error();
      rig.uplink.tick();
      if (i < 7) rig.wait();
    }
    const made = rig.network.clients.length;
    rig.uplink.wake();
    rig.uplink.tick();
    assert.equal(rig.network.clients.length, made, "the last try began this very second");
    rig.pass(1);
    assert.equal(rig.network.clients.length, made + 1);
    rig.uplink.wake();
    rig.pass(3);
    assert.equal(rig.network.clients.length, made + 1, "what connects is left alone");
  });

  it("may rest when it has shown its status and no hint knows of mail", () => {
    const rig = new Rig();
    rig.uplink.tick();
    assert.equal(rig.uplink.isIdle, false);
    rig.client.accept();
    assert.equal(rig.uplink.isIdle, true);
    rig.client.deliver(rig.topic("head"), packHead({ epoch: 1, seq: 1 }));
    assert.equal(rig.uplink.isIdle, false);
    rig.pass(2);
    assert.equal(rig.client.payloads("state").length, 2, "it shows its status again, for the issuer to send");
    rig.ask(hello(1));
    rig.ask(frame(Type.bundle, 2, rig.door.bundle([rig.door.pin(0, "4802135")])));
    assert.equal(rig.uplink.isIdle, true);
    for (const head of [packHead({ epoch: 1, seq: 1 }), packHead({ epoch: 0, seq: 9 }), new Uint8Array(6)]) {
      rig.client.deliver(rig.topic("head"), head);
      assert.equal(rig.uplink.isIdle, true);
    }
    rig.client.deliver(rig.topic("head"), packHead({ epoch: 2, seq: 0 }));
    assert.equal(rig.uplink.isIdle, false, "a rebase waits");
  });

  it("takes a retained hint that comes before the subscription is acknowledged", () => {
    const rig = new Rig();
    rig.uplink.tick();
    rig.client.connack();
    rig.client.writable(4096);
    rig.client.deliver(rig.topic("head"), packHead({ epoch: 1, seq: 3 }));
    rig.client.suback(1, 1);
    assert.equal(rig.uplink.state, "online");
    assert.equal(rig.uplink.isIdle, false);
  });

  it("a hint is seven bytes, and everything else is none", () => {
    assert.deepEqual(readHead(packHead({ epoch: 0xfffffffe, seq: 0xfffffe })), {
      epoch: 0xfffffffe,
      seq: 0xfffffe,
    });
    for (const length of [0, 6, 8]) assert.equal(readHead(new Uint8Array(length)), undefined);
    assert.equal(parseTopic("tumbler/1/test/0123456789abcdef/head")?.leaf, "head");
  });
});

describe("X5 what a broker may do to a lock", () => {
  it("takes a message of 2,064 bytes in any pieces, and reads past one that is longer", () => {
    const rig = new Rig();
    const client = rig.online();
    const largest = new Uint8Array(MAX_MESSAGE_BYTES).fill(0xff);
    const larger = new Uint8Array(MAX_MESSAGE_BYTES + 1).fill(0xff);
    for (const piece of [1, 63, 64, 65, 1460, MAX_MESSAGE_BYTES + 1]) {
      const before = client.payloads("up").length;
      assert.equal(client.deliver(rig.topic("dn"), larger, piece), 0, "all of it is read");
      assert.equal(client.payloads("up").length, before);
      assert.equal(client.deliver(rig.topic("dn"), largest, piece), 0);
      assert.deepEqual(client.payloads("up").slice(before).map(told), ["0 malformed"]);
    }
    assert.deepEqual(rig.ask(hello(1)).map(told), ["1 type 2"], "and goes on");
  });

  it("takes no notice of topics that are not its own", () => {
    const rig = new Rig();
    const client = rig.online();
    const foreign = ["0000000000000000/dn", `${rig.id}/up`, `${rig.id}/state`, `${rig.id}/dn/x`, `${rig.id}`];
    for (const end of foreign) assert.equal(client.deliver(`tumbler/1/test/${end}`, hello(1), 5), 0);
    assert.equal(client.deliver(`tumbler/1/other/${rig.id}/dn`, hello(1)), 0);
    client.piece(hello(1), { more: false });
    client.piece(hello(1));
    assert.equal(client.published.length, 1, "but for its status nothing was published");
  });

  it("gives up a message whose pieces are more, or fewer, than were announced", () => {
    const rig = new Rig();
    const client = rig.online();
    const message = hello(1);
    const topic = rig.topic("dn");
    client.piece(message.subarray(0, 4), { topic, byteLength: message.length - 1, more: true });
    client.piece(message.subarray(4), { more: false });
    client.piece(message, { topic, byteLength: message.length + 1, more: false });
    client.piece(message.subarray(0, 4), { topic, byteLength: message.length, more: true });
    assert.deepEqual(rig.ask(hello(2)).map(told), ["2 type 2"], "a new topic is a new message");
    assert.equal(client.payloads("up").length, 1);
  });

  it("keeps four messages that come while the line is full, and drops the others", () => {
    const rig = new Rig();
    const client = rig.online(4096);
    client.room = 0;
    client.writable(0);
    for (let request = 1; request <= MAX_WAITING + 3; request++)
      client.deliver(rig.topic("dn"), hello(request));
    assert.deepEqual(client.payloads("up"), []);
    for (let i = 0; i < 20; i++) client.writable(4096);
    // The first found no room for its answer; four more wait behind it.
    const kept = Array.from({ length: MAX_WAITING + 1 }, (_, i) => `${i + 1} type 2`);
    assert.deepEqual(client.payloads("up").map(told), kept);
    assert.deepEqual(rig.ask(hello(99)).map(told), ["99 type 2"]);
  });

  it("answers one waiting message at each event and each tick, so that others have their turn", () => {
    const rig = new Rig();
    const client = rig.online(4096);
    client.writable(0);
    for (let request = 1; request <= 4; request++) client.deliver(rig.topic("dn"), hello(request));
    const counts: number[] = [];
    client.writable(100_000);
    counts.push(client.payloads("up").length);
    rig.pass(1);
    counts.push(client.payloads("up").length);
    rig.pass(1);
    counts.push(client.payloads("up").length);
    assert.deepEqual(counts, [2, 3, 4]);
  });

  it("publishes nothing empty, whatever the lock answers", () => {
    const empty = new Uint8Array(0);
    const rig = new Rig({}, changed({ receive: () => empty, status: () => empty }));
    const client = rig.online();
    client.deliver(rig.topic("dn"), hello(1));
    rig.pass(3);
    assert.deepEqual([client.published, client.closes], [[], 0]);
  });

  it("a stranger's bad signatures close a session and never the line", () => {
    const rig = new Rig();
    rig.online();
    const bundle = rig.door.bundle([rig.door.pin(0, "4802135")]);
    const forged = bundle.slice();
    forged[forged.length - 1] ^= 1;
    for (let request = 1; request < 60; request += 2) {
      rig.ask(hello(request));
      rig.ask(frame(Type.bundle, request + 1, forged));
    }
    rig.pass(15);
    rig.ask(hello(100));
    assert.deepEqual(rig.ask(frame(Type.bundle, 101, bundle)).map(told), ["101 type 6"]);
    assert.deepEqual([rig.network.clients.length, rig.uplink.state], [1, "online"]);
  });

  it(`writes in pieces of whatever room there is, and nothing is lost between them (seed ${SEED})`, () => {
    const dice = new Dice();
    const rig = new Rig();
    const client = rig.online();
    for (let request = 1; request <= 100; request++) {
      const { applied } = rig.door.lock.parts.table;
      client.writable(0);
      client.deliver(rig.topic("dn"), hello(request));
      for (let i = 0; i < 500 && client.payloads("up").length < request; i++)
        client.writable(dice.between(0, 120));
      const reader = new Reader(client.payloads("up")[request - 1]);
      assert.equal(readFrame(reader)?.request, request);
      assert.equal(readStatus(reader)?.applied, applied);
    }
  });

  it("numbers its packets from 1 to 65535 and never 0", () => {
    const ids = new Set<number>();
    const client = {
      write: (_data: Uint8Array | null, options?: { id: number }) => {
        ids.add(options?.id ?? -1);
        return 1000;
      },
      read: () => 0,
      close: () => {},
    };
    const outbox = new Outbox();
    outbox.room = 1000;
    for (let i = 0; i < 65_540; i++)
      outbox.put(client, { topic: "t", payload: Uint8Array.of(1), retain: false }, 0);
    assert.deepEqual([ids.size, ids.has(1), ids.has(65_535), ids.has(0)], [65_535, true, true, false]);
  });
});

describe("S14 a connection that does not come, or does not last", () => {
  /** Where a connection can fail. */
  const states: Readonly<Record<string, (client: ScriptedClient) => void>> = {
    "before the broker answers": () => {},
    "connected, without room to write": (client) => client.connack(),
    "while it subscribes": (client) => {
      client.connack();
      client.writable(4096);
    },
    online: (client) => void client.accept(),
    "in the middle of a message": (client) => {
      client.accept();
      client.writable(100);
      const { id } = client.options;
      client.deliver(`tumbler/1/test/${id}/dn`, hello(1));
    },
    "in the middle of a message that comes": (client) => {
      client.accept();
      const { id } = client.options;
      client.piece(hello(1).subarray(0, 3), { topic: `tumbler/1/test/${id}/dn`, byteLength: 11, more: true });
    },
  };

  for (const [when, reach] of Object.entries(states)) {
    it(`an error ${when} ends this connection, and the next one works`, () => {
      const rig = new Rig();
      rig.uplink.tick();
      const { client } = rig;
      reach(client);
      client.error();
      rig.pass(1);
      assert.ok(client.closes > 0);
      while (rig.network.clients.length < 2) rig.pass(1);
      rig.client.accept();
      assert.deepEqual(rig.ask(hello(1)).map(told), ["1 type 2"]);
      assert.equal(
        rig.client.payloads("state").length,
        1,
        "it shows its status to a broker that knows nothing",
      );
    });

    it(`whatever throws ${when} leaves no callback and no tick`, () => {
      const rig = new Rig();
      rig.uplink.tick();
      const { client } = rig;
      reach(client);
      client.thrown = new Error("from the host");
      client.options.onReadable(3, { topic: rig.topic("dn"), byteLength: 3 });
      client.options.onWritable(4096);
      client.options.onControl({ operation: 2, returnCode: 0 });
      client.options.onControl({ operation: 9, payload: [1, 1] });
      client.options.onError();
      rig.pass(5);
      assert.ok(client.closes > 0);
      rig.client.accept();
      assert.deepEqual(rig.ask(hello(1)).map(told), ["1 type 2"]);
    });
  }

  it("a broker that never answers is left after half a minute", () => {
    for (const reach of Object.values(states).slice(0, 3)) {
      const rig = new Rig();
      rig.uplink.tick();
      const { client } = rig;
      reach(client);
      rig.pass(CONNECT_S - 1);
      assert.equal(client.closes, 0);
      rig.pass(1);
      assert.equal(client.closes, 1);
      assert.equal(rig.uplink.state, "waiting");
    }
  });

  it("a line on which nothing moves is left after a minute", () => {
    const rig = new Rig();
    const client = rig.online();
    client.writable(100);
    client.deliver(rig.topic("dn"), hello(1));
    rig.pass(STALLED_S - 1);
    assert.equal(client.closes, 0);
    rig.pass(1);
    assert.equal(client.closes, 1);
  });

  it("a room that turns out smaller than it was said to be is waited for", () => {
    const rig = new Rig();
    const client = rig.online();
    client.room = 0;
    client.deliver(rig.topic("dn"), hello(1));
    assert.deepEqual(client.payloads("up"), []);
    client.writable(4096);
    assert.deepEqual(client.payloads("up").map(told), ["1 type 2"]);
  });

  it("a refused connection or subscription is tried again later", () => {
    const rig = new Rig();
    rig.uplink.tick();
    rig.client.connack(5);
    rig.pass(1);
    assert.equal(rig.network.clients[0].closes, 1);
    while (rig.network.clients.length < 2) rig.pass(1);
    const { client } = rig;
    client.connack();
    client.writable(4096);
    client.suback(1, 0x80);
    assert.deepEqual(client.published, []);
    rig.pass(1);
    assert.equal(client.closes, 1);
    assert.equal(rig.uplink.state, "waiting");
  });

  it("a network that makes no client at all is tried again later", () => {
    const rig = new Rig();
    rig.network.refusal = new Error("no network");
    rig.pass(100);
    assert.equal(rig.uplink.state, "waiting");
    rig.network.refusal = undefined;
    rig.pass(128);
    assert.equal(rig.network.clients.length > 0, true);
  });

  it("acknowledgements out of turn change nothing", () => {
    const rig = new Rig();
    rig.uplink.tick();
    const { client } = rig;
    client.options.onControl({ operation: 9, payload: [1, 1] });
    client.options.onControl({ operation: 4 });
    assert.equal(rig.uplink.state, "connecting");
    client.accept();
    client.connack();
    client.suback(0x80);
    client.options.onControl({ operation: 13 });
    assert.equal(rig.uplink.state, "online");
    assert.equal(client.payloads("state").length, 1);
  });

  it("a client that is closed has no say any more", () => {
    const rig = new Rig();
    const old = rig.online();
    old.error();
    rig.pass(2);
    const fresh = rig.client.accept();
    assert.notEqual(fresh, old);
    old.error();
    old.connack();
    old.writable(5);
    old.deliver(rig.topic("dn"), hello(1));
    rig.pass(1);
    assert.deepEqual([fresh.closes, rig.uplink.state, old.payloads("up").length], [0, "online", 0]);
  });

  it("a mistake in the lock ends the connection, not the firmware", () => {
    const broken = changed({
      receive: () => {
        throw new Error("a mistake");
      },
    });
    const rig = new Rig({}, broken);
    const client = rig.online();
    client.deliver(rig.topic("dn"), hello(1));
    rig.pass(1);
    assert.equal(client.closes, 1);
    assert.notEqual(rig.uplink.state, "online");
  });

  it(`whatever happens in whatever order, it comes back: 3,000 events, seed ${SEED}`, () => {
    const dice = new Dice();
    const rig = new Rig();
    rig.uplink.tick();
    const events: ((client: ScriptedClient) => void)[] = [
      (client) => client.connack(dice.chance(0.9) ? 0 : 5),
      (client) => client.suback(...(dice.chance(0.9) ? [1, 1] : [0x80])),
      (client) => client.writable(dice.between(0, 3000)),
      (client) =>
        void client.deliver(
          rig.topic(dice.pick(["dn", "head", "up"])),
          hello(dice.below(65_536)),
          dice.between(1, 20),
        ),
      (client) => void client.deliver(rig.topic("dn"), dice.bytes(dice.between(0, 2100)), 700),
      (client) =>
        client.piece(
          dice.bytes(dice.between(1, 90)),
          dice.chance(0.5) ? { more: dice.chance(0.5) } : undefined,
        ),
      (client) => dice.chance(0.1) && client.error(),
      () => rig.pass(dice.between(1, 40)),
      () => rig.uplink.wake(),
    ];
    for (let i = 0; i < 3000; i++)
      dice.pick(events)(dice.chance(0.9) ? rig.client : dice.pick(rig.network.clients));
    for (const { published } of rig.network.clients) {
      assert.ok(published.every(({ payload }) => payload.length > 0));
      assert.ok(published.every(({ leaf, retain }) => retain === (leaf === "state")));
    }
    assert.ok(
      rig.network.clients.filter(({ closes }) => closes === 0).length <= 1,
      "one connection at a time",
    );
    for (let i = 0; i < 2 && rig.uplink.state !== "waiting"; i++) {
      rig.client.error();
      rig.uplink.tick();
    }
    while (rig.uplink.state === "waiting") rig.pass(1);
    rig.client.accept();
    assert.deepEqual(rig.ask(hello(1)).map(told), ["1 type 2"]);
  });
});
