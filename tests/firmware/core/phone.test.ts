// Phones at the door (rules S8, X2, X6, C7): a nonce of a few seconds, a signature of the phone's own key, and then the very decision that
// everybody else meets.

import assert from "node:assert/strict";
import { IDENTIFY_S } from "../../../firmware/core/phone";
import { EventKind, Method } from "../../../firmware/core/storage/events";
import { signingKey } from "../../../protocol/issuer/encode";
import { equal } from "../../../protocol/wire/bytes";
import { Flag, Kind, Role } from "../../../protocol/wire/entry";
import { MAX_CHALLENGE_AGE_S } from "../../../protocol/wire/limits";
import { emptyBody, Type } from "../../../protocol/wire/messages";
import { CommandOp } from "../../../protocol/wire/payloads";
import { Mode, Setting } from "../../../protocol/wire/settings";
import { Dice } from "../../support/dice";
import { Door, L500I, MONDAY } from "../../support/door";
import { eventsIn } from "../../support/door-faults";
import { Phone } from "../../support/phone";

const WRONG = ["111222", "111333", "111444", "111555", "111666"];

/** A door that one phone opens. */
function doorOf(more = {}): { door: Door; phone: Phone } {
  const door = new Door();
  const phone = new Phone(door);
  assert.deepEqual(door.apply(phone.put(3, more)), ["applied"]);
  return { door, phone };
}

describe("X6 a phone's unlock", () => {
  it("opens, is shown and is logged like a card", () => {
    const { door, phone } = doorOf();
    assert.equal(phone.unlock(), "applied");
    assert.equal(door.board.bolt.drawn, true);
    assert.equal(door.board.feedback.grants, 1);
    const last = eventsIn(door).at(-1);
    assert.deepEqual(
      [last?.kind, last?.method, last?.credential, last?.user],
      [EventKind.granted, Method.phone, Kind.phone, 1003],
    );
  });

  it("needs a nonce of this very session", () => {
    const { door, phone } = doorOf();
    door.hello();
    const other = door.lock.open();
    const nonce = phone.nonce();
    door.session = other;
    door.hello();
    assert.equal(phone.say(Type.unlock, phone.unlockBody(nonce)), "replayed");
    assert.equal(phone.say(Type.unlock, phone.unlockBody(new Uint8Array(8))), "replayed");
    assert.equal(door.board.bolt.drawn, false);
  });

  it("takes the last nonce only, and each once, whatever the door says", () => {
    const { door, phone } = doorOf();
    const first = phone.nonce();
    const second = phone.nonce();
    assert.equal(phone.say(Type.unlock, phone.unlockBody(first)), "replayed");
    assert.equal(phone.say(Type.unlock, phone.unlockBody(second)), "applied");
    assert.equal(phone.say(Type.unlock, phone.unlockBody(second)), "replayed");
    door.apply({ op: "disable", slot: 3, generation: 1 });
    const third = phone.nonce();
    assert.equal(phone.say(Type.unlock, phone.unlockBody(third)), "not-allowed disabled");
    assert.equal(phone.say(Type.unlock, phone.unlockBody(third)), "replayed");
  });

  it("gives another nonce each time", () => {
    const { phone } = doorOf();
    assert.equal(equal(phone.nonce(), phone.nonce()), false);
  });

  it(`is good for ${MAX_CHALLENGE_AGE_S} s by the monotonic clock, with no idea of the time`, () => {
    for (const [late, answer] of [
      [0, "applied"],
      [0.25, "timeout"],
    ] as const) {
      const { door, phone } = doorOf();
      door.reboot();
      const nonce = phone.nonce();
      door.now += MAX_CHALLENGE_AGE_S + late;
      assert.equal(phone.say(Type.unlock, phone.unlockBody(nonce)), answer);
    }
  });

  it("opens for no key that is in no slot", () => {
    const { door } = doorOf();
    const stranger = new Phone(door, 101);
    const before = door.events().length;
    assert.equal(stranger.unlock(), "unknown-key");
    assert.equal(door.events().length, before, "nobody fills the log without a credential");
  });

  it("opens for no signature but that of its own key, and a bad one does not use the nonce up", () => {
    const { door, phone } = doorOf();
    const other = signingKey(door.crypto, new Dice(7).bytes(32));
    const nonce = phone.nonce();
    const forged = new Phone(door);
    Object.assign(forged, { key: { ...phone.key, seed: other.seed } });
    assert.equal(phone.say(Type.unlock, forged.unlockBody(nonce)), "bad-signature");
    const command = phone.commandBody(nonce, CommandOp.lock);
    assert.equal(phone.say(Type.unlock, command), "malformed");
    assert.equal(phone.say(Type.command, phone.unlockBody(nonce)), "malformed");
    assert.equal(phone.say(Type.unlock, phone.unlockBody(nonce)), "applied");
  });

  it("of another lock is none of its business, and nobody opens without an owner", () => {
    const { door, phone } = doorOf();
    const nonce = phone.nonce();
    phone.lock = new Uint8Array(8);
    assert.equal(phone.say(Type.unlock, phone.unlockBody(nonce)), "wrong-lock");
    const fresh = new Door({ unclaimed: true });
    assert.equal(new Phone(fresh).unlock(), "unclaimed");
    assert.equal(door.board.bolt.drawn, false);
  });

  it("meets the decision that everybody meets: terms, uses, two people, duress", () => {
    const { door, phone } = doorOf({ uses: 1, end: MONDAY + 3600 });
    assert.equal(phone.unlock(), "applied");
    assert.equal(phone.unlock(), "not-allowed used-up");
    door.now += 3600;
    assert.equal(phone.unlock(), "not-allowed expired");
    const two = new Phone(door, 102);
    const three = new Phone(door, 103);
    door.apply(two.put(4, { flags: Flag.dual }), three.put(5, { flags: Flag.dual | Flag.duress }));
    assert.equal(two.unlock(), "not-allowed needs-second");
    assert.equal(three.unlock(), "applied");
    assert.equal(door.events().at(-1), "duress");
  });
});

describe("S8 a phone that brings mail", () => {
  it("opens at the first tap of a new resident, in one session: time, deltas, commit, decision", () => {
    const door = new Door();
    const phone = new Phone(door);
    door.reboot();
    door.setTime();
    assert.equal(phone.unlock(), "unknown-key");
    assert.deepEqual(door.apply(phone.put(1, { start: MONDAY - 60, end: MONDAY + 3600, role: Role.guest })), [
      "applied",
    ]);
    assert.equal(phone.unlock(), "applied");
  });

  it("is refused when it has just brought its own revocation", () => {
    const { door, phone } = doorOf();
    const nonce = phone.nonce();
    assert.deepEqual(door.apply({ op: "revoke", user: 1003 }), ["applied"]);
    assert.equal(phone.say(Type.unlock, phone.unlockBody(nonce)), "unknown-key");
    assert.equal(door.board.bolt.drawn, false);
  });
});

describe("X2 the lockout of the keypad", () => {
  function lockedOut(role: number): { door: Door; phone: Phone } {
    const { door, phone } = doorOf({ role });
    assert.deepEqual(door.apply(door.pin(1, "4711080")), ["applied"]);
    for (const pin of WRONG) assert.equal(door.type(pin), "unknown");
    assert.equal(door.type("4711080"), "locked-out");
    return { door, phone };
  }

  it("does not hold a phone, and stays for a resident's", () => {
    const { door, phone } = lockedOut(Role.resident);
    assert.equal(phone.unlock(), "applied");
    assert.equal(door.type("4711080"), "locked-out");
  });

  it("is over when an administrator's phone opens, and stays so over a reboot", () => {
    const { door, phone } = lockedOut(Role.admin);
    assert.equal(phone.unlock(), "applied");
    assert.equal(door.type("4711080"), "granted");
    const again = lockedOut(Role.admin);
    again.phone.unlock();
    again.door.lock.tick();
    again.door.reboot();
    assert.equal(again.door.type("4711080"), "granted");
  });

  it("stays when an administrator's phone is refused, or only commands", () => {
    const { door, phone } = lockedOut(Role.admin);
    assert.equal(phone.command(CommandOp.lock), "applied");
    assert.equal(door.type("4711080"), "locked-out");
    door.apply({ op: "disable", slot: 3, generation: 1 });
    assert.equal(phone.unlock(), "not-allowed disabled");
    assert.equal(door.type("4711080"), "locked-out");
  });

  it("does not count what phones do wrong", () => {
    const { door } = lockedOut(Role.admin);
    const stranger = new Phone(door, 104);
    for (let i = 0; i < 9; i++) assert.equal(stranger.unlock(), "unknown-key");
    assert.equal(door.lock.doorway.lockout.count, WRONG.length);
  });
});

describe("an identify", () => {
  it(`shows which lock it is, once in ${IDENTIFY_S} s, whoever asks`, () => {
    const door = new Door({ profile: L500I, unclaimed: true });
    const phone = new Phone(door);
    door.hello();
    const seen: string[] = [];
    for (const wait of [0, IDENTIFY_S - 0.25, 0.25, 0]) {
      door.now += wait;
      seen.push(phone.say(Type.identify, emptyBody()));
    }
    assert.deepEqual(seen, ["applied", "rate-limited", "applied", "rate-limited"]);
    assert.equal(door.board.feedback.identifications, 2);
    assert.equal(door.board.bolt.drawn, false);
  });

  it("says so too where a board has nothing to show it with", () => {
    const door = new Door();
    Object.assign(door.board.feedback, { identify: undefined });
    door.hello();
    assert.equal(new Phone(door).say(Type.identify, emptyBody()), "applied");
  });
});

describe("A60 the mode", () => {
  it("binds phones as it binds everybody", () => {
    const { door, phone } = doorOf({ role: Role.prospect });
    assert.deepEqual(door.apply({ op: "set", setting: Setting.mode, value: Uint8Array.of(Mode.resident) }), [
      "applied",
    ]);
    assert.equal(phone.unlock(), "not-allowed wrong-mode");
  });
});
