// What a lock keeps when something is over or was corrected: slots (rule T6), the time floor (rule T13), the log (rule T14), offline codes that
// were used or denied (rule C23), and how much room that takes (rule C25).

import assert from "node:assert/strict";
import { EventKind } from "../../firmware/core/storage/events";
import { claimKeys } from "../../protocol/crypto/derive";
import type { Delta } from "../../protocol/issuer/encode";
import { makeOfflineCode, offlineCodeOn } from "../../protocol/issuer/offline";
import { ascii } from "../../protocol/wire/bytes";
import { dateOfDay } from "../../protocol/wire/civil";
import { reasonName } from "../../protocol/wire/codes";
import { Type } from "../../protocol/wire/messages";
import {
  OFFLINE_KINDS,
  OfflineKind,
  offlineNumber,
  packOffline,
  packOfflineDenied,
  Setting,
} from "../../protocol/wire/settings";
import { Door, L500I, LOCK_1000, MONDAY } from "../support/door";

const HOUR_S = 3600;
const DAY_S = 86_400;

describe("T6 a slot whose end has passed", () => {
  it("is kept, and goes to whoever names its generation and to nobody else", () => {
    const door = new Door({ profile: L500I });
    assert.deepEqual(door.apply(door.pin(0, "246802", { end: MONDAY + DAY_S })), ["applied"]);
    door.now += 2 * DAY_S;
    assert.equal(door.type("246802"), "expired");
    assert.deepEqual(door.apply(door.pin(0, "135791")), ["stale-generation"]);
    assert.deepEqual(door.apply(door.pin(1, "246802")), ["duplicate"]);
    assert.equal(door.receipt().slots, 1);
    assert.deepEqual(door.apply(door.pin(0, "135791", { generation: 1 })), ["applied"]);
    assert.deepEqual([door.type("246802"), door.type("135791")], ["unknown", "granted"]);
  });
});

describe("T13 a bundle that was issued in the future", () => {
  it("raises the floor to what the clock may have reached, and not past it", () => {
    const door = new Door();
    const floorOf = () => door.lock.parts.clock.floor;
    door.now += 30 * DAY_S;
    const bundle = door.bundle([door.pin(0, "246802")]);
    door.now -= 20 * DAY_S;
    assert.equal(floorOf(), MONDAY);
    door.hello();
    assert.notEqual(door.send(Type.bundle, bundle).receipt, undefined);
    const { now, bound } = door.lock.parts.clock.read();
    assert.equal(now, door.now);
    assert.equal(floorOf(), now + bound);
    door.now += HOUR_S;
    assert.equal(door.setTime().result, "applied", "so the true time is still taken");
  });
});

describe("T14 a time that corrects the clock", () => {
  it("is in the log with the seconds that the clock was off, in either direction", () => {
    const door = new Door();
    const corrections = (): number[] => {
      const found: number[] = [];
      door.lock.parts.events.read(({ kind, detail }) => {
        if (kind === EventKind.clockSet) found.push(detail);
      });
      return found;
    };
    assert.deepEqual(corrections(), [0], "there was no clock to be off");
    const { clock } = door.board;
    const uptime = clock.uptime.bind(clock);
    let off = 90;
    clock.uptime = () => uptime() + off;
    door.setTime();
    // Behind now, by a clock that stood still for a while: it never goes back.
    door.now += 60;
    off = 45;
    door.setTime();
    assert.deepEqual(corrections(), [0, 90, 45]);
  });
});

describe("C23 offline codes that were used or denied", () => {
  it("are kept to the end of their window, however often the log goes round and the lock boots", () => {
    const door = new Door({ profile: L500I });
    const today = MONDAY / DAY_S;
    const { once } = OfflineKind;
    const { codeKey } = claimKeys(door.crypto, door.identity.deviceSecret, 1);
    const codeOf = (index: number, day: number): string =>
      makeOfflineCode(door.crypto, codeKey, offlineCodeOn(once, index, dateOfDay(day)));
    const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });
    const denied = [offlineNumber(OFFLINE_KINDS.indexOf(once), 1, today)];
    door.apply(set(Setting.offlineCodes, packOffline({ kinds: once, indexes: 3 })));
    door.apply(set(Setting.offlineDenied, packOfflineDenied(denied)), door.pin(0, "246802"));
    door.now += HOUR_S;
    assert.equal(door.type(codeOf(0, today)), "granted");
    const erases = (): number => door.board.credentials.counters.erases;
    for (let hour = 2; hour < 24; hour += 3) {
      // Four sectors are all that this lock has.
      for (const end = erases() + 4; erases() < end; ) {
        assert.deepEqual(door.apply({ op: "disable", slot: 0, generation: 3 }), ["applied"]);
        assert.deepEqual(door.apply({ op: "enable", slot: 0, generation: 3 }), ["applied"]);
        door.pass(2);
      }
      door.reboot();
      door.now = MONDAY + hour * HOUR_S;
      door.setTime();
      const reasons = [0, 1, 2].map((index) =>
        door.lock.why(1, ascii(codeOf(index, today)), door.lock.parts.clock.read()),
      );
      assert.deepEqual(
        reasons.map(({ reason }) => reasonName(reason)),
        ["used-up", "unknown", "granted"],
      );
    }
    door.now = MONDAY + DAY_S + HOUR_S;
    door.setTime();
    for (const index of [0, 1]) assert.equal(door.type(codeOf(index, today + 1)), "granted");
  });
});

describe("C25 the room for events", () => {
  it("is 320 KiB for 10,000 of them and 24 KiB for 500", () => {
    const sizes = [LOCK_1000, L500I].map(({ eventBytes, events }) => [eventBytes, events]);
    assert.deepEqual(sizes, [
      [320 * 1024, 10_000],
      [24 * 1024, 500],
    ]);
  });
});
