// That mutants are what they are said to be: fresh modules with exactly one place changed, beside true ones that are not.

import assert from "node:assert/strict";
import * as crcModule from "../../firmware/core/storage/crc";
import { loadMutated, type Mutation, mutate } from "./mutant";

type Crc = typeof crcModule;
const CRC = "firmware/core/storage/crc.ts";
const NO_SEED: Mutation = { file: CRC, find: "let value = ~seed;", replace: "let value = ~0;" };
const BYTES = Uint8Array.of(1, 2, 3, 4);

describe("Mutants: loaded beside the true modules", () => {
  it("differs where it was mutated, and nowhere else", () => {
    const mutant = loadMutated([NO_SEED], CRC) as Crc;
    assert.equal(mutant.crc32(BYTES, 0, 4, 0), crcModule.crc32(BYTES, 0, 4, 0));
    assert.equal(mutant.crc32(BYTES, 0, 4, 7), crcModule.crc32(BYTES, 0, 4, 0));
    assert.notEqual(crcModule.crc32(BYTES, 0, 4, 7), crcModule.crc32(BYTES, 0, 4, 0));
  });

  it("reaches modules that the entry imports, however far below, and leaves the next load alone", () => {
    const find = "const POLYNOMIAL = 0xedb88320 | 0;";
    const other = { file: CRC, find, replace: "const POLYNOMIAL = 0x82f63b78 | 0;" };
    const image = (mutations: readonly Mutation[]): string => {
      const door = new (loadMutated(mutations, "tests/support/door.ts") as typeof import("./door")).Door();
      return Buffer.from(door.board.credentials.bytes.slice(0, 64)).toString("hex");
    };
    const plain = image([]);
    assert.notEqual(image([other]), plain);
    assert.equal(image([]), plain);
  });

  it("loads a whole lock again in less than 150 ms of the processor", () => {
    const load = (): number => {
      const start = process.cpuUsage();
      loadMutated([NO_SEED], "tests/support/door.ts");
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    load();
    const best = Math.min(...Array.from({ length: 5 }, load));
    assert.ok(best < 150, `${best} ms`);
  });

  it("gives every load modules of its own, and packages that are shared", () => {
    const load = (): typeof import("../house/tree") =>
      loadMutated([], "tests/house/tree.ts") as typeof import("../house/tree");
    const [one, two] = [load(), load()];
    assert.notEqual(one.textOf, two.textOf);
    assert.equal(one.treeOf(CRC).constructor, two.treeOf(CRC).constructor);
  });
});

describe("Mutants: a mutation that has gone stale", () => {
  it("is refused when its text stands nowhere, with file and text", () => {
    const stale = { ...NO_SEED, find: "let value = seed;" };
    assert.throws(() => loadMutated([stale], CRC), /crc\.ts: wanted once, found 0 times: let value = seed;/);
  });

  it("is refused when its text stands twice", () => {
    assert.throws(
      () => mutate("a.ts", "x x", [{ file: "a.ts", find: "x", replace: "y" }]),
      /found 2 times: x/,
    );
  });

  it("is refused when its file is not loaded", () => {
    assert.throws(() => loadMutated([NO_SEED], "protocol/wire/bytes.ts"), /bytes\.ts does not load it/);
  });

  it("takes what replaces it as it stands", () => {
    assert.equal(mutate("a.ts", "(x)", [{ file: "a.ts", find: "x", replace: "$&$1" }]), "($&$1)");
  });
});
