// Why a door stayed shut (rules I2, L11): the last refusals, told to a phone with the capability and to nobody else, and nothing of who was
// refused. What is told is judged by the whole log, as a fresh mount reads it.

import assert from "node:assert/strict";
import { Lock } from "../../../firmware/core/lock";
import { L500I } from "../../../firmware/core/profile";
import { EventKind, emptyEvent, type LockEvent, Method } from "../../../firmware/core/storage/events";
import { claimKeys } from "../../../protocol/crypto/derive";
import { signClaim, signKeyset, signReset } from "../../../protocol/issuer/encode";
import { genesisHead } from "../../../protocol/wire/chain";
import { Reason, reasonName } from "../../../protocol/wire/codes";
import { ALL_CAPABILITIES, Capability, Role } from "../../../protocol/wire/entry";
import { MAX_MESSAGE_BYTES, MAX_REFUSALS } from "../../../protocol/wire/limits";
import { frame, Type } from "../../../protocol/wire/messages";
import { CommandOp, May } from "../../../protocol/wire/payloads";
import { Trust } from "../../../protocol/wire/receipt";
import type { Refusal } from "../../../protocol/wire/refusals";
import { FaultyNor } from "../../../simulator/board/faulty-nor";
import { SECTOR_BYTES } from "../../../simulator/board/nor";
import { Dice, SEED } from "../../support/dice";
import { Door, LOCK_1000, MONDAY } from "../../support/door";
import { bootFrom, bootWith, eventsIn, placesOf } from "../../support/door-faults";
import { Phone } from "../../support/phone";

const ENTRY = 32;
const GUEST_PIN = "482913";

/** A door whose installer may read the log, and may nothing else. */
function doorOf(more = {}, profile = L500I): { door: Door; phone: Phone } {
  const door = new Door({ profile });
  const phone = new Phone(door);
  assert.deepEqual(door.apply(phone.put(9, { capabilities: Capability.readLog, ...more })), ["applied"]);
  return { door, phone };
}

/** What a log of these events has to tell, as the rule says: of no event before `first`. */
function expected(events: readonly LockEvent[], first = 1): Refusal[] {
  const refusals: Refusal[] = [];
  for (const [place, event] of events.entries()) {
    const { kind, method, trust, time, boot } = event;
    if ((kind !== EventKind.refused && kind !== EventKind.suppressed) || event.seq < first) continue;
    const set = events.slice(place).find((later) => later.kind === EventKind.clockSet && later.boot === boot);
    const dated = trust === Trust.unknown && set !== undefined ? set.time - (set.user - time) : 0;
    const isOne = kind === EventKind.refused;
    const reason = isOne ? event.reason : Reason.lockedOut;
    refusals.push({ method, reason, count: isOne ? 1 : event.detail, trust, time, boot, dated });
  }
  return refusals.reverse().slice(0, MAX_REFUSALS);
}

const reasons = (refusals: readonly Refusal[]): string[] => refusals.map(({ reason }) => reasonName(reason));

/** Writes events that happened at no door into the log, with the housekeeping that they need. */
function fill(door: Door, count: number, more: Partial<LockEvent> = {}): void {
  const { events } = door.lock.parts;
  for (let i = 0; i < count; i++) {
    if (!events.hasRoom) events.maintain();
    assert.ok(events.append({ ...emptyEvent(), kind: EventKind.synced, trust: Trust.set, ...more }));
    events.maintain();
  }
}

describe("I2 why a door stayed shut", () => {
  it("is told newest first, with reason, method and time", () => {
    const { door, phone } = doorOf();
    const card = Uint8Array.of(4, 0xa1, 0xb2, 0xc3);
    door.apply(door.pin(1, GUEST_PIN, { start: MONDAY + 3600, end: MONDAY + 7200, role: Role.guest }));
    door.type("12");
    door.now += 10;
    door.type(GUEST_PIN);
    door.now += 10;
    door.lock.presentCard(card);
    const told = phone.refusals();
    assert.deepEqual(reasons(told), ["bad-entry", "not-yet-valid", "bad-entry"]);
    assert.deepEqual(
      told.map(({ method, time }) => [method, time]),
      [
        [Method.card, MONDAY + 20],
        [Method.keypad, MONDAY + 10],
        [Method.keypad, MONDAY],
      ],
    );
    assert.deepEqual(told, expected(eventsIn(door)));
  });

  it(`is told of the last ${MAX_REFUSALS}, and of no more`, () => {
    const { door, phone } = doorOf();
    for (let i = 1; i <= MAX_REFUSALS + 2; i++) {
      door.now += 60;
      door.type("1");
      const told = phone.refusals();
      assert.equal(told.length, Math.min(i, MAX_REFUSALS));
      assert.equal(told[0].time, door.now);
      assert.deepEqual(told, expected(eventsIn(door)));
    }
  });

  it("counts what a wait kept out of the log", () => {
    const { door, phone } = doorOf();
    for (let i = 0; i < 5; i++) door.type(`11122${i}`);
    for (let i = 0; i < 7; i++) assert.equal(door.type("111333"), "locked-out");
    door.pass(61);
    door.type("111333");
    const told = phone.refusals();
    assert.deepEqual(reasons(told).slice(0, 4), ["unknown", "locked-out", "locked-out", "unknown"]);
    assert.deepEqual(
      told.slice(0, 3).map(({ count }) => count),
      [1, 6, 1],
    );
    assert.deepEqual(told, expected(eventsIn(door)));
  });

  it("L11 is told of what a lock without a clock did, by its boot and the seconds since", () => {
    const { door, phone } = doorOf();
    door.type("1");
    door.reboot();
    door.lock.tick();
    door.now += 340;
    door.type("1");
    const [without, before] = phone.refusals();
    assert.deepEqual([without.trust, without.boot, without.time, without.dated], [Trust.unknown, 2, 340, 0]);
    assert.deepEqual([before.trust, before.boot, before.time], [Trust.set, 1, MONDAY]);
  });

  it("L11 is dated by the first clock that was set after it, and by none of another boot", () => {
    const { door, phone } = doorOf();
    door.reboot();
    door.now += 100;
    door.type("1");
    door.reboot();
    door.now += 200;
    door.type("1");
    door.now += 50;
    door.setTime();
    door.now += 3600;
    door.setTime();
    door.type("1");
    const told = phone.refusals();
    assert.deepEqual(
      told.map(({ dated, trust }) => [dated, trust]),
      [
        [0, Trust.set],
        [MONDAY + 300, Trust.unknown],
        [0, Trust.unknown],
      ],
    );
    assert.deepEqual(told, expected(eventsIn(door)));
  });

  it("says nothing of who was there: two people and their PINs leave the same bytes", () => {
    const answers = [
      [GUEST_PIN, 0x7a7b7c7d],
      ["90210477", 0x5a5b5c5d],
    ].map(([digits, user]) => {
      const { door, phone } = doorOf();
      const terms = { user: Number(user), start: MONDAY + 60, end: MONDAY + 90, role: Role.guest };
      const slot = digits === GUEST_PIN ? 1 : 7;
      assert.deepEqual(door.apply(door.pin(slot, String(digits), terms)), ["installed"]);
      assert.equal(door.type(String(digits)), "not-yet-valid");
      const body = phone.commandBody(phone.nonce(), CommandOp.refusals);
      return door.lock.receive(door.session, frame(Type.command, 7, body)).slice();
    });
    assert.deepEqual(answers[0], answers[1]);
    for (const secret of [GUEST_PIN, "90210477"])
      assert.deepEqual(placesOf(Buffer.from(secret), answers[0]), []);
    for (const user of ["7a7b7c7d", "5a5b5c5d"])
      assert.deepEqual(placesOf(Buffer.from(user, "hex"), answers[0]), []);
  });

  it("is not told of an earlier owner's door", () => {
    const { door, phone } = doorOf();
    door.type("1");
    const { lock } = door.identity;
    door.hello();
    const consent = signReset(door.crypto, door.owner, { lock, claim: 1, nonce: door.session.nonce.slice() });
    door.expectDone(door.send(Type.reset, consent));
    assert.equal(door.lock.pressReset(), "reset");
    door.pass(3);
    door.type("2");
    claimAgain(door);
    assert.deepEqual(door.apply(phone.put(1, { capabilities: Capability.readLog })), ["applied"]);
    assert.deepEqual(phone.refusals(), []);
    door.type("3");
    const events = eventsIn(door);
    assert.equal(expected(events).length, 3);
    assert.deepEqual(phone.refusals(), expected(events).slice(0, 1));
  });
});

/** The second owner: the same keys, another claim. */
function claimAgain(door: Door): void {
  const { crypto, identity, owner, issuer } = door;
  const { lock } = identity;
  door.hello();
  const ticket = { lock, number: 2, owner: owner.publicKey, site: "test" };
  door.expectDone(door.send(Type.claim, signClaim(crypto, door.maker, ticket)));
  const keys = [{ kid: issuer.kid, publicKey: issuer.publicKey, may: May.bundle | May.time }];
  door.expectDone(door.send(Type.keys, signKeyset(crypto, owner, { lock, number: 1, keys, claim: 2 })));
  const { pinKey } = claimKeys(crypto, identity.deviceSecret, 2);
  Object.assign(door, { pinKey, epoch: 2, seq: 0, head: genesisHead(crypto, lock, 2) });
}

describe("I2 X7 who is told why a door stayed shut", () => {
  const BITS = Array.from({ length: 7 }, (_, n) => 1 << n);

  it("is whoever has read-log, and nobody who has all the others", () => {
    for (const bit of BITS) {
      const { phone } = doorOf({ capabilities: ALL_CAPABILITIES & ~bit });
      const isTold = bit !== Capability.readLog;
      assert.equal(phone.command(CommandOp.refusals), isTold ? "applied" : "key-not-allowed");
    }
  });

  it("is nobody whom the door would not let in, and every question is in the log with who asked", () => {
    const { door, phone } = doorOf({ end: MONDAY + 60 });
    assert.equal(phone.command(CommandOp.refusals), "applied");
    door.now += 60;
    assert.equal(phone.command(CommandOp.refusals), "not-allowed expired");
    const asked = eventsIn(door).slice(-2);
    assert.deepEqual(
      asked.map(({ kind, detail, reason, user }) => [kind, detail & 0xff, reason, user]),
      [
        [EventKind.command, CommandOp.refusals, 0, 1009],
        [EventKind.command, CommandOp.refusals, Reason.expired, 1009],
      ],
    );
  });

  it("needs a fresh nonce each time", () => {
    const { door, phone } = doorOf();
    const body = phone.commandBody(phone.nonce(), CommandOp.refusals);
    assert.equal(phone.say(Type.command, body), "applied");
    assert.equal(phone.say(Type.command, body), "replayed");
    const late = phone.commandBody(phone.nonce(), CommandOp.refusals);
    door.now += 5.25;
    assert.equal(phone.say(Type.command, late), "timeout");
    assert.equal(phone.say(Type.command, phone.commandBody(new Uint8Array(8), 6)), "replayed");
  });

  it("is not told where the log takes no event of it", () => {
    const { door, phone } = doorOf();
    door.type("1");
    const nonce = phone.nonce();
    Object.defineProperty(door.lock.parts.events, "hasRoom", { value: false });
    assert.equal(phone.say(Type.command, phone.commandBody(nonce, CommandOp.refusals)), "busy");
  });

  it("X13 is no stranger to the radio's sessions then", () => {
    const { door, phone } = doorOf();
    const session = door.lock.open("radio");
    assert.ok(session !== undefined);
    door.session = session;
    door.hello();
    assert.equal(session.known, false);
    phone.refusals();
    assert.equal(session.known, true);
  });
});

describe("I2 the log that refusals are told from", () => {
  it("may have gone round its ring", () => {
    const { door, phone } = doorOf();
    for (let i = 0; i < 40; i++) {
      fill(door, 40);
      fill(door, 1, { kind: EventKind.refused, reason: 1 + (i % 15), time: MONDAY + i, method: 1 });
    }
    const events = eventsIn(door);
    assert.ok(events[0].seq > 1, "the oldest events are gone");
    const told = phone.refusals();
    assert.deepEqual(told, expected(eventsIn(door)));
    assert.ok(told.length > 10);
  });

  it("is read in one piece of memory of a sector's size, and no further back than 16 sectors of 80", () => {
    const { door, phone } = doorOf({}, LOCK_1000);
    door.type("1");
    fill(door, 10_000);
    const events = new FaultyNor(door.board.events, {});
    const board = { ...door.board, events };
    door.lock = new Lock(board);
    door.session = door.lock.open();
    door.lock.tick();
    phone.nonce();
    const nonce = phone.nonce();
    const before = events.reads;
    assert.equal(phone.say(Type.command, phone.commandBody(nonce, CommandOp.refusals)), "applied");
    // The event of the command itself is read back.
    assert.ok(events.reads - before <= 18, String(events.reads - before));
    const read: number[] = [];
    door.lock.parts.events.readBack(({ seq }) => read.push(seq) > 0);
    const { next } = door.lock.parts.events;
    assert.equal(read[0], next - 1);
    assert.ok(read.length > 1800 && read.length <= 16 * 127, String(read.length));
    assert.deepEqual(
      read,
      [...read].sort((a, b) => b - a),
    );
    assert.deepEqual(phone.refusals(), []);
  });

  it("may have damaged pages: the others are told", () => {
    const dice = new Dice(SEED + 31);
    for (let round = 0; round < 20; round++) {
      const { door, phone } = doorOf();
      for (let i = 0; i < 200; i++)
        fill(door, 1, dice.chance(0.1) ? { kind: EventKind.refused, reason: 3, time: MONDAY + i } : {});
      const image = door.board.image();
      for (let pages = 1 + dice.below(3); pages > 0; pages--) {
        const page = 1 + dice.below((2 * SECTOR_BYTES) / 256 - 1);
        for (let at = page * 256; at < (page + 1) * 256; at++) image.events[at] &= dice.below(256);
      }
      bootFrom(door, image);
      door.lock.tick();
      const told = phone.refusals();
      const events = eventsIn(door);
      assert.deepEqual(told, expected(events), `SEED=${SEED}, round ${round}`);
      assert.ok(events.length < 210, "something is lost");
    }
  });

  it("may have a sector that cannot be read", () => {
    const { door, phone } = doorOf();
    for (let i = 0; i < 12; i++) fill(door, 30, { kind: EventKind.refused, reason: 3, time: MONDAY + i });
    const known = eventsIn(door).map(({ time }) => time);
    const plan = { sectors: [{ kind: "read-error" as const, sector: 0, from: 2 }] };
    const events = new FaultyNor(door.board.events, plan);
    bootWith(door, { events });
    door.lock.tick();
    const told = phone.refusals();
    assert.ok(told.length > 0 && told.every(({ time }) => known.includes(time)));
  });

  it("has room for the longest list in one message", () => {
    const { door, phone } = doorOf();
    const most = { kind: EventKind.suppressed, method: 15, detail: 0xffffffff, time: 0xffffffff };
    fill(door, 30, most);
    assert.equal(phone.refusals().length, MAX_REFUSALS);
    const body = phone.commandBody(phone.nonce(), CommandOp.refusals);
    const answer = door.lock.receive(door.session, frame(Type.command, 65_535, body));
    assert.ok(answer.length <= MAX_MESSAGE_BYTES && answer.length > 20 * (ENTRY / 2));
  });

  it("is told as the whole log says, over boots, clocks, waits and refusals in any order", () => {
    const dice = new Dice(SEED + 77);
    const { door, phone } = doorOf();
    for (let step = 0; step < 250; step++) {
      door.now += dice.below(400);
      const roll = dice.below(12);
      if (roll === 0) door.reboot();
      else if (roll === 1) door.setTime();
      else if (roll < 4) door.type("1");
      else if (roll < 7) door.type(String(100_000 + dice.below(800_000)));
      else if (roll === 7) phone.unlock();
      else door.pass(1 + dice.below(3));
      if (step % 10 === 9) assert.deepEqual(phone.refusals(), expected(eventsIn(door)), `SEED=${SEED}`);
    }
  });
});
