// What a lock keeps when something is over or was corrected: slots (rule T6), the time floor (rule T13), the log (rule T14), and how
// much room that takes (rule C25).

import assert from "node:assert/strict";
import { EventKind } from "../../firmware/core/storage/events";
import { Type } from "../../protocol/wire/messages";
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
    off = 45;
    door.setTime();
    assert.deepEqual(corrections(), [0, 90, 45]);
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
