// Whatever bytes come: no exception, exactly one well-formed answer, and no change but by what really was signed.

import assert from "node:assert/strict";
import { signBundle } from "../../../protocol/issuer/encode";
import { Type } from "../../../protocol/wire/messages";
import { fuzz } from "../../long/fuzz";
import { canonical } from "../../support/cbor";
import { Dice, SEED } from "../../support/dice";
import { Door, L500I, MONDAY } from "../../support/door";
import { STATE_NAMES } from "../../support/fuzz";
import { hex } from "../../support/look";

const MESSAGES = 50_000;

describe("X8 S1 any bytes at all", () => {
  it(`${MESSAGES} random and mutated messages to locks in ${STATE_NAMES.length} states: one well-formed answer each, and nothing changes but by a good signature (seed ${SEED})`, async () => {
    const found = await fuzz(SEED, MESSAGES);
    assert.deepEqual([...found.keys()].sort(), [...STATE_NAMES].sort());
    let sent = 0;
    for (const [state, { states, violations, notes, failures }] of found) {
      sent += states;
      assert.deepEqual(violations, {}, `${state}: ${JSON.stringify(failures)}`);
      const isDeaf = ["not greeted", "unreadable flash", "hung up"].includes(state);
      assert.equal(notes["with a good signature"] > 0, !isDeaf, state);
    }
    assert.equal(sent, MESSAGES);
  });
});

describe("X8 random deltas inside a bundle that verifies", () => {
  it(`each consumes its position with one result, and nobody but the well-formed has an effect (seed ${SEED})`, () => {
    const dice = new Dice(SEED + 5);
    const door = new Door({ profile: L500I });
    let sent = 0;
    for (let round = 0; round < 150; round++) {
      const deltas = Array.from({ length: 1 + dice.below(16) }, () => {
        const pairs = new Map<number, unknown>();
        for (let key = dice.below(4); key < 140; key += 1 + dice.below(6)) {
          if (pairs.size > 8) break;
          pairs.set(
            key,
            dice.chance(0.2)
              ? dice.bytes(dice.below(14))
              : dice.below(dice.pick([2, 12, 300, 100_000, 2 ** 31])),
          );
        }
        return canonical([dice.below(16), pairs]);
      });
      const head = {
        lock: door.identity.lock,
        epoch: 1,
        first: sent + 1,
        before: door.lock.parts.table.head.slice(),
        issuedAt: MONDAY,
        notAfter: 0,
      };
      const { receipt, result } = door.send(Type.bundle, signBundle(door.crypto, door.issuer, head, deltas));
      assert.ok(receipt !== undefined, result);
      sent += deltas.length;
      assert.equal(receipt.applied, sent);
      assert.equal(receipt.codes.length, deltas.length);
      door.lock.tick();
    }
    const digest = hex(door.receipt().digest);
    door.reboot();
    assert.equal(hex(door.receipt().digest), digest);
    assert.equal(door.receipt().applied, sent);
  });
});
