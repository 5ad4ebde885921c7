// Offline codes from the command line to the bolt (rule C23): a code that is made at the office opens a lock that hears of nobody any more, is
// denied, and is refused as soon as the lock has heard of that; and what the commands say to whoever gives out such codes.

import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { MemoryLink } from "../../protocol/courier/link";
import { deliver } from "../../protocol/issuer/mailbox";
import { weakness } from "../../protocol/issuer/pins";
import { instantOf } from "../../protocol/issuer/when";
import { toHex } from "../../protocol/wire/bytes";
import { DAY_S, weekdayOfDay } from "../../protocol/wire/civil";
import { reasonName } from "../../protocol/wire/codes";
import { typePin } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { readImage } from "../../tools/image";
import { openCounter, openOffice } from "../../tools/office/office";
import { dateText, dayText } from "../../tools/ui/time";
import { intlOffset } from "../../tools/zone";
import { ownFolder, run } from "./support";

const ZONE = "Europe/Berlin";
const DOORS = `door,profile,link,zone,keys\nfront,lock-1000,courier,${ZONE},staff\nshed,l500i,courier,${ZONE},staff\n`;
const PEOPLE = "person,name,role,keys,pin\nada,Ada,resident,staff,583920\n";
/** The day after tomorrow, so that no midnight comes between. */
const TODAY = Math.floor(Date.now() / 1000 / DAY_S) + 2;
const midnight = (day: number): number => instantOf({ seconds: day * DAY_S, local: true }, ZONE, intlOffset);

describe("C23 tumbler issuer offline-code", () => {
  const at = ownFolder();
  const store = () => ["--store", at("issuer")];
  let now = midnight(TODAY) + DAY_S / 2;
  let lock: VirtualLock;

  async function good(args: readonly string[]): Promise<string> {
    const { code, out, err } = await run([...args, ...store()]);
    assert.equal(code, 0, `${args.join(" ")}: ${out}${err}`);
    return out;
  }

  const words = (deed: string, kind: string, index: number, day = TODAY, door = "front"): string[] => {
    const code = ["--kind", kind, "--index", String(index), "--date", dateText(day)];
    return ["issuer", "offline-code", deed, door, ...code];
  };

  /** The code that is made without a warning. */
  async function made(kind: string, index: number, day = TODAY): Promise<string> {
    const { code, zone, switchedOn, warnings } = JSON.parse(
      await good([...words("make", kind, index, day), "--json"]),
    );
    assert.match(code, /^\d{9}$/);
    assert.deepEqual([zone, switchedOn, warnings], [ZONE, true, []]);
    return code;
  }

  /** Brings the lock all that waits for it. It hears of nobody between these calls. */
  async function sync(): Promise<void> {
    const office = await openOffice(at("issuer"));
    try {
      const link = new MemoryLink((message) => lock.receive(message));
      const delivery = { issuer: office.issuer, lock: toHex(lock.id), now: () => now, firstRequest: 1 };
      assert.equal((await deliver(delivery, link)).outcome, "done");
    } finally {
      await office.close();
    }
  }

  function type(digits: string): string {
    now += 2;
    return reasonName(typePin(lock.lock, digits));
  }

  before(async () => {
    const { owner } = JSON.parse(await good(["issuer", "begin", "--site", "north", "--json"]));
    writeFileSync(at("doors.csv"), DOORS);
    writeFileSync(at("people.csv"), PEOPLE);
    await good(["issuer", "import", "--doors", at("doors.csv"), "--people", at("people.csv")]);
    const files = ["--out", at("front.img"), "--record", at("front.json"), "--maker-key", at("maker.key")];
    assert.equal((await run(["provision", ...files, "--owner", owner, "--site", "north"])).code, 0);
    await good(["issuer", "bind", "front", at("front.json")]);
    const random = (buffer: Uint8Array) => void randomFillSync(buffer);
    const image = readImage(at("front.img"));
    lock = new VirtualLock({ image, crypto: node, world: { now: () => now }, random });
  });

  it("makes a code also where it is not switched on, and says how to switch it on", async () => {
    const first = await run([...words("make", "day", 0), ...store()]);
    assert.equal(first.code, 1);
    const [digits, window, warning] = first.out.split("\n");
    assert.match(digits, /^\d{9}$/);
    assert.equal(
      window,
      `front: opens on ${dayText(TODAY)}, 00:00 to 24:00, any number of times, by the clock in ${ZONE}`,
    );
    assert.equal(
      warning,
      "warning: kind day is not switched on at front: tumbler issuer set front offline-codes day:1",
    );
    await good(["issuer", "set", "front", "offline-codes", "day,once:2"]);
    const waiting = await run([...words("make", "day", 0), ...store()]);
    assert.equal(waiting.code, 1);
    assert.match(waiting.out, /day 0 of \S+ is switched on\nwarning: the lock of front has not confirmed/);
    await sync();
    assert.equal(await made("day", 0), digits);
    const others = [
      [words("make", "week", 0), "kind week is not switched on", "day,once,week:2"],
      [words("make", "day", 2), "index 2 of the kinds that are is not switched on", "day,once:3"],
    ] as const;
    for (const [args, what, how] of others) {
      const { code, out } = await run([...args, ...store()]);
      assert.equal(code, 1);
      assert.ok(out.includes(`${what} at front: tumbler issuer set front offline-codes ${how}\n`), out);
    }
  });

  it("opens a lock that was synced once, by codes that were made afterwards", async () => {
    const [day, once] = [await made("day", 0), await made("once", 1)];
    assert.deepEqual(
      [type(day), type(day), type(once), type(once)],
      ["granted", "granted", "granted", "used-up"],
    );
  });

  it("denies a code, and no neighbour of it, as soon as the lock has heard; and allows it again", async () => {
    const [code, other] = [await made("day", 0), await made("day", 1)];
    const told = await good(words("deny", "day", 0));
    assert.match(
      told,
      /^front: day 0 of \S+ is denied to the end of its window, as soon as the lock has it\.\n$/,
    );
    assert.equal(type(code), "granted", "the lock has not heard of it");
    await sync();
    assert.equal(type(code), "unknown");
    assert.equal(type(other), "granted");
    const again = await run([...words("make", "day", 0), ...store()]);
    assert.equal(again.code, 1);
    assert.match(
      again.out,
      /warning: day 0 of \S+ is denied at front: give out another index, or allow it again/,
    );
    await good(words("allow", "day", 0));
    await sync();
    assert.equal(type(code), "granted");
    await good(words("deny", "day", 0));
    await sync();
    assert.equal(type(code), "unknown");
    now += DAY_S;
    assert.equal(type(await made("day", 0, TODAY + 1)), "granted", "the day after");
  });

  it("works while another process has the store open, through that process", async () => {
    const office = await openOffice(at("issuer"));
    let works = 0;
    const counter = await openCounter(at("issuer"), office.issuer, () => works++);
    try {
      const code = await made("once", 0);
      assert.match(code, /^\d{9}$/);
      const { changed, denied, list } = JSON.parse(await good([...words("deny", "once", 0), "--json"]));
      assert.deepEqual([changed, denied], [true, true]);
      assert.deepEqual(list, [`day 0 of ${dateText(TODAY)}`, `once 0 of ${dateText(TODAY)}`]);
      assert.match(await good(words("deny", "once", 0)), /once 0 of \S+ was denied already\.$/m);
      assert.match(await good(words("allow", "once", 0)), /once 0 of \S+ is not denied any more/);
      assert.match(await good(words("allow", "once", 0)), /once 0 of \S+ was not denied\.$/m);
      assert.equal(works, 5);
    } finally {
      counter.close();
      await office.close();
    }
  });

  it("says when each kind opens, in words and in UTC, and takes today where no date is given", async () => {
    const monday = TODAY - ((weekdayOfDay(TODAY) + 6) % 7);
    const windows = {
      day: `on ${dayText(TODAY)}, 00:00 to 24:00, any number of times`,
      minutes: `on ${dayText(TODAY)}, 00:00 to 24:00, for 15 minutes after its first use`,
      once: `on ${dayText(TODAY)}, 00:00 to 24:00, once`,
      week: `from ${dayText(monday)} 00:00 to ${dayText(monday + 6)} 24:00, any number of times`,
    };
    for (const [kind, window] of Object.entries(windows)) {
      const { out } = await run([...words("make", kind, 1), "--json", ...store()]);
      const told = JSON.parse(out);
      assert.equal(told.window, `opens ${window}, by the clock in ${ZONE}`);
      const [first, last] = kind === "week" ? [monday, monday + 6] : [TODAY, TODAY];
      assert.deepEqual([told.first, told.last], [dateText(first), dateText(last)]);
      const seconds = [told.from, told.until].map((text) => Date.parse(text) / 1000);
      assert.deepEqual(seconds, [midnight(first), midnight(last + 1)]);
    }
    const today = ["issuer", "offline-code", "make", "front", "--kind", "day", "--index", "0", "--json"];
    const { first } = JSON.parse(await good(today));
    assert.equal(first, new Date().toLocaleDateString("sv-SE", { timeZone: ZONE }));
  });

  it("warns of a code that is over, and of one that is somebody's PIN", async () => {
    const over = await run([...words("make", "day", 0, TODAY - 5), ...store()]);
    assert.equal(over.code, 1);
    assert.match(over.out, /warning: its window is over: give another date/);
    // No PIN of a person is weak; a code may be.
    let day = TODAY + 1;
    let code = "0";
    while (weakness(code) !== undefined) code = await made("day", 1, ++day);
    writeFileSync(at("bob.csv"), `person,name,role,keys,pin\nbob,Bob,resident,staff,${code}\n`);
    await good(["issuer", "import", "--people", at("bob.csv")]);
    const taken = await run([...words("make", "day", 1, day), ...store()]);
    assert.match(taken.out, /warning: it is somebody's PIN: give out another index/);
    await good(["issuer", "remove", "bob"]);
    await made("day", 1, day);
  });

  it("says what was wrong, where, and what was wanted, and changes nothing", async () => {
    for (let index = 0; index < 7; index++) await good(words("deny", "once", index));
    const journal = readFileSync(at("issuer/journal"));
    const make = ["issuer", "offline-code", "make"];
    const cases: [string[], RegExp][] = [
      [
        words("deny", "day", 7),
        /keeps 8 denied offline codes.*wanted room for day 7.*allow one of them again/,
      ],
      [words("make", "month", 0), /--kind: got "month", wanted day, minutes, once, week/],
      [words("make", "day", 8), /--index: got "8", wanted 0 to 7/],
      [words("make", "day", 0.5), /--index: got "0.5", wanted 0 to 7/],
      [words("make", "day", 0, TODAY, "attic"), /door attic: there is none of this name/],
      [words("make", "day", 0, TODAY, "shed"), /door shed: has no lock yet[\s\S]*tumbler issuer bind shed/],
      [words("deny", "day", 1, TODAY - 5), /day 1 of \S+ at front: it is over, and opens nothing any more/],
      [
        [...make, "front", "--kind", "day", "--index", "0", "--date", "1.3."],
        /--date: got "1\.3\.", wanted a date/,
      ],
      [
        [...make, "front", "--kind", "day", "--index", "0", "--date", "2027-02-29"],
        /--date: got "2027-02-29"/,
      ],
      [[...make, "front", "--kind", "day"], /--index/],
      [[...make, "front", "--index", "0"], /--kind/],
      [
        ["issuer", "set", "front", "offline-codes", "day"],
        /offline-codes: got "day", wanted none, or kinds of/,
      ],
      [["issuer", "set", "front", "offline-codes", "day,noon:2"], /offline-codes: got "day,noon:2"/],
      [["issuer", "set", "front", "offline-codes", "day:9"], /indexes of offline codes 9: wanted .* 1 to 8/],
    ];
    for (const [args, message] of cases) {
      const { code, out, err } = await run([...args, ...store()]);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, message);
    }
    assert.deepEqual(readFileSync(at("issuer/journal")), journal);
    await good(["issuer", "set", "front", "offline-codes", "none"]);
    const off = await run([...words("make", "day", 0), ...store()]);
    assert.match(off.out, /kind day is not switched on/);
  });

  it("has help with examples for each command, in 80 columns", async () => {
    for (const deed of [[], ["make"], ["deny"], ["allow"]]) {
      const { code, out } = await run(["issuer", "offline-code", ...deed, "--help"]);
      assert.equal(code, 0);
      assert.match(out, /Examples:\n {2}tumbler issuer offline-code make front --kind once/);
      assert.match(out, /Exit codes: 0 done; 1 make: with a warning/);
      for (const line of out.split("\n")) assert.ok([...line].length <= 80, line);
    }
  });
});
