// What a lock once knew and cannot read any more is never taken for its default: damage beyond a single bit refuses, and shows.

import assert from "node:assert/strict";
import { Record, recordLength, recordType } from "../../../../firmware/core/storage/records";
import { ascii } from "../../../../protocol/wire/bytes";
import { Role } from "../../../../protocol/wire/entry";
import { StatusFlag } from "../../../../protocol/wire/messages";
import { Mode, Setting } from "../../../../protocol/wire/settings";
import { Door, L500I, MONDAY } from "../../../support/door";

const HOUR = 3600;
/** Monday to Friday, nine to five. */
const OFFICE = [{ days: 0b0111110, start: 9 * 60, duration: 8 * 60 }];
const SECTOR = 4096;
const HEADER = 32;

/** Where the records of a type stand in the first sector, in bytes. */
function recordsOf(door: Door, type: number): number[] {
  const { bytes } = door.board.credentials;
  const places: number[] = [];
  for (let at = HEADER; at < SECTOR; at += recordLength(bytes, at) || 16)
    if (recordType(bytes, at) === type) places.push(at);
  return places;
}

/** Flips bits of one record that no CRC mends. */
function ruin(door: Door, at: number): void {
  const { bytes } = door.board.credentials;
  for (const offset of [5, 6, 9]) bytes[at + offset] ^= 0x11;
}

describe("values that were lost", () => {
  let door: Door;

  beforeEach(() => {
    door = new Door({ profile: L500I });
  });

  it("a zone that cannot be read any more refuses every schedule, and nobody else", () => {
    door.apply(
      { op: "set", setting: Setting.zone, value: ascii("CET-1CEST,M3.5.0,M10.5.0/3") },
      { op: "put-schedule", id: 1, windows: OFFICE },
      door.pin(0, "482913", { schedule: 1 }),
      door.pin(1, "730164"),
      door.pin(2, "905271", { schedule: 1, role: Role.admin }),
    );
    // 16:30 UTC is within the hours of UTC, and past those of Berlin.
    door.now = MONDAY + 16 * HOUR + 1800;
    door.setTime();
    assert.equal(door.type("482913"), "outside-schedule");
    // The damage comes while the lock runs, and is found when settings are read again.
    const [at] = recordsOf(door, Record.setting);
    ruin(door, at);
    door.apply({ op: "set", setting: Setting.relockSeconds, value: Uint8Array.of(0, 7) });
    assert.equal(door.type("482913"), "damaged");
    assert.equal(door.type("730164"), "granted");
    assert.equal(door.type("905271"), "granted");
  });

  it("a mode that cannot be read any more is taken for the one that admits the fewest", () => {
    door.apply(
      { op: "set", setting: Setting.mode, value: Uint8Array.of(Mode.tour) },
      door.pin(0, "482913", { role: Role.prospect }),
      door.pin(1, "730164"),
    );
    assert.equal(door.type("482913"), "granted");
    const [at] = recordsOf(door, Record.setting);
    ruin(door, at);
    door.apply({ op: "set", setting: Setting.relockSeconds, value: Uint8Array.of(0, 7) });
    assert.equal(door.type("482913"), "wrong-mode");
    assert.equal(door.type("730164"), "granted");
  });

  it("uses that cannot be read any more are never counted anew, also not by a neighbour's opening (rule C10)", () => {
    door.apply(door.pin(0, "482913", { uses: 1 }), door.pin(1, "730164"), door.pin(2, "905271"));
    assert.equal(door.type("482913"), "granted");
    assert.equal(door.type("482913"), "used-up");
    const [at] = recordsOf(door, Record.usage);
    ruin(door, at);
    assert.equal(door.type("730164"), "granted", "nothing of it depends on its uses");
    assert.equal(door.type("482913"), "damaged");
    door.apply(door.pin(3, "615824"));
    door.reboot();
    door.lock.tick();
    assert.notEqual(door.type("482913"), "granted", "also after a boot that finds the damage");
    assert.equal(door.receipt().damaged, 1);
    door.apply(door.pin(0, "482913", { uses: 1 }));
    assert.equal(door.type("482913"), "granted", "put again, its uses are new");
    door.reboot();
    assert.equal(door.type("482913"), "used-up");
  });

  it("the very first delta of the log, damaged, leaves its slot damaged and the fault in the status", () => {
    door.apply(door.pin(0, "482913"), door.pin(1, "730164"));
    const [at] = recordsOf(door, Record.slot);
    ruin(door, at);
    door.reboot();
    assert.notEqual(door.type("482913"), "granted");
    assert.equal(door.type("730164"), "granted");
    assert.notEqual(door.hello().flags & StatusFlag.storageFault, 0);
    assert.equal(door.receipt().damaged, 1);
  });

  it("two damaged neighbours let no older truth through", () => {
    door.apply(...["482913", "730164", "905271", "615824"].map((digits, slot) => door.pin(slot, digits)));
    door.apply({ op: "disable", slot: 1, generation: 2 }, { op: "disable", slot: 2, generation: 3 });
    door.apply(door.pin(4, "394058"));
    assert.equal(door.type("730164"), "disabled");
    const slots = recordsOf(door, Record.slot);
    for (const at of slots.slice(4, 6)) ruin(door, at);
    door.reboot();
    assert.notEqual(door.type("730164"), "granted");
    assert.notEqual(door.type("905271"), "granted");
    assert.equal(door.type("482913"), "granted");
    assert.equal(door.type("394058"), "granted");
  });
});
