// What the kill test and its child process share: one issuer on a real file store, one lock on two files of flash, a courier between
// them, and a script of changes from a seed. `operation` is called around every write of either side, so that a kill can fall there.

import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Lock } from "../../../firmware/core/lock";
import { formatParts } from "../../../firmware/core/parts";
import { L500I, LOCK_1000 } from "../../../firmware/core/profile";
import type { Board, Flash } from "../../../firmware/ports";
import { claimKeys } from "../../../protocol/crypto/derive";
import { signClaim, signingKey } from "../../../protocol/issuer/encode";
import { Issuer } from "../../../protocol/issuer/issuer";
import { deltasOf } from "../../../protocol/issuer/log";
import { toHex } from "../../../protocol/wire/bytes";
import { Reader } from "../../../protocol/wire/cbor";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import { askBody, frame, helloBody, readFrame, readStatus, Type } from "../../../protocol/wire/messages";
import { node } from "../../../simulator/board/crypto";
import { NorFlash } from "../../../simulator/board/nor";
import { FileStore } from "../../../tools/store/file-store";

export const NOW = 1_803_859_200;
/** Called around every write. */
export type Operation = () => void;

const PIN_COUNT = 60;
const PEOPLE = 14;

/** Numbers from 0 to before `below`, the same for the same seed (xorshift). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** NOR flash that writes through to a file, in two halves, as a cut would leave it. */
class FileFlash implements Flash {
  readonly #nor: NorFlash;
  readonly #file: number;
  readonly #operation: Operation;

  constructor(path: string, operation: Operation) {
    const content = readFileSync(path);
    this.#nor = new NorFlash(content.length, new Uint8Array(content));
    this.#file = openSync(path, "r+");
    this.#operation = operation;
  }

  read(buffer: Uint8Array, offset: number): void {
    this.#nor.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): void {
    this.#nor.write(buffer, offset);
    const half = buffer.length >> 1;
    this.#operation();
    writeSync(this.#file, buffer, 0, half, offset);
    this.#operation();
    writeSync(this.#file, buffer, half, buffer.length - half, offset + half);
    this.#operation();
  }

  eraseBlock(start: number, end: number): void {
    const { blockLength } = this.status();
    this.#nor.eraseBlock(start, end);
    this.#operation();
    writeSync(
      this.#file,
      new Uint8Array((end - start) * blockLength).fill(0xff),
      0,
      undefined,
      start * blockLength,
    );
    this.#operation();
  }

  status() {
    return this.#nor.status();
  }

  close(): void {
    closeSync(this.#file);
  }
}

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const maker = signingKey(node, fill(32, 1));
const IDENTITY = {
  lock: fill(8, 2),
  seed: fill(32, 3),
  deviceSecret: fill(32, 4),
  makerRoot: maker.publicKey,
};
export const LOCK = toHex(IDENTITY.lock);

function boardOn(folder: string, operation: Operation): Board & { close(): void } {
  const small = existsSync(join(folder, "small"));
  const credentials = new FileFlash(join(folder, "credentials"), operation);
  const events = new FileFlash(join(folder, "events"), operation);
  const still = { draw() {}, throw() {} };
  return {
    identity: { ...IDENTITY, profile: (small ? L500I : LOCK_1000).id },
    credentials,
    events,
    crypto: node,
    clock: { uptime: () => 0, driftPpm: 20 },
    bolt: still,
    feedback: { granted() {}, refused() {} },
    random: (buffer) => buffer.fill(7),
    close() {
      credentials.close();
      events.close();
    },
  };
}

/** Makes a folder ready: a lock fresh from provisioning, and no account yet. */
export function provision(folder: string, small: boolean): void {
  const profile = small ? L500I : LOCK_1000;
  if (small) writeFileSync(join(folder, "small"), "");
  writeFileSync(join(folder, "credentials"), fill(profile.credentialBytes, 0xff));
  writeFileSync(join(folder, "events"), fill(profile.eventBytes, 0xff));
  const board = boardOn(folder, () => {});
  formatParts(board);
  board.close();
}

/** Both ends, started from what is on the disk. */
export class World {
  readonly folder: string;
  readonly store: FileStore;
  readonly issuer: Issuer;
  readonly lock: Lock;
  readonly #board: ReturnType<typeof boardOn>;
  readonly #number: (below: number) => number;

  private constructor(folder: string, store: FileStore, issuer: Issuer, operation: Operation, seed: number) {
    this.folder = folder;
    this.store = store;
    this.issuer = issuer;
    this.#board = boardOn(folder, operation);
    this.lock = new Lock(this.#board);
    this.#number = numbersFrom(seed);
  }

  static async open(folder: string, operation: Operation, seed: number): Promise<World> {
    const store = await FileStore.open(join(folder, "store"));
    const next = numbersFrom(seed + 1);
    const random = (buffer: Uint8Array) => {
      for (let i = 0; i < buffer.length; i++) buffer[i] = next(256);
    };
    const issuer = await Issuer.open({ crypto: node, store, random, offsetOf: () => 0 });
    return new World(folder, store, issuer, operation, seed);
  }

  async close(): Promise<void> {
    await this.store.close();
    this.#board.close();
  }

  /** Account, door and lock, as far as they are not there yet. */
  async setUp(): Promise<void> {
    const { issuer } = this;
    if (!issuer.isBegun) await issuer.begin("test");
    const columns = ["door", "profile", "link", "zone", "keys"];
    const rows = [{ line: 2, cells: ["main", "l500i", "wifi", "UTC", "all"] }];
    if (issuer.directory.doors.size === 0)
      await issuer.importSheets({ doors: { file: "doors", columns, rows } }, NOW);
    if (issuer.locks.length > 0) return;
    const { lock, seed, deviceSecret } = IDENTITY;
    const owner = issuer.signers.owner.publicKey;
    await issuer.bindLock("main", {
      lock,
      publicKey: node.ed25519PublicKey(seed),
      claim: 1,
      ticket: signClaim(node, maker, { lock, number: 1, owner, site: "test" }),
      keys: claimKeys(node, deviceSecret, 1),
    });
  }

  /** One change of the account. */
  async change(): Promise<void> {
    const number = this.#number;
    const { issuer } = this;
    const person = `p${number(PEOPLE)}`;
    const known = issuer.directory.people.get(person);
    const kind = number(8);
    if (known !== undefined && kind === 0) return issuer.revoke(person);
    if (known !== undefined && kind === 1) return issuer.remove(person);
    if (known !== undefined && kind === 2) return issuer.switchPerson(person, !known.off);
    const taken = new Set(Array.from(issuer.directory.people.values(), ({ row }) => row.pin));
    const pins = Array.from({ length: PIN_COUNT }, (_, i) => String(480_159 + 7_919 * i));
    const free = pins.filter((pin) => !taken.has(pin) || pin === known?.row.pin);
    const grantor = `p${number(PEOPLE)}`;
    const cells = {
      person,
      name: "",
      role: "team",
      keys: number(9) === 0 ? "" : "all",
      pin: free[number(free.length)],
      end: `2028-01-${10 + number(20)}`,
      grantor: issuer.directory.people.get(grantor)?.revoked === false ? grantor : "",
    };
    // A grantor from below is refused, which is one more change that does nothing.
    if (known === undefined) await issuer.addPerson(cells, NOW);
    else if (known.revoked) await issuer.regrant(cells, NOW);
    else await issuer.changePerson(cells, NOW);
  }

  /** One visit of a courier, which may end before the receipt is home. */
  async visit(isWhole: boolean): Promise<void> {
    const session = this.lock.open();
    let request = 0;
    const send = (type: number, body: Uint8Array) =>
      this.lock.receive(session, frame(type, ++request, body)).slice();
    const status = () => {
      const reader = new Reader(send(Type.hello, helloBody(MAX_MESSAGE_BYTES)));
      readFrame(reader);
      const read = readStatus(reader);
      if (read === undefined) throw new Error("hello: wanted a status");
      return read;
    };
    send(Type.time, this.issuer.outbox.timeAnswer(LOCK, status().nonce.slice(), NOW));
    for (let bundles = 1; bundles > 0; ) {
      const mail = await this.issuer.outbox.mail(LOCK, status(), NOW);
      bundles = mail.filter(({ type }) => type === Type.bundle).length;
      for (const { type, body } of mail) {
        if (type === Type.bundle) this.#note(body);
        const answer = send(type, body);
        if (readFrame(new Reader(answer))?.type !== Type.receipt) continue;
        if (!isWhole && this.#number(3) === 0) return;
        const taken = await this.issuer.receive(LOCK, answer);
        if (taken.refused !== undefined) throw new Error(`receipt: ${taken.refused}`);
      }
    }
    this.lock.tick();
    if (isWhole) await this.ask();
  }

  /** Asks the lock what it is now, and lets the issuer judge. */
  async ask(): Promise<void> {
    const session = this.lock.open();
    this.lock.receive(session, frame(Type.hello, 1, helloBody(MAX_MESSAGE_BYTES)));
    const first = this.issuer.report(LOCK).acknowledged + 1;
    const answer = this.lock.receive(session, frame(Type.ask, 2, askBody({ first }))).slice();
    if (readFrame(new Reader(answer))?.type === Type.receipt) await this.issuer.receive(LOCK, answer);
  }

  /** Writes down what is about to be sent: epoch, seq and the delta itself. */
  #note(bundle: Uint8Array): void {
    const { epoch, first, deltas } = deltasOf(bundle);
    const lines = deltas.map((delta, i) => `${epoch} ${first + i} ${toHex(delta)}\n`);
    appendFileSync(join(this.folder, "sent"), lines.join(""));
  }
}
