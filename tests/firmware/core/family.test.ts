// Who falls with whom, against a model that knows only who stands below whom.

import assert from "node:assert/strict";
import { Type } from "../../../protocol/wire/messages";
import { Dice, SEED } from "../../support/dice";
import { Door, L500I, LOCK_1000 } from "../../support/door";
import { heldSlots, outcomes } from "../../support/look";

interface Member {
  readonly slot: number;
  readonly user: number;
  readonly grantor: number;
}

/** The model: a slot falls if its user is revoked, or if it was granted by anyone who lost a slot. Recursion over "below". */
function falls(members: readonly Member[], revoked: number): Set<number> {
  const fallen = new Set<number>();
  const fell = (user: number): void => {
    for (const member of members)
      if (member.grantor === user && !fallen.has(member.slot)) {
        fallen.add(member.slot);
        fell(member.user);
      }
  };
  for (const { slot, user } of members) if (user === revoked) fallen.add(slot);
  fell(revoked);
  return fallen;
}

function doorWith(profile: typeof L500I, members: readonly Member[]): Door {
  const door = new Door({ profile });
  const puts = members.map(({ slot, user, grantor }) =>
    door.pin(slot, String(10_000_000 + slot * 7919), { user, grantor }),
  );
  const codes = door.apply(...puts);
  assert.ok(codes.every((code) => code === "applied"));
  // A bundle that is the first sign of life, or the first in an hour, is noted as one: that is not what is counted here.
  door.beat();
  return door;
}

/** Revokes and compares with the model, also after a reboot. */
function check(profile: typeof L500I, members: readonly Member[], revoked: number): number {
  const door = doorWith(profile, members);
  const fallen = falls(members, revoked);
  const { programs, erases } = { ...door.board.credentials.counters };
  const { receipt } = door.send(Type.bundle, door.bundle([{ op: "revoke", user: revoked }]));
  const expected = { code: fallen.size > 0 ? "applied" : "unchanged", detail: fallen.size };
  assert.deepEqual(receipt && outcomes(receipt), [expected]);
  assert.equal(door.board.credentials.counters.programs - programs, 1, "one program operation");
  assert.equal(door.board.credentials.counters.erases, erases);
  const left = members.filter(({ slot }) => !fallen.has(slot)).map(({ slot }) => slot);
  const held = heldSlots(door);
  assert.deepEqual(
    [...held.keys()],
    left.sort((a, b) => a - b),
  );
  door.reboot();
  assert.deepEqual(heldSlots(door), held);
  return fallen.size;
}

const shuffled = (dice: Dice, count: number): number[] => {
  const slots = Array.from({ length: count }, (_, slot) => slot);
  for (let i = count - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    [slots[i], slots[j]] = [slots[j], slots[i]];
  }
  return slots;
};

describe("C22 A53 a revocation takes everyone below", () => {
  it("any depth: a chain of 1000, whatever the order of their slots, in one program and no erase", () => {
    const slots = shuffled(new Dice(SEED), 1000);
    const chain = slots.map((slot, depth) => ({ slot, user: depth + 1, grantor: depth }));
    assert.equal(check(LOCK_1000, chain, 1), 1000);
    assert.equal(check(LOCK_1000, chain, 500), 501);
    assert.equal(check(LOCK_1000, chain, 1000), 1);
  });

  it("a resident with 998 guests, and the guests of a user who holds no slot here", () => {
    const guests = Array.from({ length: 998 }, (_, i) => ({ slot: i + 1, user: 100 + i, grantor: 7 }));
    assert.equal(check(LOCK_1000, [{ slot: 0, user: 7, grantor: 0 }, ...guests], 7), 999);
    assert.equal(check(LOCK_1000, guests, 7), 998);
  });

  it("cycles end: each of a ring takes the whole ring, once", () => {
    const ring = Array.from({ length: 10 }, (_, i) => ({ slot: i, user: i + 1, grantor: i === 0 ? 10 : i }));
    for (let user = 1; user <= 10; user++) assert.equal(check(L500I, ring, user), 10);
  });

  it("nobody, when nobody is below: unchanged", () => {
    assert.equal(check(L500I, [{ slot: 0, user: 1, grantor: 2 }], 3), 0);
    assert.equal(check(L500I, [], 3), 0);
  });

  it("a slot granted by somebody else stays, though its user loses another", () => {
    const members = [
      { slot: 0, user: 1, grantor: 0 },
      { slot: 1, user: 2, grantor: 1 },
      { slot: 2, user: 2, grantor: 9 },
      { slot: 3, user: 3, grantor: 2 },
    ];
    assert.equal(check(L500I, members, 1), 3);
  });

  it(`as the model says, over 300 random families (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    let fallen = 0;
    for (let round = 0; round < 300; round++) {
      const users = 1 + dice.below(12);
      const members = shuffled(dice, dice.below(11)).map((slot) => {
        const user = 1 + dice.below(users);
        const grantor = dice.chance(0.8) ? 1 + dice.below(users) : 0;
        return { slot, user, grantor: grantor === user ? 0 : grantor };
      });
      fallen += check(L500I, members, 1 + dice.below(users));
    }
    assert.ok(fallen > 300);
  });

  it(`as the model says, over 6 random families of 1000 (seed ${SEED})`, () => {
    const dice = new Dice(SEED + 1);
    for (let round = 0; round < 6; round++) {
      const users = [50, 400, 3000][round % 3];
      const members = shuffled(dice, 1000).map((slot) => {
        const user = 1 + dice.below(users);
        const grantor = 1 + dice.below(users);
        return { slot, user, grantor: grantor === user ? 0 : grantor };
      });
      check(LOCK_1000, members, 1 + dice.below(users));
    }
  });
});
