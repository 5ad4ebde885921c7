// The SDK's GATT server, as far as it is used. Its connections have a `close`, which is never called.

declare module "embedded:io/bluetoothle/peripheral" {
  export const GATTServer: new (
    options: import("../../ports").GattOptions,
  ) => import("../../ports").GattServer;
}
