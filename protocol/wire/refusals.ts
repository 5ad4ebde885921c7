// What a lock answers to the command `refusals` (rules I2, L11): the last times that it let somebody not in, and why. Nothing here says who:
// no user, no slot, no credential, no digits (rules X1, X4, L7). Nobody signs it, so it proves nothing.

import type { Reader } from "./cbor";
import { Writer } from "./cbor";
import { MAX_PAIRS, MAX_REFUSALS, MAX_U32 } from "./limits";
import { BODY_DEPTH, skipExtensions } from "./maps";
import { Trust } from "./receipt";

/** A refusal as numbers. */
export interface Refusal {
  /** See `Method`. */
  method: number;
  /** See `Reason`; never granted. */
  reason: number;
  /** How many entries it stands for, where one was logged for several (rule L7). */
  count: number;
  /** See `Trust`. */
  trust: number;
  /** UTC seconds; seconds since boot where the trust is unknown. */
  time: number;
  /** The power cycle, modulo 2^23. */
  boot: number;
  /** UTC seconds, for one without a time, by a clock that was set later in the same boot; 0 for none. */
  dated: number;
}

/** A refusal at its longest: the head of an array, and numbers of 1 + 2 + 5 + 1 + 5 + 5 + 5 bytes. */
const REFUSAL_BYTES = 25;
const MAX_METHOD = 15;
const MAX_REASON = 0xff;
const MAX_BOOT = 2 ** 23 - 1;

/** Writes the body of refusals, one at a time and newest first: `{0: [[method, reason, count, trust, time, boot, dated], …]}`. */
export class RefusalsWriter {
  readonly #items = new Writer(new Uint8Array(MAX_REFUSALS * REFUSAL_BYTES));
  #count = 0;

  /** Whether another one fits. */
  get hasRoom(): boolean {
    return this.#count < MAX_REFUSALS;
  }

  add({ method, reason, count, trust, time, boot, dated }: Refusal): void {
    this.#items.array(7).uint(method).uint(reason).uint(count).uint(trust).uint(time).uint(boot).uint(dated);
    this.#count++;
  }

  body(): Uint8Array {
    const items = this.#items.view();
    return new Writer(new Uint8Array(items.length + 3)).map(1).uint(0).array(this.#count).copy(items).view();
  }
}

/** Reads the body of refusals. */
export function readRefusals(reader: Reader): Refusal[] | undefined {
  const pairs = reader.map(MAX_PAIRS);
  if (reader.key(-1) !== 0) reader.fail();
  const refusals: Refusal[] = [];
  for (let n = reader.array(MAX_REFUSALS); n > 0 && reader.ok; n--) refusals.push(readRefusal(reader));
  skipExtensions(reader, 0, pairs - 1, BODY_DEPTH);
  return reader.done() ? refusals : undefined;
}

function readRefusal(reader: Reader): Refusal {
  if (reader.array(7) !== 7) reader.fail();
  const method = reader.uint(MAX_METHOD);
  const reason = reader.uint(MAX_REASON);
  const count = reader.uint(MAX_U32);
  const trust = reader.uint(Trust.set);
  const time = reader.uint(MAX_U32);
  const boot = reader.uint(MAX_BOOT);
  const dated = reader.uint(MAX_U32);
  if (reason === 0 || count === 0 || (dated > 0 && trust !== Trust.unknown)) reader.fail();
  return { method, reason, count, trust, time, boot, dated };
}
