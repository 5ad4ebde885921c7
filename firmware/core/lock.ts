// The lock as a whole: inputs come one at a time and call ports; it never waits, and starts nothing of its own but through
// `tick`. A boot reads and moves nothing; a lock is made from its flash bytes alone. When in doubt the door stays locked from
// outside, and nothing here can block the inside handle.

import type { Board } from "../ports";
import { Authority } from "./authority";
import { BoltControl } from "./bolt-control";
import type { Instant } from "./clock";
import { Diary } from "./diary";
import type { Why } from "./doorway";
import { Doorway } from "./doorway";
import { HoursKeeper } from "./hours-keeper";
import { Keypad } from "./keypad";
import type { Parts } from "./parts";
import { mountParts } from "./parts";
import { Programming } from "./programming";
import type { Pressed } from "./reset";
import { Reset } from "./reset";
import { Secrets } from "./secrets";
import type { Medium } from "./session";
import { RadioSessions, Session } from "./session";
import { EventKind, Method } from "./storage/events";
import { Sync } from "./sync";

export type { Why } from "./doorway";
export type { Pressed } from "./reset";

/** Slots that the table digest takes in a tick: too few for a person at the door to notice, and a full lock is through in a minute. */
const DIGEST_SLOTS_A_TICK = 16;

export class Lock {
  readonly parts: Parts;
  readonly authority: Authority;
  readonly doorway: Doorway;
  readonly hours: HoursKeeper;
  readonly secrets: Secrets;
  readonly #bolt: BoltControl;
  readonly #diary: Diary;
  readonly #sync: Sync;
  readonly #reset: Reset;
  readonly #programming: Programming;
  readonly #keypad = new Keypad();
  readonly #radio = new RadioSessions();
  /** The reading of the policy that everything was configured by. */
  #version = -1;
  #isBootNoted = false;

  /** Boots from the board's flash. Writes nothing and moves nothing (rule M11). */
  constructor(board: Board) {
    this.parts = mountParts(board);
    this.authority = new Authority(this.parts.table, board.crypto, board.identity);
    this.secrets = new Secrets(this.parts, this.authority);
    this.#diary = new Diary(this.parts.events, this.parts.clock);
    this.#bolt = new BoltControl(board);
    this.hours = new HoursKeeper(this.parts);
    this.doorway = new Doorway(this.parts, this.authority, this.#diary, this.#bolt, this.hours);
    this.#programming = new Programming(this.parts, this.authority, this.#diary, this.hours);
    const { doorway, hours } = this;
    this.#reset = new Reset(this.parts, this.authority, this.#diary, doorway, hours);
    const door = { doorway, bolt: this.#bolt, hours, reset: this.#reset };
    this.#sync = new Sync(this.parts, this.authority, this.#diary, door);
    if (this.parts.mounted) {
      this.authority.restore();
      this.doorway.restore();
      this.hours.restore();
    }
    this.configure();
  }

  /** Takes over what the policy says, if it was read anew. */
  private configure(): void {
    const { policy, clock } = this.parts;
    if (policy.version === this.#version) return;
    this.#version = policy.version;
    clock.maxBound = policy.clockBound;
    this.#diary.mode = policy.mode;
    this.#bolt.configure(policy.relockSeconds);
    this.doorway.lockout.configure(policy.lockout.tries, policy.lockout.leastMinutes);
    if (this.parts.mounted) this.hours.configure();
  }

  // ---- links

  /** A new connection; undefined where there are as many over the radio as there can be (rule X13). */
  open(medium?: "network"): Session;
  open(medium: Medium): Session | undefined;
  open(medium: Medium = "network"): Session | undefined {
    const now = this.parts.clock.uptime();
    return medium === "radio" ? this.#radio.open(now) : new Session(medium, now);
  }

  /** The connection is gone. */
  close(session: Session): void {
    session.closed = true;
  }

  /** Answers one message with one message; see {@link Sync}. */
  receive(session: Session, message: Uint8Array): Uint8Array {
    const answer = this.#sync.receive(session, message);
    this.configure();
    return answer;
  }

  /** The status that a lock shows unasked, for a link that announces it. */
  status(session: Session): Uint8Array {
    return this.#sync.status(session, 0);
  }

  // ---- the door

  /**
   * One key of the pad, see `Key`. When it completes an entry that is to open, that entry is decided and the reason returned. What is
   * typed for the menu is answered by the feedback alone.
   */
  press(key: number): number | undefined {
    const at = this.parts.clock.uptime();
    const pressed = this.#keypad.press(key, at);
    if (pressed === "called") this.doorway.show(this.call(), at);
    if (pressed !== "entered") return undefined;
    if (!this.#programming.isOpen) return this.doorway.enter(this.#keypad.entry);
    this.doorway.show(this.#programming.enter(this.#keypad.entry), at);
    return undefined;
  }

  private call(): boolean {
    this.#programming.close();
    const caller = this.doorway.call(this.#keypad.entry);
    if (caller !== undefined) this.#programming.open(caller);
    return caller !== undefined;
  }

  /** A PIN as ASCII digits, all at once. Returns the reason, `granted` when the door opens. */
  enterPin(digits: Uint8Array): number {
    return this.doorway.enter(digits);
  }

  /** A card at the reader, by its UID. Returns the reason. */
  presentCard(uid: Uint8Array): number {
    return this.doorway.present(uid);
  }

  /**
   * The physical act of a factory reset (rule X11): it happens at once, waits for somebody to object, or is refused; see {@link Pressed}.
   */
  pressReset(): Pressed {
    const pressed = this.#reset.press();
    this.configure();
    return pressed;
  }

  /** Whether a credential would open the door at an instant, and why; see {@link Doorway.why}. */
  why(kind: number, value: Uint8Array, clock: Instant): Why {
    return this.doorway.why(kind, value, clock);
  }

  // ---- time passing

  /** Everything that a lock does by itself: the bolt, and one step of housekeeping. Call it about once a second. */
  tick(): void {
    const { table, events, digest, clock, mounted } = this.parts;
    this.#radio.sweep(clock.uptime());
    if (mounted) this.#reset.tick();
    this.configure();
    const moved = this.#bolt.tick(mounted && this.authority.claimed && this.hours.advance());
    if (moved === "unlocked") this.#diary.note(EventKind.unlocked, 0, Method.auto);
    if (moved === "relocked") this.#diary.note(EventKind.relocked, 0, Method.auto);
    if (!mounted) return;
    this.doorway.settle();
    if (!events.maintain()) table.maintain();
    digest.advance(table, DIGEST_SLOTS_A_TICK);
    if (!this.#isBootNoted) this.#isBootNoted = this.#diary.note(EventKind.boot, events.boot, Method.auto);
  }
}
