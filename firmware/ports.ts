// What a lock needs from its board: the only way in or out of firmware/core. Shapes follow ECMA-419 where it has one: a flash
// partition is `embedded:storage/flash`. The ESP32 board, the virtual board and the tests implement these; hosts are injected.

import type { Crypto } from "../protocol/crypto/port";

/** A flash partition, as ECMA-419's storage/flash gives it. Offsets and lengths are in bytes. */
export interface Flash {
  /** Reads into `buffer` (all of it) from `offset`; throws when out of range. */
  read(buffer: Uint8Array, offset: number): void;
  /** Programs `buffer` at `offset`: both are multiples of 16. Bits only go from 1 to 0; throws when the device reports an error. */
  write(buffer: Uint8Array, offset: number): void;
  /** Erases blocks `start` to `end` (end excluded), numbers of blocks. */
  eraseBlock(start: number, end: number): void;
  /** Size and block length in bytes, and how many blocks there are. */
  status(): FlashStatus;
}

/** What {@link Flash.status} tells. */
export interface FlashStatus {
  readonly size: number;
  readonly blockLength: number;
  readonly blocks: number;
}

/** What provisioning put into a lock, and nothing ever changes: the board keeps it where the chip encrypts (rule X10). */
export interface Identity {
  /** 8 bytes. */
  readonly lock: Uint8Array;
  /** The number of a profile in core/profile.ts. */
  readonly profile: number;
  /** The lock's Ed25519 seed, 32 bytes. */
  readonly seed: Uint8Array;
  /** 32 bytes that every derived key comes from. */
  readonly deviceSecret: Uint8Array;
  /** The maker's root public key, 32 bytes: signs claim tickets and nothing else. */
  readonly makerRoot: Uint8Array;
}

/** The monotonic clock of this power cycle, and what the board promises of it. */
export interface Clock {
  /** Seconds since boot; never goes back. */
  uptime(): number;
  /** How far the clock may drift, in parts per million. */
  readonly driftPpm: number;
  /** A clock that goes on while the lock has no power, if the board has one (rule T11). */
  readonly held?: HeldClock;
}

/** A clock with a supply of its own: an external RTC, or a crystal on a backup cell. */
export interface HeldClock {
  /** UTC seconds, counted on since {@link set}; 0 when it was never set or its supply failed. */
  read(): number;
  /** Sets it to UTC seconds. */
  set(time: number): void;
  /** How far it may drift, in parts per million. */
  readonly driftPpm: number;
}

/** The motor bolt. */
export interface Bolt {
  /** Draws the bolt: the door can be opened from outside. */
  draw(): void;
  /** Throws the bolt: the door is locked from outside. The inside handle works in any case. */
  throw(): void;
}

/**
 * What a person at the door sees and hears; the same for every refusal. It is shown when the board's uptime reaches `at`, seconds since
 * boot, and not before, so that nobody learns from its delay what was decided (rules C6, X4).
 */
export interface Feedback {
  granted(at: number): void;
  refused(at: number): void;
  /** Shows which lock this is, on boards that can: to whoever asks, without any right. */
  identify?(at: number): void;
}

/** The sensor that sees whether the door is closed. */
export interface DoorSensor {
  isClosed(): boolean;
}

/** Everything a lock is built on. */
export interface Board {
  readonly identity: Identity;
  readonly credentials: Flash;
  readonly events: Flash;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly bolt: Bolt;
  readonly feedback: Feedback;
  /** On boards that have one: the bolt is never thrown while the door stands open (rule M8). */
  readonly door?: DoorSensor;
  /** Fills `buffer` with random bytes. */
  random(buffer: Uint8Array): void;
}

/**
 * A client of an MQTT 3.1.1 broker, as `embedded:network/mqtt/client` is, as far as a lock uses it. Callbacks never run inside a call
 * of {@link MqttClient.write}; after an error the client is closed, and nothing more comes of it.
 */
export interface MqttClient {
  /**
   * Writes a control packet, or the next piece of a message that was begun with a larger `byteLength` than `data` had (then without
   * options). Gives the bytes that may be written now; throws when there is no room, or no connection.
   */
  write(data: Uint8Array | null, options?: MqttPublish | MqttSubscribe): number;
  /** Fills `buffer` with the next bytes of the message that is coming in. */
  read(buffer: Uint8Array): number | undefined;
  /** Ends the connection without a word, so that the broker publishes the last will. Not to be called inside a callback. */
  close(): void;
}

/** What begins a message. */
export interface MqttPublish {
  readonly topic: string;
  readonly QoS: number;
  readonly retain: boolean;
  /** Packet identifier, 1 to 65535. */
  readonly id: number;
  /** Length of the whole payload. */
  readonly byteLength: number;
}

/** A SUBSCRIBE packet. */
export interface MqttSubscribe {
  /** The type of the control packet. */
  readonly operation: number;
  readonly id: number;
  readonly items: readonly { readonly topic: string; readonly QoS: number }[];
}

/** What a client tells of a piece that can be read. */
export interface MqttPiece {
  /** With the first piece of a message. */
  readonly topic?: string;
  /** With the first piece: the length of the whole payload. */
  readonly byteLength?: number;
  /** Whether more of the same message follows. */
  readonly more?: boolean;
}

/** A control packet that came: an acknowledgement. */
export interface MqttControl {
  /** The type of the control packet (MQTT 3.1.1, 2.2.1). */
  readonly operation: number;
  /** Of a CONNACK. */
  readonly returnCode?: number;
  /** Return codes of a SUBACK. */
  readonly payload?: readonly number[];
}

/** How a client is made. */
export interface MqttOptions {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly user: string;
  readonly password: string;
  /** Milliseconds. */
  readonly keepAlive: number;
  readonly clean: boolean;
  readonly will: {
    readonly topic: string;
    readonly message: string;
    readonly QoS: number;
    readonly retain: boolean;
  };
  onReadable(count: number, piece?: MqttPiece): void;
  onWritable(count: number): void;
  onControl(control: MqttControl): void;
  onError(): void;
}

/** A way to make clients, with whatever else the host's constructor wants: `{...service, host, port}` is its one argument. */
export interface MqttService {
  readonly io: new (options: MqttOptions) => MqttClient;
}

/** A board's network. */
export interface Network {
  readonly mqtt: MqttService;
  /**
   * Over TLS, the broker shown to be the site's by the site's certificate authority. A certificate is good from and to a time, and the
   * board asks SNTP for that one; the lock's clock never sees it (rule T14).
   */
  readonly mqtts: MqttService;
}

/**
 * A GATT server, as `embedded:io/bluetoothle/peripheral` gives it, as far as a lock uses it. There is one a boot. Whatever a callback
 * throws restarts the chip.
 */
export interface GattServer {
  /** Advertises from now on, or with other records from now on. It goes on after a connection, as long as another one can be. */
  startAdvertising(scan: AdvertRecords, response?: AdvertRecords): void;
}

/** Advertising data: known records by name, others by the number of their AD type. */
export interface AdvertRecords {
  readonly flags?: number;
  readonly services?: readonly string[];
  readonly [type: number]: Uint8Array;
}

/** One central's connection. */
export interface GattConnection {
  /** The longest value that can be notified now: MTU − 3, of an exchange that may come after `onConnect`. */
  readonly maximumWrite: number;
  /** Queues a notification, without a bound; throws where nobody has subscribed, and where any other central has just unsubscribed. */
  notify(characteristic: GattCharacteristic, value: Uint8Array): void;
  /** Ends the connection. No `onDisconnect` follows, and nothing is to be called any more. */
  close(): void;
}

/** What `this` is in the callbacks of a characteristic: a notification needs it. */
export type GattCharacteristic = object;

/** A characteristic as a server is made with it. */
export interface GattCharacteristicOptions {
  readonly uuid: string;
  /** Bits: 2 read · 4 write without response · 8 write · 16 notify. */
  readonly properties: number;
  onRead?(this: GattCharacteristic, connection: GattConnection): Uint8Array;
  /** Both kinds of write. The central waits for as long as this runs. */
  onWrite?(this: GattCharacteristic, value: ArrayBuffer, connection: GattConnection): void;
  onSubscribe?(this: GattCharacteristic, connection: GattConnection): void;
  onUnsubscribe?(this: GattCharacteristic, connection: GattConnection): void;
}

/** How a server is made. */
export interface GattOptions {
  /** The largest MTU that it agrees to. */
  readonly mtu: number;
  readonly services: readonly {
    readonly uuid: string;
    readonly characteristics: readonly GattCharacteristicOptions[];
  }[];
  onReady(): void;
  onConnect(connection: GattConnection): void;
  onDisconnect(connection: GattConnection): void;
}

/** A board's Bluetooth. */
export interface Radio {
  readonly gatt: { readonly io: new (options: GattOptions) => GattServer };
}
