// Looks at a TLS 1.2 handshake while the SDK's TLS makes it (RFC 5246), and breaks it off where that would go on wrongly. The SDK's takes a
// chain as good whose first certificate nobody has signed, a key exchange that carries no signature, and an end before the beginning, after
// which it sends the password in the clear. So here: only the messages of a full handshake, each once and in order; one certificate, signed
// by the site's authority itself, and that authority's own behind it; a signed key exchange; and nothing of the application before the keys.
// What comes later is encrypted, and not looked at.

import { equal } from "../../protocol/wire/bytes";
import type { SocketWatch } from "./sockets";

/** Types of records (6.2.1). */
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const RECORD_HEADER_BYTES = 5;
/** The longest record of a handshake: two certificates of 2048 bits are 2 KB. */
export const MAX_RECORD_BYTES = 6144;

/** Types of handshake messages (7.4). */
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const SERVER_HELLO_DONE = 14;
const MESSAGE_HEADER_BYTES = 4;
const LENGTH_BYTES = 3;

/** Of an ECDHE key exchange (RFC 8422, 5.4): curve type, curve, length of the point; the algorithms of the signature are behind it. */
const NAMED_CURVE = 3;
const POINT_LENGTH_AT = 3;
const SHA256 = 4;
const RSA = 1;
const ECDSA = 3;

/** Which message of the server may follow which; a key exchange is in the handshakes that need one. */
const FOLLOWS: Readonly<Record<number, readonly number[]>> = {
  [SERVER_HELLO]: [0],
  [CERTIFICATE]: [SERVER_HELLO],
  [SERVER_KEY_EXCHANGE]: [CERTIFICATE],
  [SERVER_HELLO_DONE]: [CERTIFICATE, SERVER_KEY_EXCHANGE],
};

/** The site's certificate authority. */
export interface Authority {
  /** Its own certificate, DER. */
  readonly certificate: Uint8Array;
  /** Whether it has signed this certificate, which is good now. May throw for bytes that are none. */
  hasSigned(certificate: Uint8Array): boolean;
}

const getU24 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];

/** Watches one connection. */
export class TlsWatch implements SocketWatch {
  readonly #authority: Authority;
  /** The header of the record that is coming in, and then all of it. */
  #record = new Uint8Array(RECORD_HEADER_BYTES);
  #got = 0;
  /** The server's last message; 0 before the first. */
  #last = 0;
  /** Whether the change to the keys has gone out; what comes before it is in the clear. */
  #hasKeys = false;
  #isOver = false;

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  /** A record on its way out; the SDK writes one at a time. Throws at one that must not go. */
  sent(bytes: Uint8Array): void {
    if (bytes[0] === CHANGE_CIPHER_SPEC) {
      if (this.#last !== SERVER_HELLO_DONE) refuse("keys before the server's last word");
      this.#hasKeys = true;
    }
    if (bytes[0] === APPLICATION_DATA && !this.#isOver) refuse("data in the clear");
  }

  /** The next bytes that came in, before they mean anything. Throws at what must not be believed. */
  received(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isOver; ) {
      const count = Math.min(this.#record.length - this.#got, bytes.length - at);
      this.#record.set(bytes.subarray(at, at + count), this.#got);
      this.#got += count;
      at += count;
      if (this.#got === this.#record.length) this.step();
    }
  }

  private step(): void {
    const record = this.#record;
    if (record.length > RECORD_HEADER_BYTES) {
      this.messages(record.subarray(RECORD_HEADER_BYTES));
      this.#record = new Uint8Array(RECORD_HEADER_BYTES);
      this.#got = 0;
      return;
    }
    const length = (record[3] << 8) | record[4];
    if (record[0] === CHANGE_CIPHER_SPEC && this.#hasKeys) {
      this.#isOver = true;
      return;
    }
    if (record[0] !== HANDSHAKE || length === 0) refuse(`a record of type ${record[0]} in the clear`);
    if (length > MAX_RECORD_BYTES) refuse(`a handshake of ${length} bytes`);
    this.#record = new Uint8Array(RECORD_HEADER_BYTES + length);
    this.#record.set(record);
  }

  /** The messages of one record: the SDK takes none that goes on in another. */
  private messages(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const from = at + MESSAGE_HEADER_BYTES;
      const to = from + getU24(bytes, at + 1);
      if (from > bytes.length || to > bytes.length) refuse("a message beyond its record");
      this.message(bytes[at], bytes.subarray(from, to));
      at = to;
    }
  }

  private message(type: number, body: Uint8Array): void {
    if (!FOLLOWS[type]?.includes(this.#last)) refuse(`message ${type} after ${this.#last}`);
    this.#last = type;
    if (type === CERTIFICATE) this.certificates(body);
    if (type === SERVER_KEY_EXCHANGE) checkSigned(body);
  }

  /** Two, the second of which is the authority's own. */
  private certificates(body: Uint8Array): void {
    const first = certificateAt(body, LENGTH_BYTES);
    const second = certificateAt(body, 2 * LENGTH_BYTES + first.length);
    const end = LENGTH_BYTES * 3 + first.length + second.length;
    if (getU24(body, 0) !== body.length - LENGTH_BYTES || end !== body.length)
      refuse("other than two certificates");
    if (!equal(second, this.#authority.certificate)) refuse("another authority");
    if (!this.#authority.hasSigned(first)) refuse("a certificate that is not the site's, or not good now");
  }
}

function certificateAt(body: Uint8Array, at: number): Uint8Array {
  if (at + LENGTH_BYTES > body.length) refuse("other than two certificates");
  return body.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + getU24(body, at));
}

/** The SDK looks at a signature only where it knows both of its algorithms, and takes the exchange for good otherwise. */
function checkSigned(body: Uint8Array): void {
  const at = POINT_LENGTH_AT + 1 + body[POINT_LENGTH_AT];
  const isKnown = body[at] === SHA256 && (body[at + 1] === RSA || body[at + 1] === ECDSA);
  if (body[0] !== NAMED_CURVE || !isKnown) refuse("a key exchange without a signature that is looked at");
}

function refuse(what: string): never {
  throw new Error("TLS: " + what);
}
