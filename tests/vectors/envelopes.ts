// envelopes.json: signed messages, each with the state of the lock that it comes to and the answer that it gets.

import { L500I } from "../../firmware/core/profile";
import type { SigningKey } from "../../protocol/issuer/encode";
import { ascii, fromHex, toHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { MAX_U32 } from "../../protocol/wire/limits";
import { keyset, LOCK_ID, readableIdentity, SIGNERS, START } from "./bench";
import { bundles, encodings } from "./bundles";
import { benchIn, Cases, type EnvelopeCase, NOT_REDUCED, OTHER_LOCK, SMALL_ORDER, STATES } from "./cases";
import { flipped, headerOf, joined, payloadOf, withLargeS } from "./craft";
import { commands, heartbeats, rebases, resets, unlocks } from "./orders";
import { receipts } from "./receipts";

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
  first.pairs("a keyset with an unknown critical key", "malformed", [[5, 1]]);
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
  later.pairs("the next keyset of another claim", "replayed", [[4, 2]]);
  later.pairs("the next keyset of no claim", "malformed", [[4, undefined]]);
  later.pairs("the next keyset of claim 0", "malformed", [[4, 0]]);
  later.pairs("the keyset of another claim, signed by an issuer", "bad-signature", [[4, 2]], {
    signer: SIGNERS.issuer,
  });
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
  const cases = [
    ...claims(),
    ...keysets(),
    ...times(),
    ...envelopes(),
    ...encodings(),
    ...bundles(),
    ...heartbeats(),
    ...rebases(),
    ...resets(),
    ...unlocks(),
    ...commands(),
  ];
  return { about, identity: readableIdentity(L500I), keys, states, cases, receipts: receipts(lockSigner) };
}
