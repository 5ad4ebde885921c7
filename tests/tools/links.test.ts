// Links: the same bytes over memory, MQTT and files (property 7 of the protocol), and what each does when nobody answers.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Link, MemoryLink } from "../../protocol/courier/link";
import { toHex } from "../../protocol/wire/bytes";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { frame, helloBody, Type } from "../../protocol/wire/messages";
import { OFFLINE, parseTopic, topic } from "../../protocol/wire/topics";
import { type EmbeddedBroker, startBroker } from "../../tools/links/broker";
import { answerFolder, FolderLink } from "../../tools/links/folder";
import { connectBroker, connectLock, MqttCourier } from "../../tools/links/mqtt";
import { Door } from "../support/door";

const hello = frame(Type.hello, 7, helloBody(MAX_MESSAGE_BYTES));

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
    await ask(new FolderLink(folder, 2000));
    clearInterval(polling);
    rmSync(folder, { recursive: true });

    const broker = await startBroker();
    const aired = new Door({ seed: 5 });
    const lockEnd = await connectLock(broker.url, "test", {
      lock: aired.identity.lock,
      receive: (message) => aired.lock.receive(aired.lock.open(), message),
      status: () => new Uint8Array([0]),
    });
    const client = await connectBroker(broker.url);
    const courier = new MqttCourier(client, "test");
    await courier.listen();
    await ask(courier.link(aired.identity.lock, 2000));
    await Promise.all([lockEnd.endAsync(true), client.endAsync(true)]);
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
      const lock = new Uint8Array(8).fill(0xab);
      const seen: string[] = [];
      const client = await connectBroker(broker.url);
      const both = new Promise<void>((resolve) => {
        client.on("message", (name, payload) => {
          assert.deepEqual(parseTopic(name), { site: "test", lock: toHex(lock), leaf: "state" });
          seen.push(payload.toString());
          if (seen.length === 2) resolve();
        });
      });
      const end = { lock, receive: (message: Uint8Array) => message, status: () => new Uint8Array([0x41]) };
      const lockEnd = await connectLock(broker.url, "test", end);
      await client.subscribeAsync(topic("test", toHex(lock), "state"), { qos: 1 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      // A dead access point closes nothing properly: the broker speaks for the lock.
      lockEnd.stream.destroy();
      await both;
      assert.deepEqual(seen, ["A", OFFLINE]);
      await Promise.all([client.endAsync(true), lockEnd.endAsync(true)]);
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
