// The air around a door, on virtual time: everybody who has a radio there acts at moments of their own, which a seed sets; the lock ticks
// once a second. Residents do what the protocol asks of them, attackers whatever they like; nobody can have more lines than the lock gives.

import type { Session } from "../../firmware/core/session";
import type { Crypto } from "../../protocol/crypto/port";
import type { PutDelta } from "../../protocol/issuer/encode";
import {
  signBundle,
  signClaim,
  signCommand,
  signHeartbeat,
  signKeyset,
  signReset,
  signTime,
  signUnlock,
} from "../../protocol/issuer/encode";
import { Reader } from "../../protocol/wire/cbor";
import { codeName } from "../../protocol/wire/codes";
import {
  askBody,
  emptyBody,
  type Frame,
  frame,
  helloBody,
  readFrame,
  readNonce,
  readResult,
  readStatus,
  Type,
} from "../../protocol/wire/messages";
import type { Dice } from "./dice";
import type { Door } from "./door";
import type { Phone } from "./phone";

const LARGEST = 2064;
/** Seconds between two attempts of a resident to get a line, and before the same is sent again. */
const CONNECT_S = 0.1;
const AGAIN_S = 1;
/** Seconds that one message takes, there and back. */
const MESSAGE_S = [0.03, 0.1] as const;

/** The kinds of signed messages that attackers forge. */
export const FORGED = ["bundle", "heartbeat", "claim", "keys", "reset", "time", "unlock", "command"] as const;
export type Forged = (typeof FORGED)[number];

/** All that attackers send because it costs the lock much: those, good ones again, and questions that it answers by a receipt. */
export const COSTLY = [...FORGED, "replay", "question"] as const;
export type Costly = (typeof COSTLY)[number];

/** Somebody near the door. */
export interface Actor {
  /** Does one thing, and says after how many seconds the next one comes; undefined for never again. */
  act(): number | undefined;
}

/** Those who are near a door, and the moments at which they act. */
export class Air {
  readonly door: Door;
  readonly dice: Dice;
  /** Weak, so that only what the lock itself keeps is kept. */
  readonly sessions: WeakRef<Session>[] = [];
  /** Every message that a resident sent, as anybody near hears it. */
  readonly heard: Uint8Array[] = [];
  /** The good bundles and signs of life among it: types and bodies. */
  readonly good: [number, Uint8Array][] = [];
  /** The most radio sessions that were open at once. */
  most = 0;
  #open: WeakRef<Session>[] = [];
  #due: { at: number; actor: Actor }[] = [];

  constructor(door: Door, dice: Dice) {
    this.door = door;
    this.dice = dice;
    this.add({
      act: () => {
        door.lock.tick();
        return 1;
      },
    });
  }

  add(actor: Actor, after = 0): void {
    this.#due.push({ at: this.door.now + after, actor });
  }

  seconds(low: number, high: number): number {
    return low + ((high - low) * this.dice.below(1000)) / 1000;
  }

  messageSeconds(): number {
    return this.seconds(...MESSAGE_S);
  }

  /** A line to the lock, where there is one. */
  connect(): Session | undefined {
    const session = this.door.lock.open("radio");
    if (session === undefined) return undefined;
    const ref = new WeakRef(session);
    this.sessions.push(ref);
    this.#open = [...this.#open, ref].filter((open) => open.deref()?.closed === false);
    this.most = Math.max(this.most, this.#open.length);
    return session;
  }

  /** Lets everybody act, each at their moment, until `isOver` or until so many seconds have gone. Returns how many. */
  run(seconds: number, isOver: () => boolean = () => false): number {
    const { door } = this;
    const began = door.now;
    while (!isOver()) {
      const next = this.#due.reduce((first, due) => (due.at < first.at ? due : first));
      if (next.at > began + seconds) {
        door.now = began + seconds;
        break;
      }
      door.now = next.at;
      const after = next.actor.act();
      if (after === undefined) this.#due = this.#due.filter((due) => due !== next);
      else next.at += after;
    }
    return door.now - began;
  }
}

/** An answer of the lock: a result by its name. */
interface Heard {
  readonly head: Frame;
  readonly result: string;
  readonly reader: Reader;
}

/** A line to the lock, and what is said over it. */
class Line {
  readonly air: Air;
  session: Session | undefined;
  nonce: Uint8Array = new Uint8Array(8);
  readonly #heard: Uint8Array[] | undefined;
  #request = 0;

  /** What is said over it is added to `heard`. */
  constructor(air: Air, heard?: Uint8Array[]) {
    this.air = air;
    this.#heard = heard;
  }

  /** Whether there is a line, now at the latest. */
  connect(): boolean {
    if (this.session === undefined || this.session.closed) this.session = this.air.connect();
    return this.session !== undefined;
  }

  hangUp(): void {
    if (this.session !== undefined) this.air.door.lock.close(this.session);
    this.session = undefined;
  }

  send(type: number, body: Uint8Array): Heard {
    return this.sendMessage(frame(type, ++this.#request & 0xffff, body));
  }

  sendMessage(message: Uint8Array): Heard {
    this.#heard?.push(message);
    const answer = this.air.door.lock.receive(this.session as Session, message).slice();
    const reader = new Reader(answer);
    const head = readFrame(reader) as Frame;
    const result = head.type === Type.result ? codeName(readResult(reader)?.code ?? 0) : "";
    if (head.type === Type.status) this.nonce = readStatus(reader)?.nonce.slice() ?? this.nonce;
    return { head, result, reader };
  }

  hello(): void {
    this.send(Type.hello, helloBody(LARGEST));
  }

  challenge(): Uint8Array {
    const { reader } = this.send(Type.challenge, emptyBody());
    return (readNonce(reader) ?? new Uint8Array(8)).slice();
  }
}

// ---- residents

/** Somebody with a right to be heard: connects, says the same again once a second while asked to, and connects again upon `idle`. */
abstract class Honest implements Actor {
  /** Seconds of the world at which it was heard; 0 until then. */
  doneAt = 0;
  protected readonly line: Line;

  constructor(air: Air) {
    this.line = new Line(air, air.heard);
  }

  /** Says one thing: what came of it, "" to go on at once. */
  protected abstract say(isFresh: boolean): string;

  act(): number | undefined {
    const { line } = this;
    const { session } = line;
    if (!line.connect()) return CONNECT_S;
    if (session !== line.session) line.hello();
    const said = this.say(session !== line.session);
    if (said === "rate-limited") return AGAIN_S;
    if (said !== "applied") return line.air.messageSeconds();
    this.doneAt = line.air.door.now;
    line.hangUp();
    return undefined;
  }
}

/** A resident's phone that opens the door. */
export class Opener extends Honest {
  readonly #phone: Phone;
  #body: Uint8Array | undefined;

  constructor(air: Air, phone: Phone) {
    super(air);
    this.#phone = phone;
  }

  protected say(isFresh: boolean): string {
    const { line } = this;
    if (isFresh || this.#body === undefined) {
      this.#body = this.#phone.unlockBody(line.challenge());
      return "";
    }
    const { result } = line.send(Type.unlock, this.#body);
    if (result !== "rate-limited") this.#body = undefined;
    return result;
  }
}

/** A courier with one bundle of the issuer. */
export class Carrier extends Honest {
  readonly #bundle: Uint8Array;

  constructor(air: Air, put: PutDelta) {
    super(air);
    this.#bundle = air.door.bundle([put]);
  }

  protected say(isFresh: boolean): string {
    if (isFresh) return "";
    const { head, result } = this.line.send(Type.bundle, this.#bundle);
    if (head.type !== Type.receipt) return result;
    this.line.air.good.push([Type.bundle, this.#bundle]);
    return "applied";
  }
}

/** A courier that wants to know which acks there are. */
export class Asker extends Honest {
  protected say(isFresh: boolean): string {
    if (isFresh) return "";
    const { head, result } = this.line.send(Type.ask, askBody({ first: 1 }));
    return head.type === Type.receipt ? "applied" : result;
  }
}

// ---- attackers

/**
 * What an attacker does with a line. `chatter` sends bytes without meaning, `silent` nothing, `halfway` stops where it gets interesting;
 * `forge` sends what is costly, again and again, and `hit-and-run` does so once.
 */
export type Habit = "silent" | "chatter" | "halfway" | "forge" | "hit-and-run";
export const HABITS: readonly Habit[] = ["silent", "chatter", "halfway", "forge", "hit-and-run"];

/** 64 bytes that only the arithmetic of a verification tells from a signature: S is below L. */
function signatureLike(dice: Dice): Uint8Array {
  const bytes = dice.bytes(64);
  bytes[63] &= 0x0f;
  return bytes;
}

/** Seconds from being hung up on, or finding no line, to the next attempt: at least, at most. */
export type Pause = readonly [number, number];

/** Somebody who knows whatever was ever sent to this lock, and has none of its keys. */
export class Attacker implements Actor {
  readonly #line: Line;
  readonly #habit: Habit;
  readonly #kinds: readonly Costly[];
  readonly #victim: Phone;
  readonly #pause: Pause;

  constructor(air: Air, habit: Habit, kinds: readonly Costly[], victim: Phone, pause: Pause) {
    this.#line = new Line(air);
    this.#habit = habit;
    this.#kinds = kinds;
    this.#victim = victim;
    this.#pause = pause;
  }

  act(): number {
    const line = this.#line;
    const { air, session } = line;
    if (session?.closed === true) {
      line.session = undefined;
      return air.seconds(...this.#pause);
    }
    if (!line.connect()) return air.seconds(...this.#pause);
    this.#use(session !== line.session);
    if (this.#habit === "hit-and-run" && line.session === undefined) return air.seconds(...this.#pause);
    return air.messageSeconds();
  }

  #use(isFresh: boolean): void {
    const line = this.#line;
    const { dice } = line.air;
    if (this.#habit === "silent") return;
    if (this.#habit === "chatter") {
      line.sendMessage(dice.bytes(dice.below(200)));
      return;
    }
    if (isFresh) {
      line.hello();
      return;
    }
    if (this.#habit === "halfway") {
      line.challenge();
      return;
    }
    line.send(...this.#costly(dice.pick(this.#kinds)));
    if (this.#habit === "hit-and-run") line.hangUp();
  }

  #costly(kind: Costly): [number, Uint8Array] {
    const { air } = this.#line;
    if (kind === "replay") return air.dice.pick(air.good);
    if (kind === "question") return [Type.ask, askBody({ first: 1, user: 1 + air.dice.below(100) })];
    return this.#forge(kind);
  }

  /** A message that passes every check but that of its signature. */
  #forge(kind: Forged): [number, Uint8Array] {
    const line = this.#line;
    const { door } = line.air;
    const { lock } = door.identity;
    const { dice } = line.air;
    // Nothing needs to be signed: any bytes in the form of a signature are as good.
    const crypto: Crypto = { ...door.crypto, ed25519Sign: () => signatureLike(dice) };
    const own = { seed: lock, publicKey: dice.bytes(32), kid: door.issuer.kid };
    const issuedAt = Math.floor(door.now);
    switch (kind) {
      case "bundle": {
        const { applied, head } = door.lock.parts.table;
        const bundle = { lock, epoch: 1, first: applied + 1, before: head.slice(), issuedAt, notAfter: 0 };
        return [Type.bundle, signBundle(crypto, own, bundle, [Uint8Array.of(0x82, 8, 0xa0)])];
      }
      case "heartbeat": {
        const beat = { lock, epoch: 1, issuedAt, acks: 0, events: 1 };
        return [Type.heartbeat, signHeartbeat(crypto, own, beat)];
      }
      case "claim": {
        const ticket = { lock, number: 2, owner: own.publicKey, site: "mine" };
        return [Type.claim, signClaim(crypto, own, ticket)];
      }
      case "keys":
        return [
          Type.keys,
          signKeyset(crypto, own, { lock, number: 2, keys: [{ ...own, may: 3 }], claim: 1 }),
        ];
      case "reset": {
        line.hello();
        return [Type.reset, signReset(crypto, own, { lock, claim: 1, nonce: line.nonce })];
      }
      case "time": {
        line.hello();
        return [Type.time, signTime(crypto, own, { lock, nonce: line.nonce, time: issuedAt, timeEpoch: 0 })];
      }
      default: {
        // Signed with another key than the one that it names.
        const { publicKey } = this.#victim.key;
        const nonce = line.challenge();
        const liar = { ...own, publicKey };
        return kind === "unlock"
          ? [Type.unlock, signUnlock(crypto, liar, { lock, nonce })]
          : [Type.command, signCommand(crypto, liar, { lock, nonce, op: 1, argument: new Uint8Array(0) })];
      }
    }
  }
}
