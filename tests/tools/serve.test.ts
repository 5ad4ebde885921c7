// The issuer on a broker: locks that show up are served, changes go out at once, a broker or a lock that goes away only delays, and work
// is handed in while it runs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startBroker } from "../../tools/links/broker";
import { brokerAt } from "../../tools/links/mqtt";
import { openCounter, openOffice, workAt } from "../../tools/office/office";
import { newLine, poke, sessionEnded } from "../../tools/serve/schedule";
import { Server, type Told } from "../../tools/serve/server";
import { PINS } from "../protocol/issuer/rig";
import { Site } from "../support/site";
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
