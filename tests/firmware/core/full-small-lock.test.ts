// The smallest lock with all that it can hold (rules C1, C24, C25, S4): every slot, schedule, setting, holiday and code of the keypad
// as long as it can be. Its four sectors still go round: no update is refused for want of room, and nothing is lost.

import assert from "node:assert/strict";
import { State } from "../../../firmware/core/storage/places";
import { claimKeys } from "../../../protocol/crypto/derive";
import { sealWith, settingAad } from "../../../protocol/crypto/seal";
import type { Delta } from "../../../protocol/issuer/encode";
import { ascii } from "../../../protocol/wire/bytes";
import { Role } from "../../../protocol/wire/entry";
import { MAX_ALIAS_BYTES, MAX_SETTING_BYTES } from "../../../protocol/wire/limits";
import {
  NO_MODE,
  packClockBound,
  packDensity,
  packHoliday,
  packHours,
  packLeaseDays,
  packLocalCodes,
  packLockout,
  packMaster,
  packOffline,
  packOfflineDenied,
  packRelock,
  packResetDelay,
  Setting,
} from "../../../protocol/wire/settings";
import { Door, L500I } from "../../support/door";

const UPDATES = 700;
const PINS = Array.from({ length: 10 }, (_, slot) => `7${slot}3519`);
const CODES = Array.from({ length: 10 }, (_, i) => `4${i}9827`);

const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });

/** The longest zone that there is: 48 bytes of text and a table of 64 changes, a year of which is as good as any. */
function longestZone(): Uint8Array {
  const text = "<ABCDEFGHIJ>3:00:00<KLMNOPQR>2:00:00,M3.2.0,J300";
  const table = new Uint8Array(6 + 2 * 64);
  const view = new DataView(table.buffer);
  view.setUint32(0, 1_700_000_000);
  view.setInt8(4, -12);
  view.setInt8(5, -8);
  for (let i = 0; i < 64; i++) view.setUint16(6 + 2 * i, 1000);
  return Uint8Array.of(...ascii(text), 0, ...table);
}

/** Values of the lock's own that only commands, offline codes and rotations of keys make so long. */
const OWN_VALUES: readonly (readonly [number, number])[] = [
  [State.mode, 1],
  [State.alias, MAX_ALIAS_BYTES],
  [State.offline, 35],
  [State.forgiven, 77],
];

function sealedAlias(door: Door, name: Uint8Array): Uint8Array {
  const { sealKey } = claimKeys(door.crypto, door.identity.deviceSecret, 1);
  const aad = settingAad(door.identity.lock, Setting.alias);
  return sealWith(door.crypto, sealKey, new Uint8Array(24), aad, name);
}

function fullLock(): Door {
  const door = new Door({ profile: L500I });
  const windows = Array.from({ length: 8 }, (_, i) => ({ days: 127, start: i * 180, duration: 170 }));
  const zone = longestZone();
  assert.equal(zone.length, MAX_SETTING_BYTES);
  const master = { digits: 10, tag: new Uint8Array(12).fill(7) };
  const deltas: Delta[] = [
    ...Array.from({ length: 12 }, (_, i): Delta => ({ op: "put-schedule", id: i + 1, windows })),
    set(Setting.zone, zone),
    set(Setting.mode, Uint8Array.of(1)),
    set(Setting.relockSeconds, packRelock(9)),
    set(Setting.master, packMaster(master)),
    set(Setting.density, packDensity(10_000_000)),
    set(Setting.lockout, packLockout({ tries: 4, leastMinutes: 1 })),
    set(Setting.businessHours, packHours({ schedule: 1, firstIn: true, graceMinutes: 9 })),
    set(Setting.localCodes, packLocalCodes(true)),
    set(Setting.clockBound, packClockBound(3600)),
    set(Setting.leaseDays, packLeaseDays(3650)),
    set(Setting.alias, sealedAlias(door, new Uint8Array(MAX_ALIAS_BYTES).fill(0x61))),
    set(Setting.offlineCodes, packOffline({ kinds: 15, indexes: 8 })),
    set(Setting.resetDelay, packResetDelay(672)),
    set(Setting.offlineDenied, packOfflineDenied(Array.from({ length: 8 }, (_, i) => i))),
    ...Array.from({ length: L500I.holidays }, (_, n) =>
      set(Setting.holiday + n, packHoliday({ first: 30_000 + n, days: 1, roles: 2, mode: NO_MODE })),
    ),
    ...PINS.map((pin, slot) =>
      door.pin(slot, pin, { role: Role.admin, uses: slot === 0 ? 0 : 60_000, schedule: 1 + slot }),
    ),
  ];
  for (const delta of deltas) {
    assert.deepEqual(door.apply(delta), ["applied"], JSON.stringify(delta));
    door.pass(2);
  }
  for (const [id, length] of OWN_VALUES)
    assert.ok(door.lock.parts.table.commitState(id, new Uint8Array(length).fill(1)));
  for (const code of CODES) {
    assert.match(door.keys(`**${PINS[0]}#1#${code}#${code}#`), /granted$/, code);
    door.pass(2);
  }
  return door;
}

describe("C1 C25 the smallest lock, as full as it can be", () => {
  it("refuses one schedule and one holiday more as beyond its capacity", () => {
    const door = new Door({ profile: L500I });
    const windows = [{ days: 1, start: 0, duration: 1 }];
    const holiday = packHoliday({ first: 1, days: 1, roles: 2, mode: NO_MODE });
    assert.deepEqual(
      door.apply(
        { op: "put-schedule", id: 12, windows },
        { op: "put-schedule", id: 13, windows },
        set(Setting.holiday + 7, holiday),
        set(Setting.holiday + 8, holiday),
      ),
      ["applied", "capacity", "applied", "capacity"],
    );
  });

  it(`takes ${UPDATES} updates and openings, and keeps all of it over reboots`, () => {
    const door = fullLock();
    for (let i = 0; i < UPDATES; i++) {
      const slot = i % 10;
      const entry = { op: "change", slot, generation: 0, role: Role.admin, capabilities: i % 128 } as const;
      const { table } = door.lock.parts;
      assert.equal(table.load(slot), "ok");
      const changed = door.apply({ ...entry, generation: table.entry.generation, schedule: 1 + slot });
      assert.notEqual(changed[0], "storage-failed");
      assert.equal(door.type(PINS[slot]), "granted", `update ${i}`);
      assert.equal(door.type(CODES[slot]), "granted", `update ${i}`);
      door.pass(3);
      if (i % 350 !== 349) continue;
      door.reboot();
      door.lock.tick();
      door.setTime();
      assert.equal(door.receipt().localCodes, 10);
      assert.equal(door.lock.parts.table.log.damage, 0);
    }
  });
});
