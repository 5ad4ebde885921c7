// The factory reset (rules X11, A64, P3): a physical act, the owner's consent or nobody's objection, and after it a lock that the next owner
// can claim and that obeys nobody until then. Wherever the power is cut, it is the old one's lock or nobody's.

import assert from "node:assert/strict";
import { CONSENT_S } from "../../../firmware/core/reset";
import { EventKind } from "../../../firmware/core/storage/events";
import { claimKeys } from "../../../protocol/crypto/derive";
import type { Delta } from "../../../protocol/issuer/encode";
import {
  signClaim,
  signHeartbeat,
  signingKey,
  signKeyset,
  signRebase,
  signReset,
  signTime,
} from "../../../protocol/issuer/encode";
import { partPrint } from "../../../protocol/issuer/rebase";
import { encode } from "../../../protocol/wire/cborx";
import { genesisHead } from "../../../protocol/wire/chain";
import { Role } from "../../../protocol/wire/entry";
import { partBody, StatusFlag, Type } from "../../../protocol/wire/messages";
import { May } from "../../../protocol/wire/payloads";
import { Mode, packMaster, packResetDelay, Setting } from "../../../protocol/wire/settings";
import type { FlashImage } from "../../../simulator/board/board";
import { POWER_CUT, Power, tornOf } from "../../../simulator/board/power";
import { Dice } from "../../support/dice";
import { Door, L500I, type LOCK_1000 } from "../../support/door";
import { bootBehind, bootFrom, bootWith, eventsIn } from "../../support/door-faults";

const PIN = "4711080";
const ADMIN = "6062255";
const CODE = "482716";
const HOUR_S = 3600;

const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });

/** A door with something of everything that goes with an owner. */
function ownedDoor(profile: typeof LOCK_1000 = L500I): Door {
  const door = new Door({ profile });
  const results = door.apply(
    { op: "put-schedule", id: 1, windows: [{ days: 127, start: 0, duration: 1440 }] },
    set(Setting.mode, Uint8Array.of(Mode.tour)),
    set(Setting.master, packMaster({ digits: 6, tag: door.pin(0, "902104").tag })),
    door.pin(1, PIN, { uses: 9, schedule: 1 }),
    door.pin(2, ADMIN, { role: Role.admin }),
  );
  assert.ok(results.every((result) => result === "applied"));
  assert.match(door.keys(`**${ADMIN}#1#${CODE}#${CODE}#`), /granted$/);
  door.lock.tick();
  assert.equal(door.type(PIN), "granted");
  door.type("111222");
  door.pass(3);
  return door;
}

/** A consent in answer to the nonce that the session has now. */
const consentOf = (door: Door, claim = 1, lock = door.identity.lock, key = door.owner): Uint8Array =>
  signReset(door.crypto, key, { lock, claim, nonce: door.session.nonce.slice() });

/** Sends the owner's consent. */
function consent(door: Door): void {
  door.hello();
  assert.equal(door.send(Type.reset, consentOf(door)).result, "applied");
}

/** What the lock is, as anybody sees it. */
function isBare(door: Door): boolean {
  const { parts, authority, secrets } = door.lock;
  const { table, locals, policy } = parts;
  return (
    !authority.claimed &&
    authority.derived === undefined &&
    table.index.used + table.schedules + locals.count === 0 &&
    table.places.settings.every((place) => place === 0) &&
    policy.master.digits === 0 &&
    policy.mode === Mode.normal &&
    secrets.alias === undefined &&
    door.lock.doorway.lockout.count === 0
  );
}

/** Claims the lock for another owner, and proves that it works and has nothing of the old. */
function claimAnew(door: Door): void {
  const { crypto, identity } = door;
  const owner = signingKey(crypto, new Dice(77).bytes(32));
  const ticket = { lock: identity.lock, number: 2, owner: owner.publicKey, site: "next" };
  const status = door.hello();
  assert.equal((status.flags & StatusFlag.unclaimed) !== 0, true);
  assert.equal(status.epoch, 0);
  assert.equal(status.keyset, 0);
  const old = signClaim(crypto, door.maker, { ...ticket, number: 1, owner: door.owner.publicKey });
  assert.equal(door.send(Type.claim, old).result, "replayed", "the old owner's ticket is no more");
  door.expectDone(door.send(Type.claim, signClaim(crypto, door.maker, ticket)));
  const { kid, publicKey } = door.issuer;
  const keys = [{ kid, publicKey, may: May.bundle | May.time }];
  const stale = { lock: identity.lock, number: 1, keys, claim: 1 };
  assert.equal(door.send(Type.keys, signKeyset(crypto, owner, stale)).result, "replayed");
  const keyset = { ...stale, claim: 2 };
  door.expectDone(door.send(Type.keys, signKeyset(crypto, owner, keyset)));
  door.setTime();
  const { epoch } = door.lock.authority;
  assert.equal(epoch, 2);
  Object.assign(door, {
    epoch,
    seq: 0,
    head: genesisHead(crypto, identity.lock, epoch),
    pinKey: claimKeys(crypto, identity.deviceSecret, 2).pinKey,
  });
  assert.equal(door.type(PIN), "unknown");
  assert.deepEqual(door.receipt().digest, new Uint8Array(32));
  assert.deepEqual(door.apply(door.pin(0, PIN)), ["applied"]);
  assert.equal(door.type(PIN), "granted");
}

describe("X11 the owner's consent to a reset", () => {
  it("is asked for in this order", () => {
    const door = ownedDoor();
    const { crypto, issuer, owner } = door;
    const { lock } = door.identity;
    const say = (body: Uint8Array): string | undefined => door.send(Type.reset, body).result;
    const nonce = new Uint8Array(8);
    door.hello();
    assert.equal(say(Uint8Array.of(0xa0)), "malformed");
    assert.equal(say(signReset(crypto, issuer, { lock: nonce, claim: 9, nonce })), "wrong-lock");
    assert.equal(say(signReset(crypto, issuer, { lock, claim: 9, nonce })), "replayed");
    assert.equal(say(consentOf(door, 9, lock, issuer)), "bad-signature");
    door.now += 30;
    const old = signReset(crypto, owner, { lock, claim: 1, nonce: door.session.nonce.slice() });
    assert.equal(say(consentOf(door, 2)), "replayed");
    assert.equal(say(old), "replayed", "the nonce is used up");
    assert.equal(door.lock.pressReset(), "refused");
    door.hello();
    assert.equal(say(consentOf(door)), "applied");
    const fresh = new Door({ unclaimed: true });
    fresh.hello();
    assert.equal(fresh.send(Type.reset, consentOf(fresh)).result, "unclaimed");
  });

  it("answers the nonce of its session, once and within 30 s, and no time answers the same one", () => {
    const door = ownedDoor();
    const say = (body: Uint8Array): string | undefined => door.send(Type.reset, body).result;
    const consented = (): boolean => {
      const image = door.board.image();
      const pressed = door.lock.pressReset();
      bootFrom(door, image);
      return pressed === "reset";
    };
    door.hello();
    const late = consentOf(door);
    door.now += 31;
    assert.equal(say(late), "timeout");
    assert.equal(consented(), false);
    door.hello();
    const good = consentOf(door);
    door.now += 30;
    assert.equal(say(good), "applied");
    assert.equal(say(good), "replayed");
    assert.equal(consented(), true);
    door.setTime();
    assert.equal(say(consentOf(door)), "replayed", "the time has used the nonce up");
    door.hello();
    const { crypto, issuer, identity } = door;
    const nonce = door.session.nonce.slice();
    const time = { lock: identity.lock, nonce, time: Math.floor(door.now), timeEpoch: 0 };
    assert.equal(say(consentOf(door)), "applied");
    assert.equal(door.send(Type.time, signTime(crypto, issuer, time)).result, "replayed");
    assert.equal(consented(), true);
  });

  it("is refused as replayed where an old one comes in a new session, and a press then does nothing", () => {
    const door = ownedDoor();
    door.hello();
    const kept = consentOf(door);
    assert.equal(door.send(Type.reset, kept).result, "applied");
    door.now += CONSENT_S + 1;
    for (const begin of [() => {}, () => door.reboot(), () => door.lock.close(door.session)]) {
      begin();
      door.session = door.lock.open();
      door.hello();
      assert.equal(door.send(Type.reset, kept).result, "replayed");
      assert.equal(door.lock.pressReset(), "refused");
      door.pass(5);
      assert.equal(door.lock.authority.claimed, true);
      assert.equal(door.type(ADMIN), "granted");
    }
  });

  it(`is good for ${CONSENT_S} s of uptime, and no boot`, () => {
    for (const [wait, pressed] of [
      [CONSENT_S, "reset"],
      [CONSENT_S + 1, "refused"],
    ] as const) {
      const door = ownedDoor();
      consent(door);
      door.now += wait;
      assert.equal(door.lock.pressReset(), pressed, `${wait}`);
    }
    const door = ownedDoor();
    consent(door);
    door.reboot();
    assert.equal(door.lock.pressReset(), "refused");
    assert.equal(door.type(ADMIN), "granted");
  });

  it("does nothing by itself", () => {
    const door = ownedDoor();
    consent(door);
    door.pass(CONSENT_S + 5);
    assert.equal(door.type(PIN), "granted");
  });
});

describe("X11 A64 P3 a reset", () => {
  for (const profile of [L500I, undefined])
    it(`leaves nothing of the owner, and a record in the log; the next one starts afresh (${profile?.name ?? "lock-1000"})`, () => {
      const door = ownedDoor(profile);
      consent(door);
      const { next } = door.lock.parts.events;
      const { floor } = door.lock.parts.clock;
      assert.equal(door.lock.pressReset(), "reset");
      assert.ok(isBare(door));
      for (const typed of [PIN, ADMIN, CODE, "902104"]) assert.equal(door.type(typed), "unknown");
      const record = eventsIn(door).find((event) => event.seq >= next && event.kind === EventKind.reset);
      assert.equal(record?.detail, 1);
      assert.equal(eventsIn(door)[0].seq, 1, "the log stays");
      assert.equal(door.lock.parts.clock.floor, floor);
      door.pass(2);
      door.reboot();
      assert.ok(isBare(door));
      assert.equal(door.lock.parts.clock.floor, floor);
      assert.equal(door.lock.pressReset(), "reset", "without an owner it takes no consent, and does nothing");
      door.pass(2);
      assert.equal(eventsIn(door).filter(({ kind }) => kind === EventKind.reset).length, 1);
      claimAnew(door);
      door.reboot();
      door.setTime();
      assert.equal(door.type(PIN), "granted");
    });

  it("gives nothing back to an old ticket, keyset or consent", () => {
    const door = ownedDoor();
    consent(door);
    door.lock.pressReset();
    claimAnew(door);
    door.hello();
    assert.equal(door.send(Type.reset, consentOf(door)).result, "bad-signature");
    assert.equal(door.lock.pressReset(), "refused");
  });
});

describe("X11 a reset without consent", () => {
  function delayed(hours: number): Door {
    const door = ownedDoor();
    assert.deepEqual(door.apply(set(Setting.resetDelay, packResetDelay(hours))), ["applied"]);
    return door;
  }
  function keysetOf(door: Door, number: number): Uint8Array {
    const { kid, publicKey } = door.issuer;
    const keys = [{ kid, publicKey, may: May.bundle | May.time }];
    return signKeyset(door.crypto, door.owner, { lock: door.identity.lock, number, keys, claim: 1 });
  }
  const beat = (door: Door, acks = 0): Uint8Array =>
    signHeartbeat(door.crypto, door.issuer, {
      lock: door.identity.lock,
      epoch: door.epoch,
      issuedAt: Math.floor(door.now),
      acks,
      events: 1,
    });

  it("is refused where the policy has no delay", () => {
    assert.equal(delayed(0).lock.pressReset(), "refused");
    assert.equal(ownedDoor().lock.pressReset(), "refused");
  });

  it("happens after so many hours of uptime, not a second sooner, and is announced in the log", () => {
    const door = delayed(2);
    assert.equal(door.lock.pressReset(), "waiting");
    assert.equal(door.events().at(-1), "reset-asked");
    door.now += HOUR_S;
    assert.equal(door.lock.pressReset(), "waiting");
    door.now += HOUR_S - 1;
    door.lock.tick();
    assert.equal(door.type(PIN), "granted");
    door.pass(1);
    assert.ok(isBare(door));
    claimAnew(door);
  });

  it("does not happen when the issuer has given a sign of life, or the power was cut", () => {
    const objections: Record<string, (door: Door) => void> = {
      bundle: (door) => door.apply(set(Setting.mode, Uint8Array.of(Mode.normal))),
      heartbeat: (door) => door.expectDone(door.send(Type.heartbeat, beat(door))),
      // It brings the position that there was, and was signed before everything else: only a count sees it.
      rebase: (door) => {
        const part = encode([Uint8Array.of(3, Setting.resetDelay, 0, 1)]);
        const order = {
          lock: door.identity.lock,
          epoch: 2,
          issuedAt: 0,
          base: door.lock.parts.table.applied,
        };
        const prints = [partPrint(door.crypto, part)];
        door.expectDone(door.send(Type.rebase, signRebase(door.crypto, door.owner, order, prints)));
        assert.ok(door.send(Type.part, partBody(1, part)).receipt);
      },
      keyset: (door) => door.expectDone(door.send(Type.keys, keysetOf(door, 2))),
      "power cut": (door) => door.reboot(),
    };
    for (const [name, object] of Object.entries(objections)) {
      const door = delayed(1);
      assert.equal(door.lock.pressReset(), "waiting");
      door.pass(10);
      object(door);
      door.pass(2);
      door.now += HOUR_S;
      door.pass(2);
      assert.equal(door.lock.authority.claimed, true, name);
      assert.equal(door.lock.pressReset(), "waiting", "it can be asked for again");
    }
  });

  it("is not put off by a bundle, a heartbeat or a keyset that comes again", () => {
    const door = ownedDoor();
    const bundle = door.bundle([set(Setting.resetDelay, packResetDelay(1))]);
    const kept = [
      [Type.bundle, bundle],
      [Type.heartbeat, beat(door)],
      [Type.keys, keysetOf(door, 2)],
    ] as const;
    for (const [type, body] of kept) door.send(type, body);
    door.lock.pressReset();
    door.pass(5);
    for (const [type, body] of kept) door.send(type, body);
    door.now += HOUR_S;
    door.lock.tick();
    assert.ok(isBare(door));
  });
});

describe("X11 a reset whose power is cut", () => {
  /** Resets from an image with a cut; POWER_CUT ends it. */
  function resetWith(door: Door, image: FlashImage, power: Power): void {
    bootFrom(door, image);
    bootBehind(door, { power });
    try {
      consent(door);
      const pressed = door.lock.pressReset();
      assert.ok(pressed === "reset" || !power.isOn);
      door.lock.tick();
      door.lock.tick();
    } catch (error) {
      if (error !== POWER_CUT) throw error;
    }
  }

  it("anywhere, is not done at all, or is finished after the boot: nobody opens, nobody commands, the next owner claims", () => {
    const door = ownedDoor();
    const image = door.board.image();
    const dry = new Power();
    resetWith(door, image, dry);
    assert.ok(dry.operations.length >= 4, `${dry.operations.length} operations`);
    let kept = 0;
    let gone = 0;
    dry.operations.forEach(({ kind, length }, operation) => {
      for (const torn of tornOf(kind))
        for (const share of [0, 0.5, 1]) {
          const power = new Power({ operation, bytes: Math.floor(length * share), torn });
          resetWith(door, image, power);
          bootFrom(door, door.board.image());
          const where = `operation ${operation}, ${torn}, ${share}`;
          if (door.lock.authority.claimed) {
            kept++;
            assert.equal(door.type(ADMIN), "granted", where);
            continue;
          }
          gone++;
          for (const typed of [PIN, ADMIN, CODE, "902104"]) assert.equal(door.type(typed), "unknown", where);
          for (let tick = 0; tick < 3; tick++) door.lock.tick();
          assert.ok(isBare(door), where);
          assert.ok(
            eventsIn(door).some((event) => event.kind === EventKind.reset),
            where,
          );
          claimAnew(door);
        }
    });
    assert.ok(kept > 0 && gone > 0, `${kept} kept, ${gone} gone`);
  });

  it("is refused while the flash takes nothing, and changes nothing", () => {
    const door = ownedDoor();
    const image = door.board.image();
    const { write } = door.board.credentials;
    bootWith(door, {});
    consent(door);
    Object.assign(door.board.credentials, {
      write: () => {
        throw new Error("no");
      },
    });
    assert.equal(door.lock.pressReset(), "refused");
    assert.equal(door.lock.authority.claimed, true);
    Object.assign(door.board.credentials, { write });
    bootFrom(door, image);
    assert.equal(door.type(ADMIN), "granted");
  });
});
