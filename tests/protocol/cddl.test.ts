// protocol.cddl against the vectors: what a lock calls malformed or bad-format the file refuses, and what it understands the file accepts.
// Conditions that tie several fields together are beyond CDDL; the vectors for which that matters are named here one by one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as Cborg from "cborg";
import { fromHex } from "../../protocol/wire/bytes";
import { CODES } from "../../protocol/wire/codes";
import { frame, Type } from "../../protocol/wire/messages";
import { Cddl } from "../support/cddl";
import { VECTOR_FOLDER } from "../vectors/generate";

// cborg exports itself to `import` alone, and tests run as CommonJS; Node takes the file by its path.
const cborg = require("../../node_modules/cborg/cborg.js") as typeof Cborg;

const cddl = new Cddl(readFileSync(join(VECTOR_FOLDER, "../protocol.cddl"), "utf8"));
const load = (name: string) => JSON.parse(readFileSync(join(VECTOR_FOLDER, name), "utf8"));

interface Case {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** The names of the cases that the file judges otherwise than `isExpected` says. */
const misjudged = (
  cases: readonly Case[],
  accepts: (one: Case) => boolean,
  isExpected: (one: Case) => boolean,
) => cases.filter((one) => accepts(one) !== isExpected(one)).map(({ name }) => name);

describe("protocol.cddl", () => {
  it("lists the result codes that there are", () => {
    assert.deepEqual(
      cddl.enumeration("result-code"),
      CODES.map(({ name, value }) => [name, value]),
    );
  });

  it("has a rule for every type of message, under its number", () => {
    for (const [name, type] of Object.entries(Type)) {
      for (const other of Object.values(Type))
        assert.equal(
          cddl.matches(`${name}-message`, [other, 0, new Map()]),
          other === type && ["bye", "challenge", "identify"].includes(name),
          name,
        );
    }
  });

  it("accepts the messages to a lock that the lock understands, and refuses those that it calls malformed", () => {
    const { toLock }: { toLock: Case[] } = load("messages.json");
    const known = toLock.filter(
      ({ name }) =>
        !/^(an unknown type|a (status|result|nonce|page),|refusals,|a message of 2,065)/.test(name),
    );
    assert.ok(known.length > 60);
    const accepts = ({ bytes }: Case) => cddl.accepts("message", fromHex(String(bytes)));
    assert.deepEqual(
      misjudged(known, accepts, ({ answer }) => answer !== "malformed"),
      ["ask about no slots", "ask about slots the other way round"],
    );
  });

  it("accepts the messages of a lock that a courier understands, and no others", () => {
    const { fromLock }: { fromLock: Case[] } = load("messages.json");
    const accepts = ({ bytes }: Case) => cddl.accepts("message", fromHex(String(bytes)));
    assert.deepEqual(
      misjudged(fromLock, accepts, ({ means }) => means !== null),
      [],
    );
  });

  it("accepts every signed message but those that a lock calls malformed", () => {
    const { cases }: { cases: Case[] } = load("envelopes.json");
    const accepts = ({ message, cose }: Case) => {
      const type = Type[message as keyof typeof Type];
      return cddl.accepts(`${message}-message`, frame(type, 1, fromHex(String(cose))));
    };
    assert.deepEqual(
      misjudged(cases, accepts, ({ answer }) => answer !== "malformed"),
      [
        'a site with "/"',
        'a site with "+"',
        'a site with "#"',
        'a site with "\\u0000"',
        'a site with "\u007f"',
        "two keys of one id",
        "deltas behind the last position",
      ],
    );
  });

  it("accepts every receipt but the malformed ones", () => {
    const { receipts }: { receipts: Case[] } = load("envelopes.json");
    const accepts = ({ cose }: Case) =>
      cddl.accepts("receipt-message", frame(Type.receipt, 1, fromHex(String(cose))));
    assert.deepEqual(
      misjudged(receipts, accepts, ({ reads }) => reads !== "malformed"),
      ["the digest of slots the other way round"],
    );
  });

  it("accepts every delta that a lock understands, and none that is unsupported or in a bad format", () => {
    const { cases }: { cases: Case[] } = load("deltas.json");
    const accepts = ({ delta }: Case) => cddl.accepts("delta", fromHex(String(delta)));
    const isExpected = ({ code }: Case) => code !== "unsupported" && code !== "bad-format";
    assert.deepEqual(misjudged(cases, accepts, isExpected), [
      "put: a user who is their own grantor",
      "put: a guest without an end",
      "put: a guest without a start",
      "put: hours for a first use without a start",
      "change: to a guest without an end",
      "set: a zone of 49 bytes",
      "set: a zone that is none",
      "set: a zone of daylight saving time without rules",
      // Out of range for the lock, and no literal of the file.
      "set: a master without its tag",
      "set: codes at the keypad, perhaps",
      "set: a holiday of one byte that is not 0",
      // Nobody but the lock sees what is sealed.
      "set: a name that is no text",
      "set: a name with a flipped bit in its nonce",
      "set: a name with a flipped bit",
      "set: a name with a flipped bit in its tag",
      "set: a name that was sealed as a network",
      "set: a name for another lock",
      "set: a network of a shorter password",
      "set: a network without a name",
      "set: a broker without a port",
      "set: a broker with a space in its host",
      "set: denied codes of one byte that is not 0",
      "l500i: a card",
      "l500i: a network",
      "l500i: a broker",
    ]);
  });

  it("takes every delta of the vectors into a bundle, whatever its result", () => {
    const { cases }: { cases: Case[] } = load("deltas.json");
    for (const { name, delta } of cases) assert.ok(cddl.accepts("any-delta", fromHex(String(delta))), name);
  });

  it("accepts every byte of the sessions, both ways, but what they send to be refused", () => {
    const { sessions } = load("sessions.json");
    const refused = new Set(["something else", "nothing"]);
    for (const { steps } of sessions)
      for (const { event, name, send, answer } of steps) {
        if (event !== undefined) continue;
        assert.equal(cddl.accepts("message", fromHex(send)), !refused.has(name), name);
        assert.ok(cddl.accepts("message", fromHex(answer)), name);
      }
  });
});

describe("the CDDL validator", () => {
  const judge = (rules: string, value: unknown): boolean => new Cddl(rules).accepts("a", cborg.encode(value));

  it("holds numbers against literals and ranges, both ends included", () => {
    const rules = "a = 2..4 / -7 / 0x10";
    for (const [value, isFine] of [
      [1, false],
      [2, true],
      [4, true],
      [5, false],
      [-7, true],
      [16, true],
      ["2", false],
    ] as const)
      assert.equal(judge(rules, value), isFine, String(value));
  });

  it("tells bytes from text, and measures both", () => {
    assert.ok(judge("a = bstr .size 2", new Uint8Array(2)));
    assert.ok(!judge("a = bstr .size 2", new Uint8Array(3)));
    assert.ok(!judge("a = bstr .size 2", "ab"));
    assert.ok(judge("a = tstr .size (1..2)", "é"));
    assert.ok(!judge("a = tstr .size (1..2)", "éa"));
    assert.ok(judge("a = h'00' / \"x\"", new Uint8Array(1)));
    assert.ok(!judge("a = h'00' / \"x\"", new Uint8Array([1])));
  });

  it("counts what occurs in an array, and follows groups in it", () => {
    for (const [count, isFine] of [
      [0, false],
      [1, true],
      [3, true],
      [4, false],
    ] as const)
      assert.equal(judge("a = [1*3 uint]", Array(count).fill(0)), isFine, String(count));
    const pairs = "a = [* (x: uint, y: tstr), ? nil]";
    assert.ok(judge(pairs, []));
    assert.ok(judge(pairs, [1, "a", 2, "b", null]));
    assert.ok(!judge(pairs, [1, "a", 2]));
    assert.ok(!judge(pairs, [1, "a", null, null]));
  });

  it("wants every key of a map that is not optional, and no other", () => {
    const rules = "a = { 0: uint, ? 1: tstr, b }\nb = ( * 128..255 => any )";
    assert.ok(judge(rules, new Map([[0, 1]])));
    assert.ok(
      judge(
        rules,
        new Map<number, unknown>([
          [0, 1],
          [1, "x"],
          [128, null],
          [255, []],
        ]),
      ),
    );
    assert.ok(!judge(rules, new Map([[1, "x"]])));
    assert.ok(
      !judge(
        rules,
        new Map([
          [0, 1],
          [2, 1],
        ]),
      ),
    );
    assert.ok(
      !judge(
        rules,
        new Map<number, unknown>([
          [0, 1],
          [1, 1],
        ]),
      ),
    );
    assert.ok(
      !judge(
        rules,
        new Map([
          [0, 1],
          [256, 1],
        ]),
      ),
    );
    assert.ok(!judge(rules, [0, 1]));
  });

  it("chooses between groups as wholes", () => {
    const rules = "a = { b }\nb = ( 0: 1, 1: uint // 0: 2, 1: tstr )";
    assert.ok(
      judge(
        rules,
        new Map([
          [0, 1],
          [1, 1],
        ]),
      ),
    );
    assert.ok(
      judge(
        rules,
        new Map<number, unknown>([
          [0, 2],
          [1, "x"],
        ]),
      ),
    );
    assert.ok(
      !judge(
        rules,
        new Map([
          [0, 2],
          [1, 1],
        ]),
      ),
    );
  });

  it("fills generic rules in", () => {
    const rules = "a = b<1, [c]>\nb<x, y> = [x, y]\nc = tstr";
    assert.ok(judge(rules, [1, ["x"]]));
    assert.ok(!judge(rules, [2, ["x"]]));
    assert.ok(!judge(rules, [1, [1]]));
  });

  it("looks into byte strings that hold CBOR, and wants it deterministic", () => {
    const rules = "a = bstr .cbor b\nb = [uint]";
    assert.ok(judge(rules, new Uint8Array([0x81, 0x17])));
    assert.ok(!judge(rules, new Uint8Array([0x81, 0x18, 0x17])));
    assert.ok(!judge(rules, new Uint8Array([0x81, 0x17, 0x00])));
    assert.ok(!judge(rules, new Uint8Array([0x81, 0x60])));
  });

  it("takes numbers and bits of enumerations", () => {
    assert.ok(judge("a = &( x: 1, y: 3 )", 3));
    assert.ok(!judge("a = &( x: 1, y: 3 )", 2));
    assert.ok(judge("a = uint .bits &( x: 1, y: 3 )", 0b1010));
    assert.ok(!judge("a = uint .bits &( x: 1, y: 3 )", 0b1011));
  });

  it("refuses bytes that are not deterministic CBOR", () => {
    const any = new Cddl("a = any");
    assert.ok(any.accepts("a", fromHex("8101")));
    for (const hex of ["811801", "9f01ff", "8101 00".replace(" ", ""), "81", "f93c00", "c100"])
      assert.ok(!any.accepts("a", fromHex(hex)), hex);
  });

  it("does not take a file that it cannot read whole", () => {
    for (const rules of ["a = ", "a = [", "a = (1", "a b", "a = 1 a = 2", "a = !", "a = 'x'"])
      assert.throws(() => new Cddl(rules), /cddl/, rules);
    assert.throws(() => judge("a = b", 1), /no rule b/);
    assert.throws(() => judge("a = uint .lt 3", 1), /no control/);
  });
});
