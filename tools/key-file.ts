// Files with one Ed25519 private key each, as PKCS #8 in PEM (RFC 8410), which OpenSSL and others read and write too. Mode 0600.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import type { SigningKey } from "../protocol/issuer/encode";
import { signingKey } from "../protocol/issuer/encode";
import { node } from "../simulator/board/crypto";
import type { NewFile } from "./files";
import { readSecret } from "./files";
import { Failure } from "./ui/failure";

const MAX_KEY_FILE_BYTES = 16_384;

/** A key, and the file that has to be written when it was made just now. */
export interface FoundKey {
  readonly path: string;
  readonly key: SigningKey;
  readonly made: NewFile | undefined;
}

/** The key in a file, or a new one for it when there is no such file. Writes nothing. Throws a {@link Failure}. */
export function findKey(path: string): FoundKey {
  if (existsSync(path)) return { path, key: signingKeyOf(parseKey(path)), made: undefined };
  const { privateKey } = generateKeyPairSync("ed25519");
  const content = privateKey.export({ type: "pkcs8", format: "pem" });
  return { path, key: signingKeyOf(privateKey), made: { path, content, replace: false } };
}

/** A phone's key, which is there already. Throws a {@link Failure}. */
export function phoneKey(path: string): SigningKey {
  if (!existsSync(path))
    throw new Failure(`${path}: no such file`, "make a key: tumbler door key --key FILE");
  return findKey(path).key;
}

function parseKey(path: string): KeyObject {
  const bytes = readSecret(path, MAX_KEY_FILE_BYTES);
  const wanted = "wanted an Ed25519 private key as PKCS #8 in PEM";
  const advice = "name another file; one that does not exist yet is made";
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(bytes), format: "pem" });
  } catch {
    throw new Failure(`${path}: not a key file: ${wanted}`, advice);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new Failure(`${path}: a key of another kind (${key.asymmetricKeyType}): ${wanted}`, advice);
  return key;
}

function signingKeyOf(privateKey: KeyObject): SigningKey {
  const { d } = privateKey.export({ format: "jwk" });
  return signingKey(node, new Uint8Array(Buffer.from(d as string, "base64url")));
}
