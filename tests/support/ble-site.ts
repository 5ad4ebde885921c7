// A door on virtual time and over the virtual air: an issuer with its store in memory, one lock with an owner, and couriers with a radio.
// Everything random comes from a seed.

import { LOCK_1000, type Profile } from "../../firmware/core/profile";
import { openBle } from "../../protocol/courier/ble";
import { type Link, MemoryLink } from "../../protocol/courier/link";
import { type Visited, visit } from "../../protocol/courier/resume";
import { Round } from "../../protocol/courier/round";
import { signingKey } from "../../protocol/issuer/encode";
import { Issuer, type Received } from "../../protocol/issuer/issuer";
import { commission, mailboxOf } from "../../protocol/issuer/mailbox";
import { toHex } from "../../protocol/wire/bytes";
import { reasonName } from "../../protocol/wire/codes";
import { Type } from "../../protocol/wire/messages";
import { typePin } from "../../simulator/board/board";
import { node } from "../../simulator/board/crypto";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { VirtualTime } from "../../simulator/fleet/virtual-time";
import { Air, type Line } from "../../simulator/net/air";
import { type CentralOptions, devicesIn } from "../../simulator/net/web-bluetooth";
import { parseSheet } from "../../tools/csv";
import { provisionLock } from "../../tools/provisioning";
import { intlOffset } from "../../tools/zone";
import { MemoryStore, NOW, PEOPLE, PINS, randomFrom } from "../protocol/issuer/rig";

/** Rows of people.csv: so many residents with a PIN each. */
export const peopleWithPins = (count: number): string =>
  Array.from({ length: count }, (_, i) => `p${i},P ${i},resident,all,${PINS[i]},,,,,,,`).join("\n");

export interface BleSiteOptions {
  readonly people: string;
  readonly seed?: number;
  readonly profile?: Profile;
}

/** Seconds between two looks at what is advertised. */
const SCAN_S = 0.1;

/** A courier's visit. */
export interface VisitOptions extends CentralOptions {
  readonly withResponse?: boolean;
  readonly answerS?: number;
  /** Whether it scans until it sees the lock, however long that takes. */
  readonly isPatient?: boolean;
  /** Tries before the courier dies; as the protocol has it if not given. */
  readonly attempts?: number;
}

export class BleSite {
  readonly time = new VirtualTime();
  readonly air = new Air(this.time);
  readonly issuer: Issuer;
  readonly virtual: VirtualLock;
  readonly id: string;
  /** How often each position of the lock came out, as "epoch seq code". */
  readonly outcomes: string[] = [];
  /** All connections that couriers opened. */
  readonly lines: Line[] = [];

  private constructor(issuer: Issuer, virtual: (site: BleSite) => VirtualLock) {
    this.issuer = issuer;
    this.virtual = virtual(this);
    this.id = toHex(this.virtual.id);
    this.#tick();
  }

  static async make({ people, seed = 1, profile = LOCK_1000 }: BleSiteOptions): Promise<BleSite> {
    const random = randomFrom(seed);
    const issuer = await Issuer.open({
      crypto: node,
      store: new MemoryStore(),
      random,
      offsetOf: intlOffset,
    });
    await issuer.begin("test");
    const kind = profile.id === LOCK_1000.id ? "lock-1000" : "l500i";
    const sheets = {
      doors: parseSheet(
        "doors.csv",
        `door,profile,link,zone,keys\nfront,${kind},courier,Europe/Berlin,all\n`,
      ),
      people: [parseSheet("people.csv", `${PEOPLE}\n${people}`)],
    };
    const { errors } = await issuer.importSheets(sheets, NOW);
    if (errors.length > 0) throw new Error(JSON.stringify(errors[0]));
    const seedBytes = new Uint8Array(32);
    random(seedBytes);
    const maker = signingKey(node, seedBytes);
    const owner = issuer.signers.owner.publicKey;
    const made = provisionLock({ profile: profile.id, maker, owner, site: "test", random });
    await issuer.bindLock("front", made.record);
    const site = new BleSite(issuer, ({ time, air }) => {
      return new VirtualLock({
        image: made.image,
        crypto: node,
        world: { now: () => NOW + time.now },
        random,
        air,
      });
    });
    const carried = await commission(issuer, site.id, new MemoryLink((m) => site.virtual.receive(m)));
    if (carried.outcome !== "done") throw new Error(carried.reason);
    return site;
  }

  /** The lock's board calls it once a second. */
  #tick(): void {
    this.virtual.tick();
    this.time.after(1, () => this.#tick());
  }

  /** A courier with the issuer at hand comes by, and stays until everything is done or nothing goes any more. */
  visit({ attempts = Number.POSITIVE_INFINITY, ...options }: VisitOptions = {}): Promise<Visited> {
    const { issuer, id: lock } = this;
    let tries = 0;
    const onReceipt = (received: Received): void => {
      const outcomes = received.refused === undefined ? received.outcomes : [];
      for (const { seq, code } of outcomes) this.outcomes.push(`${seq} ${code}`);
    };
    const now = () => Math.floor(NOW + this.time.now);
    const sleep = (seconds: number) => this.time.sleep(seconds);
    return visit({
      open: async (fruitless) =>
        tries++ < attempts ? this.link({ withResponse: fruitless > 0, ...options }) : undefined,
      mailbox: mailboxOf({ issuer, lock, now, firstRequest: 1, onReceipt }),
      sleep,
    });
  }

  /** A connection to the lock, where it can be had. */
  async link({ withResponse, answerS, isPatient, ...central }: VisitOptions = {}) {
    const onLine = (line: Line): void => void this.lines.push(line);
    while (isPatient && this.air.advertising.length === 0) await this.time.sleep(SCAN_S);
    const [device] = devicesIn(this.air, { onLine, ...central });
    const after = (seconds: number, job: () => void) => this.time.after(seconds, job);
    return device && openBle(device, { after, withResponse, answerS });
  }

  /** Sends what only an issuer can: the courier is no stranger from now on. */
  async known(link: Link): Promise<void> {
    const round = new Round(link, 1);
    await round.hello();
    const body = this.issuer.outbox.heartbeat(this.id, Math.floor(NOW + this.time.now) + 1);
    await round.offer(Type.heartbeat, body!);
  }

  /** Lets time pass until it is done. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.time.run(work);
  }

  /** Types a PIN; the name of the reason. */
  type(pin: string): string {
    return reasonName(typePin(this.virtual.lock, pin));
  }
}
