// The issuer on a broker: locks that show up are served, changes go out at once, a broker or a lock that goes away only delays, and work
// is handed in while it runs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { L500I } from "../../firmware/core/profile";
import { readHead, topic } from "../../protocol/wire/topics";
import { startBroker } from "../../tools/links/broker";
import { brokerAt, connectBroker } from "../../tools/links/mqtt";
import { openCounter, openOffice, workAt } from "../../tools/office/office";
import { doWork } from "../../tools/office/works";
import { newLine, poke, sessionEnded } from "../../tools/serve/schedule";
import { Server, type Told } from "../../tools/serve/server";
import { PINS } from "../protocol/issuer/rig";
import { SITE, Site } from "../support/site";
import { ownFolder } from "./support";

const PATIENCE_MS = 30_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(Date.now() < end, `${what}: not within ${PATIENCE_MS} ms`);
    await sleep(20);
  }
}

describe("S14 when a lock is due", () => {
  it("is at once for one that was never visited, and after the idle time for one that has everything", () => {
    const line = newLine();
    assert.equal(line.dueAt, 0);
    sessionEnded(line, 100, true, true, 3600);
    assert.equal(line.dueAt, 3700);
    poke(line, 200, false);
    assert.equal(line.dueAt, 200);
  });

  it("K5 is after growing pauses for one that does not answer, up to five minutes, until it shows up", () => {
    const line = newLine();
    const pauses = Array.from({ length: 11 }, () => {
      sessionEnded(line, 1000, false, false, 3600);
      return line.dueAt - 1000;
    });
    assert.deepEqual(pauses, [1, 2, 4, 8, 15, 30, 60, 120, 300, 300, 300]);
    poke(line, 1001, false);
    assert.equal(line.dueAt, 1300, "more mail is no sign of life");
    poke(line, 1002, true);
    assert.equal(line.dueAt, 1002);
  });
});

describe("An issuer that serves a broker", () => {
  it("S3 K4 confirms everything, again after a change, a dead broker and a lock off the air", async () => {
    const site = await Site.make(
      2,
      `ada,Ada,resident,all,${PINS[0]},,,,,,,\nbob,Bob,resident,all,${PINS[1]},,,,,,,\n`,
    );
    let broker = await startBroker();
    const port = Number(new URL(broker.url).port);
    const told: Told[] = [];
    const options = {
      issuer: site.issuer,
      broker: broker.url,
      access: {},
      lines: 2,
      idleS: 3600,
      answerMs: 3000,
    };
    const server = new Server({ ...options, tell: (each) => told.push(each) });
    try {
      for (const { virtual } of site.locks) virtual.join(brokerAt(broker.url));
      await server.start();
      await until("everything confirmed", () => server.isSettled);
      assert.equal(
        told.filter(({ event }) => event === "confirmed").length,
        6,
        "a zone and two people at each door",
      );
      const used = () => site.locks.map(({ virtual }) => virtual.lock.parts.table.index.used);
      assert.deepEqual(used(), [2, 2]);

      await site.issuer.revoke("ada");
      server.poke();
      await until("the revocation", () => used().join() === "1,1" && server.isSettled);

      await broker.close();
      await until("the broker missed", () => told.some(({ event }) => event === "disconnected"));
      await site.issuer.revoke("bob");
      server.poke();
      broker = await startBroker(port);
      await until("the second revocation", () => used().join() === "0,0" && server.isSettled);
      assert.ok(
        told.some(({ event }) => event === "events"),
        "events came home",
      );
      assert.deepEqual(
        told.filter(({ event }) => event === "alarm" || event === "failed"),
        [],
      );
    } finally {
      await server.stop();
      site.close();
      await broker.close();
    }
  });
});

/** What is retained in `head` of a lock at a broker, as "epoch/seq". */
async function hintAt(url: string, lock: string): Promise<string> {
  const client = await connectBroker(url);
  try {
    const heard = new Promise<string>((resolve) => {
      client.on("message", (_name, payload, { retain }) => {
        const head = readHead(new Uint8Array(payload));
        resolve(`${head?.epoch}/${head?.seq}${retain ? "" : ", not retained"}`);
      });
    });
    await client.subscribeAsync(topic(SITE, lock, "head"), { qos: 1 });
    return await Promise.race([heard, sleep(500, "none")]);
  } finally {
    await client.endAsync(true);
  }
}

async function expectHint(url: string, lock: string, wanted: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  let hint = "";
  while (hint !== wanted && Date.now() < end) hint = await hintAt(url, lock);
  assert.equal(hint, wanted);
}

describe("S14 the hint that newer mail exists", () => {
  it("stands at the broker after something was signed, and again at a broker that has forgotten it", async () => {
    const site = await Site.make(1, `ada,Ada,resident,all,${PINS[0]},,,,,,,\n`);
    const [{ id, virtual }] = site.locks;
    let broker = await startBroker();
    const { url } = broker;
    const told: Told[] = [];
    const sessions = () => told.filter(({ event }) => event === "session").length;
    const server = new Server({
      issuer: site.issuer,
      broker: url,
      access: {},
      lines: 1,
      idleS: 3600,
      answerMs: 300,
      tell: (each) => told.push(each),
    });
    try {
      assert.equal(await hintAt(url, id), "none");
      await server.start();
      await until("a session without an answer", () => sessions() > 0);
      await expectHint(url, id, "1/2");

      // The lock reads the hint as it comes: it stays on the line as long as it lacks that mail.
      virtual.join(brokerAt(url));
      await until("everything confirmed", () => server.isSettled);
      await until("the lock has what the hint tells of", () => virtual.uplink.isIdle);
      assert.equal(site.issuer.report(id).applied, 2);

      virtual.join(undefined);
      await site.issuer.revoke("ada");
      server.poke();
      const before = sessions();
      await until("another session", () => sessions() > before);
      await expectHint(url, id, "1/3");

      await broker.close();
      await until("the broker missed", () => told.some(({ event }) => event === "disconnected"));
      broker = await startBroker(Number(new URL(url).port));
      assert.equal(await hintAt(url, id), "none", "a broker that keeps nothing");
      virtual.join(brokerAt(url));
      await until("the revocation confirmed", () => server.isSettled);
      assert.equal(await hintAt(url, id), "1/3");
    } finally {
      await server.stop();
      site.close();
      await broker.close();
    }
  });
});

describe("S9 a whole new table that a lock refuses", () => {
  it("is an alarm that is told once, and nothing waits for that lock", async () => {
    const people = PINS.slice(0, 11).map((pin, i) => `p${i},P${i},resident,all,${pin},,,,,,,\n`);
    const site = await Site.make(1, people.join(""), { profile: L500I });
    const [{ id, virtual }] = site.locks;
    const broker = await startBroker();
    const told: Told[] = [];
    const access = { broker: broker.url, access: {} };
    const limits = { lines: 1, idleS: 3600, answerMs: 3000 };
    const server = new Server({ issuer: site.issuer, ...access, ...limits, tell: (each) => told.push(each) });
    try {
      await site.issuer.rebase(id);
      virtual.join(brokerAt(broker.url));
      await server.start();
      await until("the refusal", () => server.isSettled);
      server.poke();
      await until("another session", () => told.filter(({ event }) => event === "session").length > 1);
      await until("its end", () => server.isSettled);
      const alarms = told.flatMap((each) => (each.event === "alarm" ? [each.alarm.kind] : []));
      assert.deepEqual(alarms, ["rebase-refused"]);
      const shown = await doWork(site.issuer, { work: "show", door: undefined }, 0);
      assert.match(shown.text, /alarm at door-0: rebase-refused at 2\/1: capacity as the answer/);
      assert.equal(shown.exitCode, 1);
    } finally {
      await server.stop();
      site.close();
      await broker.close();
    }
  });
});

describe("The counter of an office that is open", () => {
  const at = ownFolder();

  it("takes work of the same user, one at a time, and says what was wrong with it", async () => {
    const folder = at("issuer");
    await workAt(folder, { work: "begin", site: "north" });
    const office = await openOffice(folder);
    let works = 0;
    const counter = await openCounter(folder, office.issuer, () => works++);
    try {
      assert.equal(statSync(`${folder}/office.sock`).mode & 0o777, 0o600);
      const shown = await workAt(folder, { work: "show", door: undefined });
      assert.match(shown.text, /Site north/);
      await assert.rejects(workAt(folder, { work: "revoke", person: "nobody" }), /nobody/);
      assert.equal(works, 2);
    } finally {
      counter.close();
      await once(counter, "close");
      await office.close();
    }
    assert.match((await workAt(folder, { work: "show", door: undefined })).text, /Site north/);
  });
});
