// The lock's functions in C (native/*.c), which the manifest binds to one class of the SDK's FFI. Whoever calls passes ArrayBuffers, never
// views of them, with offsets and lengths in bytes that lie within: the bridge checks the size of a buffer where it is written here as
// "exactly so many", and nothing else. A buffer that is written to must not be read-only flash. All arguments are required.
//
// A number below zero is the negative of an error of ESP-IDF (esp_err_t: -0x102 is a bad argument, -0x1102 "not found" in NVS) or, for the
// radio, of NimBLE (-7 is "no such connection"). Nothing here throws or ends the program but restart, deepSleep and otaReject.

/** What {@link Native.wakeCause} gives. */
export const WAKE = { none: 0, timer: 1, pin: 2, other: 3 } as const;

/** What {@link Native.otaState} gives. An image that is pending and is not accepted before the next boot is rolled back. */
export const OTA_STATE = { new: 0, pending: 1, valid: 2, invalid: 3, aborted: 4, unknown: 5 } as const;

/** What {@link Native.resetReason} gives, as far as anybody asks. */
export const RESET = {
  unknown: 0,
  powerOn: 1,
  software: 3,
  panic: 4,
  interruptWatchdog: 5,
  taskWatchdog: 6,
  otherWatchdog: 7,
  deepSleep: 8,
  brownout: 9,
} as const;

/** The size of what {@link Native.identityRead} fills. */
export const IDENTITY_BUFFER_BYTES = 128;

/** Where {@link Native.chipFacts} puts what, in its 32 bytes; the rest is zero. Numbers of 32 bits have their low byte first. */
export const CHIP_FACTS = {
  bytes: 32,
  mac: 0,
  macBytes: 6,
  flags: 6,
  fusedVersion: 8,
  runningVersion: 12,
} as const;

/** Bits of the flags in {@link CHIP_FACTS}. */
export const CHIP_FLAG = {
  flashEncrypted: 1,
  flashEncryptedForGood: 2,
  secureBoot: 4,
  nvsEncrypted: 8,
} as const;

/** Cryptography over libsodium: crypto.c. It keeps nothing of what it is given. */
export interface NativeCrypto {
  /** Starts the library, once, before anything else here: 0, -1 where it does not start, -2 where it was built with other settings. */
  cryptoStart(): number;
  /** Writes the SHA-256 to `out`, exactly 32 bytes. */
  sha256(out: ArrayBuffer, data: ArrayBuffer, at: number, length: number): void;
  /** Writes the HMAC-SHA256 under a key of any length to `out`, exactly 32 bytes. */
  hmacSha256(
    out: ArrayBuffer,
    key: ArrayBuffer,
    keyAt: number,
    keyLength: number,
    data: ArrayBuffer,
    at: number,
    length: number,
  ): void;
  /** Writes the Ed25519 public key of a seed of 32 bytes to `out`, exactly 32 bytes. */
  ed25519PublicKey(out: ArrayBuffer, seed: ArrayBuffer, seedAt: number): void;
  /** Writes the signature to `out`, exactly 64 bytes. */
  ed25519Sign(
    out: ArrayBuffer,
    message: ArrayBuffer,
    at: number,
    length: number,
    seed: ArrayBuffer,
    seedAt: number,
  ): void;
  /** 1 where the 64 bytes are a signature under the 32 bytes of the key, by the equation without the cofactor; otherwise 0. */
  ed25519Check(
    signature: ArrayBuffer,
    signatureAt: number,
    message: ArrayBuffer,
    at: number,
    length: number,
    key: ArrayBuffer,
    keyAt: number,
  ): number;
  /** Writes `length` + 16 sealed bytes (XChaCha20-Poly1305; a key of 32 bytes, a nonce of 24) to `out`. */
  seal(
    out: ArrayBuffer,
    key: ArrayBuffer,
    keyAt: number,
    nonce: ArrayBuffer,
    nonceAt: number,
    aad: ArrayBuffer,
    aadAt: number,
    aadLength: number,
    plain: ArrayBuffer,
    at: number,
    length: number,
  ): void;
  /** Writes `length` - 16 opened bytes to `out` and gives 1; gives 0 where anything is another, and then `out` holds nothing. */
  unseal(
    out: ArrayBuffer,
    key: ArrayBuffer,
    keyAt: number,
    nonce: ArrayBuffer,
    nonceAt: number,
    aad: ArrayBuffer,
    aadAt: number,
    aadLength: number,
    sealed: ArrayBuffer,
    at: number,
    length: number,
  ): number;
}

/** Random bytes: random.c. */
export interface NativeRandom {
  /**
   * Fills the pool with the chip's noise, once, before any radio or analog input is on; 0, or -1 where libsodium does not start. Without
   * it, what is drawn while no radio is on may be guessed.
   */
  randomStart(): number;
  /** Fills `length` bytes at `at`. */
  fillRandom(buffer: ArrayBuffer, at: number, length: number): void;
}

/** The chip: chip.c. */
export interface NativeChip {
  /** Milliseconds since boot, with their fraction; light sleep counts, deep sleep is another boot. */
  uptimeMs(): number;
  /** Restarts the chip, and does not come back. */
  restart(): void;
  /** Why the chip started, one of {@link RESET} or another number of ESP-IDF's. */
  resetReason(): number;
  /** Free bytes of the chip's heap, beside the engine's. */
  freeHeap(): number;
  /** Fills exactly 32 bytes as {@link CHIP_FACTS} says: 0, or an error. */
  chipFacts(out: ArrayBuffer): number;
}

/** Where the identity is kept: identity.c. */
export interface NativeIdentity {
  /** Reads the record into exactly 128 bytes: its length, or an error (-0x1102: there is none; -0x10f: the chip has no such partition). */
  identityRead(out: ArrayBuffer): number;
}

/** Sleep and watchdog: power.c. */
export interface NativePower {
  /** What ended a deep sleep, one of {@link WAKE}; `none` after any other start. */
  wakeCause(): number;
  /**
   * Lets the chip sleep lightly whenever nothing is to be done (1), or not (0): 0, or an error, and then it does not. Timers wake it when
   * they are due, and so does whichever of these pins comes down: bits, 0 to 31 in the low word and 32 to 63 in the high one. They must be
   * open with a falling edge, which is told as ever, and be the same each time.
   */
  lightSleep(on: number, pinsLow: number, pinsHigh: number): number;
  /**
   * Sleeps deeply for `seconds` (0: for ever), or until a key is pressed; the chip then boots. Pins are bits, 0 to 31 in the low word and
   * 32 to 63 in the high one, and must all be pins that stay alive in sleep: rows are held high, columns are pulled down and watched. It
   * comes back only with an error, and the pins must then be opened anew.
   */
  deepSleep(
    seconds: number,
    columnsLow: number,
    columnsHigh: number,
    rowsLow: number,
    rowsHigh: number,
  ): number;
  /** Takes pins back from a deep sleep, after every boot and before they are opened; pins that did not sleep don't mind. 0, or an error. */
  pinsAwake(low: number, high: number): number;
  /** Starts the watchdog: unless it is fed every so many seconds, the chip restarts. Once a boot; 0, or an error. */
  watchdogStart(seconds: number): number;
  /** Feeds it: the lock's turn does, and nothing else may. 0, or an error. */
  watchdogFeed(): number;
}

/** Images: update.c. */
export interface NativeUpdate {
  /** The state of the running image, one of {@link OTA_STATE}, or an error (-0x105: it was flashed by cable, and nothing is known). */
  otaState(): number;
  /** The running image is good, and stays: 0, or an error. */
  otaAccept(): number;
  /** The running image is bad: boots the other one. It comes back only with an error, where there is no other. */
  otaReject(): number;
  /** The security version of the running image (rule X14). */
  runningVersion(): number;
  /** The security version of the image in the other slot, or an error where there is none. */
  nextVersion(): number;
}

/** Connections: radio.c. */
export interface NativeRadio {
  /**
   * Stands between NimBLE and the SDK's GATT server from now on, and has the server advertise under random addresses. Called in every
   * `onReady` of the server, before anything is advertised: 1 where the server will be ready once more, with such an address, and only
   * then is ready indeed; 0 where it is; or an error, and then it goes on under the chip's own address.
   */
  gapListen(): number;
  /** Stops advertising and takes a new random address, under which advertising is to begin again: 0, or an error. */
  gapAddress(): number;
  /**
   * JavaScript has dealt with what the server told it last: called once in every `onConnect`, and once after every `onDisconnect` has
   * returned (from a timer of 0 ms), whatever they threw. NimBLE's task waits for it for at most 10 s; a connection that was not taken by
   * then is ended.
   */
  gapTaken(): void;
  /** The handle of the nth connection since boot, from 0 on, in the order of `onConnect`; -1 when it is over, or never was. */
  gapHandle(n: number): number;
  /** Ends a connection: 0 where that has begun, or an error. `onDisconnect` follows. */
  gapTerminate(handle: number): number;
}

/** All functions in C, as `new FFI()` of the SDK's `mc/ffi` has them. */
export interface Native
  extends NativeCrypto,
    NativeRandom,
    NativeChip,
    NativeIdentity,
    NativePower,
    NativeUpdate,
    NativeRadio {}
