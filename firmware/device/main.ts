// What the chip starts: brings the SDK's classes and the board's C together, and starts the device on them. The only file that imports modules
// of the SDK; whatever is thrown here restarts the chip, with nothing moved.

import RTC from "embedded:RTC/PCF8563";
import Resource from "Resource";
import Analog from "embedded:io/analog";
import { GATTServer } from "embedded:io/bluetoothle/peripheral";
import Digital from "embedded:io/digital";
import PWM from "embedded:io/pwm";
import Serial from "embedded:io/serial";
import SMBus from "embedded:io/smbus";
import TCP from "embedded:io/socket/tcp";
import TLSSocket from "embedded:io/socket/tcp/tls";
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import WiFi from "embedded:network/interface/wifi";
import MQTTClient from "embedded:network/mqtt/client";
import NTP from "embedded:network/ntp/client";
import flash from "embedded:storage/flash";
import config from "mc/config";
import FFI from "mc/ffi";
import Modules from "modules";
import CertificateManager from "ssl/cert";
import Time from "time";
import Timer from "timer";
import X509 from "x509";
import type { Crypto } from "../../protocol/crypto/port";
import { type AuthorityParts, SiteAuthority } from "./certificate";
import { boardCrypto } from "./crypto";
import type { NetHosts } from "./hosts";
import { Device } from "./start";

/** The certificate authority of the site's brokers, DER, where the build has been given one (firmware/README.md). */
const AUTHORITY = "site-ca.der";

/** Loaded only when the C fails. */
const PORTABLE = "firmware/device/portable";

const native = new FFI();

function authority(): SiteAuthority | undefined {
  if (!Resource.exists(AUTHORITY)) return undefined;
  const resource = new Resource(AUTHORITY);
  const certificate = new Uint8Array(resource.slice(0, resource.byteLength));
  const parts: AuthorityParts = { X509, CertificateManager, now: () => Date.now() };
  return new SiteAuthority(parts, certificate);
}

const setDate = (seconds: number): void => Time.set(seconds);
const net: NetHosts = {
  WiFi,
  MQTTClient,
  TLSSocket,
  TCP,
  UDP,
  Resolver,
  NTP,
  authority: authority(),
  setDate,
};

const device = new Device({
  config: config.lock,
  native,
  crypto: boardCrypto(native, () => Modules.importNow(PORTABLE) as Crypto),
  timers: Timer,
  flash,
  Digital,
  PWM,
  Analog,
  Serial,
  GATTServer,
  RTC,
  SMBus,
  net,
  trace: (line) => trace(line + "\n"),
});

/** The SDK calls it when the engine can't go on, out of memory for one: the motor is off before the chip restarts. */
globalThis.abort = (): void => device.abort();
