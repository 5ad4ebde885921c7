// A whole board on the bench: the device on doubles of everything that the SDK and the chip have, in virtual time, with a bolt of iron, keys
// to press, a card reader's line, a network and a cable. What the power leaves is the flash, the identity and where the bolt is.

import boardManifest from "../../../firmware/boards/lock/manifest.json";
import type { ConsoleReply } from "../../../firmware/console-lines";
import { packIdentity } from "../../../firmware/core/identity-record";
import { Key } from "../../../firmware/core/keypad";
import type { BoardConfig } from "../../../firmware/device/board-config";
import { nativeCrypto } from "../../../firmware/device/crypto";
import type { Hosts } from "../../../firmware/device/hosts";
import { Device } from "../../../firmware/device/start";
import type { FlashImage } from "../../../simulator/board/board";
import { SerialDouble } from "../console-lock";
import { ScriptedRadio } from "../scripted-gatt";
import { analogOf } from "./analog";
import { BOLT_PINS, BoltModel } from "./bolt-model";
import { Pins } from "./digital";
import { SdkFlashModule } from "./flash";
import { SdkGap, sdkServer } from "./gatt";
import { Internet } from "./internet";
import { mqttClient, SdkBroker } from "./mqtt";
import { ChipModel } from "./native";
import { pwmOf } from "./pwm";
import { serialOf } from "./serial";
import { ntpAnswer, ntpClient } from "./sntp";
import { VirtualTimers } from "./timers";
import { tlsSocket } from "./tls";
import { WifiDriver } from "./wifi";

const HOLD_MS = 40;
const NTP_TIME = 1_803_859_200;
const { rtc: _, ...lockPins } = boardManifest.config.lock;
/** The lock's board, with its bolt where the iron is, and other pins where that takes them; without a clock of its own. */
export const BENCH_CONFIG: BoardConfig = {
  ...lockPins,
  bolt: { ...lockPins.bolt, ...BOLT_PINS },
  keypad: { rows: lockPins.keypad.rows, columns: [18, 19, 22] },
};
const KEYS = [1, 2, 3, 4, 5, 6, 7, 8, 9, Key.clear, 0, Key.confirm];

/** What is plugged into a bench, and how its chip was left. */
export interface BenchOptions {
  /** The flash and the identity of a lock; a chip that was never provisioned without it. */
  readonly image?: FlashImage;
  /** Where the bolt is: 0 drawn, 1 thrown. */
  readonly position?: number;
  readonly chip?: Partial<ChipModel>;
  /** Changes what the device gets. */
  readonly change?: (hosts: Hosts) => Hosts;
}

export class Bench {
  readonly timers = new VirtualTimers();
  readonly pins = new Pins(this.timers);
  readonly bolt: BoltModel;
  readonly chip: ChipModel;
  readonly flash = new SdkFlashModule();
  readonly script = new ScriptedRadio();
  readonly gap = new SdkGap(() => {});
  readonly wifi = new WifiDriver(this.timers);
  readonly internet = new Internet(this.timers);
  readonly broker = new SdkBroker();
  /** The host's date, seconds since 1970; undefined until somebody sets it. */
  date: number | undefined;
  readonly traced: string[] = [];
  readonly credentials: Uint8Array | undefined;
  readonly events: Uint8Array | undefined;
  readonly device: Device;
  readonly #replies: string[] = [];
  /** The cable's line, which tells of room as the SDK's does. */
  readonly cable = new SerialDouble((job) => this.timers.post(job));
  readonly reader = serialOf(this.pins);
  #said = "";
  #id = 0;

  constructor({ image, position = 1, chip = {}, change = (hosts) => hosts }: BenchOptions = {}) {
    const { timers, pins } = this;
    this.bolt = new BoltModel(pins, position);
    this.chip = new ChipModel(chip);
    Object.defineProperty(this.chip, "now", { get: () => timers.now });
    if (image !== undefined) {
      this.chip.identity = packIdentity(image.identity);
      this.credentials = this.flash.add("credentials", image.credentials.length);
      this.events = this.flash.add("events", image.events.length);
      this.credentials.set(image.credentials);
      this.events.set(image.events);
    }
    // The door is closed, nobody turns the handle, and nobody presses the reset button, whose pins have their pull-ups on the board.
    pins.drive(BENCH_CONFIG.door?.closed ?? 0, 0);
    for (const pin of [BENCH_CONFIG.handle?.turned ?? 0, BENCH_CONFIG.reset.pin]) pins.drive(pin, 1);
    this.internet.udp.set("192.0.2.123:123", (packet) => [ntpAnswer(packet, NTP_TIME)]);
    this.cable.onBytes = (bytes) => this.#heard(bytes);
    this.device = new Device(change(this.#hosts()));
  }

  #hosts(): Hosts {
    const { timers, pins, chip, internet, wifi } = this;
    const ports = [this.cable.Serial, this.cable.Serial, this.reader.Serial];
    const native = Object.freeze({ ...chip.native, ...gapOf(this.gap) });
    return {
      config: { ...BENCH_CONFIG, nameServers: ["192.0.2.53"], timeServers: ["192.0.2.123"] },
      native,
      crypto: nativeCrypto(chip.native),
      timers,
      flash: this.flash,
      Digital: pins.Digital,
      PWM: pwmOf(pins).PWM,
      Analog: analogOf(pins).Analog,
      Serial: class {
        constructor(options: { readonly port?: number }) {
          const Port = ports[options.port ?? 0] as unknown as new (options: object) => object;
          // biome-ignore lint/correctness/noConstructorReturn: one class of the SDK for two lines.
          return new Port(options);
        }
      } as unknown as Hosts["Serial"],
      GATTServer: sdkServer(this.gap, this.script.gatt.io),
      RTC: class {
        constructor() {
          throw new Error("no clock on this bench");
        }
      } as unknown as Hosts["RTC"],
      SMBus: undefined,
      net: {
        WiFi: wifi.WiFi as unknown as Hosts["net"]["WiFi"],
        MQTTClient: mqttClient(timers) as unknown as Hosts["net"]["MQTTClient"],
        TLSSocket: tlsSocket(timers) as unknown as Hosts["net"]["TLSSocket"],
        TCP: internet.TCP as unknown as Hosts["net"]["TCP"],
        UDP: internet.UDP as unknown as Hosts["net"]["UDP"],
        Resolver: internet.Resolver as unknown as Hosts["net"]["Resolver"],
        NTP: ntpClient(timers) as unknown as Hosts["net"]["NTP"],
        authority: undefined,
        setDate: (seconds) => {
          this.date = seconds;
        },
      },
      trace: (line) => this.traced.push(line),
    };
  }

  /** Lets chip and iron live for so many seconds. */
  live(seconds: number): void {
    this.bolt.run(this.timers, Math.round(1000 * seconds));
  }

  /** Lets the chip alone live: nothing moves, and a day passes at once. */
  pass(seconds: number): void {
    this.timers.advance(1000 * seconds);
  }

  /** Presses keys one after the other, as a hand does: digits, "#" to confirm, "*" to clear. */
  type(keys: string): void {
    for (const key of keys) {
      const code = key === "#" ? Key.confirm : key === "*" ? Key.clear : Number(key);
      const at = KEYS.indexOf(code);
      const [row, column] = [
        BENCH_CONFIG.keypad.rows[Math.floor(at / 3)],
        BENCH_CONFIG.keypad.columns[at % 3],
      ];
      this.pins.connect(row, column, true);
      this.live(2 * (HOLD_MS / 1000));
      this.pins.connect(row, column, false);
      this.live(2 * (HOLD_MS / 1000));
    }
  }

  /** Asks over the cable, and lives until the answer is there. */
  ask(ask: string, more: object = {}, seconds = 1): ConsoleReply | undefined {
    const line = JSON.stringify({ id: ++this.#id, ask, ...more }) + "\n";
    this.cable.send(Buffer.from(line));
    for (let i = 0; i < 20 * seconds; i++) {
      this.live(0.05);
      const reply = this.#replies.shift();
      if (reply !== undefined) return JSON.parse(reply) as ConsoleReply;
    }
    return undefined;
  }

  #heard(bytes: Uint8Array): void {
    this.#said += Buffer.from(bytes).toString();
    const lines = this.#said.split("\n");
    this.#said = lines.pop() ?? "";
    this.#replies.push(...lines.filter((line) => line.startsWith('{"tumbler"')));
  }

  /** Names of the calls that did something to the chip. */
  called(name: string): number {
    return this.chip.calls.filter(([called]) => called === name).length;
  }

  /** What the power leaves. */
  image(identity: FlashImage["identity"]): FlashImage {
    return {
      identity,
      credentials: this.credentials?.slice() ?? new Uint8Array(0),
      events: this.events?.slice() ?? new Uint8Array(0),
    };
  }
}

/** The chip's own record of connections, in place of the model's. */
function gapOf(gap: SdkGap) {
  return {
    gapListen: () => gap.gapListen(),
    gapAddress: () => gap.gapAddress(),
    gapTaken: () => gap.gapTaken(),
    gapHandle: (n: number) => gap.gapHandle(n),
    gapTerminate: (handle: number) => gap.gapTerminate(handle),
  };
}
