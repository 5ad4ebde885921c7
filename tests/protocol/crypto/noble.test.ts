// The portable backend never builds the library's table of the base point, and needs nothing that a frozen
// engine denies it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Point } from "@noble/ed25519";
import { buildSync } from "esbuild";
import { noble } from "../../../protocol/crypto/noble";
import vectors from "../../../protocol/vectors/ed25519.json";
import { unhex } from "./hex";

const ROOT = join(__dirname, "../../..");

/**
 * Runs `work` and counts the library's point operations; fails if the base point is multiplied, the only way
 * to the table.
 */
function pointOperations(work: () => void): number {
  const { add, double, multiply } = Point.prototype;
  let operations = 0;
  Point.prototype.add = function (other) {
    operations++;
    return add.call(this, other);
  };
  Point.prototype.double = function () {
    operations++;
    return double.call(this);
  };
  Point.prototype.multiply = function (scalar, safe) {
    assert.equal(this.equals(Point.BASE), false, "the base point was multiplied");
    return multiply.call(this, scalar, safe);
  };
  try {
    work();
  } finally {
    Object.assign(Point.prototype, { add, double, multiply });
  }
  return operations;
}

describe("the noble backend without its table", () => {
  it("never multiplies the base point, not even when it is the key or R", () => {
    for (const { seed, publicKey, message, signature } of vectors) {
      pointOperations(() => {
        noble.ed25519Verify(unhex(signature), unhex(message), unhex(publicKey));
        if (seed !== undefined) noble.ed25519Sign(unhex(message), unhex(seed));
      });
    }
  });

  it("verifies with one ladder of at most 254 doublings and as many additions", () => {
    const { publicKey, message, signature } = vectors[0];
    const operations = pointOperations(() => {
      assert.equal(noble.ed25519Verify(unhex(signature), unhex(message), unhex(publicKey)), true);
    });
    assert.ok(operations > 253 && operations <= 2 * 254, operations + " point operations");
  });

  it("multiplies by a secret in the same number of point operations whatever the secret is", () => {
    const counts = new Set<number>();
    for (let i = 0; i < 8; i++) {
      counts.add(pointOperations(() => void noble.ed25519PublicKey(new Uint8Array(32).fill(17 * i))));
    }
    assert.deepEqual([...counts], [512]);
  });

  it("runs in a process with frozen intrinsics and frozen classes, and keeps no table there", function () {
    this.timeout(20_000);
    const { good, kept, withTable } = runFrozen();
    assert.equal(good, true);
    assert.ok(kept < 10, kept + " points kept after signing and verifying");
    assert.ok(withTable > 4_224, withTable + " points: the measure does not see the table");
  });
});

/**
 * Bundles the backend alone, runs it in Node with everything frozen, and counts the points alive after it and
 * with the table.
 */
function runFrozen(): { good: boolean; kept: number; withTable: number } {
  const { seed, publicKey, message, signature } = vectors[1];
  const contents = `
    import { queryObjects } from "node:v8";
    import { Point } from "@noble/ed25519";
    import { noble } from "./protocol/crypto/noble";
    const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
    for (const item of [Point, Point.prototype, noble]) Object.freeze(item);
    const seed = bytes("${seed}"), key = bytes("${publicKey}"), message = bytes("${message}"), signature = bytes("${signature}");
    const good = noble.ed25519Verify(signature, message, key)
      && Buffer.compare(noble.ed25519Sign(message, seed), signature) === 0
      && Buffer.compare(noble.ed25519PublicKey(seed), key) === 0
      && noble.hmacSha256(seed, noble.sha256(message)).length === 32;
    const kept = queryObjects(Point);
    Point.BASE.multiply(5n);
    console.log(JSON.stringify({ good, kept, withTable: queryObjects(Point) }));`;
  const folder = mkdtempSync(join(tmpdir(), "tumbler-noble-"));
  try {
    const { outputFiles } = buildSync({
      stdin: { contents, resolveDir: ROOT, loader: "ts" },
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
    });
    const file = join(folder, "bundle.cjs");
    writeFileSync(file, outputFiles[0].text);
    const flags = ["--frozen-intrinsics", "--no-warnings"];
    return JSON.parse(execFileSync(process.execPath, [...flags, file], { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
