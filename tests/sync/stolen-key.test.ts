// An issuer's key that was stolen signs for a day that has not come. What the lock heard of it then would keep leases for good and honest
// heartbeats out; with the keyset that leaves the key out it is cut back to what can be true (rules P7, S12, T13), wherever the power is cut.

import assert from "node:assert/strict";
import {
  encodeDelta,
  type SigningKey,
  signBundle,
  signHeartbeat,
  signingKey,
  signKeyset,
  signTime,
} from "../../protocol/issuer/encode";
import { nextHead } from "../../protocol/wire/chain";
import { Flag } from "../../protocol/wire/entry";
import { MAX_U32 } from "../../protocol/wire/limits";
import { Type } from "../../protocol/wire/messages";
import { May } from "../../protocol/wire/payloads";
import { packLeaseDays, Setting } from "../../protocol/wire/settings";
import { POWER_CUT, Power, tornOf } from "../../simulator/board/power";
import { Dice } from "../support/dice";
import { Door, L500I, MONDAY } from "../support/door";
import { bootBehind, bootFrom } from "../support/door-faults";

const DAY_S = 86_400;
const PIN = "4711080";

/** A door with leases of a day, a PIN that has one, and an issuer who was heard a minute ago. */
function leased(): Door {
  const door = new Door({ profile: L500I });
  const set = { op: "set", setting: Setting.leaseDays, value: packLeaseDays(1) } as const;
  assert.deepEqual(door.apply(set, door.pin(1, PIN, { flags: Flag.lease })), ["applied", "applied"]);
  assert.equal(door.beat({ events: 2 }), "applied");
  door.now += 60;
  door.lock.tick();
  return door;
}

const newKey = (door: Door): SigningKey => signingKey(door.crypto, new Dice(77).bytes(32));

function keysOf(door: Door, number: number, ...keys: SigningKey[]): Uint8Array {
  const listed = keys.map(({ kid, publicKey }) => ({ kid, publicKey, may: May.bundle | May.time }));
  return signKeyset(door.crypto, door.owner, { lock: door.identity.lock, number, keys: listed, claim: 1 });
}

/** Takes the stolen key away; the result. */
const takeAway = (door: Door): string | undefined =>
  door.send(Type.keys, keysOf(door, 2, newKey(door))).result;

/** A heartbeat of the issuer's new key, signed now. */
function honest(door: Door, key = newKey(door), more: object = {}): string | undefined {
  const { lock } = door.identity;
  const now = { lock, epoch: 1, issuedAt: Math.floor(door.now), acks: 2, events: 2, ...more };
  return door.send(Type.heartbeat, signHeartbeat(door.crypto, key, now)).result;
}

function setTime(
  door: Door,
  key: SigningKey,
  time = Math.floor(door.now),
  timeEpoch = 0,
): string | undefined {
  const nonce = door.hello().nonce.slice();
  const answer = { lock: door.identity.lock, nonce, time, timeEpoch };
  return door.send(Type.time, signTime(door.crypto, key, answer)).result;
}

const POISONS: Readonly<Record<string, (door: Door) => void>> = {
  heartbeat: (door) => assert.equal(door.beat({ issuedAt: MAX_U32, events: 2 }), "applied"),
  bundle: (door) => {
    const { lock } = door.identity;
    const delta = encodeDelta({ op: "set", setting: Setting.mode, value: Uint8Array.of(0) });
    const head = { lock, epoch: 1, first: 3, before: door.head, issuedAt: MAX_U32, notAfter: 0 };
    assert.ok(door.send(Type.bundle, signBundle(door.crypto, door.issuer, head, [delta])).receipt);
    door.head = nextHead(door.crypto, door.head, delta);
    door.seq++;
  },
};

const heardOf = (door: Door): number[] => {
  const { signedAt, issuedAt, acks, events, epoch } = door.lock.authority.heard;
  return [signedAt, issuedAt, acks, events, epoch];
};

describe("P7 S12 a stolen issuer key that signed for a day that has not come", () => {
  for (const [name, poison] of Object.entries(POISONS)) {
    it(`${name}: while the key is in force leases never lapse and, of a heartbeat, honest ones are old`, () => {
      const door = leased();
      poison(door);
      door.now += 400 * DAY_S;
      door.setTime();
      assert.equal(door.type(PIN), "granted");
      assert.equal(honest(door, door.issuer), name === "heartbeat" ? "replayed" : "applied");
    });

    it(`${name}: the keyset without it brings back honest heartbeats and the end of leases, from flash too`, () => {
      for (const isBooted of [false, true]) {
        const door = leased();
        poison(door);
        assert.equal(takeAway(door), "applied");
        if (isBooted) {
          door.reboot();
          door.hello();
          assert.equal(setTime(door, newKey(door)), "applied");
        }
        const { trust, now, bound } = door.lock.parts.clock.read();
        assert.equal(trust, 2);
        const [signedAt, issuedAt, ...rest] = heardOf(door);
        assert.ok(signedAt <= now + bound && signedAt > now - 90, `${signedAt - now}`);
        assert.ok(issuedAt <= now, `${issuedAt - now}`);
        assert.deepEqual(rest, [2, 2, 1], "what has come home stays");
        assert.equal(honest(door), "applied");
        assert.equal(door.type(PIN), "granted");
        door.now += DAY_S - 2;
        assert.equal(setTime(door, newKey(door)), "applied");
        assert.equal(door.type(PIN), "granted");
        door.now += 2;
        assert.equal(door.type(PIN), "lease-over");
      }
    });

    it(`${name}: without a heartbeat leases lapse a day after the keyset`, () => {
      const door = leased();
      poison(door);
      assert.equal(takeAway(door), "applied");
      door.now += DAY_S + 2;
      assert.equal(setTime(door, newKey(door)), "applied");
      assert.equal(door.type(PIN), "lease-over");
    });

    it(`${name}: where the time is unknown, what was heard is cut back to the floor`, () => {
      const door = leased();
      poison(door);
      door.reboot();
      door.hello();
      const { floor } = door.lock.parts.clock;
      assert.ok(floor >= MONDAY && floor <= door.now);
      assert.equal(takeAway(door), "applied");
      assert.ok(heardOf(door)[0] <= floor && heardOf(door)[1] <= floor);
      assert.equal(setTime(door, newKey(door)), "applied");
      assert.equal(honest(door), "applied");
      assert.equal(heardOf(door)[0], Math.floor(door.now));
    });
  }

  it("where it set the clock as well, the owner's time epoch cuts back what was heard", () => {
    const door = leased();
    assert.equal(setTime(door, door.issuer, MAX_U32 - DAY_S), "applied");
    POISONS.heartbeat(door);
    assert.equal(takeAway(door), "applied");
    assert.equal(honest(door), "replayed", "by its clock it can be true");
    const { acks, events } = door.lock.authority.heard;
    assert.equal(setTime(door, door.owner, Math.floor(door.now), 1), "applied");
    assert.deepEqual(heardOf(door), [Math.floor(door.now), Math.floor(door.now), acks, events, 1]);
    door.now += 1;
    assert.equal(honest(door), "applied");
  });

  it("wherever the power is cut: the old keyset stands or the new, and the new never with what cannot be true", () => {
    const door = leased();
    POISONS.heartbeat(door);
    const image = door.board.image();
    const tryWith = (power: Power): void => {
      bootFrom(door, image);
      bootBehind(door, { power });
      try {
        takeAwayAnew(door);
      } catch (error) {
        if (error !== POWER_CUT) throw error;
      }
    };
    const takeAwayAnew = (at: Door): void => {
      at.hello();
      at.send(Type.keys, keysOf(at, 2, newKey(at)));
    };
    const dry = new Power();
    tryWith(dry);
    const seen = new Set<string>();
    dry.operations.forEach(({ kind, length }, operation) => {
      for (const torn of tornOf(kind))
        for (const share of [0, 0.5, 1]) {
          tryWith(new Power({ operation, bytes: Math.floor(length * share), torn }));
          bootFrom(door, door.board.image());
          const where = `operation ${operation}, ${torn}, ${share}`;
          const { keysetNumber, heard } = door.lock.authority;
          const isCut = heard.signedAt <= door.now && heard.issuedAt <= door.now;
          assert.ok(keysetNumber === 1 || isCut, where);
          seen.add(`${keysetNumber} ${isCut}`);
          door.hello();
          assert.match(`${takeAway(door)}`, /^(applied|already-applied)$/, where);
          assert.equal(setTime(door, newKey(door)), "applied", where);
          assert.equal(honest(door), "applied", where);
        }
    });
    assert.deepEqual([...seen].sort(), ["1 false", "1 true", "2 true"]);
  });

  it("flash that refuses what was cut back refuses the keyset, which may come again", () => {
    const door = leased();
    POISONS.heartbeat(door);
    const before = heardOf(door);
    const { table } = door.lock.parts;
    const { commitState } = table;
    table.commitState = () => false;
    assert.equal(takeAway(door), "busy");
    assert.deepEqual([door.lock.authority.keysetNumber, ...heardOf(door)], [1, ...before]);
    table.commitState = commitState;
    assert.equal(takeAway(door), "applied");
    assert.equal(honest(door), "applied");
  });
});

describe("P7 an honest change of keys", () => {
  it("programs the keyset's record and no other, and leaves what was heard as it was", () => {
    const door = leased();
    const before = heardOf(door);
    const committed: number[] = [];
    const { table } = door.lock.parts;
    const { commitState } = table;
    table.commitState = (id, value, purpose) => {
      committed.push(id);
      return commitState.call(table, id, value, purpose);
    };
    const { programs } = door.board.credentials.counters;
    assert.equal(door.send(Type.keys, keysOf(door, 2, newKey(door), door.issuer)).result, "applied");
    const first = door.board.credentials.counters.programs - programs;
    assert.equal(door.send(Type.keys, keysOf(door, 3, newKey(door))).result, "applied");
    assert.equal(committed.length, 2);
    assert.equal(committed[0], committed[1]);
    assert.ok(first > 0);
    assert.deepEqual(heardOf(door), before);
    assert.equal(honest(door), "applied");
  });

  it("that comes in the second of a heartbeat, too", () => {
    const door = leased();
    assert.equal(door.beat({ events: 2 }), "applied");
    const before = heardOf(door);
    assert.equal(takeAway(door), "applied");
    assert.deepEqual(heardOf(door), before);
  });
});
