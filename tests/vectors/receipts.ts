// Receipts for envelopes.json, as an issuer meets them.

import type { SigningKey } from "../../protocol/issuer/encode";
import { ascii, fromHex, toHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { LOCK_ID, type Readable, SIGNERS, START } from "./bench";
import type { Pairs } from "./cases";
import { craft, flipped, headerOf, joined } from "./craft";

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
    [16, [10, new Uint8Array(8).fill(0xc2)]],
  ];
}

/** Receipts that are read, and that are refused. */
export function receipts(lockSigner: SigningKey): ReceiptCase[] {
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
    localCodes: 10,
    localDigest: "c2".repeat(8),
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
  add("a receipt with an unknown critical key", [[20, 0]], "malformed");
  add("a receipt without its local codes", [[16, undefined]], "malformed");
  add("eleven local codes", [[16, [11, new Uint8Array(8)]]], "malformed");
  add("a digest of local codes of seven bytes", [[16, [1, new Uint8Array(7)]]], "malformed");
  add("a receipt of version 2", [[0, 2]], "malformed");
  add("no slot of a user", [[17, [1003, 0]]], { ...reads, absence: { user: 1003, slots: 0 } });
  add("slots of user 0", [[17, [0, 0]]], "malformed");
  add("slots of nobody", [[17, [1003]]], "malformed");
  const sum = new Uint8Array(32).fill(0xa5);
  const range = { from: 0, to: 65_535, digest: toHex(sum) };
  add("the digest of some slots", [[18, [0, 65_535, sum]]], { ...reads, range });
  add("the digest of slots the other way round", [[18, [4, 3, sum]]], "malformed");
  add("the digest of some slots in 31 bytes", [[18, [0, 3, sum.subarray(1)]]], "malformed");
  const about = { profile: 1, firmware: toHex(ascii("tumbler 0.1.0")), features: 9 };
  add("what the lock is", [[19, [1, "tumbler 0.1.0", 9]]], { ...reads, about });
  add("what the lock is, in 25 bytes", [[19, [1, "a".repeat(25), 9]]], "malformed");
  add(
    "all that may be asked",
    [
      [17, [1003, 2]],
      [18, [0, 65_535, sum]],
      [19, [1, "tumbler 0.1.0", 9]],
    ],
    { ...reads, absence: { user: 1003, slots: 2 }, range, about },
  );
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
