// What the factory's test reaches of a device: facts that anybody may know, and for a lock without an owner its parts (firmware/console-lines.ts).

import { toHex } from "../../protocol/wire/bytes";
import type { LockReport } from "../console-lines";
import { FIRMWARE } from "../core/version";
import type { ConsoleFacade, Told } from "./console";
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

/** The facade of a device. */
export function consoleFacade(device: Device, hosts: Hosts): ConsoleFacade {
  const { hardware, guard } = device;
  const { native, timers, flash } = hosts;
  const uptimeMs = () => Math.floor(native.uptimeMs());
  const { battery, rtc, door, isHandleTurned } = hardware;
  const partition = (path: string) =>
    device.works?.board[path as "credentials" | "events"] ?? flash.open({ path, mode: "r" });
  return {
    isClaimed: () => device.isClaimed,
    uptimeMs,
    report: () => reportOf(device, hosts),
    crypto: hosts.crypto,
    random: (buffer) => native.fillRandom(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length),
    get credentials() {
      return partition("credentials");
    },
    get events() {
      return partition("events");
    },
    awaitKey: hardware.keyTap.wait,
    awaitCard: hardware.reader && hardware.cardTap.wait,
    awaitReset: hardware.resetTap.wait,
    moveBolt(to, told) {
      if (to === "draw") hardware.bolt.draw();
      else hardware.bolt.throw();
      const look = guard.wrap("console", () => {
        if (hardware.bolt.isMoving) timers.set(look, LOOK_MS);
        else told(hardware.bolt.state);
      });
      timers.set(look, LOOK_MS);
    },
    isDoorClosed: door && (() => door.isClosed()),
    isHandleTurned,
    feedback(show) {
      hardware.feedback[show](native.uptimeMs() / 1000);
    },
    batteryMv: battery && (() => battery.millivolts),
    heldClock: rtc,
    countNetworks: device.works?.site && ((told: Told<number>) => countNetworks(hosts, device, told)),
    isAdvertising: () => device.works?.radio.isAdvertising ?? false,
    sleep(seconds, told) {
      const began = native.uptimeMs();
      const error = native.lightSleep(1);
      if (error !== 0) {
        told(undefined, "built without sleep");
        return;
      }
      timers.set(
        guard.wrap("console", () => {
          native.lightSleep(0);
          told(Math.round(native.uptimeMs() - began));
        }),
        1000 * seconds,
      );
    },
    watchdogSeconds: () => device.watchdogSeconds,
  };
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
