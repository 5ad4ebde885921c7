// A dump of a board's whole flash is the lock that it was read from, to `tumbler inspect`, `explain` and `sim --from`; whatever stands in
// the way is said; and nothing is ever written into it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { L500I, LOCK_1000, type Profile } from "../../../firmware/core/profile";
import { packImage, unpackImage } from "../../../simulator/board/image";
import { packIdentityNvs } from "../../../tools/flash-map/identity-nvs";
import { packNvsKeys } from "../../../tools/flash-map/nvs-keys";
import { packNvs } from "../../../tools/flash-map/nvs-writer";
import { Dice, SEED } from "../../support/dice";
import { Door } from "../../support/door";
import { livelyDoor, ownFolder, PINS, run, writeImage } from "../support";
import { FLASH_BYTES, flashOf, L500I_ROWS, LOCK_ROWS, type Row, tableBytes } from "./board";

const TABLE_AT = 0x10000;
const IDENTITY_AT = 0x1b000;
const IDENTITY_BYTES = 0x4000;
const KEYS_AT = 0x17000;
const CREDENTIALS_AT = 0x360000;
const SECTOR = 4096;
const KEYS = new Uint8Array(64).map((_, i) => i * 3);

const rowsOf = ({ id }: Profile): readonly Row[] => (id === LOCK_1000.id ? LOCK_ROWS : L500I_ROWS);

/** The flash of a door's lock: encrypted with KEYS, which it has beside, or plain. */
function flashOfDoor(door: Door, isPlain = false): Buffer {
  const { identity, credentials, events } = door.board.image();
  const keys = isPlain ? undefined : KEYS;
  return flashOf(rowsOf(door.lock.parts.profile), {
    identity: packIdentityNvs(identity, IDENTITY_BYTES, keys),
    nvs_keys: packNvsKeys(keys),
    credentials,
    events,
  });
}

describe("A dump of a board's flash", () => {
  const at = ownFolder();
  let serial = 0;
  const small = new Door({ profile: L500I });

  function file(content: Uint8Array, mode = 0o600): string {
    const path = at(`${++serial}.bin`);
    writeFileSync(path, content, { mode });
    return path;
  }

  async function json(...args: string[]): Promise<unknown> {
    const { code, out, err } = await run([...args, "--json"]);
    assert.equal(err, "");
    assert.ok(code < 2, String(code));
    return JSON.parse(out);
  }

  /** What all three commands say of a dump that they cannot read. */
  async function refused(dump: string, message: RegExp, ...more: string[]): Promise<void> {
    const out = at("never.img");
    for (const args of [
      ["inspect", dump],
      ["explain", dump, "--pin", "1234"],
      ["sim", "--from", dump, "--out", out],
    ]) {
      const ran = await run([...args, ...more]);
      assert.match(ran.err, message);
      assert.match(ran.err, /^error: [^\n]+\n(\([^\n]+\)\n)?$/);
      assert.equal(ran.code, 2);
    }
    assert.throws(() => statSync(out), /ENOENT/);
  }

  for (const profile of [LOCK_1000, L500I])
    for (const isPlain of [false, true])
      it(`is told as its image is, ${profile.name}, ${isPlain ? "plain" : "encrypted"}`, async () => {
        const door = livelyDoor({ profile });
        const image = writeImage(at(`${++serial}.img`), door);
        const dump = file(flashOfDoor(door, isPlain));
        assert.deepEqual(await json("inspect", dump), await json("inspect", image));
        const asked = ["--pin", PINS.guest, "--at", "2027-03-01T12:00"];
        assert.deepEqual(await json("explain", dump, ...asked), await json("explain", image, ...asked));
      });

  it("of what `tumbler provision --flash` made is the lock that was provisioned", async () => {
    for (const profile of [LOCK_1000, L500I])
      for (const more of [[], ["--plain"]]) {
        const base = at(`made-${++serial}`);
        mkdirSync(base);
        const keys = ["--maker-key", `${base}/m.key`, "--owner-key", `${base}/o.key`];
        const out = ["--flash", `${base}/board`, "--out", `${base}/a.img`, "--record", `${base}/a.json`];
        const made = await run(["provision", "--profile", profile.name, ...out, ...keys, ...more]);
        assert.equal(made.code, 0, made.err);
        const rows = rowsOf(profile);
        const parts = ["identity", "nvs_keys", "credentials", "events"].map((name) => [
          name,
          readFileSync(`${base}/board/${name}.bin`),
        ]);
        const dump = file(flashOf(rows, Object.fromEntries(parts)));
        assert.deepEqual(await json("inspect", dump), await json("inspect", `${base}/a.img`));
        const from = await run(["sim", "--from", dump, "--out", `${base}/b.img`]);
        assert.equal(from.code, 0, from.err);
        assert.deepEqual(readFileSync(`${base}/b.img`), readFileSync(`${base}/a.img`));
      }
  });

  it("is read with its table at either place, and from a larger chip", async () => {
    const flash = flashOfDoor(small);
    const wanted = await json("inspect", file(flash));
    const other = Buffer.from(flash);
    other.copy(other, 0x8000, TABLE_AT, TABLE_AT + SECTOR);
    other.fill(0xff, TABLE_AT, TABLE_AT + SECTOR);
    assert.deepEqual(await json("inspect", file(other)), wanted);
    assert.deepEqual(await json("inspect", file(Buffer.concat([flash, flash]))), wanted);
    // Nothing that a lock needs is in its last partition.
    assert.deepEqual(await json("inspect", file(flash.subarray(0, 0x396000))), wanted);
  });

  it("is never written to", async () => {
    const flash = flashOfDoor(small);
    const dump = file(flash);
    await run(["inspect", dump]);
    await run(["explain", dump, "--pin", "1234"]);
    await run(["sim", "--from", dump, "--out", at(`${++serial}.img`)]);
    const forced = await run(["sim", "--from", dump, "--out", dump]);
    assert.match(forced.err, /exists already, and is not overwritten/);
    for (const args of [
      ["sim", dump, "--bluez"],
      ["audit", "front", "--link", "sim", "--image", dump, "--store", at("none")],
    ])
      assert.equal((await run(args)).code, 2);
    const { err } = await run(["sim", dump, "--bluez"]);
    assert.match(
      err,
      /is a dump of a whole flash, which is never written to\n\(make an image of it: tumbler sim --from/,
    );
    assert.ok(readFileSync(dump).equals(flash));
  });

  it("X10 of a chip that encrypts its flash is told from one without a table", async () => {
    const noise = Buffer.alloc(FLASH_BYTES);
    for (let i = 0; i < noise.length; i += 65_536) crypto.getRandomValues(noise.subarray(i, i + 65_536));
    await refused(
      file(noise),
      /nothing but noise .* the chip encrypts its flash\n\(nobody reads it from outside/,
    );
    for (const content of [0, 0xff]) {
      const flash = Buffer.alloc(FLASH_BYTES, content);
      await refused(
        file(flash),
        /no partition table at 0x10000 or 0x8000\n\(read the whole flash: esptool read-flash/,
      );
    }
    // Code has six bits in each of its bytes, hardly ever seven: that is no noise yet.
    const dense = Buffer.alloc(
      FLASH_BYTES,
      new Uint8Array(128).map((_, i) => 2 * i),
    );
    await refused(file(dense), /no partition table at/);
    const code = readFileSync(process.execPath).subarray(0x200000, 0x200000 + FLASH_BYTES);
    await refused(file(code), /no partition table at/);
  });

  it("is refused with a table that is damaged, or that no chip could use", async () => {
    const flash = flashOfDoor(small);
    const flipped = Buffer.from(flash);
    flipped[TABLE_AT + 40] ^= 4;
    await refused(file(flipped), /the partition table at 0x10000 is damaged/);
    const overlapping = flashOfDoor(small);
    const rows = L500I_ROWS.map(
      (row): Row => (row[0] === "events" ? ["events", 1, 0x41, 0x361000, 0x6000, 1] : row),
    );
    overlapping.set(tableBytes(rows), TABLE_AT);
    await refused(
      file(overlapping),
      /a partition table that no chip uses: events: begins at 0x361000, inside credentials/,
    );
  });

  it("is refused where it lacks a part of a lock, or ends before it", async () => {
    for (const name of ["credentials", "events"]) {
      const flash = flashOfDoor(small);
      flash.set(tableBytes(L500I_ROWS.filter(([each]) => each !== name)), TABLE_AT);
      await refused(file(flash), new RegExp(`no partition ${name} in its table`));
    }
    const flash = flashOfDoor(small);
    await refused(
      file(flash.subarray(0, 0x396000 - 1)),
      /ends at 3760127, before its partition events \(3760128\)/,
    );
    await refused(file(flash.subarray(0, 0x11000)), /ends at 69632, before its partition credentials/);
  });

  it("X10 wants the keys of its identity, and no others", async () => {
    const flash = flashOfDoor(small);
    const wanted = await json("inspect", file(flash));
    flash.fill(0xff, KEYS_AT, KEYS_AT + SECTOR);
    const dump = file(flash);
    await refused(dump, /its identity is encrypted\n\(name its NVS keys: --nvs-keys FILE\)/);
    assert.deepEqual(await json("inspect", dump, "--nvs-keys", file(packNvsKeys(KEYS))), wanted);
    const wrong = file(packNvsKeys(KEYS.slice().reverse()));
    await refused(
      dump,
      /its identity cannot be decrypted with the keys in \S+\n\(name the nvs_keys\.bin/,
      "--nvs-keys",
      wrong,
    );
    const open = file(packNvsKeys(KEYS), 0o644);
    await refused(dump, /others may read this secret: wanted mode 600/, "--nvs-keys", open);
    await refused(dump, /no NVS keys, or damaged ones/, "--nvs-keys", file(KEYS));
    await refused(dump, /erased flash, without any NVS keys/, "--nvs-keys", file(packNvsKeys(undefined)));
    const damaged = flashOfDoor(small);
    damaged[KEYS_AT + 5] ^= 1;
    await refused(file(damaged), /the keys in its partition nvs_keys are damaged\n\(add --nvs-keys FILE\)/);
    assert.deepEqual(await json("inspect", file(damaged), "--nvs-keys", file(packNvsKeys(KEYS))), wanted);
    const plain = file(flashOfDoor(small, true));
    assert.deepEqual(await json("inspect", plain, "--nvs-keys", wrong), wanted, "keys that nothing needs");
    const spoilt = flashOfDoor(small, true);
    spoilt[KEYS_AT] = 0;
    assert.deepEqual(await json("inspect", file(spoilt)), wanted, "damaged keys that nothing needs");
  });

  it("may be joined with the identity that it lacks", async () => {
    const flash = flashOfDoor(small);
    const wanted = await json("inspect", file(flash));
    const identity = flash.subarray(IDENTITY_AT, IDENTITY_AT + IDENTITY_BYTES);
    const own = file(identity);
    const erased = Buffer.from(flash);
    erased.fill(0xff, IDENTITY_AT, IDENTITY_AT + IDENTITY_BYTES);
    await refused(
      file(erased),
      /no identity in it\n\(name the identity it was flashed with: --identity FILE\)/,
    );
    assert.deepEqual(await json("inspect", file(erased), "--identity", own), wanted);
    const without = Buffer.from(flash);
    without.set(tableBytes(L500I_ROWS.filter(([name]) => name !== "identity")), TABLE_AT);
    assert.deepEqual(await json("inspect", file(without), "--identity", own), wanted);
    const stranger = new Door({ profile: L500I, seed: 2 }).board.image().identity;
    const foreign = file(packIdentityNvs(stranger, IDENTITY_BYTES, KEYS));
    await refused(file(erased), /not of the lock that the identity names \(foreign\)/, "--identity", foreign);
    await refused(file(erased), /others may read this secret/, "--identity", file(identity, 0o644));
    await refused(
      file(erased),
      /its identity is no NVS partition/,
      "--identity",
      file(identity.subarray(0, 116)),
    );
    const blank = file(new Uint8Array(SECTOR).fill(0xff));
    await refused(file(erased), /no identity in it/, "--identity", blank);
  });

  it("is refused with an identity that is none, damaged, newer, or of another model", async () => {
    const withIdentity = (content: Uint8Array): string => {
      const flash = flashOfDoor(small);
      flash.set(content, IDENTITY_AT);
      return file(flash);
    };
    const { identity } = small.board.image();
    const other = { ...identity, profile: LOCK_1000.id };
    await refused(
      withIdentity(packIdentityNvs(other, IDENTITY_BYTES)),
      /the identity is of a lock-1000, and its flash is not: credentials: wanted 0x30000 bytes for lock-1000, got 0x4000/,
    );
    const blob = (namespace: string, key: string, value: Uint8Array): Uint8Array =>
      packNvs({ namespace, key, value }, IDENTITY_BYTES);
    const record = packImage(small.board.image()).subarray(0, 116);
    await refused(withIdentity(blob("tumbler", "other", record)), /holds no identity/);
    await refused(withIdentity(blob("other", "identity", record)), /holds no identity/);
    await refused(withIdentity(blob("tumbler", "identity", record.subarray(0, 115))), /damaged identity/);
    await refused(withIdentity(blob("tumbler", "identity", record.subarray(1))), /not a Tumbler/);
    const newer = record.slice();
    newer[4] = 2;
    await refused(
      withIdentity(blob("tumbler", "identity", newer)),
      /identity of format 2: this version reads format 1/,
    );
    const torn = packIdentityNvs(identity, IDENTITY_BYTES);
    torn[0x90] ^= 1;
    await refused(withIdentity(torn), /identity's NVS partition is damaged\n\(read the flash again\)/);
  });

  it(`X10 with a flipped bit in its identity or keys is refused, or the same lock, and never another, seed ${SEED}`, async () => {
    const roll = new Dice();
    const wanted = await json("inspect", file(flashOfDoor(small)));
    for (let turn = 0; turn < 60; turn++) {
      const flash = flashOfDoor(small, turn % 2 === 0);
      const place = turn % 3 === 0 ? KEYS_AT + roll.below(80) : IDENTITY_AT + roll.below(64 + 32 * 7);
      flash[place] ^= 1 << roll.below(8);
      const { code, out } = await run(["inspect", file(flash), "--json"]);
      if (code === 2) assert.equal(out, "");
      else assert.deepEqual(JSON.parse(out), wanted);
    }
  });

  it("is told from an image, which needs no help to be read", async () => {
    const image = writeImage(at(`${++serial}.img`), small);
    await refused(
      image,
      /is an image, which has its identity in plain\n\(leave x\.bin out\)/,
      "--identity",
      "x.bin",
    );
    assert.match(
      (await run(["inspect", file(new Uint8Array(5000))])).err,
      /not a Tumbler image: wanted "TMID"/,
    );
    assert.match((await run(["inspect", file(new Uint8Array(0))])).err, /not a Tumbler image/);
  });

  it("of credentials that were never formatted is as useless as such an image", async () => {
    const flash = flashOfDoor(small);
    flash.fill(0xff, CREDENTIALS_AT, CREDENTIALS_AT + 0x4000);
    await refused(file(flash), /never formatted, or is ruined \(unformatted\)/);
  });
});

describe("tumbler sim --from", () => {
  const at = ownFolder();
  const door = new Door({ profile: L500I });
  let dump = "";
  before(() => {
    dump = at("front.bin");
    writeFileSync(dump, flashOfDoor(door));
  });

  it("makes an image of the lock, and says what it is good for", async () => {
    const out = at("front.img");
    const ran = await run(["sim", "--from", dump, "--out", out]);
    assert.deepEqual([ran.code, ran.err], [0, ""]);
    assert.match(ran.out, /^\S+front\.img: lock [0-9a-f]{16}, l500i, as it was in \S+front\.bin\n/);
    for (const next of ["inspect", "explain", "sim"])
      assert.match(ran.out, new RegExp(`: +tumbler ${next} ${out}`));
    assert.equal(statSync(out).mode & 0o777, 0o600);
    assert.deepEqual(unpackImage(readFileSync(out)), door.board.image());
  });

  it("overwrites nothing without --force", async () => {
    const out = at("there.img");
    writeFileSync(out, "mine");
    const args = ["sim", "--from", dump, "--out", out];
    assert.match((await run(args)).err, /there\.img: exists already/);
    assert.equal(readFileSync(out, "utf8"), "mine");
    assert.equal((await run([...args, "--force"])).code, 0);
    assert.deepEqual(unpackImage(readFileSync(out)), door.board.image());
  });

  it("takes an image too, which it copies", async () => {
    const image = writeImage(at("first.img"), door);
    assert.equal((await run(["sim", "--from", image, "--out", at("second.img")])).code, 0);
    assert.deepEqual(readFileSync(at("second.img")), readFileSync(image));
  });

  it("says what it wants", async () => {
    const cases: [string[], RegExp][] = [
      [[], /no lock to run\n\(name flash images, or a dump/],
      [["--bluez"], /no lock to run/],
      [["--from", dump], /--from: where does the image go\?\n\(add --out/],
      [["a.img", "--bluez", "--out", "b.img"], /--out: of which dump\?\n\(add --from/],
      [["a.img", "--bluez", "--nvs-keys", "k"], /--nvs-keys: of which dump\?/],
      [["a.img", "--bluez", "--force"], /--force: of which dump\?/],
      [["a.img", "--from", dump, "--out", at("c.img")], /how are the locks to be reached\?\n\(add --bluez\)/],
      [["--from", at("none.bin"), "--out", at("c.img")], /none\.bin: no such file/],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await run(["sim", ...args]);
      assert.match(err, message);
      assert.equal(code, 2);
    }
    rmSync(at("c.img"), { force: true });
  });
});
