// What a person at the door is shown (rules C16, X4): every single showing is counted, not only the last one.

import assert from "node:assert/strict";
import type { Delta } from "../../protocol/issuer/encode";
import { reasonName } from "../../protocol/wire/codes";
import { Flag } from "../../protocol/wire/entry";
import { Door, MONDAY } from "../support/door";

const DAY_S = 86_400;

/** All that a door does for a PIN, seen from outside: what is shown and when, in seconds after the confirm key, and how the bolt moves. */
function seen(digits: string, ...deltas: Delta[]): string[] {
  const door = new Door();
  door.apply(...deltas);
  door.now += 3;
  const from = door.now;
  const uptime = door.lock.parts.clock.uptime();
  const shows: string[] = [];
  const { feedback, bolt } = door.board;
  feedback.granted = (at) => shows.push(`granted after ${(at - uptime).toFixed(3)}`);
  feedback.refused = (at) => shows.push(`refused after ${(at - uptime).toFixed(3)}`);
  const moves = bolt.moves;
  door.type(digits);
  assert.equal(door.now, from);
  return [...shows, `moves ${bolt.moves - moves}`];
}

describe("C16 under duress a person is shown nothing else", () => {
  const door = new Door();

  it("than anybody who is let in: one grant, and nothing beside it", () => {
    const plain = seen("246802", door.pin(0, "246802"));
    assert.deepEqual(plain, ["granted after 0.400", "moves 1"]);
    assert.deepEqual(seen("246802", door.pin(0, "246802", { flags: Flag.duress })), plain);
  });

  it("than anybody who is refused", () => {
    const over = { end: MONDAY - DAY_S };
    const plain = seen("246802", door.pin(0, "246802", over));
    assert.deepEqual(plain, ["refused after 0.400", "moves 0"]);
    assert.deepEqual(seen("246802", door.pin(0, "246802", { ...over, flags: Flag.duress })), plain);
  });
});

describe("X4 whatever is refused", () => {
  it("is shown once, after the same time, and looks the same", () => {
    const door = new Door();
    const never = { op: "put-schedule", id: 1, windows: [{ days: 1 << 3, start: 0, duration: 60 }] } as const;
    const cases: Readonly<Record<string, readonly Delta[]>> = {
      unknown: [],
      disabled: [door.pin(0, "246802"), { op: "disable", slot: 0, generation: 1 }],
      "outside-schedule": [never, door.pin(0, "246802", { schedule: 1 })],
      expired: [door.pin(0, "246802", { end: MONDAY - 1 })],
      "needs-second": [door.pin(0, "246802", { flags: Flag.dual })],
    };
    for (const [reason, deltas] of Object.entries(cases)) {
      const other = new Door();
      other.apply(...deltas);
      assert.equal(other.type("246802"), reason);
      assert.deepEqual(seen("246802", ...deltas), ["refused after 0.400", "moves 0"], reason);
    }
    assert.deepEqual(seen("24"), ["refused after 0.400", "moves 0"], "what is no PIN");
  });
});

describe("X2 cards at a lock", () => {
  it("that nobody has, in any number, lock nobody out, at the keypad neither", () => {
    const door = new Door();
    door.apply(door.pin(0, "246802"), door.card(1, Uint8Array.of(1, 2, 3, 4)));
    for (let last = 0; last < 20; last++)
      assert.equal(reasonName(door.lock.presentCard(Uint8Array.of(9, 9, 9, last))), "unknown");
    assert.equal(reasonName(door.lock.presentCard(Uint8Array.of(1, 2, 3, 4))), "granted");
    assert.equal(door.type("246802"), "granted");
    for (let times = 0; times < 5; times++) assert.equal(door.type("999999"), "unknown");
    assert.equal(door.type("246802"), "locked-out");
  });
});
