// Pages of the event log for the owner (rules L3, L9, L10): raw entries from a cursor on, sealed under the key of this claim, so that
// who carries them cannot read them and the next owner neither. What happened before the claim is no business of this owner's.

import { pageAad, sealWith } from "../../protocol/crypto/seal";
import { putU32 } from "../../protocol/wire/bytes";
import type { Reader } from "../../protocol/wire/cbor";
import { Code } from "../../protocol/wire/codes";
import { PAGE_HEAD_BYTES, SEAL_NONCE_BYTES } from "../../protocol/wire/limits";
import { frame, pageBody, readFetch, resultMessage, Type } from "../../protocol/wire/messages";
import type { Authority } from "./authority";
import type { Parts } from "./parts";

export class Pages {
  readonly #parts: Parts;
  readonly #authority: Authority;

  constructor(parts: Parts, authority: Authority) {
    this.#parts = parts;
    this.#authority = authority;
  }

  /** Answers a fetch. */
  fetch(request: number, reader: Reader): Uint8Array {
    const wanted = readFetch(reader);
    if (wanted === 0) return resultMessage(request, Code.malformed);
    const { derived, firstEvent } = this.#authority;
    if (derived === undefined) return resultMessage(request, Code.unclaimed);
    const { board, events } = this.#parts;
    const { first, head, entries } = events.page(Math.max(wanted, firstEvent));
    const page = new Uint8Array(PAGE_HEAD_BYTES + entries.length);
    putU32(page, 0, first);
    page.set(head, 4);
    page.set(entries, PAGE_HEAD_BYTES);
    const nonce = new Uint8Array(SEAL_NONCE_BYTES);
    board.random(nonce);
    const sealed = sealWith(board.crypto, derived.eventKey, nonce, pageAad(board.identity.lock), page);
    return frame(Type.page, request, pageBody(sealed));
  }
}
