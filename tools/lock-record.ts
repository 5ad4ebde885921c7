// The issuer's record of a lock as a file: what provisioning hands to whoever will own the lock. JSON, bytes in hexadecimal. It holds
// the keys of one claim, so it is a secret; it never holds the device secret, which the keys of every other claim come from.

import { PROFILES, type Profile } from "../firmware/core/profile";
import type { LockRecord } from "../protocol/issuer/facts";
import { fromHex, toHex } from "../protocol/wire/bytes";
import { LOCK_ID_BYTES, PUBLIC_KEY_BYTES } from "../protocol/wire/limits";
import { Failure } from "./ui/failure";

/** What the file says beside what the issuer takes over. */
export interface RecordFile {
  readonly record: LockRecord;
  readonly profile: Profile;
  readonly site: string;
  /** The public key of the owner's root that the ticket names. */
  readonly owner: Uint8Array;
}

const FORMAT = "tumbler lock record 1";
const KEY_NAMES = ["pinKey", "eventKey", "codeKey", "sealKey", "linkKey"] as const;
const CLAIM_KEY_BYTES = 32;
/** An envelope with a payload of the smallest claim, and with anything that a claim could ever need. */
const MIN_TICKET_BYTES = 100;
const MAX_TICKET_BYTES = 512;

/** The text of a record's file. */
export function recordText({ record, profile, site, owner }: RecordFile): string {
  const keys = Object.fromEntries(KEY_NAMES.map((name) => [name, toHex(record.keys[name])]));
  const claim = { number: record.claim, site, owner: toHex(owner), ticket: toHex(record.ticket) };
  const head = { format: FORMAT, lock: toHex(record.lock), profile: profile.name };
  return `${JSON.stringify({ ...head, publicKey: toHex(record.publicKey), claim, keys }, null, 2)}\n`;
}

/** The record in a text that {@link recordText} made. Throws a {@link Failure} that names `path` for anything else. */
export function parseRecord(path: string, text: string): RecordFile {
  const root = new Fields(path, "", parseJson(path, text));
  if (root.text("format") !== FORMAT) throw root.wrong("format", `"${FORMAT}"`);
  const name = root.text("profile");
  const profile = PROFILES.find((candidate) => candidate.name === name);
  if (profile === undefined) throw root.wrong("profile", PROFILES.map((known) => known.name).join(" or "));
  const claim = root.fields("claim");
  const keys = root.fields("keys");
  const number = claim.number("number");
  const record: LockRecord = {
    lock: root.bytes("lock", LOCK_ID_BYTES),
    publicKey: root.bytes("publicKey", PUBLIC_KEY_BYTES),
    claim: number,
    ticket: claim.bytes("ticket", MIN_TICKET_BYTES, MAX_TICKET_BYTES),
    keys: {
      pinKey: keys.bytes("pinKey", CLAIM_KEY_BYTES),
      eventKey: keys.bytes("eventKey", CLAIM_KEY_BYTES),
      codeKey: keys.bytes("codeKey", CLAIM_KEY_BYTES),
      sealKey: keys.bytes("sealKey", CLAIM_KEY_BYTES),
      linkKey: keys.bytes("linkKey", CLAIM_KEY_BYTES),
    },
  };
  return { record, profile, site: claim.text("site"), owner: claim.bytes("owner", PUBLIC_KEY_BYTES) };
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of the parser would repeat what stands in the file.
    throw new Failure(`${path}: not JSON`, "name a record that `tumbler provision` wrote");
  }
}

/** Typed access to an object of JSON; errors name the field and never repeat a value. */
class Fields {
  readonly #path: string;
  readonly #prefix: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(path: string, prefix: string, value: unknown) {
    this.#path = path;
    this.#prefix = prefix;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Failure(`${path}: ${prefix === "" ? "" : `${prefix.slice(0, -1)}: `}wanted an object`);
    this.#values = value as Record<string, unknown>;
  }

  wrong(name: string, wanted: string): Failure {
    const advice = "name a record that `tumbler provision` wrote";
    return new Failure(`${this.#path}: ${this.#prefix}${name}: wanted ${wanted}`, advice);
  }

  fields(name: string): Fields {
    return new Fields(this.#path, `${this.#prefix}${name}.`, this.#values[name]);
  }

  text(name: string): string {
    const value = this.#values[name];
    if (typeof value !== "string" || value === "") throw this.wrong(name, "a text");
    return value;
  }

  number(name: string): number {
    const value = this.#values[name];
    if (typeof value !== "number" || value < 1 || value >>> 0 !== value)
      throw this.wrong(name, "a number from 1 to 4294967295");
    return value;
  }

  bytes(name: string, least: number, most = least): Uint8Array {
    const value = this.#values[name];
    const isHex = typeof value === "string" && /^([0-9a-f]{2})*$/.test(value);
    if (!isHex || value.length < 2 * least || value.length > 2 * most)
      throw this.wrong(name, `${least}${most > least ? ` to ${most}` : ""} bytes in hexadecimal`);
    return fromHex(value);
  }
}
