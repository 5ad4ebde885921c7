// A visit to one door where everything goes wrong that can: silence, another lock, receipts that were changed; and what an installer sees.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import pc from "picocolors";
import type { Link } from "../../protocol/courier/link";
import { rotatingId } from "../../protocol/wire/advert";
import { Reader } from "../../protocol/wire/cbor";
import { readFrame, StatusFlag, Type } from "../../protocol/wire/messages";
import { node } from "../../simulator/board/crypto";
import type { DoorEvent, StepEvent, VisitedEvent } from "../../tools/door/events";
import { byNeed, needOf, needText } from "../../tools/door/need";
import { Sightings, seenEvent } from "../../tools/door/scan";
import { SyncScreen } from "../../tools/door/screen";
import { standingOf } from "../../tools/door/standing";
import { isFine, syncDoors } from "../../tools/door/sync";
import { visitDoor } from "../../tools/door/visit";
import { writeAll } from "../../tools/files";
import { startBroker } from "../../tools/links/broker";
import { answerFolder } from "../../tools/links/folder";
import { brokerAt } from "../../tools/links/mqtt";
import type { Reach } from "../../tools/links/reach";
import { handIn, workAtDoor } from "../../tools/worklist/from-issuer";
import { markReported, readWorkList, type WorkList, workFile } from "../../tools/worklist/work-list";
import { NOW, PINS } from "../protocol/issuer/rig";
import { SITE, Site, type SiteLock } from "../support/site";
import { ownFolder, run, widest } from "./support";

const PEOPLE = 70;
/** A zone and a PIN of each; deltas go in bundles of 32. */
const CHANGES = PEOPLE + 1;
const ROWS = Array.from({ length: PEOPLE }, (_, i) => `p${i},P ${i},resident,all,${PINS[i]},,,,,,,\n`).join(
  "",
);
const ONLINE_MS = 5000;

const linkTo = ({ virtual }: SiteLock): Link => {
  virtual.reconnect();
  return { request: async (message) => virtual.receive(message), close: async () => {} };
};

/** A way on which these links are had, one after the other, and then none. */
function reachOf(...links: Link[]): Reach {
  const left = [...links];
  const nothing = async (): Promise<void> => {};
  return { outlives: false, now: () => NOW, sleep: nothing, open: async () => left.shift(), close: nothing };
}

const typeOf = (message: Uint8Array): number => readFrame(new Reader(message))?.type ?? 0;

describe("A visit to a door", () => {
  const at = ownFolder();
  let site: Site;
  let made = 0;

  beforeEach(async () => {
    site = await Site.make(2, ROWS);
  });

  afterEach(() => site.close());

  async function issue(...doors: string[]): Promise<WorkList> {
    const path = at(`${++made}.work`);
    const all = [];
    for (const door of doors) all.push(await workAtDoor(site.issuer, door));
    writeAll([workFile(path, { site: SITE, madeAt: NOW, doors: all }, false)]);
    return readWorkList(path);
  }

  async function visit(list: WorkList, reach: Reach): Promise<{ visited: VisitedEvent; told: DoorEvent[] }> {
    const told: DoorEvent[] = [];
    const visited = await visitDoor({
      list,
      door: list.doors[0],
      reach,
      tell: (event) => void told.push(event),
    });
    return { visited, told };
  }

  /** What a screen makes of events. */
  function shown(told: readonly DoorEvent[], isLive: boolean): string {
    let text = "";
    const out = (piece: string): void => {
      text += piece;
    };
    const colours = pc.createColors(false);
    const screen = new SyncScreen(
      { out, err: out, colours, isLive, secret: async () => "", exitCode: 0 },
      "x.work",
    );
    for (const event of told) screen.tell(event);
    return text;
  }

  it("A38 K5 says what is in where the lock falls silent for good, and the third time it is unconfirmed", async () => {
    const list = await issue("door-0");
    const [lock] = site.locks;
    let left = 3;
    const whole = linkTo(lock);
    const dying: Link = {
      ...whole,
      request: async (message) => (left-- > 0 ? whole.request(message) : undefined),
    };
    const { visited, told } = await visit(list, reachOf(dying));
    assert.deepEqual([visited.outcome, visited.reason], ["silent", "no connection to the lock"]);
    assert.ok(visited.done > 0 && visited.done < CHANGES, `${visited.done} in`);
    assert.equal(isFine(visited), false);
    const text = shown(told, false);
    assert.match(text, new RegExp(`nothing is lost: ${visited.done} of ${CHANGES} are in; go nearer`));
    assert.ok(widest(text) <= 80, text);
    for (let attempt = 1; attempt < 3; attempt++) await visit(list, reachOf());
    await handIn(site.issuer, list, list.doors[0]);
    markReported(list);
    const { counts } = site.issuer.report(lock.id);
    assert.deepEqual([counts.confirmed, counts.unconfirmed], [visited.done - 1, CHANGES - visited.done]);
    await handIn(site.issuer, list, list.doors[0]);
    const rest = await visit(list, reachOf(linkTo(lock)));
    assert.deepEqual(
      [rest.visited.outcome, rest.visited.done, isFine(rest.visited)],
      ["done", CHANGES, true],
    );
    const again = shown(rest.told, false);
    assert.ok(again.startsWith(`door-0: goes on; nothing is lost: ${visited.done} of ${CHANGES} are in\n`));
  });

  it("T14 tells of a time that the lock refused, and goes on without it", async () => {
    const list = await issue("door-0");
    const [lock] = site.locks;
    const told: DoorEvent[] = [];
    const tell = (event: DoorEvent): void => void told.push(event);
    const time = async () => site.issuer.outbox.timeAnswer(lock.id, new Uint8Array(16), NOW);
    const visited = await visitDoor({ list, door: list.doors[0], reach: reachOf(linkTo(lock)), time, tell });
    assert.equal(visited.outcome, "done");
    assert.deepEqual(
      visited.alsoRefused.map(({ what }) => what),
      ["time"],
    );
    assert.match(shown(told, false), /^ {2}time refused: .+ \([a-z-]+\)$/m);
  });

  it("K3 has each receipt on disk before the next message goes out", async () => {
    const list = await issue("door-0");
    const whole = linkTo(site.locks[0]);
    let given = 0;
    const kept = () => readFileSync(list.path, "utf8").split('"kind":"receipt"').length - 1;
    const watched: Link = {
      ...whole,
      request: async (message) => {
        assert.equal(kept(), given);
        const answer = await whole.request(message);
        if (answer !== undefined && typeOf(answer) === Type.receipt) given++;
        return answer;
      },
    };
    await visit(list, reachOf(watched));
    assert.ok(given >= 3);
    assert.equal(kept(), given);
    const again = standingOf(readWorkList(list.path), readWorkList(list.path).doors[0]);
    assert.equal(again.latest?.is, "expected");
  });

  it("S7 brings nothing to another lock that answers in the place of its own", async () => {
    const list = await issue("door-0");
    const { visited } = await visit(list, reachOf(linkTo(site.locks[1])));
    assert.deepEqual([visited.outcome, visited.reason], ["refused", "meant for another lock"]);
    assert.equal(site.locks[1].virtual.lock.parts.table.applied, 0);
  });

  it("K1 gives no tick to a receipt that was changed on its way, and says so at once", async () => {
    const list = await issue("door-0");
    const whole = linkTo(site.locks[0]);
    const changed: Link = {
      ...whole,
      request: async (message) => {
        const answer = await whole.request(message);
        if (answer === undefined || typeOf(answer) !== Type.receipt) return answer;
        return answer.map((byte, i) => (i === answer.length - 1 ? byte ^ 1 : byte));
      },
    };
    const { visited, told } = await visit(list, reachOf(changed));
    assert.deepEqual([visited.done, visited.tick, isFine(visited)], [0, null, false]);
    assert.ok(told.some((event) => event.event === "not-a-receipt" && event.why === "bad-signature"));
    const next = await visit(list, reachOf(linkTo(site.locks[0])));
    assert.deepEqual([next.visited.done, next.visited.tick?.seq], [CHANGES, CHANGES]);
  });

  it("S9 counts the parts of a whole new table, and ends in its epoch", async () => {
    const first = await issue("door-0");
    await visit(first, reachOf(linkTo(site.locks[0])));
    await handIn(site.issuer, first, first.doors[0]);
    await site.issuer.rebase(site.locks[0].id);
    const list = await issue("door-0");
    assert.equal(list.doors[0].isNewTable, true);
    const advert = { id: new Uint8Array(6), applied: CHANGES, flags: 0 };
    assert.equal(needOf(list.doors[0], standingOf(list, list.doors[0]), advert).papers, true);
    const { visited, told } = await visit(list, reachOf(linkTo(site.locks[0])));
    const steps = told.filter(
      (event): event is StepEvent => event.event === "step" && event.part !== undefined,
    );
    const parts = steps.map(({ part }) => part);
    assert.deepEqual(
      parts,
      Array.from({ length: steps[0].parts as number }, (_, i) => i + 1),
    );
    assert.match(shown(told, false), /^door-0: rebase part 1 of 2$/m);
    assert.deepEqual([visited.outcome, visited.tick?.epoch], ["done", 2]);
  });

  it("draws one line in place where somebody watches, and never a line of more than 80 columns", async () => {
    const list = await issue("door-0");
    const { told } = await visit(list, reachOf(linkTo(site.locks[0])));
    const text = shown(told, true);
    assert.match(text, /█+░+ changes 32 of 71/);
    const plain = text.replaceAll("\x1b[1A", "").replaceAll("\x1b[2K", "");
    assert.ok(widest(plain) <= 80, plain);
    assert.match(plain, /door-0: done, 71 of 71 are in/);
    assert.ok(!shown(told, false).includes("\x1b"));
  });

  it("ends at Ctrl-C with what is in, and leaves the other doors alone", async () => {
    const list = await issue("door-0", "door-1");
    const stop = new AbortController();
    const whole = linkTo(site.locks[0]);
    const stopped: Link = {
      ...whole,
      request: async (message) => {
        const answer = await whole.request(message);
        if (typeOf(message) === Type.bundle) stop.abort();
        return answer;
      },
    };
    const told: DoorEvent[] = [];
    const tell = (event: DoorEvent): void => void told.push(event);
    const reach = reachOf(stopped, linkTo(site.locks[0]));
    const round = { list, doors: list.doors, reach, seconds: 1, all: false, signal: stop.signal, tell };
    const { fine, wrong } = await syncDoors(round);
    assert.deepEqual([fine, wrong], [0, 2]);
    const [visited] = told.filter((event) => event.event === "visited");
    assert.ok(visited.done > 0 && visited.done < CHANGES, `${visited.done} in`);
    assert.deepEqual([visited.outcome, visited.reason], ["interrupted", "interrupted"]);
    const [skipped] = told.filter((event) => event.event === "skipped");
    assert.deepEqual([skipped.door, skipped.why], ["door-1", "interrupted"]);
    assert.equal(told.filter((event) => event.event === "lost").length, 0, "nobody tries again");
  });

  it("goes through a folder that a lock answers in", async () => {
    const list = await issue("door-0");
    const folder = at("link");
    mkdirSync(folder);
    const { virtual } = site.locks[0];
    const answering = setInterval(() => answerFolder(folder, (message) => virtual.receive(message)), 5);
    const { code, out } = await run([
      "door",
      "identify",
      "door-0",
      "--work",
      list.path,
      "--link",
      "folder",
      "--folder",
      folder,
    ]);
    clearInterval(answering);
    assert.deepEqual([code, out], [0, "door-0: blinks now\n"]);
    assert.equal(virtual.board.feedback.identifications, 1);
  });

  it("goes over a broker as well, where locks do not show themselves", async () => {
    const list = await issue("door-0");
    const broker = await startBroker();
    const { virtual } = site.locks[0];
    try {
      virtual.join(brokerAt(broker.url));
      assert.ok(await virtual.online(ONLINE_MS));
      const link = ["--work", list.path, "--link", "mqtt", "--broker", broker.url];
      const { code, out } = await run(["door", "sync", ...link]);
      assert.equal(code, 0, out);
      assert.match(out, /door-0: done, 71 of 71 are in.*\n {2}✓ position 71 of epoch 1/);
      const scan = await run(["door", "scan", ...link, "--seconds", "1"]);
      assert.equal(scan.code, 2);
      assert.match(scan.err, /locks do not show themselves there/);
    } finally {
      virtual.join(undefined);
      await broker.close();
    }
  });

  describe("S10 what a lock shows of itself", () => {
    it("makes a name of its rotating id, a smooth signal, and null of what is not known", async () => {
      const list = await issue("door-0");
      const { linkKey } = list.doors[0];
      const id = (first: number) => rotatingId(node, linkKey, Uint8Array.of(first, 2, 3));
      const advert = { id: id(1), applied: 0, flags: 0 };
      const sightings = new Sightings(list);
      assert.equal(seenEvent(sightings.take({ radio: "a", rssi: undefined, advert }, 0)).signal, null);
      sightings.take({ radio: "a", rssi: -50, advert }, 1);
      const seen = sightings.take({ radio: "a", rssi: -60, advert }, 2);
      assert.deepEqual([seen.door?.door, seen.signal], ["door-0", -53]);
      const stranger = { ...advert, id: Uint8Array.of(1, 2, 3, 4, 5, 6) };
      const unknown = seenEvent(sightings.take({ radio: "b", rssi: -20, advert: stranger }, 3));
      assert.deepEqual(
        [unknown.is, unknown.door, unknown.lock, unknown.waiting, unknown.needs],
        ["unknown", null, null, null, null],
      );
      sightings.take({ radio: "c", rssi: -70, advert: { ...advert, id: id(9) } }, 4);
      assert.deepEqual(
        sightings.sorted().map(({ radio }) => radio),
        ["c", "b"],
        "one door is one line, under whatever address its radio goes",
      );
      assert.deepEqual(
        sightings.forget(14).map(({ radio }) => radio),
        ["b"],
        "gone after more than ten seconds",
      );
    });

    it("is sorted by changes, answers, events and clock, and what is nobody's is last", async () => {
      const list = await issue("door-0");
      const [door] = list.doors;
      const fetching = { ...door, bag: { ...door.bag, nextEvent: 1 } };
      const none = standingOf(list, door);
      const all = { ...none, answered: CHANGES, isVisited: true };
      const advert = (applied: number, flags = 0) => ({ id: new Uint8Array(6), applied, flags });
      const needs = [
        needOf(fetching, none, advert(10)),
        needOf(fetching, none, advert(CHANGES - 1)),
        needOf(fetching, none, advert(CHANGES)),
        needOf(fetching, all, advert(CHANGES, StatusFlag.eventsWaiting)),
        needOf(fetching, all, advert(CHANGES, StatusFlag.clockUnknown)),
        needOf(fetching, all, advert(CHANGES + 3)),
        undefined,
      ];
      assert.deepEqual([...needs].reverse().sort(byNeed), needs);
      assert.deepEqual(
        needs.slice(0, -1).map((need) => need && needText(need)),
        [
          "61 changes, 10 answers to fetch",
          "1 change, 70 answers to fetch",
          "71 answers to fetch",
          "events",
          "clock unknown",
          "up to date",
        ],
      );
    });
  });
});
