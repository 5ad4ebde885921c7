// NVS partitions: what is written is read back, ESP-IDF's own library writes the same bytes, and damage is never read as something else.
// The golden images were made by running that library (nvs_flash of ESP-IDF) on a computer, with the calls that stand beside them.

import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { fromHex } from "../../../protocol/wire/bytes";
import { packNvsKeys, unpackNvsKeys } from "../../../tools/flash-map/nvs-keys";
import { blobOf, type NvsItem, unpackNvs } from "../../../tools/flash-map/nvs-reader";
import { MAX_BLOB_BYTES, packNvs } from "../../../tools/flash-map/nvs-writer";

const PAGE = 4096;
const counted = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => i);
const KEYS = counted(64);
const VALUE = counted(36);
/** What {@link BLOB} takes of its page. */
const USED_BYTES = 224;
const BLOB = { namespace: "tumbler", key: "identity", value: VALUE };

const HEAD = "feffffff00000000feffffffffffffffffffffffffffffffffffffff842dbab9";
const MAP_OF_FIVE = "aafe" + "ff".repeat(30);
/** nvs_set_blob(tumbler, identity, 36 bytes) on an erased partition. */
const PLAIN =
  HEAD +
  MAP_OF_FIVE +
  "000101ffe6f9e7c574756d626c657200000000000000000001ffffffffffffff" +
  "0142030072be04ab6964656e7469747900000000000000002400ffff7e1538b0" +
  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
  "20212223ffffffffffffffffffffffffffffffffffffffffffffffffffffffff" +
  "014801ff6b1978d86964656e746974790000000000000000240000000100ffff";
/** The same, with KEYS. */
const ENCRYPTED =
  HEAD +
  MAP_OF_FIVE +
  "9ae7afec604d44452285cb6908e8bf3e52f886eabd5d12a2f4f453aa926c86e4" +
  "102342076f2bbff32dcf49c7c523ab58163294900a83272678fb64b3c2397814" +
  "e21b00d6fa1456d4f539ccc829fb4704a866b6086cb6c02d3c478d6dd3ebd277" +
  "e17838bdf67539a18ed11682f59bd1a6d5024a5dd2cf7a8eb421d1e687416ff7" +
  "29d34ffe4bf1d1a0571433be4eb5ee0531b6698b426deb9fa3040aa0bbdb160a";
/** With KEYS: set_u32(wifi, count, 7), set_blob(tumbler, identity, 0102), then both replaced, and set_str(wifi, ssid, "lobby"). */
const CHANGED =
  HEAD +
  "22a0aafe" +
  "ff".repeat(28) +
  "563973843b79922091dbac8e64e8760252f886eabd5d12a2f4f453aa926c86e4" +
  "19fc0f5b975d01cdc8f622ec8babf71fc8ea8ecc6bffad2b7a0eab1f4805794f" +
  "9b262424360a19e7aa1feada11194fbe4454d66ff8cea46e48d53887caaa534d" +
  "dbe5984011e1c089e1f3b9ab623d1c132cb8ce1e852d57d874a5bc792dcd987d" +
  "c78b6374bfb0da8fa9672b35ee5d99db43f8d42b6bf834a05d933d6489de6658" +
  "af2d1ad2ca5e2a3f2a6bc01342de40e5912a683d533a271d0b884248eeb2ca92" +
  "d44e8121a4ba7088be4baf4df700bf81d3fa702d83d3737a7c0b31b684813ac3" +
  "fe148b3186e3ff499ed54d33f85e0373838fe0369e3e5dc591a1713a487c200c" +
  "c63a4bf64fbe03bd26959ef216f3976667afd414128f058c9d4780a813fea8f4" +
  "d196688ea1b57ef86784e6ad78587fd4cb318dfb845c930df84740072821259f" +
  "987148a007056c921a68c936cbd823fe5fb8b983c3b43adc1b0cd94b48c716cb" +
  "bedaeca50dd5ed31b2449c28d585cb88c3cc67e3a7987fa3234310beb5ed328f" +
  "e9a3308d5cf22512e1a88614842221c506d62cb1acce1ba76c7ddd6de67ddb68";

/** A partition that begins so, and is erased behind it. */
function partition(hex: string, size = 3 * PAGE): Buffer {
  const bytes = Buffer.alloc(size, 0xff);
  bytes.set(fromHex(hex));
  return bytes;
}

function readBlob(bytes: Uint8Array, keys?: Uint8Array): Uint8Array | string | undefined {
  const items = unpackNvs(bytes, keys);
  return typeof items === "string" ? items : blobOf(items, BLOB.namespace, BLOB.key);
}

const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
};

describe("An NVS partition", () => {
  it("is written byte for byte as ESP-IDF's library writes it, plain and encrypted", () => {
    assert.deepEqual(Buffer.from(packNvs(BLOB, 3 * PAGE)), partition(PLAIN));
    assert.deepEqual(Buffer.from(packNvs(BLOB, 3 * PAGE, KEYS)), partition(ENCRYPTED));
  });

  it("is read as ESP-IDF's library wrote it", () => {
    assert.deepEqual(readBlob(partition(PLAIN)), VALUE);
    assert.deepEqual(readBlob(partition(ENCRYPTED), KEYS), VALUE);
  });

  it("gives back every length of blob that fits a page, and takes none beyond", () => {
    for (const length of [1, 31, 32, 33, 116, MAX_BLOB_BYTES - 1, MAX_BLOB_BYTES])
      for (const keys of [undefined, KEYS]) {
        const value = counted(length);
        assert.deepEqual(readBlob(packNvs({ ...BLOB, value }, PAGE, keys), keys), value, `${length}`);
      }
    for (const length of [0, MAX_BLOB_BYTES + 1])
      assert.throws(() => packNvs({ ...BLOB, value: counted(length) }, PAGE), /wanted 1 to 3936 bytes/);
    for (const size of [0, 100, PAGE + 1]) assert.throws(() => packNvs(BLOB, size), RangeError);
    for (const name of ["", "sixteen-letters-"]) {
      assert.throws(() => packNvs({ ...BLOB, key: name }, PAGE), /wanted 1 to 15 characters/);
      assert.throws(() => packNvs({ ...BLOB, namespace: name }, PAGE), RangeError);
    }
    const names = { namespace: "fifteen-letters", key: "letters-fifteen", value: VALUE };
    const items = unpackNvs(packNvs(names, PAGE));
    assert.deepEqual(items, [{ ...names, kind: "blob" } satisfies NvsItem]);
  });

  it("tells what is erased, no NVS, of a newer format, and not to be deciphered", () => {
    assert.deepEqual(unpackNvs(new Uint8Array(3 * PAGE).fill(0xff)), []);
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(PAGE),
      counted(PAGE),
      partition(PLAIN).subarray(1),
    ])
      assert.equal(unpackNvs(bytes), "not-nvs");
    const newer = partition("feffffff00000000fdffffffffffffffffffffffffffffffffffffff" + "00000000");
    newer.writeUInt32LE(crcOf(newer.subarray(4, 28)), 28);
    assert.equal(unpackNvs(newer), "newer-format");
    assert.equal(readBlob(partition(ENCRYPTED)), "undeciphered");
    assert.equal(readBlob(partition(ENCRYPTED), counted(64).reverse()), "undeciphered");
    assert.equal(readBlob(partition(PLAIN), KEYS), "undeciphered");
  });

  for (const [name, keys] of [
    ["plain", undefined],
    ["encrypted", KEYS],
  ] as const)
    it(`X10 with any single bit flipped is an error or the same blob, ${name}`, () => {
      const bytes = packNvs(BLOB, PAGE, keys);
      let same = 0;
      // Of what is erased one bit of each byte does.
      for (let bit = 0; bit < 8 * bytes.length; bit += bit < 8 * USED_BYTES ? 1 : 9) {
        const found = readBlob(flipped(bytes, bit), keys);
        if (typeof found === "string") continue;
        assert.deepEqual(found, VALUE, `bit ${bit}`);
        same++;
      }
      // A page that is full and one that is active hold the same.
      assert.equal(same, 1);
    });

  it("X10 with any damage is an error or the same blob, and never an exception", () => {
    const change = fc.record({
      at: fc.integer({ min: 0, max: 2 * PAGE - 1 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    });
    const near = change.map(({ at, bytes }) => ({ at: at % 256, bytes }));
    const changes = fc.array(fc.oneof(change, near), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, fc.boolean(), (places, isPlain) => {
        const keys = isPlain ? undefined : KEYS;
        const bytes = packNvs(BLOB, 2 * PAGE, keys);
        for (const place of places)
          bytes.set(place.bytes.subarray(0, Math.max(0, bytes.length - place.at)), place.at);
        const found = readBlob(bytes, keys);
        if (typeof found === "object") assert.deepEqual(found, VALUE);
      }),
      { numRuns: 1000 },
    );
  });

  it("never is random bytes, which are never an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const page = new Uint8Array(PAGE).fill(0xff);
        page.set(bytes);
        if (bytes.every((byte) => byte === 0xff)) return;
        assert.equal(typeof unpackNvs(page), "string");
        page.set(fromHex(HEAD));
        const items = unpackNvs(page, KEYS);
        assert.ok(typeof items === "string" || items.length === 0);
      }),
    );
  });
});

describe("An NVS partition that a chip has worked with", () => {
  /** An entry, with its checksum. */
  function entry(hex: string): Buffer {
    const bytes = Buffer.from(fromHex(hex.replaceAll(" ", "")));
    bytes.writeUInt32LE(crcOf(Buffer.concat([bytes.subarray(0, 4), bytes.subarray(8)])), 4);
    return bytes;
  }
  const name = (text: string): string => Buffer.from(text.padEnd(16, "\0")).toString("hex");
  const space = (n: number, text: string): Buffer =>
    entry(`000101ff 00000000 ${name(text)} 0${n}ffffffffffffff`);
  const number = (text: string): Buffer => entry(`010101ff 00000000 ${name(text)} 2affffffffffffff`);
  const chunk = (n: number, text: string, value: number): Buffer[] => {
    const data = Buffer.alloc(32, value);
    const head = Buffer.from(
      fromHex(`014202${n.toString(16).padStart(2, "0")}00000000${name(text)}2000ffff00000000`),
    );
    head.writeUInt32LE(crcOf(data), 28);
    return [entry(head.toString("hex")), data];
  };
  const index = (text: string, bytes: number, chunks: number, first: number): Buffer => {
    const head = Buffer.from(fromHex(`014801ff00000000${name(text)}000000000000ffff`));
    head.writeUInt32LE(bytes, 24);
    head.set([chunks, first], 28);
    return entry(head.toString("hex"));
  };

  /** A page: `map` says E for erased, . for empty and otherwise written, an entry each. */
  function page(entries: readonly Buffer[], { state = 0xfe, sequence = 0, map = "" } = {}): Buffer {
    const bytes = Buffer.alloc(PAGE, 0xff);
    bytes[0] = state;
    bytes.writeUInt32LE(sequence, 4);
    bytes[8] = 0xfe;
    bytes.writeUInt32LE(crcOf(bytes.subarray(4, 28)), 28);
    entries.forEach((each, i) => {
      bytes.set(each, 64 + 32 * i);
      const bits = { E: 3, ".": 0 }[map[i]] ?? 1;
      bytes[32 + (i >> 2)] &= ~(bits << (2 * (i & 3)));
    });
    return bytes;
  }

  const kinds = (bytes: Uint8Array): string => {
    const items = unpackNvs(bytes);
    if (typeof items === "string") return items;
    return items.map((item) => `${item.namespace}.${item.key} ${item.kind} ${item.value.length}`).join(", ");
  };

  it("holds the values of now, and not those that were replaced", () => {
    const items = unpackNvs(partition(CHANGED), KEYS);
    const value = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
    const wanted: NvsItem[] = [
      { namespace: "tumbler", key: "identity", kind: "blob", value: VALUE },
      { namespace: "wifi", key: "ssid", kind: "string", value: value("lobby\0") },
      { namespace: "wifi", key: "count", kind: "number", value: value("\x08\0\0\0") },
    ];
    assert.deepEqual(items, wanted);
    const entries = [space(1, "a"), number("old"), ...chunk(0, "b", 7), index("b", 32, 1, 0), number("new")];
    assert.equal(kinds(page(entries, { map: " EEEE " })), "a.new number 1");
    assert.equal(kinds(page(entries)), "a.old number 1, a.b blob 32, a.new number 1");
  });

  it("joins a blob of chunks on several pages, in either half of their numbers", () => {
    const first = page([space(1, "a"), ...chunk(0x80, "b", 1)], { state: 0xfc });
    const second = page([...chunk(0x81, "b", 2), index("b", 64, 2, 0x80)], { sequence: 1 });
    for (const bytes of [
      Buffer.concat([first, second]),
      Buffer.concat([second, Buffer.alloc(PAGE, 0xff), first]),
    ]) {
      const items = unpackNvs(bytes);
      assert.ok(typeof items !== "string");
      assert.deepEqual(
        blobOf(items, "a", "b"),
        new Uint8Array([...Buffer.alloc(32, 1), ...Buffer.alloc(32, 2)]),
      );
      assert.equal(blobOf(items, "a", "c"), undefined);
      assert.equal(blobOf(items, "b", "b"), undefined);
    }
  });

  it("is damaged where things do not belong together", () => {
    const a = space(1, "a");
    const good = [a, ...chunk(0, "b", 1), index("b", 32, 1, 0)];
    assert.equal(kinds(page(good)), "a.b blob 32");
    const wrongs: [string, Buffer][] = [
      ["a chunk without an index", page(good.slice(0, 3))],
      ["an index without its chunk", page([a, index("b", 32, 1, 0)])],
      ["an index of another length", page([...good.slice(0, 3), index("b", 31, 1, 0)])],
      ["an index of the other half", page([...good.slice(0, 3), index("b", 32, 1, 0x80)])],
      ["a chunk twice", page([...good, ...chunk(0, "b", 1)])],
      ["a value twice", page([a, number("n"), number("n")])],
      ["a namespace that none names", page([number("n")])],
      ["a namespace twice", page([a, space(1, "b")])],
      ["two namespaces of one name", page([a, space(2, "a")])],
      ["a value that is not all there", page(good, { map: "  .  " })],
      ["an entry in what is empty", page([...good, number("n")], { map: "    ." })],
      ["a number with a chunk", page([a, entry(`01010100 00000000 ${name("n")} 2affffffffffffff`)])],
      ["a chunk without a number", page([a, ...chunk(0xff, "b", 1), index("b", 32, 1, 0xff)])],
      [
        "a number of two entries",
        page([a, entry(`010102ff 00000000 ${name("n")} 2affffffffffffff`), number("m")]),
      ],
      [
        "an index of two entries",
        page([...good.slice(0, 3), entry(`014802ff 00000000 ${name("b")} 200000000100ffff`), a]),
      ],
      ["a type that none has", page([a, entry(`010301ff 00000000 ${name("n")} 2affffffffffffff`)])],
      ["two pages that are written to", Buffer.concat([page(good), page([], { sequence: 1 })])],
      ["two pages of one number", Buffer.concat([page(good), page([], { state: 0xfc })])],
      ["a page that is being freed", page(good, { state: 0xf8 })],
      ["a page in disorder", page(good, { state: 0xf0 })],
      ["a page without a header", Buffer.concat([page(good), Buffer.alloc(PAGE, 0)])],
    ];
    for (const [what, bytes] of wrongs) assert.equal(kinds(bytes), "damaged-nvs", what);
  });
});

describe("X10 the NVS keys", () => {
  it("stand in a sector as ESP-IDF's library reads them", () => {
    const bytes = Buffer.from(packNvsKeys(KEYS));
    assert.equal(bytes.subarray(0, 68).toString("hex"), Buffer.from(KEYS).toString("hex") + "45527c9a");
    assert.ok(bytes.subarray(68).every((byte) => byte === 0xff));
    assert.equal(bytes.length, PAGE);
    assert.deepEqual(unpackNvsKeys(bytes), KEYS);
    assert.throws(() => packNvsKeys(counted(63)), RangeError);
  });

  it("are told from erased flash, and from anything else", () => {
    assert.equal(unpackNvsKeys(packNvsKeys(undefined)), "no-keys");
    assert.ok(packNvsKeys(undefined).every((byte) => byte === 0xff));
    const good = packNvsKeys(KEYS);
    for (let bit = 0; bit < 8 * 72; bit++) assert.equal(unpackNvsKeys(flipped(good, bit)), "damaged-keys");
    assert.equal(unpackNvsKeys(good.subarray(0, 68)), "damaged-keys");
    assert.equal(unpackNvsKeys(new Uint8Array(0)), "damaged-keys");
    assert.equal(unpackNvsKeys(packNvsKeys(new Uint8Array(64))), "damaged-keys", "two equal keys");
  });

  it("encrypt each entry for the place where it stands (IEEE 1619)", () => {
    const cipher = createCipheriv("aes-256-xts", KEYS, Buffer.from("40" + "00".repeat(15), "hex"));
    const first = cipher.update(partition(PLAIN).subarray(64, 96));
    assert.deepEqual(first, partition(ENCRYPTED).subarray(64, 96));
  });
});

/** CRC-32 with zeros at its beginning, bit by bit. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
