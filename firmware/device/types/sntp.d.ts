// The SDK's NTP client, and the host's date.

declare module "embedded:network/ntp/client" {
  const NTP: import("../sntp").SdkNtp;
  export default NTP;
}

declare module "time" {
  const Time: {
    /** Sets the host's date: whole seconds since 1970, below 2³². */
    set(seconds: number): void;
    /** Milliseconds of a counter that begins anew at 2³². */
    readonly ticks: number;
    /** From one reading of the counter to a later one. */
    delta(start: number, end?: number): number;
  };
  export default Time;
}
