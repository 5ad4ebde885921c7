// Flash with faults does what its plan says, and nothing else.

import assert from "node:assert/strict";
import {
  FAULT_KINDS,
  type FaultKind,
  type FaultPlan,
  FaultyNor,
  FlashFault,
} from "../../../simulator/board/faulty-nor";
import { FlashMisuse, NorFlash, SECTOR_BYTES } from "../../../simulator/board/nor";
import {
  type EraseTorn,
  type FlashOperation,
  PAGE_BYTES,
  POWER_CUT,
  Power,
} from "../../../simulator/board/power";
import { steady, tear } from "../../../simulator/board/tear";

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const fresh = (plan?: FaultPlan): FaultyNor => new FaultyNor(new NorFlash(3 * SECTOR_BYTES), plan);

function contentOf(flash: FaultyNor, offset: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  flash.read(buffer, offset);
  return buffer;
}

describe("A supply that is cut", () => {
  it("counts over all its flashes, and nothing answers after the cut", () => {
    const power = new Power({ operation: 2, bytes: 5, torn: "clean" });
    const [one, other] = [fresh({ power }), fresh({ power })];
    one.write(bytes(16, 1), 0);
    other.eraseBlock(1, 2);
    assert.throws(() => one.write(bytes(16, 2), 16), POWER_CUT);
    for (const flash of [one, other]) {
      assert.throws(() => flash.read(new Uint8Array(1), 0), POWER_CUT);
      assert.throws(() => flash.write(bytes(16, 0), 64), POWER_CUT);
      assert.throws(() => flash.eraseBlock(0, 1), POWER_CUT);
    }
    assert.equal(power.isOn, false);
    assert.deepEqual(
      power.operations.map(({ kind, offset, length }) => [kind, offset, length]),
      [
        ["program", 0, 16],
        ["erase", SECTOR_BYTES, SECTOR_BYTES],
        ["program", 16, 16],
      ],
    );
    assert.deepEqual(one.bytes.subarray(16, 32), Uint8Array.from([2, 2, 2, 2, 2, ...bytes(11, 0xff)]));
  });

  it("leaves what the pure function says that it leaves", () => {
    for (const [work, torn] of [
      [(flash: FaultyNor) => flash.write(bytes(64, 0x35), 256), "scattered"],
      [(flash: FaultyNor) => flash.eraseBlock(0, 1), "unstable"],
    ] as const) {
      const cut = { operation: 1, bytes: 33, torn, seed: 4 };
      let shown: FlashOperation | undefined;
      const flash = fresh({ power: new Power(cut), onOperation: (operation) => (shown = operation) });
      flash.write(bytes(128, 0x42), 0);
      const before = flash.image();
      assert.throws(() => work(flash), POWER_CUT);
      assert.deepEqual(flash.image(), tear(before, shown!, cut));
    }
  });

  it("can be planned anew while it is on, and counts from there", () => {
    const power = new Power();
    const flash = fresh({ power });
    flash.write(bytes(16, 0), 0);
    power.cutAt({ operation: 0, bytes: 0, torn: "clean" });
    assert.throws(() => flash.write(bytes(16, 0), 16), POWER_CUT);
  });

  it("shows each operation before it happens", () => {
    const seen: string[] = [];
    const flash: FaultyNor = fresh({
      onOperation: ({ kind, offset, length, bytes: data }, { bytes: cells }) =>
        seen.push([kind, offset, length, data?.[0], cells[offset]].join(" ")),
    });
    flash.write(bytes(32, 9), 48);
    flash.eraseBlock(0, 2);
    assert.deepEqual(seen, ["program 48 32 9 255", `erase 0 ${2 * SECTOR_BYTES}  255`]);
  });
});

describe("A page whose erase was cut", () => {
  const AT = 2 * PAGE_BYTES;

  /** A flash booted after the erase of its first sector, which held 0x5A, was cut in its third page. */
  function torn(how: EraseTorn, seed = 0): FaultyNor {
    const erase = { kind: "erase", offset: 0, length: SECTOR_BYTES } as const;
    const image = steady(bytes(SECTOR_BYTES, 0x5a));
    return FaultyNor.boot(tear(image, erase, { operation: 0, bytes: AT, torn: how, seed }), { seed });
  }

  const readings = (flash: FaultyNor): Set<string> =>
    new Set(Array.from({ length: 20 }, () => contentOf(flash, AT, PAGE_BYTES).join()));

  it("reads differently each time where its bits flicker, and the same again from the same seed", () => {
    for (const how of ["unstable", "begun", "nearly"] as const) {
      assert.ok(readings(torn(how)).size > 1, how);
      assert.deepEqual(readings(torn(how)), readings(torn(how)), how);
    }
    for (const how of ["clean", "random", "weak"] as const) assert.equal(readings(torn(how)).size, 1, how);
  });

  it("goes on to flicker at the next boot, and reads the same in part as in whole", () => {
    const again = FaultyNor.boot(torn("unstable").image());
    assert.ok(readings(again).size > 1);
    assert.deepEqual(contentOf(again, AT - 4, 4), bytes(4, 0xff));
    assert.deepEqual(contentOf(again, AT + PAGE_BYTES, 4), bytes(4, 0x5a));
  });

  it("is sound once it is erased again", () => {
    for (const how of ["unstable", "weak"] as const) {
      const flash = torn(how);
      flash.eraseBlock(0, 1);
      assert.deepEqual(contentOf(flash, AT, PAGE_BYTES), bytes(PAGE_BYTES, 0xff));
      assert.deepEqual(flash.image().shaky, []);
      assert.deepEqual(FaultyNor.boot(FaultyNor.boot(flash.image()).image()).bytes, flash.bytes);
    }
  });

  it("holds a bit that is programmed to 0, while one left at 1 flickers on", () => {
    const zeroed = torn("nearly", 1);
    zeroed.write(bytes(PAGE_BYTES, 0), AT);
    assert.equal(readings(zeroed).size, 1);
    const left = torn("nearly", 1);
    left.write(bytes(PAGE_BYTES, 0xff), AT);
    assert.ok(readings(left).size > 1);
  });

  it("weakly erased, reads erased after one boot, and has lost bits after two, also of what was written over it", () => {
    const flash = torn("weak");
    assert.deepEqual(contentOf(flash, AT, PAGE_BYTES), bytes(PAGE_BYTES, 0xff));
    flash.write(bytes(PAGE_BYTES, 0xf7), AT);
    assert.deepEqual(contentOf(flash, AT, PAGE_BYTES), bytes(PAGE_BYTES, 0xf7), "it reads back well");
    const later = FaultyNor.boot(flash.image());
    const content = contentOf(later, AT, PAGE_BYTES);
    assert.notDeepEqual(content, bytes(PAGE_BYTES, 0xf7));
    assert.ok(content.every((byte) => (byte & ~0xf7) === 0));
    assert.deepEqual(FaultyNor.boot(later.image()).bytes, later.bytes, "and then stays so");
  });
});

describe("A sector that is stuck", () => {
  /** Does a thing in each sector. Returns the sectors in which it failed. */
  function failing(work: (sector: number) => void): number[] {
    return [0, 1, 2].filter((sector) => {
      try {
        work(sector);
        return false;
      } catch (error) {
        assert.ok(error instanceof FlashFault);
        return true;
      }
    });
  }

  const program = (flash: FaultyNor, at: number) => (sector: number) =>
    flash.write(bytes(16, 0x11), sector * SECTOR_BYTES + at);
  const erase = (flash: FaultyNor) => (sector: number) => flash.eraseBlock(sector, sector + 1);
  const read = (flash: FaultyNor) => (sector: number) => void contentOf(flash, sector * SECTOR_BYTES, 16);

  it("fails in its own kind of operation, and in no other sector", () => {
    const expected: Record<FaultKind, number[][]> = {
      "program-error": [[1], [], []],
      "read-error": [[], [1], []],
      "erase-error": [[], [], [1]],
      silent: [[], [], []],
    };
    for (const kind of FAULT_KINDS) {
      const flash = fresh({ sectors: [{ kind, sector: 1 }] });
      const works = [program(flash, 0), read(flash), erase(flash)];
      assert.deepEqual(
        works.map((work) => failing(work)),
        expected[kind],
        kind,
      );
    }
  });

  it("fails from its onset on: programs and erases count, reads lie between them", () => {
    for (const kind of ["program-error", "read-error"] as const) {
      const flash = fresh({ sectors: [{ kind, sector: 0, from: 2 }] });
      flash.eraseBlock(1, 2);
      flash.write(bytes(16, 0), 0);
      if (kind === "read-error") assert.throws(() => contentOf(flash, 0, 1), FlashFault);
      else assert.throws(() => flash.write(bytes(16, 0), 16), FlashFault);
    }
  });

  it("silent: reports success and does nothing, to a range that reaches into it only there", () => {
    const flash = fresh();
    for (const sector of [0, 1, 2]) program(flash, 0)(sector);
    flash.fail({ kind: "silent", sector: 1 });
    program(flash, 16)(1);
    assert.deepEqual(contentOf(flash, SECTOR_BYTES + 16, 16), bytes(16, 0xff));
    flash.eraseBlock(0, 3);
    assert.deepEqual(
      [0, 1, 2].map((sector) => contentOf(flash, sector * SECTOR_BYTES, 1)[0]),
      [0xff, 0x11, 0xff],
    );
    flash.heal();
    flash.eraseBlock(1, 2);
    assert.equal(contentOf(flash, SECTOR_BYTES, 1)[0], 0xff);
  });

  it("an operation that fails did nothing, or as many bytes as the plan says", () => {
    const flash = fresh({ sectors: [{ kind: "program-error", sector: 0 }] });
    assert.throws(() => flash.write(bytes(32, 0), 0), FlashFault);
    assert.deepEqual(contentOf(flash, 0, 32), bytes(32, 0xff));
    const half = fresh({ sectors: [{ kind: "program-error", done: 20 }] });
    assert.throws(() => half.write(bytes(32, 0), 0), FlashFault);
    assert.deepEqual(contentOf(half, 18, 4), Uint8Array.of(0, 0, 0xff, 0xff));
    const erased = fresh();
    erased.write(bytes(512, 0), 0);
    erased.fail({ kind: "erase-error", done: PAGE_BYTES });
    assert.throws(() => erased.eraseBlock(0, 1), FlashFault);
    assert.deepEqual(contentOf(erased, PAGE_BYTES - 1, 2), Uint8Array.of(0xff, 0));
  });

  it("wears out after so many erases of its own", () => {
    for (const kind of ["erase-error", "program-error"] as const) {
      const flash = fresh({ wear: { erases: 2, kind } });
      for (let i = 0; i < 2; i++) flash.eraseBlock(1, 2);
      if (kind === "erase-error") assert.throws(() => flash.eraseBlock(1, 2), FlashFault);
      else assert.throws(() => program(flash, 0)(1), FlashFault);
      flash.eraseBlock(2, 3);
      program(flash, 0)(2);
    }
  });
});

describe("Single faults", () => {
  it("the reads of the plan fail once each", () => {
    const flash = fresh({ readErrors: [1, 3] });
    const failed = [0, 1, 2, 3, 4].filter(() => {
      try {
        contentOf(flash, 0, 8);
        return false;
      } catch {
        return true;
      }
    });
    assert.deepEqual(failed, [1, 3]);
  });

  it("without a plan it is the flash behind it: its rules, its counters, its cells", () => {
    const flash = fresh();
    flash.write(bytes(16, 3), 32);
    assert.equal(flash.nor.bytes[32], 3);
    assert.throws(() => flash.write(bytes(16, 1), 32), FlashMisuse);
    assert.ok(flash.nor.misuse instanceof FlashMisuse);
    assert.equal(flash.nor.counters.programs, 1);
    assert.deepEqual(flash.status(), flash.nor.status());
  });
});
