// The sealed journal on disk: torn ends, damage, foreign keys, permissions, two processes.

import { strict as assert } from "node:assert";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Issuer } from "../../../protocol/issuer/issuer";
import { node } from "../../../simulator/board/crypto";
import { StoreError, type StoreFault } from "../../../tools/store/error";
import { FileStore } from "../../../tools/store/file-store";
import { HEADER_BYTES } from "../../../tools/store/journal-format";
import { intlOffset } from "../../../tools/zone";

const text = (record: Uint8Array) => Buffer.from(record).toString();
const bytes = (word: string) => new Uint8Array(Buffer.from(word));

describe("the issuer's file store", () => {
  let folder: string;
  let journal: string;
  let key: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-"));
    journal = join(folder, "journal");
    key = join(folder, "key");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function write(...words: string[]): Promise<void> {
    const store = await FileStore.open(folder);
    for (const word of words) await store.append(bytes(word));
    await store.close();
  }

  async function read(): Promise<{ words: string[]; dropped?: { record: number; bytes: number } }> {
    const store = await FileStore.open(folder);
    const words = (await store.read()).map(text);
    await store.close();
    return store.dropped === undefined ? { words } : { words, dropped: store.dropped };
  }

  /** Opens, expects the fault, and that not a byte has changed. */
  async function refuses(fault: StoreFault, ...says: RegExp[]): Promise<void> {
    const before = existsSync(journal) ? readFileSync(journal) : undefined;
    await assert.rejects(FileStore.open(folder), (error: unknown) => {
      assert.ok(error instanceof StoreError, String(error));
      assert.equal(error.fault, fault);
      for (const words of says) assert.match(error.message, words);
      return true;
    });
    if (before !== undefined) assert.deepEqual(readFileSync(journal), before);
    assert.equal(existsSync(join(folder, "lock")), false);
  }

  it("gives back what was appended, in order, over several openings", async () => {
    await write("one", "two");
    await write("", "four");
    assert.deepEqual(await read(), { words: ["one", "two", "", "four"] });
  });

  it("makes its key on first use, for its owner alone", async () => {
    await write();
    assert.equal(statSync(key).mode & 0o777, 0o600);
    assert.match(readFileSync(key, "ascii"), /^[0-9a-f]{64}\n$/);
  });

  it("refuses a key that others may read, with one bit of mode too many", async () => {
    await write("one");
    for (const mode of [0o640, 0o604, 0o610, 0o602]) {
      chmodSync(key, mode);
      await refuses("key-exposed", new RegExp(mode.toString(8)), /chmod 600/);
    }
    chmodSync(key, 0o400);
    assert.deepEqual(await read(), { words: ["one"] });
  });

  it("makes no new key for an old journal", async () => {
    await write("one");
    rmSync(key);
    await refuses("key-missing", /backup/);
    assert.equal(existsSync(key), false);
  });

  it("refuses a key file that holds no key", async () => {
    await write("one");
    writeFileSync(key, "0123\n");
    await refuses("key-damaged", /64 hexadecimal digits/);
  });

  it("says that a journal belongs to another key", async () => {
    await write("one");
    const digits = readFileSync(key, "ascii");
    writeFileSync(key, (digits[0] === "0" ? "1" : "0") + digits.slice(1));
    await refuses("foreign-key", /another key/);
  });

  it("refuses what is no journal, and one of a later version", async () => {
    await write("one");
    const whole = readFileSync(journal);
    const later = Buffer.from(whole);
    later[15] = 2;
    writeFileSync(journal, later);
    await refuses("newer-format", /update/);
    writeFileSync(journal, "person,name\n");
    await refuses("not-a-journal");
    writeFileSync(journal, whole.subarray(0, HEADER_BYTES - 1));
    await refuses("not-a-journal");
  });

  it("drops a last record that was cut at any byte, says so, and goes on from there", async () => {
    await write("one", "two");
    const two = readFileSync(journal);
    await write("three");
    const three = readFileSync(journal);
    for (let size = two.length + 1; size < three.length; size++) {
      writeFileSync(journal, three.subarray(0, size));
      assert.deepEqual(await read(), {
        words: ["one", "two"],
        dropped: { record: 2, bytes: size - two.length },
      });
    }
    await write("again");
    assert.deepEqual(await read(), { words: ["one", "two", "again"] });
  });

  it("drops a last record whose sectors were not all written before the file had grown", async () => {
    await write("one", "x".repeat(2000));
    const whole = readFileSync(journal);
    const start = HEADER_BYTES + 32 + 16 + 3;
    for (const border of [512, 1024, 1536, 2048]) {
      const cut = Buffer.from(whole).fill(0, border);
      writeFileSync(journal, cut);
      assert.deepEqual(await read(), { words: ["one"], dropped: { record: 1, bytes: whole.length - start } });
    }
    writeFileSync(journal, Buffer.from(whole).fill(0, 512, 1024));
    assert.equal((await read()).dropped?.record, 1);
    writeFileSync(journal, Buffer.from(whole).fill(0, start));
    assert.equal((await read()).dropped?.record, 1);
  });

  it("refuses damage anywhere else, says where, and changes nothing", async () => {
    await write("one", "two", "three");
    const whole = readFileSync(journal);
    for (let at = HEADER_BYTES; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] ^= 0x10;
      writeFileSync(journal, flipped);
      await refuses("damaged", /record [012] at byte \d+ of \d+/, /backup/);
    }
  });

  it("shows a record that was removed, moved, repeated or taken from another journal", async () => {
    await write("one", "two", "six");
    const whole = readFileSync(journal);
    const size = 32 + 16 + 3;
    const head = whole.subarray(0, HEADER_BYTES);
    const [one, two, six] = [0, 1, 2].map((i) =>
      whole.subarray(HEADER_BYTES + i * size, HEADER_BYTES + (i + 1) * size),
    );
    for (const order of [
      [one, six],
      [two, one, six],
      [one, two, two, six],
      [two, six],
    ]) {
      writeFileSync(journal, Buffer.concat([head, ...order]));
      await refuses("damaged");
    }
    rmSync(journal);
    await write("one", "two", "six");
    const other = readFileSync(journal).subarray(HEADER_BYTES, HEADER_BYTES + size);
    writeFileSync(journal, Buffer.concat([head, other, two, six]));
    await refuses("damaged", /record 0/);
  });

  it("lets one process in at a time, and tells which one is in", async () => {
    const store = await FileStore.open(folder);
    await assert.rejects(FileStore.open(folder), (error: unknown) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.fault, "in-use");
      assert.match(error.message, new RegExp(`process ${process.pid} `));
      return true;
    });
    await store.append(bytes("one"));
    await store.close();
    assert.deepEqual(await read(), { words: ["one"] });
  });

  it("takes over the lock of a process that is gone, even where its id came again", async () => {
    await write("one");
    symlinkSync("4194305-1", join(folder, "lock"));
    assert.deepEqual(await read(), { words: ["one"] });
    if (process.platform !== "linux") return;
    symlinkSync(`${process.pid}-1`, join(folder, "lock"));
    assert.deepEqual(await read(), { words: ["one"] });
  });

  it("takes nothing more after it failed to write", async () => {
    const store = await FileStore.open(folder);
    await store.append(bytes("one"));
    await store.close();
    await assert.rejects(store.append(bytes("two")), /start again/);
  });

  it("keeps no PIN, name or seed in clear", async () => {
    const store = await FileStore.open(folder);
    const random = (buffer: Uint8Array) => buffer.fill(0x5a);
    const issuer = await Issuer.open({ crypto: node, store, random, offsetOf: intlOffset });
    await issuer.begin("test");
    const row = { person: "anna", name: "Anna Adler", role: "resident", keys: "", pin: "80317264" };
    assert.deepEqual(await issuer.addPerson(row, 1_800_000_000), []);
    await store.close();
    const content = readFileSync(journal);
    for (const secret of ["80317264", "Anna", "anna", "\x5a".repeat(8)])
      assert.equal(content.includes(Buffer.from(secret, "latin1")), false);
  });
});
