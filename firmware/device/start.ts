// The device: brings a board up around the lock, and gives the lock its turns. Callbacks of the SDK take note and ask for a turn; all work is
// done in one turn, once a second and soon after whatever happened. A boot moves nothing, what throws is caught part by part, and a turn that
// does not get through the lock does not feed the watchdog, which then restarts the chip.

import { Bluetooth } from "../core/bluetooth";
import { Lock } from "../core/lock";
import { type Profile, profileById } from "../core/profile";
import type { Board, Clock, Identity } from "../ports";
import { SafeRadio } from "./bluetooth";
import { faultOfConfig, pinMask, touchMask } from "./board-config";
import { Console } from "./console";
import { DeviceFacade } from "./console-facade";
import { DoorHardware } from "./door-hardware";
import { FlashPartition } from "./flash";
import { Guard } from "./guard";
import type { Hosts } from "./hosts";
import { noIdentityText, readIdentity } from "./identity";
import { restOf, sleepSeconds } from "./power";
import { isCryptoRight } from "./self-test";
import { SiteLink } from "./site-link";
import { Trial } from "./update";

/** Between two turns that nothing asked for, in milliseconds. */
const TURN_MS = 1000;
/** The lock's watchdog, in seconds: longer than a rebase's slowest turn, shorter than anybody waits at a door. */
export const WATCHDOG_S = 30;

/** Everything that there is of a lock on its board once it has an identity. */
interface Works {
  readonly identity: Identity;
  readonly profile: Profile;
  readonly board: Board;
  readonly lock: Lock;
  readonly radio: SafeRadio;
  readonly bluetooth: Bluetooth | undefined;
  readonly site: SiteLink | undefined;
}

export class Device {
  readonly guard: Guard;
  readonly hardware: DoorHardware;
  /** Undefined on a chip without an identity: it waits for provisioning, and opens for nobody. */
  readonly works: Works | undefined;
  /** Why there are no works: what is wrong with the identity, or "no-lock" where the lock cannot stand on its flash. Empty where it can. */
  readonly trouble: string;
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  readonly #trial: Trial;
  readonly #console: Console;
  readonly #isCryptoRight: boolean;
  readonly #isProvisioned: boolean;
  #isTurnDue = false;
  #isLight = false;
  #watchdogS = 0;
  /** The touch that the network was last woken for. */
  #woken = 0;

  /** Brings the board up. Throws only for a manifest that makes no sense; nothing has been touched then. */
  constructor(hosts: Hosts) {
    const fault = faultOfConfig(hosts.config);
    if (fault !== undefined) throw new Error(fault);
    const { native, config, timers } = hosts;
    this.#hosts = hosts;
    this.guard = new Guard((where, error) => hosts.trace(where + ": " + String(error)));
    native.randomStart();
    const { rows, columns } = config.keypad;
    native.pinsAwake(...pinMask([...rows, ...columns]));
    if (native.watchdogStart(WATCHDOG_S) === 0) this.#watchdogS = WATCHDOG_S;
    this.#trial = new Trial(native);
    // Asked by a trial alone: with the portable crypto the answers take the lock seconds.
    this.#isCryptoRight = !this.#trial.isOpen || isCryptoRight(hosts.crypto);
    const found = readIdentity(native);
    const identity = typeof found === "object" ? found : undefined;
    const profile = identity && profileById(identity.profile);
    const uptime = () => native.uptimeMs() / 1000;
    this.hardware = new DoorHardware({
      hosts,
      guard: this.guard,
      clock: { uptime },
      hasReader: profile?.reader === true,
      onEvent: () => this.soon(),
    });
    this.#clock = { uptime, driftPpm: config.driftPpm, held: this.hardware.rtc };
    this.works = identity && profile && this.guard.attempt("lock", () => this.raise(identity, profile));
    this.trouble =
      typeof found === "object" ? (this.works === undefined ? "no-lock" : "") : noIdentityText(found);
    this.#isProvisioned = found !== "not-provisioned";
    const facade = new DeviceFacade(this, hosts);
    this.#console = new Console({
      serial: hosts.Serial,
      pins: config.console,
      timers,
      guard: this.guard,
      facade,
      onLine: () => {
        this.hardware.touchedAt = uptime();
        this.soon();
      },
    });
    timers.repeat(this.#turn, TURN_MS);
    this.soon();
  }

  private raise(identity: Identity, profile: Profile): Works {
    const hosts = this.#hosts;
    const { guard } = this;
    const { flash, native, crypto, timers } = hosts;
    const { bolt, feedback, door } = this.hardware;
    const board: Board = {
      identity,
      credentials: new FlashPartition(flash, "credentials", profile.credentialBytes),
      events: new FlashPartition(flash, "events", profile.eventBytes),
      crypto,
      clock: this.#clock,
      bolt,
      feedback,
      door,
      random: (buffer) => this.random(buffer),
    };
    const lock = new Lock(board);
    const onEvent = () => this.soon();
    const { GATTServer } = hosts;
    const radio = new SafeRadio({ GATTServer, gap: native, timers, guard, onEvent });
    const bluetooth = guard.attempt("bluetooth", () => new Bluetooth(lock, board, radio));
    const site = profile.network
      ? guard.attempt("network", () => new SiteLink({ hosts, guard, lock, board, onEvent }))
      : undefined;
    return { identity, profile, board, lock, radio, bluetooth, site };
  }

  /** The lock's turn comes as soon as what goes on now is over. */
  soon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#hosts.timers.set(this.#turn, 0);
  }

  /** Whether the lock has an owner; true whenever that is not certain, as for an identity or a table that cannot be read. */
  get isClaimed(): boolean {
    if (this.works === undefined) return this.#isProvisioned;
    const { parts, authority } = this.works.lock;
    return parts.mounted ? authority.claimed : parts.mountState !== "unformatted";
  }

  /** Fills a buffer with the chip's random bytes. */
  random(buffer: Uint8Array): void {
    this.#hosts.native.fillRandom(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
  }

  /** Seconds until the watchdog restarts the chip; 0 when it does not run. */
  get watchdogSeconds(): number {
    return this.#watchdogS;
  }

  /** For the engine's last breath: whatever it was, the motor is off. */
  abort(): void {
    this.hardware.bolt.stop();
  }

  readonly #turn = (): void => {
    this.#isTurnDue = false;
    const { works, guard } = this;
    const isThrough = works === undefined || guard.run("lock", () => this.lockTurn(works));
    if (isThrough) this.#hosts.native.watchdogFeed();
    if (works !== undefined) this.linkTurn(works);
    this.#console.tick();
    guard.run("trial", () => this.tryTrial());
    guard.run("power", () => this.rest());
  };

  private lockTurn({ lock }: Works): void {
    const { hardware } = this;
    for (let key = hardware.nextKey(); key !== undefined; key = hardware.nextKey()) lock.press(key);
    const card = hardware.nextCard();
    if (card !== undefined) lock.presentCard(card);
    if (hardware.wasResetHeld()) {
      const now = this.#clock.uptime();
      if (lock.pressReset() === "refused") hardware.feedback.refused(now);
      else hardware.feedback.granted(now);
    }
    lock.tick();
  }

  private linkTurn({ radio, bluetooth, site }: Works): void {
    const { guard, hardware } = this;
    if (bluetooth !== undefined) guard.run("bluetooth", () => bluetooth.tick());
    if (site === undefined) return;
    guard.run("network", () => {
      if (hardware.touchedAt > this.#woken) site.wake();
      this.#woken = hardware.touchedAt;
      site.tick(radio.centrals);
    });
  }

  private tryTrial(): void {
    if (!this.#trial.isOpen) return;
    const { faults } = this.guard;
    this.#trial.tick({
      now: this.#clock.uptime(),
      mountState: this.works?.lock.parts.mountState ?? (this.#isProvisioned ? "no-lock" : "unformatted"),
      isCryptoRight: this.#isCryptoRight,
      faults,
    });
  }

  /** Sleeps as deeply as may be. */
  private rest(): void {
    const { works, hardware } = this;
    const { native, config } = this.#hosts;
    const { isClaimed } = this;
    const rest = restOf({
      now: this.#clock.uptime(),
      isLocked: hardware.bolt.state !== "drawn" && !hardware.bolt.isMoving,
      isBusy: hardware.isBusy || this.#trial.isOpen || (works?.radio.centrals ?? 0) > 0,
      isIdle: works?.site?.isIdle ?? true,
      touchedAt: hardware.touchedAt,
      isClaimed,
      isCritical: hardware.isCritical,
    });
    const isLight = rest === "light";
    if (isLight !== this.#isLight) {
      this.#isLight = isLight;
      // The turn goes on: its timer wakes the chip. A touch does at once, and is told as if the chip had been awake.
      native.lightSleep(isLight ? 1 : 0, ...touchMask(config));
    }
    if (rest !== "deep") return;
    const { rows, columns } = config.keypad;
    native.deepSleep(sleepSeconds(isClaimed, config.heartbeatS), ...pinMask(columns), ...pinMask(rows));
    // It came back: the pins are not the keypad's any more, and a boot makes them so.
    native.restart();
  }
}
