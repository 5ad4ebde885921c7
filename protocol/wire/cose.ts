// COSE_Sign1 (RFC 9052 §4.2) with Ed25519 = -19 (RFC 9864) and nothing else: protected header {1: -19, 4: kid}, an empty
// unprotected header, a payload and 64 bytes of signature. The external_aad names the kind of message, so that no signature
// of one kind is ever good for another.

import type { Crypto } from "../crypto/port";
import { verifySignature } from "../crypto/verify";
import { ascii } from "./bytes";
import type { Reader } from "./cbor";
import { Writer } from "./cbor";
import { KEY_ID_BYTES, SIGNATURE_BYTES } from "./limits";

/** The domain separators: the external_aad of each kind of signed message. */
export const Domain = {
  claim: ascii("tumbler/1 claim"),
  keys: ascii("tumbler/1 keys"),
  bundle: ascii("tumbler/1 bundle"),
  receipt: ascii("tumbler/1 receipt"),
  time: ascii("tumbler/1 time"),
  heartbeat: ascii("tumbler/1 heartbeat"),
  rebase: ascii("tumbler/1 rebase"),
  reset: ascii("tumbler/1 reset"),
  unlock: ascii("tumbler/1 unlock"),
  command: ascii("tumbler/1 command"),
} as const;

const ALGORITHM_ED25519 = -19;
const LABEL_ALGORITHM = 1;
const LABEL_KID = 4;
/** `{1: -19, 4: h'8 bytes'}` */
const PROTECTED_BYTES = 5 + KEY_ID_BYTES;
const CONTEXT = ascii("Signature1");
/** What the Sig_structure adds to payload and separator: heads of at most 3 bytes and the constant strings. */
const SIG_OVERHEAD = 64;

/** A COSE_Sign1 taken apart, not yet verified. All arrays are views into the message. */
export interface Envelope {
  /** The protected header as it was signed. */
  readonly header: Uint8Array;
  readonly kid: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

function writeHeader(kid: Uint8Array): Uint8Array {
  const writer = new Writer(new Uint8Array(PROTECTED_BYTES));
  return writer.map(2).uint(LABEL_ALGORITHM).int(ALGORITHM_ED25519).uint(LABEL_KID).raw(kid).view();
}

/**
 * Reads one envelope at the reader's position. Undefined, with the reader failed, when it is not exactly of this form:
 * another algorithm, a critical or unknown header (rule X9), anything unprotected.
 */
export function readEnvelope(reader: Reader, maxPayload: number): Envelope | undefined {
  if (reader.array(4) !== 4) reader.fail();
  const header = reader.raw(PROTECTED_BYTES);
  if (reader.map(0) !== 0) reader.fail();
  const payload = reader.raw(0, maxPayload);
  const signature = reader.raw(SIGNATURE_BYTES);
  if (!reader.ok) return undefined;
  const kid = header.subarray(PROTECTED_BYTES - KEY_ID_BYTES);
  // Only one protected header is acceptable for a kid, so comparing with it parses it.
  const expected = writeHeader(kid);
  for (let i = 0; i < PROTECTED_BYTES; i++) {
    if (expected[i] !== header[i]) {
      reader.fail();
      return undefined;
    }
  }
  return { header, kid, payload, signature };
}

/** The Sig_structure of RFC 9052 §4.4: what is really signed. */
function toBeSigned(header: Uint8Array, domain: Uint8Array, payload: Uint8Array): Uint8Array {
  const writer = new Writer(new Uint8Array(SIG_OVERHEAD + domain.length + payload.length));
  return writer.array(4).text(CONTEXT).raw(header).raw(domain).raw(payload).view();
}

/** Whether `publicKey` signed this envelope as a message of `domain`. */
export function verifyEnvelope(
  crypto: Crypto,
  envelope: Envelope,
  domain: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  const message = toBeSigned(envelope.header, domain, envelope.payload);
  return verifySignature(crypto, envelope.signature, message, publicKey);
}

/** Signs `payload` as a message of `domain`: the bytes of a whole COSE_Sign1. `kid` is 8 bytes. */
export function signEnvelope(
  crypto: Crypto,
  domain: Uint8Array,
  kid: Uint8Array,
  payload: Uint8Array,
  seed: Uint8Array,
): Uint8Array {
  const header = writeHeader(kid);
  const signature = crypto.ed25519Sign(toBeSigned(header, domain, payload), seed);
  const writer = new Writer(new Uint8Array(SIG_OVERHEAD + payload.length + SIGNATURE_BYTES));
  return writer.array(4).raw(header).map(0).raw(payload).raw(signature).view();
}
