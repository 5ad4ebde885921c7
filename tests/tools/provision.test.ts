// `tumbler provision`: what it makes is a lock that its record opens, secrets stay where they belong, and nothing is overwritten.

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { Lock } from "../../firmware/core/lock";
import { signingKey, signKeyset } from "../../protocol/issuer/encode";
import { toHex } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { codeName } from "../../protocol/wire/codes";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { frame, helloBody, readFrame, readResult, Type } from "../../protocol/wire/messages";
import { May } from "../../protocol/wire/payloads";
import { VirtualBoard } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { unpackImage } from "../../simulator/board/image";
import { parseRecord, recordText } from "../../tools/lock-record";
import { Failure } from "../../tools/ui/failure";
import { ownFolder, run, widest } from "./support";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const textOf = (path: string): string => readFileSync(path, "utf8");

describe("tumbler provision", () => {
  const at = ownFolder();
  let serial = 0;

  /** Options for a new lock, with files of its own. */
  function fresh(): { out: string; record: string; maker: string; owner: string; args: string[] } {
    const folder = at(`lock-${++serial}`);
    mkdirSync(folder);
    const [out, record, maker, owner] = ["a.img", "a.json", "maker.key", "owner.key"].map(
      (name) => `${folder}/${name}`,
    );
    const args = ["provision", "--out", out, "--record", record, "--maker-key", maker];
    return { out, record, maker, owner, args };
  }

  async function refused(args: readonly string[], message: RegExp): Promise<void> {
    const { code, out, err } = await run(args);
    assert.match(err, message);
    assert.equal(out, "");
    assert.equal(code, 2);
  }

  it("P1 makes a lock that its own ticket claims, under the keys of the record", async () => {
    const { args, out, record, owner } = fresh();
    const { code } = await run([
      ...args,
      "--owner-key",
      owner,
      "--site",
      "north",
      "--lock-id",
      "00000000000000FF",
    ]);
    assert.equal(code, 0);
    const image = unpackImage(readFileSync(out));
    const made = parseRecord(record, textOf(record));
    assert.equal(toHex(image.identity.lock), "00000000000000ff");
    assert.equal(made.site, "north");
    const random = (buffer: Uint8Array) => void crypto.getRandomValues(buffer);
    const lock = new Lock(new VirtualBoard({ image, crypto: node, world: { now: () => 0 }, random }));
    assert.equal(lock.parts.mountState, "mounted");
    const session = lock.open();
    lock.receive(session, frame(Type.hello, 1, helloBody(MAX_MESSAGE_BYTES)));
    const send = (type: number, request: number, body: Uint8Array): string | undefined => {
      const reader = new Reader(lock.receive(session, frame(type, request, body)));
      readFrame(reader);
      const result = readResult(reader);
      return result && codeName(result.code);
    };
    assert.equal(send(Type.claim, 2, made.record.ticket), "applied");
    assert.deepEqual(lock.authority.derived, made.record.keys);
    assert.equal(toHex(lock.authority.owner), toHex(made.owner));
    const seed = Buffer.from(
      createPrivateKey(textOf(owner)).export({ format: "jwk" }).d as string,
      "base64url",
    );
    const root = signingKey(node, seed);
    const keys = [{ kid: root.kid, publicKey: root.publicKey, may: May.bundle }];
    const keyset = signKeyset(node, root, { lock: image.identity.lock, number: 1, keys, claim: 1 });
    assert.equal(send(Type.keys, 3, keyset), "applied");
  });

  it("X10 keeps seed and device secret in the image alone, and every secret off the screen", async () => {
    for (const more of [[], ["--json"]]) {
      const { args, out: file, record, owner, maker } = fresh();
      const { out, err } = await run([...args, "--owner-key", owner, ...more]);
      const { identity } = unpackImage(readFileSync(file));
      const made = textOf(record);
      for (const secret of [toHex(identity.seed), toHex(identity.deviceSecret)])
        for (const text of [out, err, made]) assert.ok(!text.includes(secret));
      for (const key of Object.values(parseRecord(record, made).record.keys) as Uint8Array[])
        assert.ok(!(out + err).includes(toHex(key)));
      for (const path of [owner, maker]) assert.ok(!(out + err).includes(textOf(path).split("\n")[1]));
    }
  });

  it("gives every file mode 600, whatever the umask, and leaves no other", async () => {
    const { args, out, record, maker, owner } = fresh();
    const umask = process.umask(0o002);
    try {
      await run([...args, "--owner-key", owner]);
    } finally {
      process.umask(umask);
    }
    for (const path of [out, record, maker, owner]) assert.equal(modeOf(path), "600", path);
    assert.deepEqual(readdirSync(dirname(out)).sort(), ["a.img", "a.json", "maker.key", "owner.key"]);
  });

  it("makes both profiles, each with its size", async () => {
    for (const [profile, id, size] of [
      ["lock-1000", 1, 528_384],
      ["l500i", 2, 45_056],
    ] as const) {
      const { args, out, record, owner } = fresh();
      await run([...args, "--owner-key", owner, "--profile", profile]);
      assert.equal(statSync(out).size, size);
      assert.equal(unpackImage(readFileSync(out)).identity.profile, id);
      assert.equal(parseRecord(record, textOf(record)).profile.name, profile);
    }
  });

  it("says on 80 columns what it made, and what was made new", async () => {
    const { args, owner } = fresh();
    const first = await run([...args, "--owner-key", owner]);
    assert.match(first.out, /^Provisioned lock [0-9a-f]{16}\n/);
    assert.match(first.out, /maker's key +\S+maker\.key, made now: keep it\n/);
    const short = first.out.replaceAll(dirname(owner), ".");
    assert.ok(widest(short) <= 80, short);
    const again = await run([...args, "--owner-key", owner, "--force"]);
    assert.match(again.out, /maker's key +\S+maker\.key\n/);
  });

  it("prints as JSON what was made, for the next program", async () => {
    const { args, out: image, record, owner, maker } = fresh();
    const { out } = await run([...args, "--owner-key", owner, "--json"]);
    const made = JSON.parse(out);
    const { identity } = unpackImage(readFileSync(image));
    assert.equal(made.lock, toHex(identity.lock));
    assert.equal(made.publicKey, toHex(node.ed25519PublicKey(identity.seed)));
    assert.deepEqual([made.image, made.record, made.profile], [image, record, "lock-1000"]);
    assert.deepEqual(made.makerKey, { file: maker, made: true });
    assert.deepEqual(made.ownerKey, { file: owner, made: true });
    assert.equal(made.claim.number, 1);
  });

  it("never overwrites without --force, and then keys never", async () => {
    const { args, out, record, maker, owner } = fresh();
    await run([...args, "--owner-key", owner]);
    const before = [out, record, maker, owner].map(textOf);
    await refused(
      [...args, "--owner-key", owner],
      /a\.img: exists already, and is not overwritten\n\(.*--force\)/,
    );
    assert.deepEqual([out, record, maker, owner].map(textOf), before);
    chmodSync(out, 0o644);
    assert.equal((await run([...args, "--owner-key", owner, "--force"])).code, 0);
    assert.notEqual(textOf(out), before[0]);
    assert.deepEqual([maker, owner].map(textOf), before.slice(2));
    assert.equal(modeOf(out), "600");
  });

  it("writes all files or none", async () => {
    const { args, out, record, maker, owner } = fresh();
    writeFileSync(record, "mine");
    await refused([...args, "--owner-key", owner], /a\.json: exists already/);
    assert.deepEqual(readdirSync(dirname(out)), ["a.json"]);
    const elsewhere = [...args, "--owner-key", `${dirname(out)}/none/owner.key`, "--force"];
    await refused(elsewhere, /none\/owner\.key: no such file or folder/);
    assert.deepEqual(readdirSync(dirname(out)), ["a.json"]);
    assert.equal(textOf(record), "mine");
    await refused([...args, "--owner-key", out, "--force"], /a\.img: named for two files/);
    assert.ok(!existsSync(maker));
  });

  it("uses keys that exist, also such as OpenSSL has them", async () => {
    const { args, out, record, maker, owner } = fresh();
    const pair = generateKeyPairSync("ed25519");
    writeFileSync(maker, pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const root = createPublicKey(pair.privateKey).export({ format: "jwk" }).x as string;
    const hex = toHex(signingKey(node, new Uint8Array(32).fill(7)).publicKey);
    assert.equal((await run([...args, "--owner", hex.toUpperCase()])).code, 0);
    assert.equal(toHex(parseRecord(record, textOf(record)).owner), hex);
    const { makerRoot } = unpackImage(readFileSync(out)).identity;
    assert.equal(Buffer.from(makerRoot).toString("base64url"), root);
    assert.ok(!existsSync(owner));
  });

  it("refuses a key file that others may read, that is no key, or of another kind", async () => {
    const { args, maker, owner } = fresh();
    const rest = ["--owner-key", owner];
    const pem = (key: ReturnType<typeof createPrivateKey>) => key.export({ type: "pkcs8", format: "pem" });
    writeFileSync(maker, pem(generateKeyPairSync("ed25519").privateKey), { mode: 0o644 });
    await refused(
      [...args, ...rest],
      /maker\.key: others may read this secret: wanted mode 600, got 644\n\(run: chmod 600 /,
    );
    writeFileSync(maker, "123456\n");
    chmodSync(maker, 0o600);
    await refused(
      [...args, ...rest],
      /maker\.key: not a key file: wanted an Ed25519 private key as PKCS #8 in PEM/,
    );
    writeFileSync(maker, pem(generateKeyPairSync("x25519").privateKey));
    await refused([...args, ...rest], /maker\.key: a key of another kind \(x25519\)/);
    await refused([...args.slice(0, -1), dirname(maker), ...rest], /is a folder/);
  });

  it("wants an owner whose key can be one", async () => {
    const { args } = fresh();
    await refused(args, /no owner: a claim ticket names one\n\(add --owner .* or --owner-key/);
    await refused([...args, "--owner", "12"], /--owner 12: wanted 64 hexadecimal digits/);
    await refused([...args, "--owner", `${"0".repeat(62)}zz`], /wanted 64 hexadecimal digits/);
    const neutral = `01${"00".repeat(31)}`;
    await refused([...args, "--owner", neutral], /not an Ed25519 public key/);
    const noPoint = `02${"00".repeat(31)}`;
    await refused([...args, "--owner", noPoint], /not an Ed25519 public key/);
    await refused([...args, "--owner", neutral, "--owner-key", "x"], /cannot be used with option/);
  });

  it("wants a site, a lock id and a profile that there can be", async () => {
    const { args, owner, out } = fresh();
    const rest = ["--owner-key", owner];
    for (const site of ["", "North", "a/b", "seventeen-letters"])
      await refused([...args, ...rest, "--site", site], /--site .*: wanted 1 to 16 of a-z, 0-9 and "-"/);
    for (const id of ["", "12", "00112233445566778", "001122334455667g"])
      await refused([...args, ...rest, "--lock-id", id], /--lock-id .*: wanted 16 hexadecimal digits/);
    await refused([...args, ...rest, "--profile", "l500"], /Allowed choices are lock-1000, l500i/);
    await refused(["provision", "--record", "x"], /no place for the lock\n\(add --out .* or --flash /);
    assert.deepEqual(readdirSync(dirname(out)), []);
    assert.equal((await run([...args, ...rest, "--site", "sixteen-letters-"])).code, 0);
  });

  it("makes records that are read strictly, with errors that name the field and no value", async () => {
    const { args, record, owner } = fresh();
    await run([...args, "--owner-key", owner]);
    const text = textOf(record);
    assert.equal(recordText(parseRecord(record, text)), text);
    const good = JSON.parse(text);
    const wrongs: [string, (value: typeof good) => void][] = [
      [
        "format",
        (value) => {
          value.format = "tumbler lock record 2";
        },
      ],
      [
        "profile",
        (value) => {
          value.profile = "l501i";
        },
      ],
      [
        "lock",
        (value) => {
          value.lock = value.lock.slice(2);
        },
      ],
      [
        "publicKey",
        (value) => {
          value.publicKey += "00";
        },
      ],
      [
        "claim",
        (value) => {
          value.claim = [1];
        },
      ],
      [
        "claim.number",
        (value) => {
          value.claim.number = 0;
        },
      ],
      [
        "claim.number",
        (value) => {
          value.claim.number = 2 ** 32;
        },
      ],
      [
        "claim.ticket",
        (value) => {
          value.claim.ticket = "00";
        },
      ],
      [
        "claim.site",
        (value) => {
          delete value.claim.site;
        },
      ],
      [
        "keys.linkKey",
        (value) => {
          value.keys.linkKey = value.keys.linkKey.replace(/^./, "x");
        },
      ],
    ];
    for (const [field, spoil] of wrongs) {
      const value = structuredClone(good);
      spoil(value);
      const isExpected = (error: unknown) =>
        error instanceof Failure &&
        error.message.startsWith(`r.json: ${field}: wanted `) &&
        !error.message.includes(good.keys.linkKey.slice(1));
      assert.throws(() => parseRecord("r.json", JSON.stringify(value)), isExpected, field);
    }
    assert.throws(() => parseRecord("r.json", "{"), /^Error: r\.json: not JSON$/);
  });
});
