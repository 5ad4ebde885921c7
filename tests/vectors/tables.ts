// chain.json and digest.json: the heads of a log, and what a table's digest is the sum of.

import { encodeDelta } from "../../protocol/issuer/encode";
import { ascii, fromHex, toHex } from "../../protocol/wire/bytes";
import { genesisHead, nextHead } from "../../protocol/wire/chain";
import {
  addDigest,
  scheduleDigest,
  settingDigest,
  slotDigest,
  subtractDigest,
} from "../../protocol/wire/digest";
import { ENTRY_BYTES, type Entry, emptyEntry, Flag, Kind, packEntry, Role } from "../../protocol/wire/entry";
import { DIGEST_BYTES, MAX_SEQ, MAX_U32 } from "../../protocol/wire/limits";
import { node } from "../../simulator/board/crypto";
import { card, LOCK_ID, pin, START } from "./bench";

const LOCKS: readonly [string, Uint8Array, number][] = [
  ["the first epoch", LOCK_ID, 1],
  ["the second epoch", LOCK_ID, 2],
  ["the last epoch", LOCK_ID, MAX_U32],
  ["a lock of zeros", new Uint8Array(8), 1],
];

/** chain.json. */
export function chainVectors() {
  const genesis = LOCKS.map(([name, lock, epoch]) => {
    return { name, lock: toHex(lock), epoch, head: toHex(genesisHead(node, lock, epoch)) };
  });
  const deltas = [
    encodeDelta({ op: "wipe" }),
    encodeDelta(pin(0, "480213")),
    encodeDelta({ op: "put-schedule", id: 1, windows: [{ days: 0x3e, start: 540, duration: 480 }] }),
    encodeDelta(card(1, "04a1b2c3", { schedule: 1 })),
    encodeDelta({ op: "revoke", user: 1000 }),
  ];
  let head = genesisHead(node, LOCK_ID, 1);
  const heads = deltas.map((delta, i) => {
    const before = toHex(head);
    head = nextHead(node, head, delta);
    return { seq: i + 1, before, delta: toHex(delta), after: toHex(head) };
  });
  return {
    about: "Heads of chains: SHA-256 cut to 16 bytes.",
    genesis,
    lock: toHex(LOCK_ID),
    epoch: 1,
    heads,
  };
}

const ENTRIES: readonly [string, Partial<Entry>][] = [
  ["a PIN", { slot: 3, kind: Kind.pin, role: Role.resident, digits: 6, generation: 1, user: 1003 }],
  [
    "a PIN of ten digits, disabled",
    { slot: 0, kind: Kind.pin, role: Role.admin, digits: 10, generation: 9, user: 1, flags: Flag.disabled },
  ],
  [
    "a guest's card",
    {
      slot: 999,
      kind: Kind.card,
      role: Role.guest,
      generation: 70_000,
      user: 5,
      grantor: 4,
      start: START,
      end: START + 86_400,
    },
  ],
  [
    "a phone with uses and deadlines",
    {
      slot: 512,
      kind: Kind.phone,
      role: Role.team,
      generation: 2,
      user: 6,
      start: START,
      uses: 1,
      minutesAfterFirstUse: 2880,
      firstUseHours: 24,
    },
  ],
  [
    "the highest of everything",
    {
      slot: 999,
      kind: Kind.card,
      role: Role.remoteOnly,
      minutesAfterFirstUse: 2880,
      flags: 31,
      firstUseHours: 255,
      uses: 0xffff,
      generation: MAX_SEQ,
      user: MAX_U32,
      grantor: MAX_U32,
      start: MAX_U32,
      end: MAX_U32,
      schedule: 255,
      capabilities: 0x7f,
    },
  ],
];

function entries() {
  return ENTRIES.map(([name, fields], i) => {
    const tag = node.sha256(ascii(`tag ${i}`)).subarray(0, 12);
    const entry = { ...emptyEntry(), ...fields, tag };
    const bytes = new Uint8Array(ENTRY_BYTES);
    packEntry(entry, bytes, 0);
    return {
      name,
      fields: { ...entry, tag: toHex(tag) },
      entry: toHex(bytes),
      hash: toHex(slotDigest(node, bytes)),
    };
  });
}

const packed = (days: number, start: number, duration: number): number =>
  ((days << 22) | (start << 11) | (duration - 1)) >>> 0;

function schedules() {
  const list: [number, [number, number, number][]][] = [
    [1, [[0x3e, 540, 480]]],
    [255, [[127, 0, 1440]]],
    [
      7,
      [
        [0x3e, 540, 480],
        [0x40, 1320, 480],
      ],
    ],
  ];
  return list.map(([id, windows]) => {
    const numbers = windows.map(([days, start, duration]) => packed(days, start, duration));
    return { id, windows, packed: numbers, hash: toHex(scheduleDigest(node, id, numbers)) };
  });
}

function settings() {
  const list: [number, Uint8Array][] = [
    [1, ascii("CET-1CEST,M3.5.0,M10.5.0/3")],
    [2, fromHex("01")],
    [3, fromHex("000a")],
  ];
  return list.map(([id, value]) => ({
    id,
    value: toHex(value),
    hash: toHex(settingDigest(node, id, value)),
  }));
}

function sumOf(hashes: readonly string[], minus: readonly string[] = []): string {
  const sum = new Uint8Array(DIGEST_BYTES);
  for (const hash of hashes) addDigest(sum, fromHex(hash));
  for (const hash of minus) subtractDigest(sum, fromHex(hash));
  return toHex(sum);
}

/** digest.json. */
export function digestVectors() {
  const slots = entries();
  const shared = schedules();
  const set = settings();
  const hashes = [...slots, ...shared, ...set].map(({ hash }) => hash);
  const ones = "ff".repeat(32);
  const sum = (name: string, add: readonly string[], subtract: readonly string[] = []) => {
    return { name, add, subtract, digest: sumOf(add, subtract) };
  };
  const sums = [
    sum("an empty table", []),
    sum("one slot", hashes.slice(0, 1)),
    sum("all items", hashes),
    sum("all items, the other way round", [...hashes].reverse()),
    sum("all items, and one slot gone again", hashes, hashes.slice(0, 1)),
    sum("a sum beyond 2^256", [ones, `${"00".repeat(31)}02`]),
    sum("a difference below 0", [`${"00".repeat(31)}01`], [`${"00".repeat(31)}02`]),
  ];
  const about =
    "Items of a table digest: entries of slots, schedules and settings with the SHA-256 of each, and sums of such hashes.";
  return { about, entries: slots, schedules: shared, settings: set, sums };
}
