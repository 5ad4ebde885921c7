// Messages that no issuer of this project would make: payloads with any keys, envelopes with any header, signatures over anything.

import type { SigningKey } from "../../protocol/issuer/encode";
import { ascii, fromHex, toHex } from "../../protocol/wire/bytes";
import { Writer } from "../../protocol/wire/cbor";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { node } from "../../simulator/board/crypto";

/** A map by its pairs; in whatever order, it is written sorted. */
export const map = (
  pairs: readonly (readonly [number | string, CborValue])[],
): Map<number | string, CborValue> => new Map(pairs);

/** The bytes of a map. */
export const payloadOf = (...pairs: (readonly [number | string, CborValue])[]): Uint8Array =>
  encode(map(pairs));

/** Bytes one after another. */
export function joined(...parts: Uint8Array[]): Uint8Array {
  return fromHex(parts.map(toHex).join(""));
}

/** The protected header that the protocol asks for. */
export const headerOf = (kid: Uint8Array, algorithm = -19): Uint8Array => payloadOf([1, algorithm], [4, kid]);

/** An envelope to be made. */
export interface Crafted {
  readonly signer: SigningKey;
  /** What the external_aad is. */
  readonly domain: string;
  readonly payload: Uint8Array;
  readonly header?: Uint8Array;
  /** The encoded unprotected header. */
  readonly unprotected?: Uint8Array;
  /** The encoded payload field, where it is not the payload as a byte string. */
  readonly payloadField?: Uint8Array;
  /** Changes the signature. */
  readonly tamper?: (signature: Uint8Array) => Uint8Array;
}

const EMPTY_MAP = fromHex("a0");

/** A COSE_Sign1 over exactly what is asked for. */
export function craft(parts: Crafted): Uint8Array {
  const { signer, domain, payload } = parts;
  const header = parts.header ?? headerOf(signer.kid);
  const toSign = encode(["Signature1", header, ascii(domain), payload]);
  const signature = node.ed25519Sign(toSign, signer.seed);
  return joined(
    fromHex("84"),
    encode(header),
    parts.unprotected ?? EMPTY_MAP,
    parts.payloadField ?? encode(payload),
    encode(parts.tamper === undefined ? signature : parts.tamper(signature)),
  );
}

/** The same bytes with one bit of byte `at` flipped; negative counts from the end. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at < 0 ? bytes.length + at : at] ^= 1;
  return copy;
}

/** The order of Ed25519's base point (RFC 8032 §5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The signature with S + L in place of S: the same number modulo L (RFC 8032 §5.1.7 forbids it). */
export function withLargeS(signature: Uint8Array): Uint8Array {
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]);
  s += ORDER;
  const copy = signature.slice();
  for (let i = 32; i < 64; i++, s >>= 8n) copy[i] = Number(s & 255n);
  return copy;
}

/** A message round an encoded body, whatever the numbers are. */
export function framed(type: number, request: number, body: Uint8Array): Uint8Array {
  const head = new Writer(new Uint8Array(16)).array(3).uint(type).uint(request).view();
  return joined(head, body);
}
