// Several sessions on one small lock, and beside it a model of what it must answer, written from the protocol alone: positions, heads, acks,
// heartbeats and nonces as plain numbers and text. Every answer is compared with the model's, and every receipt with an independent table.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Lock } from "../../firmware/core/lock";
import { L500I } from "../../firmware/core/profile";
import type { Session } from "../../firmware/core/session";
import type { Board } from "../../firmware/ports";
import type { Crypto } from "../../protocol/crypto/port";
import { encodeDelta, signBundle, signHeartbeat, signTime } from "../../protocol/issuer/encode";
import { Reader } from "../../protocol/wire/cbor";
import { codeName } from "../../protocol/wire/codes";
import { readEnvelope } from "../../protocol/wire/cose";
import { MAX_BUNDLE_BYTES, MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import {
  askBody,
  emptyBody,
  fetchBody,
  frame,
  helloBody,
  readFrame,
  readPage,
  readResult,
  readStatus,
  Type,
} from "../../protocol/wire/messages";
import { readReceipt } from "../../protocol/wire/receipt";
import { type FlashImage, VirtualBoard } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { POWER_CUT, type Power } from "../../simulator/board/power";
import { Dice } from "../support/dice";
import { Door, MONDAY } from "../support/door";
import { hex, outcomes } from "../support/look";
import { type Operation, type Outcome, ReferenceTable } from "../support/reference";

const keyOf = (...parts: Uint8Array[]): string =>
  parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.length).toString("latin1")).join("|");

/** Remembers what a function of bytes gave. */
function remembered<T>(make: (...parts: Uint8Array[]) => T): (...parts: Uint8Array[]) => T {
  const known = new Map<string, T>();
  return (...parts) => {
    const key = keyOf(...parts);
    let value = known.get(key);
    if (value === undefined) {
      value = make(...parts);
      known.set(key, value);
    }
    return value;
  };
}

/** Callers may write into what they get. */
const copied =
  (make: (data: Uint8Array) => Uint8Array) =>
  (data: Uint8Array): Uint8Array =>
    make(data).slice();

/**
 * Cryptography that verifies the same message once, for tens of thousands of cases. What the lock itself signs or seals is judged elsewhere:
 * here it gets a signature of zeros, and pages stay open.
 */
export const quick: Crypto = {
  ...node,
  sha256: copied(remembered(node.sha256)),
  hmacSha256: remembered(node.hmacSha256),
  ed25519PublicKey: remembered(node.ed25519PublicKey),
  ed25519Verify: remembered(node.ed25519Verify),
  ed25519Sign: () => new Uint8Array(64),
  seal: (_key, _nonce, _aad, plain) => Uint8Array.of(...plain, ...new Uint8Array(16)),
};
const signing: Crypto = { ...node, ed25519Sign: remembered(node.ed25519Sign) };

/** One message of a courier: by its kind, or the bundle of positions `from` to `to`, counted behind the history. */
export type Step =
  | "hello"
  | "time"
  | "ask"
  | "beat"
  | "late-beat"
  | "fetch"
  | "bye"
  | "tick"
  | { readonly from: number; readonly to: number; readonly signedAt?: number; readonly notAfter?: number };

const HOUR_S = 3600;
const POSITIONS = 8;

/** Eight deltas behind a history; that they act once, in their order, shows in the generations, in the acks and in the table. */
function deltasOf(door: Door, history: number): Operation[] {
  const generation = history + 1;
  return [
    door.pin(1, "4711080", { user: 1001 }),
    door.pin(2, "6062255", { user: 1002, grantor: 1001, start: MONDAY - HOUR_S }),
    { ...door.pin(3, "4711080"), user: 9 },
    { op: "change", slot: 1, generation, role: 2 },
    { op: "set", setting: 3, value: Uint8Array.of(1, 9) },
    { op: "revoke", user: 1001 },
    door.pin(1, "90210887", { user: 1003 }),
    { op: "disable", slot: 1, generation: history + 7 },
  ];
}

/** A heartbeat's signed body, and what it says. */
interface Beat {
  readonly body: Uint8Array;
  readonly issuedAt: number;
  readonly acks: number;
}

/** A claimed lock with a history, the deltas that couriers bring, and what must become of them. */
export class Site {
  readonly door = new Door({ profile: L500I });
  readonly image: FlashImage;
  readonly history: number;
  readonly total: number;
  readonly #encoded: Uint8Array[];
  readonly #heads: Uint8Array[] = [];
  readonly #bundles = new Map<string, Uint8Array>();
  #beats: Beat[] | undefined;
  /** By whether the time was known when the second delta came: outcomes of all positions, and the digest at each. */
  readonly #ladders: readonly { outcomes: Outcome[]; digests: string[] }[];

  constructor(history = 2) {
    const { door } = this;
    const past = Array.from(
      { length: history },
      (_, i): Operation => ({ op: "set", setting: 3, value: Uint8Array.of(0, i % 200) }),
    );
    door.apply(...past);
    this.history = history;
    this.total = history + POSITIONS;
    this.image = door.board.image();
    const deltas = deltasOf(door, history);
    this.#ladders = [false, true].map((known) => {
      const table = new ReferenceTable(L500I);
      const digests = [table.digest()];
      for (const delta of [...past, ...deltas]) {
        table.apply(delta, { known, now: MONDAY });
        digests.push(table.digest());
      }
      return { outcomes: table.outcomes, digests };
    });
    this.#encoded = deltas.map(encodeDelta);
    this.#heads[history] = door.head;
    this.#encoded.forEach((delta, i) => {
      const hash = createHash("sha256")
        .update(this.#heads[history + i])
        .update(delta)
        .digest();
      this.#heads[history + i + 1] = Uint8Array.from(hash.subarray(0, 16));
    });
  }

  head(seq: number): string {
    return hex(this.#heads[seq]);
  }

  ladder(known: boolean): { outcomes: Outcome[]; digests: string[] } {
    return this.#ladders[Number(known)];
  }

  bundle({ from, to, signedAt = 0, notAfter = 0 }: Exclude<Step, string>): Uint8Array {
    const key = [from, to, signedAt, notAfter].join();
    let body = this.#bundles.get(key);
    if (body === undefined) {
      const { door, history } = this;
      const { lock } = door.identity;
      const before = this.#heads[history + from - 1];
      const issuedAt = MONDAY + signedAt;
      const head = { lock, epoch: 1, first: history + from, before, issuedAt, notAfter };
      body = signBundle(signing, door.issuer, head, this.#encoded.slice(from - 1, to));
      this.#bundles.set(key, body);
    }
    return body;
  }

  /** Two heartbeats: an early one that has seen the history, and a late one that has seen all but the last position. */
  beat(isLate: boolean): Beat {
    this.#beats ??= [this.#signBeat(false), this.#signBeat(true)];
    return this.#beats[Number(isLate)];
  }

  #signBeat(isLate: boolean): Beat {
    const { door, history } = this;
    const issuedAt = MONDAY + (isLate ? 20 : 10);
    const acks = isLate ? this.total - 1 : history;
    const heartbeat = { lock: door.identity.lock, epoch: 1, issuedAt, acks, events: 1 };
    return { body: signHeartbeat(signing, door.issuer, heartbeat), issuedAt, acks };
  }

  time(nonce: Uint8Array): Uint8Array {
    return signTime(signing, this.door.issuer, {
      lock: this.door.identity.lock,
      nonce,
      time: MONDAY,
      timeEpoch: 0,
    });
  }
}

/** What the model knows of a session. */
interface Line {
  session: Session;
  greeted: boolean;
  nonce: Uint8Array;
  isFresh: boolean;
  request: number;
  last: { message: Uint8Array; answer: Uint8Array } | undefined;
}

export type Medium = "network" | "radio";

/** A lock that was booted from a site's flash, its sessions, and the model. */
export class Race {
  readonly site: Site;
  readonly board: VirtualBoard;
  readonly parts: Partial<Board>;
  /** The supply of the board, where it may go. */
  power: Power | undefined;
  lock: Lock;
  lines: Line[] = [];
  /** The model. */
  applied: number;
  known = false;
  /** Whether the time was known when the second delta came. */
  knewStart = false;
  freed = 0;
  heard = { issuedAt: 0, acks: 0 };
  readonly #sent: [line: number, step: Step][] = [];
  readonly #events = new Map<number, string>();

  constructor(
    site: Site,
    media: readonly Medium[],
    parts: (board: VirtualBoard) => Partial<Board> = () => ({}),
  ) {
    this.site = site;
    this.applied = site.history;
    const world = { now: () => MONDAY };
    this.board = new VirtualBoard({ image: site.image, crypto: quick, world, random: new Dice(7).fill });
    this.parts = parts(this.board);
    this.lock = new Lock({ ...this.board, ...this.parts });
    for (const medium of media) this.connect(this.lines.length, medium);
  }

  /** What was sent, for the message of a failure. */
  get trace(): string {
    return this.#sent.map(([line, step]) => `${line}:${JSON.stringify(step)}`).join(" ");
  }

  /** A courier's connection begins, or begins anew. */
  connect(line: number, medium: Medium): void {
    const before = this.lines[line];
    if (before !== undefined) this.lock.close(before.session);
    const session = this.lock.open(medium);
    assert.ok(session !== undefined, "no room for a session");
    const nonce = new Uint8Array(8);
    this.lines[line] = { session, greeted: false, nonce, isFresh: false, request: 0, last: undefined };
  }

  /** Power fails: nothing goes on but flash. */
  reboot(parts: Partial<Board> = {}): void {
    const media = this.lines.map(({ session }) => session.medium);
    this.power = undefined;
    this.lock = new Lock({ ...this.board, ...parts });
    this.known = false;
    this.lines = [];
    for (const medium of media) this.connect(this.lines.length, medium);
  }

  messageOf(line: number, step: Step): Uint8Array {
    const at = this.lines[line];
    return frame(...this.#typed(at, step));
  }

  #typed(line: Line, step: Step): [number, number, Uint8Array] {
    const id = ++line.request;
    if (typeof step !== "string") return [Type.bundle, id, this.site.bundle(step)];
    switch (step) {
      case "hello":
        return [Type.hello, id, helloBody(MAX_MESSAGE_BYTES)];
      case "time":
        return [Type.time, id, this.site.time(line.nonce)];
      case "ask":
        return [Type.ask, id, askBody({ first: 1 })];
      case "beat":
        return [Type.heartbeat, id, this.site.beat(false).body];
      case "late-beat":
        return [Type.heartbeat, id, this.site.beat(true).body];
      case "fetch":
        return [Type.fetch, id, fetchBody(1)];
      default:
        return [Type.bye, id, emptyBody()];
    }
  }

  /** Sends a step's message and holds the answer against the model. */
  step(line: number, step: Step): void {
    if (step === "tick") this.#tick();
    else this.send(line, step, this.messageOf(line, step));
  }

  #tick(): void {
    this.lock.tick();
    this.#expectPower();
  }

  /** What a lock does and says whose power has gone counts for nothing. */
  #expectPower(): void {
    if (this.power?.isOn === false) throw POWER_CUT;
  }

  /** The last message again under the same request id: the very same answer, and nothing happens. */
  again(line: number): void {
    const { session, last } = this.lines[line];
    assert.ok(last !== undefined);
    assert.deepEqual(this.lock.receive(session, last.message.slice()), last.answer);
  }

  send(line: number, step: Step, message: Uint8Array): void {
    const at = this.lines[line];
    this.#sent.push([line, step]);
    const answer = this.lock.receive(at.session, message).slice();
    this.#expectPower();
    at.last = { message, answer };
    const wanted = this.#wanted(at, step);
    const got = this.#read(at, answer);
    if (got !== wanted) assert.fail(`${this.trace}\nwanted ${wanted}\ngot    ${got}`);
  }

  // ---- what must be answered

  #wanted(line: Line, step: Step): string {
    if (step === "hello") {
      line.greeted = line.isFresh = true;
      return `status ${this.applied}`;
    }
    if (!line.greeted) return "bad-state";
    if (typeof step !== "string") return this.#wantedOfBundle(step);
    switch (step) {
      case "time":
        if (!line.isFresh) return "replayed";
        line.isFresh = false;
        this.known = true;
        return "applied";
      case "ask":
        return this.#receipt(1, this.site.total);
      case "beat":
      case "late-beat":
        return this.#wantedOfBeat(this.site.beat(step === "late-beat"));
      case "fetch":
        return "page";
      default:
        line.greeted = false;
        return "applied";
    }
  }

  #wantedOfBundle({ from, to, notAfter = 0 }: Exclude<Step, string>): string {
    const { history } = this.site;
    const [first, last] = [history + from, history + to];
    if (first > this.applied + 1) return `gap ${this.applied + 1}`;
    if (last > this.applied && notAfter > 0 && !this.known) return "need-time";
    const second = history + 2;
    if (this.applied < second && last >= second) this.knewStart = this.known;
    this.applied = Math.max(this.applied, last);
    return this.#receipt(first, last);
  }

  #wantedOfBeat({ issuedAt, acks }: Beat): string {
    const seen = Math.min(acks, this.applied);
    if (issuedAt < this.heard.issuedAt) return "replayed";
    if (issuedAt === this.heard.issuedAt) return seen <= this.heard.acks ? "already-applied" : "replayed";
    this.heard = { issuedAt, acks: Math.max(seen, this.heard.acks) };
    this.freed = this.heard.acks;
    return "applied";
  }

  #receipt(first: number, last: number): string {
    const { site, applied } = this;
    const from = Math.max(first, this.freed + 1);
    const ladder = site.ladder(this.knewStart);
    const acks = ladder.outcomes.slice(from - 1, Math.max(from - 1, Math.min(last, applied)));
    return receiptText(
      applied,
      site.head(applied),
      ladder.digests[applied],
      acks.length > 0 ? from : 0,
      acks,
    );
  }

  // ---- what was answered

  #read(line: Line, answer: Uint8Array): string {
    const reader = new Reader(answer);
    const head = readFrame(reader);
    assert.equal(head?.request, line.request);
    switch (head.type) {
      case Type.status: {
        const status = readStatus(reader);
        assert.ok(status !== undefined);
        line.nonce = status.nonce.slice();
        return `status ${status.applied}`;
      }
      case Type.result: {
        const result = readResult(reader);
        assert.ok(result !== undefined);
        return codeName(result.code) + (result.detail > 0 ? ` ${result.detail}` : "");
      }
      case Type.page:
        this.#takePage(readPage(reader));
        return "page";
      default: {
        const envelope = readEnvelope(reader, MAX_BUNDLE_BYTES);
        const receipt = envelope && readReceipt(new Reader(envelope.payload));
        assert.ok(receipt !== undefined);
        const { applied, first, codes, damaged } = receipt;
        assert.equal(damaged, 0);
        const from = codes.length > 0 ? first : 0;
        return receiptText(applied, hex(receipt.head), hex(receipt.digest), from, outcomes(receipt));
      }
    }
  }

  /** Events are numbered one by one, and whoever fetches one gets the same. */
  #takePage(page: Uint8Array | undefined): void {
    assert.ok(page !== undefined);
    const plain = Buffer.from(page.buffer, page.byteOffset + 24, page.length - 40);
    const first = plain.readUInt32BE(0);
    for (let at = 20, seq = first; at < plain.length; at += 32, seq++) {
      const entry = plain.toString("hex", at, at + 32);
      assert.equal(plain.readUInt32BE(at + 4), seq);
      assert.equal(this.#events.get(seq) ?? entry, entry, `event ${seq}`);
      this.#events.set(seq, entry);
    }
  }

  // ---- the end

  /** The table as it stands: position, head and digest, and every ack that is kept. */
  check(): void {
    const { table, digest } = this.lock.parts;
    const { site, applied, freed } = this;
    const { outcomes: all, digests } = site.ladder(this.knewStart);
    const got = [table.applied, hex(table.head), hex(digest.of(table))];
    const wanted = [applied, site.head(applied), digests[applied]];
    for (let seq = freed + 1; seq <= applied; seq++) {
      got.push(codeName(table.acks.code(seq)), table.acks.detail(seq));
      wanted.push(all[seq - 1].code, all[seq - 1].detail);
    }
    if (got.join() !== wanted.join()) assert.fail(`${this.trace}\nwanted ${wanted}\ngot    ${got}`);
  }

  /** The same from flash alone, counted anew; then whatever is missing comes, once. */
  finish(): void {
    this.check();
    this.reboot(this.parts);
    this.check();
    for (const step of ["hello", "time", { from: 1, to: POSITIONS }, "ask", "tick"] as const)
      this.step(0, step);
    assert.equal(this.applied, this.site.total);
    this.check();
  }

  /** What is left to know after a cut, within what may have happened: read from the lock, then held against the tables as usual. */
  resume(from: number, to: number): void {
    const { table } = this.lock.parts;
    const { heard } = this.lock.authority;
    assert.ok(
      table.applied >= from && table.applied <= to,
      `${this.trace}: ${table.applied} after ${from} to ${to}`,
    );
    this.applied = table.applied;
    this.heard = { issuedAt: heard.issuedAt, acks: heard.acks };
    this.freed = heard.acks;
  }
}

const receiptText = (applied: number, head: string, digest: string, first: number, acks: Outcome[]): string =>
  `receipt ${applied} ${head} ${digest} from ${first}: ${acks.map(({ code, detail }) => `${code} ${detail}`).join(", ")}`;

/** All ways in which sequences of these lengths can meet, as the number of the sequence whose turn it is. */
export function* interleavings(lengths: readonly number[]): Generator<number[]> {
  const left = [...lengths];
  const order: number[] = [];
  function* next(): Generator<number[]> {
    if (left.every((count) => count === 0)) yield order;
    for (let line = 0; line < left.length; line++) {
      if (left[line] === 0) continue;
      left[line]--;
      order.push(line);
      yield* next();
      order.pop();
      left[line]++;
    }
  }
  yield* next();
}
