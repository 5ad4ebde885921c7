// The board's radio on the SDK's GATT server: first what a script lets happen, then the core's Bluetooth on it through whole visits.

import assert from "node:assert/strict";
import { Bluetooth } from "../../../firmware/core/bluetooth";
import { ADVERTISE_MS, HANG_UP_MS, SafeRadio } from "../../../firmware/device/bluetooth";
import { Guard } from "../../../firmware/device/guard";
import type {
  AdvertRecords,
  GattCharacteristic,
  GattConnection,
  GattOptions,
  GattServer,
} from "../../../firmware/ports";
import { Gatt, packAdvert } from "../../../protocol/wire/advert";
import type { Line } from "../../../simulator/net/air";
import { virtualRadio } from "../../../simulator/net/gatt-port";
import { BleSite, peopleWithPins } from "../../support/ble-site";
import { type ScriptedConnection, ScriptedRadio } from "../../support/scripted-gatt";
import { SdkGap, sdkServer } from "../../support/sdk/gatt";
import { VirtualTimers } from "../../support/sdk/timers";

/** What the core does: it notes who is there, and does what a test says. */
class Core {
  readonly heard: string[] = [];
  readonly links: GattConnection[] = [];
  outbox: GattCharacteristic | undefined;
  server: GattServer | undefined;
  fails = false;

  note(what: string, link?: GattConnection): void {
    this.heard.push(link === undefined ? what : `${what} ${this.links.indexOf(link)}`);
    if (this.fails) throw new Error(what);
  }

  options(): GattOptions {
    const core = this;
    return {
      mtu: 515,
      services: [
        {
          uuid: Gatt.service,
          characteristics: [
            { uuid: Gatt.inbox, properties: 12, onWrite: (_, link) => core.note("write", link) },
            {
              uuid: Gatt.outbox,
              properties: 16,
              onSubscribe(this: GattCharacteristic, link) {
                core.outbox = this;
                core.note("subscribe", link);
              },
              onUnsubscribe: (link) => core.note("unsubscribe", link),
            },
            {
              uuid: Gatt.info,
              properties: 2,
              onRead(link) {
                core.note("read", link);
                return new Uint8Array([1, 2, 3]);
              },
            },
          ],
        },
      ],
      onReady: () => core.note("ready"),
      onConnect(link) {
        core.links.push(link);
        core.note("connect", link);
      },
      onDisconnect: (link) => core.note("disconnect", link),
    };
  }
}

/** What a lock shows behind its service's identifier. */
function serviceData(id: number, applied: number): AdvertRecords {
  const record = new Uint8Array(16 + 9);
  record.set(packAdvert({ id: new Uint8Array(6).fill(id), applied, flags: 0 }), 16);
  return { 33: record };
}

class Rig {
  readonly timers = new VirtualTimers();
  readonly script = new ScriptedRadio();
  readonly gap = new SdkGap((connection) =>
    this.timers.set(() => (connection as ScriptedConnection).disconnect(), 50),
  );
  readonly guard = new Guard();
  readonly core = new Core();
  events = 0;
  readonly radio = new SafeRadio({
    GATTServer: sdkServer(this.gap, this.script.gatt.io),
    gap: this.gap,
    timers: this.timers,
    guard: this.guard,
    onEvent: () => {
      this.events++;
    },
  });

  constructor() {
    this.core.server = new this.radio.gatt.io(this.core.options());
    this.script.options.onReady();
  }

  connect(mtu = 515): ScriptedConnection {
    return this.script.connect(mtu);
  }

  /** Nothing may have been misused, and the stack must not wait. */
  check(): void {
    this.timers.advance(0);
    assert.deepEqual([...this.gap.misuses, ...this.script.misuses], []);
    assert.equal(this.gap.taken, this.gap.told);
  }
}

describe("S5 the board's radio", () => {
  it("passes on what comes and what goes, with the characteristic that a notification needs", () => {
    const rig = new Rig();
    const central = rig.connect();
    central.subscribe();
    central.write(new Uint8Array([1]));
    assert.deepEqual([...central.read()], [1, 2, 3]);
    rig.core.links[0].notify(rig.core.outbox as object, new Uint8Array([9]));
    assert.deepEqual([...central.taken()[0]], [9]);
    central.unsubscribe();
    central.disconnect();
    assert.deepEqual(rig.core.heard, [
      "ready",
      "connect 0",
      "subscribe 0",
      "write 0",
      "read 0",
      "unsubscribe 0",
      "disconnect 0",
    ]);
    // The server was ready twice, and the core heard of it once.
    assert.equal(rig.events, 1 + rig.core.heard.length);
    rig.check();
  });

  it("ends a connection by its handle, never by the SDK's close, and the core hears nothing more of it", () => {
    const rig = new Rig();
    const [first, second] = [rig.connect(), rig.connect()];
    first.subscribe();
    const before = rig.core.heard.length;
    rig.core.links[0].close();
    first.write(new Uint8Array([1]));
    first.unsubscribe();
    assert.equal(first.read().length, 0);
    assert.throws(() => rig.core.links[0].notify(rig.core.outbox as object, new Uint8Array([9])));
    assert.throws(() => rig.core.links[0].maximumWrite);
    rig.core.links[0].close();
    assert.equal(rig.radio.centrals, 2);
    rig.timers.advance(HANG_UP_MS * 3);
    assert.equal(rig.radio.centrals, 1);
    assert.equal(rig.core.heard.length, before);
    assert.deepEqual(rig.gap.terminated, [0]);
    assert.equal(first.notified.length, 0);
    second.write(new Uint8Array([1]));
    assert.equal(rig.core.heard.at(-1), "write 1");
    rig.check();
  });

  it("says that a connection is over once the SDK has said so, and a close after that does nothing", () => {
    const rig = new Rig();
    const central = rig.connect();
    central.subscribe();
    const [link] = rig.core.links;
    central.disconnect();
    assert.throws(() => link.notify(rig.core.outbox as object, new Uint8Array(1)), /over/);
    assert.throws(() => link.maximumWrite, /over/);
    link.close();
    rig.timers.advance(HANG_UP_MS * 3);
    assert.deepEqual(rig.gap.terminated, []);
    rig.check();
  });

  it("closes what has gone already, though nobody was told yet: there is no handle, and the SDK's goodbye ends it", () => {
    const rig = new Rig();
    const central = rig.connect();
    rig.gap.ended(central);
    rig.core.links[0].close();
    assert.deepEqual(rig.gap.terminated, []);
    central.disconnect();
    assert.equal(rig.radio.centrals, 0);
    rig.timers.advance(HANG_UP_MS * 3);
    rig.check();
  });

  it("forgets a connection of which the SDK never says goodbye, once there is no handle", () => {
    const rig = new Rig();
    const central = rig.connect();
    rig.gap.ended(central);
    rig.core.links[0].close();
    rig.timers.advance(HANG_UP_MS - 1);
    assert.equal(rig.radio.centrals, 1);
    rig.timers.advance(1);
    assert.equal(rig.radio.centrals, 0);
  });

  it("ends a connection again until it is over, where the stack has no room for the word", () => {
    const rig = new Rig();
    rig.connect();
    rig.gap.refuses = 2;
    rig.core.links[0].close();
    rig.timers.advance(HANG_UP_MS * 4);
    assert.deepEqual(rig.gap.terminated, [0, 0, 0]);
    assert.equal(rig.radio.centrals, 0);
    rig.check();
  });

  it("ends the right one of three, whichever left and came before, and where handles are used again", () => {
    const rig = new Rig();
    const centrals = [rig.connect(), rig.connect(), rig.connect()];
    centrals[1].disconnect();
    centrals.push(rig.connect());
    rig.core.links[3].close();
    rig.timers.advance(HANG_UP_MS);
    assert.deepEqual(rig.gap.terminated, [3]);
    rig.core.links[2].close();
    rig.timers.advance(HANG_UP_MS);
    assert.deepEqual(rig.gap.terminated, [3, 2]);
    assert.deepEqual(
      centrals.map(({ isOver }) => isOver),
      [false, true, true, true],
    );
    rig.check();
  });

  it("counts on where the SDK has lost word of connections: of one that stays, and of those that came and went", () => {
    const rig = new Rig();
    const lost = { maximumWrite: 20, notify() {}, close() {} };
    rig.connect();
    rig.gap.began(lost);
    const third = rig.connect();
    rig.core.links[1].close();
    rig.timers.advance(HANG_UP_MS);
    assert.deepEqual(rig.gap.terminated, [2]);
    assert.ok(third.isOver);
    for (let i = 0; i < 7; i++) {
      const gone = { ...lost };
      rig.gap.began(gone);
      rig.gap.ended(gone);
    }
    rig.connect();
    rig.core.links[2].close();
    rig.timers.advance(HANG_UP_MS);
    assert.deepEqual(rig.gap.terminated, [2, 10]);
    rig.check();
  });

  it("lets the chip go on after every beginning and every end, whatever the core throws", () => {
    const rig = new Rig();
    rig.core.fails = true;
    const central = rig.connect();
    central.disconnect();
    rig.timers.advance(HANG_UP_MS * 2);
    assert.ok(rig.guard.faults >= 1);
    rig.check();
  });

  it("hangs up on whom the core could not take", () => {
    const rig = new Rig();
    rig.core.fails = true;
    const central = rig.connect();
    rig.core.fails = false;
    rig.timers.advance(HANG_UP_MS);
    assert.ok(central.isOver);
    assert.equal(rig.radio.centrals, 0);
    rig.check();
  });

  it("catches whatever a callback throws, and a read is given bytes all the same", () => {
    const rig = new Rig();
    const central = rig.connect();
    rig.core.fails = true;
    central.subscribe();
    central.write(new Uint8Array([1]));
    assert.equal(central.read().length, 0);
    central.unsubscribe();
    central.disconnect();
    rig.script.options.onReady();
    assert.equal(rig.guard.faults, 6);
    rig.check();
  });

  it("tells the MTU as it is now, and none that no connection has", () => {
    const rig = new Rig();
    const central = rig.connect(23);
    assert.equal(rig.core.links[0].maximumWrite, 20);
    central.mtu = 185;
    assert.equal(rig.core.links[0].maximumWrite, 182);
    for (const mtu of [65536, 2]) {
      central.mtu = mtu;
      const { maximumWrite } = rig.core.links[0];
      assert.ok(maximumWrite >= 20 && maximumWrite <= 512, String(maximumWrite));
    }
  });

  it("begins advertising anew by itself, with what was shown last", () => {
    const rig = new Rig();
    rig.timers.advance(ADVERTISE_MS);
    assert.equal(rig.script.advertised.length, 0);
    rig.core.server?.startAdvertising({ flags: 6 });
    rig.timers.advance(ADVERTISE_MS - 1);
    assert.equal(rig.script.advertised.length, 1 + 0);
    rig.timers.advance(1);
    assert.equal(rig.script.advertised.length, 2);
    rig.script.refusal = new Error("invalid adv");
    rig.timers.advance(ADVERTISE_MS);
    assert.throws(() => rig.core.server?.startAdvertising({ flags: 6 }), /invalid adv/);
    assert.equal(rig.guard.faults, 1);
  });

  it("S7 is ready for the core under a random address, and not before", () => {
    const rig = new Rig();
    assert.deepEqual([rig.core.heard, rig.gap.address], [["ready"], 1]);
  });

  it("S7 has another address whenever it shows another id, also to whoever is connected, and for nothing else", () => {
    const rig = new Rig();
    const shows = (id: number, applied = 1): number => {
      rig.core.server?.startAdvertising({ flags: 6 }, serviceData(id, applied));
      return rig.gap.address;
    };
    assert.deepEqual([shows(7), shows(7), shows(7, 2), shows(8)], [2, 2, 2, 3]);
    rig.timers.advance(ADVERTISE_MS);
    assert.equal(rig.gap.address, 3);
    const central = rig.connect();
    assert.equal(shows(9), 4);
    central.disconnect();
    assert.equal(shows(9), 4);
    rig.core.server?.startAdvertising({ flags: 6 });
    rig.core.server?.startAdvertising({ flags: 6 }, { 33: new Uint8Array(16) });
    assert.equal(rig.gap.address, 4);
    assert.equal(rig.guard.faults, 0);
    rig.check();
  });

  it("S7 shows itself under the address that it has where there is no other, and says so", () => {
    const rig = new Rig();
    rig.gap.addresses = -12;
    rig.core.server?.startAdvertising({ flags: 6 }, serviceData(7, 1));
    assert.deepEqual([rig.gap.address, rig.guard.faults, rig.script.advertised.length], [1, 1, 1]);
  });

  it("makes one server a boot", () => {
    const rig = new Rig();
    assert.throws(() => new rig.radio.gatt.io(rig.core.options()), /one GATT server/);
  });

  it("works on where the chip keeps no record: it only cannot hang up", () => {
    const rig = new Rig();
    const script = new ScriptedRadio();
    const gap = new SdkGap(() => {});
    gap.listens = -3;
    const { timers, guard } = rig;
    const GATTServer = sdkServer(gap, script.gatt.io);
    const radio = new SafeRadio({ GATTServer, gap, timers, guard, onEvent() {} });
    const core = new Core();
    new radio.gatt.io(core.options());
    script.options.onReady();
    assert.equal(guard.lastFault, "bluetooth");
    script.connect(515).write(new Uint8Array([1]));
    core.links[0].close();
    timers.advance(HANG_UP_MS * 2);
    assert.deepEqual(core.heard, ["ready", "connect 0", "write 0"]);
  });
});

/** A site whose lock has this radio, over the air. */
async function siteWithBoard(people: string) {
  const site = await BleSite.make({ people });
  // The lock's other radio goes off.
  await site.run(site.time.sleep(0.5));
  for (const peripheral of site.air.advertising) site.air.remove(peripheral);
  const { lock, board } = site.virtual;
  const gap = new SdkGap((connection) =>
    site.time.after(0.05, () => (connection as unknown as { line: Line }).line.drop()),
  );
  const guard = new Guard();
  const timers = {
    set: (callback: () => void, ms: number) => ({ off: site.time.after(ms / 1000, callback) }),
    repeat: () => ({}),
    clear: (timer: object) => (timer as { off(): void }).off(),
  };
  const soon = (): void => void site.time.after(0.001, () => site.virtual.tick());
  const GATTServer = sdkServer(gap, virtualRadio(site.air, { name: "board" }).gatt.io);
  const radio = new SafeRadio({ GATTServer, gap, timers, guard, onEvent: soon });
  site.virtual.bluetooth = new Bluetooth(lock, board, radio);
  return { site, gap, guard, radio };
}

describe("S5 a visit to the door over the board's radio", () => {
  it("brings everything, and all who left are forgotten", async () => {
    const { site, gap, guard, radio } = await siteWithBoard(peopleWithPins(40));
    const { outcome } = await site.run(site.visit({ isPatient: true }));
    assert.equal(outcome, "done");
    await site.run(site.time.sleep(40));
    assert.deepEqual(gap.misuses, []);
    assert.equal(radio.centrals, 0);
    assert.equal(guard.faults, 0, guard.lastFault);
    assert.equal(gap.taken, gap.told);
    assert.equal(new Set(site.outcomes).size, site.outcomes.length);
  }).timeout(20_000);

  it("comes to the same through three cuts, wherever they are", async () => {
    for (const every of [7, 13, 19]) {
      const { site, gap, guard } = await siteWithBoard(peopleWithPins(12));
      let cuts = 0;
      const isCut = (n: number): boolean => n === every && cuts++ < 3;
      const { outcome } = await site.run(site.visit({ isPatient: true, line: { isCut } }));
      assert.equal(outcome, "done", `every ${every}`);
      assert.deepEqual(gap.misuses, []);
      assert.equal(guard.faults, 0, guard.lastFault);
      assert.ok(cuts >= 3, String(cuts));
    }
  }).timeout(20_000);

  it("S7 hangs up on a stranger who says nothing, and is open for the next", async () => {
    const { site, gap, radio } = await siteWithBoard(peopleWithPins(3));
    await site.run(site.time.sleep(1));
    const line = site.air.connect(site.air.advertising[0], { receive() {}, lost() {} });
    await site.run(site.time.sleep(1));
    assert.equal(radio.centrals, 1);
    await site.run(site.time.sleep(40));
    assert.ok(line?.isDown);
    assert.equal(gap.terminated.length, 1);
    assert.equal(radio.centrals, 0);
    const { outcome } = await site.run(site.visit({ isPatient: true }));
    assert.equal(outcome, "done");
    assert.deepEqual(gap.misuses, []);
  }).timeout(20_000);
});
