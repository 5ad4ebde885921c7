// Everything of the host that the device is built on: classes of the SDK, the board's C, and what the build says of the board. main.ts
// brings the real ones; a test brings doubles.

import type { Crypto } from "../../protocol/crypto/port";
import type { GattOptions, GattServer } from "../ports";
import type { BoardConfig } from "./board-config";
import type { FlashModule } from "./flash";
import type { AnalogConstructor, DigitalConstructor, PwmConstructor, SerialConstructor, Timers } from "./io";
import type { Native } from "./native";
import type { SdkMqtt, SdkTls } from "./network";
import type { RtcConstructor } from "./rtc";
import type { SdkNtp } from "./sntp";
import type { ResolverConstructor, TcpConstructor, UdpConstructor } from "./sockets";
import type { Authority } from "./tls-watch";
import type { WifiConstructor } from "./wifi";

/** What every board has. */
export interface Hosts {
  readonly config: BoardConfig;
  readonly native: Native;
  readonly crypto: Crypto;
  readonly timers: Timers;
  readonly flash: FlashModule;
  readonly Digital: DigitalConstructor;
  readonly PWM: PwmConstructor;
  readonly Analog: AnalogConstructor;
  readonly Serial: SerialConstructor;
  readonly GATTServer: new (options: GattOptions) => GattServer;
  /** The driver of the clock with a supply of its own, and the class of its bus. */
  readonly RTC: RtcConstructor;
  readonly SMBus: unknown;
  /** The network's; a model without one does not use it. */
  readonly net: NetHosts;
  /** Writes a line for whoever develops, and nothing in a release. */
  trace(line: string): void;
}

/** What looks for networks. */
export interface WifiScanner {
  scan(options: { onFound(): void; onComplete(): void }): void;
  close(): void;
}

/** The SDK's network. */
export interface NetHosts {
  readonly WiFi: WifiConstructor & (new (options: { onChanged(property: string): void }) => WifiScanner);
  readonly MQTTClient: SdkMqtt;
  readonly TLSSocket: SdkTls;
  readonly TCP: TcpConstructor;
  readonly UDP: UdpConstructor;
  readonly Resolver: ResolverConstructor;
  readonly NTP: SdkNtp;
  /** The certificate authority of the site's brokers; undefined where the build has none, and TLS is refused. */
  readonly authority: Authority | undefined;
  /** Sets the host's date, which TLS reads, in seconds since 1970. */
  setDate(seconds: number): void;
}
