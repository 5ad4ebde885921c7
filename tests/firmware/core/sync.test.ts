// The lock's side of the protocol: what it refuses, in which words, and that a refusal changes nothing.

import assert from "node:assert/strict";
import { Gate, REFILL_S } from "../../../firmware/core/gate";
import {
  type BundleHead,
  type Delta,
  encodeDelta,
  type SigningKey,
  signBundle,
  signClaim,
  signingKey,
  signKeyset,
  signTime,
} from "../../../protocol/issuer/encode";
import { genesisHead, nextHead } from "../../../protocol/wire/chain";
import { Role } from "../../../protocol/wire/entry";
import { MAX_BUNDLE_BYTES, MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import { frame, StatusFlag, Type } from "../../../protocol/wire/messages";
import { May } from "../../../protocol/wire/payloads";
import { Trust } from "../../../protocol/wire/receipt";
import { canonical } from "../../support/cbor";
import { type Answer, Door, L500I, LOCK_1000, MONDAY } from "../../support/door";
import { ask, heldSlots, hex, outcomes, stateOf } from "../../support/look";

const pinOf = (number: number): string => String(10_000_000 + number * 7919);
const put = (door: Door, slot: number): Delta => door.pin(slot, pinOf(slot));
const codes = (answer: Answer): string[] =>
  answer.receipt ? outcomes(answer.receipt).map(({ code }) => code) : [answer.result ?? ""];

/** A bundle of anything, signed by anyone: what an issuer would say is only the default. */
function forge(
  door: Door,
  deltas: readonly Uint8Array[],
  other: Partial<BundleHead> = {},
  key: SigningKey = door.issuer,
): Uint8Array {
  const head = {
    lock: door.identity.lock,
    epoch: 1,
    first: door.seq + 1,
    before: door.head,
    issuedAt: MONDAY,
    notAfter: 0,
  };
  return signBundle(door.crypto, key, { ...head, ...other }, deltas);
}

/** A key that nobody told the lock of. */
const stranger = (door: Door): SigningKey => signingKey(door.crypto, new Uint8Array(32).fill(7));
/** A signature by a stranger under somebody else's key id. */
const posing = (door: Door, as: SigningKey): SigningKey => ({ ...stranger(door), kid: as.kid });

function keysetOf(
  door: Door,
  number: number,
  keys = [door.issuer],
  may: number = May.bundle | May.time,
): Parameters<typeof signKeyset>[2] {
  return {
    lock: door.identity.lock,
    number,
    keys: keys.map(({ kid, publicKey }) => ({ kid, publicKey, may })),
    claim: 1,
  };
}

/** Sends what must be refused with `code`, and sees that nothing was written but events. */
function refused(door: Door, type: number, body: Uint8Array, code: string): Answer {
  if (door.session.closed) {
    // Three bad signatures were too many: another session, as soon as the gate lets it in.
    door.session = door.lock.open();
    door.now += 6;
  }
  if (!door.session.greeted) door.hello();
  const { programs, erases } = { ...door.board.credentials.counters };
  const answer = door.send(type, body);
  assert.equal(answer.result, code);
  const { counters } = door.board.credentials;
  assert.deepEqual([counters.programs, counters.erases], [programs, erases], "nothing was written");
  return answer;
}

describe("S1 any flipped bit of a signed message is refused, and nothing changes", () => {
  /** Without the gate, which would look at six of them. */
  function flips(door: Door, type: number, body: Uint8Array, good: string): void {
    const { enter } = Gate.prototype;
    Gate.prototype.enter = () => true;
    door.session.countBad = () => {};
    try {
      flipAll(door, type, body, good);
    } finally {
      Gate.prototype.enter = enter;
    }
  }

  function flipAll(door: Door, type: number, body: Uint8Array, good: string): void {
    const before = JSON.stringify(stateOf(door.lock));
    const { programs } = { ...door.board.credentials.counters };
    const seen = new Map<string, number>();
    for (let bit = 0; bit < body.length * 8; bit++) {
      const flipped = body.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      const { result, receipt } = door.send(type, flipped);
      assert.equal(receipt, undefined, `bit ${bit}`);
      assert.ok(
        result !== undefined && !["applied", "already-applied", "unchanged"].includes(result),
        `bit ${bit}: ${result}`,
      );
      seen.set(result, (seen.get(result) ?? 0) + 1);
    }
    assert.equal(door.board.credentials.counters.programs, programs, "nothing was written");
    assert.equal(JSON.stringify(stateOf(door.lock)), before);
    assert.ok((seen.get("bad-signature") ?? 0) > 512, "most of all only the signature tells");
    assert.deepEqual(codes(door.send(type, body)).slice(0, 1), [good], "and unflipped it is taken");
  }

  it("of a bundle", () => {
    const door = new Door();
    flips(door, Type.bundle, door.bundle([put(door, 0), { op: "revoke", user: 5 }], MONDAY + 60), "applied");
  });

  it("of a claim ticket", () => {
    const door = new Door({ unclaimed: true });
    door.hello();
    const ticket = { lock: door.identity.lock, number: 1, owner: door.owner.publicKey, site: "test" };
    flips(door, Type.claim, signClaim(door.crypto, door.maker, ticket), "applied");
  });

  it("of a keyset", () => {
    const door = new Door();
    flips(door, Type.keys, signKeyset(door.crypto, door.owner, keysetOf(door, 2)), "applied");
  });

  it("of a time answer", () => {
    const door = new Door();
    const { nonce } = door.hello();
    const answer = { lock: door.identity.lock, nonce: nonce.slice(), time: MONDAY + 5, timeEpoch: 0 };
    flips(door, Type.time, signTime(door.crypto, door.issuer, answer), "applied");
  });
});

describe("S1 S2 what refuses a bundle as a whole", () => {
  const deltas = (door: Door): Uint8Array[] => [encodeDelta(put(door, 0))];

  it("another lock, whoever signed", () => {
    const door = new Door();
    const lock = door.identity.lock.slice();
    lock[7] ^= 1;
    refused(door, Type.bundle, forge(door, deltas(door), { lock }), "wrong-lock");
  });

  it("a wrong key under a known id, an unknown key, a key that may not", () => {
    const door = new Door();
    refused(door, Type.bundle, forge(door, deltas(door), {}, posing(door, door.issuer)), "bad-signature");
    refused(door, Type.bundle, forge(door, deltas(door), {}, stranger(door)), "unknown-key");
    for (const key of [door.owner, door.maker])
      refused(door, Type.bundle, forge(door, deltas(door), {}, key), "unknown-key");
    door.expectDone(
      door.send(Type.keys, signKeyset(door.crypto, door.owner, keysetOf(door, 2, [door.issuer], May.time))),
    );
    refused(door, Type.bundle, forge(door, deltas(door)), "key-not-allowed");
  });

  it("a signature of another kind of message", () => {
    const door = new Door();
    const time = signTime(door.crypto, door.issuer, {
      lock: door.identity.lock,
      nonce: new Uint8Array(8),
      time: 1,
      timeEpoch: 0,
    });
    refused(door, Type.bundle, time, "malformed");
    refused(door, Type.time, forge(door, deltas(door)), "malformed");
  });

  it("an epoch that the lock has left, or has not come to", () => {
    const door = new Door();
    refused(door, Type.bundle, forge(door, deltas(door), { epoch: 0 }), "stale-epoch");
    refused(door, Type.bundle, forge(door, deltas(door), { epoch: 2 }), "need-rebase");
  });

  it("a gap, with the seq that is needed", () => {
    const door = new Door();
    door.apply(put(door, 0), put(door, 1));
    assert.equal(refused(door, Type.bundle, forge(door, deltas(door), { first: 4 }), "gap").detail, 3);
    assert.equal(refused(door, Type.bundle, forge(door, deltas(door), { first: 0xffffff }), "gap").detail, 3);
  });

  it("no deltas, more than 32, or something among them that is none", () => {
    const door = new Door();
    const many = (count: number): Uint8Array[] =>
      Array.from({ length: count }, () => encodeDelta({ op: "revoke", user: 9 }));
    refused(door, Type.bundle, forge(door, []), "malformed");
    refused(door, Type.bundle, forge(door, many(33)), "malformed");
    for (const item of [
      7,
      [3],
      [3, 4],
      [3, new Map(), 1],
      [-1, new Map()],
      [65536, new Map()],
      ["put", new Map()],
      new Map(),
    ])
      refused(door, Type.bundle, forge(door, [...many(2), canonical(item)]), "malformed");
    assert.equal(codes(door.send(Type.bundle, forge(door, many(32)))).length, 32);
  });

  it("positions past the last one", () => {
    const door = new Door();
    const two = [...deltas(door), ...deltas(door)];
    refused(door, Type.bundle, forge(door, two, { first: 0xffffff }), "malformed");
    refused(door, Type.bundle, forge(door, two, { first: 0xfffffe }), "gap");
    refused(door, Type.bundle, forge(door, two, { first: 0 }), "malformed");
  });
});

describe("S5 sizes", () => {
  /** A bundle of exactly `bytes` bytes: unknown operations with as much in them as it takes. */
  function sized(door: Door, bytes: number): Uint8Array {
    const padded = (length: number) => canonical([99, new Map([[200, new Uint8Array(length)]])]);
    const rest = bytes - forge(door, [padded(1000), padded(300)]).length;
    const bundle = forge(door, [padded(1000), padded(300 + rest)]);
    assert.equal(bundle.length, bytes);
    return bundle;
  }

  it("a bundle of 2,048 bytes is taken, one of 2,049 is too large", () => {
    const door = new Door();
    refused(door, Type.bundle, sized(door, MAX_BUNDLE_BYTES + 1), "too-large");
    assert.deepEqual(codes(door.send(Type.bundle, sized(door, MAX_BUNDLE_BYTES))), [
      "unsupported",
      "unsupported",
    ]);
  });

  it("a message of 2,064 bytes is read, one of 2,065 is not", () => {
    const door = new Door();
    door.hello();
    assert.equal(door.sendMessage(new Uint8Array(MAX_MESSAGE_BYTES)).result, "malformed");
    assert.equal(door.sendMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1)).result, "too-large");
  });
});

describe("S2 S3 K2 the same delta any number of times", () => {
  it("once, twice, a hundred times, in two sessions: one effect, the same ack", () => {
    const door = new Door();
    const bundle = door.bundle([
      put(door, 0),
      put(door, 0),
      door.pin(1, pinOf(0)),
      { op: "revoke", user: 1000 },
    ]);
    const first = door.send(Type.bundle, bundle);
    const acks = outcomes(first.receipt!);
    assert.deepEqual(
      acks.map(({ code }) => code),
      ["applied", "unchanged", "duplicate", "applied"],
    );
    assert.equal(acks[3].detail, 1);
    const state = JSON.stringify(stateOf(door.lock));
    const { programs } = { ...door.board.credentials.counters };
    const sessions = [door.session, door.lock.open(), door.lock.open()];
    for (let time = 2; time <= 100; time++) {
      door.now += REFILL_S;
      door.session = sessions[time % 3];
      if (!door.session.greeted) door.hello();
      assert.deepEqual(outcomes(door.send(Type.bundle, bundle).receipt!), acks, `time ${time}`);
    }
    assert.equal(door.board.credentials.counters.programs, programs);
    assert.equal(JSON.stringify(stateOf(door.lock)), state);
    door.reboot();
    door.hello();
    assert.deepEqual(outcomes(door.send(Type.bundle, bundle).receipt!), acks, "after a reboot");
  });

  it("in other bundles: runs that overlap in any way", () => {
    const door = new Door();
    const encoded = Array.from({ length: 12 }, (_, slot) => encodeDelta(put(door, slot)));
    const heads = [door.head];
    for (const delta of encoded) heads.push(nextHead(door.crypto, heads[heads.length - 1], delta));
    const run = (first: number, last: number): Answer => {
      if (!door.session.greeted) door.hello();
      return door.send(
        Type.bundle,
        forge(door, encoded.slice(first - 1, last), { first, before: heads[first - 1] }),
      );
    };
    for (const [first, last, applied] of [
      [1, 4, 4],
      [3, 8, 8],
      [1, 8, 8],
      [7, 7, 8],
      [2, 10, 10],
      [10, 11, 11],
      [1, 12, 12],
      [12, 12, 12],
    ]) {
      const { receipt } = run(first, last);
      assert.equal(receipt?.applied, applied);
      assert.equal(receipt.first, first);
      assert.deepEqual(outcomes(receipt), Array(last - first + 1).fill({ code: "applied", detail: 0 }));
    }
    assert.equal(run(1, 12).receipt?.slots, 12);
    assert.equal(hex(run(1, 12).receipt!.head), hex(heads[12]));
  });

  it("the same bytes under the same request id are answered from memory; another id gives a fresh receipt with the same acks", () => {
    const door = new Door();
    const message = (request: number) => frame(Type.bundle, request, bundle);
    const bundle = door.bundle([put(door, 0)]);
    const first = door.lock.receive(door.session, message(500)).slice();
    assert.deepEqual(door.lock.receive(door.session, message(500)), first);
    const other = door.sendMessage(message(501)).receipt!;
    assert.equal(other.number, door.sendMessage(message(501)).receipt!.number);
    assert.ok(hex(door.lock.receive(door.session, message(502))) !== hex(first));
  });

  it("what shall be sent again later is not answered from memory then", () => {
    const door = new Door();
    const flash = door.board.credentials;
    const write = flash.write;
    flash.write = () => {
      throw new Error("busy flash");
    };
    const message = frame(Type.bundle, 600, door.bundle([put(door, 0)]));
    assert.equal(door.sendMessage(message).result, "busy");
    flash.write = write;
    const tries = Array.from({ length: 5 }, () => codes(door.sendMessage(message))[0]);
    assert.deepEqual(tries.slice(-2), ["applied", "applied"]);
    assert.equal(door.receipt().slots, 1);
  });
});

describe("S2 a fork", () => {
  /** A door with ten deltas applied, and the head after each. */
  function ten(): { door: Door; encoded: Uint8Array[]; heads: Uint8Array[] } {
    const door = new Door();
    const encoded = Array.from({ length: 12 }, (_, slot) => encodeDelta(put(door, slot)));
    const heads = [door.head];
    for (const delta of encoded) heads.push(nextHead(door.crypto, heads[heads.length - 1], delta));
    assert.ok(
      door.send(Type.bundle, forge(door, encoded.slice(0, 10), { first: 1, before: heads[0] })).receipt,
    );
    return { door, encoded, heads };
  }
  const evil = encodeDelta({ op: "wipe" });

  it("is another head at the position that was applied last", () => {
    const { door, encoded } = ten();
    refused(
      door,
      Type.bundle,
      forge(door, encoded.slice(10), { first: 11, before: new Uint8Array(16) }),
      "fork",
    );
  });

  it("is another delta at an applied position: the last, one in the middle, the first, with what follows and without", () => {
    const { door, encoded, heads } = ten();
    for (const at of [1, 5, 10])
      for (const last of [10, 12]) {
        const other = [...encoded.slice(0, at - 1), evil, ...encoded.slice(at, last)];
        refused(door, Type.bundle, forge(door, other, { first: 1, before: heads[0] }), "fork");
        refused(door, Type.bundle, forge(door, [evil], { first: at, before: heads[at - 1] }), "fork");
      }
    assert.equal(door.receipt().slots, 10);
  });

  it("is a wrong head before deltas that are all known", () => {
    const { door, encoded, heads } = ten();
    refused(door, Type.bundle, forge(door, encoded.slice(2, 5), { first: 3, before: heads[1] }), "fork");
    assert.ok(
      door.send(Type.bundle, forge(door, encoded.slice(2, 5), { first: 3, before: heads[2] })).receipt,
    );
  });

  it("is found in the rest of a bundle that was cut, after a reboot too", () => {
    const { door, encoded, heads } = ten();
    door.reboot();
    refused(
      door,
      Type.bundle,
      forge(door, [...encoded.slice(0, 8), evil, ...encoded.slice(9)], { first: 1, before: heads[0] }),
      "fork",
    );
    assert.deepEqual(
      codes(door.send(Type.bundle, forge(door, encoded, { first: 1, before: heads[0] }))),
      Array(12).fill("applied"),
    );
  });

  it("is an alarm that only a real signature can raise, and repeating it does not write the event log over", () => {
    const { door, heads } = ten();
    const { next } = door.lock.parts.events;
    refused(
      door,
      Type.bundle,
      forge(door, [evil], { first: 10, before: heads[9] }, posing(door, door.issuer)),
      "bad-signature",
    );
    assert.equal(door.lock.parts.events.next, next);
    for (let i = 0; i < 50; i++) {
      door.now += REFILL_S;
      refused(door, Type.bundle, forge(door, [evil], { first: 10, before: heads[9] }), "fork");
    }
    assert.equal(door.lock.parts.events.next, next + 1);
  });

  it("of the log's begin shows against the genesis of lock and epoch", () => {
    const door = new Door();
    const other = genesisHead(door.crypto, door.identity.lock, 2);
    refused(door, Type.bundle, forge(door, [evil], { before: other }), "fork");
  });
});

describe("A66 P1 S11 an unclaimed lock", () => {
  const ticket = (door: Door, more = {}) => ({
    lock: door.identity.lock,
    number: 1,
    owner: door.owner.publicKey,
    site: "test",
    ...more,
  });

  it("accepts a claim of the maker's root and nothing else", () => {
    const door = new Door({ unclaimed: true });
    const { flags, nonce, epoch } = door.hello();
    assert.ok(flags & StatusFlag.unclaimed);
    assert.equal(epoch, 0);
    const answer = { lock: door.identity.lock, nonce: nonce.slice(), time: MONDAY, timeEpoch: 0 };
    refused(door, Type.bundle, door.bundle([put(door, 0)]), "unclaimed");
    refused(door, Type.keys, signKeyset(door.crypto, door.owner, keysetOf(door, 1)), "unclaimed");
    refused(door, Type.time, signTime(door.crypto, door.issuer, answer), "unclaimed");
    refused(door, Type.ask, canonical(new Map([[0, 1]])), "unclaimed");
    for (const key of [door.owner, door.issuer, stranger(door), posing(door, door.maker)])
      refused(door, Type.claim, signClaim(door.crypto, key, ticket(door)), "bad-signature");
    refused(
      door,
      Type.claim,
      signClaim(door.crypto, door.maker, ticket(door, { lock: new Uint8Array(8) })),
      "wrong-lock",
    );
    refused(door, Type.claim, signClaim(door.crypto, door.maker, ticket(door, { number: 0 })), "malformed");
    refused(
      door,
      Type.claim,
      signClaim(door.crypto, door.maker, ticket(door, { owner: new Uint8Array(32) })),
      "key-not-allowed",
    );
    refused(door, Type.claim, signClaim(door.crypto, door.maker, ticket(door, { site: "" })), "malformed");
    refused(
      door,
      Type.claim,
      signClaim(door.crypto, door.maker, ticket(door, { site: "seventeen letters" })),
      "malformed",
    );
    door.expectDone(
      door.send(Type.claim, signClaim(door.crypto, door.maker, ticket(door, { site: "sixteen letters!" }))),
    );
    assert.equal(door.hello().epoch, 1);
  });

  it("opens for nobody", () => {
    const door = new Door({ unclaimed: true });
    for (const pin of ["0000", "1234", "123456", "12345678"]) assert.equal(door.type(pin), "unknown");
    assert.equal(door.board.bolt.drawn, false);
  });

  it("once claimed refuses every other claim, over reboots; the same again is answered as done", () => {
    const door = new Door();
    const same = signClaim(door.crypto, door.maker, ticket(door));
    for (let round = 0; round < 2; round++) {
      refused(door, Type.claim, same, "already-applied");
      for (const number of [1, 2, 0xffffffff])
        refused(
          door,
          Type.claim,
          signClaim(door.crypto, door.maker, ticket(door, { number, owner: stranger(door).publicKey })),
          "not-allowed",
        );
      door.reboot();
    }
  });
});

describe("P7 S11 keysets", () => {
  const sign = (door: Door, keyset: Parameters<typeof signKeyset>[2], key = door.owner) =>
    signKeyset(door.crypto, key, keyset);

  it("replace the whole set, and only by a higher number", () => {
    const door = new Door();
    const other = signingKey(door.crypto, new Uint8Array(32).fill(9));
    door.expectDone(door.send(Type.keys, sign(door, keysetOf(door, 5, [other]))));
    refused(door, Type.bundle, forge(door, [encodeDelta(put(door, 0))]), "unknown-key");
    assert.deepEqual(codes(door.send(Type.bundle, forge(door, [encodeDelta(put(door, 0))], {}, other))), [
      "applied",
    ]);
    for (let round = 0; round < 2; round++) {
      refused(door, Type.keys, sign(door, keysetOf(door, 1)), "replayed");
      refused(door, Type.keys, sign(door, keysetOf(door, 4, [other])), "replayed");
      refused(door, Type.keys, sign(door, keysetOf(door, 5)), "replayed");
      refused(door, Type.keys, sign(door, keysetOf(door, 5, [other])), "already-applied");
      assert.equal(door.hello().keyset, 5);
      door.reboot();
    }
    door.hello();
    door.expectDone(door.send(Type.keys, sign(door, keysetOf(door, 6))));
  });

  it("come from the owner's root for this lock alone", () => {
    const door = new Door();
    for (const key of [door.issuer, door.maker, stranger(door), posing(door, door.owner)])
      refused(door, Type.keys, sign(door, keysetOf(door, 2), key), "bad-signature");
    refused(door, Type.keys, sign(door, { ...keysetOf(door, 2), lock: new Uint8Array(8) }), "wrong-lock");
  });

  it("have one to four keys, no two of the same id, none of small order", () => {
    const door = new Door();
    const keys = (count: number) =>
      Array.from({ length: count }, (_, i) => signingKey(door.crypto, new Uint8Array(32).fill(20 + i)));
    refused(door, Type.keys, sign(door, keysetOf(door, 2, [])), "malformed");
    refused(door, Type.keys, sign(door, keysetOf(door, 2, keys(5))), "malformed");
    refused(door, Type.keys, sign(door, keysetOf(door, 2, [door.issuer, door.issuer])), "malformed");
    const weak = { ...door.issuer, publicKey: Uint8Array.of(1, ...new Uint8Array(31)) };
    refused(door, Type.keys, sign(door, keysetOf(door, 2, [weak])), "key-not-allowed");
    refused(door, Type.keys, sign(door, { ...keysetOf(door, 2), number: 0 }), "malformed");
    door.expectDone(door.send(Type.keys, sign(door, keysetOf(door, 2, keys(4)))));
  });
});

describe("T13 T14 time", () => {
  interface Told {
    readonly time?: number;
    readonly timeEpoch?: number;
    readonly nonce?: Uint8Array;
    readonly key?: SigningKey;
    readonly late?: number;
  }

  /** A fresh session in which the lock is told a time `late` seconds after its nonce; the result. */
  function tell(
    door: Door,
    { time = door.now, timeEpoch = 0, nonce, key = door.issuer, late = 0 }: Told = {},
  ): string {
    const given = door.hello().nonce.slice();
    door.now += late;
    const answer = { lock: door.identity.lock, nonce: nonce ?? given, time, timeEpoch };
    return door.send(Type.time, signTime(door.crypto, key, answer)).result ?? "";
  }

  it("is taken up to 30 seconds after the nonce was given, and the delay widens the bound", () => {
    const door = new Door();
    assert.equal(tell(door, { late: 31 }), "timeout");
    assert.equal(tell(door), "applied");
    const { bound } = door.receipt();
    assert.equal(tell(door, { late: 30 }), "applied");
    assert.ok(door.receipt().bound >= bound + 30);
  });

  it("takes a nonce once, and only its own session's", () => {
    const door = new Door();
    const { nonce } = door.hello();
    const answer = { lock: door.identity.lock, nonce: nonce.slice(), time: MONDAY + 1, timeEpoch: 0 };
    const body = signTime(door.crypto, door.issuer, answer);
    const session = door.session;
    door.session = door.lock.open();
    door.hello();
    refused(door, Type.time, body, "replayed");
    door.session = session;
    door.expectDone(door.send(Type.time, body));
    refused(door, Type.time, body, "replayed");
    refused(door, Type.time, signTime(door.crypto, door.issuer, { ...answer, time: MONDAY + 2 }), "replayed");
    assert.notEqual(hex(door.hello().nonce), hex(nonce));
  });

  it("never goes below the highest that was signed, over any reboot", () => {
    const door = new Door();
    assert.equal(tell(door, { time: MONDAY + 1000 }), "applied");
    for (let round = 0; round < 3; round++) {
      assert.equal(tell(door, { time: MONDAY + 999 }), "replayed");
      assert.equal(tell(door, { time: MONDAY + 1000 }), "applied");
      door.reboot();
      door.lock.tick();
      assert.equal(door.receipt().trust, Trust.unknown);
    }
  });

  it("goes back only with a higher time epoch, which only the owner's root can sign", () => {
    const door = new Door();
    assert.equal(tell(door, { time: MONDAY + 1000 }), "applied");
    assert.equal(tell(door, { time: MONDAY + 2000, timeEpoch: 1 }), "bad-signature");
    assert.equal(tell(door, { time: MONDAY, timeEpoch: 2, key: door.owner }), "applied");
    assert.equal(door.receipt().time, MONDAY);
    for (let round = 0; round < 2; round++) {
      assert.equal(tell(door, { time: MONDAY + 5000, timeEpoch: 1, key: door.owner }), "replayed");
      assert.equal(tell(door, { time: MONDAY + 5000, timeEpoch: 0 }), "replayed");
      assert.equal(tell(door, { time: MONDAY + 10, timeEpoch: 2 }), "applied", "an issuer goes on in it");
      door.reboot();
    }
  });

  it("comes from a key that may say it, for this lock, with this nonce", () => {
    const door = new Door();
    const other = signingKey(door.crypto, new Uint8Array(32).fill(9));
    const keys = keysetOf(door, 2, [other], May.time);
    door.expectDone(
      door.send(
        Type.keys,
        signKeyset(door.crypto, door.owner, {
          ...keys,
          keys: [...keys.keys, ...keysetOf(door, 2, [door.issuer], May.bundle).keys],
        }),
      ),
    );
    assert.equal(tell(door), "key-not-allowed");
    assert.equal(tell(door, { key: stranger(door) }), "unknown-key");
    assert.equal(tell(door, { key: posing(door, other) }), "bad-signature");
    assert.equal(tell(door, { key: other, nonce: new Uint8Array(8) }), "replayed");
    assert.equal(tell(door, { key: other, time: 0 }), "malformed");
    const { nonce } = door.hello();
    refused(
      door,
      Type.time,
      signTime(door.crypto, other, {
        lock: new Uint8Array(8),
        nonce: nonce.slice(),
        time: MONDAY,
        timeEpoch: 0,
      }),
      "wrong-lock",
    );
    assert.equal(tell(door, { key: other }), "applied");
  });

  it("a refused answer leaves clock, floor and nonce as they were", () => {
    const door = new Door();
    const { nonce } = door.hello();
    const answer = { lock: door.identity.lock, nonce: nonce.slice(), time: MONDAY + 77, timeEpoch: 0 };
    refused(door, Type.time, signTime(door.crypto, posing(door, door.issuer), answer), "bad-signature");
    assert.equal(door.receipt().time, MONDAY);
    door.expectDone(door.send(Type.time, signTime(door.crypto, door.issuer, answer)));
  });
});

describe("A malformed delta inside a bundle that verifies", () => {
  const slot = (more: [number, unknown][]) =>
    new Map<number, unknown>([[0, 3], [1, 1], [2, new Uint8Array(12)], [3, 6], [4, 9], [5, 1], ...more]);

  it("consumes its position with its own result, and the rest goes on", () => {
    const door = new Door();
    const deltas = [
      [1, slot([])],
      [1, slot([[16, 0]])],
      [1, slot([[127, 0]])],
      [1, new Map([[0, 3]])],
      [2, slot([])],
      [3, new Map([[0, 3]])],
      [6, new Map()],
      [99, new Map([[0, "whatever"]])],
      [65535, new Map()],
      [12, new Map([[0, 1]])],
      [
        1,
        new Map([
          [0, 70000],
          [1, 1],
        ]),
      ],
      [6, new Map([[4, 9]])],
    ].map((item) => canonical(item));
    const answer = door.send(Type.bundle, forge(door, deltas));
    assert.deepEqual(codes(answer), [
      "applied",
      "bad-format",
      "bad-format",
      "bad-format",
      "bad-format",
      "bad-format",
      "bad-format",
      "unsupported",
      "unsupported",
      "bad-format",
      "bad-format",
      "applied",
    ]);
    assert.equal(answer.receipt?.applied, deltas.length);
  });

  it("X9 an unknown key from 128 up is ignored, one below is critical", () => {
    const door = new Door();
    const known = canonical([
      1,
      slot([
        [128, [1, new Map([["x", null]])]],
        [100_000, "later"],
      ]),
    ]);
    assert.deepEqual(
      codes(
        door.send(
          Type.bundle,
          forge(door, [
            known,
            canonical([
              6,
              new Map([
                [4, 9],
                [128, 1],
              ]),
            ]),
          ]),
        ),
      ),
      ["applied", "applied"],
    );
  });
});

describe("A session", () => {
  const hello = (versions: unknown, largest: unknown = 2064) =>
    canonical(
      new Map([
        [0, versions],
        [1, largest],
      ]),
    );

  it("starts with a hello: before it and after a bye everything else is a bad state", () => {
    const door = new Door();
    door.session = door.lock.open();
    const bundle = door.bundle([put(door, 0)]);
    for (const type of [Type.bundle, Type.claim, Type.keys, Type.time, Type.ask, Type.bye, Type.status, 77])
      assert.equal(door.send(type, bundle).result, "bad-state");
    door.hello();
    assert.deepEqual(codes(door.send(Type.bundle, bundle)), ["applied"]);
    assert.equal(door.send(Type.bye, canonical(new Map())).result, "applied");
    assert.equal(door.send(Type.bundle, bundle).result, "bad-state");
  });

  it("speaks a version that both know, or says so", () => {
    const door = new Door();
    assert.equal(door.send(Type.hello, hello([2, 3])).result, "version");
    assert.equal(door.send(Type.hello, hello([])).result, "version");
    assert.equal(door.send(Type.hello, hello([3, 1])).status?.epoch, 1);
    for (const body of [
      hello(1),
      hello([1], -1),
      hello(["1"]),
      canonical(new Map([[0, [1]]])),
      canonical([]),
    ])
      assert.equal(door.send(Type.hello, body).result, "malformed");
  });

  it("refuses what a courier never sends, and stays usable", () => {
    const door = new Door();
    for (const type of [Type.status, Type.receipt, Type.result, 0, 200])
      assert.equal(door.send(type, canonical(1)).result, "frame-order");
    assert.equal(door.receipt().applied, 0);
  });

  it("tells a stranger little: the status of a lock", () => {
    const door = new Door({ profile: L500I });
    door.apply(put(door, 0), put(door, 1));
    const status = door.hello();
    assert.deepEqual(
      { ...status, nonce: status.nonce.length, shortId: hex(status.shortId) },
      {
        shortId: hex(door.identity.lock.subarray(0, 4)),
        epoch: 1,
        applied: 2,
        largest: 2064,
        deltas: 32,
        slots: 10,
        flags: StatusFlag.eventsWaiting,
        nonce: 8,
        keyset: 1,
        density: 200,
      },
    );
    door.reboot();
    const waiting = StatusFlag.eventsWaiting | StatusFlag.urgent;
    assert.equal(
      door.hello().flags,
      waiting | StatusFlag.clockUnknown,
      "a reboot loses the clock, and what waits is urgent",
    );
  });
});

describe("K1 A47 receipts", () => {
  it("say what the lock is: position, head, table, counts, clock", () => {
    const door = new Door();
    const before = door.receipt();
    door.apply(put(door, 0), put(door, 1), {
      op: "put-schedule",
      id: 1,
      windows: [{ days: 1, start: 0, duration: 1 }],
    });
    const receipt = door.receipt();
    const { lock, epoch, applied, head, slots, schedules, damaged, density, time, trust, boot } = receipt;
    assert.deepEqual(
      { lock, epoch, applied, head, slots, schedules, damaged, density, time, trust, boot },
      {
        lock: door.identity.lock,
        epoch: 1,
        applied: 3,
        head: door.head,
        slots: 2,
        schedules: 1,
        damaged: 0,
        density: 200,
        time: MONDAY,
        trust: Trust.set,
        boot: 1,
      },
    );
    assert.ok(receipt.number > before.number);
    assert.notEqual(hex(receipt.digest), hex(before.digest));
    assert.equal(receipt.nextEvent, door.lock.parts.events.next);
    door.apply({ op: "revoke", user: 1000 }, { op: "revoke", user: 1001 }, { op: "drop-schedule", id: 1 });
    assert.equal(hex(door.receipt().digest), hex(before.digest), "empty again, and so is the digest");
  });

  it("give the acks that are asked for, as far as they are kept", () => {
    const door = new Door({ profile: L500I });
    for (let i = 0; i < 10; i++)
      door.apply(...Array.from({ length: 20 }, () => ({ op: "revoke" as const, user: 9 })));
    assert.deepEqual([ask(door, 1).first, ask(door, 1).codes.length], [73, 128]);
    assert.deepEqual([ask(door, 72).first, ask(door, 73).first, ask(door, 74).first], [73, 73, 74]);
    assert.deepEqual(
      [ask(door, 200).codes.length, ask(door, 201).codes.length, ask(door, 0xffffff).codes.length],
      [1, 0, 0],
    );
    refused(door, Type.ask, canonical(new Map([[0, 0]])), "malformed");
    refused(door, Type.ask, canonical(new Map([[0, 0x1000000]])), "malformed");
  });

  it("give at most 256 acks at once, in a message that every courier takes", () => {
    const door = new Door();
    const puts = Array.from({ length: 300 }, (_, i) => [
      door.pin(i, pinOf(i), { user: 7 }),
      { op: "revoke" as const, user: 7 },
    ]);
    door.apply(...puts.flat());
    const receipt = ask(door, 1);
    assert.equal(receipt.codes.length, 256);
    assert.equal(
      outcomes(receipt).reduce((sum, { detail }) => sum + detail, 0),
      128,
    );
    const message = door.lock.receive(door.session, frame(Type.ask, 9, canonical(new Map([[0, 257]]))));
    assert.ok(message.length <= MAX_MESSAGE_BYTES);
  });

  it("K2 exist only for what was committed", () => {
    const door = new Door();
    const flash = door.board.credentials;
    const write = flash.write.bind(flash);
    let left = 3;
    flash.write = (buffer, offset) => {
      if (left-- <= 0) throw new Error("worn out");
      write(buffer, offset);
    };
    const bundle = door.bundle(Array.from({ length: 8 }, (_, slot) => put(door, slot)));
    const { receipt } = door.send(Type.bundle, bundle);
    assert.deepEqual([receipt?.applied, receipt?.codes.length, receipt?.slots], [3, 3, 3]);
    left = Number.POSITIVE_INFINITY;
    for (let ticks = 0; ticks < 5; ticks++) door.lock.tick();
    const rest = door.send(Type.bundle, bundle).receipt!;
    assert.deepEqual([rest.applied, rest.codes.length, rest.slots], [8, 8, 8]);
    assert.equal(door.type(pinOf(7)), "granted");
  });
});

describe("S8 A43 mail before the unlock", () => {
  it("a new resident's first try opens, a revoked user who carries the revocation is refused", () => {
    const door = new Door();
    door.apply(door.pin(0, "482913", { role: Role.resident }));
    assert.equal(door.type("482913"), "granted");
    door.apply({ op: "revoke", user: 1000 }, door.pin(1, "592913"));
    assert.deepEqual([door.type("482913"), door.type("592913")], ["unknown", "granted"]);
  });
});

describe("A51 a thousand deltas in one stream", () => {
  it("are all taken, and the lock can say so after a reboot in between", () => {
    const door = new Door({ profile: LOCK_1000 });
    const deltas = Array.from({ length: 1000 }, (_, slot) => put(door, slot));
    door.apply(...deltas.slice(0, 500));
    door.reboot();
    assert.equal(door.hello().applied, 500);
    assert.ok(door.apply(...deltas.slice(500)).every((code) => code === "applied"));
    assert.equal(heldSlots(door).size, 1000);
  });
});
