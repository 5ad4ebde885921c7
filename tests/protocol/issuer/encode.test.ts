// The issuer writes with cbor-x, the lock reads with its strict reader: each is the other's oracle.

import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  BundleRoom,
  type Delta,
  encodeDelta,
  type PutDelta,
  signBundle,
  signClaim,
  signingKey,
  signKeyset,
  signTime,
} from "../../../protocol/issuer/encode";
import { packWindow } from "../../../protocol/issuer/windows";
import { Reader } from "../../../protocol/wire/cbor";
import { nextHead } from "../../../protocol/wire/chain";
import { Code } from "../../../protocol/wire/codes";
import { Domain, readEnvelope, verifyEnvelope } from "../../../protocol/wire/cose";
import { emptyDelta, Op, readDelta, skipDelta } from "../../../protocol/wire/deltas";
import { ALL_CAPABILITIES, emptyEntry, Kind, Role } from "../../../protocol/wire/entry";
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_DELTAS, MAX_SEQ, MAX_U32 } from "../../../protocol/wire/limits";
import { emptyBundle, readBundle, readClaim, readKeyset, readTime } from "../../../protocol/wire/payloads";
import type { Window } from "../../../protocol/wire/windows";
import { node } from "../../../simulator/board/crypto";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u8 = fc.nat(255);
const u32 = fc.nat(MAX_U32);
const seq = fc.integer({ min: 1, max: MAX_SEQ });
const user = fc.integer({ min: 1, max: MAX_U32 });

const terms = fc.record({
  role: fc.constantFrom(...Object.values(Role).filter((role) => role !== Role.guest)),
  schedule: u8,
  start: fc.integer({ min: 1, max: 0x7fffffff }),
  end: fc.oneof(fc.constant(0), fc.integer({ min: 0x80000000, max: MAX_U32 })),
  minutesAfterFirstUse: fc.nat(2880),
  firstUseHours: u8,
  capabilities: fc.nat(ALL_CAPABILITIES),
  flags: fc.nat(15).map((flags) => flags * 2),
});

const credential = fc.oneof(
  fc.record({ kind: fc.constant(Kind.pin), digits: fc.integer({ min: 4, max: 10 }) }),
  fc.record({ kind: fc.constantFrom(Kind.phone, Kind.card), digits: fc.constant(0) }),
);

const puts: fc.Arbitrary<PutDelta> = fc
  .tuple(terms, credential, fc.nat(0xffff), bytes(12), user, u32, fc.nat(0xffff), fc.nat(MAX_SEQ))
  .filter(([, , , , own, grantor]) => own !== grantor)
  .map(([rest, { kind, digits }, slot, tag, own, grantor, uses, generation]) => ({
    op: "put",
    slot,
    kind,
    tag,
    digits,
    user: own,
    grantor,
    uses,
    generation,
    ...rest,
  }));

const windows: fc.Arbitrary<Window> = fc.record({
  days: fc.integer({ min: 1, max: 127 }),
  start: fc.nat(1439),
  duration: fc.integer({ min: 1, max: 1440 }),
});

const deltas: fc.Arbitrary<Delta> = fc.oneof(
  { weight: 3, arbitrary: puts },
  fc
    .tuple(terms, fc.nat(0xffff), seq)
    .map(([rest, slot, generation]): Delta => ({ op: "change", slot, generation, ...rest })),
  fc
    .tuple(fc.constantFrom("drop" as const, "enable" as const, "disable" as const), fc.nat(0xffff), seq)
    .map(([op, slot, generation]): Delta => ({ op, slot, generation })),
  user.map((who): Delta => ({ op: "revoke", user: who })),
  fc
    .tuple(fc.integer({ min: 1, max: 255 }), fc.array(windows, { minLength: 1, maxLength: 8 }))
    .map(([id, list]): Delta => ({ op: "put-schedule", id, windows: list })),
  fc.integer({ min: 1, max: 255 }).map((id): Delta => ({ op: "drop-schedule", id })),
  fc
    .tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ minLength: 1, maxLength: 64 }))
    .map(([setting, value]): Delta => ({ op: "set", setting, value })),
  fc.constant<Delta>({ op: "wipe" }),
);

/** What the lock's reader must find, as plain values. */
function expected(delta: Delta): unknown {
  const entry = { ...emptyEntry(), tag: new Uint8Array(12) };
  switch (delta.op) {
    case "put":
    case "change":
    case "drop":
    case "enable":
    case "disable": {
      const { op, ...fields } = delta;
      return { op: Op[op], entry: { ...entry, ...fields } };
    }
    case "revoke":
      return { op: Op.revoke, user: delta.user };
    case "put-schedule":
      return { op: Op.putSchedule, id: delta.id, windows: delta.windows.map(packWindow) };
    case "drop-schedule":
      return { op: Op.dropSchedule, id: delta.id };
    case "set":
      return { op: Op.set, id: delta.setting, value: delta.value };
    case "wipe":
      return { op: Op.wipe };
  }
}

/** What the lock's reader finds, of those parts that count for the op. */
function found(encoded: Uint8Array): unknown {
  const delta = emptyDelta();
  assert.equal(readDelta(new Reader(encoded), delta), Code.applied);
  const { op, entry, user: who, id, value } = delta;
  if (op <= Op.disable) return { op, entry };
  if (op === Op.revoke) return { op, user: who };
  if (op === Op.putSchedule) return { op, id, windows: [...delta.windows.subarray(0, delta.windowCount)] };
  if (op === Op.dropSchedule) return { op, id };
  return op === Op.set ? { op, id, value: new Uint8Array(value) } : { op };
}

describe("S1 what the issuer writes, the lock's strict reader reads", () => {
  it("gives every delta back field by field", () => {
    fc.assert(
      fc.property(deltas, (delta) => {
        const encoded = encodeDelta(delta);
        const reader = new Reader(encoded);
        assert.ok(skipDelta(reader) && reader.done());
        assert.deepEqual(found(encoded), expected(delta));
      }),
    );
  });

  it("leaves out what is 0, so that one content has one form", () => {
    const long = encodeDelta({
      op: "change",
      slot: 0,
      generation: 7,
      role: 0,
      start: 0,
      end: 0,
      schedule: 0,
    });
    assert.deepEqual(long, encodeDelta({ op: "change", slot: 0, generation: 7, role: 0 }));
  });

  const key = signingKey(node, new Uint8Array(32).fill(7));
  const head = {
    lock: new Uint8Array(8).fill(1),
    epoch: 3,
    first: 40,
    before: new Uint8Array(16).fill(2),
    issuedAt: 1_800_000_000,
    notAfter: 0,
  };

  /** The payload of an envelope that must verify under `domain` and no other. */
  function opened(envelope: Uint8Array, domain: Uint8Array): Reader {
    const reader = new Reader(envelope);
    const parts = readEnvelope(reader, MAX_BUNDLE_BYTES);
    assert.ok(parts !== undefined && reader.done());
    assert.deepEqual(parts.kid, key.kid);
    for (const other of Object.values(Domain))
      assert.equal(verifyEnvelope(node, parts, other, key.publicKey), other === domain);
    return new Reader(parts.payload);
  }

  it("signs bundles that read back as the same run of deltas", () => {
    const notAfter = fc.constantFrom(0, 1, MAX_U32);
    fc.assert(
      fc.property(fc.array(deltas, { minLength: 1, maxLength: 40 }), notAfter, (list, limit) => {
        const bundleHead = { ...head, notAfter: limit };
        const room = new BundleRoom(bundleHead);
        const encoded = list.map(encodeDelta);
        const taken = encoded.slice(0, encoded.findIndex((delta) => !room.take(delta)) >>> 0);
        const envelope = signBundle(node, key, bundleHead, taken);
        assert.ok(envelope.length <= MAX_BUNDLE_BYTES && taken.length <= MAX_BUNDLE_DELTAS);
        const payload = opened(envelope, Domain.bundle);
        const bundle = emptyBundle();
        assert.ok(readBundle(payload, bundle));
        const { lock, epoch, first, before, issuedAt, count, offsets } = bundle;
        assert.deepEqual(
          { lock: lock.slice(), epoch, first, before: before.slice(), issuedAt, notAfter: bundle.notAfter },
          bundleHead,
        );
        assert.equal(count, taken.length);
        taken.forEach((delta, i) => {
          assert.deepEqual(payload.bytes.slice(offsets[i], offsets[i + 1]), delta);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("fills a bundle up to 2,048 bytes and not one more", () => {
    const filler = (size: number) =>
      encodeDelta({ op: "set", setting: 1, value: new Uint8Array(size).fill(1) });
    let largest = 0;
    for (let last = 1; last <= 64; last++) {
      const room = new BundleRoom(head);
      const list: Uint8Array[] = [];
      while (room.take(filler(64))) list.push(filler(64));
      if (!room.take(filler(last))) break;
      const size = signBundle(node, key, head, [...list, filler(last)]).length;
      assert.ok(size <= MAX_BUNDLE_BYTES);
      largest = Math.max(largest, size);
    }
    assert.equal(largest, MAX_BUNDLE_BYTES);
    const drops = Array.from({ length: 33 }, (_, slot) => encodeDelta({ op: "drop", slot, generation: 1 }));
    const room = new BundleRoom(head);
    assert.equal(drops.filter((delta) => room.take(delta)).length, MAX_BUNDLE_DELTAS);
  });

  it("signs claims, keysets and time answers that read back", () => {
    const { lock } = head;
    const owner = new Uint8Array(32).fill(9);
    const claim = readClaim(
      opened(signClaim(node, key, { lock, number: 2, owner, site: "höf" }), Domain.claim),
    );
    assert.deepEqual(claim && { ...claim, site: Buffer.from(claim.site).toString() }, {
      lock,
      number: 2,
      owner,
      site: "höf",
    });
    const keys = [1, 2, 3, 4].map((n) => ({
      kid: new Uint8Array(8).fill(n),
      publicKey: new Uint8Array(32).fill(n),
      may: n % 4,
    }));
    const keyset = { lock, number: MAX_U32, keys, claim: MAX_U32 };
    assert.deepEqual(readKeyset(opened(signKeyset(node, key, keyset), Domain.keys)), keyset);
    const answer = { lock, nonce: new Uint8Array(8).fill(5), time: MAX_U32, timeEpoch: 0xffff };
    assert.deepEqual(readTime(opened(signTime(node, key, answer), Domain.time)), answer);
  });

  it("chains over the very bytes that stand in the bundle", () => {
    const delta = encodeDelta({ op: "wipe" });
    const expectedHead = node.sha256(new Uint8Array([...head.before, ...delta])).slice(0, 16);
    assert.deepEqual(new Uint8Array(nextHead(node, head.before, delta)), expectedHead);
  });
});
