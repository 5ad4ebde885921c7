// A courier's link over a Bluetooth stack that does what stacks do, where the simulated one cannot.

import assert from "node:assert/strict";
import { openBle } from "../../../protocol/courier/ble";
import type { WebCharacteristic, WebDevice, WebServer } from "../../../protocol/courier/web-bluetooth";

/** A device whose connection is lost at a step of opening it, without any operation that fails. */
function losing(at: "connect" | "services" | "notifications"): WebDevice {
  const listeners = new Set<() => void>();
  const reach = (step: string): void => {
    if (step === at) for (const listener of [...listeners]) listener();
  };
  const characteristic: WebCharacteristic = {
    readValue: async () => new DataView(new ArrayBuffer(0)),
    writeValueWithResponse: async () => {},
    writeValueWithoutResponse: async () => {},
    startNotifications: async () => reach("notifications"),
    stopNotifications: async () => reach("notifications"),
    addEventListener: () => {},
    removeEventListener: () => {},
  };
  const gatt: WebServer = {
    connected: true,
    connect: async () => {
      reach("connect");
      return gatt;
    },
    disconnect: () => {},
    getPrimaryService: async () => {
      reach("services");
      return { getCharacteristic: async () => characteristic };
    },
  };
  return {
    id: "lock",
    gatt,
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
  };
}

describe("S5 a link over Bluetooth", () => {
  for (const step of ["connect", "services", "notifications"] as const)
    it(`does not wait for ever where the connection goes at the step ${step}, and nobody says no`, async () => {
      // No time passes: what ends the waiting is not the limit for an answer.
      assert.equal(await openBle(losing(step), { after: () => () => {} }), undefined);
    });
});
