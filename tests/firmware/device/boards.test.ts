// The boards: their manifests make sense to the firmware, and the one for the field is the one for development and more.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type BoardConfig, faultOfConfig, pinMask } from "../../../firmware/device/board-config";
import { BENCH_CONFIG } from "../../support/sdk/bench";

const BOARDS = join(__dirname, "../../../firmware/boards");
const names = readdirSync(BOARDS).filter((name) => existsSync(join(BOARDS, name, "manifest.json")));
/** Pins that stay alive in deep sleep, those of the flash, and those that can only be read. */
const RTC_PINS = [0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39];
const FLASH_PINS = [6, 7, 8, 9, 10, 11];
const INPUTS = [34, 35, 36, 37, 38, 39];

interface BoardManifest {
  readonly build: { readonly SDKCONFIGPATH: string; readonly PARTITIONS_FILE: string };
  readonly config: { readonly lock: BoardConfig };
}
const manifestOf = (name: string): BoardManifest =>
  JSON.parse(readFileSync(join(BOARDS, name, "manifest.json"), "utf8"));
const settingsOf = (name: string): string[] => {
  const path = posix.join(BOARDS, name, manifestOf(name).build.SDKCONFIGPATH, "sdkconfig.defaults");
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("CONFIG_"));
};

describe("The boards", () => {
  for (const name of names) {
    const { config, build } = manifestOf(name);
    const { lock } = config;

    it(name + " makes sense to the firmware, and knows its own name", () => {
      assert.equal(faultOfConfig(lock), undefined);
      assert.equal(lock.board, name);
      assert.equal(name, name.toLowerCase(), "the tools make a board's path lower-case");
    });

    it(name + " says where its settings and its flash map are, from its own folder on", () => {
      for (const path of [build.SDKCONFIGPATH, build.PARTITIONS_FILE]) {
        assert.ok(path.startsWith("./"), "the tools resolve nothing else");
        assert.ok(existsSync(join(BOARDS, name, path)), path);
      }
      assert.ok(existsSync(join(BOARDS, name, "host/provider.ts")));
    });

    it(name + " drives no pin that only reads, leaves the flash alone, and can be woken by its keys", () => {
      const { keypad, bolt, lights, buzzer, reader, rtc, console: serial } = lock;
      const driven = [...keypad.rows, bolt.draw, bolt.throw, lights.granted, lights.refused, buzzer.pin];
      driven.push(serial.transmit, reader?.transmit ?? 1, rtc?.data ?? 1, rtc?.clock ?? 1);
      assert.deepEqual(
        driven.filter((pin) => INPUTS.includes(pin) || FLASH_PINS.includes(pin)),
        [],
      );
      // The crystal has two.
      const { reset, handle, door, battery } = lock;
      const used = [
        ...driven,
        ...keypad.columns,
        reset.pin,
        handle?.turned,
        door?.closed,
        battery?.pin,
        bolt.drawn,
      ];
      assert.deepEqual(
        used.filter((pin) => pin === 32 || pin === 33),
        [],
      );
      const inSleep = [...keypad.rows, ...keypad.columns];
      assert.deepEqual(
        inSleep.filter((pin) => !RTC_PINS.includes(pin)),
        [],
      );
    });
  }

  it("for the field is the lock's board with everything that it sets, the same pins, and more", () => {
    const settings = settingsOf("lock-secure");
    assert.deepEqual(
      settingsOf("lock").filter((line) => !settings.includes(line)),
      [],
    );
    for (const wanted of [
      "SECURE_BOOT",
      "SECURE_FLASH_ENC_ENABLED",
      "NVS_ENCRYPTION",
      "BOOTLOADER_APP_ANTI_ROLLBACK",
    ])
      assert.ok(settings.includes(`CONFIG_${wanted}=y`), wanted);
    const { board: _, ...pins } = manifestOf("lock").config.lock;
    const { board: __, ...secure } = manifestOf("lock-secure").config.lock;
    assert.deepEqual(secure, pins);
  });

  it("sets nothing twice, and nothing in a form that the SDK drops", () => {
    for (const name of names) {
      const settings = settingsOf(name);
      const keys = settings.map((line) => line.slice(0, line.indexOf("=")));
      assert.equal(new Set(keys).size, keys.length, name);
      assert.deepEqual(
        settings.filter((line) => !/^CONFIG_[A-Z0-9_]+=[^=\s]+$/.test(line)),
        [],
      );
    }
  });

  it("is refused before a pin is touched when it makes no sense", () => {
    const wrong: [Partial<BoardConfig>, RegExp][] = [
      [{ keypad: { rows: [13, 14, 27], columns: [18, 19, 22] } }, /4 rows/],
      [{ lights: { granted: 2, refused: 2 } }, /pin 2 has two uses/],
      [{ buzzer: { pin: 40 } }, /no such pin: 40/],
      [{ reset: { pin: 36, holdMs: 0 } }, /times/],
      [{ door: { closed: BENCH_CONFIG.bolt.draw } }, /two uses/],
    ];
    assert.equal(faultOfConfig(BENCH_CONFIG), undefined);
    for (const [change, fault] of wrong)
      assert.match(String(faultOfConfig({ ...BENCH_CONFIG, ...change })), fault);
  });

  it("names pins to the chip as the bits of two words", () => {
    assert.deepEqual(pinMask([0, 25, 31]), [(1 | (1 << 25) | (1 << 31)) >>> 0, 0]);
    assert.deepEqual(pinMask([32, 39]), [0, 1 | (1 << 7)]);
  });
});
