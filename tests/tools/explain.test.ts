// `tumbler explain`: the lock's own answer at any instant, with its rule and what comes next; it repeats no PIN and changes nothing.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { REASONS } from "../../protocol/wire/codes";
import { Role } from "../../protocol/wire/entry";
import { Setting } from "../../protocol/wire/settings";
import { IDENTITY_BYTES } from "../../simulator/board/image";
import { Door, L500I } from "../support/door";
import { livelyDoor, ownFolder, PINS, run, secretsOf, widest, writeImage } from "./support";

describe("tumbler explain", () => {
  const at = ownFolder();
  let image: string;
  let door: Door;

  before(() => {
    door = livelyDoor();
    image = writeImage(at("lively.img"), door);
  });

  async function ask(...args: string[]) {
    const { out, err, code } = await run(["explain", image, ...args, "--json"]);
    assert.equal(err, "");
    const told = JSON.parse(out);
    assert.equal(code, told.granted ? 0 : 1);
    return told;
  }

  async function refusedUsage(text: RegExp, ...args: string[]): Promise<void> {
    const { code, out, err } = await run(["explain", ...args]);
    assert.match(err, text);
    assert.deepEqual([code, out], [2, ""]);
  }

  it("T1 takes a local time in the lock's zone, to the second at both edges of a window", async () => {
    for (const [time, reason] of [
      ["2027-03-01T08:59:59", "outside-schedule"],
      ["2027-03-01T09:00", "granted"],
      ["2027-03-01T09:00:00", "granted"],
      ["2027-03-01 09:00", "granted"],
      ["2027-03-01T08:00:00Z", "granted"],
      ["2027-03-01T03:00:00-05:00", "granted"],
      ["2027-03-01T16:59:59", "granted"],
      ["2027-03-01T17:00:00", "outside-schedule"],
      ["2027-02-28T12:00", "outside-schedule"],
      ["2027-02-28", "outside-schedule"],
    ]) {
      const { reason: told } = await ask("--pin", PINS.cleaner, "--at", time);
      assert.equal(told.name, reason, time);
    }
  });

  it("T9 T17 tells the next change over a change of the clock, in both clocks", async () => {
    const { at: asked, next } = await ask("--pin", PINS.cleaner, "--at", "2027-03-26T18:00");
    assert.deepEqual(asked, {
      seconds: Date.UTC(2027, 2, 26, 17) / 1000,
      utc: "2027-03-26T17:00:00Z",
      local: "2027-03-26T18:00:00+01:00",
    });
    assert.equal(next.at.local, "2027-03-29T09:00:00+02:00");
    assert.equal(next.at.utc, "2027-03-29T07:00:00Z");
    assert.equal(next.reason.name, "granted");
  });

  it("T4 T5 tells start and end of a guest, and that nothing comes after", async () => {
    const before = await ask("--pin", PINS.guest, "--at", "2027-03-01T08:59:59Z");
    assert.deepEqual([before.reason.name, before.next.at.utc], ["not-yet-valid", "2027-03-01T09:00:00Z"]);
    const inside = await ask("--pin", PINS.guest, "--at", "2027-03-01T09:00:00Z");
    assert.deepEqual([inside.granted, inside.next.at.utc], [true, "2027-03-03T09:00:00Z"]);
    assert.equal(inside.next.reason.name, "expired");
    const after = await ask("--pin", PINS.guest, "--at", "2027-03-03T09:00:00Z");
    assert.deepEqual([after.reason.name, after.next], ["expired", null]);
    assert.deepEqual([after.slot.slot, after.slot.user, after.slot.role], [4, 1004, "guest"]);
  });

  it("T12 shrinks windows by the bound, and takes the time for unknown above the policy", async () => {
    const reason = async (time: string, bound: string) =>
      (await ask("--pin", PINS.cleaner, "--at", time, "--bound", bound)).reason.name;
    assert.equal(await reason("2027-03-01T09:00:29", "30"), "outside-schedule");
    assert.equal(await reason("2027-03-01T09:00:30", "30"), "granted");
    assert.equal(await reason("2027-03-01T12:00", "600"), "granted");
    assert.equal(await reason("2027-03-01T12:00", "601"), "clock-unknown");
  });

  it("gives the rule with its words and advice from the table of reasons", async () => {
    const { reason } = await ask("--pin", PINS.off, "--at", "2027-03-01");
    assert.deepEqual(
      reason,
      REASONS.find(({ name }) => name === "disabled"),
    );
    const { out } = await run(["explain", image, "--pin", PINS.off, "--at", "2027-03-01"]);
    assert.match(out, /^Refused\n/);
    assert.match(out, /rule +disabled: the credential is switched off$/m);
    assert.match(out, /advice +let the issuer enable it$/m);
  });

  it("shows slot, role, schedule and both clocks on 80 columns", async () => {
    const { out, code } = await run(["explain", image, "--pin", PINS.cleaner, "--at", "2027-03-01T09:00"]);
    assert.equal(code, 0);
    assert.equal(
      out,
      `Granted

  at            Mon 2027-03-01 09:00:00 +01:00 (2027-03-01 08:00:00 UTC)
  clock         set, at most 0 s off
  rule          granted: the door opens
  advice        nothing to do
  credential    pin in slot 3, generation 6
  user          1003, team
  terms         notify
                schedule 1
  schedule 1    Mon–Fri 09:00–17:00
  mode          tour
  changes       Mon 2027-03-01 17:00:00 +01:00 (2027-03-01 16:00:00 UTC)
  then          outside-schedule: outside the hours of the schedule
`,
    );
    assert.ok(widest(out) <= 80);
  });

  it("C7 explains cards, however their UID is written", async () => {
    for (const uid of ["04a1b2c3", "04A1B2C3", "04:a1:b2:c3"]) {
      const { slot, granted } = await ask("--card", uid, "--at", "2027-03-01");
      assert.deepEqual([slot.slot, granted], [6, true]);
    }
    assert.equal((await ask("--card", "04a1b2c4")).reason.name, "unknown");
  });

  it("C2 explains entries that no lock takes, and PINs that this one does not know", async () => {
    for (const pin of ["123", "12345678901", "12a4", "１２３４", ""])
      assert.equal((await ask("--pin", pin)).reason.name, "bad-entry", pin);
    const { reason, slot, next } = await ask("--pin", "0135790");
    assert.deepEqual([reason.name, slot, next], ["unknown", null, null]);
  });

  it("A60 tells a mode that does not admit the role", async () => {
    const tour = new Door();
    tour.apply(
      { op: "set", setting: Setting.mode, value: new Uint8Array([2]) },
      tour.pin(0, "246802", { role: Role.prospect }),
    );
    const path = writeImage(at("tour.img"), tour);
    const { out, code } = await run(["explain", path, "--pin", "246802", "--at", "2027-03-01"]);
    assert.equal(code, 1);
    assert.match(out, /rule +wrong-mode: .*\n/);
    assert.match(out, /mode +resident\n/);
  });

  it("takes the PIN from standard input, and now where no time is given", async () => {
    const typed = await run(["explain", image, "--pin", "-", "--json"], `${PINS.resident}\n`);
    assert.equal(typed.code, 0);
    const told = JSON.parse(typed.out);
    assert.equal(told.slot.slot, 0);
    assert.ok(Math.abs(told.at.seconds - Date.now() / 1000) < 60);
    const nothing = await run(["explain", image, "--pin", "-"], "\n");
    assert.deepEqual([nothing.code, nothing.err], [2, "error: --pin -: no PIN came from standard input\n"]);
  });

  it("C5 never repeats a PIN, a tag or a key", async () => {
    for (const pin of [...Object.values(PINS), "864209", "12a4x"]) {
      for (const more of [[], ["--json"]]) {
        const { out, err } = await run(["explain", image, "--pin", pin, "--at", "2027-03-01T09:00", ...more]);
        for (const secret of [...secretsOf(door), pin]) assert.ok(!(out + err).includes(secret), secret);
      }
    }
  });

  it("agrees with the door itself, for each credential through two weeks", async () => {
    const world = new Door();
    world.apply(
      { op: "put-schedule", id: 1, windows: [{ days: 0b0101010, start: 540, duration: 480 }] },
      world.pin(0, "135790", { schedule: 1 }),
      world.pin(1, "864202", { start: world.now + 3 * 86_400, end: world.now + 5 * 86_400 + 7 }),
    );
    const path = writeImage(at("world.img"), world);
    for (let hour = 1; hour < 14 * 24; hour += 5) {
      world.now += 5 * 3600;
      world.setTime();
      world.lock.tick();
      const { now, bound } = world.lock.parts.clock.read();
      const time = new Date(now * 1000).toISOString().replace(".000", "");
      for (const pin of ["135790", "864202"]) {
        const { out } = await run([
          "explain",
          path,
          "--pin",
          pin,
          "--at",
          time,
          "--bound",
          String(bound),
          "--json",
        ]);
        assert.equal(JSON.parse(out).reason.name, world.type(pin), `${pin} at ${time}`);
      }
    }
  });

  it("says why a credential is in no slot: damage, no owner, no event log", async () => {
    const place = IDENTITY_BYTES + door.lock.parts.table.index.place(4) * 16;
    const spoilt: [string, (bytes: Uint8Array) => void, RegExp][] = [
      [
        "damaged.img",
        (bytes) => bytes.fill(0, place + 20, place + 24),
        /1 slot damaged, see `tumbler inspect`$/m,
      ],
      [
        "no-log.img",
        (bytes) => bytes.fill(0xff, IDENTITY_BYTES + 192 * 1024),
        /not looked up: without an event log/,
      ],
    ];
    for (const [name, spoil, text] of spoilt) {
      const { code, out } = await run(["explain", writeImage(at(name), door, spoil), "--pin", PINS.guest]);
      assert.equal(code, 1);
      assert.match(out, /^Refused\n/);
      assert.match(out, text);
    }
    const unclaimed = writeImage(at("unclaimed.img"), new Door({ unclaimed: true }));
    const { code, out } = await run(["explain", unclaimed, "--pin", PINS.guest]);
    assert.equal(code, 1);
    assert.match(out, /credential +none: the lock has no owner$/m);
  });

  it("exits with 2 for what cannot be asked", async () => {
    await refusedUsage(/no credential to explain\n\(add --pin or --card\)/, image);
    await refusedUsage(
      /option '--pin <digits>' cannot be used with option '--card <hex>'/,
      image,
      "--pin",
      "1",
      "--card",
      "2",
    );
    for (const time of [
      "yesterday",
      "2027-02-30",
      "2027-03-01T24:00",
      "2027-03-01T09:00+25:00",
      "1999-12-31",
    ])
      await refusedUsage(/--at .*: wanted a date YYYY-MM-DD/, image, "--pin", PINS.guest, "--at", time);
    for (const uid of ["040a0b", "04".repeat(11), "04a1b2c", "04a1b2zz"])
      await refusedUsage(/--card .*: wanted a UID of 4 to 10 bytes in hexadecimal/, image, "--card", uid);
    await refusedUsage(/wanted whole seconds/, image, "--pin", PINS.guest, "--bound", "1m");
    await refusedUsage(/no such file/, at("absent.img"), "--pin", PINS.guest);
    const small = writeImage(at("small.img"), new Door({ profile: L500I }));
    await refusedUsage(/--card: l500i has no card reader/, small, "--card", "04a1b2c3");
    const blank = writeImage(at("blank.img"), new Door({ profile: L500I }), (bytes) =>
      bytes.fill(0xff, 4096, 20_480),
    );
    await refusedUsage(/never formatted, or is ruined \(unformatted\)/, blank, "--pin", PINS.guest);
  });

  it("never changes the file", async () => {
    const before = readFileSync(image);
    await ask("--pin", PINS.guest, "--at", "2027-03-01T12:00");
    assert.deepEqual(readFileSync(image), before);
  });
});
