// The part of the Web Bluetooth API (https://webbluetoothcg.github.io/web-bluetooth/) that a courier uses. A browser has it, Node gets it
// from a package, and the simulator implements it for virtual locks.

/** An event with the characteristic that it is of. */
export interface ValueChanged {
  readonly target: unknown;
}

/** §6.3 BluetoothRemoteGATTCharacteristic. */
export interface WebCharacteristic {
  readonly value?: DataView;
  readValue(): Promise<DataView>;
  writeValueWithResponse(value: Uint8Array): Promise<void>;
  writeValueWithoutResponse(value: Uint8Array): Promise<void>;
  startNotifications(): Promise<unknown>;
  stopNotifications(): Promise<unknown>;
  addEventListener(type: "characteristicvaluechanged", listener: (event: ValueChanged) => void): void;
  removeEventListener(type: "characteristicvaluechanged", listener: (event: ValueChanged) => void): void;
}

/** §6.2 BluetoothRemoteGATTService. */
export interface WebService {
  getCharacteristic(uuid: string): Promise<WebCharacteristic>;
}

/** §6.1 BluetoothRemoteGATTServer. */
export interface WebServer {
  readonly connected: boolean;
  connect(): Promise<WebServer>;
  disconnect(): void;
  getPrimaryService(uuid: string): Promise<WebService>;
}

/** §5.2 BluetoothDevice. */
export interface WebDevice {
  readonly id: string;
  readonly gatt?: WebServer;
  addEventListener(type: "gattserverdisconnected", listener: () => void): void;
  removeEventListener(type: "gattserverdisconnected", listener: () => void): void;
}
