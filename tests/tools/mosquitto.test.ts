// Locks on brokers as they are met outside: the embedded one, always, and a real mosquitto with TLS and the configuration of
// examples/mosquitto, where it is installed. A sync is cut by killing the broker; what one lock can reach of another is tried out.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { Aedes } from "aedes";
import type { IClientOptions, MqttClient } from "mqtt";
import { Trust } from "../../protocol/wire/receipt";
import { topic } from "../../protocol/wire/topics";
import { type EmbeddedBroker, startBroker } from "../../tools/links/broker";
import { brokerAt, connectBroker, MqttCourier } from "../../tools/links/mqtt";
import { PINS } from "../protocol/issuer/rig";
import { Mosquitto, makeCertificates, missingPrograms, programAt } from "../support/mosquitto";
import { SITE, Site, type SiteLock } from "../support/site";

const ONLINE_MS = 20_000;
const ANSWER_MS = 10_000;
const PEOPLE = 150;
const people = Array.from({ length: PEOPLE }, (_, i) => `p${i},P${i},resident,all,${PINS[i]},,,,,,,\n`).join(
  "",
);

/** A broker that can be killed and comes back where it was. */
interface TestBroker {
  readonly url: string;
  readonly access: IClientOptions;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A courier on a broker that may not be there yet. */
async function courierOn({ url, access }: TestBroker): Promise<{ courier: MqttCourier; client: MqttClient }> {
  for (let tries = 1; ; tries++) {
    try {
      const client = await connectBroker(url, access);
      client.on("error", () => {});
      const courier = new MqttCourier(client, SITE);
      await courier.listen();
      return { courier, client };
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Delivers everything over a broker that is killed upon the second receipt, and started again. */
async function syncThroughOutage(site: Site, lock: SiteLock, broker: TestBroker): Promise<void> {
  lock.virtual.join(brokerAt(broker.url));
  assert.ok(await lock.virtual.online(ONLINE_MS), "online");
  let { courier, client } = await courierOn(broker);
  let receipts = 0;
  let killing: Promise<void> | undefined;
  const cut = await site.deliver(lock, courier.link(virtualId(lock), ANSWER_MS), () => {
    if (++receipts === 2) killing = broker.kill();
  });
  await killing;
  assert.equal(cut.outcome, "silent");
  const before = lock.virtual.lock.parts.table.applied;
  assert.ok(before > 0 && before < PEOPLE, `${before} applied when the broker died`);
  await client.endAsync(true);
  await broker.start();
  assert.ok(await lock.virtual.online(ONLINE_MS), "online again by itself");
  ({ courier, client } = await courierOn(broker));
  const rest = await site.deliver(lock, courier.link(virtualId(lock), ANSWER_MS));
  await client.endAsync(true);
  assert.equal(rest.outcome, "done", rest.reason);
}

const virtualId = ({ virtual }: SiteLock): Uint8Array => virtual.id;

/** Nothing lost and nothing twice: every position has one outcome, issuer and lock agree, and people come in. */
function expectWhole(site: Site, lock: SiteLock): void {
  const report = site.issuer.report(lock.id);
  assert.ok(report.isSettled);
  assert.deepEqual(report.alarms, []);
  assert.equal(report.applied, lock.virtual.lock.parts.table.applied);
  const seqs = site.outcomes.map((outcome) => Number(outcome.split(" ")[1]));
  assert.equal(new Set(seqs).size, report.signed, "each position came out");
  assert.equal(seqs.length, report.signed, "once");
  assert.equal(report.counts.confirmed, PEOPLE);
  for (const i of [0, 70, PEOPLE - 1]) {
    lock.virtual.tick();
    assert.equal(site.type(lock, PINS[i]), "granted");
  }
}

describe("S3, S5 a sync over a broker that dies in the middle of it", () => {
  it("loses nothing and does nothing twice over the embedded broker", async () => {
    let aedes: EmbeddedBroker = await startBroker();
    const { url } = aedes;
    const broker: TestBroker = {
      url,
      access: {},
      kill: () => aedes.close(),
      start: async () => {
        aedes = await startBroker(Number(new URL(url).port));
      },
    };
    const site = await Site.make(1, people);
    try {
      await syncThroughOutage(site, site.locks[0], broker);
      expectWhole(site, site.locks[0]);
    } finally {
      site.close();
      await aedes.close();
    }
  });
});

describe("mosquitto with the configuration of examples/mosquitto", () => {
  let site: Site;
  let broker: Mosquitto;
  let ca = "";
  /** The user of a lock that is not there: whoever has its password. */
  const intruder = { id: "0123456789abcdef", password: "intruder" };
  const issuer = { username: "issuer", password: "office" };
  const clients: MqttClient[] = [];

  before(async function () {
    const missing = missingPrograms();
    if (missing !== "") {
      console.log(
        `    not tested, since this machine has no ${missing} (Debian: apt-get install mosquitto openssl)`,
      );
      this.skip();
    }
    const tls = {
      get ca() {
        return ca;
      },
      wallClockForTls: () => Date.now() / 1000,
    };
    site = await Site.make(2, people, { tls });
    const others = `${issuer.username}:${issuer.password}\n${intruder.id}:${intruder.password}\n`;
    broker = await Mosquitto.make(others + (await site.brokerUsers()));
    ca = broker.ca;
  });

  after(async () => {
    site?.close();
    await broker?.close();
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  });

  async function connect(options: IClientOptions): Promise<MqttClient> {
    const client = await connectBroker(broker.url, { ca, ...options });
    client.on("error", () => {});
    clients.push(client);
    return client;
  }

  it("S3, S5 carries a sync over TLS, is killed in the middle of it, and nothing is lost or done twice", async () => {
    const access = { ca, ...issuer };
    const own: TestBroker = {
      url: broker.url,
      access,
      kill: () => broker.kill(),
      start: () => broker.start(),
    };
    await syncThroughOutage(site, site.locks[0], own);
    expectWhole(site, site.locks[0]);
  });

  it("X5 lets nobody in without the password, and no lock in under another's name", async () => {
    const [lock] = site.locks;
    await assert.rejects(connect({}), /MQTT broker/);
    await assert.rejects(connect({ username: lock.id, password: intruder.password }), /MQTT broker/);
    await assert.rejects(
      connectBroker(broker.url, { ...issuer }),
      /MQTT broker/,
      "a broker of an unknown authority",
    );
    lock.virtual.join(brokerAt(broker.url));
    assert.ok(await lock.virtual.online(ONLINE_MS));
    await connect({ username: intruder.id, password: intruder.password, clientId: lock.id });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(
      lock.virtual.uplink.state,
      "online",
      "who takes its client id does not throw it off the line",
    );
  });

  it("X5 lets a lock reach its own topics, and none of another lock", async () => {
    const [lock] = site.locks;
    lock.virtual.join(brokerAt(broker.url));
    assert.ok(await lock.virtual.online(ONLINE_MS));
    const office = await connect(issuer);
    const thief = await connect({ username: intruder.id, password: intruder.password });
    const seen = { office: [] as string[], thief: [] as string[] };
    office.on("message", (name, payload) => seen.office.push(`${name} ${payload}`));
    thief.on("message", (name, payload) => seen.thief.push(`${name} ${payload}`));
    await office.subscribeAsync([topic(SITE, "+", "up"), topic(SITE, "+", "state")], { qos: 1 });
    for (const filter of [
      "#",
      `tumbler/1/${SITE}/+/dn`,
      `tumbler/1/${SITE}/${lock.id}/#`,
      topic(SITE, intruder.id, "dn"),
    ])
      await thief.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
    const publish = (client: MqttClient, id: string, leaf: "dn" | "up" | "state" | "head", text: string) =>
      client.publishAsync(topic(SITE, id, leaf), text, { qos: 1 });
    for (const leaf of ["dn", "up", "state", "head"] as const) await publish(thief, lock.id, leaf, "theft");
    await publish(thief, intruder.id, "dn", "theft");
    await publish(office, lock.id, "dn", "for the lock");
    // What comes after these two came through shows that all before them was dropped.
    await publish(thief, intruder.id, "up", "end");
    await publish(office, intruder.id, "dn", "end");
    const isEnded = (lines: readonly string[]) => lines.some((line) => line.endsWith(" end"));
    for (let i = 0; i < 100 && !(isEnded(seen.office) && isEnded(seen.thief)); i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(seen.thief, [`${topic(SITE, intruder.id, "dn")} end`]);
    assert.ok(isEnded(seen.office));
    assert.ok(!seen.office.some((line) => line.includes("theft")));
    const answers = seen.office.filter((line) => line.startsWith(topic(SITE, lock.id, "up")));
    assert.equal(answers.length, 1, "the lock answered the office's message, and no other");
  });

  it("S7 shows who is online: the last will of a lock whose line is cut", async () => {
    const [, lock] = site.locks;
    lock.virtual.join(brokerAt(broker.url));
    assert.ok(await lock.virtual.online(ONLINE_MS));
    const office = await connect(issuer);
    const isOffline = new Promise<void>((resolve) => {
      office.on("message", (_name, payload) => {
        if (String(payload) === "offline") resolve();
      });
    });
    await office.subscribeAsync(topic(SITE, lock.id, "state"), { qos: 1 });
    lock.virtual.join(undefined);
    await isOffline;
  });
});

describe("T14, S8 a cold boot behind a broker with TLS", () => {
  let folder = "";
  let server: Server;
  let aedes: Aedes;
  let url = "";

  before(async function () {
    if (programAt("openssl") === undefined) {
      console.log("    not tested, since this machine has no openssl to make certificates with");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "tumbler-tls-"));
    makeCertificates(folder);
    aedes = await Aedes.createBroker();
    const read = (name: string) => readFileSync(join(folder, name));
    server = createServer({ key: read("broker.key"), cert: read("broker.crt"), noDelay: true }, aedes.handle);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `mqtts://localhost:${(server.address() as { port: number }).port}`;
  });

  after(async () => {
    if (folder === "") return;
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(folder, { recursive: true });
  });

  it("opens to a timed code within one session; until then SNTP's time serves the certificate and nothing else", async () => {
    const ca = readFileSync(join(folder, "ca.crt"), "utf8");
    const sntp: { time: number | undefined } = { time: undefined };
    const guest = "gil,Gil,guest,all,905271,,2027-02-01,2027-04-01,,,,\n";
    const site = await Site.make(1, guest, { tls: { ca, wallClockForTls: () => sntp.time } });
    const [lock] = site.locks;
    const { virtual } = lock;
    const access = { ca };
    try {
      sntp.time = site.now();
      virtual.join(brokerAt(url));
      assert.ok(await virtual.online(ONLINE_MS));
      const { courier, client } = await courierOn({ url, access } as TestBroker);
      assert.equal((await site.deliver(lock, courier.link(virtual.id, ANSWER_MS))).outcome, "done");
      assert.equal(site.type(lock, "905271"), "granted");

      sntp.time = undefined;
      virtual.powerCut();
      assert.equal(await virtual.online(1500), false, "nobody can tell whether a certificate is good");
      assert.equal(site.type(lock, "905271"), "clock-unknown");
      sntp.time = site.now() + 50 * 365 * 86_400;
      virtual.uplink.wake();
      assert.equal(await virtual.online(1500), false, "by this time the certificate has run out");

      // A wrong time of which the certificate knows nothing.
      sntp.time = site.now() + 86_400;
      virtual.uplink.wake();
      assert.ok(await virtual.online(ONLINE_MS));
      assert.equal(virtual.lock.parts.clock.read().trust, Trust.unknown);
      assert.equal(site.type(lock, "905271"), "clock-unknown");
      assert.equal((await site.deliver(lock, courier.link(virtual.id, ANSWER_MS))).outcome, "done");
      const { trust, now } = virtual.lock.parts.clock.read();
      assert.equal(trust, Trust.set);
      assert.ok(Math.abs(now - site.now()) < 60, "the signed time, not SNTP's");
      assert.equal(site.type(lock, "905271"), "granted");
      await client.endAsync(true);
    } finally {
      site.close();
    }
  });
});
