// The bodies of messages that nobody signs, as shapes.

import { Reader } from "../../../protocol/wire/cbor";
import {
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
  Type,
} from "../../../protocol/wire/messages";
import { readRefusals } from "../../../protocol/wire/refusals";
import type { Value } from "../../support/cbor";
import { bytes, type Field, type Pairs, pairs, type Shape, uint } from "./shapes";

const U32 = 0xffffffff;
const SEQ = 0xffffff;

type Fields = Readonly<Record<number, Field>>;

function body(
  name: keyof typeof Type,
  usual: Pairs,
  fields: Fields,
  read: (reader: Reader) => unknown,
  more: Pick<Shape, "optional" | "isTorn"> = {},
): Shape {
  const type = Type[name];
  return {
    name,
    rule: `${name}-message`,
    usual,
    fields: new Map(Object.entries(fields).map(([key, field]) => [Number(key), field])),
    depth: 6,
    wrap: (map) => new Uint8Array([0x83, type, 0x09, ...map]),
    read(message) {
      const reader = new Reader(message);
      const head = readFrame(reader);
      return head?.type === type ? read(reader) || undefined : undefined;
    },
    ...more,
  };
}

const empty = (name: "bye" | "challenge" | "identify"): Shape => body(name, pairs({}), {}, readEmpty);
const list = (fits: Field["fits"], not: Field["not"]): Field => ({ fits, not: [...not, 0, new Map()] });

const versions = list([[], Array(16).fill(1), [U32]], [Array(17).fill(1), [U32 + 1], ["1"], [-1]]);
const limits = list(
  [
    [0, 0, 0],
    [U32, U32, U32],
  ],
  [
    [0, 0],
    [0, 0, 0, 0],
    [U32 + 1, 0, 0],
  ],
);
const range = list(
  [
    [0, 1],
    [65_534, 65_535],
  ],
  [[0], [0, 1, 2], [0, 65_536], [-1, 1], [65_535, 65_535], ["0", 1]],
);

/** A refusal that knew the time, with some of its numbers changed. */
const refusal = (changes: Readonly<Record<number, Value>> = {}): Value[] =>
  [1, 3, 1, 2, 1_803_862_800, 12, 0].map((number, place) => changes[place] ?? number);
const lasts = [15, 255, U32, 2, U32, 0x7fffff];
const refusals = list(
  [
    [],
    Array(20).fill(refusal()),
    [refusal({ 0: 0, 1: 1, 3: 1, 4: 0, 5: 0 })],
    [[...lasts, 0]],
    [refusal({ 3: 0, 4: U32, 6: U32 })],
  ],
  [
    Array(21).fill(refusal()),
    [refusal({ 6: 1 })],
    [refusal({ 3: 3 })],
    [refusal({ 1: 0 })],
    [refusal({ 2: 0 })],
    ...lasts.map((last, place) => [refusal({ [place]: last + 1 })]),
    [refusal({ 3: 0, 6: U32 + 1 })],
    [refusal().slice(1)],
    [[...refusal(), 0]],
    [3],
  ],
);

/** Whether key 2 of an ask, or the one like it in a receipt, ends before it begins. */
export const isUpsideDown = (from: unknown, to: unknown): boolean => Number(from) >= Number(to);

export const BODIES: readonly Shape[] = [
  body("hello", pairs({ 0: [1], 1: 2064 }), { 0: versions, 1: uint(0, U32) }, readHello),
  body(
    "status",
    pairs({
      0: 1,
      1: new Uint8Array(4).fill(1),
      2: 7,
      3: 17,
      4: [2064, 32, 1000],
      5: 40,
      6: new Uint8Array(8).fill(6),
      7: 5,
      8: 1100,
    }),
    {
      0: uint(1, 1),
      1: bytes(4),
      2: uint(0, U32),
      3: uint(0, SEQ),
      4: limits,
      5: uint(0, 255),
      6: bytes(8),
      7: uint(0, U32),
      8: uint(0, U32),
    },
    readStatus,
  ),
  body("result", pairs({ 0: 0x20, 1: 18 }), { 0: uint(0, 255), 1: uint(0, U32) }, readResult, {
    optional: [1],
  }),
  empty("bye"),
  body(
    "ask",
    pairs({ 0: 17, 1: 1003, 2: [3, 9], 3: true }),
    {
      0: uint(1, SEQ),
      1: uint(1, U32),
      2: range,
      3: { fits: [true], not: [false, 1, null] },
    },
    readAsk,
    {
      optional: [1, 2, 3],
      isTorn: (map) => map.has(2) && isUpsideDown((map.get(2) as number[])[0], (map.get(2) as number[])[1]),
    },
  ),
  body("part", pairs({ 0: 3, 1: new Uint8Array(40) }), { 0: uint(1, 48), 1: bytes(0, 2000) }, readPart),
  empty("challenge"),
  body("nonce", pairs({ 0: new Uint8Array(8).fill(6) }), { 0: bytes(8) }, readNonce),
  empty("identify"),
  body("fetch", pairs({ 0: 70_000 }), { 0: uint(1, U32) }, readFetch),
  body("page", pairs({ 0: new Uint8Array(60) }), { 0: bytes(0, 1596) }, readPage),
  body("refusals", pairs({ 0: [refusal(), refusal({ 3: 0, 6: 9 })] }), { 0: refusals }, readRefusals),
];
