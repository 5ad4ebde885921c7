// An installer's round over the virtual air: a work list from the office, doors without a network, and what comes home from them.

import assert from "node:assert/strict";
import { appendFileSync, chmodSync, copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import pc from "picocolors";
import { BACKOFF_S } from "../../protocol/courier/resume";
import { openLock, readImage } from "../../tools/image";
import { main } from "../../tools/tumbler";
import { bringHome, doorsOf, readWorkList } from "../../tools/worklist/work-list";
import { PINS } from "../protocol/issuer/rig";
import { ownFolder, type Ran, run, widest } from "./support";

const DOORS = `door,profile,link,zone,keys
front,lock-1000,courier,Europe/Berlin,staff
shed,l500i,courier,Europe/Berlin,staff
attic,lock-1000,courier,Europe/Berlin,none
`;
const PEOPLE = 70;
const people = (from: number, to: number): string =>
  Array.from(
    { length: to - from },
    (_, i) => `p${from + i},Person ${from + i},resident,staff,${PINS[from + i]}\n`,
  ).join("");
const HEAD = "person,name,role,keys,pin\n";
/** A zone and a PIN of each. */
const CHANGES = PEOPLE + 1;
const SLOTS_OF_SHED = 10;
/** A packet in the middle of the bundles at the smallest MTU. */
const CUT = 250;

// biome-ignore lint/suspicious/noExplicitAny: what JSON gives
type Told = any;

describe("An installer's round", function () {
  this.timeout(20_000);
  const at = ownFolder();
  const store = () => ["--store", at("issuer")];
  const work = () => at("doors.work");
  const sim = (...names: string[]) => ["--link", "sim", "--image", ...names.map((name) => at(`${name}.img`))];
  const door = (...args: string[]): Promise<Ran> => run(["door", ...args]);

  async function good(args: readonly string[]): Promise<string> {
    const { code, out, err } = await run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${err}${out}`);
    return out;
  }

  const linesOf = (out: string): Told[] =>
    out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));

  /** Syncs with --json: the exit code, and what was told by its kind. */
  async function sync(...args: string[]): Promise<{ code: number; told: (event: string) => Told[] }> {
    const { code, out, err } = await door("sync", "--json", ...args);
    assert.equal(err, "");
    const lines = linesOf(out);
    return { code, told: (event) => lines.filter((line) => line.event === event) };
  }

  const receipts = async (name: string): Promise<Told> =>
    linesOf((await door("receipts", name, "--work", work(), "--json")).out)[0];

  async function provision(name: string, owner: readonly string[], profile = "lock-1000"): Promise<void> {
    const files = [
      "--out",
      at(`${name}.img`),
      "--record",
      at(`${name}.json`),
      "--maker-key",
      at("maker.key"),
    ];
    await good(["provision", ...files, ...owner, "--site", "north", "--profile", profile]);
  }

  before(async () => {
    const { owner } = JSON.parse(await good(["issuer", "begin", "--site", "north", ...store(), "--json"]));
    writeFileSync(at("doors.csv"), DOORS);
    writeFileSync(at("people.csv"), HEAD + people(0, PEOPLE));
    await good(["issuer", "import", "--doors", at("doors.csv"), "--people", at("people.csv"), ...store()]);
    await provision("front", ["--owner", owner]);
    await provision("shed", ["--owner", owner], "l500i");
    await provision("attic", ["--owner", owner]);
    await provision("fresh", ["--owner-key", at("other.key")]);
    for (const name of ["front", "shed", "attic"])
      await good(["issuer", "bind", name, at(`${name}.json`), ...store()]);
    await good(["issue", "front", "shed", "--out", work(), ...store()]);
    copyFileSync(work(), at("first.work"));
  });

  describe("S10 a scan", () => {
    it("names doors of the list, shows who has no owner, and sorts by need and signal", async () => {
      const { code, out } = await door(
        "scan",
        "--work",
        work(),
        ...sim("fresh", "shed", "front"),
        "--seconds",
        "3",
        "--json",
      );
      assert.equal(code, 0);
      const seen = linesOf(out);
      assert.deepEqual(
        seen.map(({ is, door: name, waiting }) => [is, name, waiting]),
        [
          ["unowned", null, null],
          ["door", "shed", CHANGES],
          ["door", "front", CHANGES],
        ],
        "each is told once, since nothing changes",
      );
      const fresh = JSON.parse(readFileSync(at("fresh.json"), "utf8")).lock;
      assert.equal(seen[0].lock, fresh.slice(0, 12));
      assert.ok(seen.every(({ signal }) => signal < -30 && signal > -90));
    });

    it("says what is not known as not known, in plain lines of 80 columns", async () => {
      const { out } = await door("scan", "--work", work(), ...sim("fresh", "shed"), "--seconds", "2");
      assert.match(out, /^unowned [0-9a-f]{12}: needs –, signal -\d+ dBm$/m);
      assert.match(out, /^shed: no owner yet, 71 changes, clock unknown, signal -\d+ dBm$/m);
      assert.ok(widest(out) <= 80 && !out.includes("\x1b"), out);
    });

    it("draws a list in place where somebody watches, most in need first", async () => {
      let drawn = "";
      const terminal = {
        out: (text: string) => {
          drawn += text;
        },
        err: () => {},
        colours: pc.createColors(false),
        isLive: true,
        secret: async () => "",
        exitCode: 0,
      };
      await main(
        ["door", "scan", "--work", work(), ...sim("fresh", "shed", "front"), "--seconds", "2"],
        terminal,
      );
      const last = drawn.slice(drawn.lastIndexOf("\x1b[4A"));
      const rows = last.split("\n").map((row) => row.replaceAll("\x1b[4A", "").replaceAll("\x1b[2K", ""));
      assert.deepEqual(
        rows.slice(1, 3).map((row) => row.trim().split(/ {2,}/)[0]),
        ["shed", "front"],
      );
      assert.match(
        rows[3],
        /^ {2}unowned [0-9a-f]{11}… +– +-\d+ dBm$|^ {2}unowned [0-9a-f]{12} *– +-\d+ dBm$/,
      );
      assert.ok(widest(rows.join("\n")) <= 80);
    });
  });

  describe("S5 I4 a sync", () => {
    it("goes on where its connection broke, and ends with a green tick", async () => {
      const { code, told } = await sync(
        "front",
        "--work",
        work(),
        ...sim("front"),
        "--mtu",
        "23",
        "--cut",
        String(CUT),
      );
      assert.equal(code, 0);
      const [lost, ...more] = told("lost");
      assert.ok(lost.done > 0 && lost.done < CHANGES, `cut with ${lost.done} of ${CHANGES}`);
      assert.deepEqual([more.length, lost.waitS], [0, BACKOFF_S[0]]);
      const [visited] = told("visited");
      assert.deepEqual(
        [visited.outcome, visited.done, visited.of, visited.attempts],
        ["done", CHANGES, CHANGES, 2],
      );
      assert.deepEqual([visited.tick.epoch, visited.tick.seq, visited.tick.clock], [1, CHANGES, "courier"]);
      const { table } = openLock(readImage(at("front.img"))).parts;
      assert.match(visited.tick.digest, /^[0-9a-f]{64}$/);
      assert.equal(table.applied, CHANGES);
      const answers = told("answer");
      assert.deepEqual(new Set(answers.map(({ seq }) => seq)).size, CHANGES, "each change has one answer");
      assert.equal(answers.length, CHANGES);
      assert.deepEqual(
        [answers[0].change, answers[1].change, answers[1].code, answers[1].text],
        ["setting zone", "PIN of Person 0", "applied", "done"],
      );
    });

    it("tells its real steps, and counts the changes that have their answers", async () => {
      copyFileSync(at("first.work"), at("steps.work"));
      await provisionAgain();
      const { told } = await sync("attic", "--work", at("attic.work"), ...sim("attic"));
      const steps = told("step").map(({ step }) => step);
      const order = steps.filter((step, i) => step !== "hello" && steps.indexOf(step) === i);
      assert.deepEqual(order, ["connect", "claim", "keys", "changes", "sign of life", "events"]);
      const counts = told("step").map(({ done }) => done);
      assert.deepEqual(
        counts,
        [...counts].sort((a, b) => a - b),
        "never goes back",
      );
    });

    async function provisionAgain(): Promise<void> {
      await good(["issue", "attic", "--out", at("attic.work"), ...store()]);
    }

    it("leaves out a lock that shows that it has everything, says so, and visits it with --all", async () => {
      const one = await sync("front", "--work", work(), ...sim("front"));
      assert.equal(one.code, 0);
      assert.deepEqual(
        one.told("skipped").map(({ door: name, why }) => [name, why]),
        [["front", "has-everything"]],
      );
      assert.equal(one.told("step").length, 0, "nobody connected");
      const all = await sync(
        "front",
        "--all",
        "--work",
        work(),
        ...sim("front"),
        "--interval",
        "7.5",
        "--mtu",
        "517",
      );
      assert.equal(all.told("visited")[0].outcome, "done");
      assert.ok(all.told("visited")[0].tick, "the lock's word is asked for anew");
      const plain = await door("sync", "front", "--work", work(), ...sim("front"));
      assert.match(
        plain.out,
        /^front: skipped: its lock shows that it has everything; its clock is not set,\n/m,
      );
    });

    it("K4 tells a refusal in plain words, with advice, in CSV, and by its exit code", async () => {
      copyFileSync(at("shed.img"), at("shed2.img"));
      copyFileSync(work(), at("again.work"));
      const csv = at("today.csv");
      const { code, told } = await sync("shed", "--work", work(), ...sim("shed"), "--csv", csv);
      assert.equal(code, 1);
      const refused = told("answer").filter(({ done }) => !done);
      assert.equal(refused.length, PEOPLE - SLOTS_OF_SHED);
      assert.deepEqual(
        [refused[0].change, refused[0].code, refused[0].text],
        [`PIN of Person ${SLOTS_OF_SHED}`, "capacity", "the lock has no place left"],
      );
      assert.match(refused[0].advice, /^free a slot/);
      const [visited] = told("visited");
      assert.deepEqual(
        [visited.refused, visited.tick, visited.latest.is],
        [refused.length, null, "other-table"],
      );
      const rows = readFileSync(csv, "utf8").split("\r\n");
      assert.equal(rows[0], "door,lock,seq,change,code,text,time");
      assert.equal(rows.length, CHANGES + 2);
      assert.match(
        rows[SLOTS_OF_SHED + 2],
        /^shed,[0-9a-f]{16},12,PIN of Person 10,capacity,the lock has no place left,\d{4}-.*Z$/,
      );
      const later = await sync("shed", "--work", work(), ...sim("shed"));
      assert.deepEqual(
        [later.code, later.told("summary")[0].wrong, later.told("skipped")[0].refused],
        [1, 1, refused.length],
        "left out on the next round, and not fine",
      );
      // A courier's name for the same round.
      const plain = await run(["deliver", at("again.work"), "shed", ...sim("shed2")]);
      assert.equal(plain.code, 1);
      assert.match(plain.out, /refused {2}PIN of Person 10: the lock has no place left \(capacity\)/);
      assert.equal(
        plain.out.match(/free a slot at this lock/g)?.length,
        1,
        "the advice once, not sixty times",
      );
      assert.ok(widest(plain.out) <= 80 && !plain.out.includes("\x1b"), plain.out);
    });

    it("says of a door that is not in range that it is not, and exits with 1", async () => {
      const { code, told } = await sync("shed", "--work", work(), ...sim("front"));
      assert.equal(code, 1);
      assert.deepEqual(told("skipped")[0].why, "not-in-range");
      assert.equal(told("summary")[0].notInRange, 1);
    });

    it("S8 sets the clock where the office is at hand, and is dated by it", async () => {
      const { told } = await sync("front", "--work", work(), ...sim("front"), ...store());
      assert.ok(told("step").some(({ step }) => step === "time"));
      assert.equal(told("visited")[0].tick.clock, "lock");
    });
  });

  describe("K3 what came home", () => {
    it("is not yet reported until it is handed in, and then everything is settled", async () => {
      const before = await receipts("front");
      assert.ok(before.unreported > 0);
      assert.ok(before.changes.every(({ reported, code }: Told) => !reported && code === "applied"));
      const forced = await run(["issue", "--out", work(), "--force", ...store()]);
      assert.equal(forced.code, 2);
      assert.match(forced.err, /not yet reported\n\(hand them in first: tumbler receipts /);
      const { code, out } = await run(["receipts", work(), ...store(), "--json"]);
      assert.equal(code, 1, "the shed had no place for all");
      const [front, shed] = JSON.parse(out);
      assert.deepEqual([front.confirmed, front.failed, front.alarms], [CHANGES, [], []]);
      assert.deepEqual([shed.confirmed, shed.alarms], [SLOTS_OF_SHED + 1, []]);
      const shown = JSON.parse((await run(["issuer", "show", "front", ...store(), "--json"])).out);
      assert.ok(shown.locks[0].isSettled);
      const after = await receipts("front");
      assert.equal(after.unreported, 0);
      assert.ok(after.changes.every(({ reported }: Told) => reported));
      const text = await door("receipts", "front", "--work", work());
      assert.match(
        text.out,
        /^front: 71 of 71 changes answered; 71 of the answers reported, 0 not yet\n {2}✓ position 71 of/,
      );
    });

    it("comes home with the next one when an installer with all the receipts is lost", async () => {
      const { code, told } = await sync("front", "--work", at("first.work"), ...sim("front"));
      assert.equal(code, 0);
      assert.equal(
        told("step").filter(({ step }) => step === "answers").length > 0,
        true,
        "asks for the answers",
      );
      assert.equal(told("answer").length, CHANGES);
      assert.equal(told("visited")[0].tick.seq, CHANGES);
    });

    it("survives a line that was cut while it was written; whatever else was kept stays", () => {
      const path = at("torn.work");
      copyFileSync(work(), path);
      const whole = readWorkList(path);
      appendFileSync(path, '{"lock":"00112233aabb');
      const torn = readWorkList(path);
      assert.deepEqual(
        [torn.damaged, torn.homeCount, torn.reportedCount],
        [1, whole.homeCount, whole.reportedCount],
      );
      bringHome(torn, doorsOf(torn, ["front"])[0], { at: 7, kind: "visit", end: { outcome: "silent" } });
      const again = readWorkList(path);
      assert.deepEqual([again.damaged, again.homeCount], [1, whole.homeCount + 1]);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    });

    it("K1 counts for nothing, and has no tick, where it is not the lock's own receipt", async () => {
      const path = at("forged.work");
      await good(["issue", "front", "shed", "--out", path, ...store()]);
      const forged = readWorkList(path);
      const [front, shed] = doorsOf(forged, ["front", "shed"]);
      const own = doorsOf(readWorkList(work()), ["front"])[0].bag.receipts.at(-1)!;
      bringHome(forged, shed, { at: 1, kind: "receipt", message: own });
      const flipped = own.map((byte, i) => (i === own.length - 1 ? byte ^ 1 : byte));
      bringHome(forged, front, { at: 1, kind: "receipt", message: flipped });
      const { code, out } = await door("receipts", "--work", path, "--json");
      assert.equal(code, 1);
      assert.deepEqual(
        linesOf(out).map(({ door: name, tick, latest, notReceipts }) => [name, tick, latest, notReceipts]),
        [
          ["front", null, null, ["bad-signature"]],
          ["shed", null, null, ["wrong-lock"]],
        ],
      );
      const plain = await door("receipts", "--work", path);
      assert.match(plain.out, /not this lock's receipt \(bad-signature\); it counts for nothing/);
      assert.doesNotMatch(plain.out, /✓/);
    });
  });

  describe("one door", () => {
    it("says where its lock stands against the list, and not what it does not know", async () => {
      await good(["issuer", "set", "front", "relock-seconds", "30", ...store()]);
      await good(["issue", "front", "--out", work(), "--force", ...store()]);
      const status = async () =>
        linesOf((await door("status", "--work", work(), ...sim("front"), "--json")).out)[0];
      const behind = await status();
      assert.deepEqual(
        [behind.reached, behind.seq, behind.behind, behind.hasOwner, behind.clockUnknown, behind.freeSlots],
        [true, CHANGES, 1, true, true, null],
      );
      const { told } = await sync("--work", work(), ...sim("front"));
      assert.deepEqual(
        told("answer").map(({ change, text }) => [change, text]),
        [["setting relock-seconds", "done"]],
      );
      const now = await status();
      assert.deepEqual([now.behind, now.slots, now.freeSlots], [0, 1000, 1000 - PEOPLE]);
      const absent = await door("status", "--work", work(), ...sim("shed"));
      assert.equal(absent.code, 1);
      assert.match(absent.out, /^front, lock [0-9a-f]{16}: not in range/);
      const text = await door("status", "--work", work(), ...sim("front"));
      assert.match(text.out, /position {6}72 of epoch 1; nothing behind/);
      assert.ok(widest(text.out) <= 80);
    });

    it("blinks for whoever asks", async () => {
      const ran = await door("identify", "front", "--work", work(), ...sim("front"));
      assert.deepEqual(ran, { code: 0, out: "front: blinks now\n", err: "" });
    });
  });

  describe("a work list", () => {
    it("is its owner's alone, and holds no PIN", () => {
      assert.equal(statSync(work()).mode & 0o777, 0o600);
      const text = readFileSync(at("first.work"), "utf8");
      assert.match(text, /PIN of Person 5/);
      assert.ok(!PINS.slice(0, PEOPLE).some((pin) => text.includes(`"${pin}"`)));
    });

    it("says what is wrong where it is none, is damaged, or belongs to others", async () => {
      const text = readFileSync(at("first.work"), "utf8");
      const files: [string, string, RegExp][] = [
        ["empty", "", /not a work list/],
        ["prose", "Dear office,\n", /not a work list/],
        ["record", readFileSync(at("front.json"), "utf8"), /not a work list/],
        ["newer", text.replace("work list 1", "work list 2"), /another version: tumbler work list 2/],
        ["changed", text.replace("PIN of Person 5", "PIN of Person 6"), /damaged: its doors are not what/],
        ["short", text.slice(0, text.length / 2), /damaged/],
      ];
      for (const [name, content, message] of files) {
        const path = at(`${name}.work`);
        writeFileSync(path, content, { mode: 0o600 });
        const { code, err } = await door("receipts", "--work", path);
        assert.equal(code, 2, name);
        assert.match(err, message, name);
      }
      chmodSync(at("empty.work"), 0o644);
      assert.match((await door("receipts", "--work", at("empty.work"))).err, /others may read this secret/);
      assert.match(
        (await door("receipts", "cellar", "--work", work())).err,
        /door cellar: not in .*\n\(it has front\)/,
      );
      assert.match((await door("receipts", "--work", at("none.work"))).err, /no such file/);
    });

    it("is not taken by another office, which says so", async () => {
      const other = ["--store", at("elsewhere")];
      await good(["issuer", "begin", "--site", "north", ...other]);
      const { code, err } = await run(["receipts", work(), ...other]);
      assert.equal(code, 2);
      assert.match(err, /door front: lock [0-9a-f]{16} is none of this account/);
    });
  });

  it("explains itself on 80 columns", async () => {
    for (const words of [
      ["issue"],
      ["receipts"],
      ["door"],
      ...["scan", "sync", "status", "receipts", "identify", "unlock"].map((word) => ["door", word]),
    ]) {
      const { code, out } = await run([...words, "--help"]);
      assert.equal(code, 0);
      assert.ok(widest(out) <= 80, out);
    }
    assert.match((await run(["issue", "--help"])).out, /mode\s+600\), and is a secret/);
  });
});
