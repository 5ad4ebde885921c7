// Bundles for envelopes.json: encodings, limits and positions.

import { encodeDelta } from "../../protocol/issuer/encode";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { genesisHead } from "../../protocol/wire/chain";
import { MAX_BUNDLE_BYTES, MAX_SEQ, MAX_U32 } from "../../protocol/wire/limits";
import { node } from "../../simulator/board/crypto";
import { Bench, LOCK_ID, pin, SIGNERS, START } from "./bench";
import { ADVANCED, Cases, type EnvelopeCase, OTHER_LOCK, payload, placeIn } from "./cases";
import { flipped } from "./craft";

/** Payloads in an encoding that is not the deterministic one, or none at all. */
export function encodings(): EnvelopeCase[] {
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

export function bundles(): EnvelopeCase[] {
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
