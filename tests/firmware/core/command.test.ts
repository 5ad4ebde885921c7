// Commands of phones (rules X7, A60, A61, A63, A64): each needs its capability, all of them a credential that would be let in, and every
// one is in the log, whatever became of it.

import assert from "node:assert/strict";
import { EventKind, Method } from "../../../firmware/core/storage/events";
import { claimKeys } from "../../../protocol/crypto/derive";
import { sealWith, settingAad } from "../../../protocol/crypto/seal";
import type { Delta } from "../../../protocol/issuer/encode";
import { ascii } from "../../../protocol/wire/bytes";
import { Code } from "../../../protocol/wire/codes";
import { ALL_CAPABILITIES, Capability, Flag, Role } from "../../../protocol/wire/entry";
import { MAX_ALIAS_BYTES } from "../../../protocol/wire/limits";
import { CommandOp } from "../../../protocol/wire/payloads";
import { Mode, packHours, packRelock, Setting } from "../../../protocol/wire/settings";
import { Dice } from "../../support/dice";
import { Door, MONDAY } from "../../support/door";
import { eventsIn } from "../../support/door-faults";
import { Phone } from "../../support/phone";

const OPS = Object.values(CommandOp);
const NEEDED: Readonly<Record<number, number>> = {
  [CommandOp.lock]: 0,
  [CommandOp.mode]: Capability.setMode,
  [CommandOp.rename]: Capability.rename,
  [CommandOp.resetCodes]: Capability.resetCode,
  [CommandOp.resetLock]: Capability.resetLock,
  [CommandOp.refusals]: Capability.readLog,
};
const GOOD: Readonly<Record<number, Uint8Array>> = {
  [CommandOp.mode]: Uint8Array.of(Mode.tour),
  [CommandOp.rename]: ascii("Back door"),
};

const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });

function doorOf(capabilities: number, more = {}): { door: Door; phone: Phone } {
  const door = new Door();
  const phone = new Phone(door);
  assert.deepEqual(door.apply(phone.put(3, { capabilities, ...more })), ["applied"]);
  return { door, phone };
}

/** What the log says last: kind, op, result code, reason, user and generation. */
function lastOf(door: Door): number[] {
  const last = eventsIn(door).at(-1);
  if (last === undefined) throw new Error("no event");
  assert.equal(last.method, Method.phone);
  return [last.kind, last.detail & 0xff, last.detail >>> 8, last.reason, last.user, last.generation];
}

describe("X7 A61 a command", () => {
  for (const op of OPS) {
    it(`${op} is done by who has its capability and no other, and logged`, () => {
      const { door, phone } = doorOf(NEEDED[op]);
      assert.equal(phone.command(op, GOOD[op]), "applied");
      assert.deepEqual(lastOf(door), [EventKind.command, op, Code.applied, 0, 1003, 1]);
    });

    for (let bit = 1; bit <= Capability.firstIn; bit *= 2)
      it(`${op} without capability ${bit} is ${NEEDED[op] === bit ? "refused and logged" : "done"}`, () => {
        const { door, phone } = doorOf(ALL_CAPABILITIES & ~bit);
        const isMissing = NEEDED[op] === bit;
        assert.equal(phone.command(op, GOOD[op]), isMissing ? "key-not-allowed" : "applied");
        const code = isMissing ? Code.keyNotAllowed : Code.applied;
        assert.deepEqual(lastOf(door), [EventKind.command, op, code, 0, 1003, 1]);
      });

    it(`${op} is refused, with the reason in the log, where the door would refuse`, () => {
      const { door, phone } = doorOf(ALL_CAPABILITIES, { end: MONDAY + 60 });
      door.now += 60;
      assert.equal(phone.command(op, GOOD[op]), "not-allowed expired");
      assert.deepEqual(lastOf(door), [EventKind.command, op, Code.notAllowed, 10, 1003, 1]);
    });
  }

  it("that nobody knows is unsupported, and logged", () => {
    const { door, phone } = doorOf(ALL_CAPABILITIES);
    for (const op of [0, CommandOp.refusals + 1, 255]) {
      assert.equal(phone.command(op), "unsupported");
      assert.deepEqual(lastOf(door), [EventKind.command, op, Code.unsupported, 0, 1003, 1]);
    }
  });

  it("uses no use up, and says when it was forced", () => {
    const { door, phone } = doorOf(ALL_CAPABILITIES, { uses: 1, flags: Flag.duress });
    assert.equal(phone.command(CommandOp.lock), "applied");
    assert.equal(door.events().at(-2), "duress");
    assert.equal(phone.unlock(), "applied");
    assert.equal(phone.command(CommandOp.lock), "not-allowed used-up");
  });

  it("loses its capability with the delta that takes it", () => {
    const { door, phone } = doorOf(Capability.setMode);
    assert.equal(phone.command(CommandOp.mode, Uint8Array.of(1)), "applied");
    assert.deepEqual(door.apply({ op: "change", slot: 3, generation: 1, role: Role.resident }), ["applied"]);
    assert.equal(phone.command(CommandOp.mode, Uint8Array.of(0)), "key-not-allowed");
    assert.equal(door.lock.parts.policy.mode, Mode.tour);
  });

  it("has an argument in its range, or does nothing", () => {
    const { door, phone } = doorOf(ALL_CAPABILITIES);
    const bad: [number, Uint8Array][] = [
      [CommandOp.mode, Uint8Array.of(Mode.resident + 1)],
      [CommandOp.mode, new Uint8Array(0)],
      [CommandOp.mode, Uint8Array.of(0, 0)],
      [CommandOp.rename, new Uint8Array(0)],
      [CommandOp.rename, Uint8Array.of(0xff)],
      [CommandOp.lock, Uint8Array.of(1)],
      [CommandOp.resetCodes, Uint8Array.of(1)],
      [CommandOp.resetLock, Uint8Array.of(1)],
      [CommandOp.refusals, Uint8Array.of(1)],
    ];
    for (const [op, argument] of bad) assert.equal(phone.command(op, argument), "range", `${op}`);
    assert.equal(door.lock.pressReset(), "refused");
    const longest = new Uint8Array(MAX_ALIAS_BYTES).fill(0x61);
    assert.equal(phone.command(CommandOp.rename, longest), "applied");
    const longer = new Uint8Array(MAX_ALIAS_BYTES + 1).fill(0x61);
    assert.equal(phone.command(CommandOp.rename, longer), "malformed");
  });
});

describe("the command to lock", () => {
  it("throws the bolt at once, whoever would be let in says so", () => {
    const { door, phone } = doorOf(0);
    phone.unlock();
    assert.equal(door.board.bolt.drawn, true);
    assert.equal(phone.command(CommandOp.lock), "applied");
    assert.equal(door.board.bolt.drawn, false);
  });

  it("ends a passage without end", () => {
    const { door, phone } = doorOf(0);
    door.apply(set(Setting.relockSeconds, packRelock(0)));
    phone.unlock();
    door.pass(100);
    assert.equal(door.board.bolt.drawn, true);
    phone.command(CommandOp.lock);
    door.pass(5);
    assert.equal(door.board.bolt.drawn, false);
  });

  it("ends open hours, and a power cut right after it does not bring them back", () => {
    for (const cut of [false, true]) {
      const { door, phone } = doorOf(0);
      door.apply(
        { op: "put-schedule", id: 1, windows: [{ days: 127, start: 0, duration: 600 }] },
        set(Setting.businessHours, packHours({ schedule: 1, firstIn: false, graceMinutes: 0 })),
      );
      door.pass(70);
      assert.equal(door.board.bolt.drawn, true);
      assert.equal(phone.command(CommandOp.lock), "applied");
      assert.equal(door.board.bolt.drawn, false);
      if (cut) {
        door.reboot();
        door.setTime();
      }
      door.pass(70);
      assert.equal(door.board.bolt.drawn, false, `cut ${cut}`);
    }
  });

  it("waits for a door that stands open", () => {
    const door = new Door({ sensor: true });
    const phone = new Phone(door);
    door.apply(phone.put(1));
    phone.unlock();
    door.isClosed = false;
    assert.equal(phone.command(CommandOp.lock), "applied");
    assert.equal(door.board.bolt.drawn, true);
    door.isClosed = true;
    door.pass(1);
    assert.equal(door.board.bolt.drawn, false);
  });
});

describe("A60 A61 the mode by a command", () => {
  it("is in force at once and after a reboot, and is no part of the digest", () => {
    const { door, phone } = doorOf(Capability.setMode);
    const before = door.receipt().digest.slice();
    assert.equal(phone.command(CommandOp.mode, Uint8Array.of(Mode.resident)), "applied");
    assert.deepEqual(door.receipt().digest, before);
    for (const boot of [false, true]) {
      if (boot) door.reboot();
      assert.equal(door.lock.parts.policy.mode, Mode.resident);
    }
  });

  it("gives way to a delta, also to one that says what was set before, which is applied then", () => {
    const { door, phone } = doorOf(Capability.setMode);
    const tour = set(Setting.mode, Uint8Array.of(Mode.tour));
    assert.deepEqual(door.apply(tour, tour), ["applied", "unchanged"]);
    const before = door.receipt().digest.slice();
    phone.command(CommandOp.mode, Uint8Array.of(Mode.resident));
    assert.deepEqual(door.apply(set(Setting.mode, Uint8Array.of(9))), ["unsupported"]);
    assert.equal(door.lock.parts.policy.mode, Mode.resident, "what is refused takes nothing away");
    assert.deepEqual(door.apply(tour, tour), ["applied", "unchanged"]);
    assert.equal(door.lock.parts.policy.mode, Mode.tour);
    assert.deepEqual(door.receipt().digest, before);
    door.reboot();
    assert.equal(door.lock.parts.policy.mode, Mode.tour);
    assert.deepEqual(door.receipt().digest, before);
  });

  it("outlives a wipe", () => {
    const { door, phone } = doorOf(Capability.setMode);
    phone.command(CommandOp.mode, Uint8Array.of(Mode.tour));
    door.apply({ op: "wipe" });
    assert.equal(door.lock.parts.policy.mode, Mode.tour);
    door.reboot();
    assert.equal(door.lock.parts.policy.mode, Mode.tour);
  });
});

describe("A63 the name by a command", () => {
  it("is the lock's name over a reboot, until the issuer names it", () => {
    const { door, phone } = doorOf(Capability.rename);
    assert.equal(door.lock.secrets.alias, undefined);
    phone.command(CommandOp.rename, ascii("Back door"));
    door.reboot();
    assert.deepEqual(door.lock.secrets.alias, ascii("Back door"));
    const { sealKey } = claimKeys(door.crypto, door.identity.deviceSecret, 1);
    const aad = settingAad(door.identity.lock, Setting.alias);
    const sealed = sealWith(door.crypto, sealKey, new Dice(3).bytes(24), aad, ascii("Front door"));
    assert.deepEqual(door.apply(set(Setting.alias, sealed)), ["applied"]);
    assert.deepEqual(door.lock.secrets.alias, ascii("Front door"));
  });
});

describe("A64 the command to reset codes", () => {
  it("takes the codes of the keypad, and nothing else", () => {
    const { door, phone } = doorOf(Capability.resetCode);
    door.apply(door.pin(1, "6062255", { role: Role.admin }));
    door.keys("**6062255#1#482716#482716#");
    door.lock.tick();
    assert.equal(door.type("482716"), "granted");
    assert.equal(phone.command(CommandOp.resetCodes), "applied");
    for (const boot of [false, true]) {
      if (boot) door.reboot();
      assert.equal(door.receipt().localCodes, 0);
      assert.equal(door.type("482716"), "unknown");
      assert.equal(door.type("6062255"), "granted");
      assert.equal(phone.unlock(), "applied");
    }
  });
});

describe("A64 the command to reset the lock", () => {
  it("is a consent: the reset itself is done at the lock", () => {
    const { door, phone } = doorOf(Capability.resetLock);
    assert.equal(door.lock.pressReset(), "refused");
    assert.equal(phone.command(CommandOp.resetLock), "applied");
    assert.equal(phone.unlock(), "applied");
    assert.equal(door.lock.pressReset(), "reset");
    assert.equal(phone.unlock(), "unclaimed");
  });
});
