// The SDK's Wi-Fi, whose driver does what a test says. As there: it throws while it connects already, and where the driver cannot; it says
// "connected" only with an address; after `disconnect` the driver's own word of it comes late, and may hit the next try; whoever throws in
// `onChanged` restarts the chip, which here ends the test.

import type { VirtualTimers } from "./timers";

const MAX_SSID_BYTES = 32;
const MAX_PASSWORD_BYTES = 64;

/** What the driver and the world around it do. */
export class WifiDriver {
  /** Networks that are there, with their passwords. */
  readonly networks = new Map<string, string>();
  /** Whether DHCP answers. */
  hasAddresses = true;
  /** Thrown by `connect`. */
  refusal: Error | undefined;
  /** All that was tried, as "network password". */
  readonly tries: string[] = [];
  /** How many objects were made, and closed. */
  made = 0;
  closed = 0;
  readonly WiFi: ReturnType<typeof wifiOf>;
  #interface: SdkWifi | undefined;

  constructor(timers: VirtualTimers) {
    this.WiFi = wifiOf(this, timers, (one) => {
      this.#interface = one;
    });
  }

  /** The access point is gone. */
  drop(): void {
    this.#interface?.event("disconnected");
  }
}

class SdkWifi {
  readonly #driver: WifiDriver;
  readonly #timers: VirtualTimers;
  readonly #onChanged: (property: string) => void;
  #isConnecting = false;
  #isConnected = false;
  #hasAddress = false;
  #isClosed = false;

  constructor(driver: WifiDriver, timers: VirtualTimers, options: { onChanged(property: string): void }) {
    this.#driver = driver;
    this.#timers = timers;
    this.#onChanged = options.onChanged;
    driver.made++;
  }

  connect(options: { readonly SSID?: string; readonly password?: string }): void {
    this.#check();
    if (this.#isConnecting) throw new Error("already connecting");
    const { SSID, password = "" } = options;
    if (SSID === undefined) throw new Error("SSID required");
    if (Buffer.byteLength(SSID) > MAX_SSID_BYTES || Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
      throw new RangeError("cannot buffer string");
    this.#driver.tries.push(`${SSID} ${password}`);
    if (this.#driver.refusal !== undefined) throw this.#driver.refusal;
    this.#isConnecting = true;
    const isThere = this.#driver.networks.get(SSID) === password;
    this.#timers.set(() => this.event(isThere ? "connected" : "disconnected"), 500);
  }

  disconnect(): void {
    this.#check();
    const wasOn = this.#isConnected || this.#isConnecting;
    this.#isConnecting = false;
    this.#isConnected = false;
    this.#hasAddress = false;
    if (wasOn) this.#timers.set(() => this.event("disconnected"), 100);
  }

  close(): void {
    this.#check();
    this.#isClosed = true;
    this.#driver.closed++;
  }

  get connection(): number {
    this.#check();
    if (this.#isConnected) return this.#hasAddress ? 500 : 400;
    return this.#isConnecting ? 300 : 200;
  }

  get address(): string | undefined {
    this.#check();
    return this.#hasAddress ? "192.0.2.7" : undefined;
  }

  get RSSI(): number | undefined {
    this.#check();
    return this.#isConnected ? -61 : undefined;
  }

  #check(): void {
    if (this.#isClosed) throw new Error("invalid host data");
  }

  /** What the driver says. */
  event(what: "connected" | "disconnected" | "address"): void {
    if (this.#isClosed) return;
    const before = this.connection;
    this.#isConnecting = false;
    this.#isConnected = what !== "disconnected";
    this.#hasAddress = what === "address";
    if (what === "connected" && this.#driver.hasAddresses)
      this.#timers.set(() => this.event("address"), 1000);
    if (this.connection !== before) this.#onChanged("connection");
    if (what === "address") this.#onChanged("address");
  }
}

function wifiOf(driver: WifiDriver, timers: VirtualTimers, tell: (one: SdkWifi) => void) {
  return class extends SdkWifi {
    constructor(options: { onChanged(property: string): void }) {
      super(driver, timers, options);
      tell(this);
    }
  };
}
