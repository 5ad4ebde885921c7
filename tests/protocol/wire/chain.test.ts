// The chain over deltas (rules S1, S2), computed once more with node:crypto.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { noble } from "../../../protocol/crypto/noble";
import { genesisHead, nextHead } from "../../../protocol/wire/chain";
import {
  addDigest,
  scheduleDigest,
  settingDigest,
  slotDigest,
  subtractDigest,
} from "../../../protocol/wire/digest";
import { node } from "../../../simulator/board/crypto";
import { hex, unhex } from "../../support/cbor";

const sha = (text: string) => createHash("sha256").update(Buffer.from(text, "hex")).digest("hex");
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const numberOf = (bytes: Uint8Array) => BigInt(`0x${hex(bytes)}`);
const MODULUS = 1n << 256n;

describe("S1 the chain over deltas", () => {
  it("begins with a head that binds lock and epoch, and goes on over the bytes of each delta", () => {
    const lock = unhex("0102030405060708");
    const genesis = sha(`${Buffer.from("tumbler/1 head").toString("hex")}0102030405060708ffffffff`).slice(
      0,
      32,
    );
    for (const crypto of [node, noble]) {
      const head = genesisHead(crypto, lock, 0xffffffff);
      assert.equal(hex(head), genesis);
      const delta = unhex("820ca0");
      const next = nextHead(crypto, head, delta);
      assert.equal(hex(next), sha(`${genesis}820ca0`).slice(0, 32));
      assert.equal(hex(head), genesis);
      assert.equal(hex(delta), "820ca0");
    }
  });
});

describe("K6 the table digest", () => {
  it("adds and subtracts modulo 2^256, whatever the carries", () => {
    fc.assert(
      fc.property(bytes32, bytes32, (a, b) => {
        const sum = a.slice();
        addDigest(sum, b);
        assert.equal(numberOf(sum), (numberOf(a) + numberOf(b)) % MODULUS);
        subtractDigest(sum, b);
        assert.deepEqual(sum, a);
        subtractDigest(sum, b);
        assert.equal(numberOf(sum), (numberOf(a) - numberOf(b) + MODULUS) % MODULUS);
      }),
    );
    const most = new Uint8Array(32).fill(0xff);
    addDigest(most, unhex(`${"00".repeat(31)}01`));
    assert.deepEqual(most, new Uint8Array(32));
    subtractDigest(most, unhex(`${"00".repeat(31)}01`));
    assert.deepEqual(most, new Uint8Array(32).fill(0xff));
  });

  it("hashes an entry without the bits that are a store's own, at any offset", () => {
    const entry = "ff".repeat(41);
    const item = sha(`0107${"ff".repeat(40)}`);
    assert.equal(hex(slotDigest(node, unhex(entry))), item);
    assert.equal(hex(slotDigest(node, unhex(`aabb${entry}cc`), 2)), item);
  });

  it("tells schedules, settings and their ids apart", () => {
    const windows = new Uint32Array([1, 0xfedcba98, 7]);
    assert.equal(hex(scheduleDigest(node, 255, windows, 2)), sha("02ff00000001fedcba98"));
    assert.equal(hex(scheduleDigest(node, 1, [7])), sha("020100000007"));
    assert.equal(hex(settingDigest(node, 1, unhex("555443"))), sha("0301555443"));
  });
});
