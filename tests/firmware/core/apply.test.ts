// What each delta does to the table, rule by rule.

import assert from "node:assert/strict";
import { Capability, Flag, Kind, Role } from "../../../protocol/wire/entry";
import { DENSITY_LIMIT, MAX_PIN_DIGITS, MIN_PIN_DIGITS } from "../../../protocol/wire/limits";
import { Type } from "../../../protocol/wire/messages";
import { Door, L500I, LOCK_1000, MONDAY } from "../../support/door";
import { heldSlots, hex, outcomes } from "../../support/look";

const HOUR = 3600;
const long = (number: number): string => String(10_000_000 + number * 7919);
const windows = (...starts: number[]) => starts.map((start) => ({ days: 127, start, duration: 60 }));
const doors = [L500I, LOCK_1000];

function rejects(door: Door, delta: Parameters<Door["apply"]>[0], code: string): void {
  const before = hex(door.receipt().digest);
  assert.deepEqual(door.apply(delta), [code]);
  assert.equal(hex(door.receipt().digest), before, "the table is as it was");
}

describe("C1 A3 A4 capacity", () => {
  for (const profile of doors)
    it(`of ${profile.name} is ${profile.slots} slots and not one more; a drop frees exactly one`, () => {
      const door = new Door({ profile });
      const puts = Array.from({ length: profile.slots }, (_, slot) => door.pin(slot, long(slot)));
      assert.ok(door.apply(...puts).every((code) => code === "applied"));
      assert.equal(door.receipt().slots, profile.slots);
      rejects(door, door.pin(profile.slots, "98765432"), "capacity");
      assert.deepEqual(door.apply({ op: "drop", slot: 3, generation: 4 }), ["applied"]);
      assert.equal(door.receipt().slots, profile.slots - 1);
      assert.deepEqual(door.apply(door.pin(3, "98765432"), door.pin(profile.slots, "98765433")), [
        "applied",
        "capacity",
      ]);
      assert.equal(door.type("98765432"), "granted");
      assert.equal(door.type("98765433"), "unknown");
    });

  it("a full table takes 2,000 more changes, drops and puts in turn", () => {
    const door = new Door({ profile: L500I });
    for (let slot = 0; slot < 10; slot++) door.apply(door.pin(slot, long(slot)));
    for (let round = 0; round < 2000; round += 20) {
      const deltas = Array.from({ length: 10 }, (_, i) => {
        const generation =
          door.lock.parts.table.load(i) === "ok" ? door.lock.parts.table.entry.generation : 0;
        return [{ op: "drop" as const, slot: i, generation }, door.pin(i, long(round + i))];
      });
      assert.ok(door.apply(...deltas.flat()).every((code) => code === "applied"));
      door.lock.tick();
    }
    assert.equal(door.receipt().slots, 10);
  });
});

describe("C3 A2 a credential is in one slot of a lock", () => {
  it("in another slot it is a duplicate, whoever's it is", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"));
    rejects(door, door.pin(1, "482913"), "duplicate");
    rejects(door, door.pin(1, "482913", { user: 1000 }), "duplicate");
  });

  it("the same in the same slot is unchanged and keeps its generation, whatever generation is named", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"));
    const before = heldSlots(door);
    for (const generation of [0, 1, 7])
      assert.deepEqual(door.apply(door.pin(0, "482913", { generation })), ["unchanged"]);
    assert.deepEqual(heldSlots(door), before);
  });

  it("is free again when its slot was dropped, revoked, wiped or filled with another", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"));
    assert.deepEqual(door.apply(door.pin(0, "592913", { generation: 1 }), door.pin(1, "482913")), [
      "applied",
      "applied",
    ]);
    assert.deepEqual(door.apply({ op: "drop", slot: 1, generation: 3 }, door.pin(2, "482913")), [
      "applied",
      "applied",
    ]);
    assert.deepEqual(door.apply({ op: "revoke", user: 1002 }, door.pin(3, "482913")), ["applied", "applied"]);
    assert.deepEqual(door.apply({ op: "wipe" }, door.pin(4, "482913")), ["applied", "applied"]);
    assert.equal(door.type("482913"), "granted");
  });

  it("the same digits as a card are another credential", () => {
    const door = new Door();
    const uid = Buffer.from("482913");
    assert.deepEqual(door.apply(door.pin(0, "482913"), door.card(1, uid)), ["applied", "applied"]);
  });
});

describe("A1 C2 the number of digits", () => {
  it("is 4 to 10 and nothing else", () => {
    const door = new Door();
    const pin = door.pin(0, "482913");
    rejects(door, { ...pin, digits: MIN_PIN_DIGITS - 1 }, "bad-format");
    rejects(door, { ...pin, digits: MAX_PIN_DIGITS + 1 }, "bad-format");
    rejects(door, { ...pin, digits: 0 }, "bad-format");
    assert.deepEqual(door.apply(door.pin(0, "4829"), door.pin(1, "4829134829")), ["applied", "applied"]);
    assert.deepEqual(
      [door.type("4829"), door.type("4829134829"), door.type("482913482")],
      ["granted", "granted", "unknown"],
    );
  });

  it("leading zeros count", () => {
    const door = new Door();
    assert.deepEqual(door.apply(door.pin(0, "04829"), door.pin(1, "4829")), ["applied", "applied"]);
  });

  it("a card has none", () => {
    const door = new Door();
    rejects(door, { ...door.card(0, Uint8Array.of(1, 2, 3, 4)), digits: 4 }, "bad-format");
  });
});

describe("C7 C9 A6 kinds, roles, flags and capabilities that a lock does not know", () => {
  it("are unsupported, and the rest of the bundle continues", () => {
    const door = new Door();
    const pin = (slot: number, more: object) => ({ ...door.pin(slot, long(slot)), ...more });
    assert.deepEqual(
      door.apply(
        pin(0, { kind: 0 }),
        pin(1, { kind: 4 }),
        pin(2, { role: Role.remoteOnly + 1 }),
        pin(3, { flags: 32 }),
        pin(4, { flags: Flag.disabled }),
        pin(5, { capabilities: 128 }),
        pin(6, { role: Role.remoteOnly, flags: 30, capabilities: 127 }),
        pin(7, {}),
      ),
      [...Array(6).fill("unsupported"), "applied", "applied"],
    );
  });

  it("a card is unsupported on a model without a reader", () => {
    const card = (door: Door) => door.card(0, Uint8Array.of(1, 2, 3, 4));
    const small = new Door({ profile: L500I });
    rejects(small, card(small), "unsupported");
    const large = new Door({ profile: LOCK_1000 });
    assert.deepEqual(large.apply(card(large)), ["applied"]);
    assert.equal(large.lock.presentCard(Uint8Array.of(1, 2, 3, 4)), 0);
  });
});

describe("A5 T4 A36 times", () => {
  it("a guest has a start and an end", () => {
    const door = new Door();
    const guest = (more: object) => door.pin(0, "482913", { role: Role.guest, ...more });
    for (const more of [{}, { start: MONDAY }, { end: MONDAY }]) rejects(door, guest(more), "bad-format");
    assert.deepEqual(door.apply(guest({ start: MONDAY - 1, end: MONDAY + 1 })), ["applied"]);
  });

  it("a start lies before its end", () => {
    const door = new Door();
    rejects(door, door.pin(0, "482913", { start: MONDAY, end: MONDAY }), "range");
    rejects(door, door.pin(0, "482913", { start: MONDAY + 1, end: MONDAY }), "range");
    assert.deepEqual(door.apply(door.pin(0, "482913", { start: MONDAY, end: MONDAY + 1 })), ["applied"]);
  });

  it("hours for a first use count from a start", () => {
    const door = new Door();
    rejects(door, door.pin(0, "482913", { firstUseHours: 24 }), "bad-format");
    assert.deepEqual(door.apply(door.pin(0, "482913", { firstUseHours: 24, start: MONDAY })), ["applied"]);
  });
});

describe("T5 A31 a slot whose start lies in the future", () => {
  it("is answered with installed, and opens at the exact second without another sync", () => {
    const door = new Door();
    const start = MONDAY + HOUR;
    assert.deepEqual(door.apply(door.pin(0, "482913", { start })), ["installed"]);
    let reason = "";
    for (door.now = start - 1; reason !== "granted"; door.now++) {
      const { bound } = door.receipt();
      reason = door.type("482913");
      assert.equal(reason, door.now - bound < start ? "not-yet-valid" : "granted");
    }
  });

  it("is applied when the start is now, and installed one second before it", () => {
    const door = new Door();
    assert.deepEqual(door.apply(door.pin(0, "482913", { start: MONDAY })), ["applied"]);
    assert.deepEqual(door.apply(door.pin(1, "582913", { start: MONDAY + 1 })), ["installed"]);
  });

  it("keeps that ack over a reboot; with an unknown clock every start is in the future", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913", { start: MONDAY + HOUR }));
    door.reboot();
    assert.deepEqual(outcomes(door.receipt()), [{ code: "installed", detail: 0 }]);
    assert.deepEqual(door.apply(door.pin(1, "582913", { start: MONDAY - HOUR })), ["installed"]);
    assert.deepEqual(door.apply({ op: "change", slot: 1, generation: 2, role: Role.team, start: 5 }), [
      "installed",
    ]);
    assert.deepEqual(door.apply(door.pin(2, "682913")), ["applied"]);
  });
});

describe("C20 A56 generations", () => {
  it("a slot's generation is the seq of the put that filled it, also when it replaced another", () => {
    const door = new Door();
    door.apply(door.pin(9, "111111"), door.pin(0, "482913"), { op: "disable", slot: 0, generation: 2 });
    assert.deepEqual(door.apply(door.pin(0, "592913", { generation: 2 })), ["applied"]);
    assert.equal(door.lock.parts.table.load(0), "ok");
    assert.equal(door.lock.parts.table.entry.generation, 4);
  });

  it("whatever names an older one is stale, and revives nothing", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"), { op: "drop", slot: 0, generation: 1 }, door.pin(0, "592913"));
    for (const generation of [0, 1, 2, 4]) {
      door.now += 60;
      rejects(door, door.pin(0, "482913", { generation }), "stale-generation");
      rejects(door, { op: "change", slot: 0, generation, role: Role.admin }, "stale-generation");
      rejects(door, { op: "drop", slot: 0, generation }, "stale-generation");
      rejects(door, { op: "enable", slot: 0, generation }, "stale-generation");
      rejects(door, { op: "disable", slot: 0, generation }, "stale-generation");
    }
    assert.equal(door.type("482913"), "unknown");
    assert.equal(door.type("592913"), "granted");
  });

  it("an empty slot has none: naming one is stale, dropping it changes nothing", () => {
    const door = new Door();
    rejects(door, door.pin(0, "482913", { generation: 1 }), "stale-generation");
    rejects(door, { op: "drop", slot: 0, generation: 1 }, "unchanged");
    rejects(door, { op: "disable", slot: 0, generation: 1 }, "stale-generation");
    rejects(door, { op: "drop", slot: LOCK_1000.slots, generation: 1 }, "range");
    rejects(door, { op: "change", slot: LOCK_1000.slots, generation: 1, role: 1 }, "stale-generation");
  });

  it("A10 a drop and a put of the same user work in one bundle, in order", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913", { user: 77 }));
    assert.deepEqual(
      door.apply({ op: "drop", slot: 0, generation: 1 }, door.pin(0, "482913", { user: 77 })),
      ["applied", "applied"],
    );
    assert.equal(door.type("482913"), "granted");
    assert.deepEqual(door.apply(door.pin(1, "482913"), { op: "drop", slot: 0, generation: 3 }), [
      "duplicate",
      "applied",
    ]);
  });
});

describe("A8 a change", () => {
  it("gives new terms as a whole and keeps credential, user, grantor, uses, generation and what was used", () => {
    const door = new Door();
    const { table } = door.lock.parts;
    door.apply(
      door.pin(0, "482913", {
        user: 5,
        grantor: 6,
        uses: 3,
        role: Role.team,
        capabilities: Capability.grant,
        flags: Flag.lease,
      }),
    );
    assert.deepEqual([door.type("482913"), door.type("482913")], ["granted", "granted"]);
    const end = MONDAY + HOUR;
    assert.deepEqual(door.apply({ op: "change", slot: 0, generation: 1, role: Role.resident, end }), [
      "applied",
    ]);
    assert.equal(table.load(0), "ok");
    const { user, grantor, uses, role, capabilities, flags, digits, generation } = table.entry;
    assert.deepEqual(
      { user, grantor, uses, role, capabilities, flags, digits, generation, end: table.entry.end },
      {
        user: 5,
        grantor: 6,
        uses: 3,
        role: Role.resident,
        capabilities: 0,
        flags: 0,
        digits: 6,
        generation: 1,
        end,
      },
    );
    assert.deepEqual([door.type("482913"), door.type("482913")], ["granted", "used-up"]);
  });

  it("keeps a slot disabled that is", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"), { op: "disable", slot: 0, generation: 1 });
    assert.deepEqual(door.apply({ op: "change", slot: 0, generation: 1, role: Role.admin }), ["applied"]);
    assert.equal(door.type("482913"), "disabled");
  });

  it("to what the slot is already is unchanged", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"));
    rejects(door, { op: "change", slot: 0, generation: 1, role: Role.resident }, "unchanged");
  });
});

describe("A75 C14 a disabled slot", () => {
  it("is kept and refused until it is enabled; twice changes nothing", () => {
    const door = new Door();
    const disable = { op: "disable", slot: 0, generation: 1 } as const;
    const enable = { op: "enable", slot: 0, generation: 1 } as const;
    assert.deepEqual(door.apply(door.pin(0, "482913"), enable, disable, disable), [
      "applied",
      "unchanged",
      "applied",
      "unchanged",
    ]);
    assert.equal(door.type("482913"), "disabled");
    door.reboot();
    assert.equal(door.type("482913"), "disabled");
    assert.equal(door.receipt().slots, 1);
    assert.deepEqual(door.apply(enable), ["applied"]);
    assert.equal(door.type("482913"), "granted");
  });

  it("is live again after the same put", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"), { op: "disable", slot: 0, generation: 1 });
    assert.deepEqual(door.apply(door.pin(0, "482913", { generation: 1 })), ["applied"]);
    assert.equal(door.type("482913"), "granted");
  });
});

describe("C18 the density guard", () => {
  it("lets PINs in up to the limit, and none past it", () => {
    const door = new Door();
    const fours = Array.from({ length: 10 }, (_, slot) => door.pin(slot, String(4801 + slot)));
    assert.ok(door.apply(...fours).every((code) => code === "applied"));
    assert.equal(door.receipt().density, DENSITY_LIMIT);
    rejects(door, door.pin(20, "4829134829"), "pin-too-short");
    rejects(door, door.pin(20, "4829"), "pin-too-short");
    assert.deepEqual(door.apply(door.card(20, Uint8Array.of(1, 2, 3, 4))), ["applied"]);
  });

  it("lets a PIN in that makes guessing no easier than the one in its slot", () => {
    const door = new Door();
    for (let slot = 0; slot < 10; slot++) door.apply(door.pin(slot, String(4801 + slot)));
    assert.deepEqual(door.apply(door.pin(0, "4829", { generation: 1 })), ["applied"]);
    assert.deepEqual(door.apply(door.pin(0, "4829134829", { generation: 11 })), ["applied"]);
    assert.equal(door.receipt().density, DENSITY_LIMIT - 1_000_000 + 1);
    rejects(door, door.pin(0, "4829", { generation: 12, role: 9 }), "unsupported");
    rejects(door, door.pin(20, "4830"), "pin-too-short");
    assert.deepEqual(door.apply(door.pin(0, "4829", { generation: 12 })), ["applied"]);
  });

  it("forgets what was dropped, revoked or wiped, and remembers the rest over a reboot", () => {
    const door = new Door();
    for (let slot = 0; slot < 10; slot++) door.apply(door.pin(slot, String(4801 + slot)));
    door.apply({ op: "drop", slot: 0, generation: 1 }, { op: "revoke", user: 1001 });
    assert.equal(door.receipt().density, DENSITY_LIMIT - 2_000_000);
    door.reboot();
    assert.equal(door.receipt().density, DENSITY_LIMIT - 2_000_000);
    door.apply({ op: "wipe" });
    assert.equal(door.receipt().density, 0);
  });
});

describe("A30 T2 schedules", () => {
  for (const profile of doors)
    it(`of ${profile.name} are ${profile.schedules} at most`, () => {
      const door = new Door({ profile });
      const puts = Array.from({ length: profile.schedules }, (_, i) => ({
        op: "put-schedule" as const,
        id: i + 1,
        windows: windows(i),
      }));
      assert.ok(door.apply(...puts).every((code) => code === "applied"));
      assert.equal(door.receipt().schedules, profile.schedules);
      const past = { op: "put-schedule" as const, id: profile.schedules + 1, windows: windows(0) };
      rejects(door, past, profile.schedules === 255 ? "bad-format" : "capacity");
      rejects(door, { ...past, id: 0 }, "bad-format");
      door.reboot();
      assert.equal(door.receipt().schedules, profile.schedules);
    });

  it("A28 that overlap are refused, those that touch are not", () => {
    const door = new Door();
    rejects(door, { op: "put-schedule", id: 1, windows: windows(0, 59) }, "schedule-overlap");
    assert.deepEqual(door.apply({ op: "put-schedule", id: 1, windows: windows(0, 60) }), ["applied"]);
  });

  it("have one to eight windows", () => {
    const door = new Door();
    const hours = Array.from({ length: 9 }, (_, i) => 60 * i);
    rejects(door, { op: "put-schedule", id: 1, windows: windows(...hours) }, "bad-format");
    rejects(door, { op: "put-schedule", id: 1, windows: [] }, "bad-format");
    assert.deepEqual(door.apply({ op: "put-schedule", id: 1, windows: windows(...hours.slice(1)) }), [
      "applied",
    ]);
    rejects(door, { op: "put-schedule", id: 1, windows: windows(...hours.slice(1)) }, "unchanged");
  });

  it("must be there before a slot names them, and cannot go while one does", () => {
    const door = new Door();
    rejects(door, door.pin(0, "482913", { schedule: 4 }), "unknown-schedule");
    door.apply({ op: "put-schedule", id: 4, windows: windows(0) }, door.pin(0, "482913", { schedule: 4 }));
    rejects(door, { op: "drop-schedule", id: 4 }, "schedule-in-use");
    rejects(door, { op: "change", slot: 0, generation: 3, role: 1, schedule: 5 }, "unknown-schedule");
    assert.deepEqual(
      door.apply(
        { op: "change", slot: 0, generation: 3, role: 1 },
        { op: "drop-schedule", id: 4 },
        { op: "drop-schedule", id: 4 },
      ),
      ["applied", "applied", "unchanged"],
    );
    door.reboot();
    assert.equal(door.receipt().schedules, 0);
    rejects(door, door.pin(1, "582913", { schedule: 4 }), "unknown-schedule");
  });

  it("changed, change for all their slots at once", () => {
    const door = new Door();
    door.apply(
      { op: "put-schedule", id: 1, windows: windows(600) },
      door.pin(0, "482913", { schedule: 1 }),
      door.pin(1, "582913", { schedule: 1 }),
    );
    door.now = MONDAY + 30 * 60;
    assert.deepEqual([door.type("482913"), door.type("582913")], ["outside-schedule", "outside-schedule"]);
    door.apply({ op: "put-schedule", id: 1, windows: windows(0) });
    assert.deepEqual([door.type("482913"), door.type("582913")], ["granted", "granted"]);
  });
});

describe("M2 M6 T8 settings", () => {
  const set = (setting: number, value: Uint8Array) => ({ op: "set", setting, value }) as const;

  it("are taken at their limits and refused one past them", () => {
    const door = new Door();
    rejects(door, set(3, Uint8Array.of(0x0e, 0x11)), "range");
    rejects(door, set(3, Uint8Array.of(5)), "bad-format");
    rejects(door, set(2, Uint8Array.of(3)), "unsupported");
    rejects(door, set(2, Uint8Array.of(1, 1)), "bad-format");
    rejects(door, set(1, Buffer.from("nowhere")), "bad-format");
    rejects(door, set(99, Uint8Array.of(1)), "unsupported");
    assert.deepEqual(
      door.apply(
        set(3, Uint8Array.of(0x0e, 0x10)),
        set(2, Uint8Array.of(2)),
        set(1, Buffer.from("CET-1CEST,M3.5.0,M10.5.0/3")),
      ),
      ["applied", "applied", "applied"],
    );
    rejects(door, set(2, Uint8Array.of(2)), "unchanged");
  });

  it("apply at once and over a reboot; a wipe keeps them, and schedules", () => {
    const door = new Door();
    door.apply(set(2, Uint8Array.of(2)), { op: "put-schedule", id: 1, windows: windows(0) });
    door.apply(door.pin(0, "482913", { role: Role.prospect }));
    assert.equal(door.type("482913"), "wrong-mode");
    door.reboot();
    assert.equal(door.type("482913"), "wrong-mode");
    assert.deepEqual(door.apply({ op: "wipe" }), ["applied"]);
    const receipt = door.receipt();
    assert.deepEqual([receipt.slots, receipt.schedules], [0, 1]);
    assert.equal(door.lock.parts.policy.mode, 2);
  });
});

describe("A64 a wipe", () => {
  it("empties every slot in one delta, and says how many there were", () => {
    for (const profile of doors) {
      const door = new Door({ profile });
      door.apply(...Array.from({ length: profile.slots }, (_, slot) => door.pin(slot, long(slot))));
      const { receipt } = door.send(Type.bundle, door.bundle([{ op: "wipe" }, { op: "wipe" }]));
      assert.deepEqual(receipt && outcomes(receipt), [
        { code: "applied", detail: profile.slots },
        { code: "unchanged", detail: 0 },
      ]);
      assert.equal(door.receipt().slots, 0);
      door.reboot();
      assert.deepEqual(heldSlots(door), new Map());
    }
  });
});

describe("A bundle that came after its not-after", () => {
  it("has its puts and enables consumed as expired; a revoke never lapses", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913"), door.pin(1, "582913"), door.pin(2, "682913"), {
      op: "disable",
      slot: 2,
      generation: 3,
    });
    const bundle = door.bundle(
      [
        door.pin(3, "782913"),
        { op: "enable", slot: 2, generation: 3 },
        { op: "disable", slot: 0, generation: 1 },
        { op: "change", slot: 0, generation: 1, role: Role.team },
        { op: "revoke", user: 1001 },
        { op: "drop", slot: 0, generation: 1 },
      ],
      MONDAY - 1,
    );
    const { receipt } = door.send(Type.bundle, bundle);
    assert.deepEqual(receipt && outcomes(receipt).map(({ code }) => code), [
      "expired",
      "expired",
      "applied",
      "applied",
      "applied",
      "applied",
    ]);
    assert.deepEqual([...heldSlots(door).keys()], [2]);
  });

  it("is not late as long as the clock's own error does not make it so", () => {
    const door = new Door();
    const { bound } = door.receipt();
    const send = (slot: number, notAfter: number) => {
      const { receipt } = door.send(Type.bundle, door.bundle([door.pin(slot, long(slot))], notAfter));
      return receipt && outcomes(receipt)[0].code;
    };
    assert.deepEqual([send(0, MONDAY + bound), send(1, MONDAY + bound - 1)], ["applied", "expired"]);
  });

  it("needs a clock, and consumes nothing until there is one", () => {
    const door = new Door();
    door.reboot();
    door.hello();
    const bundle = door.bundle([door.pin(0, "482913")], MONDAY + HOUR);
    assert.equal(door.send(Type.bundle, bundle).result, "need-time");
    assert.equal(door.hello().applied, 0);
    door.setTime();
    assert.ok(door.send(Type.bundle, bundle).receipt);
    door.reboot();
    door.hello();
    assert.ok(
      door.send(Type.bundle, bundle).receipt,
      "what is applied already gives its ack again without a clock",
    );
  });
});

describe("A user", () => {
  it("is never 0, nor their own grantor", () => {
    const door = new Door();
    rejects(door, door.pin(0, "482913", { user: 0 }), "bad-format");
    rejects(door, door.pin(0, "482913", { user: 5, grantor: 5 }), "bad-format");
    rejects(door, { op: "revoke", user: 0 }, "bad-format");
    assert.deepEqual(door.apply(door.pin(0, "482913", { user: 0xffffffff, grantor: 1 })), ["applied"]);
  });

  it("C8 may have several credentials, a slot each, and loses all of them at once", () => {
    const door = new Door();
    const uid = Uint8Array.of(1, 2, 3, 4);
    const phone = { ...door.card(2, uid), kind: Kind.phone, tag: new Uint8Array(12).fill(9) };
    door.apply(door.pin(0, "482913", { user: 7 }), door.card(1, uid, { user: 7 }), { ...phone, user: 7 });
    const { receipt } = door.send(Type.bundle, door.bundle([{ op: "revoke", user: 7 }]));
    assert.deepEqual(receipt && outcomes(receipt), [{ code: "applied", detail: 3 }]);
    assert.equal(door.type("482913"), "unknown");
  });
});
