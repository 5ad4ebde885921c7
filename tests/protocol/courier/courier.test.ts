// The courier over a link in memory: a lock at one end, a mailbox that says what it was asked at the other, and between them a link that
// breaks where it is told to.

import assert from "node:assert/strict";
import type { Session } from "../../../firmware/core/session";
import { carry, type Mail, type Mailbox } from "../../../protocol/courier/courier";
import { type Link, MemoryLink } from "../../../protocol/courier/link";
import { type Delta, signClaim, signKeyset, signReset, signTime } from "../../../protocol/issuer/encode";
import { fromHex, toHex } from "../../../protocol/wire/bytes";
import { Reader } from "../../../protocol/wire/cbor";
import { Code } from "../../../protocol/wire/codes";
import { readEnvelope } from "../../../protocol/wire/cose";
import {
  askBody,
  frame,
  readFrame,
  resultMessage,
  type Status,
  StatusFlag,
  Type,
} from "../../../protocol/wire/messages";
import { May } from "../../../protocol/wire/payloads";
import { type Receipt, readReceipt } from "../../../protocol/wire/receipt";
import { Door, L500I } from "../../support/door";

const TYPE_NAMES = new Map<number, string>(Object.entries(Type).map(([name, type]) => [type, name]));
const typeOf = (message: Uint8Array): string =>
  TYPE_NAMES.get(readFrame(new Reader(message))?.type ?? -1) ?? "none";

function receiptIn(message: Uint8Array): Receipt {
  const reader = new Reader(message);
  readFrame(reader);
  const envelope = readEnvelope(reader, message.length);
  const receipt = envelope && readReceipt(new Reader(envelope.payload));
  assert.ok(receipt);
  return receipt;
}

interface Letter {
  readonly first: number;
  readonly last: number;
  readonly body: Uint8Array;
}

/** An issuer of one lock that signs on demand and keeps every receipt. */
class Script implements Mailbox {
  readonly door: Door;
  letters: Letter[] = [];
  receipts: Uint8Array[] = [];
  /** Mail that the lock refused, as type and code. */
  refusals: [number, number][] = [];
  hasTime = true;
  /** Signs the time, where it is not the issuer's key that does. */
  timeSigner;
  claimBody: Uint8Array;

  constructor(door: Door) {
    this.door = door;
    this.timeSigner = door.issuer;
    const { lock } = door.identity;
    this.claimBody = signClaim(door.crypto, door.maker, {
      lock,
      number: 1,
      owner: door.owner.publicKey,
      site: "test",
    });
  }

  sign(...deltas: Delta[]): void {
    const first = this.door.seq + 1;
    const body = this.door.bundle(deltas);
    this.letters.push({ first, last: this.door.seq, body });
  }

  #keysBody(): Uint8Array {
    const { crypto, owner, issuer, identity } = this.door;
    const key = { kid: issuer.kid, publicKey: issuer.publicKey, may: May.bundle | May.time };
    return signKeyset(crypto, owner, { lock: identity.lock, number: 1, keys: [key], claim: 1 });
  }

  /** The code of each seq that some receipt acknowledged; two receipts never disagree. */
  acks(): Map<number, number> {
    const acks = new Map<number, number>();
    for (const { first, codes } of this.receipts.map(receiptIn))
      codes.forEach((code, i) => {
        assert.equal(acks.get(first + i) ?? code, code);
        acks.set(first + i, code);
      });
    return acks;
  }

  async mail(status: Status): Promise<readonly Mail[]> {
    const mail: Mail[] = [];
    if ((status.flags & StatusFlag.unclaimed) !== 0) mail.push({ type: Type.claim, body: this.claimBody });
    if (status.keyset < 1) mail.push({ type: Type.keys, body: this.#keysBody() });
    const acks = this.acks();
    const missing = Array.from({ length: status.applied }, (_, i) => i + 1).find((seq) => !acks.has(seq));
    if (missing !== undefined) mail.push({ type: Type.ask, body: askBody({ first: missing }) });
    const wanted = this.letters.filter(({ last }) => last > status.applied);
    return [...mail, ...wanted.map(({ body }) => ({ type: Type.bundle, body }))];
  }

  async time(nonce: Uint8Array): Promise<Uint8Array | undefined> {
    if (!this.hasTime) return undefined;
    const { crypto, identity, now } = this.door;
    const answer = { lock: identity.lock, nonce: nonce.slice(), time: Math.floor(now), timeEpoch: 0 };
    return signTime(crypto, this.timeSigner, answer);
  }

  async refused({ type }: Mail, code: number): Promise<void> {
    this.refusals.push([type, code]);
  }

  async receipt(message: Uint8Array): Promise<void> {
    this.receipts.push(message);
  }
}

/** What a link does to the message with this number, from 0 on. */
interface Trouble {
  readonly at: number;
  readonly does: "lose-message" | "lose-answer" | "repeat-last-answer" | "garble";
  readonly garbage?: Uint8Array;
}

/** A link to a lock that writes down what passes, and breaks once. */
class Tape implements Link {
  readonly types: string[] = [];
  readonly answers: Uint8Array[] = [];
  bytes = 0;
  readonly #inner: MemoryLink;
  readonly #trouble: Trouble | undefined;
  #isDown = false;

  constructor(door: Door, trouble?: Trouble, session: Session = door.lock.open()) {
    this.#inner = new MemoryLink((message) => door.lock.receive(session, message));
    this.#trouble = trouble;
  }

  async request(message: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#isDown) return undefined;
    const does = this.types.length === this.#trouble?.at ? this.#trouble.does : "carry";
    this.types.push(typeOf(message));
    this.#isDown = does === "lose-message" || does === "lose-answer";
    if (does === "lose-message") return undefined;
    const answer = await this.#inner.request(message);
    if (answer === undefined || does === "lose-answer") return undefined;
    const shown = this.#shown(answer, does);
    this.answers.push(shown);
    this.bytes += message.length + shown.length;
    return shown;
  }

  #shown(answer: Uint8Array, does: string): Uint8Array {
    if (does === "repeat-last-answer") return this.answers.at(-1) ?? answer;
    return does === "garble" ? (this.#trouble?.garbage ?? new Uint8Array(0)) : answer;
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }
}

/** A lock fresh from the box and an issuer with three bundles for it. */
function opening(): { door: Door; script: Script } {
  const door = new Door({ profile: L500I, unclaimed: true });
  const script = new Script(door);
  script.sign(door.pin(0, "480213"), door.pin(1, "7391046"));
  script.sign(door.pin(2, "480213"), door.pin(3, "602814", { start: door.now + 3600 }));
  script.sign({ op: "revoke", user: 1000 });
  return { door, script };
}

const WHOLE = ["hello", "claim", "keys", "hello", "time", "bundle", "bundle", "bundle", "hello", "bye"];

/** What the lock holds in the end, whatever happened on the way. */
function stateOf(door: Door): { applied: number; head: string; digest: string } {
  const { applied, head, digest } = door.receipt();
  return { applied, head: toHex(head), digest: toHex(digest) };
}

async function undisturbed(): Promise<{ state: object; acks: Map<number, number> }> {
  const { door, script } = opening();
  assert.equal((await carry(new Tape(door), script)).outcome, "done");
  return { state: stateOf(door), acks: script.acks() };
}

describe("courier: the order of a session (rules S5 to S8)", () => {
  it("is claim, keys, time, bundles for a lock from the box", async () => {
    const { door, script } = opening();
    const tape = new Tape(door);
    const carried = await carry(tape, script);
    assert.deepEqual(tape.types, WHOLE);
    assert.deepEqual(carried, { outcome: "done", bundles: 3, bytes: tape.bytes });
    assert.equal(door.receipt().applied, 5);
  });

  it("leaves out claim and keys for a lock that has them", async () => {
    const { door, script } = opening();
    await carry(new Tape(door), script);
    script.sign({ op: "wipe" });
    const tape = new Tape(door);
    assert.equal((await carry(tape, script)).outcome, "done");
    assert.deepEqual(tape.types, ["hello", "time", "bundle", "hello", "bye"]);
  });

  it("is time alone where there is no mail, so that the clock stays right", async () => {
    const { door, script } = opening();
    await carry(new Tape(door), script);
    const tape = new Tape(door);
    await carry(tape, script);
    assert.deepEqual(tape.types, ["hello", "time", "bye"]);
  });

  it("goes without time where the issuer cannot be reached", async () => {
    const { door, script } = opening();
    script.hasTime = false;
    const tape = new Tape(door);
    assert.equal((await carry(tape, script)).outcome, "done");
    assert.deepEqual(
      tape.types,
      WHOLE.filter((type) => type !== "time"),
    );
  });

  it("asks for acks that never came home, and hands receipts over as the lock sent them", async () => {
    const { door, script } = opening();
    await carry(new Tape(door), script);
    script.receipts = [];
    const tape = new Tape(door);
    assert.equal((await carry(tape, script)).outcome, "done");
    assert.deepEqual(tape.types, ["hello", "time", "ask", "hello", "bye"]);
    assert.deepEqual(
      script.receipts,
      tape.answers.filter((answer) => typeOf(answer) === "receipt"),
    );
    assert.equal(script.acks().size, 5);
  });
});

describe("courier: a link that dies (rules S5, K3)", () => {
  for (const does of ["lose-message", "lose-answer"] as const)
    for (const [at, type] of WHOLE.entries())
      it(`resumes when it does ${does} at message ${at}, ${type}`, async () => {
        const expected = await undisturbed();
        const { door, script } = opening();
        const cut = await carry(new Tape(door, { at, does }), script);
        const isLast = type === "bye";
        assert.equal(cut.outcome, isLast ? "done" : "silent");
        if (!isLast) assert.equal(cut.reason, type);
        assert.equal((await carry(new Tape(door), script)).outcome, "done");
        assert.deepEqual(stateOf(door), expected.state);
        assert.deepEqual(script.acks(), expected.acks);
      });

  it("is silent from the first message on where it is closed", async () => {
    const { door, script } = opening();
    const tape = new Tape(door);
    await tape.close();
    const { outcome, reason, bundles } = await carry(tape, script);
    assert.deepEqual({ outcome, reason, bundles }, { outcome: "silent", reason: "hello", bundles: 0 });
  });

  it("resumes behind a power cycle of the lock", async () => {
    const { door, script } = opening();
    const expected = await undisturbed();
    await carry(new Tape(door, { at: 6, does: "lose-answer" }), script);
    door.reboot();
    assert.equal((await carry(new Tape(door), script)).outcome, "done");
    assert.deepEqual(stateOf(door), expected.state);
    assert.deepEqual(script.acks(), expected.acks);
  });
});

describe("courier: answers that are none", () => {
  const others: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["zeros", new Uint8Array(40)],
    ["noise", fromHex("9f83ff00a1c0ffee42d9d9f7")],
    ["a list of two", fromHex("820801")],
    ["a message of an unknown type", frame(77, 1, fromHex("a0"))],
    ["a status without a body", frame(Type.status, 1, new Uint8Array(0))],
    ["the result of a request that was never made", resultMessage(999, Code.applied)],
  ];
  for (const [name, garbage] of others)
    for (const [at, type] of WHOLE.slice(0, -1).entries())
      it(`ends the session on ${name} at message ${at}, ${type}, and the next one goes on`, async () => {
        const { door, script } = opening();
        const cut = await carry(new Tape(door, { at, does: "garble", garbage }), script);
        assert.deepEqual([cut.outcome, cut.reason], ["garbled", type]);
        assert.equal((await carry(new Tape(door), script)).outcome, "done");
        assert.equal(script.acks().size, 5);
      });

  for (let at = 1; at < WHOLE.length - 1; at++)
    it(`takes no answer twice: the one before again at message ${at}, ${WHOLE[at]}`, async () => {
      const { door, script } = opening();
      const cut = await carry(new Tape(door, { at, does: "repeat-last-answer" }), script);
      assert.equal(cut.outcome, "garbled");
      assert.equal((await carry(new Tape(door), script)).outcome, "done");
      assert.equal(script.acks().size, 5);
    });

  it("does not notice a link that delivers every message twice", async () => {
    const expected = await undisturbed();
    const { door, script } = opening();
    const session = door.lock.open();
    const twice = new MemoryLink((message) => {
      door.lock.receive(session, message.slice());
      return door.lock.receive(session, message);
    });
    assert.equal((await carry(twice, script)).outcome, "done");
    assert.deepEqual(stateOf(door), expected.state);
    assert.deepEqual(script.acks(), expected.acks);
  });
});

describe("courier: refusals", () => {
  it("names the message and the code of a refused claim, and sends nothing more", async () => {
    const { door, script } = opening();
    script.claimBody = signClaim(door.crypto, door.owner, {
      lock: door.identity.lock,
      number: 1,
      owner: door.owner.publicKey,
      site: "test",
    });
    const tape = new Tape(door);
    const { outcome, code, reason } = await carry(tape, script);
    assert.deepEqual(
      { outcome, code, reason },
      { outcome: "refused", code: Code.badSignature, reason: "claim: bad-signature" },
    );
    assert.deepEqual(tape.types, ["hello", "claim"]);
    assert.deepEqual(script.refusals, [[Type.claim, Code.badSignature]], "the mailbox hears of it");
  });

  it("names those of a refused bundle, and keeps what was carried before", async () => {
    const { door, script } = opening();
    script.letters.splice(1, 1);
    const { outcome, code, reason, bundles } = await carry(new Tape(door), script);
    assert.deepEqual(
      { outcome, code, reason, bundles },
      { outcome: "refused", code: Code.gap, reason: "bundle: gap", bundles: 1 },
    );
    assert.deepEqual([...script.acks().keys()], [1, 2]);
    assert.deepEqual(script.refusals, [[Type.bundle, Code.gap]]);
  });

  it("brings bundles also where the lock refuses the time", async () => {
    const { door, script } = opening();
    script.timeSigner = door.maker;
    const tape = new Tape(door);
    const { outcome, timeRefused, bundles } = await carry(tape, script);
    assert.deepEqual(
      { outcome, timeRefused, bundles },
      { outcome: "done", timeRefused: Code.unknownKey, bundles: 3 },
    );
    assert.deepEqual(tape.types, WHOLE);
  });

  it("tells that the lock speaks another version", async () => {
    const { script } = opening();
    const refusing = new MemoryLink((message) => {
      return resultMessage(readFrame(new Reader(message))?.request ?? 0, Code.version);
    });
    const { outcome, reason } = await carry(refusing, script);
    assert.deepEqual([outcome, reason], ["refused", "hello: version"]);
  });

  it("takes a result without a request number for the answer: the lock could not read the frame", async () => {
    const { script } = opening();
    const { outcome, reason } = await carry(new MemoryLink(() => resultMessage(0, Code.malformed)), script);
    assert.deepEqual([outcome, reason], ["refused", "hello: malformed"]);
  });

  it("leaves a lock that stays as it is whatever it is sent", async () => {
    const { door, script } = opening();
    await carry(new Tape(door), script);
    const endless: Mailbox = {
      mail: async () => [{ type: Type.ask, body: askBody({ first: 1 }) }],
      time: async () => undefined,
      receipt: async () => undefined,
    };
    const tape = new Tape(door);
    assert.equal((await carry(tape, endless)).outcome, "done");
    assert.deepEqual(tape.types, ["hello", "ask", "hello", "ask", "hello", "ask", "hello", "bye"]);
  });

  it("lets a mistake of the mailbox through", async () => {
    const { door, script } = opening();
    script.receipt = () => Promise.reject(new TypeError("full"));
    await assert.rejects(carry(new Tape(door), script), /full/);
  });
});

describe("courier: the owner's consent to a reset (rule X11)", () => {
  /** A mailbox with the owner's consent to a reset, for claim `claim`. */
  function consenting(door: Door, claim = 1): Script {
    const { crypto, owner, identity } = door;
    return Object.assign(new Script(door), {
      consent: async (nonce: Uint8Array) => signReset(crypto, owner, { lock: identity.lock, claim, nonce }),
    });
  }

  it("comes last in the visit that brings claim, keys, time and bundles as well, with a nonce of its own", async () => {
    const door = new Door({ profile: L500I, unclaimed: true });
    const script = consenting(door);
    script.sign(door.pin(0, "480213"));
    const tape = new Tape(door);
    const { outcome, timeRefused, consentRefused } = await carry(tape, script);
    assert.deepEqual([outcome, timeRefused, consentRefused], ["done", undefined, undefined]);
    assert.deepEqual(tape.types, [
      "hello",
      "claim",
      "keys",
      "hello",
      "time",
      "bundle",
      "hello",
      "hello",
      "reset",
      "bye",
    ]);
    assert.equal(door.lock.pressReset(), "reset");
  });

  it("comes in a visit that brings nothing else, and without a time", async () => {
    const door = new Door({ profile: L500I });
    const script = consenting(door);
    script.hasTime = false;
    const tape = new Tape(door);
    assert.equal((await carry(tape, script)).consentRefused, undefined);
    assert.deepEqual(tape.types, ["hello", "hello", "reset", "bye"]);
    assert.equal(door.lock.pressReset(), "reset");
  });

  it("that is refused is told, and ends nothing", async () => {
    const door = new Door({ profile: L500I });
    const { outcome, consentRefused } = await carry(new Tape(door), consenting(door, 2));
    assert.deepEqual([outcome, consentRefused], ["done", Code.replayed]);
    assert.equal(door.lock.pressReset(), "refused");
  });
});

describe("courier: a session of the lock that outlives it", () => {
  /** Two couriers on one session, the second forty seconds after the first, which died behind its hello. */
  async function second(firstRequest: number | undefined) {
    const { door, script } = opening();
    await carry(new Tape(door), script);
    script.sign({ op: "wipe" });
    const session = door.lock.open();
    await carry(new Tape(door, { at: 0, does: "lose-answer" }, session), script);
    door.now += 40;
    return carry(new Tape(door, undefined, session), script, firstRequest);
  }

  it("answers the same request from memory, so that the time comes too late; the bundles come all the same", async () => {
    const { outcome, timeRefused, bundles } = await second(undefined);
    assert.deepEqual(
      { outcome, timeRefused, bundles },
      { outcome: "done", timeRefused: Code.timeout, bundles: 1 },
    );
  });

  it("answers anew to a courier that begins with another request number", async () => {
    const { outcome, timeRefused, bundles } = await second(40_000);
    assert.deepEqual(
      { outcome, timeRefused, bundles },
      { outcome: "done", timeRefused: undefined, bundles: 1 },
    );
  });

  it("counts on from the highest request number to the lowest", async () => {
    const { door, script } = opening();
    assert.equal((await carry(new Tape(door), script, 0xfffd)).outcome, "done");
  });
});
