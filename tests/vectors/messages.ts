// messages.json: frames and the bodies that are not signed, each with what it means or how it is refused.

import { L500I } from "../../firmware/core/profile";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { MAX_MESSAGE_BYTES, MAX_SEQ, MAX_U32 } from "../../protocol/wire/limits";
import { MAX_REQUEST_ID, Type } from "../../protocol/wire/messages";
import { Bench, KEYSET_NUMBER, readableIdentity } from "./bench";
import { framed, map, payloadOf } from "./craft";

/** A message to a lock in service that has no delta yet, with the type of its answer or the code of its result. */
export interface CourierCase {
  readonly name: string;
  /** Whether a hello came before in the same session. */
  readonly greeted: boolean;
  readonly bytes: string;
  readonly answer: string;
}

/** A message from a lock: what it means, or that a reader must refuse it. */
export interface LockCase {
  readonly name: string;
  readonly bytes: string;
  readonly means: { readonly [field: string]: string | number | readonly object[] } | null;
}

type Pairs = (readonly [number | string, CborValue])[];

/** What may be wrong with any frame, shown with an ask. */
function frames(): [string, string][] {
  return [
    ["nothing", ""],
    ["a frame of two", "820a01"],
    ["a frame of four", "840a01a1000100"],
    ["a trailing byte", "830a01a1000100"],
    ["a frame that ends too early", "830a01a100"],
    ["a frame that is a map", "a30a01a10001"],
    ["a type above 255", "8319010001a10001"],
    ["a request above 65535", "830a1a00010000a10001"],
    ["a negative request", "830a20a10001"],
    ["a type in two bytes that has room in one", "83180a01a10001"],
    ["an indefinite frame", "9f0a01a10001ff"],
    ["a tagged frame", "d9d9f7830a01a10001"],
    ["a floating-point request", "830af93c00a10001"],
  ];
}

function toLock(): CourierCase[] {
  const cases: CourierCase[] = [];
  const add = (name: string, bytes: Uint8Array, answer: string, greeted = true) => {
    cases.push({ name, greeted, bytes: toHex(bytes), answer });
  };
  const hello = (...pairs: Pairs) => framed(Type.hello, 1, payloadOf(...pairs));
  const ask = (...pairs: Pairs) => framed(Type.ask, 1, payloadOf(...pairs));
  const sixteen = Array.from({ length: 16 }, (_, i) => i + 1);

  add("hello", hello([0, [1]], [1, MAX_MESSAGE_BYTES]), "status", false);
  add("hello as request 0", framed(Type.hello, 0, payloadOf([0, [1]], [1, 0])), "status", false);
  add(
    "hello as the highest request",
    framed(Type.hello, MAX_REQUEST_ID, payloadOf([0, [1]], [1, MAX_U32])),
    "status",
    false,
  );
  add("hello of a courier of three versions", hello([0, [3, 2, 1]], [1, MAX_MESSAGE_BYTES]), "status", false);
  add("hello of sixteen versions", hello([0, sixteen], [1, MAX_MESSAGE_BYTES]), "status", false);
  add(
    "hello of seventeen versions",
    hello([0, [...sixteen, 17]], [1, MAX_MESSAGE_BYTES]),
    "malformed",
    false,
  );
  add("hello of a version to come", hello([0, [2]], [1, MAX_MESSAGE_BYTES]), "version", false);
  add("hello of no version", hello([0, []], [1, MAX_MESSAGE_BYTES]), "version", false);
  add("hello with an extension", hello([0, [1]], [1, MAX_MESSAGE_BYTES], [128, "new"]), "status", false);
  add(
    "hello with an unknown critical key",
    hello([0, [1]], [1, MAX_MESSAGE_BYTES], [2, 0]),
    "malformed",
    false,
  );
  add(
    "hello with the highest critical key",
    hello([0, [1]], [1, MAX_MESSAGE_BYTES], [127, 0]),
    "malformed",
    false,
  );
  add("hello without its largest message", hello([0, [1]]), "malformed", false);
  add("hello with a text key", hello([0, [1]], [1, MAX_MESSAGE_BYTES], ["a", 0]), "malformed", false);
  add(
    "hello with its keys out of order",
    fromHex("830101a20119081000810 1".replace(" ", "")),
    "malformed",
    false,
  );
  add("hello with a key twice", fromHex("830101a2008101008101"), "malformed", false);
  add("hello that is a list", framed(Type.hello, 1, encode([[1], MAX_MESSAGE_BYTES])), "malformed", false);

  add("ask from the first position", ask([0, 1]), "receipt");
  add("ask from the last position", ask([0, MAX_SEQ]), "receipt");
  add("ask with an extension", ask([0, 1], [300, [1, [2]]]), "receipt");
  add("ask from position 0", ask([0, 0]), "malformed");
  add("ask behind the last position", ask([0, MAX_SEQ + 1]), "malformed");
  add("ask for nothing", ask(), "malformed");
  add("ask with an unknown critical key", ask([0, 1], [4, 1]), "malformed");
  add("bye", framed(Type.bye, 1, payloadOf()), "applied");

  for (const [name, hex] of frames()) add(name, fromHex(hex), "malformed");
  add("a message of 2,065 bytes", new Uint8Array(MAX_MESSAGE_BYTES + 1), "too-large");
  add("a message of 2,064 bytes that is none", new Uint8Array(MAX_MESSAGE_BYTES), "malformed");
  add("ask before hello", ask([0, 1]), "bad-state", false);
  add("an unknown type before hello", framed(23, 1, payloadOf()), "bad-state", false);
  add("an unknown type", framed(23, 1, payloadOf()), "frame-order");
  add("a status, which only locks send", framed(Type.status, 1, payloadOf()), "frame-order");
  add("a result, which only locks send", framed(Type.result, 1, payloadOf([0, 0])), "frame-order");
  questions(add);
  return cases;
}

type Add = (name: string, bytes: Uint8Array, answer: string, greeted?: boolean) => void;

/** What may be asked, and the other messages that nobody signs. */
function questions(add: Add): void {
  const ask = (...pairs: Pairs) => framed(Type.ask, 1, payloadOf([0, 1], ...pairs));
  add("ask about a user", ask([1, 1003]), "receipt");
  add("ask about user 0", ask([1, 0]), "malformed");
  add("ask about the highest user", ask([1, MAX_U32]), "receipt");
  add("ask about a user of 33 bits", ask([1, MAX_U32 + 1]), "malformed");
  add("ask about slots", ask([2, [0, 10]]), "receipt");
  add("ask about slots that no lock has", ask([2, [65_534, 65_535]]), "receipt");
  add("ask about no slots", ask([2, [3, 3]]), "malformed");
  add("ask about slots the other way round", ask([2, [4, 3]]), "malformed");
  add("ask about slots to 65536", ask([2, [0, 65_536]]), "malformed");
  add("ask about slots from somewhere", ask([2, [3]]), "malformed");
  add("ask what the lock is", ask([3, true]), "receipt");
  add("ask not what the lock is", ask([3, false]), "malformed");
  add("ask everything", ask([1, 1003], [2, [0, 10]], [3, true], [128, 0]), "receipt");
  const part = (...pairs: Pairs) => framed(Type.part, 1, payloadOf(...pairs));
  add("a part without a rebase", part([0, 1], [1, new Uint8Array(0)]), "bad-state");
  add("the last part, of 2,000 bytes", part([0, 48], [1, new Uint8Array(2000)]), "bad-state");
  add("part 0", part([0, 0], [1, new Uint8Array(0)]), "malformed");
  add("part 49", part([0, 49], [1, new Uint8Array(0)]), "malformed");
  add("a part of 2,001 bytes", part([0, 1], [1, new Uint8Array(2001)]), "malformed");
  add("a part without bytes", part([0, 1]), "malformed");
  add("challenge", framed(Type.challenge, 1, payloadOf()), "nonce");
  add("challenge with an extension", framed(Type.challenge, 1, payloadOf([128, 0])), "nonce");
  add("challenge with a critical key", framed(Type.challenge, 1, payloadOf([0, 0])), "malformed");
  add("identify", framed(Type.identify, 1, payloadOf()), "applied");
  add("identify with a critical key", framed(Type.identify, 1, payloadOf([0, 0])), "malformed");
  const fetch = (...pairs: Pairs) => framed(Type.fetch, 1, payloadOf(...pairs));
  add("fetch", fetch([0, 1]), "page");
  add("fetch what is far away", fetch([0, MAX_U32]), "page");
  add("fetch from event 0", fetch([0, 0]), "malformed");
  add("fetch with a critical key", fetch([0, 1], [1, 1]), "malformed");
  add(
    "a nonce, which only locks send",
    framed(Type.nonce, 1, payloadOf([0, new Uint8Array(8)])),
    "frame-order",
  );
  add(
    "a page, which only locks send",
    framed(Type.page, 1, payloadOf([0, new Uint8Array(60)])),
    "frame-order",
  );
  add("refusals, which only locks send", framed(Type.refusals, 1, payloadOf([0, []])), "frame-order");
}

function status(changes: Pairs, drop?: number): Uint8Array {
  const usual: Pairs = [
    [0, 1],
    [1, fromHex("7b1d5a40")],
    [2, 1],
    [3, 17],
    [4, [2064, 32, 1000]],
    [5, 2],
    [6, fromHex("0011223344556677")],
    [7, KEYSET_NUMBER],
    [8, 1100],
  ];
  const pairs = map([...usual, ...changes]);
  if (drop !== undefined) pairs.delete(drop);
  return framed(Type.status, 9, encode(pairs));
}

const STATUS = {
  type: "status",
  shortId: "7b1d5a40",
  largest: 2064,
  deltas: 32,
  slots: 1000,
  nonce: "0011223344556677",
};

function fromLock(): LockCase[] {
  const cases: LockCase[] = [];
  const add = (name: string, bytes: Uint8Array, means: LockCase["means"]) => {
    cases.push({ name, bytes: toHex(bytes), means });
  };
  const result = (...pairs: Pairs) => framed(Type.result, 9, payloadOf(...pairs));
  const usual = { ...STATUS, epoch: 1, applied: 17, flags: 2, keyset: KEYSET_NUMBER, density: 1100 };

  add("a status", status([]), usual);
  add("a status of the highest position", status([[3, MAX_SEQ]]), { ...usual, applied: MAX_SEQ });
  add("a status with an extension", status([[128, 1]]), usual);
  add("a status with an unknown critical key", status([[9, 1]]), null);
  add("a status behind the last position", status([[3, MAX_SEQ + 1]]), null);
  add("a status of version 2", status([[0, 2]]), null);
  add("a status without a nonce", status([], 6), null);
  add("a status with a nonce of seven bytes", status([[6, new Uint8Array(7)]]), null);
  add("a status with flags above 255", status([[5, 256]]), null);

  add("a result", result([0, 0x44]), { type: "result", code: 0x44, detail: 0 });
  add("a result with a detail", result([0, 0x20], [1, 18]), { type: "result", code: 0x20, detail: 18 });
  add("a result of a code to come", result([0, 0x3f]), { type: "result", code: 0x3f, detail: 0 });
  add("a result with an extension", result([0, 0x44], [128, 1]), { type: "result", code: 0x44, detail: 0 });
  add("a result with a detail and an extension", result([0, 0x20], [1, 18], [128, 1]), {
    type: "result",
    code: 0x20,
    detail: 18,
  });
  add("a result with an unknown critical key", result([0, 0x44], [2, 1]), null);
  add("a result without a code", result(), null);
  add("a result with a code above 255", result([0, 256]), null);
  add("a status of a lock with urgent events", status([[5, 40]]), { ...usual, flags: 40 });

  const nonce = (...pairs: Pairs) => framed(Type.nonce, 9, payloadOf(...pairs));
  const eight = fromHex("0011223344556677");
  add("a nonce", nonce([0, eight]), { type: "nonce", nonce: "0011223344556677" });
  add("a nonce with an extension", nonce([0, eight], [128, 1]), { type: "nonce", nonce: "0011223344556677" });
  add("a nonce of seven bytes", nonce([0, eight.subarray(1)]), null);
  add("a nonce with an unknown critical key", nonce([0, eight], [1, 1]), null);
  const page = (...pairs: Pairs) => framed(Type.page, 9, payloadOf(...pairs));
  add("a page", page([0, eight]), { type: "page", sealed: "0011223344556677" });
  add("a page of 1,596 bytes", page([0, new Uint8Array(1596)]), { type: "page", sealed: "00".repeat(1596) });
  add("a page of 1,597 bytes", page([0, new Uint8Array(1597)]), null);
  add("a page with an unknown critical key", page([0, eight], [1, 1]), null);
  refusals(add);
  return cases;
}

function refusals(add: (name: string, bytes: Uint8Array, means: LockCase["means"]) => void): void {
  const list = (...items: CborValue[]) => framed(Type.refusals, 9, payloadOf([0, items]));
  const known = [1, 3, 1, 2, 1_803_862_800, 12, 0];
  const unknown = [3, 7, 1, 0, 340, 12, 1_803_859_540];
  const counted = [1, 2, 41, 0, 95, 11, 0];
  const names = ["method", "reason", "count", "trust", "time", "boot", "dated"];
  const means = (...lines: number[][]) => ({
    type: "refusals",
    refusals: lines.map((line) => Object.fromEntries(names.map((name, i) => [name, line[i]]))),
  });
  const longest = [15, 255, MAX_U32, 0, MAX_U32, 0x7fffff, MAX_U32];
  const but = (place: number, value: CborValue) => known.map((was, i) => (i === place ? value : was));
  add("no refusals", list(), means());
  add("refusals", list(known, unknown, counted), means(known, unknown, counted));
  add("twenty refusals", list(...Array(20).fill(longest)), means(...Array(20).fill(longest)));
  add("twenty-one refusals", list(...Array(21).fill(longest)), null);
  add("a refusal by a clock that was held", list(but(3, 1)), means([1, 3, 1, 1, ...known.slice(4)]));
  add("a refusal of a trust to come", list(but(3, 3)), null);
  add("a refusal for no reason", list(but(1, 0)), null);
  add("a refusal of nobody", list(but(2, 0)), null);
  add("a refusal that knew the time, dated all the same", list(but(6, 1)), null);
  add("a refusal of boot 8388608", list(but(5, 0x800000)), null);
  add("a refusal of method 16", list(but(0, 16)), null);
  add("a refusal of six", list(known.slice(0, 6)), null);
  add("a refusal of eight", list([...known, 0]), null);
  const extended = framed(Type.refusals, 9, payloadOf([0, [known]], [128, 1]));
  add("refusals with an extension", extended, means(known));
  const critical = framed(Type.refusals, 9, payloadOf([0, [known]], [1, 1]));
  add("refusals with an unknown critical key", critical, null);
}

/** messages.json. */
export function messageVectors() {
  const bench = new Bench();
  const service = bench.serve();
  const about =
    "toLock: after the exchanges of `service`, a new session; `greeted` cases come after a hello. fromLock: null is refused.";
  return { about, identity: readableIdentity(L500I), service, toLock: toLock(), fromLock: fromLock() };
}
