// The gate before verifications: bad signatures slow down whoever sends them, never an honest sender for long, and strangers do not hold
// the radio.

import assert from "node:assert/strict";
import {
  BUCKET_UNITS,
  Bucket,
  Gate,
  MAX_WAITING,
  REFILL_S,
  RESERVED_S,
  VERIFY_UNITS,
} from "../../../firmware/core/gate";
import { MAX_RADIO_SESSIONS, type Session, STRANGER_S } from "../../../firmware/core/session";
import { Type } from "../../../protocol/wire/messages";
import { Door } from "../../support/door";

/** Bad signatures that a full bucket takes at once, and the seconds after which it takes another. */
const TURNS = BUCKET_UNITS / VERIFY_UNITS;
const TURN_S = VERIFY_UNITS * REFILL_S;

/** The next bundle of an issuer, with a byte of its signature changed. */
function forged(door: Door): Uint8Array {
  const { seq, head } = door;
  const bytes = door.bundle([door.pin(3, "471100")]);
  Object.assign(door, { seq, head });
  bytes[bytes.length - 1] ^= 1;
  return bytes;
}

/** Sends a forged bundle over a session of its own, or this one. */
function forge(door: Door, session: Session = door.lock.open()): string | undefined {
  door.session = session;
  if (!session.greeted) door.hello();
  return door.send(Type.bundle, forged(door)).result;
}

/** Empties the bucket of mail by sessions that nobody needs. */
function flood(door: Door): void {
  const own = door.session;
  for (let i = 0; i < TURNS; i++) assert.equal(forge(door), "bad-signature");
  door.session = own;
}

describe("X5 bad signatures", () => {
  it("are verified six times at once, and the seventh is rate-limited", () => {
    const door = new Door();
    flood(door);
    assert.equal(forge(door), "rate-limited");
  });

  it("get another turn every two seconds of uptime, and not before", () => {
    const door = new Door();
    const own = door.session;
    flood(door);
    assert.equal(forge(door, own), "rate-limited");
    door.now += TURN_S - 0.125;
    assert.equal(forge(door, own), "rate-limited");
    door.now += 0.125;
    assert.equal(forge(door, own), "bad-signature");
    assert.equal(forge(door, own), "rate-limited");
  });

  it("never come to more than six again, however long nothing came", () => {
    const door = new Door();
    flood(door);
    door.now += 1000;
    flood(door);
    assert.equal(forge(door), "rate-limited");
  });

  it("do not count where the signature is good and brings something new", () => {
    const door = new Door();
    for (let i = 0; i < 5 * TURNS; i++) assert.deepEqual(door.apply(door.pin(i, `47110${i}`)), ["applied"]);
  });

  it("of mail keep no time answer waiting", () => {
    const door = new Door();
    flood(door);
    assert.equal(door.setTime().result, "applied");
  });

  it("that were not looked at are looked at when the same bytes come again", () => {
    const door = new Door();
    flood(door);
    assert.equal(door.beat(), "rate-limited");
    door.now += TURN_S;
    assert.equal(door.beat(), "applied");
  });
});

describe("X5 a session", () => {
  it("is over with its third bad signature, and answers idle to everything", () => {
    const door = new Door();
    assert.equal(forge(door, door.session), "bad-signature");
    assert.equal(forge(door, door.session), "bad-signature");
    assert.equal(door.session.closed, false);
    assert.equal(forge(door, door.session), "bad-signature");
    assert.equal(door.session.closed, true);
    assert.equal(door.beat(), "idle");
    assert.equal(door.sendMessage(Uint8Array.of(1, 2, 3)).result, "idle");
    assert.equal(door.sendMessage(new Uint8Array(2065)).result, "idle");
    assert.throws(() => door.hello());
  });

  it("that is over leaves the lock to others", () => {
    const door = new Door();
    for (let i = 0; i < 3; i++) forge(door, door.session);
    door.session = door.lock.open();
    assert.equal(door.beat(), "applied");
  });
});

describe("X13 fairness of the gate", () => {
  const sessionOf = (): Session => new Door({ unclaimed: true }).lock.open();
  const sessions = Array.from({ length: MAX_WAITING + 2 }, sessionOf);
  const [first, second] = sessions;

  /** Somebody tries a bad signature; whether it was looked at. */
  function tries(gate: Gate, session: Session, now: number): boolean {
    const isInside = gate.enter(session, Bucket.mail, now);
    gate.settle(false, now);
    return isInside;
  }

  /** A gate whose bucket is empty at second 0, where the sessions named wait in this order. */
  function empty(...waiting: Session[]): Gate {
    const gate = new Gate();
    const spender = sessionOf();
    for (let i = 0; i < TURNS; i++) assert.ok(tries(gate, spender, 0));
    for (const session of waiting) assert.equal(tries(gate, session, 0), false);
    return gate;
  }

  it("keeps the next turn for the session that waits longest", () => {
    const gate = empty(first, second);
    assert.equal(tries(gate, second, TURN_S), false);
    assert.equal(tries(gate, sessionOf(), TURN_S), false);
    assert.equal(tries(gate, first, TURN_S), true);
    assert.equal(tries(gate, sessionOf(), 2 * TURN_S), false);
    assert.equal(tries(gate, second, 2 * TURN_S), true);
  });

  it("keeps it for three seconds at most", () => {
    const late = TURN_S + RESERVED_S;
    assert.equal(tries(empty(first), second, late - 0.01), true, "a second turn has come");
    const gate = empty(first, sessionOf());
    assert.equal(tries(gate, second, late - 0.01), false);
    assert.equal(tries(gate, second, late), true, "one place further, and two turns have come");
  });

  it("keeps it no longer where others take the turns behind it", () => {
    const gate = empty(sessionOf());
    assert.equal(tries(gate, first, 2 * TURN_S), true, "one turn is left, for whoever does not come");
    assert.equal(tries(gate, second, TURN_S + RESERVED_S - 0.01), false);
    assert.equal(tries(gate, second, TURN_S + RESERVED_S), true);
  });

  it("passes over all who do not come, one after the other", () => {
    const gate = empty(...sessions.slice(0, MAX_WAITING));
    for (let i = 0; i < TURNS; i++) assert.equal(tries(gate, second, 1000), true, `turn ${i}`);
    assert.equal(tries(gate, second, 1000), false);
  });

  it("gives four sessions a place, and the fifth none", () => {
    const gate = empty(...sessions.slice(0, MAX_WAITING + 1));
    for (let i = 0; i < MAX_WAITING; i++)
      assert.equal(tries(gate, sessions[i], (i + 1) * TURN_S), true, `session ${i}`);
    const again = empty(...sessions.slice(0, MAX_WAITING + 1));
    assert.equal(tries(again, sessions[MAX_WAITING], TURN_S), false);
  });

  it("keeps nothing for a session that is over", () => {
    const gone = sessionOf();
    const gate = empty(gone);
    gone.closed = true;
    assert.equal(tries(gate, second, TURN_S), true);
  });

  it("lets an honest sender through a flood with the second try", () => {
    const door = new Door();
    const honest = door.session;
    flood(door);
    assert.equal(door.beat(), "rate-limited");
    for (let i = 0; i < 5; i++) assert.equal(forge(door), "rate-limited");
    door.now += TURN_S;
    assert.equal(forge(door), "rate-limited");
    door.session = honest;
    assert.equal(door.beat(), "applied");
  });
});

describe("X13 the radio", () => {
  it("has three sessions at a time, and a fourth when one is gone", () => {
    const { lock } = new Door();
    const open = Array.from({ length: MAX_RADIO_SESSIONS }, () => lock.open("radio"));
    assert.ok(open.every((session) => session !== undefined));
    assert.equal(lock.open("radio"), undefined);
    assert.ok(lock.open("network"));
    lock.close(open[1]!);
    assert.ok(lock.open("radio"));
    assert.equal(lock.open("radio"), undefined);
  });

  it("is closed to a stranger after eight seconds, by a tick", () => {
    const door = new Door();
    const stranger = door.lock.open("radio")!;
    door.session = stranger;
    door.hello();
    door.now += STRANGER_S - 0.1;
    door.lock.tick();
    assert.equal(stranger.closed, false);
    door.now += 0.1;
    door.lock.tick();
    assert.equal(stranger.closed, true);
    assert.throws(() => door.hello());
  });

  it("stays open for whoever brought a good signature, and networks for all", () => {
    const door = new Door();
    const network = door.lock.open();
    door.session = door.lock.open("radio")!;
    assert.equal(door.beat(), "applied");
    door.now += 1000;
    door.lock.tick();
    assert.equal(door.session.closed, false);
    assert.equal(network.closed, false);
  });
});
