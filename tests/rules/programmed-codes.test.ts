// Codes programmed at the keypad in time and in the log (rule C24): they end with whoever made them, and are logged as theirs.

import assert from "node:assert/strict";
import { Credential, EventKind } from "../../firmware/core/storage/events";
import { Role } from "../../protocol/wire/entry";
import { Door, MONDAY } from "../support/door";

const DAY_S = 86_400;
const CODE = "491827";

/** A door with an administrator in slot 3, who has programmed a code. */
function programmed(more: { end?: number; user?: number } = {}): Door {
  const door = new Door();
  assert.deepEqual(door.apply(door.pin(1, "606162"), door.pin(3, "808182", { role: Role.admin, ...more })), [
    "applied",
    "applied",
  ]);
  assert.match(door.keys(`**808182#1#${CODE}#${CODE}#`), /granted$/);
  return door;
}

describe("C24 a code programmed at the keypad", () => {
  it("opens until the end of whoever made it, shrunk by the error bound, and never again", () => {
    const end = MONDAY + 2 * DAY_S;
    const door = programmed({ end });
    door.now = end - 1000;
    const { bound } = door.lock.parts.clock.read();
    const heard = [end - bound - 1, end - bound, end + DAY_S].map((instant) => {
      door.now = instant;
      return door.type(CODE);
    });
    assert.deepEqual(heard, ["granted", "disabled", "disabled"]);
  });

  it("of somebody who has an end needs a clock, of anybody else it does not", () => {
    for (const [end, reason] of [
      [MONDAY + 2 * DAY_S, "disabled"],
      [0, "granted"],
    ] as const) {
      const door = programmed({ end });
      door.reboot();
      door.lock.tick();
      assert.equal(door.type(CODE), reason, `end ${end}`);
      door.setTime();
      assert.equal(door.type(CODE), "granted");
    }
  });

  it("is logged as what it is, with the user and the generation of whoever made it", () => {
    const door = programmed({ user: 77 });
    assert.equal(door.type(CODE), "granted");
    const found: (readonly number[])[] = [];
    door.lock.parts.events.read(({ kind, user, generation, credential }) => {
      if (kind === EventKind.programmed || kind === EventKind.granted)
        found.push([kind, user, generation, credential]);
    });
    assert.deepEqual(found, [
      [EventKind.programmed, 77, 2, Credential.none],
      [EventKind.granted, 77, 2, Credential.local],
    ]);
  });
});
