// Links: the same bytes over memory, MQTT and files (property 7 of the protocol), and what each does when nobody answers.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Uplink } from "../../firmware/core/uplink";
import { type Link, MemoryLink } from "../../protocol/courier/link";
import { toHex } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { frame, helloBody, readFrame, Type } from "../../protocol/wire/messages";
import { OFFLINE, parseTopic, readHead, topic } from "../../protocol/wire/topics";
import { virtualNetwork } from "../../simulator/net/mqtt-port";
import { type EmbeddedBroker, startBroker } from "../../tools/links/broker";
import { answerFolder, FolderLink } from "../../tools/links/folder";
import { brokerAt, connectBroker, MqttCourier } from "../../tools/links/mqtt";
import { Door } from "../support/door";

/** For answers that do come, on a machine that has much else to do. */
const PATIENCE_MS = 30_000;
const hello = frame(Type.hello, 7, helloBody(MAX_MESSAGE_BYTES));

/** Puts a door's lock on a broker. */
async function onAir(door: Door, url: string): Promise<Uplink> {
  const network = virtualNetwork({ afterEvent: () => uplink.tick() });
  const uplink = new Uplink(door.lock, door.board, network);
  uplink.use(brokerAt(url));
  uplink.tick();
  while (uplink.state !== "online") await new Promise((resolve) => setTimeout(resolve, 5));
  return uplink;
}

/** Takes it off, as a dead access point would. */
function offAir(uplink: Uplink): void {
  uplink.use(undefined);
  uplink.tick();
}

describe("links", () => {
  it("carry the same bytes over memory, MQTT and files", async () => {
    const answers: string[] = [];
    const ask = async (link: Link) => {
      const answer = await link.request(hello);
      answers.push(answer === undefined ? "none" : toHex(answer));
      await link.close();
      assert.equal(await link.request(hello), undefined, "a closed link answers nothing");
    };
    // Three doors of one seed give three equal answers.
    const memory = new Door({ seed: 5 });
    await ask(new MemoryLink((message) => memory.lock.receive(memory.lock.open(), message)));

    const folder = mkdtempSync(join(tmpdir(), "tumbler-link-"));
    const files = new Door({ seed: 5 });
    const polling = setInterval(
      () => answerFolder(folder, (message) => files.lock.receive(files.lock.open(), message)),
      10,
    );
    await ask(new FolderLink(folder, PATIENCE_MS));
    clearInterval(polling);
    rmSync(folder, { recursive: true });

    const broker = await startBroker();
    const aired = new Door({ seed: 5 });
    const uplink = await onAir(aired, broker.url);
    const client = await connectBroker(broker.url);
    const courier = new MqttCourier(client, "test");
    await courier.listen();
    await ask(courier.link(aired.identity.lock, PATIENCE_MS));
    offAir(uplink);
    await client.endAsync(true);
    await broker.close();

    assert.notEqual(answers[0], "none");
    assert.deepEqual(answers, [answers[0], answers[0], answers[0]]);
  });

  it("copy every byte: a caller who changes a message afterwards changes nothing", async () => {
    let seen: Uint8Array = new Uint8Array(0);
    const link = new MemoryLink((message) => {
      seen = message;
      return message;
    });
    const message = Uint8Array.of(1, 2, 3);
    const answer = await link.request(message);
    message[0] = 9;
    assert.deepEqual([...seen], [1, 2, 3]);
    seen[1] = 9;
    assert.deepEqual([...(answer ?? [])], [1, 2, 3]);
  });

  it("a folder that nobody looks into counts as no answer", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tumbler-link-"));
    assert.equal(await new FolderLink(folder, 60).request(hello), undefined);
    rmSync(folder, { recursive: true });
  });

  describe("MQTT", () => {
    let broker: EmbeddedBroker;

    beforeEach(async () => {
      broker = await startBroker();
    });

    afterEach(() => broker.close());

    it("a lock that is not there counts as no answer", async () => {
      const client = await connectBroker(broker.url);
      const courier = new MqttCourier(client, "test");
      await courier.listen();
      assert.equal(await courier.link(new Uint8Array(8), 60).request(hello), undefined);
      await client.endAsync(true);
    });

    it("a broker that goes away ends what is waited for at once, and shows", async () => {
      const own = await startBroker();
      const client = await connectBroker(own.url);
      client.on("error", () => {});
      const courier = new MqttCourier(client, "test");
      await courier.listen();
      const waiting = courier.link(new Uint8Array(8), 60_000).request(hello);
      await own.close();
      assert.equal(await waiting, undefined);
      assert.equal(courier.lost, true);
      await client.endAsync(true);
    });

    it("a lock shows its status in `state`, retained, and leaves `offline` there when it is gone", async () => {
      const door = new Door();
      const id = toHex(door.identity.lock);
      const seen: Uint8Array[] = [];
      const client = await connectBroker(broker.url);
      const both = new Promise<void>((resolve) => {
        client.on("message", (name, payload) => {
          assert.deepEqual(parseTopic(name), { site: "test", lock: id, leaf: "state" });
          seen.push(new Uint8Array(payload));
          // Whoever subscribes while a status is on its way gets it twice: as the retained one, and as it comes.
          if (payload.toString() === OFFLINE) resolve();
        });
      });
      const uplink = await onAir(door, broker.url);
      await client.subscribeAsync(topic("test", id, "state"), { qos: 1 });
      while (seen.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
      // A dead access point closes nothing properly: the broker speaks for the lock.
      offAir(uplink);
      await both;
      assert.equal(Buffer.from(seen[seen.length - 1]).toString(), OFFLINE);
      for (const status of seen.slice(0, -1)) assert.equal(readFrame(new Reader(status))?.type, Type.status);
      await client.endAsync(true);
    });

    it("a courier leaves a hint of mail, which a lock that comes later finds", async () => {
      const door = new Door();
      const client = await connectBroker(broker.url);
      const courier = new MqttCourier(client, "test");
      await courier.hint(door.identity.lock, { epoch: 1, seq: 5 });
      const uplink = await onAir(door, broker.url);
      while (uplink.isIdle) await new Promise((resolve) => setTimeout(resolve, 5));
      const hint = new Promise<Uint8Array>((resolve) => {
        client.on("message", (_name, payload) => resolve(payload));
      });
      await client.subscribeAsync(topic("test", toHex(door.identity.lock), "head"), { qos: 1 });
      assert.deepEqual(readHead(new Uint8Array(await hint)), { epoch: 1, seq: 5 });
      offAir(uplink);
      await client.endAsync(true);
    });
  });

  it("topics name site and lock, and nothing else is one", () => {
    assert.equal(topic("north", "0123456789abcdef", "dn"), "tumbler/1/north/0123456789abcdef/dn");
    for (const name of [
      "tumbler/2/north/0123456789abcdef/dn",
      "tumbler/1/north/0123/dn",
      "tumbler/1/north/0123456789abcdef/xx",
      "tumbler/1/north/0123456789abcdef/dn/more",
      "tumbler/1//0123456789abcdef/dn",
      "",
    ])
      assert.equal(parseTopic(name), undefined, name);
  });
});
