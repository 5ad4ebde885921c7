// Virtual locks as Bluetooth devices for a real client of BlueZ: dbus-daemon, `tumbler sim --bluez` and the courier are programs of
// their own, and only the radio is not there.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Gatt, readInfo } from "../../protocol/wire/advert";
import { toHex } from "../../protocol/wire/bytes";
import { openLock, readImage } from "../../tools/image";
import { openBluetooth } from "../../tools/links/bluetooth";
import { BluezBus } from "../../tools/links/bluez-bus";
import type { Found } from "../../tools/links/radio";
import { startDbus } from "../../tools/sim/dbus-daemon";
import { PINS } from "../protocol/issuer/rig";
import { programAt } from "../support/mosquitto";
import { ownFolder, run } from "./support";

const PROGRAM = join(__dirname, "../../tools/bin/tumbler.js");
const VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS";
const CHARACTERISTIC = "org.bluez.GattCharacteristic1";
const DESCRIPTOR = "org.bluez.GattDescriptor1";
const PEOPLE = 160;
const DOORS = ["front", "back"];

/** The sheets of a building with two doors, and so many people with keys to both. */
const SHEETS = {
  "doors.csv": `door,profile,link,zone,keys\n${DOORS.map((door) => `${door},lock-1000,courier,Europe/Berlin,all\n`).join("")}`,
  "people.csv": `person,name,role,keys,pin,card\n${PINS.slice(0, PEOPLE)
    .map((pin, i) => `p${i},P${i},resident,all,${pin},\n`)
    .join("")}`,
};

/** What these tests lack on this machine, "" when it has everything. */
function missing(): string {
  if (programAt("dbus-daemon") === undefined) return "dbus-daemon (Debian: apt-get install dbus-daemon)";
  try {
    require.resolve("@jellybrick/dbus-next");
    return "";
  } catch {
    return "package @jellybrick/dbus-next (an optional dependency: npm install)";
  }
}

/** A program that says a first line, and what it said until it ended. */
class Program {
  readonly child: ChildProcess;
  out = "";
  err = "";
  readonly #ended: Promise<unknown[]>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (text) => {
      this.out += text;
    });
    this.child.stderr?.on("data", (text) => {
      this.err += text;
    });
    this.#ended = once(this.child, "close");
  }

  /** The first match in what it says. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) return match[0];
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.err}`);
      await Promise.race([once(this.child.stdout!, "data"), this.#ended]);
    }
  }

  /** Its exit code, once it ended. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.child.kill(signal);
    await this.#ended;
    return this.child.exitCode;
  }
}

const tumbler = (...args: string[]) => new Program([PROGRAM, ...args]);

describe("tumbler sim --bluez", () => {
  const at = ownFolder();
  const image = (door: string) => at(`${door}.img`);
  let locks: Program | undefined;
  let address = "";

  async function good(...args: string[]): Promise<string> {
    const { code, out, err } = await run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${err}${out}`);
    return out;
  }

  before(async function () {
    const lack = missing();
    if (lack !== "") {
      console.log(`    not tested, since this machine has no ${lack}`);
      this.skip();
    }
    const store = ["--store", at("issuer")];
    const { owner } = JSON.parse(await good("issuer", "begin", "--site", "north", ...store, "--json"));
    for (const [name, text] of Object.entries(SHEETS)) writeFileSync(at(name), text);
    await good("issuer", "import", "--doors", at("doors.csv"), "--people", at("people.csv"), ...store);
    const of = ["--site", "north", "--owner", owner, "--maker-key", at("maker.key")];
    for (const door of [...DOORS, "fresh"])
      await good("provision", "--out", image(door), "--record", at(`${door}.json`), ...of);
    for (const door of DOORS) await good("issuer", "bind", door, at(`${door}.json`), ...store);
    locks = tumbler("sim", ...DOORS.map(image), image("fresh"), "--bluez");
    address = (await locks.says(new RegExp(`${VARIABLE}=unix:path=.*$`, "m"))).slice(VARIABLE.length + 1);
    process.env[VARIABLE] = address;
  });

  after(async () => {
    delete process.env[VARIABLE];
    if (locks?.child.exitCode === null) await locks.end("SIGTERM");
  });

  /** All that a scan of a second finds, by device. */
  async function scan(): Promise<Map<string, Found>> {
    const radio = await openBluetooth();
    const found = new Map<string, Found>();
    await radio.scan(1, (one) => void found.set(one.device.id, one));
    await radio.close();
    return found;
  }

  it("S10 shows every lock with its service data, and one without an owner by its id", async () => {
    const found = [...(await scan()).values()];
    for (const { rssi } of found) assert.ok(rssi !== undefined && rssi < 0);
    const shown = found.map(({ serviceData }) => toHex(serviceData!).slice(0, 12)).sort();
    const ids = [...DOORS, "fresh"].map((door) => toHex(readImage(image(door)).identity.lock).slice(0, 12));
    assert.deepEqual(shown, ids.sort());
  });

  it("does as BlueZ does where clients depend on it", async () => {
    const radio = await openBluetooth();
    let first: Found | undefined;
    await radio.scan(0.5, (one) => {
      first ??= one;
    });
    const server = await first!.device.gatt!.connect();
    const service = await server.getPrimaryService(Gatt.service);
    const [inbox, info] = [
      await service.getCharacteristic(Gatt.inbox),
      await service.getCharacteristic(Gatt.info),
    ];
    const bus = await BluezBus.open();
    const signalled: string[] = [];
    bus.onChange((_path, _name, { Value }) => {
      if (Value !== undefined) signalled.push(toHex(Value as Buffer));
    });
    const value = new Uint8Array((await info.readValue()).buffer);
    const { largest = 0 } = readInfo(value) ?? {};
    assert.equal(largest, 512);
    await assert.rejects(
      inbox.writeValueWithResponse(new Uint8Array(largest + 1)),
      (error: { type?: string }) => {
        assert.equal(error.type, "org.bluez.Error.InvalidValueLength");
        return true;
      },
    );
    await assert.rejects(inbox.readValue(), (error: { type?: string }) => {
      assert.equal(error.type, "org.bluez.Error.NotSupported");
      return true;
    });
    assert.deepEqual(signalled, [toHex(value)], "what is read is signalled as well");
    for (const path of bus.paths(CHARACTERISTIC).filter((one) => isNotifying(bus, one)))
      assert.match(String(bus.values(bus.paths(DESCRIPTOR, `${path}/`)[0], DESCRIPTOR)?.UUID), /^00002902-/);
    let isLost = false;
    first!.device.addEventListener("gattserverdisconnected", () => {
      isLost = true;
    });
    await inbox.writeValueWithoutResponse(Uint8Array.of(0));
    for (let i = 0; i < 40 && !isLost; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(isLost, "a lock hangs up on what is no handshake");
    assert.equal(server.connected, false);
    bus.close();
    await radio.close();
  });

  it("lets a courier say that Bluetooth is off, or not there at all", async () => {
    const bus = await BluezBus.open();
    const power = (isOn: boolean) =>
      bus.call("/org/bluez/hci0", "org.freedesktop.DBus.Properties", "Set", "ssv", [
        "org.bluez.Adapter1",
        "Powered",
        bus.variant("b", isOn),
      ]);
    await power(false);
    await assert.rejects(openBluetooth(), /Bluetooth is off/);
    await power(true);
    bus.close();
    const bare = await startDbus();
    process.env[VARIABLE] = bare.address;
    try {
      await assert.rejects(openBluetooth(), /no Bluetooth: .*org\.bluez/);
    } finally {
      process.env[VARIABLE] = address;
      await bare.close();
    }
  });

  it("S5 carries everything to a lock; the courier is killed in the middle, and the next one goes on", async () => {
    const [store, work] = [
      ["--store", at("issuer")],
      ["--work", at("doors.work")],
    ];
    await good("issue", ...store, "--out", work[1]);
    const sync = (...doors: string[]) =>
      tumbler("door", "sync", ...doors, ...work, "--seconds", "1", "--json");
    const killed = sync("front");
    await killed.says(/"step":"changes","done":[1-9]/);
    await killed.end("SIGKILL");
    // By now the lock has an owner, and is known by its link key alone.
    const id = toHex(readImage(image("front")).identity.lock);
    const ids = [...(await scan()).values()].map(({ serviceData }) => toHex(serviceData!));
    assert.ok(!ids.some((one) => id.startsWith(one.slice(0, 12))), "the id of an owned lock shows");
    const next = sync();
    assert.equal(await next.end(), 0, next.err + next.out);
    const steps = next.out.split("\n").filter((line) => line.includes('"door":"front","step":"changes"'));
    assert.match(steps[0], /"done":[1-9]/);

    assert.equal(await locks!.end("SIGTERM"), 0, locks!.err);
    await good("receipts", work[1], ...store);
    for (const door of DOORS) {
      const { table } = openLock(readImage(image(door))).parts;
      assert.equal(
        table.applied,
        PEOPLE + 1,
        "the image has what the lock acknowledged: people and the zone",
      );
    }
    assert.ok(!existsSync(address.slice("unix:path=".length)), "nothing of the bus is left");
  });

  it("says what it wants, and what stands in the way", async () => {
    const fresh = image("fresh");
    const plain = await run(["sim", fresh]);
    assert.equal(plain.code, 2);
    assert.match(plain.err, /how are the locks to be reached\?[\s\S]*--bluez/);
    writeFileSync(at("no.img"), "no image");
    assert.match((await run(["sim", at("no.img"), "--bluez"])).err, /no.img: .*\n\(name a file/);
    assert.match((await run(["sim", fresh, fresh, "--bluez"])).err, /once more/);
    const nowhere = await run(["sim", fresh, "--bluez", "--bus", `unix:path=${at("none")}`]);
    assert.match(nowhere.err, /bus unix:path=.*none: .*ENOENT[\s\S]*leave --bus out/);
    const bare = new Program([PROGRAM, "sim", fresh, "--bluez"], { ...process.env, PATH: at("") });
    assert.equal(await bare.end(), 2);
    assert.match(bare.err, /no program dbus-daemon[\s\S]*apt install dbus/);
  });

  it("does not take another's place on a bus", async () => {
    const own = tumbler("sim", image("fresh"), "--bluez");
    const bus = (await own.says(/unix:path=.*$/m)).trim();
    const { code, err } = await run(["sim", image("back"), "--bluez", "--bus", bus]);
    assert.equal(code, 2);
    assert.match(err, /another program shows Bluetooth devices there/);
    assert.equal(await own.end("SIGINT"), 0);
  });
});

const isNotifying = (bus: BluezBus, path: string): boolean =>
  (bus.values(path, CHARACTERISTIC)!.Flags as string[]).includes("notify");
