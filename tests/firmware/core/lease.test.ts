// Leases: credentials that are good only while the lock hears of its issuer.

import assert from "node:assert/strict";
import { ascii } from "../../../protocol/wire/bytes";
import { reasonName } from "../../../protocol/wire/codes";
import { Flag, Kind } from "../../../protocol/wire/entry";
import { Type } from "../../../protocol/wire/messages";
import { packLeaseDays, packMaster, Setting } from "../../../protocol/wire/settings";
import { Door, MONDAY } from "../../support/door";
import { explained, reasonOf, situation } from "../../support/judge-decision";

const DAY_S = 86_400;
const PIN = "4711";

/** A door with leases of a day, and a PIN that needs one. */
function leasedDoor(days = 1): Door {
  const door = new Door();
  const setting = { op: "set", setting: Setting.leaseDays, value: packLeaseDays(days) } as const;
  assert.deepEqual(door.apply(setting, door.pin(1, PIN, { flags: Flag.lease }), door.pin(2, "4712")), [
    "applied",
    "applied",
    "applied",
  ]);
  return door;
}

/** The reason that the lock would give `seconds` after the Monday, if its clock were right to so many seconds. */
function reasonAt(door: Door, seconds: number, bound = 0): string {
  const clock = { trust: 2, now: MONDAY + seconds, bound };
  return reasonName(door.lock.why(Kind.pin, ascii(PIN), clock).reason);
}

describe("S12 a lease", () => {
  it("lasts so many days from when the bundle was signed, to the second", () => {
    const door = leasedDoor(3);
    assert.equal(reasonAt(door, 3 * DAY_S - 1), "granted");
    assert.equal(reasonAt(door, 3 * DAY_S), "lease-over");
  });

  it("ends earlier by the error bound of the clock", () => {
    const door = leasedDoor();
    assert.equal(reasonAt(door, DAY_S - 31, 30), "granted");
    assert.equal(reasonAt(door, DAY_S - 30, 30), "lease-over");
  });

  it("is renewed to the time at which a heartbeat was signed, not to that at which it came", () => {
    const door = leasedDoor();
    door.pass(7200);
    assert.equal(door.beat({ issuedAt: MONDAY + 100 }), "applied");
    assert.equal(reasonAt(door, DAY_S + 99), "granted");
    assert.equal(reasonAt(door, DAY_S + 100), "lease-over");
  });

  it("outlives a loss of power", () => {
    const door = leasedDoor();
    door.beat({ issuedAt: MONDAY + 100 });
    door.reboot();
    assert.equal(reasonAt(door, DAY_S + 99), "granted");
    assert.equal(reasonAt(door, DAY_S + 100), "lease-over");
  });

  it("is renewed by each bundle that brings something new", () => {
    const door = leasedDoor();
    door.now += 60;
    door.apply(door.pin(3, "4713"));
    assert.equal(reasonAt(door, DAY_S + 59), "granted");
    assert.equal(reasonAt(door, DAY_S + 60), "lease-over");
  });

  it("is renewed by a bundle that brings nothing new once an hour", () => {
    for (const [later, end] of [
      [3599, DAY_S],
      [3600, DAY_S + 3600],
    ]) {
      const door = leasedDoor();
      const { seq, head } = door;
      door.now += later;
      const again = door.bundle([door.pin(3, "4713")]);
      assert.ok(door.send(Type.bundle, again).receipt);
      // The same log up to there, signed by the clock of the test anew.
      const newest = door.now;
      Object.assign(door, { seq, head });
      door.now += later;
      const repeated = door.bundle([door.pin(3, "4713")]);
      assert.ok(door.send(Type.bundle, repeated).receipt);
      const signed = newest - MONDAY;
      assert.equal(reasonAt(door, signed + end - 1), "granted", `${later}`);
      assert.equal(reasonAt(door, signed + end), "lease-over", `${later}`);
    }
  });

  it("does not bind credentials without the flag, nor the master", () => {
    const door = leasedDoor();
    const { tag } = door.pin(9, "987654");
    door.apply({ op: "set", setting: Setting.master, value: packMaster({ digits: 6, tag }) });
    door.now += 2 * DAY_S;
    door.setTime();
    assert.equal(door.type(PIN), "lease-over");
    assert.equal(door.type("4712"), "granted");
    assert.equal(door.type("987654"), "granted");
  });

  it("needs a clock", () => {
    const door = leasedDoor();
    door.reboot();
    assert.equal(door.type(PIN), "clock-unknown");
    assert.equal(door.type("4712"), "granted");
  });

  it("is no lease where the setting says 0, or was never set", () => {
    const door = leasedDoor();
    door.apply({ op: "set", setting: Setting.leaseDays, value: packLeaseDays(0) });
    assert.equal(reasonAt(door, 4000 * DAY_S), "granted");
    const other = new Door();
    other.apply(other.pin(1, PIN, { flags: Flag.lease }));
    assert.equal(reasonAt(other, 4000 * DAY_S), "granted");
  });

  it("lasts a day where nobody can read any more how long", () => {
    const door = leasedDoor(30);
    const { table, policy } = door.lock.parts;
    table.setting = () => undefined;
    policy.read(table);
    assert.equal(policy.leaseDays, 1);
    assert.equal(reasonAt(door, DAY_S - 1), "granted");
    assert.equal(reasonAt(door, DAY_S), "lease-over");
  });

  it("is over where nothing was ever heard, also long before it could have ended", () => {
    const door = leasedDoor();
    door.lock.authority.heard.forget();
    assert.equal(reasonAt(door, 0), "lease-over");
    assert.equal(reasonAt(door, -MONDAY + 5), "lease-over");
  });
});

describe("S12 the place of a lease in the decision", () => {
  const leased = { role: "resident", leased: true } as const;
  const lease = { days: 1, heard: MONDAY - DAY_S };
  const clock = { now: MONDAY, bound: 0 };

  it("comes behind an unknown clock and before a start that has not come", () => {
    assert.equal(reasonOf(situation({ credential: leased, lease, clock: "unknown" })), "clock-unknown");
    const early = { ...leased, start: MONDAY + 60 };
    assert.equal(reasonOf(situation({ credential: early, lease, clock })), "lease-over");
    const longer = { days: 2, heard: lease.heard };
    assert.equal(reasonOf(situation({ credential: early, lease: longer, clock })), "not-yet-valid");
  });

  it("comes behind a mode that does not admit the role", () => {
    const prospect = { role: "prospect", leased: true } as const;
    assert.equal(reasonOf(situation({ credential: prospect, mode: "resident", lease, clock })), "wrong-mode");
  });

  it("is told ahead, a bound before it ends (rule T17)", () => {
    const told = explained(
      situation({
        credential: leased,
        lease: { days: 2, heard: lease.heard },
        clock: { now: MONDAY, bound: 7 },
      }),
    );
    const next = new Date((MONDAY + DAY_S - 7) * 1000).toISOString();
    assert.deepEqual(told, { reason: "granted", next, after: "lease-over" });
  });
});
