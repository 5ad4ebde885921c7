// The issuer's writing: typed deltas and payloads → deterministic CBOR → signed envelopes. The lock's strict readers in ../wire judge
// every byte of it, and share nothing with it but the numbers of ops and fields.

import { keyId } from "../crypto/derive";
import type { Crypto } from "../crypto/port";
import type { CborValue } from "../wire/cborx";
import { decode, encode } from "../wire/cborx";
import { Domain, signEnvelope } from "../wire/cose";
import { Field, Op } from "../wire/deltas";
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_DELTAS, VERSION } from "../wire/limits";
import type { Command, Heartbeat, Keyset, ResetConsent, TimeAnswer, Unlock } from "../wire/payloads";
import type { Window } from "../wire/windows";

/** What a put and a change may say of a slot beside its credential; what is 0 or left out is not sent. Times are UTC seconds. */
export interface Terms {
  /** One of `Role`. */
  readonly role: number;
  readonly schedule?: number;
  readonly start?: number;
  readonly end?: number;
  readonly minutesAfterFirstUse?: number;
  readonly firstUseHours?: number;
  readonly capabilities?: number;
  readonly flags?: number;
}

/** Fills a slot. `generation` is the one that it replaces, 0 or left out for an empty slot. */
export interface PutDelta extends Terms {
  readonly op: "put";
  readonly slot: number;
  /** One of `Kind`. */
  readonly kind: number;
  /** 12 bytes. */
  readonly tag: Uint8Array;
  /** 4..10 for a PIN, 0 or left out for anything else. */
  readonly digits?: number;
  readonly user: number;
  readonly grantor?: number;
  readonly uses?: number;
  readonly generation?: number;
}

/** Replaces a slot's terms as a whole. */
export interface ChangeDelta extends Terms {
  readonly op: "change";
  readonly slot: number;
  readonly generation: number;
}

/** Empties a slot, or switches it on or off. */
export interface SlotDelta {
  readonly op: "drop" | "enable" | "disable";
  readonly slot: number;
  readonly generation: number;
}

/** One operation on a lock. */
export type Delta =
  | PutDelta
  | ChangeDelta
  | SlotDelta
  | { readonly op: "revoke"; readonly user: number }
  | { readonly op: "put-schedule"; readonly id: number; readonly windows: readonly Window[] }
  | { readonly op: "drop-schedule"; readonly id: number }
  | { readonly op: "set"; readonly setting: number; readonly value: Uint8Array }
  | { readonly op: "wipe" };

type Pair = [number, CborValue];

/** Pairs whose number is not 0. */
const present = (pairs: [number, number | undefined][]): Pair[] =>
  pairs.filter((pair): pair is [number, number] => pair[1] !== undefined && pair[1] !== 0);

function terms(delta: Terms): Pair[] {
  return [
    [Field.role, delta.role],
    ...present([
      [Field.schedule, delta.schedule],
      [Field.start, delta.start],
      [Field.end, delta.end],
      [Field.minutesAfterFirstUse, delta.minutesAfterFirstUse],
      [Field.firstUseHours, delta.firstUseHours],
      [Field.capabilities, delta.capabilities],
      [Field.flags, delta.flags],
    ]),
  ];
}

function put(delta: PutDelta): Pair[] {
  return [
    [Field.slot, delta.slot],
    [Field.kind, delta.kind],
    [Field.tag, delta.tag],
    [Field.user, delta.user],
    ...present([
      [Field.digits, delta.digits],
      [Field.grantor, delta.grantor],
      [Field.uses, delta.uses],
      [Field.generation, delta.generation],
    ]),
    ...terms(delta),
  ];
}

const SLOT_OPS = { drop: Op.drop, enable: Op.enable, disable: Op.disable } as const;

function parts(delta: Delta): [number, Pair[]] {
  switch (delta.op) {
    case "put":
      return [Op.put, put(delta)];
    case "change":
      return [Op.change, [[Field.slot, delta.slot], [Field.generation, delta.generation], ...terms(delta)]];
    case "drop":
    case "enable":
    case "disable": {
      const named: Pair[] = [
        [Field.slot, delta.slot],
        [Field.generation, delta.generation],
      ];
      return [SLOT_OPS[delta.op], named];
    }
    case "revoke":
      return [Op.revoke, [[Field.user, delta.user]]];
    case "put-schedule": {
      const windows = delta.windows.map(({ days, start, duration }) => [days, start, duration]);
      return [
        Op.putSchedule,
        [
          [0, delta.id],
          [1, windows],
        ],
      ];
    }
    case "drop-schedule":
      return [Op.dropSchedule, [[0, delta.id]]];
    case "set":
      return [
        Op.set,
        [
          [0, delta.setting],
          [1, delta.value],
        ],
      ];
    case "wipe":
      return [Op.wipe, []];
  }
}

/** The bytes of one delta, `[op, {…}]`, as the chain takes them. */
export function encodeDelta(delta: Delta): Uint8Array {
  const [op, pairs] = parts(delta);
  return encode([op, new Map(pairs)]);
}

/** A key that signs: its Ed25519 seed, and the id by which an envelope names it. */
export interface SigningKey {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly kid: Uint8Array;
}

/** The signing key of a 32-byte seed. */
export function signingKey(crypto: Crypto, seed: Uint8Array): SigningKey {
  const publicKey = crypto.ed25519PublicKey(seed);
  return { seed, publicKey, kid: keyId(crypto, publicKey) };
}

function sign(crypto: Crypto, domain: Uint8Array, key: SigningKey, payload: Uint8Array): Uint8Array {
  return signEnvelope(crypto, domain, key.kid, payload, key.seed);
}

const payloadOf = (lock: Uint8Array, pairs: Pair[]): Uint8Array =>
  encode(new Map<number, CborValue>([[0, VERSION], [1, lock], ...pairs]));

/** What a claim ticket says. */
export interface ClaimTicket {
  readonly lock: Uint8Array;
  /** Higher than that of any earlier claim of this lock. */
  readonly number: number;
  /** The public key of the owner's root. */
  readonly owner: Uint8Array;
  /** At most 16 bytes of UTF-8. */
  readonly site: string;
}

/** A claim ticket, signed by the maker's root (rule P1). */
export function signClaim(crypto: Crypto, maker: SigningKey, ticket: ClaimTicket): Uint8Array {
  const pairs: Pair[] = [
    [2, ticket.number],
    [3, ticket.owner],
    [4, ticket.site],
  ];
  return sign(crypto, Domain.claim, maker, payloadOf(ticket.lock, pairs));
}

/** The set of issuer keys, signed by the owner's root (rule P7). */
export function signKeyset(crypto: Crypto, owner: SigningKey, keyset: Keyset): Uint8Array {
  const keys = keyset.keys.map(({ kid, publicKey, may }) => [kid, publicKey, may]);
  const pairs: Pair[] = [
    [2, keyset.number],
    [3, keys],
    [4, keyset.claim],
  ];
  return sign(crypto, Domain.keys, owner, payloadOf(keyset.lock, pairs));
}

/** An answer to a lock's nonce, signed by an issuer key (rule T14). */
export function signTime(crypto: Crypto, issuer: SigningKey, answer: TimeAnswer): Uint8Array {
  const pairs: Pair[] = [
    [2, answer.nonce],
    [3, answer.time],
    [4, answer.timeEpoch],
  ];
  return sign(crypto, Domain.time, issuer, payloadOf(answer.lock, pairs));
}

/** An issuer's sign of life (rules S12, K2, L3), signed by an issuer key that may sign bundles. */
export function signHeartbeat(crypto: Crypto, issuer: SigningKey, heartbeat: Heartbeat): Uint8Array {
  const pairs: Pair[] = [
    [2, heartbeat.epoch],
    [3, heartbeat.issuedAt],
    [4, heartbeat.acks],
    [5, heartbeat.events],
  ];
  return sign(crypto, Domain.heartbeat, issuer, payloadOf(heartbeat.lock, pairs));
}

/** The consent to a factory reset in answer to a lock's nonce (rule X11), signed by the owner's root. */
export function signReset(crypto: Crypto, owner: SigningKey, consent: ResetConsent): Uint8Array {
  const pairs: Pair[] = [
    [2, consent.claim],
    [3, consent.nonce],
  ];
  return sign(crypto, Domain.reset, owner, payloadOf(consent.lock, pairs));
}

/** What a rebase order says. */
export interface RebaseHead {
  readonly lock: Uint8Array;
  /** Above the lock's. */
  readonly epoch: number;
  /** UTC seconds. */
  readonly issuedAt: number;
  /** The position at which the new log begins. */
  readonly base: number;
}

/** The order of a whole new table (rule S9), signed by the owner's root; `prints` are those of its parts, 16 bytes each. */
export function signRebase(
  crypto: Crypto,
  owner: SigningKey,
  head: RebaseHead,
  prints: readonly Uint8Array[],
): Uint8Array {
  const pairs: Pair[] = [
    [2, head.epoch],
    [3, head.issuedAt],
    [4, head.base],
    [5, [...prints]],
  ];
  return sign(crypto, Domain.rebase, owner, payloadOf(head.lock, pairs));
}

/** What a phone says of itself: the nonce that it answers, and its public key. */
const phonePairs = (phone: SigningKey, nonce: Uint8Array): Pair[] => [
  [2, nonce],
  [3, phone.publicKey],
];

/** A phone's request to open (rules S8, X6), signed by the phone's own key. */
export function signUnlock(
  crypto: Crypto,
  phone: SigningKey,
  { lock, nonce }: Omit<Unlock, "publicKey">,
): Uint8Array {
  return sign(crypto, Domain.unlock, phone, payloadOf(lock, phonePairs(phone, nonce)));
}

/** A phone's command (rules A61, X7), signed by the phone's own key. An empty argument is left out. */
export function signCommand(
  crypto: Crypto,
  phone: SigningKey,
  { lock, nonce, op, argument }: Omit<Command, "publicKey">,
): Uint8Array {
  const pairs: Pair[] = [...phonePairs(phone, nonce), [4, op]];
  if (argument.length > 0) pairs.push([5, argument]);
  return sign(crypto, Domain.command, phone, payloadOf(lock, pairs));
}

/** What a bundle says beside its deltas. */
export interface BundleHead {
  readonly lock: Uint8Array;
  readonly epoch: number;
  readonly first: number;
  /** The chain head before the first delta, 16 bytes. */
  readonly before: Uint8Array;
  /** UTC seconds. */
  readonly issuedAt: number;
  /** UTC seconds after which puts and enables lapse; 0 for never. */
  readonly notAfter: number;
}

function bundlePayload(head: BundleHead, deltas: readonly Uint8Array[]): Uint8Array {
  const pairs: Pair[] = [
    [2, head.epoch],
    [3, head.first],
    [4, head.before],
    [5, head.issuedAt],
    ...present([[6, head.notAfter]]),
    [7, deltas.map((delta) => decode(delta) as CborValue)],
  ];
  return payloadOf(head.lock, pairs);
}

/** A run of encoded deltas, signed by an issuer key. The caller keeps to {@link BundleRoom}. */
export function signBundle(
  crypto: Crypto,
  issuer: SigningKey,
  head: BundleHead,
  deltas: readonly Uint8Array[],
): Uint8Array {
  return sign(crypto, Domain.bundle, issuer, bundlePayload(head, deltas));
}

/** What the envelope adds to a payload: 1 + protected header 14 + empty map 1 + payload's head 3 + signature 66. */
const ENVELOPE_BYTES = 85;
/** A list of more than 23 deltas has a head one byte longer than an empty one. */
const LONG_LIST_BYTES = 1;

/** Counts what still fits into one bundle: 32 deltas and 2,048 bytes, the envelope included. */
export class BundleRoom {
  #bytes: number;
  #deltas = MAX_BUNDLE_DELTAS;

  constructor(head: BundleHead) {
    this.#bytes = MAX_BUNDLE_BYTES - ENVELOPE_BYTES - LONG_LIST_BYTES - bundlePayload(head, []).length;
  }

  /** Takes the room of one delta; false, with nothing taken, where there is none. */
  take(delta: Uint8Array): boolean {
    if (this.#deltas === 0 || delta.length > this.#bytes) return false;
    this.#deltas--;
    this.#bytes -= delta.length;
    return true;
  }
}
