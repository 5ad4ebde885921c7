// Everything that was ever said to a lock, said again later: by a courier that kept it, by a former owner, by whoever stole a key, and with
// any bit of it flipped. It is refused, or answered as it was the first time, and changes nothing (rules S2, S11, S13, T13, P1, P7, X11).

import assert from "node:assert/strict";
import { Gate } from "../../firmware/core/gate";
import { formatParts } from "../../firmware/core/parts";
import {
  encodeDelta,
  type SigningKey,
  signBundle,
  signClaim,
  signHeartbeat,
  signingKey,
  signKeyset,
  signRebase,
  signReset,
  signTime,
} from "../../protocol/issuer/encode";
import { partPrint } from "../../protocol/issuer/rebase";
import { encode } from "../../protocol/wire/cborx";
import { genesisHead, nextHead } from "../../protocol/wire/chain";
import { Capability } from "../../protocol/wire/entry";
import { frame, partBody, Type } from "../../protocol/wire/messages";
import { CommandOp, May } from "../../protocol/wire/payloads";
import { blankImage, type FlashImage, VirtualBoard } from "../../simulator/board/board";
import { Power } from "../../simulator/board/power";
import { Dice } from "../support/dice";
import { type Answer, Door, L500I, MONDAY } from "../support/door";
import { bootBehind, bootFrom, bootWith } from "../support/door-faults";
import { hex, outcomes, stateOf } from "../support/look";
import { Phone } from "../support/phone";

const PIN = "4711080";
const DAY_S = 86_400;

/** What was said, by name: the type and the body of a message. */
type Said = readonly [type: number, body: Uint8Array];

const textOf = ({ receipt, result, type }: Answer): string => {
  if (result !== undefined) return result;
  if (receipt === undefined) return `type ${type}`;
  return `acks ${outcomes(receipt)
    .map(({ code }) => code)
    .join(" ")}`.trim();
};

const wipe = encodeDelta({ op: "wipe" });

/** A door, everything that was said to it until a rebase and behind it, and its flash then. */
class Past {
  readonly door = new Door({ profile: L500I });
  readonly phone = new Phone(this.door);
  readonly said = new Map<string, Said>();
  readonly image: FlashImage;

  constructor() {
    const { door, phone } = this;
    const { crypto, identity, maker, owner, issuer } = door;
    const { lock } = identity;
    this.#keep(
      "claim",
      Type.claim,
      signClaim(crypto, maker, { lock, number: 1, owner: owner.publicKey, site: "test" }),
    );
    this.#keep("keys", Type.keys, keysOf(door, 1, 1, [issuer]));
    const { nonce } = door.hello();
    const answer = { lock, nonce: nonce.slice(), time: MONDAY, timeEpoch: 0 };
    this.#say("time", Type.time, signTime(crypto, issuer, answer), "applied");
    const capabilities = Capability.setMode;
    const first = door.bundle([door.pin(1, PIN), phone.put(2, { capabilities }), door.pin(3, PIN)]);
    this.#say("old bundle", Type.bundle, first, "acks applied applied duplicate");
    this.#say("old heartbeat", Type.heartbeat, beatOf(door, { acks: 1 }), "applied");
    this.#rebase();
    const second = door.bundle([phone.put(2, { capabilities }), door.pin(1, PIN), door.pin(3, PIN)]);
    this.#say("bundle", Type.bundle, second, "acks applied applied duplicate");
    door.now += 5;
    this.#say("heartbeat", Type.heartbeat, beatOf(door, { acks: 10 }), "applied");
    door.hello();
    this.#say("consent", Type.reset, consentOf(door), "applied");
    this.#say("unlock", Type.unlock, phone.unlockBody(phone.nonce()), "applied");
    this.#say(
      "command",
      Type.command,
      phone.commandBody(phone.nonce(), CommandOp.mode, Uint8Array.of(1)),
      "applied",
    );
    door.lock.tick();
    this.image = door.board.image();
  }

  #rebase(): void {
    const { door } = this;
    const parts = [[Uint8Array.of(3, 2, 0)], [Uint8Array.of(3, 3, 0, 9)]].map((items) => encode(items));
    const order = rebaseOf(door, 2, parts);
    this.#say("order", Type.rebase, order, "applied");
    this.#say("first part", Type.part, partBody(1, parts[0]), "applied");
    this.#say("last part", Type.part, partBody(2, parts[1]), "acks");
    follow(door, 2);
  }

  #keep(name: string, type: number, body: Uint8Array): void {
    this.said.set(name, [type, body]);
  }

  #say(name: string, type: number, body: Uint8Array, wanted: string): void {
    this.#keep(name, type, body);
    assert.equal(textOf(this.door.send(type, body)), wanted, name);
  }

  /** The door as it was then, booted, and with the time. */
  back(): Door {
    const { door } = this;
    door.now = MONDAY + 60;
    follow(door, 2);
    door.seq = 13;
    bootFrom(door, this.image);
    door.head = door.lock.parts.table.head.slice();
    door.expectDone(door.setTime());
    door.lock.tick();
    return door;
  }
}

function keysOf(
  door: Door,
  number: number,
  claim: number,
  keys: SigningKey[],
  owner = door.owner,
): Uint8Array {
  const listed = keys.map(({ kid, publicKey }) => ({ kid, publicKey, may: May.bundle | May.time }));
  return signKeyset(door.crypto, owner, { lock: door.identity.lock, number, keys: listed, claim });
}

function beatOf(door: Door, more: object = {}, key = door.issuer): Uint8Array {
  const usual = {
    lock: door.identity.lock,
    epoch: door.epoch,
    issuedAt: Math.floor(door.now),
    acks: 0,
    events: 1,
  };
  return signHeartbeat(door.crypto, key, { ...usual, ...more });
}

/** The owner's consent to a reset, in answer to the nonce that the session has now. */
function consentOf(door: Door, claim = 1, owner = door.owner): Uint8Array {
  const nonce = door.session.nonce.slice();
  return signReset(door.crypto, owner, { lock: door.identity.lock, claim, nonce });
}

function rebaseOf(door: Door, epoch: number, parts: readonly Uint8Array[]): Uint8Array {
  const head = { lock: door.identity.lock, epoch, issuedAt: MONDAY, base: 10 };
  const prints = parts.map((part) => partPrint(door.crypto, part));
  return signRebase(door.crypto, door.owner, head, prints);
}

/** The issuer goes on behind the base of a new epoch. */
function follow(door: Door, epoch: number, seq = 10): void {
  door.epoch = epoch;
  door.seq = seq;
  door.head = genesisHead(door.crypto, door.identity.lock, epoch);
}

const past = new Past();

// ---- what becomes of a lock later

const stranger = signingKey(past.door.crypto, new Dice(77).bytes(32));

function reset(door: Door): void {
  door.hello();
  door.expectDone(door.send(Type.reset, consentOf(door)));
  assert.equal(door.lock.pressReset(), "reset");
  door.lock.tick();
  door.hello();
}

function claimAgain(door: Door, owner: SigningKey): void {
  reset(door);
  const ticket = { lock: door.identity.lock, number: 2, owner: owner.publicKey, site: "next" };
  door.expectDone(door.send(Type.claim, signClaim(door.crypto, door.maker, ticket)));
  const issuer = owner === door.owner ? door.issuer : stranger;
  door.expectDone(door.send(Type.keys, keysOf(door, 1, 2, [issuer], owner)));
}

/** Another lock of the same maker, owner and issuer, in service. */
function neighbour(): Door {
  const door = new Door({ profile: L500I, unclaimed: true });
  const lock = new Dice(5).bytes(8);
  const identity = { ...door.identity, lock };
  const world = { now: () => door.now };
  const { crypto, random } = door;
  Object.assign(door, { identity });
  door.board = new VirtualBoard({ image: blankImage(identity), crypto, world, random });
  formatParts(door.board);
  bootWith(door, {});
  follow(door, 1, 0);
  door.claim();
  assert.deepEqual(door.apply(door.pin(1, PIN)), ["applied"]);
  return door;
}

const LATER: Readonly<Record<string, () => Door>> = {
  "at once": () => past.back(),
  "after more deltas and a newer heartbeat": () => {
    const door = past.back();
    assert.deepEqual(door.apply(door.pin(4, "90210887"), { op: "drop", slot: 1, generation: 12 }), [
      "applied",
      "applied",
    ]);
    assert.equal(door.beat({ acks: 10 }), "applied");
    return door;
  },
  "while another rebase is under way": () => {
    const door = past.back();
    const parts = [encode([Uint8Array.of(3, 2, 1)]), encode([Uint8Array.of(3, 3, 0, 7)])];
    assert.equal(textOf(door.send(Type.rebase, rebaseOf(door, 3, parts))), "applied");
    assert.equal(textOf(door.send(Type.part, partBody(1, parts[0]))), "applied");
    return door;
  },
  "after another rebase": () => {
    const door = past.back();
    assert.equal(textOf(door.send(Type.rebase, rebaseOf(door, 3, []))), "acks");
    follow(door, 3);
    assert.deepEqual(door.apply(door.pin(1, "90210887")), ["applied"]);
    return door;
  },
  "after a reset": () => {
    const door = past.back();
    reset(door);
    return door;
  },
  "after a new claim by the same owner": () => {
    const door = past.back();
    claimAgain(door, door.owner);
    return door;
  },
  "after a new claim by another owner": () => {
    const door = past.back();
    claimAgain(door, stranger);
    return door;
  },
  "after a keyset that drops the key": () => {
    const door = past.back();
    door.expectDone(door.send(Type.keys, keysOf(door, 2, 1, [stranger])));
    return door;
  },
  "after a day": () => {
    const door = past.back();
    door.now += DAY_S;
    door.lock.tick();
    return door;
  },
  "after a reboot": () => {
    const door = past.back();
    door.reboot();
    door.lock.tick();
    return door;
  },
  "at another lock": neighbour,
};

const ACKS = "acks applied applied duplicate";

/** What is answered, in the order of the messages as they were said first. */
const NAMES = [
  "claim",
  "keys",
  "time",
  "old bundle",
  "old heartbeat",
  "order",
  "first part",
  "last part",
  "bundle",
  "heartbeat",
  "consent",
  "unlock",
  "command",
];
const AS_IT_WAS = [
  "already-applied",
  "already-applied",
  "replayed",
  "stale-epoch",
  "stale-epoch",
  "already-applied",
  "bad-state",
  "bad-state",
  ACKS,
  "already-applied",
  "replayed",
  "replayed",
  "replayed",
];
const butFor = (others: Record<string, string>): string[] =>
  NAMES.map((name, i) => others[name] ?? AS_IT_WAS[i]);
const OTHER_CLAIM = {
  claim: "not-allowed",
  order: "stale-epoch",
  bundle: "stale-epoch",
  heartbeat: "stale-epoch",
};

const WANTED: Readonly<Record<string, readonly string[]>> = {
  "at once": AS_IT_WAS,
  "after more deltas and a newer heartbeat": butFor({ heartbeat: "replayed" }),
  "while another rebase is under way": butFor({
    "first part": "already-applied",
    "last part": "bad-signature",
  }),
  "after another rebase": butFor({ order: "stale-epoch", bundle: "stale-epoch", heartbeat: "stale-epoch" }),
  "after a reset": NAMES.map((name) =>
    name === "claim" ? "replayed" : name.endsWith("part") ? "bad-state" : "unclaimed",
  ),
  "after a new claim by the same owner": butFor({ ...OTHER_CLAIM, keys: "replayed" }),
  "after a new claim by another owner": butFor({ ...OTHER_CLAIM, keys: "bad-signature" }),
  "after a keyset that drops the key": butFor({
    keys: "replayed",
    bundle: "unknown-key",
    heartbeat: "unknown-key",
  }),
  "after a day": AS_IT_WAS,
  "after a reboot": AS_IT_WAS,
  "at another lock": NAMES.map((name) => (name.endsWith("part") ? "bad-state" : "wrong-lock")),
};

/** All that a message could change: the table with every value of the lock's own, its owner, its keys, what was heard, its time. */
function lookAt(door: Door): string {
  const { lock } = door;
  const { authority, parts } = lock;
  const { table, policy, clock } = parts;
  const states = Array.from({ length: 22 }, (_, id) => hex(table.state(id + 1) ?? new Uint8Array(0)));
  const { claimNumber, epoch, keysetNumber, heard, claimed } = authority;
  const { signedAt, issuedAt, acks, events } = heard;
  const rest = [states, claimNumber, epoch, keysetNumber, claimed, signedAt, issuedAt, acks, events];
  return JSON.stringify([
    stateOf(lock),
    rest,
    policy.mode,
    clock.floor,
    clock.timeEpoch,
    door.board.bolt.moves,
  ]);
}

/** Says something again, in a session of its own, and sees that nothing came of it; the answer. */
function sayAgain(door: Door, [type, body]: Said): string {
  door.session = door.lock.open();
  door.hello();
  const before = lookAt(door);
  const { programs, erases } = door.board.credentials.counters;
  const answer = textOf(door.send(type, body));
  assert.equal(lookAt(door), before);
  assert.equal(door.board.credentials.counters.programs, programs);
  assert.equal(door.board.credentials.counters.erases, erases);
  return answer;
}

describe("S11 S13 everything that was said, said again", () => {
  for (const [when, doorThen] of Object.entries(LATER))
    it(`${when}: is refused, or answered as it was, and moves nothing`, () => {
      const door = doorThen();
      assert.deepEqual([...past.said.keys()], NAMES);
      const got = NAMES.map((name) => {
        door.now += 2;
        return `${name}: ${sayAgain(door, past.said.get(name) as Said)}`;
      });
      assert.deepEqual(
        got,
        NAMES.map((name, i) => `${name}: ${WANTED[when][i]}`),
      );
      const before = JSON.stringify(stateOf(door.lock));
      door.reboot();
      assert.equal(JSON.stringify(stateOf(door.lock)), before, "from flash");
    });

  it("in one session, all of it twice, in any order: moves nothing", () => {
    const dice = new Dice(3);
    for (let round = 0; round < 20; round++) {
      const door = past.back();
      const before = lookAt(door);
      for (let i = 0; i < 26; i++) door.send(...(past.said.get(dice.pick(NAMES)) as Said));
      assert.equal(lookAt(door), before);
    }
  });

  it("what the lock itself said is nothing that a lock takes", () => {
    const door = past.back();
    const { lock } = door;
    const asked = lock.receive(door.session, frame(Type.ask, 900, Uint8Array.of(0xa1, 0, 1))).slice();
    const challenged = lock.receive(door.session, frame(Type.challenge, 901, Uint8Array.of(0xa0))).slice();
    const page = lock.receive(door.session, frame(Type.fetch, 902, Uint8Array.of(0xa1, 0, 1))).slice();
    const status = lock.status(door.session).slice();
    for (const answer of [asked, challenged, page, status]) {
      const before = lookAt(door);
      assert.equal(textOf(door.sendMessage(answer)), "frame-order");
      assert.equal(lookAt(door), before);
    }
  });

  it("X11 an old consent replayed in a new session is refused, and a press then does nothing", () => {
    const door = past.back();
    for (const isBooted of [false, true]) {
      if (isBooted) door.reboot();
      assert.equal(sayAgain(door, past.said.get("consent") as Said), "replayed");
      assert.equal(door.lock.pressReset(), "refused");
      door.pass(3);
      assert.equal(door.lock.authority.claimed, true);
    }
    assert.equal(door.type(PIN), "granted");
  });

  it("X11 a consent that was used up does not reset the next owner's lock, nor does one that ran out", () => {
    const door = past.back();
    claimAgain(door, door.owner);
    assert.equal(sayAgain(door, past.said.get("consent") as Said), "replayed");
    assert.equal(door.lock.pressReset(), "refused");
    const other = past.back();
    other.hello();
    other.expectDone(other.send(Type.reset, consentOf(other)));
    other.now += 601;
    assert.equal(other.lock.pressReset(), "refused");
  });
});

// ---- what somebody signs who should not

/** A bundle of the lock's log behind `seq`, whatever the issuer would say. */
function forge(door: Door, deltas: Uint8Array[], first: number, before: Uint8Array, key = door.issuer): Said {
  const { lock } = door.identity;
  const head = { lock, epoch: door.epoch, first, before, issuedAt: Math.floor(door.now), notAfter: 0 };
  return [Type.bundle, signBundle(door.crypto, key, head, deltas)];
}

/** A lock with so many deltas, six unless said otherwise, of eight: their bytes and heads. */
function logged(sent = 6): { door: Door; encoded: Uint8Array[]; heads: Uint8Array[] } {
  const door = new Door({ profile: L500I });
  const encoded = Array.from({ length: 8 }, (_, i) => encodeDelta(door.pin(i, `9021088${i}`)));
  const heads = [door.head];
  for (const delta of encoded) heads.push(nextHead(door.crypto, heads[heads.length - 1], delta));
  if (sent > 0) door.send(...forge(door, encoded.slice(0, sent), 1, heads[0]));
  return { door, encoded, heads };
}

describe("S2 S11 P7 named attacks", () => {
  it("fork: another delta at a known position, or another past, is refused wherever it stands in the bundle", () => {
    const { door, encoded, heads } = logged();
    for (let at = 1; at <= 6; at++)
      for (let last = at; last <= 8; last++) {
        const other = [...encoded.slice(0, at - 1), wipe, ...encoded.slice(at, last)];
        for (let first = 1; first <= at; first++) {
          door.now++;
          assert.equal(sayAgain(door, forge(door, other.slice(first - 1), first, heads[first - 1])), "fork");
        }
      }
    for (let first = 1; first <= 7; first++)
      assert.equal(sayAgain(door, forge(door, encoded.slice(first - 1), first, new Uint8Array(16))), "fork");
  });

  it("fork: also in the rest of a bundle of which a power cut left the beginning", () => {
    for (let operation = 1; operation < 7; operation++) {
      const { door, encoded, heads } = logged(0);
      const power = new Power();
      bootBehind(door, { power });
      door.hello();
      power.cutAt({ operation, bytes: 0, torn: "clean" });
      door.send(...forge(door, encoded, 1, heads[0]));
      assert.equal(power.isOn, false);
      door.reboot();
      const { applied } = door.hello();
      assert.ok(applied > 0 && applied < 8, `${applied}`);
      for (let at = 1; at <= applied; at++) {
        const other = [...encoded.slice(0, at - 1), wipe, ...encoded.slice(at)];
        assert.equal(sayAgain(door, forge(door, other, 1, heads[0])), "fork");
      }
      assert.equal(textOf(door.send(...forge(door, encoded, 1, heads[0]))), `acks${" applied".repeat(8)}`);
    }
  });

  it("gap: every later position waits for the one that is missing, whoever signed it", () => {
    const { door, encoded, heads } = logged();
    assert.equal(sayAgain(door, forge(door, encoded.slice(7), 8, heads[7])), "gap");
    for (const first of [8, 9, 100, 2 ** 24 - 1])
      assert.equal(sayAgain(door, forge(door, [wipe], first, heads[6])), "gap");
  });

  it("stale epoch and one to come: neither is taken, also from the owner's own issuer", () => {
    const door = past.back();
    for (const [epoch, wanted] of [
      [1, "stale-epoch"],
      [3, "need-rebase"],
      [2 ** 32 - 1, "need-rebase"],
    ] as const) {
      door.epoch = epoch;
      assert.equal(sayAgain(door, forge(door, [wipe], 14, door.head)), wanted);
      assert.equal(sayAgain(door, [Type.heartbeat, beatOf(door)]), wanted);
    }
  });

  it("fast-forward: a stolen issuer key takes no position but the next, and a keyset ends it without a hole", () => {
    const door = past.back();
    const { issuer } = door;
    assert.equal(sayAgain(door, forge(door, [wipe], 2 ** 24 - 1, door.head)), "gap");
    const own = { before: door.head, first: door.seq + 1 };
    assert.deepEqual(door.apply({ op: "disable", slot: 1, generation: 12 }), ["applied"]);
    const head = door.lock.parts.table.head.slice();
    door.expectDone(door.send(Type.keys, keysOf(door, 2, 1, [stranger])));
    assert.equal(sayAgain(door, forge(door, [wipe], 15, head, issuer)), "unknown-key");
    assert.equal(sayAgain(door, forge(door, [wipe], own.first, own.before, stranger)), "fork");
    const next = encodeDelta({ op: "enable", slot: 1, generation: 12 });
    assert.equal(textOf(door.send(...forge(door, [next], 15, head, stranger))), "acks applied");
  });

  it("fast-forward: a heartbeat or a bundle of a far future raises no floor above the lock's own time", () => {
    const door = past.back();
    const future = 2 ** 32 - 1;
    door.beat({ issuedAt: future });
    assert.ok(door.lock.parts.clock.floor <= door.now + 60, `${door.lock.parts.clock.floor}`);
    assert.equal(textOf(door.setTime()), "applied");
    assert.equal(
      textOf(
        door.send(...forge(door, [encodeDelta({ op: "disable", slot: 1, generation: 12 })], 14, door.head)),
      ),
      "acks applied",
    );
  });

  it("a former owner's keys: none of what they sign is taken after the next claim, fresh as it may be", () => {
    const door = past.back();
    claimAgain(door, stranger);
    const { crypto, identity, owner, issuer } = door;
    const { lock } = identity;
    door.epoch = door.lock.authority.epoch;
    const head = door.lock.parts.table.head.slice();
    const fresh: [Said, string][] = [
      [[Type.keys, keysOf(door, 99, 2, [issuer])], "bad-signature"],
      [[Type.rebase, rebaseOf(door, 99, [])], "bad-signature"],
      [forge(door, [wipe], 1, head), "unknown-key"],
      [[Type.heartbeat, beatOf(door)], "unknown-key"],
    ];
    for (const [said, wanted] of fresh) {
      door.now += 4;
      assert.equal(sayAgain(door, said), wanted);
    }
    const nonce = door.hello().nonce.slice();
    door.now += 4;
    assert.equal(textOf(door.send(Type.reset, consentOf(door, 2))), "bad-signature");
    assert.equal(door.lock.pressReset(), "refused");
    const time = { lock, nonce, time: MONDAY + 999, timeEpoch: 0 };
    assert.equal(textOf(door.send(Type.time, signTime(crypto, issuer, time))), "unknown-key");
    assert.equal(
      textOf(door.send(Type.time, signTime(crypto, owner, { ...time, timeEpoch: 1 }))),
      "bad-signature",
    );
    assert.equal(door.type(PIN), "unknown");
    assert.equal(past.phone.unlock(), "unknown-key");
  });

  it("a removed issuer key: neither mail nor time nor heartbeats, also after a reboot", () => {
    const door = past.back();
    door.expectDone(door.send(Type.keys, keysOf(door, 2, 1, [stranger])));
    for (const isBooted of [false, true]) {
      if (isBooted) door.reboot();
      assert.equal(sayAgain(door, forge(door, [wipe], 14, door.head)), "unknown-key");
      assert.equal(sayAgain(door, [Type.heartbeat, beatOf(door)]), "unknown-key");
      assert.equal(textOf(door.setTime()), "unknown-key");
      assert.equal(sayAgain(door, past.said.get("keys") as Said), "replayed");
    }
  });

  it("T14 a delayed time answer: good for 30 s, once, in its session alone", () => {
    const door = past.back();
    const sign = (nonce: Uint8Array): Uint8Array =>
      signTime(door.crypto, door.issuer, {
        lock: door.identity.lock,
        nonce,
        time: Math.floor(door.now),
        timeEpoch: 0,
      });
    const late = sign(door.hello().nonce.slice());
    door.now += 31;
    assert.equal(textOf(door.send(Type.time, late)), "timeout");
    const used = sign(door.hello().nonce.slice());
    door.now += 30;
    assert.equal(textOf(door.send(Type.time, used)), "applied");
    assert.equal(textOf(door.send(Type.time, used)), "replayed");
    const other = sign(door.hello().nonce.slice());
    assert.equal(sayAgain(door, [Type.time, other]), "replayed");
    assert.equal(door.receipt().time, Math.floor(door.now) - 30);
  });

  it("S12 a replayed heartbeat renews no lease, and brings no ack back", () => {
    const door = past.back();
    const old = beatOf(door, { acks: 12 });
    assert.equal(textOf(door.send(Type.heartbeat, old)), "applied");
    const { signedAt } = door.lock.authority.heard;
    door.now += 3 * DAY_S;
    door.setTime();
    assert.equal(sayAgain(door, [Type.heartbeat, old]), "already-applied");
    assert.equal(
      sayAgain(door, [Type.heartbeat, beatOf(door, { issuedAt: signedAt, acks: 13 })]),
      "replayed",
    );
    assert.equal(door.lock.authority.heard.signedAt, signedAt);
    assert.equal(door.beat({ acks: 12 }), "applied");
    assert.equal(sayAgain(door, [Type.heartbeat, old]), "replayed");
    assert.equal(door.receipt().first, 13);
  });
});

describe("X8 S1 a signed message with any bit flipped", () => {
  // The gate would look at the first few of so many signatures only.
  const { enter } = Gate.prototype;
  before(() => {
    Gate.prototype.enter = () => true;
  });
  after(() => {
    Gate.prototype.enter = enter;
  });

  /** The right bodies of all kinds, each for a door as it is when it is said. */
  const RIGHT: Readonly<Record<string, (door: Door) => Said>> = {
    claim: (door) => {
      const ticket = { lock: door.identity.lock, number: 9, owner: stranger.publicKey, site: "next" };
      return [Type.claim, signClaim(door.crypto, door.maker, ticket)];
    },
    keys: (door) => [Type.keys, keysOf(door, 2, 1, [door.issuer, stranger])],
    time: (door) => {
      const { nonce } = door.session;
      const answer = { lock: door.identity.lock, nonce: nonce.slice(), time: MONDAY + 90, timeEpoch: 0 };
      return [Type.time, signTime(door.crypto, door.issuer, answer)];
    },
    bundle: (door) => [Type.bundle, door.bundle([door.pin(5, "55667788"), { op: "revoke", user: 1001 }])],
    heartbeat: (door) => [Type.heartbeat, beatOf(door, { acks: 12 })],
    order: (door) => [Type.rebase, rebaseOf(door, 3, [encode([Uint8Array.of(3, 3, 0, 7)])])],
    consent: (door) => [Type.reset, consentOf(door)],
    unlock: () => [Type.unlock, past.phone.unlockBody(past.phone.nonce())],
    command: () => [
      Type.command,
      past.phone.commandBody(past.phone.nonce(), CommandOp.mode, Uint8Array.of(2)),
    ],
  };

  for (const [name, right] of Object.entries(RIGHT))
    it(`${name}: refused, nothing moves; the right one is taken`, () => {
      const door = past.back();
      if (name === "claim") reset(door);
      door.session = door.lock.open();
      door.hello();
      door.session.countBad = () => {};
      const [type, body] = right(door);
      const before = lookAt(door);
      const { programs, erases } = door.board.credentials.counters;
      for (let bit = 0; bit < body.length * 8; bit++) {
        const flipped = body.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        const answer = textOf(door.send(type, flipped));
        assert.ok(!/^(applied|acks.*|already-applied)$/.test(answer), `bit ${bit}: ${answer}`);
        assert.equal(door.board.credentials.counters.programs, programs, `bit ${bit}`);
      }
      assert.equal(lookAt(door), before);
      assert.equal(door.board.credentials.counters.erases, erases);
      assert.match(textOf(door.send(type, body)), /^(applied|acks.*)$/);
    });

  it("part: refused by its print, nothing moves; the right one swaps the tables", () => {
    const door = past.back();
    const part = encode([Uint8Array.of(3, 2, 1), Uint8Array.of(3, 3, 0, 7)]);
    assert.equal(textOf(door.send(Type.rebase, rebaseOf(door, 3, [part]))), "applied");
    const before = lookAt(door);
    const { programs } = door.board.credentials.counters;
    for (let bit = 0; bit < part.length * 8; bit++) {
      const flipped = part.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      assert.equal(textOf(door.send(Type.part, partBody(1, flipped))), "bad-signature");
    }
    assert.equal(lookAt(door), before);
    assert.equal(door.board.credentials.counters.programs, programs);
    assert.equal(textOf(door.send(Type.part, partBody(1, part))), "acks");
  });
});
