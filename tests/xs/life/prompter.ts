// Crypto that computes nothing: it gives what another crypto gave for the same calls in the same order. With it a lock on XS takes the
// steps and the memory of a lock whose crypto is native. What it is asked is not looked at: a life that asks for something else than the
// recorded one gets other results, and so other bytes than Node's.

import type { Crypto } from "../../../protocol/crypto/port";
import { putU16 } from "../../../protocol/wire/bytes";

/** In place of the length of a result that is none. */
const NONE = 0xffff;

/** A crypto whose results are written down. */
export interface Recording {
  readonly crypto: Crypto;
  /** What was written down since the last call: for each result its length, two bytes, and its bytes; true is one byte 1. */
  take(): Uint8Array;
}

/** Writes down what `crypto` gives. */
export function recording(crypto: Crypto): Recording {
  let results: Uint8Array[] = [];
  const note = <T extends Uint8Array | boolean | undefined>(result: T): T => {
    const bytes: Uint8Array | undefined =
      typeof result === "boolean" ? Uint8Array.of(result ? 1 : 0) : result;
    const head = new Uint8Array(2);
    putU16(head, 0, bytes?.length ?? NONE);
    results.push(head);
    if (bytes !== undefined) results.push(bytes.slice());
    return result;
  };
  return {
    crypto: {
      name: "recorded " + crypto.name,
      sha256: (data) => note(crypto.sha256(data)),
      hmacSha256: (key, data) => note(crypto.hmacSha256(key, data)),
      ed25519PublicKey: (seed) => note(crypto.ed25519PublicKey(seed)),
      ed25519Sign: (message, seed) => note(crypto.ed25519Sign(message, seed)),
      ed25519Verify: (signature, message, key) => note(crypto.ed25519Verify(signature, message, key)),
      seal: (key, nonce, aad, plain) => note(crypto.seal(key, nonce, aad, plain)),
      unseal: (key, nonce, aad, sealed) => note(crypto.unseal(key, nonce, aad, sealed)),
    },
    take() {
      const length = results.reduce((sum, part) => sum + part.length, 0);
      const taken = new Uint8Array(length);
      let at = 0;
      for (const part of results) {
        taken.set(part, at);
        at += part.length;
      }
      results = [];
      return taken;
    },
  };
}

/** Gives recorded results, one a call, as `next` does. */
export class Prompter implements Crypto {
  readonly name = "prompter";
  readonly #next: () => Uint8Array | undefined;

  constructor(next: () => Uint8Array | undefined) {
    this.#next = next;
  }

  #bytes(): Uint8Array {
    const bytes = this.#next();
    if (bytes === undefined) throw new Error("prompter: a result that is none");
    return bytes;
  }

  sha256(): Uint8Array {
    return this.#bytes();
  }
  hmacSha256(): Uint8Array {
    return this.#bytes();
  }
  ed25519PublicKey(): Uint8Array {
    return this.#bytes();
  }
  ed25519Sign(): Uint8Array {
    return this.#bytes();
  }
  ed25519Verify(): boolean {
    return this.#bytes()[0] === 1;
  }
  seal(): Uint8Array {
    return this.#bytes();
  }
  unseal(): Uint8Array | undefined {
    return this.#next();
  }
}
