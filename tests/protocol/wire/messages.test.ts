// Bodies and payloads: what the writers write is what cborg encodes, and the readers give back what went in.

import assert from "node:assert/strict";
import fc from "fast-check";
import { Reader, Writer } from "../../../protocol/wire/cbor";
import {
  type Ask,
  askBody,
  emptyBody,
  fetchBody,
  frame,
  helloBody,
  nonceBody,
  pageBody,
  partBody,
  readAsk,
  readEmpty,
  readFetch,
  readFrame,
  readHello,
  readNonce,
  readPage,
  readPart,
  readResult,
  readStatus,
  resultMessage,
  type Status,
  Type,
  writeStatus,
} from "../../../protocol/wire/messages";
import {
  CommandOp,
  readCommand,
  readHeartbeat,
  readKeyset,
  readRebase,
  readReset,
  readUnlock,
} from "../../../protocol/wire/payloads";
import { type Receipt, readReceipt, writeReceipt } from "../../../protocol/wire/receipt";
import { canonical, hex, type Value } from "../../support/cbor";
import { pairs } from "./shapes";

const U32 = 0xffffffff;
const SEQ = 0xffffff;
const number = (min: number, max: number) => fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
const blob = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });
const { assert: always, property } = fc;
const plain = { noNullPrototype: true } as const;

/** That a body is these pairs to cborg. */
const isMap = (body: Uint8Array, fields: Readonly<Record<number, Value>>) =>
  assert.equal(hex(body), hex(canonical(pairs(fields))));

describe("bodies: what is written comes back", () => {
  it("frames carry type, request id and body", () => {
    always(
      property(number(0, 255), number(0, 65_535), (type, request) => {
        const message = frame(type, request, emptyBody());
        assert.equal(hex(message), hex(canonical([type, request, new Map()])));
        const reader = new Reader(message);
        assert.deepEqual(readFrame(reader), { type, request });
        assert.ok(readEmpty(reader));
      }),
    );
  });

  it("hello", () => {
    always(
      property(number(0, U32), (largest) => {
        isMap(helloBody(largest), { 0: [1], 1: largest });
        assert.deepEqual(readHello(new Reader(helloBody(largest))), { speaksOurs: true, largest });
      }),
    );
    const other = canonical(pairs({ 0: [2, 0], 1: 9 }));
    assert.deepEqual(readHello(new Reader(other)), { speaksOurs: false, largest: 9 });
  });

  it("status", () => {
    const statuses: fc.Arbitrary<Status> = fc.record(
      {
        shortId: blob(4),
        epoch: number(0, U32),
        applied: number(0, SEQ),
        largest: number(0, U32),
        deltas: number(0, U32),
        slots: number(0, U32),
        flags: number(0, 255),
        nonce: blob(8),
        keyset: number(0, U32),
        density: number(0, U32),
      },
      plain,
    );
    always(
      property(statuses, (status) => {
        const writer = new Writer(new Uint8Array(96));
        writeStatus(writer, status);
        const { shortId, epoch, applied, largest, deltas, slots, flags, nonce, keyset, density } = status;
        const limits = [largest, deltas, slots];
        isMap(writer.view(), {
          ...{ 0: 1, 1: shortId, 2: epoch, 3: applied, 4: limits, 5: flags, 6: nonce, 7: keyset },
          8: density,
        });
        assert.deepEqual(readStatus(new Reader(writer.view())), status);
      }),
    );
  });

  it("result, whose detail is there where it is not 0", () => {
    always(
      property(number(0, 65_535), number(0, 255), number(0, U32), (request, code, detail) => {
        const message = resultMessage(request, code, detail);
        const fields: [number, Value][] = detail > 0 ? [[1, detail]] : [];
        assert.equal(hex(message), hex(canonical([Type.result, request, new Map([[0, code], ...fields])])));
        const reader = new Reader(message);
        readFrame(reader);
        assert.deepEqual(readResult(reader), { code, detail });
      }),
    );
  });

  it("K2, K6, K7, P4 ask, with each of its questions and without", () => {
    const asks: fc.Arbitrary<Ask> = fc
      .record(
        {
          first: number(1, SEQ),
          user: number(0, U32),
          from: number(0, 65_534),
          length: number(0, 65_535),
          about: fc.boolean(),
        },
        plain,
      )
      .map(({ length, from, ...rest }) =>
        length === 0 ? { ...rest, from: 0, to: 0 } : { ...rest, from, to: Math.min(65_535, from + length) },
      );
    always(
      property(asks, (ask) => {
        const body = askBody(ask);
        const fields: Record<number, Value> = { 0: ask.first };
        if (ask.user > 0) fields[1] = ask.user;
        if (ask.to > 0) fields[2] = [ask.from, ask.to];
        if (ask.about) fields[3] = true;
        isMap(body, fields);
        assert.deepEqual(readAsk(new Reader(body)), ask);
      }),
    );
    isMap(askBody({ first: 1 }), { 0: 1 });
  });

  it("S9 part, X6 nonce, L3 fetch, L10 page", () => {
    always(
      property(number(1, 48), blob(0, 2000), number(1, U32), (n, bytes, seq) => {
        isMap(partBody(n, bytes), { 0: n, 1: bytes });
        assert.deepEqual(readPart(new Reader(partBody(n, bytes))), { number: n, bytes });
        isMap(fetchBody(seq), { 0: seq });
        assert.equal(readFetch(new Reader(fetchBody(seq))), seq);
      }),
    );
    always(
      property(blob(8), blob(0, 1596), (nonce, sealed) => {
        isMap(nonceBody(nonce), { 0: nonce });
        assert.deepEqual(readNonce(new Reader(nonceBody(nonce))), nonce);
        isMap(pageBody(sealed), { 0: sealed });
        assert.deepEqual(readPage(new Reader(pageBody(sealed))), sealed);
      }),
    );
  });

  it("bye, challenge and identify say nothing, perhaps with extensions", () => {
    assert.equal(hex(emptyBody()), "a0");
    assert.ok(readEmpty(new Reader(emptyBody())));
    assert.ok(readEmpty(new Reader(canonical(pairs({ 128: [1], 999: "x" })))));
  });
});

describe("payloads: what is encoded is what is read", () => {
  const LOCK = new Uint8Array([9, 8, 7, 6, 5, 4, 3, 2]);
  const reader = (fields: Readonly<Record<number, Value>>) =>
    new Reader(new Uint8Array(canonical(pairs({ 0: 1, 1: LOCK, ...fields }))));

  it("P7 keys names its claim", () => {
    const key = { kid: new Uint8Array(8), publicKey: new Uint8Array(32), may: 3 };
    always(
      property(number(1, U32), number(1, U32), (keyset, claim) => {
        const fields = { 2: keyset, 3: [[key.kid, key.publicKey, key.may]], 4: claim };
        assert.deepEqual(readKeyset(reader(fields)), { lock: LOCK, number: keyset, keys: [key], claim });
      }),
    );
  });

  it("S12 heartbeat, S9 rebase, X11 reset", () => {
    const prints = fc.array(blob(16), { maxLength: 48 });
    always(
      property(number(1, U32), number(1, U32), number(0, SEQ), prints, (epoch, issuedAt, seq, each) => {
        const beat = reader({ 2: epoch, 3: issuedAt, 4: seq, 5: issuedAt });
        assert.deepEqual(readHeartbeat(beat), { lock: LOCK, epoch, issuedAt, acks: seq, events: issuedAt });
        const order = readRebase(reader({ 2: epoch, 3: issuedAt, 4: seq, 5: each }));
        const joined = new Uint8Array(each.flatMap((print) => [...print]));
        assert.deepEqual(order, { lock: LOCK, epoch, issuedAt, base: seq, prints: joined });
      }),
    );
    always(
      property(number(1, U32), blob(8), (claim, nonce) => {
        assert.deepEqual(readReset(reader({ 2: claim, 3: nonce })), { lock: LOCK, claim, nonce });
      }),
    );
  });

  it("X6, X7 unlock and command", () => {
    always(
      property(blob(8), blob(32), number(0, 255), blob(1, 32), (nonce, publicKey, op, argument) => {
        const phone = { lock: LOCK, nonce, publicKey };
        assert.deepEqual(readUnlock(reader({ 2: nonce, 3: publicKey })), phone);
        const bare = readCommand(reader({ 2: nonce, 3: publicKey, 4: op }));
        assert.deepEqual(bare, { ...phone, op, argument: new Uint8Array(0) });
        const full = readCommand(reader({ 2: nonce, 3: publicKey, 4: op, 5: argument }));
        assert.deepEqual(full, { ...phone, op, argument });
      }),
    );
    assert.deepEqual(Object.values(CommandOp), [1, 2, 3, 4, 5, 6]);
  });

  it("a reader that failed before gives nothing", () => {
    for (const read of [readHeartbeat, readRebase, readReset, readUnlock, readCommand, readKeyset]) {
      const failed = reader({ 2: 1 });
      failed.fail();
      assert.equal(read(failed), undefined);
    }
  });
});

describe("receipts: what is written comes back", () => {
  const stated = {
    absence: fc.record({ user: number(1, U32), slots: number(0, U32) }, plain),
    range: fc
      .tuple(number(0, 65_534), number(1, 65_535), blob(32))
      .map(([from, length, digest]) => ({ from, to: Math.min(65_535, from + length), digest })),
    about: fc.record(
      {
        profile: number(0, 255),
        firmware: fc.constant(new Uint8Array(24).fill(0x2e)),
        features: number(0, U32),
      },
      plain,
    ),
  };
  const receipts: fc.Arbitrary<Receipt> = fc.record(
    {
      lock: blob(8),
      epoch: number(0, U32),
      applied: number(0, SEQ),
      head: blob(16),
      first: number(0, SEQ + 1),
      codes: blob(0, 256),
      details: fc
        .array(fc.tuple(number(0, 255), number(1, U32)), { maxLength: 5 })
        .map((each) => each.flat()),
      number: number(0, U32),
      boot: number(0, U32),
      time: number(0, U32),
      trust: number(0, 2),
      bound: number(0, U32),
      digest: blob(32),
      slots: number(0, U32),
      damaged: number(0, U32),
      schedules: number(0, U32),
      density: number(0, U32),
      nextEvent: number(0, U32),
      eventHead: blob(16),
      localCodes: number(0, 10),
      localDigest: blob(8),
      ...stated,
    },
    plain,
  );

  it("K1, K6, K7, P4 with everything that it may state and without", () => {
    const whole = fc.tuple(receipts, fc.subarray(["absence", "range", "about"] as const));
    always(
      property(whole, ([drawn, kept]) => {
        const receipt = { ...drawn };
        for (const each of ["absence", "range", "about"] as const)
          if (!kept.includes(each)) delete receipt[each];
        const writer = new Writer(new Uint8Array(1024));
        writeReceipt(writer, receipt);
        assert.deepEqual(readReceipt(new Reader(writer.view())), receipt);
        const { absence, range, about } = receipt;
        const fields: [number, Value][] = [
          [0, 1],
          [1, receipt.lock],
          [2, receipt.epoch],
          [3, receipt.applied],
          [4, receipt.head],
          [5, receipt.first],
          [6, receipt.codes],
          [7, receipt.details],
          [8, receipt.number],
          [9, receipt.boot],
        ];
        if (receipt.time > 0) fields.push([10, receipt.time]);
        fields.push([11, receipt.trust], [12, receipt.bound], [13, receipt.digest]);
        fields.push([14, [receipt.slots, receipt.damaged, receipt.schedules, receipt.density]]);
        fields.push([15, [receipt.nextEvent, receipt.eventHead]]);
        fields.push([16, [receipt.localCodes, receipt.localDigest]]);
        if (absence !== undefined) fields.push([17, [absence.user, absence.slots]]);
        if (range !== undefined) fields.push([18, [range.from, range.to, range.digest]]);
        if (about !== undefined)
          fields.push([19, [about.profile, Buffer.from(about.firmware).toString(), about.features]]);
        assert.equal(hex(writer.view()), hex(canonical(new Map(fields))));
      }),
    );
  });
});
