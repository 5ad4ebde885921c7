// The lock's end of Bluetooth (rules S5, S7, S8, S10, X13): shows itself to whoever carries mail, and answers what comes in segments. Up to
// three centrals at a time; the lock believes none of them anything. Callbacks of the server only take note, since the stack stands still
// while they run and the board restarts on what they throw; `tick` does the work. It is called after every callback, and once a second.

import {
  Gatt,
  packAdvert,
  packInfo,
  ROTATING_BYTES,
  ROTATION_S,
  readAdvert,
  rotatingId,
} from "../../protocol/wire/advert";
import { equal, fromHex } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import type { Status } from "../../protocol/wire/messages";
import { readFrame, readStatus } from "../../protocol/wire/messages";
import type { Agreement } from "../../protocol/wire/segments";
import {
  agree,
  MAX_SEGMENT_BYTES,
  packAgreement,
  readHandshake,
  Segments,
  Taken,
} from "../../protocol/wire/segments";
import type { AdvertRecords, Board, GattCharacteristic, GattConnection, GattServer, Radio } from "../ports";
import type { Lock } from "./lock";
import { MAX_RADIO_SESSIONS, Session } from "./session";

/** The MTU that a lock agrees to: a segment fills a characteristic's 512 bytes. */
export const MTU = 515;
/** A connection on which no whole message came for so long is over, in seconds: the door has three. */
export const IDLE_S = 30;
/**
 * A connection on which nothing can be notified for so long is over, in seconds. The server knows of a characteristic whether anybody has
 * subscribed, and not of a connection: whoever leaves silences all, until somebody subscribes again.
 */
export const SILENCED_S = 5;
/** Seconds from the last answer of a session that is over to hanging up: what still stands in buffers is lost with the connection. */
export const FAREWELL_S = 1;
/** Properties of characteristics. */
const READ = 2;
const WRITE = 8 | 4;
const NOTIFY = 16;
/** General discoverable, no classic Bluetooth (Core Specification Supplement, Part A, 1.3). */
const DISCOVERABLE = 6;
/** AD type: service data behind a 128-bit UUID (Core Specification Supplement, Part A, 1.11). */
const SERVICE_DATA = 0x21;
const UUID_BYTES = 16;
const NOTHING: Uint8Array = new Uint8Array(0);
/** Nobody ever speaks on it: its status is what a stranger may see (rule C16). */
const SHOWING = new Session("radio", 0);

/** What Bluetooth needs of its lock. */
export type BluetoothLock = Pick<Lock, "authority" | "open" | "close" | "receive" | "status">;

/** One central's connection. */
class Line {
  readonly connection: GattConnection;
  readonly session: Session;
  outbox: GattCharacteristic | undefined;
  /** What its handshake asked for, until it is answered: none where no version is common. */
  agreement: Agreement | "none" | undefined;
  segments: Segments | undefined;
  /** What could not be notified yet, and since when, in seconds since boot. */
  held: Uint8Array | undefined;
  heldSince = 0;
  hasMessage = false;
  isBroken = false;
  /** Whether the lock has said its last word. */
  isLeaving = false;
  /** Seconds since boot at which the lock hangs up unless a whole message comes. */
  endsAt: number;

  constructor(connection: GattConnection, session: Session, now: number) {
    this.connection = connection;
    this.session = session;
    this.endsAt = now + IDLE_S;
  }
}

export class Bluetooth {
  readonly #lock: BluetoothLock;
  readonly #board: Board;
  readonly #server: GattServer;
  readonly #lines: Line[] = [];
  /** Connections for which there is no session. */
  readonly #surplus: GattConnection[] = [];
  #isReady = false;
  /** A segment on its way out of whichever line; empty while there is no line. */
  #out = NOTHING;
  #id = NOTHING;
  #rotateAt = 0;
  #claim = -1;
  #shown = NOTHING;

  constructor(lock: BluetoothLock, board: Board, radio: Radio) {
    this.#lock = lock;
    this.#board = board;
    this.#server = new radio.gatt.io({
      mtu: MTU,
      services: [{ uuid: Gatt.service, characteristics: this.characteristics() }],
      onReady: () => {
        this.#isReady = true;
      },
      onConnect: (connection) => this.connected(connection),
      onDisconnect: (connection) => this.disconnected(connection),
    });
  }

  /** How many centrals are connected. */
  get connections(): number {
    return this.#lines.length;
  }

  private characteristics() {
    const bluetooth = this;
    return [
      {
        uuid: Gatt.inbox,
        properties: WRITE,
        onWrite(value: ArrayBuffer, connection: GattConnection): void {
          bluetooth.written(connection, value);
        },
      },
      {
        uuid: Gatt.outbox,
        properties: NOTIFY,
        onSubscribe(this: GattCharacteristic, connection: GattConnection): void {
          const line = bluetooth.lineOf(connection);
          if (line !== undefined) line.outbox = this;
        },
        onUnsubscribe(connection: GattConnection): void {
          const line = bluetooth.lineOf(connection);
          if (line !== undefined) line.outbox = undefined;
        },
      },
      {
        uuid: Gatt.info,
        properties: READ,
        onRead: (connection: GattConnection): Uint8Array => bluetooth.info(connection),
      },
    ];
  }

  // ---- what callbacks note

  private lineOf(connection: GattConnection): Line | undefined {
    return this.#lines.find((line) => line.connection === connection);
  }

  private connected(connection: GattConnection): void {
    // A line whose session is over is one for a while yet.
    const session = this.#lines.length < MAX_RADIO_SESSIONS ? this.#lock.open("radio") : undefined;
    if (session === undefined) this.#surplus.push(connection);
    else this.#lines.push(new Line(connection, session, this.#board.clock.uptime()));
  }

  private disconnected(connection: GattConnection): void {
    const line = this.lineOf(connection);
    if (line !== undefined) this.forget(line);
    const at = this.#surplus.indexOf(connection);
    if (at >= 0) this.#surplus.splice(at, 1);
  }

  private written(connection: GattConnection, value: ArrayBuffer): void {
    const line = this.lineOf(connection);
    if (line === undefined || line.isBroken) return;
    const bytes = new Uint8Array(value);
    if (line.segments === undefined) {
      if (line.session.closed) return;
      const asked = line.agreement === undefined ? readHandshake(bytes) : undefined;
      if (asked === undefined) line.isBroken = true;
      else line.agreement = asked.speaksOurs ? agree(asked, connection.maximumWrite) : "none";
      return;
    }
    const taken = line.segments.take(bytes);
    if (taken === Taken.broken) line.isBroken = true;
    if (taken === Taken.message) line.hasMessage = true;
  }

  // ---- the work

  /** Answers what came, sends what may go, ends what is over, and shows what is new. */
  tick(): void {
    for (const connection of this.#surplus.splice(0)) this.hangUp(connection);
    for (let i = this.#lines.length - 1; i >= 0; i--) this.serve(this.#lines[i]);
    if (this.#isReady) this.advertise();
  }

  private serve(line: Line): void {
    const now = this.#board.clock.uptime();
    if (line.agreement !== undefined && line.outbox !== undefined) this.begin(line, now);
    // What comes after the session's end is answered by hanging up.
    if (line.hasMessage && !line.session.closed) this.answer(line, now);
    this.send(line, now);
    const isSilenced = line.held !== undefined && now - line.heldSince >= SILENCED_S;
    const isOver = line.isBroken || isSilenced || (line.session.closed && !line.isLeaving);
    if (!isOver && now < line.endsAt) return;
    this.forget(line);
    this.hangUp(line.connection);
  }

  private begin(line: Line, now: number): void {
    const agreement = line.agreement === "none" ? undefined : line.agreement;
    line.agreement = undefined;
    line.held = packAgreement(agreement);
    line.heldSince = now;
    if (agreement !== undefined) {
      if (this.#out.length === 0) this.#out = new Uint8Array(MAX_SEGMENT_BYTES);
      line.segments = new Segments(agreement, new Uint8Array(MAX_MESSAGE_BYTES), this.#out);
      return;
    }
    this.#lock.close(line.session);
    this.leave(line, now);
  }

  /** What is said now is the last, and has a moment to get through. */
  private leave(line: Line, now: number): void {
    line.isLeaving = true;
    line.endsAt = now + FAREWELL_S;
  }

  private answer(line: Line, now: number): void {
    const segments = line.segments as Segments;
    line.hasMessage = false;
    line.endsAt = now + IDLE_S;
    const answer = this.#lock.receive(line.session, segments.message);
    if (line.session.closed) this.leave(line, now);
    segments.done();
    // Whoever does not wait for an answer cannot tell answers apart.
    if (segments.isSending) line.isBroken = true;
    else segments.send(answer);
  }

  private send(line: Line, now: number): void {
    const { segments, outbox, connection } = line;
    if (outbox === undefined) return;
    for (let next = line.held ?? segments?.next(); next !== undefined; next = segments?.next()) {
      try {
        connection.notify(outbox, next);
        line.held = undefined;
      } catch {
        if (line.held !== undefined) return;
        line.held = next.slice();
        line.heldSince = now;
        return;
      }
    }
  }

  private forget(line: Line): void {
    this.#lock.close(line.session);
    this.#lines.splice(this.#lines.indexOf(line), 1);
    if (this.#lines.length === 0) this.#out = NOTHING;
  }

  private hangUp(connection: GattConnection): void {
    try {
      connection.close();
    } catch {
      // It is gone already.
    }
    // The stack advertises again after a central leaves, and not after the lock hung up.
    this.#shown = NOTHING;
  }

  // ---- what is shown

  private status(): Status {
    const reader = new Reader(this.#lock.status(SHOWING));
    readFrame(reader);
    return readStatus(reader) as Status;
  }

  private info(connection: GattConnection): Uint8Array {
    const { shortId, epoch, applied, flags } = this.status();
    const { profile } = this.#board.identity;
    return packInfo({ profile, shortId, epoch, applied, flags, largest: connection.maximumWrite });
  }

  private advertise(): void {
    const { applied, flags } = this.status();
    this.rotate();
    const advert = packAdvert({ id: this.#id, applied, flags });
    if (equal(advert, this.#shown)) return;
    try {
      this.#server.startAdvertising({ flags: DISCOVERABLE, services: [Gatt.service] }, serviceData(advert));
      this.#shown = advert;
    } catch {
      // Tried again by the next tick.
    }
  }

  /** A new id when it is time, and when the lock has another owner. A lock that nobody owns has nothing to hide. */
  private rotate(): void {
    const { claimed, claimNumber, derived } = this.#lock.authority;
    const now = this.#board.clock.uptime();
    const claim = claimed ? claimNumber : -1;
    if (claim === this.#claim && now < this.#rotateAt && this.#id.length > 0) return;
    this.#claim = claim;
    this.#rotateAt = now + ROTATION_S;
    if (derived === undefined) {
      this.#id = this.#board.identity.lock.slice(0, 2 * ROTATING_BYTES);
      return;
    }
    const random = new Uint8Array(ROTATING_BYTES);
    this.#board.random(random);
    this.#id = rotatingId(this.#board.crypto, derived.linkKey, random);
  }
}

/** An advertisement's bytes behind the service's UUID, which goes over the air backwards. */
function serviceData(advert: Uint8Array): AdvertRecords {
  const record = new Uint8Array(UUID_BYTES + advert.length);
  record.set(fromHex(Gatt.service.replaceAll("-", "")).reverse());
  record.set(advert, UUID_BYTES);
  return { [SERVICE_DATA]: record };
}

/** The id that {@link serviceData} shows; undefined for records that have none. */
export function shownId(records: AdvertRecords | undefined): Uint8Array | undefined {
  const record = records?.[SERVICE_DATA];
  return record && readAdvert(record.subarray(UUID_BYTES))?.id;
}
