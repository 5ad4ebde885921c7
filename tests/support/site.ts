// A small site for tests with brokers: an issuer with its store in memory, and virtual locks that an installer has given an owner. The
// world's clock is the real one, set to another day.

import { randomFillSync, randomInt } from "node:crypto";
import { LOCK_1000, type Profile } from "../../firmware/core/profile";
import type { Carried } from "../../protocol/courier/courier";
import { type Link, MemoryLink } from "../../protocol/courier/link";
import { signingKey } from "../../protocol/issuer/encode";
import { Issuer, type Received } from "../../protocol/issuer/issuer";
import { commission, deliver } from "../../protocol/issuer/mailbox";
import { toHex } from "../../protocol/wire/bytes";
import { reasonName } from "../../protocol/wire/codes";
import { MAX_REQUEST_ID } from "../../protocol/wire/messages";
import { typePin } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import type { TlsSetup } from "../../simulator/net/mqtt-port";
import { parseSheet } from "../../tools/csv";
import { doWork } from "../../tools/office/works";
import { provisionLock } from "../../tools/provisioning";
import { intlOffset } from "../../tools/zone";
import { MemoryStore, NOW, PEOPLE } from "../protocol/issuer/rig";

export const SITE = "test";
const TICK_MS = 50;

/** A lock of the site. */
export interface SiteLock {
  readonly virtual: VirtualLock;
  readonly id: string;
}

export interface SiteOptions {
  readonly tls?: TlsSetup;
  /** What the locks are; the issuer takes all of them for large ones. */
  readonly profile?: Profile;
}

export class Site {
  readonly issuer: Issuer;
  readonly locks: SiteLock[] = [];
  /** How often each position of a lock came out, as "lock seq code". */
  readonly outcomes: string[] = [];
  readonly #began = Date.now();
  readonly #ticking: NodeJS.Timeout;

  private constructor(issuer: Issuer) {
    this.issuer = issuer;
    this.#ticking = setInterval(() => {
      for (const { virtual } of this.locks) virtual.tick();
    }, TICK_MS);
  }

  /** A site with so many doors, and the people of these rows with keys to all of them. */
  static async make(
    doors: number,
    people: string,
    { tls, profile = LOCK_1000 }: SiteOptions = {},
  ): Promise<Site> {
    const random = (buffer: Uint8Array) => void randomFillSync(buffer);
    const issuer = await Issuer.open({
      crypto: node,
      store: new MemoryStore(),
      random,
      offsetOf: intlOffset,
    });
    await issuer.begin(SITE);
    const names = Array.from({ length: doors }, (_, i) => `door-${i}`);
    const rows = names.map((name) => `${name},lock-1000,wifi,Europe/Berlin,all\n`).join("");
    const sheets = {
      doors: parseSheet("doors.csv", `door,profile,link,zone,keys\n${rows}`),
      people: [parseSheet("people.csv", `${PEOPLE}\n${people}`)],
    };
    const { errors } = await issuer.importSheets(sheets, NOW);
    if (errors.length > 0) throw new Error(JSON.stringify(errors[0]));
    const site = new Site(issuer);
    for (const name of names) await site.#install(name, profile, tls);
    return site;
  }

  /** UTC seconds of this site's world. */
  now(): number {
    return NOW + (Date.now() - this.#began) / 1000;
  }

  async #install(door: string, profile: Profile, tls: TlsSetup | undefined): Promise<void> {
    const { issuer } = this;
    const random = (buffer: Uint8Array) => void randomFillSync(buffer);
    const maker = signingKey(node, new Uint8Array(randomFillSync(Buffer.alloc(32))));
    const owner = issuer.signers.owner.publicKey;
    const made = provisionLock({ profile: profile.id, maker, owner, site: SITE, random });
    await issuer.bindLock(door, made.record);
    const world = { now: () => this.now() };
    const virtual = new VirtualLock({ image: made.image, crypto: node, world, random, tls });
    const id = toHex(virtual.id);
    const link = new MemoryLink((message) => virtual.receive(message));
    const carried = await commission(issuer, id, link);
    if (carried.outcome !== "done") throw new Error(`${door}: ${carried.reason}`);
    this.locks.push({ virtual, id });
  }

  /** What `tumbler broker-user --all` tells: a line of a password file for each lock. */
  async brokerUsers(): Promise<string> {
    return (await doWork(this.issuer, { work: "broker-users", door: undefined }, NOW)).text;
  }

  /** Brings a lock what waits for it, once. */
  async deliver(lock: SiteLock, link: Link, onReceipt: () => void = () => {}): Promise<Carried> {
    const { issuer } = this;
    const note = (received: Received) => {
      const outcomes = received.refused === undefined ? received.outcomes : [];
      for (const { seq, code } of outcomes) this.outcomes.push(`${lock.id} ${seq} ${code}`);
      onReceipt();
    };
    const firstRequest = randomInt(1, MAX_REQUEST_ID);
    return deliver(
      { issuer, lock: lock.id, now: () => Math.floor(this.now()), firstRequest, onReceipt: note },
      link,
    );
  }

  /** Types a PIN; the name of the reason. */
  type({ virtual }: SiteLock, pin: string): string {
    return reasonName(typePin(virtual.lock, pin));
  }

  close(): void {
    clearInterval(this.#ticking);
    for (const { virtual } of this.locks) virtual.join(undefined);
  }
}
