// An issuer and a real lock behind a link in memory, for tests of what both do together: an account with a journal in memory, the lock's
// own core on a virtual board, and a courier between them.

import { strict as assert } from "node:assert";
import { type Carried, carry, type Mailbox } from "../../../protocol/courier/courier";
import { MemoryLink } from "../../../protocol/courier/link";
import { claimKeys } from "../../../protocol/crypto/derive";
import { signClaim } from "../../../protocol/issuer/encode";
import { Issuer } from "../../../protocol/issuer/issuer";
import { mailboxOf } from "../../../protocol/issuer/mailbox";
import { toHex } from "../../../protocol/wire/bytes";
import { Reader } from "../../../protocol/wire/cbor";
import { readFrame, Type } from "../../../protocol/wire/messages";
import { node } from "../../../simulator/board/crypto";
import { parseSheet } from "../../../tools/csv";
import { intlOffset } from "../../../tools/zone";
import { Door, L500I, LOCK_1000 } from "../../support/door";
import { MemoryStore, randomFrom } from "./rig";

const COLUMNS = "person,name,role,keys,pin,card,phone-key,lease,grantor,start,end";
const TYPE_NAMES = new Map<number, string>(Object.entries(Type).map(([name, type]) => [type, name]));

export class World {
  readonly store = new MemoryStore();
  readonly door: Door;
  issuer!: Issuer;
  /** The types of the messages of the last session. */
  types: string[] = [];
  /** Receipts and pages as they passed. */
  readonly receipts: Uint8Array[] = [];
  readonly pages: Uint8Array[] = [];
  #random = randomFrom(7);

  private constructor(door: Door) {
    this.door = door;
  }

  static async make(people = "", isSmall = false): Promise<World> {
    const world = new World(new Door({ profile: isSmall ? L500I : LOCK_1000, unclaimed: true }));
    await world.reopen();
    await world.issuer.begin("test");
    const profile = isSmall ? "l500i" : "lock-1000";
    const doors = parseSheet(
      "doors.csv",
      `door,profile,link,zone,keys\nmain,${profile},wifi,Europe/Berlin,all`,
    );
    const { errors } = await world.issuer.importSheets(
      { doors, people: [world.sheet(people)] },
      world.door.now,
    );
    assert.deepEqual(errors, []);
    await world.bind(1);
    return world;
  }

  sheet(rows: string) {
    return parseSheet("people.csv", `${COLUMNS}\n${rows}`);
  }

  async add(rows: string): Promise<void> {
    const { errors } = await this.issuer.importSheets({ people: [this.sheet(rows)] }, this.door.now);
    assert.deepEqual(errors, []);
  }

  /** Gives the issuer the record of a claim of the lock. */
  async bind(claim: number): Promise<void> {
    const { crypto, identity, maker } = this.door;
    const owner = this.issuer.signers.owner.publicKey;
    await this.issuer.bindLock("main", {
      lock: identity.lock,
      publicKey: crypto.ed25519PublicKey(identity.seed),
      claim,
      ticket: signClaim(crypto, maker, { lock: identity.lock, number: claim, owner, site: "test" }),
      keys: claimKeys(crypto, identity.deviceSecret, claim),
    });
  }

  /** A new issuer from the same journal. */
  async reopen(): Promise<void> {
    const random = (buffer: Uint8Array) => this.#random(buffer);
    this.issuer = await Issuer.open({ crypto: node, store: this.store, random, offsetOf: intlOffset });
  }

  get id(): string {
    return toHex(this.door.identity.lock);
  }

  /** A link to the lock, in a new session; dies behind `messages`. */
  link(messages = Number.POSITIVE_INFINITY): MemoryLink {
    const session = this.door.lock.open();
    assert.ok(session);
    this.types = [];
    const link = new MemoryLink((message) => {
      const type = readFrame(new Reader(message))?.type ?? 0;
      this.types.push(TYPE_NAMES.get(type) ?? String(type));
      const answer = this.door.lock.receive(session, message);
      const answered = readFrame(new Reader(answer))?.type;
      if (answered === Type.receipt) this.receipts.push(answer.slice());
      if (answered === Type.page) this.pages.push(answer.slice());
      if (this.types.length >= messages) void link.close();
      return answer;
    });
    return link;
  }

  /** `wrong` is by how much the issuer's clock is, in seconds. */
  mailbox(wrong = 0): Mailbox {
    const now = () => Math.floor(this.door.now) + wrong;
    return mailboxOf({ issuer: this.issuer, lock: this.id, now, firstRequest: 1 });
  }

  /** One session of a courier. */
  async carry(mailbox: Mailbox = this.mailbox(), messages?: number): Promise<Carried> {
    this.door.now += 2;
    this.door.lock.tick();
    return carry(this.link(messages), mailbox);
  }

  /** A session that brings everything. */
  async sync(): Promise<Carried> {
    const carried = await this.carry();
    assert.equal(carried.outcome, "done", carried.reason);
    return carried;
  }

  report() {
    return this.issuer.report(this.id);
  }

  /** Where people stand, as "person state". */
  states(): string[] {
    return this.report().credentials.map(({ who, state }) => `${who} ${state}`);
  }
}
