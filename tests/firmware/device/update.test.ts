// New firmware (rule X14): which images are taken, that nothing is written before one is found good, and what becomes of one on trial.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FIRST_BYTES,
  FirmwareUpdate,
  type Proof,
  TRIAL_S,
  Trial,
  type UpdateModule,
  verdictOf,
} from "../../../firmware/device/update";

const SLOT_BYTES = 0x1a0000;

/** The head of an image for an ESP32, as ESP-IDF 6 lays it out, and then as many bytes as are missing. */
function image(
  length: number,
  { magic = 0xe9, chip = 0, description = 0xabcd5432, version = 3 } = {},
): Uint8Array {
  const bytes = new Uint8Array(length).fill(0x5a);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, magic);
  view.setUint16(12, chip, true);
  view.setUint32(32, description, true);
  view.setUint32(36, version, true);
  return bytes;
}

/** The SDK's module and the slot behind it: written from the start, checked as a whole, and then the one that starts. */
class Slot {
  written: number[] = [];
  isNext = false;
  isOpen = false;
  isBroken = false;
  isSigned = true;
  readonly partition = { status: () => ({ size: SLOT_BYTES }) };

  readonly module: UpdateModule = {
    open: ({ partition }) => {
      assert.equal(partition, this.partition);
      if (this.isBroken) throw new Error("begin failed");
      this.isOpen = true;
      this.written = [];
      return {
        write: (bytes) => {
          if (!this.isOpen) throw new Error("already complete");
          this.written.push(...bytes);
        },
        complete: () => {
          if (!this.isSigned) throw new Error("end failed");
          this.isNext = true;
        },
        close: () => {
          this.isOpen = false;
        },
      };
    },
  };

  update(floor = 3): FirmwareUpdate {
    const native = { runningVersion: () => floor };
    return new FirmwareUpdate({ update: this.module, openSlot: () => this.partition, native });
  }
}

describe("X14 an image that is taken", () => {
  it("starts next once all of it is there, in whatever pieces it came", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 12 }), (pieces) => {
        const slot = new Slot();
        const update = slot.update();
        const whole = image(FIRST_BYTES + pieces.reduce((sum, one) => sum + one, 0));
        assert.equal(update.begin(whole.length), undefined);
        let at = 0;
        for (const length of [FIRST_BYTES, ...pieces]) {
          assert.equal(slot.isNext, false);
          assert.equal(update.write(whole.subarray(at, at + length)), undefined);
          at += length;
        }
        assert.equal(update.finish(), undefined);
        assert.ok(slot.isNext);
        assert.deepEqual(slot.written, [...whole]);
        assert.equal(update.isRunning, false);
      }),
      { numRuns: 30 },
    );
  });

  it("may be as old as the floor, and not older", () => {
    for (const [version, fault] of [
      [4, undefined],
      [3, undefined],
      [2, "too-old"],
      [0, "too-old"],
    ] as const) {
      const slot = new Slot();
      const update = slot.update(3);
      update.begin(1000);
      assert.equal(update.write(image(1000, { version })), fault);
      assert.equal(slot.written.length, fault === undefined ? 1000 : 0);
    }
  });
});

describe("X14 an image that is not taken", () => {
  it("is one for another chip, one of something else, or one whose head does not come in one piece", () => {
    for (const bad of [{ magic: 0 }, { chip: 5 }, { description: 0x3254cdab }]) {
      const slot = new Slot();
      const update = slot.update();
      update.begin(1000);
      assert.equal(update.write(image(1000, bad)), "not-an-image");
      assert.deepEqual([slot.isOpen, slot.isNext, update.isRunning], [false, false, false]);
    }
    const update = new Slot().update();
    update.begin(1000);
    assert.equal(update.write(image(1000).subarray(0, FIRST_BYTES - 1)), "not-an-image");
  });

  it("fits the slot, and is as long as was said", () => {
    const slot = new Slot();
    const update = slot.update();
    assert.equal(update.begin(SLOT_BYTES + 1), "size");
    assert.equal(update.begin(FIRST_BYTES - 1), "size");
    assert.equal(update.begin(SLOT_BYTES), undefined);
    assert.equal(update.begin(1000), undefined);
    assert.equal(update.write(image(1001)), "size");
    assert.equal(update.begin(1000), undefined);
    assert.equal(update.write(image(999)), undefined);
    assert.equal(update.finish(), "incomplete");
    assert.equal(slot.isNext, false);
  });

  it("is one that nobody signed: the chip's check decides, and the old one goes on to start", () => {
    const slot = new Slot();
    slot.isSigned = false;
    const update = slot.update();
    update.begin(1000);
    update.write(image(1000));
    assert.equal(update.finish(), "not-an-image");
    assert.deepEqual([slot.isNext, slot.isOpen], [false, false]);
  });

  it("leaves nothing half done when the flash gives up, and the next one can come", () => {
    const slot = new Slot();
    slot.isBroken = true;
    const update = slot.update();
    update.begin(1000);
    assert.equal(update.write(image(1000)), "flash");
    assert.equal(update.write(image(1000)), "incomplete");
    slot.isBroken = false;
    update.begin(1000);
    assert.equal(update.write(image(1000)), undefined);
    assert.equal(update.finish(), undefined);
  });
});

describe("X14 an image on trial", () => {
  const GOOD: Proof = { now: TRIAL_S, mountState: "mounted", isCryptoRight: true, faults: 0 };
  /** The bootloader's verdict so far, and what the image said. */
  function bootloader(state: number) {
    const said: string[] = [];
    const native = {
      otaState: () => state,
      otaAccept: () => said.push("accept") - said.length,
      otaReject: () => said.push("reject") - said.length,
    };
    return { said, trial: new Trial(native) };
  }

  it("is accepted when it has mounted the table, computed rightly and lived for a while without a fault", () => {
    assert.equal(verdictOf({ ...GOOD, now: TRIAL_S - 1 }), "wait");
    assert.equal(verdictOf(GOOD), "accept");
    assert.equal(verdictOf({ ...GOOD, mountState: "unformatted" }), "accept");
  });

  it("is given back at once when it cannot read the table, computes wrongly or throws", () => {
    for (const bad of [
      { mountState: "newer-format" },
      { mountState: "foreign" },
      { isCryptoRight: false },
      { faults: 1 },
    ])
      for (const now of [0, TRIAL_S]) assert.equal(verdictOf({ ...GOOD, now, ...bad }), "reject");
  });

  it("is judged once, and only where the bootloader waits for it", () => {
    const { said, trial } = bootloader(1);
    for (let now = 0; now < 100; now++) trial.tick({ ...GOOD, now });
    assert.deepEqual(said, ["accept"]);
    for (const state of [0, 2, 5, -0x105]) {
      const other = bootloader(state);
      other.trial.tick({ ...GOOD, faults: 9 });
      assert.deepEqual([other.said, other.trial.isOpen], [[], false]);
    }
  });
});
