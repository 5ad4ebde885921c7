// Any bytes at all, sent to locks in every state that a courier can find one in (rules X8, S1): random, mutated from valid messages of every
// kind, cut short, joined. What the answer must be is judged by an independent reader of CBOR; what must not change is flash and door.

import { Gate } from "../../firmware/core/gate";
import type { Crypto } from "../../protocol/crypto/port";
import {
  encodeDelta,
  signBundle,
  signClaim,
  signCommand,
  signHeartbeat,
  signKeyset,
  signRebase,
  signReset,
  signTime,
} from "../../protocol/issuer/encode";
import { partPrint } from "../../protocol/issuer/rebase";
import { decode } from "../../protocol/wire/cborx";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import {
  askBody,
  emptyBody,
  fetchBody,
  frame,
  helloBody,
  nonceBody,
  pageBody,
  partBody,
  resultMessage,
  Type,
} from "../../protocol/wire/messages";
import { CommandOp, May } from "../../protocol/wire/payloads";
import { RefusalsWriter } from "../../protocol/wire/refusals";
import { node } from "../../simulator/board/crypto";
import { canonical, isAccepted } from "./cbor";
import { Dice } from "./dice";
import { Door, L500I, MONDAY } from "./door";
import { bootFrom } from "./door-faults";
import { hex, stateOf } from "./look";
import { Phone } from "./phone";

/** Messages that one lock gets, one after the other. */
export const ROUND = 1000;
const ANSWERS: readonly number[] = [
  Type.status,
  Type.receipt,
  Type.result,
  Type.nonce,
  Type.page,
  Type.refusals,
];
const SCHEDULE_PART = canonical([Uint8Array.of(2, 1, 0, 0, 0, 0)]);
const EMPTY_PART = canonical([]);
/** What every session of a fuzzed lock has for its two nonces, so that a mutated message can pass all checks up to its signature. */
const NONCE = new Uint8Array(8).fill(0x5a);

/** A door whose verifications that came out good are counted. */
class FuzzedDoor extends Door {
  readonly counted: { good: number };
  readonly phone: Phone;

  constructor(seed: number, unclaimed: boolean) {
    const counted = { good: 0 };
    const crypto: Crypto = {
      ...node,
      ed25519Verify: (...words) => {
        const isGood = node.ed25519Verify(...words);
        if (isGood) counted.good++;
        return isGood;
      },
    };
    super({ profile: L500I, seed, crypto, unclaimed });
    this.counted = counted;
    this.phone = new Phone(this, seed + 1);
    if (unclaimed) return;
    this.apply(this.pin(0, "582913"), this.phone.put(1), { op: "set", setting: 2, value: Uint8Array.of(0) });
    this.lock.tick();
  }

  rebaseOrder(): Uint8Array {
    const prints = [SCHEDULE_PART, EMPTY_PART].map((part) => partPrint(this.crypto, part));
    const head = { lock: this.identity.lock, epoch: 2, issuedAt: MONDAY, base: 40 };
    return signRebase(this.crypto, this.owner, head, prints);
  }
}

/** The states of a lock; each makes one from a door in service, or from one without an owner. */
export const STATES: Readonly<Record<string, (seed: number) => FuzzedDoor>> = {
  unclaimed: (seed) => new FuzzedDoor(seed, true),
  "in service": (seed) => new FuzzedDoor(seed, false),
  "not greeted": (seed) => new FuzzedDoor(seed, false),
  "without time": (seed) => {
    const door = new FuzzedDoor(seed, false);
    door.reboot();
    return door;
  },
  "in a rebase": (seed) => {
    const door = new FuzzedDoor(seed, false);
    door.hello();
    door.expectDone(door.send(Type.rebase, door.rebaseOrder()));
    return door;
  },
  "unreadable flash": (seed) => {
    const door = new FuzzedDoor(seed, false);
    const image = door.board.image();
    image.credentials.fill(0);
    bootFrom(door, image);
    return door;
  },
  "hung up": (seed) => {
    const door = new FuzzedDoor(seed, false);
    door.lock.close(door.session);
    return door;
  },
};
export const STATE_NAMES = Object.keys(STATES);

/** Bodies of every kind of message, those of a lock included, all as they should be. */
function bodiesOf(door: FuzzedDoor): [number, Uint8Array][] {
  const { crypto, identity, maker, owner, issuer, phone } = door;
  const { lock } = identity;
  const head = { lock, epoch: 1, first: door.seq + 1, before: door.head, issuedAt: MONDAY, notAfter: 0 };
  const deltas = [door.pin(3, "482913"), { op: "revoke" as const, user: 9 }, { op: "wipe" as const }].map(
    encodeDelta,
  );
  const many = new Array<Uint8Array>(32).fill(deltas[1]);
  const keys = [{ kid: issuer.kid, publicKey: issuer.publicKey, may: May.bundle | May.time }];
  const beat = { lock, epoch: 1, issuedAt: MONDAY + 5, acks: 1, events: 2 };
  return [
    [Type.hello, helloBody(MAX_MESSAGE_BYTES)],
    [Type.claim, signClaim(crypto, maker, { lock, number: 2, owner: owner.publicKey, site: "test" })],
    [Type.keys, signKeyset(crypto, owner, { lock, number: 9, keys, claim: 1 })],
    [Type.bundle, signBundle(crypto, issuer, head, deltas)],
    [Type.bundle, signBundle(crypto, issuer, { ...head, notAfter: MONDAY + 9 }, many)],
    [Type.time, signTime(crypto, issuer, { lock, nonce: NONCE, time: MONDAY + 9, timeEpoch: 0 })],
    [Type.bye, emptyBody()],
    [Type.ask, askBody({ first: 1, user: 1000, from: 0, to: 5, about: true })],
    [Type.heartbeat, signHeartbeat(crypto, issuer, beat)],
    [Type.rebase, door.rebaseOrder()],
    [Type.part, partBody(1, SCHEDULE_PART)],
    [Type.part, partBody(2, EMPTY_PART)],
    [Type.reset, signReset(crypto, owner, { lock, claim: 1, nonce: NONCE })],
    [Type.challenge, emptyBody()],
    [Type.unlock, phone.unlockBody(NONCE)],
    [Type.command, phone.commandBody(NONCE, 1)],
    [Type.command, signCommand(crypto, phone.key, { lock, nonce: NONCE, op: 2, argument: Uint8Array.of(1) })],
    [Type.identify, emptyBody()],
    [Type.fetch, fetchBody(1)],
    [Type.nonce, nonceBody(NONCE)],
    [Type.page, pageBody(new Uint8Array(92))],
    [Type.command, phone.commandBody(NONCE, CommandOp.refusals)],
    [Type.refusals, refusalsOf(3)],
  ];
}

/** The body of some refusals. */
function refusalsOf(count: number): Uint8Array {
  const writer = new RefusalsWriter();
  const refusal = { method: 1, reason: 3, count: 1, trust: 0, time: 340, boot: 12, dated: MONDAY };
  for (let n = 0; n < count; n++) writer.add(refusal);
  return writer.body();
}

/** Where a message with a type and a request of one byte each has its request. */
const REQUEST_AT = 2;

/** Makes messages that nobody means. */
class Fuzzer {
  readonly #dice: Dice;
  readonly #valid: readonly Uint8Array[];

  constructor(dice: Dice, valid: readonly Uint8Array[]) {
    this.#dice = dice;
    this.#valid = valid;
  }

  next(): Uint8Array {
    const dice = this.#dice;
    const roll = dice.below(10);
    if (roll === 0) return dice.bytes(dice.below(80));
    if (roll === 1) return dice.bytes(dice.below(2100));
    if (roll === 2) return canonical([dice.below(24), dice.below(65536), this.#item(4)]);
    let message: Uint8Array = dice.pick(this.#valid).slice();
    // Now and then one comes as it was meant, or a state in which little is good would see nothing good.
    if (dice.chance(0.02)) return this.#renumbered(message);
    for (let times = 1 + dice.below(3); times > 0; times--) message = this.#mutate(message);
    return message;
  }

  /** The same message as another request, of one byte as well. */
  #renumbered(message: Uint8Array): Uint8Array {
    message[REQUEST_AT] = this.#dice.below(24);
    return message;
  }

  #item(depth: number): unknown {
    const dice = this.#dice;
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
    const dice = this.#dice;
    const at = dice.below(message.length + 1);
    const other = dice.pick(this.#valid);
    const [before, after] = [message.subarray(0, at), message.subarray(at)];
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
        return joined(before, dice.bytes(1 + dice.below(4)), after);
      case 4:
        return joined(before, after.subarray(1 + dice.below(8)));
      default:
        return joined(before, other.subarray(dice.below(other.length)));
    }
  }
}

const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** The request id of a message that has one and can be read at all. */
function requestOf(message: Uint8Array): number | undefined {
  const item = message.length <= MAX_MESSAGE_BYTES && isAccepted(message) ? decode(message) : undefined;
  return Array.isArray(item) && typeof item[1] === "number" ? item[1] : undefined;
}

/** What is wrong with an answer; undefined for nothing. */
function answerFlaw(message: Uint8Array, answer: Uint8Array): string | undefined {
  if (answer.length > MAX_MESSAGE_BYTES || !isAccepted(answer)) return `the answer ${hex(answer)}`;
  const item = decode(answer);
  if (!Array.isArray(item) || item.length !== 3) return `no message: ${hex(answer)}`;
  const [type, request] = item as number[];
  if (!ANSWERS.includes(type)) return `an answer of type ${type}`;
  const isOurs = request === 0 || request === (requestOf(message) ?? request);
  return isOurs ? undefined : `the answer to request ${request}`;
}

/** One fuzzed lock. */
export class FuzzRound {
  /** The state that the lock began in. */
  readonly state: string;
  /** Messages that carried a good signature. */
  good = 0;
  readonly #door: FuzzedDoor;
  readonly #fuzzer: Fuzzer;
  readonly #parts: readonly Buffer[];
  #before: string;

  /** Round `round` of a seed: the same each time. */
  constructor(seed: number, round: number) {
    this.state = STATE_NAMES[round % STATE_NAMES.length];
    const own = (seed * 1_000_003 + round) >>> 0;
    this.#door = STATES[this.state](own);
    const bodies = bodiesOf(this.#door);
    this.#parts = bodies.filter(([type]) => type === Type.part).map(([, body]) => Buffer.from(body));
    const valid = bodies.map(([type, body]) => frame(type, 7, body));
    const asked = new FuzzedDoor(own, false);
    asked.hello();
    valid.push(
      resultMessage(7, 0, 9),
      asked.lock.receive(asked.session, frame(Type.ask, 7, askBody({ first: 1 }))),
    );
    this.#fuzzer = new Fuzzer(new Dice(own), valid);
    this.#before = this.#look();
  }

  /** Everything that must stay as it is. */
  #look(): string {
    const { lock } = this.#door;
    return lock.parts.mounted ? JSON.stringify(stateOf(lock)) : "";
  }

  /** What flash and door have done so far. */
  #deeds(): string {
    const { credentials, events, feedback } = this.#door.board;
    const { programs, erases } = credentials.counters;
    return `${programs} ${erases} ${events.counters.programs} ${events.counters.erases} ${feedback.grants}`;
  }

  /** Puts the session where the state wants it, however the last message has left it. */
  #ready(): void {
    const door = this.#door;
    if (door.session.closed) return;
    door.session.countBad = () => {};
    if (this.state === "not greeted") door.session.greeted = false;
    else if (!door.session.greeted) door.hello();
    door.session.nonce.set(NONCE);
    door.session.challenge.set(NONCE);
    door.session.nonceAt = door.lock.parts.clock.uptime();
    door.session.challengedAt = door.session.nonceAt;
  }

  /** Sends the next message and judges what became of it: what is wrong, undefined for nothing. */
  step(): string | undefined {
    this.#ready();
    const message = this.#fuzzer.next();
    const flaw = this.#judge(message);
    return flaw && `${this.state}: ${flaw}; message ${hex(message)}`;
  }

  #judge(message: Uint8Array): string | undefined {
    const { lock, session, counted } = this.#door;
    const copy = message.slice();
    const deeds = this.#deeds();
    const { good } = counted;
    const { enter } = Gate.prototype;
    // It would look at the first few of so many signatures only.
    Gate.prototype.enter = () => true;
    let answer: Uint8Array;
    try {
      answer = lock.receive(session, message);
    } catch (error) {
      return `exception ${error}`;
    } finally {
      Gate.prototype.enter = enter;
    }
    if (!Buffer.from(copy).equals(message)) return "the message itself was changed";
    // What a signature has announced needs none of its own.
    const isPart = this.#parts.some((part) => Buffer.from(message).includes(part));
    const isGood = counted.good > good;
    if (isGood) this.good++;
    if (isGood || isPart) {
      this.#before = this.#look();
    } else if (this.#deeds() !== deeds) return "something was done for no signature";
    return answerFlaw(copy, answer);
  }

  /** What the whole round has changed that no signature did; undefined for nothing. */
  end(): string | undefined {
    return this.#look() === this.#before ? undefined : `${this.state}: another state than before`;
  }
}
