// What a TLS handshake must be, against real ones of OpenSSL by Node, and against those that the SDK's TLS would go on with.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { constants, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { connect, createSecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import { SiteAuthority } from "../../../firmware/device/certificate";
import { type Authority, MAX_RECORD_BYTES, TlsWatch } from "../../../firmware/device/tls-watch";
import { AUTHORITY, CERTIFICATE, certificates, message, record } from "../../support/sdk/tls";

const AUTHORITY_OF_TEST: Authority = { certificate: AUTHORITY, hasSigned: (one) => CERTIFICATE.equals(one) };
const HELLO = message(2, new Uint8Array(38));
const LIST = certificates(CERTIFICATE, AUTHORITY);
const DONE = message(14);
const KEYS = record(20, new Uint8Array([1]));

/** A key exchange of ECDHE with these algorithms of hash and signature. */
function exchange(hash: number, signature: number, curveType = 3): Uint8Array {
  return message(12, new Uint8Array([curveType, 0, 23, 2, 4, 4, hash, signature, 0, 1, 9]));
}

const watch = (): TlsWatch => new TlsWatch(AUTHORITY_OF_TEST);

/** What the watch says to records that come in. */
function refusal(...records: readonly Uint8Array[]): string {
  const one = watch();
  try {
    for (const each of records) one.received(each);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("X5 a TLS handshake", () => {
  it("is one with each message once and in order, in as many records and pieces as it likes", () => {
    assert.equal(refusal(record(22, HELLO, LIST, DONE)), "");
    assert.equal(refusal(record(22, HELLO), record(22, LIST), record(22, exchange(4, 1), DONE)), "");
    assert.equal(refusal(record(22, HELLO, LIST, exchange(4, 3)), record(22, DONE)), "");
    const one = watch();
    for (const byte of record(22, HELLO, LIST, DONE)) one.received(new Uint8Array([byte]));
    one.sent(record(22, message(16)));
    one.sent(KEYS);
    one.sent(record(22, message(20)));
    one.received(KEYS);
    one.received(record(22, new Uint8Array(40)));
    one.sent(record(23, new Uint8Array(10)));
    one.received(record(21, new Uint8Array([1, 0])));
  });

  it("is none with messages that are missing, repeated, of another order or of another kind", () => {
    const orders = [
      [LIST],
      [DONE],
      [HELLO, DONE],
      [HELLO, HELLO],
      [HELLO, LIST, LIST],
      [HELLO, LIST, exchange(4, 1), LIST],
      [HELLO, LIST, DONE, LIST],
      [HELLO, exchange(4, 1)],
      [message(20)],
      [HELLO, LIST, DONE, message(20)],
      [HELLO, LIST, message(13, new Uint8Array(4))],
      [message(0)],
      [message(4)],
    ];
    for (const order of orders) assert.match(refusal(record(22, ...order)), /^TLS: message \d+ after \d+$/);
  });

  it("has a key exchange whose signature the SDK looks at", () => {
    for (const bad of [exchange(0, 1), exchange(4, 0), exchange(4, 2), exchange(2, 1), exchange(4, 1, 1)])
      assert.match(refusal(record(22, HELLO, LIST, bad)), /without a signature/);
    assert.match(refusal(record(22, HELLO, LIST, message(12))), /without a signature/);
  });

  it("has the site's certificate and its authority's, those two and nothing else", () => {
    const other = Buffer.from("another");
    for (const list of [
      certificates(),
      certificates(CERTIFICATE),
      certificates(CERTIFICATE, AUTHORITY, AUTHORITY),
      message(11, new Uint8Array([0, 0, 9, 0, 0, 1, 1, 0, 0, 1, 1])),
      message(11, new Uint8Array(2)),
    ])
      assert.match(refusal(record(22, HELLO, list)), /two certificates|another authority/);
    assert.match(refusal(record(22, HELLO, certificates(CERTIFICATE, other))), /another authority/);
    assert.match(refusal(record(22, HELLO, certificates(other, AUTHORITY))), /not the site's/);
    assert.match(refusal(record(22, HELLO, certificates(AUTHORITY, CERTIFICATE))), /another authority/);
  });

  it("lets nothing in before the keys that is no handshake, and no longer record than it has room for", () => {
    for (const type of [0, 20, 21, 23, 24])
      assert.match(refusal(record(type, new Uint8Array(2))), /in the clear/);
    assert.match(refusal(record(22)), /in the clear/);
    const full = new Uint8Array(MAX_RECORD_BYTES - 4);
    assert.equal(refusal(record(22, message(2, full))), "");
    assert.match(
      refusal(record(22, message(2, new Uint8Array(full.length + 1)))),
      /a handshake of 6145 bytes/,
    );
    assert.match(refusal(record(22, HELLO.subarray(0, 20))), /beyond its record/);
    assert.match(refusal(record(22, new Uint8Array([2, 0, 0]))), /beyond its record/);
  });

  it("lets nothing of the application out before both ends have keys, and no keys before the server's last word", () => {
    const one = watch();
    assert.throws(() => one.sent(record(23, new Uint8Array(1))), /data in the clear/);
    assert.throws(() => one.sent(KEYS), /before the server's last word/);
    one.received(record(22, HELLO, LIST, DONE));
    one.sent(KEYS);
    assert.throws(() => one.sent(record(23, new Uint8Array(1))), /data in the clear/);
    assert.throws(() => one.received(record(21, new Uint8Array([1, 0]))), /in the clear/);
  });
});

/** Certificates of a site: PEM by name. */
function makeSite(algorithm: readonly string[]): Record<"ca" | "key" | "leaf", string> {
  const folder = mkdtempSync(join(tmpdir(), "tumbler-tls-"));
  const openssl = (...words: string[]) => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
  const fresh = ["-newkey", ...algorithm, "-nodes"];
  openssl(
    "req",
    "-x509",
    ...fresh,
    "-days",
    "30",
    "-subj",
    "/CN=Site CA",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
  );
  openssl("req", ...fresh, "-subj", "/CN=broker.example", "-keyout", "key", "-out", "csr");
  openssl(
    "x509",
    "-req",
    "-in",
    "csr",
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-days",
    "20",
    "-out",
    "leaf",
  );
  const [ca, key, leaf] = ["ca.crt", "key", "leaf"].map((name) => readFileSync(join(folder, name), "utf8"));
  rmSync(folder, { recursive: true });
  return { ca, key, leaf };
}

/** Two sites whose keys are of this kind, made once. */
const sites = new Map<string, ReturnType<typeof makeSite>[]>();
function sitesOf(algorithm: readonly string[]): ReturnType<typeof makeSite>[] {
  const name = algorithm.join();
  const made = sites.get(name) ?? [makeSite(algorithm), makeSite(algorithm)];
  sites.set(name, made);
  return made;
}

/** Two ends of one wire; `tap` sees what goes to this end's other. */
function wire(tapA: (bytes: Buffer) => void, tapB: (bytes: Buffer) => void): [Duplex, Duplex] {
  const ends: Duplex[] = [tapA, tapB].map(
    (tap, i) =>
      new Duplex({
        read() {},
        write(bytes: Buffer, _, done) {
          try {
            tap(bytes);
            ends[1 - i].push(bytes);
          } catch (error) {
            ends.forEach((end) => void end.destroy(error as Error));
          }
          done();
        },
      }),
  );
  return [ends[0], ends[1]];
}

/** The SDK's X.509 by Node's. */
const X509 = {
  decode: (bytes: Uint8Array) => ({ tbs: bytes }),
  decodeTBS: (bytes: Uint8Array) => {
    const { validFrom, validTo } = new X509Certificate(bytes);
    return { validity: { from: Date.parse(validFrom), to: Date.parse(validTo) } };
  },
  decodeSPKI: (bytes: Uint8Array) => new X509Certificate(bytes).publicKey,
};
class CertificateManager {
  _verify(key: object, { tbs }: { tbs: Uint8Array }): boolean {
    return new X509Certificate(tbs).verify(key as X509Certificate["publicKey"]);
  }
}

/** A handshake and one message of Node's client with Node's server, watched: what the server heard, or why it was broken off. */
async function handshake(
  site: ReturnType<typeof makeSite>,
  ca: string,
  ciphers: string,
  now: number,
): Promise<string> {
  const authority = new SiteAuthority(
    { X509, CertificateManager, now: () => now },
    new Uint8Array(new X509Certificate(ca).raw),
  );
  const one = new TlsWatch(authority);
  // OpenSSL writes several records at once; the SDK writes one.
  const each = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; ) {
      const to = at + 5 + bytes.readUInt16BE(at + 3);
      one.sent(bytes.subarray(at, to));
      at = to;
    }
  };
  const [near, far] = wire(each, (bytes) => one.received(bytes));
  // What the SDK's client offers: no tickets, one curve, and signatures of SHA-256.
  const limits: SecureContextOptions = {
    maxVersion: "TLSv1.2",
    ciphers,
    ecdhCurve: "prime256v1",
    sigalgs: "ECDSA+SHA256:RSA+SHA256",
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  const secureContext = createSecureContext({ key: site.key, cert: site.leaf + site.ca, ...limits });
  const server = new TLSSocket(far, { isServer: true, secureContext });
  const own = createSecureContext(limits);
  const client = connect({ socket: near, rejectUnauthorized: false, secureContext: own });
  return new Promise((resolve) => {
    client.on("error", (error) => resolve(error.message));
    server.on("error", (error) => resolve(error.message));
    client.on("secureConnect", () => client.write("hello"));
    server.on("data", (data) => resolve(String(data)));
  });
}

describe("X5 a TLS handshake of OpenSSL", () => {
  const now = Date.now() + 60_000;
  const EC = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

  for (const [name, algorithm, ciphers] of [
    ["RSA key exchange", ["rsa:2048"], "AES128-GCM-SHA256"],
    ["ECDHE and RSA", ["rsa:2048"], "ECDHE-RSA-AES128-GCM-SHA256"],
    ["ECDHE and ECDSA", EC, "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ] as const)
    it(`goes through with ${name}, and not with another authority's, nor before or after its days`, async () => {
      const [site, other] = sitesOf(algorithm);
      assert.equal(await handshake(site, site.ca, ciphers, now), "hello");
      assert.match(await handshake(site, other.ca, ciphers, now), /another authority/);
      const day = 86_400_000;
      assert.match(await handshake(site, site.ca, ciphers, now + 21 * day), /not good now/);
      assert.match(await handshake(site, site.ca, ciphers, now - 2 * day), /not good now/);
      const leafOfOther = { ...site, leaf: other.leaf, key: other.key };
      assert.match(await handshake(leafOfOther, site.ca, ciphers, now), /not the site's/);
    }).timeout(20_000);
});
