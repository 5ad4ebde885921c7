// What the factory's test reaches of a device: facts that anybody may know, and for a lock without an owner its parts (firmware/console-lines.ts).

import type { Crypto } from "../../protocol/crypto/port";
import { toHex } from "../../protocol/wire/bytes";
import type { BoltState, LockReport } from "../console-lines";
import { FIRMWARE } from "../core/version";
import type { Flash, HeldClock } from "../ports";
import { touchMask } from "./board-config";
import type { Await, ConsoleFacade, Told } from "./console";
import type { Hosts, WifiScanner } from "./hosts";
import { CHIP_FACTS, CHIP_FLAG, RESET } from "./native";
import type { Device } from "./start";

/** How often the bolt is looked at until its motor rests, in milliseconds. */
const LOOK_MS = 50;
/** Names of {@link RESET}. */
const RESET_NAMES: readonly (readonly [number, string])[] = [
  [RESET.powerOn, "power-on"],
  [RESET.software, "software"],
  [RESET.panic, "panic"],
  [RESET.interruptWatchdog, "watchdog"],
  [RESET.taskWatchdog, "watchdog"],
  [RESET.otherWatchdog, "watchdog"],
  [RESET.deepSleep, "deep-sleep"],
  [RESET.brownout, "brown-out"],
];

/** The facade of a device: a class, whose methods stand in flash, and no object of functions, each of which would take its room in RAM. */
export class DeviceFacade implements ConsoleFacade {
  readonly #device: Device;
  readonly #hosts: Hosts;

  constructor(device: Device, hosts: Hosts) {
    this.#device = device;
    this.#hosts = hosts;
  }

  isClaimed(): boolean {
    return this.#device.isClaimed;
  }

  uptimeMs(): number {
    return Math.floor(this.#hosts.native.uptimeMs());
  }

  report(): LockReport {
    return reportOf(this.#device, this.#hosts);
  }

  get crypto(): Crypto {
    return this.#hosts.crypto;
  }

  random(buffer: Uint8Array): void {
    this.#device.random(buffer);
  }

  get credentials(): Flash {
    return (
      this.#device.works?.board.credentials ?? this.#hosts.flash.open({ path: "credentials", mode: "r" })
    );
  }

  get events(): Flash {
    return this.#device.works?.board.events ?? this.#hosts.flash.open({ path: "events", mode: "r" });
  }

  get awaitKey(): Await<number> {
    return this.#device.hardware.keyTap.wait;
  }

  get awaitCard(): Await<number> | undefined {
    const { reader, cardTap } = this.#device.hardware;
    return reader && cardTap.wait;
  }

  get awaitReset(): Await<void> {
    return this.#device.hardware.resetTap.wait;
  }

  moveBolt(to: "draw" | "throw", told: Told<BoltState>): void {
    const { hardware, guard } = this.#device;
    const { timers } = this.#hosts;
    if (to === "draw") hardware.bolt.draw();
    else hardware.bolt.throw();
    const look = guard.wrap("console", () => {
      if (hardware.bolt.isMoving) timers.set(look, LOOK_MS);
      else told(hardware.bolt.state);
    });
    timers.set(look, LOOK_MS);
  }

  get isDoorClosed(): (() => boolean) | undefined {
    const { door } = this.#device.hardware;
    return door && (() => door.isClosed());
  }

  get isHandleTurned(): (() => boolean) | undefined {
    return this.#device.hardware.isHandleTurned;
  }

  feedback(show: "granted" | "refused" | "identify"): void {
    this.#device.hardware.feedback[show](this.#hosts.native.uptimeMs() / 1000);
  }

  get batteryMv(): (() => number) | undefined {
    const { battery } = this.#device.hardware;
    return battery && (() => battery.millivolts);
  }

  get heldClock(): HeldClock | undefined {
    return this.#device.hardware.rtc;
  }

  get countNetworks(): ((told: Told<number>) => void) | undefined {
    return this.#device.works?.site && ((told) => countNetworks(this.#hosts, this.#device, told));
  }

  isAdvertising(): boolean {
    return this.#device.works?.radio.isAdvertising ?? false;
  }

  sleep(seconds: number, told: Told<number>): void {
    const { native, timers, config } = this.#hosts;
    const began = native.uptimeMs();
    if (native.lightSleep(1, ...touchMask(config)) !== 0) {
      told(undefined, "built without sleep");
      return;
    }
    const over = this.#device.guard.wrap("console", () => {
      native.lightSleep(0, ...touchMask(config));
      told(Math.round(native.uptimeMs() - began));
    });
    timers.set(over, 1000 * seconds);
  }

  watchdogSeconds(): number {
    return this.#device.watchdogSeconds;
  }
}

/** Looks for networks with an interface of its own; the lock's is left as it is. */
function countNetworks({ net }: Hosts, { guard }: Device, told: Told<number>): void {
  let count = 0;
  const Scanner: new (options: { onChanged(property: string): void }) => WifiScanner = net.WiFi;
  const wifi = new Scanner({ onChanged() {} });
  wifi.scan({
    onFound: () => {
      count++;
    },
    onComplete: guard.wrap("console", () => {
      wifi.close();
      told(count);
    }),
  });
}

function reportOf(device: Device, { native, config, crypto }: Hosts): LockReport {
  const { works, hardware, guard } = device;
  const facts = new ArrayBuffer(CHIP_FACTS.bytes);
  native.chipFacts(facts);
  const view = new DataView(facts);
  const flags = view.getUint8(CHIP_FACTS.flags);
  const reason = native.resetReason();
  const state = works?.site?.wifi.state;
  return {
    firmware: textOf(FIRMWARE),
    board: config.board,
    profile: works?.profile.name ?? null,
    lock: works === undefined ? null : toHex(works.identity.lock),
    publicKey: works === undefined ? null : toHex(crypto.ed25519PublicKey(works.identity.seed)),
    mounted: works?.lock.parts.mounted ?? null,
    claimed: device.isClaimed,
    uptime: Math.floor(native.uptimeMs() / 1000),
    resetReason: RESET_NAMES.find(([number]) => number === reason)?.[1] ?? `reason-${reason}`,
    faults: guard.faults,
    lastFault: guard.lastFault,
    freeHeap: native.freeHeap(),
    flashEncryption: (flags & CHIP_FLAG.flashEncrypted) !== 0,
    secureBoot: (flags & CHIP_FLAG.secureBoot) !== 0,
    securityVersion: view.getUint32(CHIP_FACTS.fusedVersion, true),
    batteryMv: hardware.battery?.millivolts ?? null,
    bolt: hardware.bolt.state,
    doorClosed: hardware.door?.isClosed() ?? null,
    rtc: hardware.rtc?.read() ?? null,
    advertising: works?.radio.isAdvertising ?? false,
    network: state === undefined ? "none" : state === "waiting" ? "joining" : state,
  };
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
