// envelopes.json: signed messages, each with the state of the lock that it comes to and the answer that it gets.

import { L500I } from "../../firmware/core/profile";
import { encodeDelta, type SigningKey } from "../../protocol/issuer/encode";
import { ascii, fromHex, toHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { genesisHead } from "../../protocol/wire/chain";
import { MAX_BUNDLE_BYTES, MAX_SEQ, MAX_U32 } from "../../protocol/wire/limits";
import { Type } from "../../protocol/wire/messages";
import { node } from "../../simulator/board/crypto";
import {
  Bench,
  claimTicket,
  type Exchange,
  KEYSET,
  keyset,
  LOCK_ID,
  pin,
  type Readable,
  readableIdentity,
  SIGNERS,
  START,
} from "./bench";
import { type Crafted, craft, flipped, headerOf, joined, payloadOf, withLargeS } from "./craft";

/** What a lock went through before a case. */
export const STATES = ["unclaimed", "claimed", "untimed", "in-service", "advanced"] as const;
export type State = (typeof STATES)[number];

/** A signed message and its answer. */
export interface EnvelopeCase {
  readonly name: string;
  readonly message: "claim" | "keys" | "time" | "bundle";
  readonly state: State;
  /** Seconds since boot, where it is not 0. */
  readonly uptime?: number;
  readonly cose: string;
  /** The answer's code, or the codes of its acks. */
  readonly answer: string | readonly string[];
  readonly detail?: number;
}

/** The deltas that a lock in state "advanced" has applied. */
const ADVANCED = [pin(0, "480213"), pin(1, "7391046")].map(encodeDelta);

/** A lock in a state, and the exchanges that brought it there. */
export function benchIn(state: State): { bench: Bench; steps: Exchange[] } {
  const bench = new Bench();
  const steps = [bench.hello()];
  if (state !== "unclaimed") steps.push(bench.send("claim", Type.claim, claimTicket()));
  if (state !== "unclaimed" && state !== "claimed")
    steps.push(bench.send("keys", Type.keys, keyset()), bench.hello());
  if (state === "in-service" || state === "advanced")
    steps.push(bench.send("time", Type.time, bench.timeAnswer()), bench.hello());
  if (state === "advanced") steps.push(bench.send("bundle", Type.bundle, bench.bundle(ADVANCED)));
  return { bench, steps };
}

type Pairs = (readonly [number | string, CborValue])[];
const OTHER_LOCK = fromHex("7b1d5a40c3e29f87");
const SMALL_ORDER = fromHex(`01${"00".repeat(31)}`);
/** y = p + 1, which some take for y = 1. */
const NOT_REDUCED = fromHex(`ee${"ff".repeat(30)}7f`);
const BASE: Readonly<Record<EnvelopeCase["message"], { signer: SigningKey; domain: string }>> = {
  claim: { signer: SIGNERS.maker, domain: "tumbler/1 claim" },
  keys: { signer: SIGNERS.owner, domain: "tumbler/1 keys" },
  time: { signer: SIGNERS.issuer, domain: "tumbler/1 time" },
  bundle: { signer: SIGNERS.issuer, domain: "tumbler/1 bundle" },
};

/** What the payloads of a state's cases have to fit: made once, since the same exchanges give the same. */
const places = new Map<State, { nonce: Uint8Array; seq: number; head: Uint8Array }>();

function placeIn(state: State): { nonce: Uint8Array; seq: number; head: Uint8Array } {
  const { nonce, seq, head } = places.get(state) ?? benchIn(state).bench;
  places.set(state, { nonce, seq, head });
  return { nonce, seq, head };
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
      return [...start, [2, 6], [3, KEYSET.map(({ kid, publicKey, may }) => [kid, publicKey, may])]];
    case "time":
      return [...start, [2, placeIn(state).nonce], [3, START + 1], [4, 0]];
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
function payload(
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
class Cases {
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

function claims(): EnvelopeCase[] {
  const first = new Cases("claim", "unclaimed");
  first.pairs("a claim", "applied", []);
  first.pairs("a claim of the highest number", "applied", [[2, MAX_U32]]);
  first.pairs("a site of one byte", "applied", [[4, "t"]]);
  first.pairs("a site of sixteen bytes", "applied", [[4, "sixteen-bytes-é"]]);
  first.pairs("a site of seventeen bytes", "malformed", [[4, "seventeen-bytes-x"]]);
  first.pairs("an empty site", "malformed", [[4, ""]]);
  for (const letter of ["/", "+", "#", "\u0000", "\u007f"])
    first.pairs(`a site with ${JSON.stringify(letter)}`, "malformed", [[4, `a${letter}b`]]);
  first.pairs("a site as bytes", "malformed", [[4, ascii("tower")]]);
  first.pairs("claim number 0", "malformed", [[2, 0]]);
  first.pairs("a claim number of 33 bits", "malformed", [[2, MAX_U32 + 1]]);
  first.pairs("an owner of 31 bytes", "malformed", [[3, new Uint8Array(31)]]);
  first.pairs("an owner of small order", "key-not-allowed", [[3, SMALL_ORDER]]);
  first.pairs("an owner that is not reduced", "key-not-allowed", [[3, NOT_REDUCED]]);
  first.pairs("a claim of another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  first.pairs("a lock id of seven bytes", "malformed", [[1, LOCK_ID.subarray(0, 7)]]);
  first.pairs("a claim of version 2", "malformed", [[0, 2]]);
  first.pairs("a claim without a site", "malformed", [[4, undefined]]);
  first.pairs("a claim with an extension", "applied", [[128, "new"]]);
  first.pairs("a claim with an unknown critical key", "malformed", [[5, 1]]);
  first.pairs("a claim signed by the owner", "bad-signature", [], { signer: SIGNERS.owner });
  first.envelope("a claim under any key id", "applied", { header: headerOf(new Uint8Array(8)) });
  first.envelope("a claim in the domain of keysets", "bad-signature", { domain: "tumbler/1 keys" });
  const again = new Cases("claim", "claimed");
  again.pairs("the same claim again", "already-applied", []);
  again.pairs("a second claim", "not-allowed", [[2, 2]]);
  again.pairs("the same number for another owner", "not-allowed", [[3, SIGNERS.stranger.publicKey]]);
  return [...first.list, ...again.list];
}

function keysets(): EnvelopeCase[] {
  const key = (signer: SigningKey, may: number): CborValue => [signer.kid, signer.publicKey, may];
  const all = Object.values(SIGNERS).map((signer) => key(signer, 3));
  const early = new Cases("keys", "unclaimed");
  early.pairs("a keyset before the claim", "unclaimed", []);
  const first = new Cases("keys", "claimed");
  first.pairs("a keyset", "applied", []);
  first.pairs("one key", "applied", [[3, all.slice(0, 1)]]);
  first.pairs("four keys", "applied", [[3, all.slice(0, 4)]]);
  first.pairs("five keys", "malformed", [[3, all.slice(0, 5)]]);
  first.pairs("no keys", "malformed", [[3, []]]);
  first.pairs("two keys of one id", "malformed", [
    [3, [all[0], [SIGNERS.maker.kid, SIGNERS.owner.publicKey, 1]]],
  ]);
  first.pairs("a key that may nothing", "applied", [[3, [key(SIGNERS.issuer, 0)]]]);
  first.pairs("a right above 255", "malformed", [[3, [key(SIGNERS.issuer, 256)]]]);
  first.pairs("a key of two parts", "malformed", [[3, [[SIGNERS.issuer.kid, SIGNERS.issuer.publicKey]]]]);
  first.pairs("a key id of seven bytes", "malformed", [
    [3, [[new Uint8Array(7), SIGNERS.issuer.publicKey, 3]]],
  ]);
  first.pairs("a key of small order", "key-not-allowed", [
    [3, [all[0], [new Uint8Array(8), SMALL_ORDER, 3]]],
  ]);
  first.pairs("keyset number 0", "malformed", [[2, 0]]);
  first.pairs("the highest keyset number", "applied", [[2, MAX_U32]]);
  first.pairs("a keyset of another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  first.pairs("a keyset with an extension", "applied", [[128, [[]]]]);
  first.pairs("a keyset with an unknown critical key", "malformed", [[4, 1]]);
  first.pairs("a keyset signed by the maker", "bad-signature", [], { signer: SIGNERS.maker });
  first.envelope("a keyset in the domain of bundles", "bad-signature", { domain: "tumbler/1 bundle" });
  const later = new Cases("keys", "in-service");
  later.bytes("the keyset in force again", keyset(), "already-applied");
  later.pairs("the next keyset", "applied", []);
  later.pairs("the number in force for other keys", "replayed", [
    [2, 5],
    [3, all.slice(0, 1)],
  ]);
  later.pairs("an earlier keyset", "replayed", [[2, 4]]);
  return [...early.list, ...first.list, ...later.list];
}

function times(): EnvelopeCase[] {
  const early = new Cases("time", "claimed");
  early.pairs("a time before any keyset", "unknown-key", []);
  const list = new Cases("time", "in-service");
  list.pairs("a time", "applied", []);
  list.pairs("a time of a key that may sign times", "applied", [], { signer: SIGNERS.clerk });
  list.pairs("a time of a key that may sign bundles", "key-not-allowed", [], { signer: SIGNERS.porter });
  list.pairs("a time of an unknown key", "unknown-key", [], { signer: SIGNERS.stranger });
  list.pairs("another nonce", "replayed", [[2, new Uint8Array(8)]]);
  list.pairs("a nonce of seven bytes", "malformed", [[2, new Uint8Array(7)]]);
  list.pairs("a time of another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("time 0", "malformed", [[3, 0]]);
  list.pairs("the last time there is", "applied", [[3, MAX_U32]]);
  list.pairs("a time of 33 bits", "malformed", [[3, MAX_U32 + 1]]);
  list.pairs("the very time of the floor", "applied", [[3, START]]);
  list.pairs("a time before the floor", "replayed", [[3, START - 1]]);
  list.pairs(
    "a higher time epoch by the owner, earlier than the floor",
    "applied",
    [
      [3, START - 1],
      [4, 1],
    ],
    {
      signer: SIGNERS.owner,
    },
  );
  list.pairs("a higher time epoch by an issuer", "bad-signature", [[4, 1]]);
  list.pairs("the highest time epoch", "applied", [[4, 0xffff]], { signer: SIGNERS.owner });
  list.pairs("a time epoch of 17 bits", "malformed", [[4, 0x10000]], { signer: SIGNERS.owner });
  list.pairs("an answer of 30 seconds", "applied", [], { uptime: 30 });
  list.pairs("an answer of 31 seconds", "timeout", [], { uptime: 31 });
  list.pairs("a time with an extension", "applied", [[200, null]]);
  list.pairs("a time with an unknown critical key", "malformed", [[5, null]]);
  list.envelope("a time in the domain of bundles", "bad-signature", { domain: "tumbler/1 bundle" });
  return [...early.list, ...list.list];
}

/** Envelopes round a payload that is right; any of the signed messages would do. */
function envelopes(): EnvelopeCase[] {
  const list = new Cases("bundle", "in-service");
  const usual = list.usual();
  const { kid } = SIGNERS.issuer;
  const small = (signature: Uint8Array) => joined(SMALL_ORDER, signature.subarray(32));
  list.bytes("a bundle", usual, ["applied"]);
  list.envelope("algorithm -8, EdDSA", "malformed", { header: headerOf(kid, -8) });
  list.envelope("algorithm -7, ECDSA", "malformed", { header: headerOf(kid, -7) });
  list.envelope("no algorithm", "malformed", { header: payloadOf([4, kid]) });
  list.envelope("no key id", "malformed", { header: payloadOf([1, -19]) });
  list.envelope("a key id of seven bytes", "malformed", { header: headerOf(kid.subarray(0, 7)) });
  list.envelope("a key id of nine bytes", "malformed", { header: headerOf(joined(kid, kid.subarray(0, 1))) });
  list.envelope("an extra protected header", "malformed", { header: payloadOf([1, -19], [3, 0], [4, kid]) });
  list.envelope("a critical protected header", "malformed", {
    header: payloadOf([1, -19], [2, [4]], [4, kid]),
  });
  list.envelope("an empty protected header", "malformed", { header: new Uint8Array(0) });
  list.envelope("a protected header out of order", "malformed", {
    header: joined(fromHex("a204"), encode(kid), fromHex("0132")),
  });
  list.envelope("the key id in the unprotected header", "malformed", {
    header: payloadOf([1, -19]),
    unprotected: payloadOf([4, kid]),
  });
  list.envelope("something in the unprotected header", "malformed", {
    unprotected: payloadOf([5, new Uint8Array(0)]),
  });
  list.envelope("a detached payload", "malformed", { payloadField: fromHex("f6") });
  list.envelope("a signature of 63 bytes", "malformed", { tamper: (signature) => signature.subarray(0, 63) });
  list.envelope("a signature of 65 bytes", "malformed", {
    tamper: (signature) => joined(signature, fromHex("00")),
  });
  list.bytes("an envelope of three", joined(fromHex("83"), usual.subarray(1, -66)), "malformed");
  list.bytes("a tagged envelope", joined(fromHex("d2"), usual), "malformed");
  list.bytes("a truncated envelope", usual.subarray(0, -1), "malformed");
  list.bytes("a trailing byte", joined(usual, fromHex("00")), "malformed");
  list.envelope("no envelope aad", "bad-signature", { domain: "" });
  list.envelope("the domain of claims", "bad-signature", { domain: "tumbler/1 claim" });
  list.envelope("the domain of keysets", "bad-signature", { domain: "tumbler/1 keys" });
  list.envelope("the domain of times", "bad-signature", { domain: "tumbler/1 time" });
  list.envelope("the domain of receipts", "bad-signature", { domain: "tumbler/1 receipt" });
  list.envelope("the domain of version 2", "bad-signature", { domain: "tumbler/2 bundle" });
  list.bytes("a flipped bit in R", flipped(usual, -64), "bad-signature");
  list.bytes("a flipped bit in S", flipped(usual, -32), "bad-signature");
  list.bytes("a flipped bit in the payload's last byte", flipped(usual, -67), "bad-signature");
  list.envelope("S + L", "bad-signature", { tamper: withLargeS });
  list.envelope("R of small order", "bad-signature", { tamper: small });
  list.envelope("a signature of zeros", "bad-signature", { tamper: () => new Uint8Array(64) });
  list.envelope("an unknown key", "unknown-key", { signer: SIGNERS.stranger });
  list.envelope("an unknown key under a known id", "bad-signature", {
    signer: SIGNERS.stranger,
    header: headerOf(kid),
  });
  list.envelope("a key that may sign times", "key-not-allowed", { signer: SIGNERS.clerk });
  list.envelope("a key that may sign bundles", ["applied"], { signer: SIGNERS.porter });
  list.envelope("the owner's root", "unknown-key", { signer: SIGNERS.owner });
  return list.list;
}

/** Payloads in an encoding that is not the deterministic one, or none at all. */
function encodings(): EnvelopeCase[] {
  const list = new Cases("bundle", "in-service");
  const content = toHex(list.content());
  const swap = (from: string, to: string) => fromHex(content.replace(from, to));
  const add = (name: string, changed: Uint8Array) => {
    if (toHex(changed) === content) throw new Error(`vectors: ${name} changes nothing`);
    list.envelope(name, "malformed", { payload: changed });
  };
  add("an epoch in two bytes", swap("0201", "021801"));
  add("an epoch in nine bytes", swap("0201", "021b0000000000000001"));
  add("an epoch as a float", swap("0201", "02f93c00"));
  add("an epoch as a bignum", swap("0201", "02c24101"));
  add("an indefinite map", fromHex(`bf${content.slice(2)}ff`));
  add("an indefinite list of deltas", fromHex(`${content.replace("0781", "079f")}ff`));
  add("an indefinite byte string", swap("0148", "015f48").slice());
  add("keys out of order", swap("02010301", "03010201"));
  add("a key twice", swap("02010301", "02010201"));
  add("keys out of order inside a delta", swap("a600020101", "a601010002"));
  add("a key twice inside a delta", swap("a600020101", "a600020002"));
  add("a trailing byte in the payload", fromHex(`${content}00`));
  add("a payload that ends too early", fromHex(content.slice(0, -2)));
  add("an empty payload", new Uint8Array(0));
  add("a payload that is a list", encode([1, LOCK_ID]));
  add("a text key", payload("bundle", "in-service", ["a", 1]));
  return list.list;
}

/** A put of `bytes` bytes: what is too much for a small one stands in an extension. */
function putOfSize(bytes: number): Uint8Array {
  const put = (filler: number) =>
    encode([
      1,
      new Map<number, CborValue>([
        [0, 2],
        [1, 1],
        [2, pin(2, "601283").tag],
        [3, 6],
        [4, 1002],
        [5, 1],
        [128, new Uint8Array(filler)],
      ]),
    ]);
  let filler = bytes;
  while (put(filler).length > bytes) filler--;
  return put(filler);
}

/** A bundle of exactly `bytes` bytes, with one delta. */
function bundleOfSize(bytes: number): Uint8Array {
  const make = (size: number) => new Bench().bundle([putOfSize(size)]);
  let size = bytes - 140;
  while (make(size).length < bytes) size++;
  return make(size);
}

function bundles(): EnvelopeCase[] {
  const list = new Cases("bundle", "in-service");
  const drop = (slot: number): CborValue => [
    3,
    new Map([
      [0, slot],
      [15, 0],
    ]),
  ];
  const drops = (count: number) => Array.from({ length: count }, (_, i) => drop(i % 10));
  const genesis = genesisHead(node, LOCK_ID, 1);
  list.pairs("32 deltas", Array(32).fill("unchanged"), [[7, drops(32)]]);
  list.pairs("33 deltas", "malformed", [[7, drops(33)]]);
  list.pairs("no deltas", "malformed", [[7, []]]);
  list.bytes("2,048 bytes", bundleOfSize(MAX_BUNDLE_BYTES), ["applied"]);
  list.bytes("2,049 bytes", bundleOfSize(MAX_BUNDLE_BYTES + 1), "too-large");
  list.pairs("a delta that is no pair", "malformed", [[7, [[12]]]]);
  list.pairs("a delta of three", "malformed", [[7, [[12, new Map(), 0]]]]);
  list.pairs("a delta without a map", "malformed", [[7, [[12, []]]]]);
  list.pairs("an operation of 17 bits", "malformed", [[7, [[0x10000, new Map()]]]]);
  list.pairs("an unknown operation", ["unsupported", "unchanged"], [[7, [[0xffff, new Map()], drop(0)]]]);
  list.pairs("position 0", "malformed", [[3, 0]]);
  list.pairs("the last position", "gap", [[3, MAX_SEQ]], { detail: 1 });
  list.pairs("a position of 25 bits", "malformed", [[3, MAX_SEQ + 1]]);
  list.pairs("deltas behind the last position", "malformed", [
    [3, MAX_SEQ],
    [7, drops(2)],
  ]);
  list.pairs("the second position first", "gap", [[3, 2]], { detail: 1 });
  list.pairs("a bundle of another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("an earlier epoch", "stale-epoch", [[2, 0]]);
  list.pairs("a later epoch", "need-rebase", [[2, 2]]);
  list.pairs("another genesis head", "fork", [[4, flipped(genesis, 0)]]);
  list.pairs("a head of 15 bytes", "malformed", [[4, genesis.subarray(0, 15)]]);
  list.pairs("another head under an unknown key", "unknown-key", [[4, flipped(genesis, 0)]], {
    signer: SIGNERS.stranger,
  });
  list.pairs("not applied after 0", "malformed", [[6, 0]]);
  list.pairs("not applied after the last second", ["applied"], [[6, MAX_U32]]);
  list.pairs("not applied after the clock's last possible second", ["applied"], [[6, START + 1]]);
  list.pairs("not applied after a second that may have passed", ["expired"], [[6, START]]);
  list.pairs("a bundle with an extension", ["applied"], [[128, new Map([["deep", [[[[[1]]]]]]])]]);
  const shallow = toHex(payload("bundle", "in-service", [128, 0]));
  list.envelope("an extension nested too deep", "malformed", {
    payload: fromHex(`${shallow.slice(0, -2)}${"81".repeat(8)}00`),
  });
  list.pairs("a bundle with an unknown critical key", "malformed", [[8, 1]]);
  const untimed = new Cases("bundle", "untimed");
  untimed.pairs("a limit in time for a lock without a clock", "need-time", [[6, MAX_U32]]);
  untimed.pairs("no limit in time for a lock without a clock", ["applied"], []);
  const claimed = new Cases("bundle", "claimed");
  claimed.pairs("a bundle before any keyset", "unknown-key", []);
  const unclaimed = new Cases("bundle", "unclaimed");
  unclaimed.pairs("a bundle before the claim", "unclaimed", []);
  return [...list.list, ...untimed.list, ...claimed.list, ...unclaimed.list, ...positions()];
}

/** What a lock that has applied two deltas says to bundles that touch them. */
function positions(): EnvelopeCase[] {
  const list = new Cases("bundle", "advanced");
  const sign = (deltas: readonly Uint8Array[], first: number, before: Uint8Array) =>
    new Bench().bundle(deltas, { first, before });
  const genesis = genesisHead(node, LOCK_ID, 1);
  const middle = (() => {
    const bench = new Bench();
    bench.bundle(ADVANCED.slice(0, 1));
    return bench.head;
  })();
  const { head } = placeIn("advanced");
  const next = encodeDelta(pin(2, "601283"));
  const other = encodeDelta(pin(1, "7391047"));
  list.bytes("the same deltas again", sign(ADVANCED, 1, genesis), ["applied", "applied"]);
  list.bytes("the first of them alone", sign(ADVANCED.slice(0, 1), 1, genesis), ["applied"]);
  list.bytes("the second with a new one", sign([ADVANCED[1], next], 2, middle), ["applied", "applied"]);
  list.bytes("all of them with a new one", sign([...ADVANCED, next], 1, genesis), [
    "applied",
    "applied",
    "applied",
  ]);
  list.bytes("a new one", sign([next], 3, head), ["applied"]);
  list.bytes("one too far", sign([next], 4, head), "gap", { detail: 3 });
  list.bytes("another delta at an applied position", sign([ADVANCED[0], other], 1, genesis), "fork");
  list.bytes("another delta at an applied position, and a new one", sign([other, next], 2, middle), "fork");
  list.bytes("a new one on another head", sign([next], 3, middle), "fork");
  return list.list;
}

/** How a receipt is refused, or what it says. */
export interface ReceiptCase {
  readonly name: string;
  readonly cose: string;
  /** The fields, or the name of the refusal. */
  readonly reads: Readable | "malformed" | "bad-signature";
}

function receiptPairs(): Pairs {
  return [
    [0, 1],
    [1, LOCK_ID],
    [2, 1],
    [3, 3],
    [4, fromHex("00112233445566778899aabbccddeeff")],
    [5, 2],
    [6, fromHex("0030")],
    [7, [0, 4]],
    [8, 1],
    [9, 2],
    [10, START],
    [11, 2],
    [12, 1],
    [13, new Uint8Array(32).fill(0xd1)],
    [14, [2, 0, 1, 1100]],
    [15, [9, new Uint8Array(16).fill(0xe7)]],
  ];
}

function receipts(lockSigner: SigningKey): ReceiptCase[] {
  const base = { signer: lockSigner, domain: "tumbler/1 receipt", header: headerOf(LOCK_ID) };
  const cases: ReceiptCase[] = [];
  const make = (changes: (readonly [number, CborValue | undefined])[]) => {
    const pairs = new Map(receiptPairs());
    for (const [key, value] of changes) {
      if (value === undefined) pairs.delete(key);
      else pairs.set(key, value);
    }
    return encode(pairs);
  };
  const reads = {
    lock: toHex(LOCK_ID),
    epoch: 1,
    applied: 3,
    head: "00112233445566778899aabbccddeeff",
    first: 2,
    codes: "0030",
    details: [0, 4],
    number: 1,
    boot: 2,
    time: START,
    trust: 2,
    bound: 1,
    digest: "d1".repeat(32),
    slots: 2,
    damaged: 0,
    schedules: 1,
    density: 1100,
    nextEvent: 9,
    eventHead: "e7".repeat(16),
  };
  const add = (
    name: string,
    changes: (readonly [number, CborValue | undefined])[],
    expected: Readable | "malformed",
  ) => {
    cases.push({ name, cose: toHex(craft({ ...base, payload: make(changes) })), reads: expected });
  };
  const refuse = (name: string, cose: Uint8Array, refusal: "malformed" | "bad-signature") => {
    cases.push({ name, cose: toHex(cose), reads: refusal });
  };
  const usual = craft({ ...base, payload: make([]) });
  add("a receipt", [], reads);
  add(
    "a receipt of a lock that does not know the time",
    [
      [10, undefined],
      [11, 0],
      [12, 0],
    ],
    { ...reads, time: 0, trust: 0, bound: 0 },
  );
  add(
    "a receipt without acks",
    [
      [6, new Uint8Array(0)],
      [7, []],
    ],
    { ...reads, codes: "", details: [] },
  );
  add(
    "256 acks",
    [
      [6, new Uint8Array(256)],
      [7, []],
    ],
    { ...reads, codes: "00".repeat(256), details: [] },
  );
  add("257 acks", [[6, new Uint8Array(257)]], "malformed");
  add("details that are no pairs", [[7, [0]]], "malformed");
  add("time 0", [[10, 0]], "malformed");
  add("trust 3", [[11, 3]], "malformed");
  add("a digest of 31 bytes", [[13, new Uint8Array(31)]], "malformed");
  add("three counts", [[14, [2, 0, 1]]], "malformed");
  add("a receipt without its events", [[15, undefined]], "malformed");
  add("a receipt with an extension", [[128, "new"]], reads);
  add("a receipt with an unknown critical key", [[16, 0]], "malformed");
  add("a receipt of version 2", [[0, 2]], "malformed");
  refuse("a flipped bit", flipped(usual, -1), "bad-signature");
  refuse("a flipped bit in the payload", flipped(usual, -67), "bad-signature");
  refuse(
    "another lock's key",
    craft({ ...base, signer: SIGNERS.stranger, payload: make([]) }),
    "bad-signature",
  );
  refuse(
    "the domain of bundles",
    craft({ ...base, domain: "tumbler/1 bundle", payload: make([]) }),
    "bad-signature",
  );
  refuse("algorithm -8", craft({ ...base, header: headerOf(LOCK_ID, -8), payload: make([]) }), "malformed");
  refuse("a truncated receipt", usual.subarray(0, -1), "malformed");
  refuse("a trailing byte", joined(usual, fromHex("00")), "malformed");
  return cases;
}

/** envelopes.json. `lockSigner` is the key of the bench's lock. */
export function envelopeVectors(lockSigner: SigningKey) {
  const about =
    "A case's envelope is the body of a message to a lock that the exchanges of its state were sent to; `answer` is the code of the result, or the names of the codes in the receipt.";
  const hexKey = ({ seed, publicKey, kid }: SigningKey) => ({
    seed: toHex(seed),
    publicKey: toHex(publicKey),
    kid: toHex(kid),
  });
  const keys = Object.fromEntries(
    Object.entries({ ...SIGNERS, lock: lockSigner }).map(([name, key]) => [name, hexKey(key)]),
  );
  const states = Object.fromEntries(STATES.map((state) => [state, benchIn(state).steps]));
  const cases = [...claims(), ...keysets(), ...times(), ...envelopes(), ...encodings(), ...bundles()];
  return { about, identity: readableIdentity(L500I), keys, states, cases, receipts: receipts(lockSigner) };
}
