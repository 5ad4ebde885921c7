// Settings that are sealed for their lock (rules X5, P5, A63): the name, the network and the broker. Whoever carries them learns nothing, and
// none can be given to another lock, under another number, or after another claim.

import assert from "node:assert/strict";
import { claimKeys } from "../../../protocol/crypto/derive";
import { sealWith, settingAad } from "../../../protocol/crypto/seal";
import type { Delta } from "../../../protocol/issuer/encode";
import { ascii, equal } from "../../../protocol/wire/bytes";
import { MAX_ALIAS_BYTES, MAX_SETTING_BYTES } from "../../../protocol/wire/limits";
import {
  MAX_RESET_DELAY_H,
  packBroker,
  packLeaseDays,
  packOffline,
  packResetDelay,
  packWifi,
  Setting,
} from "../../../protocol/wire/settings";
import { Dice } from "../../support/dice";
import { Door, L500I } from "../../support/door";
import { placesOf } from "../../support/door-faults";

const WIFI = { network: ascii("home"), password: ascii("correct horse") };
const BROKER = { port: 8883, tls: true, host: ascii("broker.local") };
const PLAIN: Readonly<Record<number, Uint8Array>> = {
  [Setting.alias]: ascii("Front door"),
  [Setting.wifi]: packWifi(WIFI),
  [Setting.broker]: packBroker(BROKER),
};
const SEALED = [Setting.alias, Setting.wifi, Setting.broker];

const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });

/** What the issuer of claim `claim` would send, with anything of it changed. */
function seal(
  door: Door,
  setting: number,
  plain = PLAIN[setting],
  { claim = 1, as = setting, lock = door.identity.lock, seed = 5 } = {},
): Uint8Array {
  const { sealKey } = claimKeys(door.crypto, door.identity.deviceSecret, claim);
  return sealWith(door.crypto, sealKey, new Dice(seed).bytes(24), settingAad(lock, as), plain);
}

describe("X5 P5 A63 a sealed setting", () => {
  it("is opened for the lock's own use, now and after a reboot, and kept as it was sent", () => {
    const door = new Door();
    for (const setting of SEALED)
      assert.deepEqual(door.apply(set(setting, seal(door, setting))), ["applied"], `${setting}`);
    for (const boot of [false, true]) {
      if (boot) door.reboot();
      const { alias, wifi, broker } = door.lock.secrets;
      assert.deepEqual([alias, wifi, broker], [PLAIN[Setting.alias], WIFI, BROKER]);
      for (const setting of SEALED)
        assert.deepEqual(door.lock.parts.table.setting(setting)?.slice(), seal(door, setting));
    }
  });

  it("is nowhere in the clear: not in flash, not in events", () => {
    const door = new Door();
    for (const setting of SEALED) door.apply(set(setting, seal(door, setting)));
    const { credentials, events } = door.board.image();
    for (const secret of [WIFI.network, WIFI.password, BROKER.host, PLAIN[Setting.alias]])
      assert.equal(placesOf(secret, credentials).length + placesOf(secret, events).length, 0);
  });

  it("is unchanged when the very same comes again, and applied when it was sealed anew", () => {
    const door = new Door();
    const again = set(Setting.alias, seal(door, Setting.alias));
    const anew = set(Setting.alias, seal(door, Setting.alias, PLAIN[Setting.alias], { seed: 6 }));
    assert.deepEqual(door.apply(again, again, anew), ["applied", "unchanged", "applied"]);
  });

  for (const setting of SEALED)
    it(`${setting} is badly formed under another number, lock or claim, and with any bit changed`, () => {
      const door = new Door();
      const other = setting === Setting.alias ? Setting.wifi : Setting.alias;
      const whole = seal(door, setting);
      const values = [
        seal(door, setting, PLAIN[setting], { as: other }),
        seal(door, setting, PLAIN[setting], { lock: new Uint8Array(8) }),
        seal(door, setting, PLAIN[setting], { claim: 2 }),
        whole.subarray(0, whole.length - 1),
        whole.subarray(0, 41),
        whole.subarray(0, 40),
        Uint8Array.of(...whole, 0),
      ];
      for (const at of [0, 23, 24, whole.length - 1]) {
        const changed = whole.slice();
        changed[at] ^= 1;
        values.push(changed);
      }
      for (const value of values) assert.deepEqual(door.apply(set(setting, value)), ["bad-format"]);
      assert.equal(door.lock.parts.table.setting(setting), undefined);
    });

  it("means something, or is badly formed: each limit, and one past it", () => {
    const door = new Door();
    const long = (length: number): Uint8Array => new Uint8Array(length).fill(0x61);
    const network = (name: number, password: number): Uint8Array =>
      packWifi({ network: long(name), password: long(password) });
    const broker = (host: number, port = 1): Uint8Array => packBroker({ port, tls: false, host: long(host) });
    const cases: [number, Uint8Array, boolean][] = [
      [Setting.alias, long(1), true],
      [Setting.alias, long(MAX_ALIAS_BYTES), true],
      [Setting.alias, long(MAX_ALIAS_BYTES + 1), false],
      [Setting.alias, Uint8Array.of(0xc3), false],
      [Setting.wifi, network(1, 0), true],
      [Setting.wifi, network(0, 8), false],
      [Setting.wifi, network(32, 63), true],
      [Setting.wifi, network(33, 63), false],
      [Setting.wifi, network(4, 7), false],
      [Setting.wifi, network(4, 8), true],
      [Setting.wifi, network(4, 64), false],
      [Setting.broker, broker(1), true],
      [Setting.broker, broker(0), false],
      [Setting.broker, broker(64, 0xffff), true],
      [Setting.broker, broker(65), false],
      [Setting.broker, broker(4, 0), false],
      [Setting.broker, Uint8Array.of(0, 1, 2, 0x61), false],
      [Setting.broker, Uint8Array.of(0, 1, 0, 0x20), false],
    ];
    for (const [setting, plain, isGood] of cases)
      assert.deepEqual(
        door.apply(set(setting, seal(door, setting, plain))),
        [isGood ? "applied" : "bad-format"],
        `${setting}: ${plain}`,
      );
    assert.ok(seal(door, Setting.wifi, network(32, 63)).length <= MAX_SETTING_BYTES);
  });

  it("of a network is unsupported at a lock that has none, which still has a name", () => {
    const door = new Door({ profile: L500I });
    const deltas = SEALED.map((setting) => set(setting, seal(door, setting)));
    assert.deepEqual(door.apply(...deltas), ["applied", "unsupported", "unsupported"]);
    assert.deepEqual(door.lock.secrets.alias, PLAIN[Setting.alias]);
    assert.equal(door.lock.secrets.wifi, undefined);
  });

  it("says nothing any more under the next claim", () => {
    const door = new Door();
    door.apply(set(Setting.alias, seal(door, Setting.alias)));
    const { secrets } = door.lock;
    const value = seal(door, Setting.alias);
    assert.ok(equal(secrets.open(Setting.alias, value) ?? new Uint8Array(0), PLAIN[Setting.alias]));
    assert.equal(secrets.open(Setting.alias, seal(door, Setting.alias, undefined, { claim: 2 })), undefined);
  });
});

describe("S12 C23 X11 the other settings of this version", () => {
  it("have their ranges", () => {
    const door = new Door();
    const cases: [number, Uint8Array, string][] = [
      [Setting.leaseDays, packLeaseDays(3650), "applied"],
      [Setting.leaseDays, packLeaseDays(3651), "range"],
      [Setting.leaseDays, Uint8Array.of(1), "bad-format"],
      [Setting.offlineCodes, packOffline({ kinds: 15, indexes: 8 }), "applied"],
      [Setting.offlineCodes, packOffline({ kinds: 16, indexes: 8 }), "range"],
      [Setting.offlineCodes, packOffline({ kinds: 1, indexes: 9 }), "range"],
      [Setting.offlineCodes, packOffline({ kinds: 1, indexes: 0 }), "range"],
      [Setting.resetDelay, packResetDelay(MAX_RESET_DELAY_H), "applied"],
      [Setting.resetDelay, packResetDelay(MAX_RESET_DELAY_H + 1), "range"],
    ];
    for (const [setting, value, result] of cases)
      assert.deepEqual(door.apply(set(setting, value)), [result], `${setting}: ${value}`);
  });
});
