// What a stranger can make a lock do without a key: verify what was good once again and again, and sign the answers to questions. Both
// cost the stranger turns at the gate, and nobody else.

import assert from "node:assert/strict";
import { ASK_UNITS, BUCKET_UNITS, REFILL_S, REPLAY_UNITS, VERIFY_UNITS } from "../../../firmware/core/gate";
import type { Session } from "../../../firmware/core/session";
import { carry, type Mail, type Mailbox } from "../../../protocol/courier/courier";
import { type Link, MemoryLink } from "../../../protocol/courier/link";
import { Round } from "../../../protocol/courier/round";
import type { Crypto } from "../../../protocol/crypto/port";
import {
  type Delta,
  signClaim,
  signHeartbeat,
  signKeyset,
  signRebase,
} from "../../../protocol/issuer/encode";
import { Reader } from "../../../protocol/wire/cbor";
import { Code, codeName } from "../../../protocol/wire/codes";
import { askBody, frame, readFrame, readResult, Type } from "../../../protocol/wire/messages";
import { May } from "../../../protocol/wire/payloads";
import { node } from "../../../simulator/board/crypto";
import { Door } from "../../support/door";
import { Phone } from "../../support/phone";

/** Replays that a full bucket takes at once: the last finds just the units of a verification. */
const AT_ONCE = (BUCKET_UNITS - VERIFY_UNITS) / REPLAY_UNITS + 1;
/** Those of a minute, from a full bucket on. */
const A_MINUTE = AT_ONCE + 60 / REFILL_S / REPLAY_UNITS;
/** The same of questions. */
const QUESTIONS_AT_ONCE = BUCKET_UNITS / ASK_UNITS;
const QUESTIONS_A_MINUTE = QUESTIONS_AT_ONCE + 60 / REFILL_S / ASK_UNITS;

/** Whoever knocks at a lock, and what its crypto was used for meanwhile: the door's own is not counted. */
class Knocks {
  verifications = 0;
  signatures = 0;
  readonly door: Door;
  #inside = false;
  #request = 0;

  constructor() {
    const crypto: Crypto = {
      ...node,
      ed25519Verify: (...words) => {
        if (this.#inside) this.verifications++;
        return node.ed25519Verify(...words);
      },
      ed25519Sign: (...words) => {
        if (this.#inside) this.signatures++;
        return node.ed25519Sign(...words);
      },
    };
    this.door = new Door({ crypto });
  }

  /** A session that has said hello. */
  open(): Session {
    const { door } = this;
    const own = door.session;
    door.session = door.lock.open();
    door.hello();
    const { session } = door;
    door.session = own;
    return session;
  }

  /** Sends a body under a fresh id: the name of the result, or "receipt". */
  send(session: Session, type: number, body: Uint8Array): string {
    this.#inside = true;
    const answer = this.door.lock.receive(session, frame(type, ++this.#request & 0xffff, body));
    this.#inside = false;
    const reader = new Reader(answer);
    if (readFrame(reader)?.type === Type.receipt) return "receipt";
    return codeName(readResult(reader)?.code ?? 0);
  }

  /** A bundle that the lock has applied, as anybody near heard it. */
  heard(...deltas: Delta[]): Uint8Array {
    const body = this.door.bundle(deltas.length > 0 ? deltas : [this.door.pin(0, "471100")]);
    assert.equal(this.send(this.open(), Type.bundle, body), "receipt");
    return body;
  }
}

describe("X5 a good signature that brings nothing new", () => {
  /** Bodies that verify and that the lock has no use for, with its answer to each. */
  const STALE: Readonly<Record<string, (knocks: Knocks) => readonly [number, Uint8Array, string]>> = {
    "a bundle that was applied": (knocks) => [Type.bundle, knocks.heard(), "receipt"],
    "a bundle of another log": ({ door }) => {
      const { seq, head } = door;
      door.apply(door.pin(0, "471100"));
      Object.assign(door, { seq, head });
      return [Type.bundle, door.bundle([door.pin(0, "471101")]), "fork"];
    },
    "a heartbeat that was heard": ({ door }) => {
      const issuedAt = Math.floor(door.now);
      const beat = { lock: door.identity.lock, epoch: 1, issuedAt, acks: 0, events: 1 };
      door.beat(beat);
      return [Type.heartbeat, signHeartbeat(node, door.issuer, beat), "already-applied"];
    },
    "a heartbeat from before": ({ door }) => {
      const beat = { lock: door.identity.lock, epoch: 1, issuedAt: 1_800_000_000, acks: 0, events: 1 };
      door.beat();
      return [Type.heartbeat, signHeartbeat(node, door.issuer, beat), "replayed"];
    },
    "the order of a rebase whose parts are awaited": ({ door }) => {
      const order = { lock: door.identity.lock, epoch: 2, issuedAt: Math.floor(door.now), base: 0 };
      return [Type.rebase, signRebase(node, door.owner, order, [new Uint8Array(16)]), "applied"];
    },
    "the claim in force": ({ door }) => {
      const ticket = { lock: door.identity.lock, number: 1, owner: door.owner.publicKey, site: "test" };
      return [Type.claim, signClaim(node, door.maker, ticket), "already-applied"];
    },
    "the keyset in force": ({ door }) => {
      const keys = [{ ...door.issuer, may: May.bundle | May.time }];
      const keyset = { lock: door.identity.lock, number: 1, keys, claim: 1 };
      return [Type.keys, signKeyset(node, door.owner, keyset), "already-applied"];
    },
  };

  for (const [what, make] of Object.entries(STALE))
    it(`costs a unit of 24, where a verification needs four: ${what}`, () => {
      const knocks = new Knocks();
      const [type, body, answer] = make(knocks);
      knocks.door.now += 60;
      const session = knocks.open();
      knocks.verifications = 0;
      for (let i = 0; i < AT_ONCE; i++) assert.equal(knocks.send(session, type, body), answer, `${i}`);
      assert.equal(knocks.send(session, type, body), "rate-limited");
      knocks.door.now += REFILL_S - 0.125;
      assert.equal(knocks.send(session, type, body), "rate-limited");
      knocks.door.now += 0.125;
      assert.equal(knocks.send(session, type, body), answer);
      assert.equal(knocks.send(session, type, body), "rate-limited");
      assert.equal(knocks.verifications, AT_ONCE + 1);
      assert.equal(session.closed, false, "it is no bad signature");
    });

  it("costs a bad one as much as before, whatever good ones came", () => {
    const knocks = new Knocks();
    const good = knocks.heard();
    const bad = good.slice();
    bad[bad.length - 1] ^= 1;
    for (let i = 0; i < 4; i++) assert.equal(knocks.send(knocks.open(), Type.bundle, good), "receipt");
    for (let i = 0; i < 5; i++) assert.equal(knocks.send(knocks.open(), Type.bundle, bad), "bad-signature");
    assert.equal(knocks.send(knocks.open(), Type.bundle, good), "rate-limited");
  });

  it("costs nothing where it is not looked at: of another lock, or ahead of the log", () => {
    const knocks = new Knocks();
    const { door } = knocks;
    const session = knocks.open();
    const other = new Door({ seed: 2 });
    door.bundle([door.pin(0, "471100")]);
    const ahead = door.bundle([door.pin(1, "471101")]);
    for (let i = 0; i < 2 * BUCKET_UNITS; i++) {
      assert.equal(knocks.send(session, Type.bundle, other.bundle([other.pin(0, "471100")])), "wrong-lock");
      assert.equal(knocks.send(session, Type.bundle, ahead), "gap");
    }
    assert.equal(knocks.verifications, 0);
  });
});

describe("X5 a good signature that brings something new", () => {
  it("costs nothing, however many come at once, and of whatever kind", () => {
    const door = new Door();
    const phone = new Phone(door);
    door.apply(phone.put(500));
    for (let i = 0; i < 3 * BUCKET_UNITS; i++) {
      assert.deepEqual(door.apply(door.pin(i, `4711${i + 10}`)), ["applied"]);
      assert.equal(door.beat({ issuedAt: Math.floor(door.now) + i }), "applied");
      assert.equal(door.setTime().result, "applied");
      assert.equal(phone.unlock(), "applied");
      door.lock.tick();
    }
  });

  it("costs nothing either where the last of a bundle's deltas alone is new", () => {
    const knocks = new Knocks();
    const { door } = knocks;
    const session = knocks.open();
    const deltas: Delta[] = [];
    for (let i = 0; i < 30; i++) {
      deltas.push(door.pin(i, `4711${i + 10}`));
      const whole = new Door();
      assert.equal(knocks.send(session, Type.bundle, whole.bundle(deltas)), "receipt", `${i}`);
    }
    assert.equal(door.lock.parts.table.applied, 30);
  });
});

describe("X5 X13 a replayer of one good bundle", () => {
  /** Seconds between two replays, and those after which an honest sender says the same again. */
  const OFTEN_S = 0.0625;
  const AGAIN_S = 1;

  /** Lets a replayer send for a minute, over one session or a new one each time; `meanwhile` is called after each. */
  function replay(knocks: Knocks, body: Uint8Array, isNew: boolean, meanwhile = (): void => {}): void {
    let session = knocks.open();
    for (const end = knocks.door.now + 60; knocks.door.now < end; knocks.door.now += OFTEN_S) {
      if (isNew) {
        knocks.door.lock.close(session);
        session = knocks.open();
      }
      knocks.send(session, Type.bundle, body);
      meanwhile();
    }
  }

  for (const isNew of [false, true])
    it(`gets at most ${A_MINUTE} verifications and receipts in a minute, ${isNew ? "from as many sessions" : "from one session"}`, () => {
      const knocks = new Knocks();
      const body = knocks.heard();
      Object.assign(knocks, { verifications: 0, signatures: 0 });
      replay(knocks, body, isNew);
      assert.ok(knocks.verifications <= A_MINUTE, `${knocks.verifications}`);
      assert.equal(knocks.signatures, knocks.verifications);
      assert.ok(knocks.verifications > A_MINUTE - 5, `${knocks.verifications}: as many as there can be`);
    });

  for (const isNew of [false, true])
    it(`keeps no fresh bundle waiting for longer than two seconds, and no phone at all, ${isNew ? "from many sessions" : "from one"}`, () => {
      const knocks = new Knocks();
      const { door } = knocks;
      const phone = new Phone(door);
      const stale = knocks.heard(phone.put(500));
      const honest = knocks.open();
      let [fresh, since, longest, done, at] = [door.bundle([door.pin(1, "4712")]), 0, 0, 0, 0];
      replay(knocks, stale, isNew, () => {
        if (++at % 16 === 0) {
          door.lock.tick();
          assert.equal(phone.unlock(), "applied");
        }
        if (since === 0) since = door.now;
        if ((door.now - since) % AGAIN_S !== 0) return;
        if (knocks.send(honest, Type.bundle, fresh) !== "receipt") return;
        longest = Math.max(longest, door.now - since);
        fresh = door.bundle([door.pin(2 + (++done % 400), `5${done + 1000}`)]);
        since = 0;
      });
      assert.ok(longest <= 2, `${longest} s`);
      assert.ok(done > 20, `${done}`);
    });
});

describe("X5 couriers who race", () => {
  it("have all of a burst of twenty stale bundles answered", () => {
    const knocks = new Knocks();
    const bodies = Array.from({ length: 20 }, (_, i) => knocks.heard(knocks.door.pin(i, `4711${i + 10}`)));
    const session = knocks.open();
    for (const body of bodies) assert.equal(knocks.send(session, Type.bundle, body), "receipt");
  });
});

describe("X5 X13 questions", () => {
  it("are answered 24 at once, and then two a second", () => {
    const knocks = new Knocks();
    const session = knocks.open();
    const ask = (): string => knocks.send(session, Type.ask, askBody({ first: 1 }));
    for (let i = 0; i < QUESTIONS_AT_ONCE; i++) assert.equal(ask(), "receipt", `${i}`);
    assert.equal(ask(), "rate-limited");
    knocks.door.now += REFILL_S - 0.125;
    assert.equal(ask(), "rate-limited");
    knocks.door.now += 0.125;
    assert.equal(ask(), "receipt");
    assert.equal(ask(), "rate-limited");
  });

  it(`without end make a lock sign at most ${QUESTIONS_A_MINUTE} times a minute, and keep no other kind waiting`, () => {
    const knocks = new Knocks();
    const { door } = knocks;
    for (let i = 0; i < 60 * 16; i++) {
      for (const session of [door.session, knocks.open()])
        knocks.send(session, Type.ask, askBody({ first: 1 }));
      door.now += 1 / 16;
    }
    assert.ok(knocks.signatures <= QUESTIONS_A_MINUTE, `${knocks.signatures}`);
    assert.ok(knocks.signatures > QUESTIONS_A_MINUTE / 2, `${knocks.signatures}: there was a flood`);
    assert.deepEqual(door.apply(door.pin(1, "471100")), ["applied"]);
    assert.equal(door.setTime().result, "applied");
  });

  it("that are malformed, or go to a lock without an owner, cost nothing", () => {
    const door = new Door({ unclaimed: true });
    door.hello();
    for (let i = 0; i < 2 * QUESTIONS_AT_ONCE; i++) {
      assert.equal(door.send(Type.ask, Uint8Array.of(0xa1, 0, 0)).result, "malformed");
      assert.equal(door.send(Type.ask, askBody({ first: 1 })).result, "unclaimed");
    }
    door.claim();
    for (let i = 0; i < QUESTIONS_AT_ONCE; i++) assert.ok(door.receipt());
  });

  it("of one session wait behind those of the session that came first", () => {
    const knocks = new Knocks();
    const [first, second] = [knocks.open(), knocks.open()];
    const ask = (session: Session): string => knocks.send(session, Type.ask, askBody({ first: 1 }));
    for (let i = 0; i < QUESTIONS_AT_ONCE; i++) ask(second);
    assert.equal(ask(first), "rate-limited");
    assert.equal(ask(second), "rate-limited");
    knocks.door.now += REFILL_S;
    assert.equal(ask(second), "rate-limited");
    assert.equal(ask(first), "receipt");
  });
});

describe("X5 S5 a courier", () => {
  const PUTS = 1000;

  /** A link that counts how often the lock was rate-limited; a pause lets the world go on, and `others` act in it. */
  function linkOf(door: Door, others?: () => void) {
    const session = door.lock.open();
    const counted = { limited: 0 };
    const memory = new MemoryLink((message) => {
      const answer = door.lock.receive(session, message);
      const reader = new Reader(answer);
      if (readFrame(reader)?.type === Type.result && readResult(reader)?.code === Code.rateLimited)
        counted.limited++;
      return answer;
    });
    const link: Link = {
      request: (message) => memory.request(message),
      close: () => memory.close(),
      ...(others && {
        pause: async (seconds) => {
          door.now += seconds;
          others();
        },
      }),
    };
    return { link, counted };
  }

  /** All of an issuer's mail for a lock, from its status on. */
  function mailboxOf(door: Door, mail: readonly (Mail & { readonly last: number })[]): Mailbox {
    return {
      mail: async ({ applied }) => {
        const bundles = mail.filter(({ last }) => last > applied);
        return bundles.length === 0 ? [] : [{ type: Type.ask, body: askBody({ first: 1 }) }, ...bundles];
      },
      time: async () => undefined,
      receipt: async () => {},
      heartbeat: async () => {
        const issuedAt = Math.floor(door.now);
        const beat = { lock: door.identity.lock, epoch: 1, issuedAt, acks: door.seq, events: 1 };
        return signHeartbeat(node, door.issuer, beat);
      },
    };
  }

  function putsOf(door: Door, count: number): (Mail & { readonly last: number })[] {
    const mail = [];
    for (let slot = 0; slot < count; slot += 20) {
      const puts = Array.from({ length: 20 }, (_, i) => door.pin(slot + i, `4${100_000 + slot + i}`));
      mail.push({ type: Type.bundle, body: door.bundle(puts), last: door.seq });
    }
    return mail;
  }

  it("brings a thousand puts, and asks ten questions of an audit, without ever being told to wait", async () => {
    const door = new Door();
    const { link, counted } = linkOf(door);
    const carried = await carry(link, mailboxOf(door, putsOf(door, PUTS)));
    assert.equal(carried.outcome, "done");
    assert.equal(door.lock.parts.table.applied, PUTS);
    const round = new Round(link, 5000);
    await round.hello();
    for (let i = 0; i < 10; i++) {
      const { type } = await round.exchange(Type.ask, askBody({ first: 900, from: i, to: 500 }));
      assert.equal(type, Type.receipt);
    }
    assert.equal(counted.limited, 0);
  });

  it("brings everything through replayers and askers, once it has waited", async () => {
    const knocks = new Knocks();
    const { door } = knocks;
    const stale = knocks.heard(door.pin(999, "471100"));
    const pests = [knocks.open(), knocks.open()];
    const pester = (): void => {
      for (let i = 0; i < 2 * BUCKET_UNITS; i++) {
        knocks.send(pests[i % 2], Type.bundle, stale);
        knocks.send(pests[i % 2], Type.ask, askBody({ first: 1 }));
      }
    };
    pester();
    const { link, counted } = linkOf(door, pester);
    const carried = await carry(link, mailboxOf(door, putsOf(door, 100)));
    assert.equal(carried.outcome, "done");
    assert.equal(door.lock.parts.table.applied, 101);
    assert.ok(counted.limited > 0, "it had to wait");
  });

  it("gets the answers to more questions than a bucket has, once it has waited", async () => {
    const door = new Door();
    const { link, counted } = linkOf(door, () => {});
    const round = new Round(link, 1);
    await round.hello();
    for (let i = 0; i < 4 * QUESTIONS_AT_ONCE; i++) {
      const { type } = await round.exchange(Type.ask, askBody({ first: 1 }));
      assert.equal(type, Type.receipt);
    }
    assert.ok(counted.limited > 0, "it had to wait");
  });
});
