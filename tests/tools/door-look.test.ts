// What an installer sees of a door: how it is, why it stayed shut, who will be let in (rules I1, I2, I3, T17): an office's work list, a lock in
// a flash image, and the commands as they are typed.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { bagMailbox } from "../../protocol/courier/bag";
import { carry } from "../../protocol/courier/courier";
import { MemoryLink } from "../../protocol/courier/link";
import { Round } from "../../protocol/courier/round";
import { credentialTag } from "../../protocol/crypto/derive";
import type { Issuer } from "../../protocol/issuer/issuer";
import { ascii, toHex } from "../../protocol/wire/bytes";
import { Item } from "../../protocol/wire/digest";
import { Kind } from "../../protocol/wire/entry";
import { askBody, type Status, StatusFlag, Type } from "../../protocol/wire/messages";
import { Setting } from "../../protocol/wire/settings";
import { typePin } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { packImage } from "../../simulator/board/image";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { checkDoor } from "../../tools/door/check";
import { writeAll } from "../../tools/files";
import { openLock, readImage } from "../../tools/image";
import { inOffice } from "../../tools/office/office";
import { workAtDoor } from "../../tools/worklist/from-issuer";
import { readWorkList, type WorkDoor, workFile } from "../../tools/worklist/work-list";
import { ownFolder, type Ran, run } from "./support";

const DOORS = "door,profile,link,zone,keys\nfront,l500i,courier,Europe/Berlin,staff\n";
const SCHEDULES = "schedule,days,start,end\noffice,mon-fri,09:00,17:00\n";
const PINS = { ada: "583920", bob: "7192634", cleo: "4071852", dora: "9530617" };
const MASTER = "30719264";
const ALIAS = "Shed of the north";
const PEOPLE = (phone: string, other: string): string =>
  `person,name,role,keys,pin,phone-key,schedule,start,end,capabilities
ada,Ada,admin,staff,${PINS.ada},${phone},,,,read-log
bob,Bob,team,staff,${PINS.bob},,office,,,
cleo,Cleo,guest,staff,${PINS.cleo},,,2027-03-01T12:00,2027-03-02T12:00,
dora,Dora Maar,resident,staff,${PINS.dora},${other},,,,
`;
/** 2027-03-01, a Monday, 10:00 in Berlin. */
const MONDAY_10 = Date.UTC(2027, 2, 1, 9) / 1000;

describe("Looking at a door", () => {
  const at = ownFolder();
  const store = (): string[] => ["--store", at("issuer")];
  const work = (): string[] => ["--work", at("doors.work")];
  const link = (image = "front.img"): string[] => ["--link", "sim", "--image", at(image)];
  /** Moves with the test; the lock's world. */
  let now = MONDAY_10;

  async function good(args: readonly string[]): Promise<string> {
    const { code, out, err } = await run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${err}${out}`);
    return out;
  }

  const virtual = (): VirtualLock =>
    new VirtualLock({
      image: readImage(at("front.img")),
      crypto: node,
      world: { now: () => now },
      random: (buffer) => void crypto.getRandomValues(buffer),
    });

  function keep(lock: VirtualLock): void {
    writeAll([{ path: at("front.img"), content: packImage(lock.board.image()), replace: true }]);
  }

  /** Writes the work list anew. */
  const issue = (): Promise<void> =>
    inOffice(at("issuer"), async (issuer) => {
      const doors = [await workAtDoor(issuer, "front")];
      writeAll([workFile(at("doors.work"), { site: "north", madeAt: MONDAY_10, doors }, true)]);
    });

  /** Brings the work list to a lock, and its time. */
  async function sync(lock: VirtualLock): Promise<void> {
    const { doors } = readWorkList(at("doors.work"));
    await inOffice(at("issuer"), async (issuer: Issuer) => {
      const time = (nonce: Uint8Array) => issuer.outbox.timeAnswer(toHex(lock.id), nonce, Math.floor(now));
      const mailbox = bagMailbox(doors[0].bag, async (nonce) => time(nonce));
      const carried = await carry(new MemoryLink((message) => lock.receive(message)), mailbox);
      assert.equal(carried.outcome, "done", carried.reason);
    });
  }

  before(async () => {
    const { owner } = JSON.parse(await good(["issuer", "begin", "--site", "north", ...store(), "--json"]));
    const phone = (await good(["door", "key", "--key", at("ada.key")])).trim();
    const other = (await good(["door", "key", "--key", at("dora.key")])).trim();
    writeFileSync(at("doors.csv"), DOORS);
    writeFileSync(at("schedules.csv"), SCHEDULES);
    writeFileSync(at("people.csv"), PEOPLE(phone, other));
    const sheets = ["doors", "schedules", "people"].flatMap((name) => [`--${name}`, at(`${name}.csv`)]);
    await good(["issuer", "import", ...sheets, ...store()]);
    const files = ["--out", at("front.img"), "--record", at("front.json"), "--maker-key", at("maker.key")];
    await good(["provision", ...files, "--owner", owner, "--site", "north", "--profile", "l500i"]);
    await good(["issuer", "bind", "front", at("front.json"), ...store()]);
    await inOffice(at("issuer"), async ({ settings }: Issuer) => {
      await settings.setMaster("front", MASTER);
      await settings.setAlias("front", ALIAS);
    });
    await issue();
  });

  describe("I1 door check", () => {
    const check = (...more: string[]): Promise<Ran> =>
      run(["door", "check", "front", ...work(), ...link(), ...more]);
    const linesOf = ({ out }: Ran): Record<string, { verdict: string; word: string; text: string }> => {
      const { lines } = JSON.parse(out);
      return Object.fromEntries(lines.map((line: { what: string }) => [line.what, line]));
    };

    it("finds a lock without an owner wrong, and takes nothing else for known", async () => {
      const ran = await check("--json");
      assert.equal(ran.code, 1);
      const { identity, flash, keyset, ...rest } = linesOf(ran);
      assert.deepEqual([identity.verdict, identity.word], ["wrong", "said"]);
      assert.equal(keyset.verdict, "wrong");
      assert.equal(flash.verdict, "fine");
      for (const { verdict } of Object.values(rest)) assert.equal(verdict, "unknown");
    });

    it("finds nothing wrong with a door that is synced, and says what is signed and what is unknown", async () => {
      now = Date.now() / 1000;
      const lock = virtual();
      await sync(lock);
      keep(lock);
      // A virtual lock boots for each command: its clock is unknown then, which is wrong indeed.
      const ran = await check("--json");
      const lines = linesOf(ran);
      assert.equal(lines.clock.verdict, "wrong");
      const others = Object.entries(lines).filter(([what]) => what !== "clock");
      assert.ok(others.every(([, { verdict }]) => verdict !== "wrong"));
      for (const what of ["position", "table", "slots", "model", "firmware", "features", "zone"])
        assert.deepEqual([lines[what].verdict, lines[what].word], ["fine", "signed"], what);
      for (const what of ["keyset", "flash"]) assert.equal(lines[what].word, "said");
      for (const what of ["battery", "motor", "sensor"]) assert.equal(lines[what].verdict, "unknown", what);
      assert.match(lines.slots.text, /^4 of 10 free$/);
      assert.match(lines.zone.text, /^<\+01>-1<\+02>,M3/);
      assert.equal(lines.model.text, "l500i");
    });

    it("fits 80 columns, and marks each line", async () => {
      const { out } = await check();
      for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
      assert.match(out, /✗ {2}clock/);
      assert.match(out, /\? {2}battery {2,}unknown/);
    });

    /** A door that was synced just now, and what its lock says. */
    async function asked(): Promise<{ door: WorkDoor; status: Status; receipt: Uint8Array }> {
      const lock = virtual();
      await sync(lock);
      lock.reconnect();
      const round = new Round(new MemoryLink((message) => lock.receive(message)), 1);
      const status = await round.hello();
      const { message } = await round.exchange(Type.ask, askBody({ first: 1, about: true }));
      const [door] = readWorkList(at("doors.work")).doors;
      return { door, status, receipt: message };
    }

    it("tells the clock, and compares it with its own", async () => {
      const { door, status, receipt } = await asked();
      const clockAt = (ours: number) =>
        checkDoor({ door, status, receipt, now: ours }).find(({ what }) => what === "clock");
      assert.equal(clockAt(now)?.verdict, "fine");
      assert.equal(clockAt(now + 59)?.verdict, "fine");
      assert.equal(clockAt(now + 600)?.verdict, "wrong");
      assert.match(clockAt(now - 600)?.text ?? "", /10 min ahead of/);
    });

    it("takes nothing for signed that the lock did not sign", async () => {
      const { door, status, receipt } = await asked();
      const forged = receipt.map((byte, i) => (i === receipt.length - 1 ? byte ^ 1 : byte));
      const lines = checkDoor({ door, status, receipt: forged, now });
      const signed = lines.filter(({ word }) => word === "signed").map(({ what }) => what);
      assert.deepEqual(signed, ["last sync"].slice(door.facts.lastSync > 0 ? 0 : 1));
      assert.equal(lines.find(({ what }) => what === "identity")?.verdict, "wrong");
    });

    it("takes another table for unknown, and not for wrong, where the lock refused something", async () => {
      const { door, status, receipt } = await asked();
      const goal = door.changes.at(-1) ?? door.from;
      const other = { ...door, from: { ...goal, digest: new Uint8Array(32) }, changes: [] };
      const table = (refused: number) =>
        checkDoor({ door: other, status, receipt, now, refused }).find(({ what }) => what === "table");
      assert.equal(table(0)?.verdict, "wrong");
      assert.equal(table(1)?.verdict, "unknown");
      assert.match(table(1)?.text ?? "", /^without 1 refused change: .*tumbler audit front/);
    });

    it("tells of each thing that is not as the office has it", async () => {
      const { door, status, receipt } = await asked();
      const said = (what: string, changes: Partial<WorkDoor>, flags = 0, keyset = status.keyset): string => {
        const altered = { ...door, ...changes };
        const given = { ...status, keyset, flags: status.flags | flags };
        const lines = checkDoor({ door: altered, status: given, receipt, now });
        const found = lines.find((line) => line.what === what);
        return `${found?.verdict}, ${found?.word}: ${found?.text}`;
      };
      const goal = door.changes.at(-1) ?? door.from;
      const elsewhere = (more: object): Partial<WorkDoor> => ({ from: { ...goal, ...more }, changes: [] });
      const other = new Uint8Array(32);
      assert.match(said("position", elsewhere({})), /^fine, signed: \d+ in epoch 1, as expected$/);
      assert.match(said("position", elsewhere({ seq: goal.seq - 2 })), /^unknown, signed: .* 2 ahead/);
      assert.match(said("table", elsewhere({ seq: goal.seq - 2 })), /^unknown, signed: nothing to compare/);
      assert.match(
        said("position", elsewhere({ head: other })),
        /^wrong, signed: .*not what the office signed/,
      );
      assert.match(said("table", elsewhere({ digest: other })), /^wrong, signed: its digest is not/);
      assert.match(said("zone", elsewhere({ digest: other })), /^unknown, none: /);
      assert.match(
        said("position", { epoch: 2, isNewTable: true }),
        /^wrong, signed: .*a whole new table waits/,
      );
      const { facts } = door;
      const table = { ...facts.table, profile: "lock-1000" as const };
      assert.match(
        said("model", { facts: { ...facts, table } }),
        /^wrong, signed: l500i; the office takes it/,
      );
      assert.match(said("keyset", { facts: { ...facts, keyset: 9 } }), /^wrong, said: 1, the office has 9/);
      assert.match(said("keyset", {}, 0, 2), /^unknown, said: 2, the work list has 1/);
      assert.match(said("flash", {}, StatusFlag.storageFault), /^wrong, said: a fault/);
      assert.match(said("battery", {}, StatusFlag.lowBattery), /^wrong, said: low/);
      assert.match(
        said("last sync", { facts: { ...facts, lastSync: 0 } }),
        /^unknown, none: no receipt so far/,
      );
      assert.match(
        said("last sync", { facts: { ...facts, lastSync: MONDAY_10 } }),
        /: 2027-03-01T09:00:00Z$/,
      );
    });

    it("tells how far a door is behind", async () => {
      const row = "person,name,role,keys,pin\neve,Eve,resident,staff,62048137\n";
      writeFileSync(at("more.csv"), row);
      await good(["issuer", "import", "--people", at("more.csv"), ...store()]);
      await issue();
      const { position } = linesOf(await check("--json"));
      assert.equal(position.verdict, "wrong");
      assert.match(position.text, /, 1 behind: sync the door$/);
    });
  });

  describe("I2 door why", () => {
    const why = (...more: string[]): Promise<Ran> =>
      run(["door", "why", "front", "--key", at("ada.key"), ...work(), ...link(), ...more]);

    before(async () => {
      now = MONDAY_10 + 12 * 3600;
      const lock = virtual();
      typePin(lock.lock, PINS.bob);
      now += 60;
      await sync(lock);
      now += 60;
      typePin(lock.lock, PINS.bob);
      for (let i = 0; i < 7; i++) typePin(lock.lock, `11122${i}`);
      keep(lock);
      const dark = virtual();
      now += 340;
      typePin(dark.lock, PINS.bob);
      keep(dark);
    });

    it("tells newest first, in the door's time, re-dated where the lock does so, and by boot where not", async () => {
      const { code, out } = await why();
      assert.equal(code, 0, out);
      const rows = out.split("\n");
      assert.match(rows[0], /^ {2}local time +by +why$/);
      assert.match(rows[1], /^ {2}boot \d+, 340 s +keypad +the lock does not know the time$/);
      assert.match(rows[2], /2027-03-01 22:02:00 +keypad +too many wrong entries$/);
      assert.match(out, /2027-03-01 22:02:00 +keypad +outside the hours of the schedule/);
      assert.match(out, /2027-03-01 22:00:00 \* +keypad +the lock does not know the time/);
      assert.match(out, /\* before the clock was set; dated by when it was set/);
      assert.match(out, /the lock does not know the time: sync the door, which sets its clock\./);
      for (const line of rows) assert.ok(line.length <= 80, line);
      for (const secret of [...Object.values(PINS), "111222", "Bob", "bob"]) assert.ok(!out.includes(secret));
    });

    it("tells JSON with names and times, and is itself in the log", async () => {
      const told = JSON.parse((await why("--json")).out);
      assert.equal(told.outcome, "done");
      assert.deepEqual(
        [told.refusals[0].reason, told.refusals[0].time, told.refusals[0].uptime, told.refusals[0].isRedated],
        ["clock-unknown", null, 340, false],
      );
      const dated = told.refusals.find(({ isRedated }: { isRedated: boolean }) => isRedated);
      assert.equal(dated.at, "2027-03-01T21:00:00Z");
      assert.equal(dated.local, "2027-03-01T22:00:00+01:00");
      assert.ok(told.refusals.length <= 20);
      const shown = await good(["inspect", at("front.img"), "--json"]);
      assert.match(shown, /"event": "command"/);
    });

    it("tells UTC where no work list says the zone", async () => {
      const lock = toHex(openLock(readImage(at("front.img"))).parts.board.identity.lock);
      const out = await good(["door", "why", "--key", at("ada.key"), "--lock", lock, ...link()]);
      assert.match(out, /^ {2}UTC /);
      assert.match(out, /2027-03-01 21:02:00/);
    });

    it("is refused to a phone without read-log, which is told what it lacks", async () => {
      const { code, out } = await run([
        "door",
        "why",
        "front",
        "--key",
        at("dora.key"),
        ...work(),
        ...link(),
      ]);
      assert.equal(code, 1);
      assert.match(out, /refused: command: key-not-allowed\n {2}ask the office for the capability read-log/);
    });

    it("asks which door is meant", async () => {
      const { code, err } = await run(["door", "why", "--key", at("ada.key")]);
      assert.equal(code, 2);
      assert.match(err, /which door\?/);
    });
  });

  describe("I3 T17 door what-if", () => {
    const whatIf = (person: string, when: string, ...more: string[]): Promise<Ran> =>
      run(["door", "what-if", "front", person, ...work(), "--at", when, ...more]);

    it("says who is let in when, why, and what comes next, as the synced lock itself does", async () => {
      const lock = virtual();
      await sync(lock);
      const { pinKey } = JSON.parse(readFileSync(at("front.json"), "utf8")).keys;
      assert.equal(pinKey.length, 64);
      for (const [person, digits] of Object.entries(PINS))
        for (const when of [
          "2027-02-28T10:00",
          "2027-03-01T08:59",
          "2027-03-01T09:00",
          "2027-03-01T12:00",
          "2027-03-02T12:00",
        ]) {
          const { code, out } = await whatIf(person, when, "--json");
          const told = JSON.parse(out);
          const credentials = told.people[0].credentials;
          const [pin] = credentials.filter(({ slot }: { slot: { kind: string } }) => slot.kind === "pin");
          const at = pin.at.seconds;
          const real = lock.lock.why(Kind.pin, ascii(digits), { trust: 2, now: at, bound: 0 });
          assert.equal(pin.reason.value, real.reason, `${person} ${when}`);
          assert.equal(pin.next?.at.seconds ?? 0, real.next);
          assert.equal(pin.slot.slot, real.slot);
          assert.equal(told.granted, code === 0);
        }
    });

    it("knows people by handle or name, tells each of their credentials, and knows who has none", async () => {
      const dora = JSON.parse((await whatIf("Dora Maar", "2027-03-01T12:00", "--json")).out);
      assert.deepEqual(
        dora.people[0].credentials.map(({ slot }: { slot: { kind: string } }) => slot.kind).sort(),
        ["phone", "pin"],
      );
      const { code, out } = await whatIf("bob", "2027-03-01T18:00");
      assert.equal(code, 1);
      assert.match(out, /Bob \(bob\): Refused[\s\S]*outside-schedule/);
      assert.match(out, /As front is to be after a sync with the list of 2027-03-01T09:00:00Z/);
      const nobody = await whatIf("zoe", "2027-03-01T18:00");
      assert.equal(nobody.code, 1);
      assert.match(nobody.out, /zoe has no credential at front/);
    });

    it("finds no PIN, no tag of one and no master in the list's section", () => {
      const [door] = readWorkList(at("doors.work")).doors;
      const record = JSON.parse(readFileSync(at("front.json"), "utf8"));
      const pinKey = new Uint8Array(Buffer.from(record.keys.pinKey, "hex"));
      const section = JSON.stringify(door.facts.table.items.map(toHex));
      for (const digits of [...Object.values(PINS), MASTER]) {
        assert.ok(!section.includes(toHex(ascii(digits))));
        assert.ok(!section.includes(toHex(credentialTag(node, pinKey, Kind.pin, ascii(digits)))));
      }
      assert.ok(!readFileSync(at("doors.work"), "utf8").includes(record.keys.pinKey));
      const settings = door.facts.table.items.filter(([what]) => what === Item.setting).map(([, id]) => id);
      assert.deepEqual(settings, [Setting.zone], "neither the master nor what is sealed");
    });
  });
});
