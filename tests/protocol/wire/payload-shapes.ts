// The payloads of signed messages, as shapes.

import { Reader } from "../../../protocol/wire/cbor";
import {
  emptyBundle,
  readBundle,
  readClaim,
  readCommand,
  readHeartbeat,
  readKeyset,
  readRebase,
  readReset,
  readTime,
  readUnlock,
} from "../../../protocol/wire/payloads";
import { readReceipt } from "../../../protocol/wire/receipt";
import type { Value } from "../../support/cbor";
import { isUpsideDown } from "./bodies";
import { bytes, type Field, pairs, type Shape, text, uint } from "./shapes";

const U32 = 0xffffffff;
const SEQ = 0xffffff;
const LOCK = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
const KEY = new Uint8Array(32).fill(3);
const NONCE = new Uint8Array(8).fill(6);

type Values = Readonly<Record<number, Value>>;

function payload(
  name: string,
  usual: Values,
  fields: Readonly<Record<number, Field>>,
  read: (reader: Reader) => unknown,
  more: Pick<Shape, "optional" | "isTorn"> = {},
): Shape {
  const shared = { 0: uint(1, 1), 1: bytes(8) };
  return {
    name,
    rule: `${name}-payload`,
    usual: pairs({ 0: 1, 1: LOCK, ...usual }),
    fields: new Map(Object.entries({ ...shared, ...fields }).map(([key, field]) => [Number(key), field])),
    depth: 7,
    wrap: (map) => map,
    read: (content) => read(new Reader(content)),
    ...more,
  };
}

const list = (fits: Field["fits"], not: Field["not"]): Field => ({ fits, not: [...not, 0, new Map()] });
const kid = (n: number): Uint8Array => new Uint8Array(8).fill(n);
const keys = (count: number): Value => Array.from({ length: count }, (_, n) => [kid(n), KEY, 255]);
const drop: Value = [
  3,
  new Map([
    [0, 2],
    [15, 1],
  ]),
];

const keyList = list(
  [keys(1), keys(4)],
  [
    [],
    keys(5),
    [[kid(1), KEY]],
    [[kid(1), KEY, 256]],
    [[new Uint8Array(7), KEY, 1]],
    [[kid(1), new Uint8Array(31), 1]],
    [[kid(1), KEY, 1, 1]],
    [
      [kid(1), KEY, 1],
      [kid(1), KEY, 2],
    ],
  ],
);
const deltas = list(
  [[drop], Array(32).fill(drop), [[0, new Map()]], [[65_535, new Map()]]],
  [[], Array(33).fill(drop), [[3]], [[65_536, new Map()]], [[3, []]], [[3, new Map(), 0]]],
);
const prints = list(
  [[], Array(48).fill(new Uint8Array(16))],
  [Array(49).fill(new Uint8Array(16)), [new Uint8Array(15)], [new Uint8Array(17)], [0]],
);
const details = list([[], [0, U32], Array(512).fill(0)], [[0], [0, U32 + 1], Array(514).fill(0), [-1, 0]]);
const counts = list(
  [Array(4).fill(0), Array(4).fill(U32)],
  [[0, 0, 0], Array(5).fill(0), [0, 0, 0, U32 + 1]],
);
const pair = (first: readonly number[], past: number, length: number): Field =>
  list(
    first.map((value) => [value, new Uint8Array(length)]),
    [[past, new Uint8Array(length)], [0], [0, new Uint8Array(length - 1)], [0, new Uint8Array(length + 1)]],
  );
const absence = list(
  [
    [1, 0],
    [U32, U32],
  ],
  [[0, 0], [1], [1, 2, 3], [U32 + 1, 0], [1, U32 + 1]],
);
const SUM = new Uint8Array(32);
const range = list(
  [
    [0, 1, SUM],
    [65_534, 65_535, SUM],
  ],
  [
    [0, 1],
    [0, 65_536, SUM],
    [1, 1, SUM],
    [0, 1, new Uint8Array(31)],
    [0, 1, SUM, 0],
  ],
);
const about = list(
  [
    [0, "", 0],
    [255, "a".repeat(24), U32],
  ],
  [
    [256, "", 0],
    [0, "a".repeat(25), 0],
    [0, "", U32 + 1],
    [0, new Uint8Array(0), 0],
    [0, ""],
  ],
);

export const PAYLOADS: readonly Shape[] = [
  payload(
    "claim",
    { 2: 1, 3: KEY, 4: "tower" },
    { 2: uint(1, U32), 3: bytes(32), 4: text(1, 16) },
    readClaim,
    {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a site must not have
      isTorn: (map) => /[\u0000-\u001f#+/\u007f]/.test(String(map.get(4))),
    },
  ),
  payload("keys", { 2: 5, 3: keys(2), 4: 1 }, { 2: uint(1, U32), 3: keyList, 4: uint(1, U32) }, readKeyset, {
    isTorn(map) {
      const ids = (map.get(3) as Uint8Array[][]).map(([id]) => Buffer.from(id).toString("hex"));
      return new Set(ids).size < ids.length;
    },
  }),
  payload("time", { 2: NONCE, 3: 9, 4: 0 }, { 2: bytes(8), 3: uint(1, U32), 4: uint(0, 65_535) }, readTime),
  payload(
    "bundle",
    { 2: 1, 3: 4, 4: new Uint8Array(16), 5: 0, 6: 9, 7: [drop] },
    { 2: uint(0, U32), 3: uint(1, SEQ), 4: bytes(16), 5: uint(0, U32), 6: uint(1, U32), 7: deltas },
    (reader) => {
      const bundle = emptyBundle();
      return readBundle(reader, bundle) ? bundle : undefined;
    },
    { optional: [6], isTorn: (map) => Number(map.get(3)) + (map.get(7) as Value[]).length - 1 > SEQ },
  ),
  payload(
    "heartbeat",
    { 2: 1, 3: 1_803_859_200, 4: 17, 5: 70_000 },
    { 2: uint(0, U32), 3: uint(1, U32), 4: uint(0, SEQ), 5: uint(1, U32) },
    readHeartbeat,
  ),
  payload(
    "rebase",
    { 2: 2, 3: 9, 4: 17, 5: [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)] },
    { 2: uint(1, U32), 3: uint(0, U32), 4: uint(0, SEQ), 5: prints },
    readRebase,
  ),
  payload("reset", { 2: 1, 3: NONCE }, { 2: uint(1, U32), 3: bytes(8) }, readReset),
  payload("unlock", { 2: NONCE, 3: KEY }, { 2: bytes(8), 3: bytes(32) }, readUnlock),
  payload(
    "command",
    { 2: NONCE, 3: KEY, 4: 2, 5: new Uint8Array([1]) },
    { 2: bytes(8), 3: bytes(32), 4: uint(0, 255), 5: bytes(0, 32) },
    readCommand,
    { optional: [5] },
  ),
  payload(
    "receipt",
    {
      2: 1,
      3: 3,
      4: new Uint8Array(16),
      5: 2,
      6: new Uint8Array(2),
      7: [0, 4],
      8: 1,
      9: 2,
      10: 1_803_859_200,
      11: 2,
      12: 1,
      13: SUM,
      14: [2, 0, 1, 1100],
      15: [9, new Uint8Array(16)],
      16: [1, new Uint8Array(8)],
      17: [1003, 0],
      18: [3, 9, SUM],
      19: [1, "1.2.0", 5],
    },
    {
      2: uint(0, U32),
      3: uint(0, SEQ),
      4: bytes(16),
      5: uint(0, SEQ + 1),
      6: bytes(0, 256),
      7: details,
      8: uint(0, U32),
      9: uint(0, U32),
      10: uint(1, U32),
      11: uint(0, 2),
      12: uint(0, U32),
      13: bytes(32),
      14: counts,
      15: pair([0, U32], U32 + 1, 16),
      16: pair([0, 10], 11, 8),
      17: absence,
      18: range,
      19: about,
    },
    readReceipt,
    {
      optional: [10, 17, 18, 19],
      isTorn: (map) =>
        map.has(18) && isUpsideDown((map.get(18) as number[])[0], (map.get(18) as number[])[1]),
    },
  ),
];
