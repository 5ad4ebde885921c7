// Whatever bytes come: no exception, exactly one well-formed answer, and no change but by what really was signed.

import assert from "node:assert/strict";
import { encodeDelta, signBundle, signClaim, signKeyset, signTime } from "../../../protocol/issuer/encode";
import { decode } from "../../../protocol/wire/cborx";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import { frame, May, Type } from "../../../protocol/wire/messages";
import { canonical, isAccepted } from "../../support/cbor";
import { Dice, SEED } from "../../support/dice";
import { Door, L500I, MONDAY } from "../../support/door";
import { hex, stateOf } from "../../support/look";

const MESSAGES = 20_000;
const ANSWERS: readonly number[] = [Type.status, Type.receipt, Type.result];

/** Messages of every kind as they should be, most of them signed. */
function good(door: Door, nonce: Uint8Array): Uint8Array[] {
  const { crypto, identity, maker, owner, issuer } = door;
  const { lock } = identity;
  const head = { lock, epoch: 1, first: door.seq + 1, before: door.head, issuedAt: MONDAY, notAfter: 0 };
  const deltas = [door.pin(1, "482913"), { op: "revoke" as const, user: 9 }, { op: "wipe" as const }].map(
    encodeDelta,
  );
  const keys = [{ kid: issuer.kid, publicKey: issuer.publicKey, may: May.bundle | May.time }];
  const bodies: [number, Uint8Array][] = [
    [
      Type.hello,
      canonical(
        new Map<number, unknown>([
          [0, [1]],
          [1, 2064],
        ]),
      ),
    ],
    [Type.claim, signClaim(crypto, maker, { lock, number: 2, owner: owner.publicKey, site: "test" })],
    [Type.keys, signKeyset(crypto, owner, { lock, number: 9, keys })],
    [Type.time, signTime(crypto, issuer, { lock, nonce, time: MONDAY + 9, timeEpoch: 0 })],
    [Type.bundle, signBundle(crypto, issuer, head, deltas)],
    [Type.bundle, signBundle(crypto, issuer, { ...head, notAfter: MONDAY + 9 }, Array(32).fill(deltas[1]))],
    [Type.ask, canonical(new Map([[0, 1]]))],
    [Type.bye, canonical(new Map())],
  ];
  return bodies.map(([type, body]) => frame(type, 7, body));
}

class Fuzzer {
  readonly dice = new Dice();
  readonly seeds: readonly Uint8Array[];

  constructor(seeds: readonly Uint8Array[]) {
    this.seeds = seeds;
  }

  next(): Uint8Array {
    const { dice } = this;
    const roll = dice.below(10);
    if (roll === 0) return dice.bytes(dice.below(80));
    if (roll === 1) return dice.bytes(dice.below(2100));
    if (roll === 2) return canonical([dice.below(12), dice.below(65536), this.#item(4)]);
    let message: Uint8Array = dice.pick(this.seeds).slice();
    for (let times = 1 + dice.below(3); times > 0; times--) message = this.#mutate(message);
    return message;
  }

  #item(depth: number): unknown {
    const { dice } = this;
    const inner = (): unknown[] => Array.from({ length: dice.below(4) }, () => this.#item(depth - 1));
    switch (dice.below(depth > 0 ? 7 : 4)) {
      case 0:
        return dice.below(2 ** 31);
      case 1:
        return dice.bytes(dice.below(70));
      case 2:
        return "x".repeat(dice.below(20));
      case 3:
        return dice.chance(0.5);
      case 4:
        return inner();
      default:
        return new Map(inner().map((item, key) => [key, item]));
    }
  }

  #mutate(message: Uint8Array): Uint8Array {
    const { dice } = this;
    const at = dice.below(message.length + 1);
    const other = dice.pick(this.seeds);
    switch (dice.below(6)) {
      case 0:
        if (at < message.length) message[at] ^= 1 << dice.below(8);
        return message;
      case 1:
        if (at < message.length) message[at] = dice.below(256);
        return message;
      case 2:
        return message.slice(0, at);
      case 3:
        return Uint8Array.of(
          ...message.subarray(0, at),
          ...dice.bytes(1 + dice.below(4)),
          ...message.subarray(at),
        );
      case 4:
        return Uint8Array.of(...message.subarray(0, at), ...message.subarray(at + 1 + dice.below(8)));
      default:
        return Uint8Array.of(...message.subarray(0, at), ...other.subarray(dice.below(other.length)));
    }
  }
}

/** The type and the request id of an answer, by an independent reader. */
function answerHead(answer: Uint8Array, where: string): [number, number] {
  assert.ok(isAccepted(answer), `${where}: answer ${hex(answer)}`);
  const item = decode(answer);
  assert.ok(Array.isArray(item) && item.length === 3, where);
  return [item[0] as number, item[1] as number];
}

/** The request id of a message that has one and can be read at all. */
function requestOf(message: Uint8Array): number | undefined {
  const item = message.length <= MAX_MESSAGE_BYTES && isAccepted(message) ? decode(message) : undefined;
  return Array.isArray(item) && typeof item[1] === "number" ? item[1] : undefined;
}

describe("X8 S1 any bytes at all", () => {
  it(`${MESSAGES} random and mutated messages: one well-formed answer each, and nothing changes (seed ${SEED})`, () => {
    const door = new Door({ profile: L500I });
    door.apply(door.pin(0, "582913"));
    const { nonce } = door.hello();
    const seeds = good(door, nonce.slice());
    const whole = new Set(seeds.map((seed) => hex(seed.subarray(3))));
    const fuzzer = new Fuzzer(seeds);
    const before = JSON.stringify(stateOf(door.lock));
    const { programs } = { ...door.board.credentials.counters };
    const types = new Map<number, number>();
    for (let count = 0; count < MESSAGES; count++) {
      let message = fuzzer.next();
      // A mutation that left all as it was, or touched nothing but the frame, would be obeyed.
      while (whole.has(hex(message.subarray(3)))) message = fuzzer.next();
      const copy = message.slice();
      const where = `message ${count}: ${hex(message)}`;
      const answer = door.lock.receive(door.session, message);
      assert.deepEqual(message, copy, `${where}: the message itself is not touched`);
      const [type, request] = answerHead(answer, where);
      assert.ok(ANSWERS.includes(type), where);
      assert.ok([0, requestOf(message) ?? request].includes(request), where);
      types.set(type, (types.get(type) ?? 0) + 1);
      if (!door.session.greeted) door.hello();
    }
    assert.equal(door.board.credentials.counters.programs, programs);
    assert.equal(JSON.stringify(stateOf(door.lock)), before);
    assert.equal(types.size, 3, "every kind of answer was seen");
    assert.equal(door.type("582913"), "granted");
  });

  it(`2,000 messages before a claim and a hello (seed ${SEED})`, () => {
    const door = new Door({ profile: L500I, unclaimed: true });
    const other = new Door({ profile: L500I, seed: 2 });
    const fuzzer = new Fuzzer(good(other, new Uint8Array(8)));
    const { programs } = { ...door.board.credentials.counters };
    for (let count = 0; count < 2000; count++) {
      const message = fuzzer.next();
      if (count % 50 === 0) door.session = door.lock.open();
      answerHead(door.lock.receive(door.session, message), hex(message));
    }
    assert.equal(door.board.credentials.counters.programs, programs);
    assert.equal(door.hello().epoch, 0);
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
