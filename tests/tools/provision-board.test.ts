// `tumbler provision --flash` (rules P1, X10): what a real board is flashed with is the lock that was provisioned, at the board's places,
// with its secrets where they belong.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { unpackIdentity } from "../../firmware/core/identity-record";
import { L500I, LOCK_1000 } from "../../firmware/core/profile";
import { toHex } from "../../protocol/wire/bytes";
import { unpackImage } from "../../simulator/board/image";
import { unpackNvsKeys } from "../../tools/flash-map/nvs-keys";
import { blobOf, unpackNvs } from "../../tools/flash-map/nvs-reader";
import { csvOf, L500I_ROWS, LOCK_ROWS, type Row } from "./flash-map/board";
import { ownFolder, run, widest } from "./support";

const NAMES = ["credentials.bin", "events.bin", "identity.bin", "nvs_keys.bin"];
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("tumbler provision --flash", () => {
  const at = ownFolder();
  let serial = 0;

  /** Options for a new lock with an image and a board's files. */
  function fresh(): { folder: string; image: string; args: string[]; file: (name: string) => Buffer } {
    const base = at(`lock-${++serial}`);
    mkdirSync(base);
    const [folder, image] = [`${base}/board`, `${base}/a.img`];
    const keys = ["--maker-key", `${base}/maker.key`, "--owner-key", `${base}/owner.key`];
    const args = ["provision", "--flash", folder, "--out", image, "--record", `${base}/a.json`, ...keys];
    return { folder, image, args, file: (name) => readFileSync(`${folder}/${name}`) };
  }

  function tableFile(rows: readonly Row[]): string {
    const path = at(`partitions-${++serial}.csv`);
    writeFileSync(path, csvOf(rows));
    return path;
  }

  async function good(args: readonly string[]): Promise<string> {
    const { code, out, err } = await run(args);
    assert.equal(err, "");
    assert.equal(code, 0);
    return out;
  }

  async function refused(args: readonly string[], message: RegExp): Promise<void> {
    const { code, out, err } = await run(args);
    assert.match(err, message);
    assert.equal(out, "");
    assert.equal(code, 2);
  }

  for (const { name, credentialBytes, eventBytes } of [LOCK_1000, L500I])
    for (const how of [["encrypted"], ["plain", "--plain"]])
      it(`P1 makes the files of the lock that its image is, ${name}, ${how[0]}`, async () => {
        const { image, args, file } = fresh();
        await good([...args, "--profile", name, ...how.slice(1)]);
        const wanted = unpackImage(readFileSync(image));
        assert.deepEqual(new Uint8Array(file("credentials.bin")), wanted.credentials);
        assert.deepEqual(new Uint8Array(file("events.bin")), wanted.events);
        assert.deepEqual([wanted.credentials.length, wanted.events.length], [credentialBytes, eventBytes]);
        const keys = unpackNvsKeys(file("nvs_keys.bin"));
        assert.equal(typeof keys === "string", how[0] === "plain");
        const items = unpackNvs(file("identity.bin"), typeof keys === "string" ? undefined : keys);
        assert.ok(typeof items !== "string", String(items));
        assert.deepEqual(unpackIdentity(blobOf(items, "tumbler", "identity")!), wanted.identity);
        assert.equal(file("identity.bin").length, 0x4000);
      });

  it("X10 encrypts the identity under keys of this board alone", async () => {
    const [one, two] = [fresh(), fresh()];
    for (const { args, image, file } of [one, two]) {
      await good(args);
      const { identity } = unpackImage(readFileSync(image));
      for (const secret of [identity.seed, identity.deviceSecret, identity.lock])
        assert.ok(!file("identity.bin").includes(Buffer.from(secret)));
    }
    assert.notDeepEqual(one.file("nvs_keys.bin"), two.file("nvs_keys.bin"));
    const keys = unpackNvsKeys(one.file("nvs_keys.bin")) as Uint8Array;
    assert.equal(unpackNvs(two.file("identity.bin"), keys), "undeciphered");
  });

  it("X10 shows no secret, and gives every file mode 600, its folder 700, whatever the umask", async () => {
    for (const more of [[], ["--json"]]) {
      const { folder, image, args, file } = fresh();
      const umask = process.umask(0o002);
      let out: string;
      try {
        out = await good([...args, ...more]);
      } finally {
        process.umask(umask);
      }
      assert.deepEqual(readdirSync(folder).sort(), NAMES);
      for (const name of NAMES) assert.equal(modeOf(`${folder}/${name}`), "600", name);
      assert.equal(modeOf(folder), "700");
      const { seed, deviceSecret } = unpackImage(readFileSync(image)).identity;
      const keys = file("nvs_keys.bin").subarray(0, 64);
      for (const secret of [seed, deviceSecret, keys.subarray(0, 32), keys.subarray(32)])
        assert.ok(!out.includes(toHex(secret)));
    }
  });

  it("says on 80 columns how the board is flashed, at the places of its table, and what becomes of the files", async () => {
    const { folder, args } = fresh();
    const out = (await good(args)).replaceAll(folder, "board");
    assert.ok(widest(out.replaceAll(at(""), "")) <= 80, out);
    const written = [...out.matchAll(/^ {4}(0x[0-9a-f]+) board\/(\w+)\.bin/gm)].map(([, place, name]) => [
      name,
      place,
    ]);
    const places = LOCK_ROWS.map(([name, , , offset]) => [name, `0x${offset.toString(16)}`]);
    const own = places.filter(([name]) => NAMES.includes(`${name}.bin`));
    const [first, ...rest] = [
      own,
      own.filter(([name]) => name !== "identity"),
      own.filter(([name]) => name === "identity"),
    ];
    assert.deepEqual(written, [...first, ...rest.flat()], out);
    assert.match(out, /^ {2}esptool --chip esp32 --port PORT --baud 460800 write-flash \\$/m);
    assert.match(out, /^ {2}esptool .* write-flash --encrypt \\\n {4}0x17000 board\/nvs_keys\.bin \\$/m);
    assert.match(out, /^Destroy board when the board is flashed/m);
  });

  it("says of a plain board that it is for development, and nothing of a chip that encrypts", async () => {
    const { args, file } = fresh();
    const out = await good([...args, "--plain"]);
    assert.match(out, /Its identity is not encrypted[\s\S]*for development/);
    assert.ok(!out.includes("--encrypt"));
    assert.ok(
      file("nvs_keys.bin").every((byte) => byte === 0xff),
      "keys of before would make it unreadable",
    );
  });

  it("prints as JSON what goes where, and the commands", async () => {
    const { folder, image, args } = fresh();
    const made = JSON.parse(await good([...args, "--profile", "l500i", "--json"]));
    assert.equal(made.image, image);
    const { board } = made;
    assert.deepEqual([board.folder, board.identity], [folder, "encrypted"]);
    const rows = L500I_ROWS.filter(([name]) => NAMES.includes(`${name}.bin`));
    const files = rows.map(([name, , , offset, size, flags]) => ({
      file: `${folder}/${name}.bin`,
      partition: name,
      offset,
      size,
      encrypted: flags === 1,
    }));
    assert.deepEqual(board.files, files);
    const pair = ({ file, offset }: (typeof files)[0]): string => `0x${offset.toString(16)} ${file}`;
    const esptool = "esptool --chip esp32 --port PORT --baud 460800 write-flash";
    assert.equal(board.flash, [esptool, ...files.map(pair)].join(" "));
    assert.deepEqual(board.flashEncrypting, [
      [`${esptool} --encrypt`, ...files.filter(({ encrypted }) => encrypted).map(pair)].join(" "),
      [esptool, ...files.filter(({ encrypted }) => !encrypted).map(pair)].join(" "),
    ]);
    const plain = JSON.parse(await good([...fresh().args, "--plain", "--json"]));
    assert.deepEqual([plain.board.identity, plain.board.flashEncrypting], ["plain", null]);
  });

  it("names a folder to a shell as it is written", async () => {
    const { args, folder } = fresh();
    const odd = `${folder} of Ann's`;
    const out = await good(args.map((arg) => (arg === folder ? odd : arg)));
    assert.ok(out.includes(`0x17000 '${folder} of Ann'\\''s/nvs_keys.bin'`), out);
  });

  it("makes a board without an image, so that no copy of its secrets stays", async () => {
    const { args, image, folder } = fresh();
    const rest = args.filter((arg) => arg !== "--out" && arg !== image);
    assert.ok(!(await good(rest)).includes("the lock's flash, with its secrets"));
    assert.ok(!existsSync(image));
    assert.deepEqual(readdirSync(folder).sort(), NAMES);
    const image2 = JSON.parse(await good([...rest, "--force", "--json"]));
    assert.equal(image2.image, null);
  });

  it("never overwrites without --force, and writes all or nothing", async () => {
    const { args, folder, image, file } = fresh();
    await good(args);
    const before = NAMES.map(file);
    await refused(args, /exists already, and is not overwritten/);
    assert.deepEqual(NAMES.map(file), before);
    await good([...args, "--force"]);
    for (const [i, name] of NAMES.entries())
      if (name !== "events.bin") assert.notDeepEqual(file(name), before[i], name);
    rmSync(folder, { recursive: true });
    await refused(args, /a\.img: exists already/);
    assert.ok(!existsSync(folder), "a folder that was made for nothing");
    rmSync(image);
    await refused(args, /a\.json: exists already/);
    const far = args.map((arg) => (arg === folder ? `${folder}/none/board` : arg));
    await refused([...far, "--force"], /none\/board: .*ENOENT[\s\S]*name a folder in one that exists/);
    assert.ok(!existsSync(image));
  });

  it("takes NVS keys that are there already, and refuses what are none, or others may read", async () => {
    const [first, second] = [fresh(), fresh()];
    await good(first.args);
    const keys = `${first.folder}/nvs_keys.bin`;
    await good([...second.args, "--nvs-keys", keys]);
    assert.deepEqual(second.file("nvs_keys.bin"), first.file("nvs_keys.bin"));
    assert.ok(
      Array.isArray(unpackNvs(second.file("identity.bin"), unpackNvsKeys(readFileSync(keys)) as Uint8Array)),
    );
    const { args, folder } = fresh();
    const bad = at("bad.bin");
    const cases: [Uint8Array, number, RegExp][] = [
      [readFileSync(keys), 0o640, /bad\.bin: others may read this secret/],
      [
        new Uint8Array(4096).fill(0xff),
        0o600,
        /bad\.bin: erased flash, without any NVS keys\n\(name the nvs_keys/,
      ],
      [readFileSync(keys).subarray(0, 68), 0o600, /bad\.bin: no NVS keys, or damaged ones/],
      [new Uint8Array(4097), 0o600, /bad\.bin: has 4097 bytes, wanted 4096 at most/],
    ];
    for (const [content, mode, message] of cases) {
      rmSync(bad, { force: true });
      writeFileSync(bad, content, { mode });
      await refused([...args, "--nvs-keys", bad], message);
    }
    assert.ok(!existsSync(folder));
  });

  it("takes another board's partitions, if a lock can run there", async () => {
    const moved = LOCK_ROWS.map(
      (row): Row => (row[0] === "events" ? ["events", 1, 0x41, 0x3a0000, 0x50000, 1] : row),
    );
    const fits = moved.filter(([name]) => name !== "coredump");
    const { args } = fresh();
    const made = JSON.parse(await good([...args, "--json", "--partitions", tableFile(fits)]));
    assert.match(made.board.flash, /0x3a0000 \S+\/events\.bin$/);
    const wrong = fresh();
    await refused(
      [...wrong.args, "--partitions", tableFile(moved)],
      /partitions-\d+\.csv: coredump: begins at 0x3e0000, inside events/,
    );
    await refused(
      [...wrong.args, "--partitions", tableFile(L500I_ROWS)],
      /credentials: wanted 0x30000 bytes for lock-1000/,
    );
    await refused([...wrong.args, "--partitions", at("none.csv")], /none\.csv: no such file/);
    const text = at("text.csv");
    writeFileSync(text, "# board\nnvs\n");
    await refused([...wrong.args, "--partitions", text], /text\.csv:2: wanted name, type/);
    assert.ok(!existsSync(wrong.folder));
  });

  it("takes the options of a board with --flash alone, and only those that go together", async () => {
    const { args, folder } = fresh();
    const rest = args.filter((arg) => arg !== "--flash" && arg !== folder);
    await refused([...rest, "--plain"], /--plain: says how a real board is made\n\(add --flash/);
    await refused([...rest, "--nvs-keys", "k"], /--nvs-keys: says how/);
    await refused([...rest, "--partitions", "p"], /--partitions: says how/);
    await refused(
      [...args, "--plain", "--nvs-keys", "k"],
      /'--nvs-keys <file>' cannot be used with option '--plain'/,
    );
  });
});
