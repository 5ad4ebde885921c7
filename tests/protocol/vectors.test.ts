// The vectors of protocol/vectors: that the generator still makes exactly these files, that the lock core and the issuer's readers give what
// they say, and that cborg, node:crypto and whole numbers, which know nothing of this project, agree.

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as Cborg from "cborg";
import { Lock } from "../../firmware/core/lock";
import { formatParts } from "../../firmware/core/parts";
import { PROFILES } from "../../firmware/core/profile";
import type { Session } from "../../firmware/core/session";
import { noble } from "../../protocol/crypto/noble";
import { pageAad, unsealWith } from "../../protocol/crypto/seal";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { Reader, Writer } from "../../protocol/wire/cbor";
import { codeName } from "../../protocol/wire/codes";
import { Domain, readEnvelope, signEnvelope, verifyEnvelope } from "../../protocol/wire/cose";
import { Field, Op } from "../../protocol/wire/deltas";
import { emptyEvent, unpackEvent } from "../../protocol/wire/event";
import {
  frame,
  readFrame,
  readNonce,
  readPage,
  readResult,
  readStatus,
  Type,
} from "../../protocol/wire/messages";
import { readReceipt, writeReceipt } from "../../protocol/wire/receipt";
import { readRefusals } from "../../protocol/wire/refusals";
import { blankImage, VirtualBoard } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { type Exchange, withPlainEvents } from "../vectors/bench";
import type { EnvelopeCase, State } from "../vectors/cases";
import type { DeltaCase } from "../vectors/deltas";
import { VECTOR_FOLDER, vectorFiles } from "../vectors/generate";
import type { CourierCase, LockCase } from "../vectors/messages";
import type { ReceiptCase } from "../vectors/receipts";
import type { Step } from "../vectors/sessions";

// cborg exports itself to `import` alone, and tests run as CommonJS; Node takes the file by its path.
const cborg = require("../../node_modules/cborg/cborg.js") as typeof Cborg;

interface IdentityJson {
  readonly profile: string;
  readonly lock: string;
  readonly seed: string;
  readonly deviceSecret: string;
  readonly makerRoot: string;
}

interface KeyJson {
  readonly seed: string;
  readonly publicKey: string;
  readonly kid: string;
}

const load = (name: string) => JSON.parse(readFileSync(join(VECTOR_FOLDER, name), "utf8"));
const messages: { identity: IdentityJson; service: Exchange[]; toLock: CourierCase[]; fromLock: LockCase[] } =
  load("messages.json");
const envelopes: {
  identity: IdentityJson;
  keys: Record<string, KeyJson>;
  states: Record<State, Exchange[]>;
  cases: EnvelopeCase[];
  receipts: ReceiptCase[];
} = load("envelopes.json");
const deltas: { cases: DeltaCase[] } = load("deltas.json");
const sessions: { sessions: { name: string; identity: IdentityJson; steps: Step[] }[] } =
  load("sessions.json");

/** A lock as an identity of the files describes it, with the clock and the nonces that their steps give. */
class Replay {
  readonly #identity: IdentityJson;
  #board: VirtualBoard;
  #lock: Lock;
  #session: Session;
  #uptime = 0;
  #random = "";

  constructor(identity: IdentityJson) {
    this.#identity = identity;
    const profile = PROFILES.find(({ name }) => name === identity.profile);
    assert.ok(profile);
    const image = blankImage({
      profile: profile.id,
      lock: fromHex(identity.lock),
      seed: fromHex(identity.seed),
      deviceSecret: fromHex(identity.deviceSecret),
      makerRoot: fromHex(identity.makerRoot),
    });
    this.#board = this.#boardOf(image);
    formatParts(this.#board);
    this.#lock = new Lock(this.#board);
    this.#lock.tick();
    this.#session = this.#lock.open();
  }

  #boardOf(image: VirtualBoard["image"] extends () => infer I ? I : never): VirtualBoard {
    const random = (buffer: Uint8Array) => buffer.set(fromHex(this.#random).subarray(0, buffer.length));
    return new VirtualBoard({ image, crypto: node, world: { now: () => this.#uptime }, random });
  }

  powerCycle(): void {
    this.#uptime = 0;
    this.#board = this.#boardOf(this.#board.image());
    this.#lock = new Lock(this.#board);
    this.#lock.tick();
    this.newSession();
  }

  newSession(): void {
    this.#session = this.#lock.open();
  }

  send(message: Uint8Array, uptime: number, random = "0000000000000000"): Uint8Array {
    this.#uptime = uptime;
    this.#random = random;
    return this.#lock.receive(this.#session, message).slice();
  }

  /** Sends what an exchange sends; the answer must be byte for byte what it says, but for the lock's own event numbers. */
  exchange({ name, send, answer, uptime, random, reads }: Exchange): void {
    const got = withPlainEvents(this.send(fromHex(send), uptime, random));
    assert.equal(toHex(this.#withEvents(got, reads)), answer, name);
  }

  #withEvents(answer: Uint8Array, { nextEvent, eventHead }: Exchange["reads"]): Uint8Array {
    const { head, receipt } = receiptOf(answer);
    if (receipt === undefined) return answer;
    receipt.nextEvent = Number(nextEvent);
    receipt.eventHead = fromHex(String(eventHead));
    const writer = new Writer(new Uint8Array(answer.length + 64));
    writeReceipt(writer, receipt);
    const { lock, seed } = this.#identity;
    return frame(
      head.type,
      head.request,
      signEnvelope(node, Domain.receipt, fromHex(lock), writer.view(), fromHex(seed)),
    );
  }
}

function receiptOf(message: Uint8Array) {
  const reader = new Reader(message);
  const head = readFrame(reader);
  assert.ok(head);
  const envelope = head.type === Type.receipt ? readEnvelope(reader, message.length) : undefined;
  return { head, receipt: envelope && readReceipt(new Reader(envelope.payload)) };
}

/** An answer in one word: the name of its code, the names of its acks, or what it is. */
function answerOf(message: Uint8Array): { answer: string | string[]; detail: number } {
  const { head, receipt } = receiptOf(message);
  if (receipt !== undefined) return { answer: Array.from(receipt.codes, codeName), detail: 0 };
  const name = Object.keys(Type).find((each) => Type[each as keyof typeof Type] === head.type);
  if (head.type !== Type.result) return { answer: String(name), detail: 0 };
  const reader = new Reader(message);
  readFrame(reader);
  const result = readResult(reader);
  assert.ok(result);
  return { answer: codeName(result.code), detail: result.detail };
}

/** RFC 9052 §4.4 by cborg, RFC 8032 by OpenSSL. */
function isSigned(cose: Uint8Array, domain: string, publicKey: string): boolean {
  const [header, , payload, signature] = cborg.decode(cose, { useMaps: true }) as Uint8Array[];
  const signed = cborg.encode(["Signature1", header, new Uint8Array(Buffer.from(domain)), payload]);
  const x = Buffer.from(publicKey, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, signed, key, signature);
}

const sha256 = (...parts: string[]): string =>
  createHash("sha256")
    .update(Buffer.from(parts.join(""), "hex"))
    .digest("hex");

describe("vectors: the files", () => {
  for (const [name, text] of vectorFiles())
    it(`${name} is what the generator makes`, () => {
      assert.equal(
        readFileSync(join(VECTOR_FOLDER, name), "utf8"),
        text,
        "npm run vectors, and look at what changed",
      );
    });
});

describe("vectors: messages that are not signed", () => {
  const lock = new Replay(messages.identity);
  for (const exchange of messages.service) lock.exchange(exchange);
  const hello = messages.service[0].send;

  for (const { name, greeted, bytes, answer } of messages.toLock)
    it(`${name}: ${answer}`, () => {
      lock.newSession();
      if (greeted) lock.send(fromHex(hello), 1);
      const got = lock.send(fromHex(bytes), 1);
      const { head } = receiptOf(got);
      assert.equal(head.type === Type.receipt ? "receipt" : answerOf(got).answer, answer);
    });

  for (const { name, bytes, means } of messages.fromLock)
    it(`${name} ${means === null ? "is refused" : "is understood"}`, () => {
      const reader = new Reader(fromHex(bytes));
      const head = readFrame(reader);
      assert.equal(head?.request, 9);
      const fields = fieldsOf(head?.type ?? 0, reader);
      assert.deepEqual(fields && asJson(fields), means === null ? undefined : without(means, "type"));
    });
});

/** What a message from a lock says. */
function fieldsOf(type: number, reader: Reader): object | undefined {
  if (type === Type.status) return readStatus(reader);
  if (type === Type.result) return readResult(reader);
  if (type === Type.nonce) {
    const nonce = readNonce(reader);
    return nonce && { nonce };
  }
  if (type === Type.refusals) {
    const refusals = readRefusals(reader);
    return refusals && { refusals };
  }
  const sealed = readPage(reader);
  return sealed && { sealed };
}

/** An object with its bytes in hexadecimal. */
const asJson = (object: object): object =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      if (value instanceof Uint8Array) return [key, toHex(value)];
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      return [key, isObject ? asJson(value) : value];
    }),
  );
const without = (object: object, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

describe("vectors: signed messages", () => {
  it("every state is reached by its exchanges", () => {
    for (const steps of Object.values(envelopes.states)) {
      const lock = new Replay(envelopes.identity);
      for (const step of steps) lock.exchange(step);
    }
  });

  for (const { name, message, state, uptime, cose, answer, detail } of envelopes.cases)
    it(`${message}, ${state}: ${name}: ${answer}`, () => {
      const lock = new Replay(envelopes.identity);
      for (const step of envelopes.states[state]) lock.exchange(step);
      const got = answerOf(lock.send(frame(Type[message], 100, fromHex(cose)), uptime ?? 0));
      assert.deepEqual(got, { answer, detail: detail ?? 0 });
    });

  it("are signed, as OpenSSL sees it, wherever the answer is not malformed or bad-signature", () => {
    const { maker, owner, ...others } = envelopes.keys;
    let judged = 0;
    for (const { name, message, cose, answer } of envelopes.cases) {
      if (answer === "malformed" || answer === "unknown-key") continue;
      const [header, , payload] = cborg.decode(fromHex(cose), { useMaps: true }) as Uint8Array[];
      const kid = toHex(
        (cborg.decode(header, { useMaps: true }) as Map<number, Uint8Array>).get(4) ?? header,
      );
      const isRaise =
        message === "time" && (cborg.decode(payload, { useMaps: true }) as Map<number, number>).get(4) !== 0;
      const isPhone = message === "unlock" || message === "command";
      const content = cborg.decode(payload, { useMaps: true }) as Map<number, Uint8Array>;
      const named = Object.values(others).find((key) =>
        isPhone ? key.publicKey === toHex(content.get(3) ?? payload) : key.kid === kid,
      );
      const isOwners = message === "keys" || message === "rebase" || message === "reset" || isRaise;
      const key = message === "claim" ? maker : isOwners ? owner : named;
      assert.ok(key, name);
      assert.equal(
        isSigned(fromHex(cose), `tumbler/1 ${message}`, key.publicKey),
        answer !== "bad-signature",
        name,
      );
      judged++;
    }
    assert.ok(judged > 80);
  });

  for (const { name, cose, reads } of envelopes.receipts)
    it(`receipt: ${name}${typeof reads === "string" ? `: ${reads}` : ""}`, () => {
      const { publicKey } = envelopes.keys.lock;
      const reader = new Reader(fromHex(cose));
      const envelope = readEnvelope(reader, 2048);
      const isWhole = envelope !== undefined && reader.done();
      const isGood = isWhole && verifyEnvelope(node, envelope, Domain.receipt, fromHex(publicKey));
      const receipt = isGood ? readReceipt(new Reader(envelope.payload)) : undefined;
      if (reads === "bad-signature") assert.ok(isWhole && !isGood);
      else if (reads === "malformed") assert.ok(receipt === undefined && (!isWhole || isGood));
      else assert.deepEqual(receipt && asJson(receipt), reads);
      if (isWhole) assert.equal(isSigned(fromHex(cose), "tumbler/1 receipt", publicKey), isGood);
    });
});

/** The 41 bytes of an entry, each number in its number of bits (protocol/README.md, "Entries"). */
function entryOf(fields: ReadonlyMap<number, number | Uint8Array>, generation: number, disabled = 0): string {
  const number = (key: number): number => Number(fields.get(key) ?? 0);
  const bits = (value: number, width: number): string => value.toString(2).padStart(width, "0");
  const digits = number(Field.digits);
  const first =
    "00000" +
    bits(number(Field.slot), 10) +
    bits(number(Field.kind), 2) +
    bits(number(Field.role), 3) +
    bits(number(Field.minutesAfterFirstUse), 12) +
    bits(digits === 0 ? 0 : digits - 3, 3) +
    bits(number(Field.flags) + disabled, 5) +
    bits(number(Field.firstUseHours), 8) +
    bits(number(Field.uses), 16) +
    bits(generation, 24);
  const hex = (value: number, width: number): string => value.toString(16).padStart(2 * width, "0");
  const words = [Field.user, Field.grantor, Field.start, Field.end]
    .map((key) => hex(number(key), 4))
    .join("");
  return (
    BigInt(`0b1${first}`).toString(16).slice(1) +
    toHex(fields.get(Field.tag) as Uint8Array) +
    words +
    hex(number(Field.schedule), 1) +
    hex(number(Field.capabilities), 1)
  );
}

describe("vectors: deltas", () => {
  it("every put that is applied leaves the entry that its fields describe, under its own position", () => {
    let judged = 0;
    for (const { name, delta, code, given, entry } of deltas.cases) {
      const [op, fields] = cborg.decode(fromHex(delta), { useMaps: true }) as [number, Map<number, number>];
      if (op !== Op.put || entry === undefined || (code !== "applied" && code !== "installed")) continue;
      assert.equal(entry, entryOf(fields, given.length + 1), name);
      judged++;
    }
    assert.ok(judged >= 15);
  });

  it("a first put alone makes a digest of one item", () => {
    const alone = deltas.cases.filter(({ given, entry }) => given.length === 0 && entry !== undefined);
    assert.ok(alone.length >= 10);
    for (const { name, entry, digest } of alone) assert.equal(digest, sha256("01", entry ?? ""), name);
  });

  it("a delta that is refused or changes nothing leaves the digest as it was", () => {
    for (const { name, given, code, digest } of deltas.cases)
      if (given.length === 0 && code !== "applied" && code !== "installed")
        assert.equal(digest, "00".repeat(32), name);
  });

  it("every operation has a vector that is applied, and every code that a delta can get has one", () => {
    const applied = new Set<number>();
    const codes = new Set<string>();
    for (const { delta, code } of deltas.cases) {
      codes.add(code);
      if (code === "applied") applied.add((cborg.decode(fromHex(delta), { useMaps: true }) as number[])[0]);
    }
    assert.deepEqual(
      [...applied].sort((a, b) => a - b),
      Object.values(Op).sort((a, b) => a - b),
    );
    assert.deepEqual([...codes].sort(), [
      "applied",
      "bad-format",
      "capacity",
      "duplicate",
      "expired",
      "installed",
      "pin-too-short",
      "range",
      "schedule-in-use",
      "schedule-overlap",
      "stale-generation",
      "unchanged",
      "unknown-schedule",
      "unsupported",
    ]);
  });
});

describe("vectors: chain and digest", () => {
  const chain = load("chain.json");
  const digest = load("digest.json");

  it("genesis heads bind lock and epoch", () => {
    for (const { lock, epoch, head } of chain.genesis) {
      const name = Buffer.from("tumbler/1 head").toString("hex");
      assert.equal(sha256(name, lock, epoch.toString(16).padStart(8, "0")).slice(0, 32), head);
    }
    assert.equal(chain.heads[0].before, chain.genesis[0].head);
  });

  it("each head is the hash of the one before and the delta", () => {
    chain.heads.forEach(({ before, delta, after }: Record<string, string>, i: number) => {
      assert.equal(sha256(before, delta).slice(0, 32), after);
      if (i > 0) assert.equal(chain.heads[i - 1].after, before);
    });
  });

  it("items hash to what is written, entries are the fields that are written", () => {
    for (const { name, fields, entry, hash } of digest.entries) {
      const { generation, tag, flags, ...rest } = fields;
      const byKey = new Map<number, number | Uint8Array>([[Field.tag, fromHex(tag)]]);
      for (const [field, value] of Object.entries(rest))
        byKey.set(Field[field as keyof typeof Field], Number(value));
      assert.equal(entryOf(byKey, generation, flags), entry, name);
      assert.equal(sha256("01", entry), hash, name);
    }
    for (const { id, windows, packed, hash } of digest.schedules) {
      const words = windows.map(
        ([days, start, duration]: number[]) => days * 2 ** 22 + start * 2 ** 11 + duration - 1,
      );
      assert.deepEqual(words, packed);
      const hex = (value: number, width: number) => value.toString(16).padStart(width, "0");
      assert.equal(sha256("02", hex(id, 2), ...words.map((word: number) => hex(word, 8))), hash);
    }
    for (const { id, value, hash } of digest.settings)
      assert.equal(sha256("03", id.toString(16).padStart(2, "0"), value), hash);
  });

  it("sums are sums modulo 2^256", () => {
    const number = (hex: string): bigint => BigInt(`0x${hex}`);
    for (const { name, add, subtract, digest: expected } of digest.sums) {
      const total = add.reduce((sum: bigint, hash: string) => sum + number(hash), 0n);
      const rest = subtract.reduce((sum: bigint, hash: string) => sum - number(hash), total);
      assert.equal(BigInt.asUintN(256, rest), number(expected), name);
    }
  });
});

describe("vectors: events", () => {
  const { lock, eventKey, events, pages } = load("events.json");

  it("L9 each head is the hash of the one before and the event, from zeros on", () => {
    let head = "00".repeat(16);
    for (const event of events) {
      assert.equal(sha256(head, event.bytes).slice(0, 32), event.head);
      head = event.head;
    }
  });

  it("L1 events say what their fields are", () => {
    for (const { fields, bytes } of events) {
      const event = emptyEvent();
      unpackEvent(fromHex(bytes), 0, event);
      assert.deepEqual({ ...event }, fields);
    }
  });

  it("L10 pages open under the event key of their lock, and are a run of the chain", () => {
    for (const { name, sealed, reads } of pages) {
      const plain = unsealWith(noble, fromHex(eventKey), pageAad(fromHex(lock)), fromHex(sealed));
      assert.equal(plain === undefined, reads === null, name);
      if (plain === undefined) continue;
      const first = reads.first.toString(16).padStart(8, "0");
      assert.equal(toHex(plain), first + reads.head + reads.events.join(""), name);
      assert.equal(reads.head, reads.first === 1 ? "00".repeat(16) : events[reads.first - 2].head);
    }
  });
});

describe("vectors: sessions", () => {
  for (const { name, identity, steps } of sessions.sessions)
    it(`${name}: every byte of every answer`, () => {
      const lock = new Replay(identity);
      for (const step of steps) {
        if (!("event" in step)) lock.exchange(step);
        else if (step.event === "power-cycle") lock.powerCycle();
        else lock.newSession();
      }
    });

  it("every receipt verifies under the lock's public key, by OpenSSL", () => {
    for (const { identity, steps } of sessions.sessions) {
      const publicKey = toHex(node.ed25519PublicKey(fromHex(identity.seed)));
      for (const step of steps) {
        if ("event" in step || step.reads.type !== "receipt") continue;
        const [, , cose] = cborg.decode(fromHex(step.answer), { useMaps: true }) as [
          number,
          number,
          Uint8Array[],
        ];
        assert.ok(isSigned(cborg.encode(cose), "tumbler/1 receipt", publicKey), step.name);
      }
    }
  });
});
