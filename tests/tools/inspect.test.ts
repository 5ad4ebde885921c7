// `tumbler inspect`: what it tells is what the lock itself would sign, it tells no secret, and it changes nothing.

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { toHex } from "../../protocol/wire/bytes";
import { Setting } from "../../protocol/wire/settings";
import { IDENTITY_BYTES } from "../../simulator/board/image";
import { Door, L500I, LOCK_1000 } from "../support/door";
import { BERLIN, livelyDoor, ownFolder, PINS, run, secretsOf, widest, writeImage } from "./support";

describe("tumbler inspect", () => {
  const at = ownFolder();
  let images = 0;

  const imageOf = (door: Door, spoil?: (bytes: Uint8Array) => void): string =>
    writeImage(at(`${++images}.img`), door, spoil);

  async function json(path: string, ...more: string[]) {
    const ran = await run(["inspect", path, "--json", ...more]);
    return { ...ran, told: JSON.parse(ran.out) };
  }

  for (const profile of [LOCK_1000, L500I]) {
    it(`A47 tells what the lock would sign in a receipt, ${profile.name}`, async () => {
      const door = livelyDoor({ profile });
      const path = imageOf(door);
      const { told, code } = await json(path);
      const receipt = door.receipt();
      const { state } = told;
      assert.equal(code, 0);
      assert.equal(told.lock, toHex(receipt.lock));
      assert.equal(told.profile.name, profile.name);
      assert.deepEqual(
        [state.log.epoch, state.log.applied, state.log.head, state.digest],
        [receipt.epoch, receipt.applied, toHex(receipt.head), toHex(receipt.digest)],
      );
      assert.equal(state.slots.used, receipt.slots);
      assert.equal(state.slots.free, profile.slots - receipt.slots);
      assert.equal(state.schedules.length, receipt.schedules);
      assert.equal(Math.round(state.density.rho * 1e10), receipt.density);
      assert.deepEqual([state.events.next, state.events.head], [receipt.nextEvent, toHex(receipt.eventHead)]);
      assert.deepEqual([state.acks.first, state.acks.last], [1, receipt.applied]);
      assert.deepEqual(told.problems, []);
    });
  }

  it("tells owner, keys, settings and schedules in plain words", async () => {
    const door = livelyDoor();
    const { out } = await run(["inspect", imageOf(door)]);
    for (const line of [
      /claim +1, site test$/m,
      new RegExp(`owner +${toHex(door.owner.publicKey)}$`, "m"),
      new RegExp(`key ${toHex(door.issuer.kid)} may sign bundle and time$`, "m"),
      /zone +CET-1CEST,M3\.5\.0,M10\.5\.0\/3$/m,
      /mode +tour$/m,
      /relock +not set: after 5 s$/m,
      /^ +1 +1 +Mon–Fri 09:00–17:00$/m,
      /^ +3 +0 +Sat, Sun 22:00–06:00 on the day after\n +Thu all day$/m,
      /PINs +1 of 5 digits, 2 of 6 digits, 1 of 10 digits$/m,
      /time +not before 2027-03-01T00:00:00Z, time epoch 0$/m,
    ])
      assert.match(out, line);
  });

  it("tells settings that were set to something else", async () => {
    const door = new Door();
    door.apply(
      { op: "set", setting: Setting.relockSeconds, value: new Uint8Array([0x0e, 0x10]) },
      { op: "set", setting: Setting.mode, value: new Uint8Array([2]) },
    );
    const { told } = await json(imageOf(door));
    assert.deepEqual([told.state.settings.mode, told.state.settings.relockSeconds], ["resident", 3600]);
    door.apply({ op: "set", setting: Setting.relockSeconds, value: new Uint8Array([0, 0]) });
    assert.match((await run(["inspect", imageOf(door)])).out, /relock +never by itself$/m);
  });

  it("lists every slot with its terms", async () => {
    const { told } = await json(imageOf(livelyDoor()));
    const [resident, cleaner, guest, off, card] = told.state.slotList;
    assert.deepEqual(
      told.state.slotList.map(({ slot }: { slot: number }) => slot),
      [0, 3, 4, 5, 6],
    );
    assert.deepEqual(
      [resident.kind, resident.digits, resident.role, resident.user, resident.generation],
      ["pin", 6, "resident", 1000, 5],
    );
    assert.deepEqual(resident.capabilities, ["grant", "read-log"]);
    assert.match(resident.firstUse, /^2027-0[23]-\d\dT/);
    assert.deepEqual([cleaner.schedule, cleaner.flags, cleaner.firstUse], [1, ["notify"], null]);
    assert.deepEqual([guest.start, guest.end], ["2027-03-01T09:00:00Z", "2027-03-03T09:00:00Z"]);
    assert.deepEqual([guest.uses, guest.grantor], [{ left: 3, of: 3 }, 1000]);
    assert.deepEqual([off.user, off.flags, off.firstUseWithinHours], [4294967295, ["disabled"], 255]);
    assert.deepEqual([card.kind, card.digits, card.minutesAfterFirstUse], ["card", null, 2880]);
  });

  it("tells how many uses are left, not how many there were", async () => {
    const door = livelyDoor();
    door.now += 10 * 3600;
    door.setTime();
    assert.equal(door.type(PINS.guest), "granted");
    const { told } = await json(imageOf(door));
    assert.deepEqual(told.state.slotList[2].uses, { left: 2, of: 3 });
    const { out } = await run(["inspect", imageOf(door), "--slots"]);
    assert.match(out, /2 of 3 uses left/);
  });

  it("lists slots on screen only when asked", async () => {
    const path = imageOf(livelyDoor());
    assert.doesNotMatch((await run(["inspect", path])).out, /programming-only/);
    const { out } = await run(["inspect", path, "--slots"]);
    assert.match(out, /^ +5 +8 +pin +programming-only +4294967295 +disabled$/m);
  });

  it("fits 80 columns, with the largest numbers too", async () => {
    const door = livelyDoor();
    const start = 4_200_000_000;
    const schedule = {
      id: 255,
      windows: Array.from({ length: 7 }, (_, day) => ({ days: 1 << day, start: 1439, duration: 1 })),
    };
    door.apply(
      { op: "put-schedule", ...schedule },
      door.pin(999, "9999999999", {
        user: 4_294_967_295,
        grantor: 4_294_967_295,
        role: 6,
        start,
        end: start + 1,
      }),
      door.pin(998, "8888888888", {
        schedule: 255,
        uses: 65_535,
        flags: 30,
        capabilities: 127,
        firstUseHours: 255,
        start,
      }),
    );
    const { out, code } = await run(["inspect", imageOf(door), "--slots", "--events", "99"]);
    assert.equal(code, 0);
    assert.ok(widest(out) <= 80, out);
    assert.doesNotMatch(out, / $/m);
  });

  it("C5 never tells a PIN, a whole tag or a key", async () => {
    for (const profile of [LOCK_1000, L500I]) {
      const door = livelyDoor({ profile });
      const path = imageOf(door);
      for (const args of [["--slots", "--events", "99"], ["--json"]]) {
        const { out, err } = await run(["inspect", path, ...args]);
        for (const secret of secretsOf(door)) assert.ok(!(out + err).includes(secret), secret);
      }
    }
  });

  it("never changes the file", async () => {
    const path = imageOf(livelyDoor());
    const before = readFileSync(path);
    const { mtimeMs } = statSync(path);
    await run(["inspect", path, "--slots", "--json"]);
    assert.deepEqual(readFileSync(path), before);
    assert.equal(statSync(path).mtimeMs, mtimeMs);
  });

  it("C18 tells what the density means: 30 days are 938 guesses", async () => {
    const door = new Door();
    const empty = await json(imageOf(door));
    assert.deepEqual(empty.told.state.density, { rho: 0, guesses: 938, success: 0 });
    for (let slot = 0; slot < 10; slot++) door.apply(door.pin(slot, String(135_790 + slot)));
    const ten = await json(imageOf(door));
    let closed = 1;
    for (let guess = 0; guess < 938; guess++) closed *= 1 - 1e-5;
    assert.ok(Math.abs(ten.told.state.density.success - (1 - closed)) < 1e-12);
    const { out } = await run(["inspect", imageOf(door)]);
    assert.match(out, /density +ρ = 0\.00001; 938 guesses in 30 days succeed with 0\.93 %$/m);
    for (let slot = 10; slot < 19; slot++) door.apply(door.pin(slot, String(1350 + slot)));
    assert.match((await run(["inspect", imageOf(door)])).out, /succeed with 57 %$/m);
  });

  it("shows the last events, and only as many as asked", async () => {
    const door = livelyDoor();
    const path = imageOf(door);
    const seqs = async (count: string) =>
      (await json(path, "--events", count)).told.state.events.last.map(({ seq }: { seq: number }) => seq);
    const all = door.lock.parts.events.next - 1;
    assert.deepEqual(await seqs("0"), []);
    assert.deepEqual(await seqs("2"), [all - 1, all]);
    assert.equal((await seqs("999")).length, all);
    assert.equal((await json(path)).told.state.events.last.length, 10);
    assert.equal((await run(["inspect", path, "--events", "some"])).code, 2);
    assert.equal((await run(["inspect", path, "--events", "-1"])).code, 2);
  });

  it("L11 dates events by the clock on the wall, or by boot and seconds where the time was unknown", async () => {
    const { out } = await run(["inspect", imageOf(livelyDoor()), "--events", "99"]);
    assert.match(out, /^ +\d+ +2027-03-01 01:00:00 +granted +pin +1000$/m);
    assert.match(out, /^ +\d+ +2027-03-01 01:01:00 +refused outside-schedule +pin +1003$/m);
    assert.match(out, /^ +\d+ +2027-03-01 01:02:00 +refused unknown +keypad$/m);
    assert.match(out, /^ +\d+ +boot 2 \+ 0 s +refused clock-unknown +pin +1003$/m);
  });

  it("takes a lock without an owner for what it is", async () => {
    const { told, code } = await json(imageOf(new Door({ unclaimed: true })));
    assert.equal(code, 0);
    assert.equal(told.state.claim, null);
    assert.match(
      (await run(["inspect", imageOf(new Door({ unclaimed: true }))])).out,
      /none: the lock has no owner/,
    );
  });

  it("exits with 2 for credentials that were never formatted, of another lock, or of a newer firmware", async () => {
    const door = new Door({ profile: L500I });
    const credentialsEnd = IDENTITY_BYTES + L500I.credentialBytes;
    const other = new Door({ profile: L500I, seed: 2 }).board.image();
    const newer = (bytes: Uint8Array) => {
      bytes[IDENTITY_BYTES + 4] = 2;
      const header = Buffer.from(bytes.buffer, bytes.byteOffset + IDENTITY_BYTES, 32);
      header.writeUInt32BE(crc32(header.subarray(0, 28)), 28);
    };
    const cases: [string, RegExp, (bytes: Uint8Array) => void][] = [
      ["unformatted", /never formatted/, (bytes) => bytes.fill(0xff, IDENTITY_BYTES, credentialsEnd)],
      [
        "foreign",
        /not of the lock that the identity names/,
        (bytes) => bytes.set(other.credentials, IDENTITY_BYTES),
      ],
      ["newer-format", /written by a newer firmware/, newer],
    ];
    for (const [mount, text, spoil] of cases) {
      const { code, err, told } = await json(imageOf(door, spoil));
      assert.equal(code, 2, mount);
      assert.equal(told.mount, mount);
      assert.equal(told.state, undefined);
      assert.match(err, text);
      assert.match(err, new RegExp(`^error: \\S+\\.img: .* \\(${mount}\\)\n\\(.+\\)\n$`));
    }
  });

  it("exits with 2 for what is no image, with what was wanted", async () => {
    const door = new Door({ profile: L500I });
    const cases: [string, RegExp][] = [
      [at("absent.img"), /absent\.img: no such file or folder/],
      [at("."), /is a folder/],
      [imageOf(door, (bytes) => bytes.fill(0, 0, 4)), /not a Tumbler image: wanted "TMID"/],
      [imageOf(door, (bytes) => bytes.fill(0, 60, 61)), /damaged identity.*\n\(read the flash again/],
    ];
    const short = at("short.img");
    writeFileSync(short, readFileSync(imageOf(door)).subarray(0, -1));
    const large = at("large.img");
    writeFileSync(large, new Uint8Array(16_777_217));
    cases.push(
      [short, /wrong size: wanted 45056 bytes/],
      [large, /has 16777217 bytes, wanted 16777216 at most/],
    );
    for (const [path, text] of cases) {
      const { code, out, err } = await run(["inspect", path]);
      assert.equal(code, 2, path);
      assert.equal(out, "");
      assert.match(err, text);
    }
  });

  it("colours what it shows only where colours are wanted", async () => {
    const path = imageOf(livelyDoor());
    const plain = await run(["inspect", path, "--slots"]);
    const coloured = await run(["inspect", path, "--slots"], "", true);
    assert.ok(!plain.out.includes("\x1b"));
    assert.ok(coloured.out.includes("\x1b[32m"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is an escape sequence
    assert.equal(coloured.out.replace(/\x1b\[\d+m/g, ""), plain.out);
    assert.ok(plain.out.includes(BERLIN));
  });
});
