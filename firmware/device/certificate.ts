// The site's certificate authority, by the SDK's X.509: who signed a certificate, and whether it is good now. The date is what SNTP has told
// (rule T14); the lock's own clock has no part in it.

import type { Authority } from "./tls-watch";

/** A certificate as the SDK decodes it. */
export interface DecodedCertificate {
  readonly tbs: Uint8Array;
}

/** The SDK's module `x509`, as far as it is used. */
export interface X509 {
  decode(certificate: Uint8Array): DecodedCertificate;
  /** Milliseconds since 1970. */
  decodeTBS(tbs: Uint8Array): { readonly validity: { readonly from: number; readonly to: number } };
  /** The public key. */
  decodeSPKI(certificate: Uint8Array): object;
}

/** The SDK's module `ssl/cert`, as far as it is used. */
export type CertificateManager = new (
  options: object,
) => {
  /** Whether the key has signed the certificate; throws for algorithms that it does not know. */
  _verify(key: object, certificate: DecodedCertificate): boolean;
};

/** What a {@link SiteAuthority} is made of. */
export interface AuthorityParts {
  readonly X509: X509;
  readonly CertificateManager: CertificateManager;
  /** Milliseconds since 1970, by SNTP. */
  now(): number;
}

export class SiteAuthority implements Authority {
  readonly certificate: Uint8Array;
  readonly #parts: AuthorityParts;

  /** `certificate` is the authority's own, DER. */
  constructor(parts: AuthorityParts, certificate: Uint8Array) {
    this.#parts = parts;
    this.certificate = certificate;
  }

  hasSigned(certificate: Uint8Array): boolean {
    const { X509, CertificateManager, now } = this.#parts;
    const decoded = X509.decode(certificate);
    const { from, to } = X509.decodeTBS(decoded.tbs).validity;
    const isNow = from < now() && now() < to;
    return isNow && new CertificateManager({})._verify(X509.decodeSPKI(this.certificate), decoded);
  }
}
