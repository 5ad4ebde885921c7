// Callbacks that never throw: what comes through, what is noted, and that a note cannot be what stops the lock.

import assert from "node:assert/strict";
import fc from "fast-check";
import { Guard } from "../../../firmware/device/guard";

describe("F8 a guarded callback", () => {
  it("passes arguments and result through, and notes nothing", () => {
    const guard = new Guard();
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        const sum = guard.wrap("sum", (...all: number[]) => all.reduce((a, b) => a + b, 0));
        assert.equal(
          sum(...values),
          values.reduce((a, b) => a + b, 0),
        );
      }),
    );
    assert.deepEqual([guard.faults, guard.lastFault], [0, ""]);
  });

  it("never throws, whatever is thrown in it, and notes where", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("bolt", "wifi"), fc.anything()), { minLength: 1 }),
        (throws) => {
          const noted: unknown[] = [];
          const guard = new Guard((where, error) => noted.push(where, error));
          for (const [where, error] of throws) {
            const callback = guard.wrap(where, () => {
              throw error;
            });
            assert.equal(callback(), undefined);
          }
          assert.deepEqual(noted, throws.flat(1));
          assert.deepEqual([guard.faults, guard.lastFault], [throws.length, throws.at(-1)?.[0]]);
        },
      ),
    );
  });

  it("never throws because its note does", () => {
    const guard = new Guard(() => {
      throw new Error("no room for a note");
    });
    assert.equal(
      guard.run("bolt", () => {
        throw new Error("jammed");
      }),
      false,
    );
    assert.equal(
      guard.run("bolt", () => {}),
      true,
    );
    assert.equal(guard.faults, 1);
  });
});
