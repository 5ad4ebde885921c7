// An account with doors and model locks behind them, for tests of the issuer: a journal in memory, random bytes from a seed, a clock to set.

import type { Mail } from "../../../protocol/courier/courier";
import { Issuer } from "../../../protocol/issuer/issuer";
import type { Hosts, Store } from "../../../protocol/issuer/ports";
import type { Sheet } from "../../../protocol/issuer/sheet";
import { StatusFlag, Type } from "../../../protocol/wire/messages";
import { node } from "../../../simulator/board/crypto";
import { parseSheet } from "../../../tools/csv";
import { intlOffset } from "../../../tools/zone";
import { ModelLock } from "./model-lock";

/** 2027-03-01 00:00:00 UTC. */
export const NOW = 1_803_859_200;

/** Bytes that only look random: the same for the same seed (xorshift). */
export function randomFrom(seed: number): (buffer: Uint8Array) => void {
  let state = seed * 2_654_435_761 + 1;
  return (buffer) => {
    for (let i = 0; i < buffer.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      buffer[i] = state >>> 11;
    }
  };
}

export class MemoryStore implements Store {
  records: Uint8Array[] = [];
  /** Rejects instead of keeping. */
  isBroken = false;

  async read(): Promise<readonly Uint8Array[]> {
    return this.records;
  }

  async append(record: Uint8Array): Promise<void> {
    if (this.isBroken) throw new Error("disk full");
    this.records.push(record.slice());
  }
}

/** PINs of six and seven digits that nobody refuses: none is weak, and no two begin with the same four digits. */
export const PINS = Array.from({ length: 1_300 }, (_, i) => String(710_293 + 1_811 * i)).filter(
  (pin) => !/(\d)\1\1/.test(pin),
);

export interface RigOptions {
  /** Slots of the lock at each door, "main" alone if not given. */
  readonly doors?: Readonly<Record<string, number>>;
  readonly people?: string;
  readonly schedules?: string;
  readonly seed?: number;
}

export const PEOPLE = "person,name,role,keys,pin,card,start,end,schedule,uses,grantor,capabilities";

export class Rig {
  readonly store = new MemoryStore();
  readonly hosts: Hosts;
  readonly models = new Map<string, ModelLock>();
  issuer!: Issuer;
  now = NOW;

  private constructor(seed: number) {
    this.hosts = { crypto: node, store: this.store, random: randomFrom(seed), offsetOf: intlOffset };
  }

  static async make(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(options.seed ?? 1);
    await rig.reopen();
    await rig.issuer.begin("test");
    const doors = options.doors ?? { main: 1000 };
    const rows = Object.entries(doors).map(([door, slots]) => {
      return `${door},${slots === 10 ? "l500i" : "lock-1000"},wifi,Europe/Berlin,all ${door}`;
    });
    const { errors } = await rig.issuer.importSheets(
      {
        doors: parseSheet("doors.csv", `door,profile,link,zone,keys\n${rows.join("\n")}`),
        ...(options.schedules === undefined
          ? {}
          : { schedules: parseSheet("schedules.csv", options.schedules) }),
        people: [rig.sheet(options.people ?? "")],
      },
      rig.now,
    );
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    for (const [door, slots] of Object.entries(doors)) await rig.bind(door, slots);
    return rig;
  }

  sheet(rows: string): Sheet {
    return parseSheet("people.csv", `${PEOPLE}\n${rows}`);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.hosts.random(bytes);
    return bytes;
  }

  async bind(door: string, slots: number, epoch = 1): Promise<void> {
    const known = this.models.get(door);
    const id = known?.id ?? this.bytes(8);
    const model = new ModelLock(id, known?.seed ?? this.bytes(32), slots, { epoch, reader: slots > 10 });
    this.models.set(door, model);
    const keys = {
      pinKey: this.bytes(32),
      eventKey: this.bytes(32),
      codeKey: this.bytes(32),
      sealKey: this.bytes(32),
      linkKey: this.bytes(32),
    };
    const record = { lock: id, publicKey: model.publicKey, claim: epoch, ticket: new Uint8Array([1]), keys };
    await this.issuer.bindLock(door, record);
  }

  /** A new issuer from the same journal. */
  async reopen(): Promise<void> {
    this.issuer = await Issuer.open(this.hosts);
  }

  model(door = "main"): ModelLock {
    const model = this.models.get(door);
    if (model === undefined) throw new Error(`no door ${door}`);
    return model;
  }

  id(door = "main"): string {
    return Buffer.from(this.model(door).id).toString("hex");
  }

  /** What the lock at a door would be sent now. */
  mail(door = "main", most = 1): Promise<Mail[]> {
    const { epoch, state } = this.model(door);
    const status = { epoch, applied: state.applied, flags: StatusFlag.clockUnknown, keyset: 1 };
    return this.issuer.outbox.mail(this.id(door), status, this.now, most);
  }

  /** The bundles among the mail for a door. */
  async bundles(door = "main", most = 1): Promise<Uint8Array[]> {
    return (await this.mail(door, most)).filter(({ type }) => type === Type.bundle).map(({ body }) => body);
  }

  /** Gives a bundle to the lock: its receipt message. Throws the code of a refusal. */
  deliver(bundle: Uint8Array, door = "main"): Uint8Array {
    const answer = this.model(door).bundle(bundle, this.issuer.signers.issuer.publicKey);
    if (typeof answer === "number") throw new Error(`the lock refused the bundle with code ${answer}`);
    return answer;
  }

  /** Syncs a door until nothing is left to send. */
  async sync(door = "main"): Promise<void> {
    for (let bundles = await this.bundles(door); bundles.length > 0; bundles = await this.bundles(door))
      for (const bundle of bundles) await this.issuer.receive(this.id(door), this.deliver(bundle, door));
  }

  report(door = "main") {
    return this.issuer.report(this.id(door));
  }

  /** States of credentials, as "person kind state" or with the code of a refusal. */
  states(door = "main"): string[] {
    const kinds = ["", "pin", "phone", "card"];
    return this.report(door).credentials.map(
      ({ who, kind, isDuress, state, code }) =>
        `${who} ${isDuress ? "duress " : ""}${kinds[kind]} ${state}${code === undefined ? "" : ` ${code.toString(16)}`}`,
    );
  }

  /** Handles of those who have a slot at the lock, sorted. */
  inside(door = "main"): string[] {
    const { handles } = this.issuer.directory.door(door);
    return [...this.model(door).state.slots.values()]
      .map(({ fields }) => handles.get(fields.get(4) as number) ?? "?")
      .sort();
  }
}
