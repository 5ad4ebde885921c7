// The cases of envelopes.json: the states of a lock that they come to, and payloads that differ from the usual one in what a case is about.

import { type Delta, encodeDelta, type SigningKey, signHeartbeat } from "../../protocol/issuer/encode";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { Role } from "../../protocol/wire/entry";
import { emptyBody, Type } from "../../protocol/wire/messages";
import { CommandOp } from "../../protocol/wire/payloads";
import { node } from "../../simulator/board/crypto";
import {
  Bench,
  claimTicket,
  type Exchange,
  KEYSET,
  keyset,
  LOCK_ID,
  phone,
  pin,
  SIGNERS,
  START,
} from "./bench";
import { type Crafted, craft } from "./craft";

/** What a lock went through before a case. */
export const STATES = [
  "unclaimed",
  "claimed",
  "untimed",
  "in-service",
  "advanced",
  "heard",
  "phones",
  "challenged",
] as const;
export type State = (typeof STATES)[number];

/** A signed message and its answer. */
export interface EnvelopeCase {
  readonly name: string;
  readonly message:
    | "claim"
    | "keys"
    | "time"
    | "bundle"
    | "heartbeat"
    | "rebase"
    | "reset"
    | "unlock"
    | "command";
  readonly state: State;
  /** Seconds since boot, where it is not 0. */
  readonly uptime?: number;
  readonly cose: string;
  /** The answer's code, or the codes of its acks. */
  readonly answer: string | readonly string[];
  readonly detail?: number;
}

/** The deltas that a lock in state "advanced" has applied. */
export const ADVANCED = [pin(0, "480213"), pin(1, "7391046")].map(encodeDelta);

/** When the heartbeat of state "heard" was signed. */
export const HEARD = START + 120;

/** The deltas that a lock in state "phones" has applied: an admin's phone that may everything, a resident's, and a disabled one. */
export const PHONES: readonly Delta[] = [
  phone(0, SIGNERS.phone.publicKey, { role: Role.admin, capabilities: 0x7f }),
  phone(1, SIGNERS.visitor.publicKey),
  phone(2, SIGNERS.former.publicKey, { capabilities: 0x7f }),
  { op: "disable", slot: 2, generation: 3 },
];

/** A lock in a state, and the exchanges that brought it there. */
export function benchIn(state: State): { bench: Bench; steps: Exchange[] } {
  const bench = new Bench();
  const steps = [bench.hello()];
  if (state !== "unclaimed") steps.push(bench.send("claim", Type.claim, claimTicket()));
  if (state !== "unclaimed" && state !== "claimed")
    steps.push(bench.send("keys", Type.keys, keyset()), bench.hello());
  if (STATES.indexOf(state) >= STATES.indexOf("in-service"))
    steps.push(bench.send("time", Type.time, bench.timeAnswer()), bench.hello());
  if (state === "advanced" || state === "heard")
    steps.push(bench.send("bundle", Type.bundle, bench.bundle(ADVANCED)));
  if (state === "heard") {
    const beat = { lock: LOCK_ID, epoch: 1, issuedAt: HEARD, acks: 2, events: 3 };
    steps.push(bench.send("heartbeat", Type.heartbeat, signHeartbeat(node, SIGNERS.issuer, beat)));
  }
  if (state === "phones" || state === "challenged")
    steps.push(bench.send("bundle", Type.bundle, bench.bundle(PHONES.map(encodeDelta))));
  if (state === "challenged") steps.push(bench.send("challenge", Type.challenge, emptyBody()));
  return { bench, steps };
}

export type Pairs = (readonly [number | string, CborValue])[];
export const OTHER_LOCK = fromHex("7b1d5a40c3e29f87");
export const SMALL_ORDER = fromHex(`01${"00".repeat(31)}`);
/** y = p + 1, which some take for y = 1. */
export const NOT_REDUCED = fromHex(`ee${"ff".repeat(30)}7f`);
const BASE: Readonly<Record<EnvelopeCase["message"], { signer: SigningKey; domain: string }>> = {
  claim: { signer: SIGNERS.maker, domain: "tumbler/1 claim" },
  keys: { signer: SIGNERS.owner, domain: "tumbler/1 keys" },
  time: { signer: SIGNERS.issuer, domain: "tumbler/1 time" },
  bundle: { signer: SIGNERS.issuer, domain: "tumbler/1 bundle" },
  heartbeat: { signer: SIGNERS.issuer, domain: "tumbler/1 heartbeat" },
  rebase: { signer: SIGNERS.owner, domain: "tumbler/1 rebase" },
  reset: { signer: SIGNERS.owner, domain: "tumbler/1 reset" },
  unlock: { signer: SIGNERS.phone, domain: "tumbler/1 unlock" },
  command: { signer: SIGNERS.phone, domain: "tumbler/1 command" },
};

/** What the payloads of a state's cases have to fit: made once, since the same exchanges give the same. */
type Place = Pick<Bench, "nonce" | "challenge" | "seq" | "head">;
const places = new Map<State, Place>();

export function placeIn(state: State): Place {
  const { nonce, challenge, seq, head } = places.get(state) ?? benchIn(state).bench;
  places.set(state, { nonce, challenge, seq, head });
  return { nonce, challenge, seq, head };
}

function usualPairs(message: EnvelopeCase["message"], state: State): Pairs {
  const start: Pairs = [
    [0, 1],
    [1, LOCK_ID],
  ];
  switch (message) {
    case "claim":
      return [...start, [2, 1], [3, SIGNERS.owner.publicKey], [4, "tower"]];
    case "keys":
      return [...start, [2, 6], [3, KEYSET.map(({ kid, publicKey, may }) => [kid, publicKey, may])], [4, 1]];
    case "time":
      return [...start, [2, placeIn(state).nonce], [3, START + 1], [4, 0]];
    case "heartbeat":
      return [...start, [2, 1], [3, HEARD + 60], [4, 1], [5, 2]];
    case "rebase":
      return [
        ...start,
        [2, 2],
        [3, START + 60],
        [4, 1],
        [5, [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]],
      ];
    case "reset":
      return [...start, [2, 1], [3, placeIn(state).nonce]];
    case "unlock":
      return [...start, [2, placeIn(state).challenge], [3, SIGNERS.phone.publicKey]];
    case "command":
      return [...start, [2, placeIn(state).challenge], [3, SIGNERS.phone.publicKey], [4, CommandOp.lock]];
    case "bundle": {
      const { seq, head } = placeIn(state);
      const put = [
        1,
        new Map<number, CborValue>([
          [0, 2],
          [1, 1],
          [2, pin(2, "601283").tag],
          [3, 6],
          [4, 1002],
          [5, 1],
        ]),
      ];
      return [...start, [2, 1], [3, seq + 1], [4, head], [5, START + 60], [7, [put]]];
    }
  }
}

/** The usual payload of a message with some pairs changed, added, or (value undefined) left out. */
export function payload(
  message: EnvelopeCase["message"],
  state: State,
  ...changes: (readonly [number | string, CborValue | undefined])[]
): Uint8Array {
  const pairs = new Map<number | string, CborValue>(usualPairs(message, state));
  for (const [key, value] of changes) {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  }
  return encode(pairs);
}

/** Collects the cases of one kind of message in one state. */
export class Cases {
  readonly list: EnvelopeCase[] = [];
  readonly #message: EnvelopeCase["message"];
  readonly #state: State;

  constructor(message: EnvelopeCase["message"], state: State) {
    this.#message = message;
    this.#state = state;
  }

  /** A case by its whole envelope. */
  bytes(
    name: string,
    cose: Uint8Array,
    answer: EnvelopeCase["answer"],
    more: { detail?: number; uptime?: number } = {},
  ): void {
    this.list.push({ name, message: this.#message, state: this.#state, ...more, cose: toHex(cose), answer });
  }

  /** A case that differs in its payload's pairs. */
  pairs(
    name: string,
    answer: EnvelopeCase["answer"],
    changes: (readonly [number | string, CborValue | undefined])[],
    more: { detail?: number; uptime?: number; signer?: SigningKey } = {},
  ): void {
    const { signer, ...rest } = more;
    const usual = BASE[this.#message];
    const content = payload(this.#message, this.#state, ...changes);
    this.bytes(name, craft({ ...usual, signer: signer ?? usual.signer, payload: content }), answer, rest);
  }

  /** A case that differs in its envelope. */
  envelope(name: string, answer: EnvelopeCase["answer"], changes: Partial<Crafted>): void {
    this.bytes(name, craft({ ...BASE[this.#message], payload: this.content(), ...changes }), answer);
  }

  content(): Uint8Array {
    return payload(this.#message, this.#state);
  }

  usual(): Uint8Array {
    return craft({ ...BASE[this.#message], payload: this.content() });
  }
}
