// events.json: events of a lock, the chain over them, and pages as an issuer opens them.

import { ascii, fromHex, putU16, putU24, putU32, toHex } from "../../protocol/wire/bytes";
import { Credential, EventKind, type LockEvent, Method } from "../../protocol/wire/event";
import { EVENT_BYTES, HEAD_BYTES, SEAL_NONCE_BYTES } from "../../protocol/wire/limits";
import { Trust } from "../../protocol/wire/receipt";
import { node } from "../../simulator/board/crypto";
import { KEYS, LOCK_ID, type Readable, START, sealPage } from "./bench";
import { flipped } from "./craft";

const QUIET: Omit<LockEvent, "seq" | "kind"> = {
  reason: 0,
  method: Method.auto,
  trust: Trust.unknown,
  mode: 0,
  time: 3,
  boot: 1,
  user: 0,
  generation: 0,
  credential: Credential.none,
  detail: 0,
};
const DATED = { ...QUIET, trust: Trust.set, time: START };
const STORY: readonly (Partial<LockEvent> & { readonly kind: number })[] = [
  { ...QUIET, kind: EventKind.boot, detail: 1 },
  { ...QUIET, kind: EventKind.claimed, method: Method.link, detail: 1 },
  { ...DATED, kind: EventKind.synced, method: Method.link, detail: 7 },
  {
    ...DATED,
    ...{ kind: EventKind.granted, method: Method.keypad, credential: Credential.pin },
    ...{ user: 1003, generation: 5, detail: 3 },
  },
  { ...DATED, kind: EventKind.refused, method: Method.keypad, reason: 3, mode: 1 },
  {
    ...DATED,
    ...{ kind: EventKind.command, method: Method.phone, user: 0xffffffff, generation: 0xffffff },
    ...{ boot: 2 ** 23 - 1, detail: 0x4502 },
  },
];

/** The 32 bytes of an event; `own` fills what is for the lock's own use. */
function bytesOf(event: LockEvent, own: number): Uint8Array {
  const bytes = new Uint8Array(EVENT_BYTES).fill(own, 26);
  bytes[0] = (own & 0xc0) | event.kind;
  bytes[1] = event.reason;
  bytes[2] = (event.method << 4) | (own & 0x0c) | event.trust;
  bytes[3] = (event.credential << 4) | event.mode;
  putU32(bytes, 4, event.seq);
  putU32(bytes, 8, event.time);
  putU16(bytes, 12, event.boot & 0xffff);
  putU24(bytes, 14, event.generation);
  putU32(bytes, 17, event.user);
  putU32(bytes, 21, event.detail);
  bytes[25] = ((event.boot >>> 16) << 1) | (own & 1);
  return bytes;
}

function headAfter(head: Uint8Array, event: Uint8Array): Uint8Array {
  const input = new Uint8Array(HEAD_BYTES + EVENT_BYTES);
  input.set(head);
  input.set(event, HEAD_BYTES);
  return node.sha256(input).slice(0, HEAD_BYTES);
}

/** A page, and what it says; undefined where it must not open. */
export interface PageCase {
  readonly name: string;
  readonly sealed: string;
  readonly reads: Readable | null;
}

/** events.json. */
export function eventVectors() {
  const events = STORY.map((fields, i) => ({ ...DATED, ...fields, seq: i + 1 }));
  const bytes = events.map((event, i) => bytesOf(event, (0x5b * (i + 3)) & 0xff));
  const heads: Uint8Array[] = [new Uint8Array(HEAD_BYTES)];
  for (const each of bytes) heads.push(headAfter(heads[heads.length - 1], each));
  const nonceOf = (name: string) =>
    node.sha256(ascii(`tumbler/1 vectors ${name}`)).subarray(0, SEAL_NONCE_BYTES);
  const pages: PageCase[] = [];
  const page = (name: string, from: number, to: number, first = from): Uint8Array => {
    const content = { first, head: heads[from - 1], events: bytes.slice(from - 1, to - 1) };
    const sealed = sealPage({ nonce: nonceOf(name), ...content });
    const reads = { first, head: toHex(content.head), events: content.events.map(toHex) };
    pages.push({ name, sealed: toHex(sealed), reads });
    return sealed;
  };
  const refuse = (name: string, sealed: Uint8Array) =>
    pages.push({ name, sealed: toHex(sealed), reads: null });
  const usual = page("from the claim on", 2, 7);
  page("all of it", 1, 7);
  page("the last two", 5, 7);
  page("nothing new", 7, 7);
  refuse("a flipped bit in the nonce", flipped(usual, 0));
  refuse("a flipped bit", flipped(usual, 40));
  refuse("a flipped bit in the tag", flipped(usual, -1));
  refuse("a page that ends too early", usual.subarray(0, -1));
  refuse(
    "a page of another lock",
    sealPage({ nonce: nonceOf("other"), first: 7, head: heads[6], events: [] }, fromHex("7b1d5a40c3e29f87")),
  );
  const about =
    "Events in order, each with the head of the chain behind it, which begins with 16 zero bytes; and sealed pages, null where one must not open. A receipt that says [7, the last head] covers them all.";
  return {
    about,
    lock: toHex(LOCK_ID),
    eventKey: toHex(KEYS.eventKey),
    events: events.map((fields, i) => ({ fields, bytes: toHex(bytes[i]), head: toHex(heads[i + 1]) })),
    pages,
  };
}
