// Every body and every payload (rules X8, X9): each field at its limits and one past them, what may be left out and what not, keys of
// later versions, truncation, and mutants, which protocol.cddl judges, too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as Cborg from "cborg";
import fc from "fast-check";
import { canonical } from "../../support/cbor";
import { Cddl } from "../../support/cddl";
import { BODIES } from "./bodies";
import { PAYLOADS } from "./payload-shapes";
import { changed, nested, type Pairs, type Shape } from "./shapes";

// cborg exports itself to `import` alone, and tests run as CommonJS; Node takes the file by its path.
const cborg = require("../../../node_modules/cborg/cborg.js") as typeof Cborg;

const cddl = new Cddl(readFileSync(join(__dirname, "../../../protocol/protocol.cddl"), "utf8"));

/** Whether the reader takes the bytes; the file must agree, but for what it cannot say. */
function isTaken(shape: Shape, bytes: Uint8Array, what: string): boolean {
  const taken = shape.read(bytes) !== undefined;
  const described = cddl.accepts(shape.rule, bytes);
  if (described && !taken) {
    const value = cborg.decode(bytes, { useMaps: true });
    const map = (Array.isArray(value) ? value[2] : value) as Pairs;
    assert.ok(shape.isTorn?.(map), `${shape.name}: ${what}: protocol.cddl accepts what the reader refuses`);
  }
  assert.ok(described || !taken, `${shape.name}: ${what}: protocol.cddl refuses what the reader accepts`);
  return taken;
}

/** The same bytes with something done to them. */
const mutations = fc.array(
  fc.record({
    how: fc.constantFrom("flip", "set", "insert", "remove", "cut"),
    at: fc.nat(),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0, 1, 0x17, 0x18, 0x40, 0x80, 0xa0, 0xff),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

for (const shape of [...BODIES, ...PAYLOADS]) {
  const { usual, fields, depth } = shape;
  const optional = new Set(shape.optional);
  const lastKey = Math.max(-1, ...[...usual.keys()].map(Number));
  const isFine = (what: string, ...changes: Parameters<typeof changed>[1]) =>
    isTaken(shape, shape.wrap(changed(usual, changes)), what);

  describe(`the ${shape.rule.replace("-", " ")}`, () => {
    it("X8 takes each field at its limits, and not one past them", () => {
      assert.deepEqual([...fields.keys()], [...usual.keys()]);
      for (const [key, { fits, not }] of fields) {
        for (const [i, value] of fits.entries())
          assert.ok(isFine(`${key} fits ${i}`, [key, value]), `${key}: ${i}`);
        for (const [i, value] of not.entries())
          assert.ok(!isFine(`${key} not ${i}`, [key, value]), `${key}: ${i}`);
      }
    });

    it("wants every key but those that may be left out, in any combination", () => {
      for (const key of usual.keys())
        assert.equal(isFine(`without ${key}`, [key, undefined]), optional.has(Number(key)), String(key));
      for (let set = 0; set < 2 ** optional.size; set++) {
        const left = [...optional].filter((_, i) => (set >> i) & 1);
        assert.ok(isFine("without some", ...left.map((key) => [key, undefined] as const)), left.join());
      }
    });

    it("X9 passes over keys from 128 up, as deep as the rest of the message leaves room, and refuses others", () => {
      for (const key of [128, 255, 65_536, Number.MAX_SAFE_INTEGER])
        assert.ok(isFine("an extension", [key, nested(depth)]), String(key));
      assert.ok(!isFine("a deep extension", [128, nested(depth + 1)]));
      for (const key of [lastKey + 1, 127, -1, "a", ""])
        assert.ok(!isFine("a critical key", [key, 0]), String(key));
      const many = (count: number) => Array.from({ length: count }, (_, i) => [128 + i, 0] as const);
      assert.ok(isFine("64 pairs", ...many(64 - usual.size)));
      assert.equal(shape.read(shape.wrap(changed(usual, many(65 - usual.size)))), undefined);
    });

    it("is refused when it ends too early or goes on", () => {
      const whole = shape.wrap(canonical(usual));
      for (let length = 0; length < whole.length; length++)
        assert.equal(shape.read(whole.subarray(0, length)), undefined, String(length));
      for (const byte of [0x00, 0x80, 0xf6, 0xff])
        assert.equal(shape.read(new Uint8Array([...whole, byte])), undefined);
    });

    it("never makes the reader throw, whatever the bytes, and means what protocol.cddl means", () => {
      const whole = shape.wrap(canonical(usual));
      fc.assert(
        fc.property(mutations, (steps) => {
          const bytes = [...whole];
          for (const { how, at, byte } of steps) {
            const place = at % (bytes.length + 1);
            if (how === "flip" && place < bytes.length) bytes[place] ^= 1 << (byte & 7);
            if (how === "set" && place < bytes.length) bytes[place] = byte;
            if (how === "insert") bytes.splice(place, 0, byte);
            if (how === "remove") bytes.splice(place, 1);
            if (how === "cut") bytes.splice(place);
          }
          const mutant = new Uint8Array(bytes);
          isTaken(shape, mutant, Buffer.from(mutant).toString("hex"));
        }),
        { numRuns: 300 },
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void isTaken(shape, bytes, "noise")),
        { numRuns: 100 },
      );
    });
  });
}
