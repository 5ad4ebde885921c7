// The door when something fails (rules C10, C11, L4): power that is cut at each write of an opening, flash that refuses, partitions that
// are not this lock's. In doubt nobody opens, no use is given back, and no exception leaves the lock.

import assert from "node:assert/strict";
import zlib from "node:zlib";
import { EventKind } from "../../../firmware/core/storage/events";
import type { Bolt } from "../../../firmware/ports";
import { Role } from "../../../protocol/wire/entry";
import { StatusFlag } from "../../../protocol/wire/messages";
import type { FlashImage } from "../../../simulator/board/board";
import { FaultyNor, type SectorFault } from "../../../simulator/board/faulty-nor";
import { POWER_CUT, Power } from "../../../simulator/board/power";
import { Dice, SEED } from "../../support/dice";
import { Door, L500I } from "../../support/door";
import { bootBehind, bootFrom, bootWith, eventsIn } from "../../support/door-faults";

const PIN = "4711080";
const AGAIN = `SEED=${SEED} npx mocha tests/firmware/core/lock-faults.test.ts`;

/** So many ticks after a boot a lock has put its flash in order: one for each partition. */
const HOUSEKEEPING_TICKS = 2;
const HOUR_S = 3600;

/** A bolt that counts how often it was drawn, and refuses to be drawn without power. */
class CountingBolt implements Bolt {
  opens = 0;
  power = new Power();

  draw(): void {
    assert.ok(this.power.isOn, "the bolt is drawn by a lock without power");
    this.opens++;
  }

  throw(): void {}
}

/** A small lock with one PIN that opens so many times. */
function limitedDoor(uses: number): Door {
  const door = new Door({ profile: L500I });
  assert.deepEqual(door.apply(door.pin(3, PIN, { uses })), ["applied"]);
  return door;
}

const grantsIn = (door: Door): number =>
  eventsIn(door).filter((event) => event.kind === EventKind.granted).length;

describe("C10 a credential that counts its uses, when the power is cut", () => {
  /** Boots from an image on a fresh supply, and lets some seconds pass, in which the housekeeping makes room. */
  function bootOn(door: Door, image: FlashImage, bolt: CountingBolt): Power {
    bootFrom(door, image);
    bolt.power = new Power();
    bootBehind(door, { power: bolt.power }, { bolt });
    for (let tick = 0; tick < HOUSEKEEPING_TICKS; tick++) door.lock.tick();
    return bolt.power;
  }

  /** Types the PIN. What a lock does whose power has gone counts for nothing. */
  function typeOn(door: Door, power: Power): string {
    try {
      const reason = door.type(PIN);
      return power.isOn ? reason : "cut";
    } catch (error) {
      if (error !== POWER_CUT) throw error;
      return "cut";
    }
  }

  /** Opens once from `image` with a cut, then as often as the lock lets. Returns how often the bolt was drawn. */
  function opensWithCut(door: Door, image: FlashImage, operation: number, bytes: number): number {
    const bolt = new CountingBolt();
    const power = bootOn(door, image, bolt);
    power.cutAt({ operation, bytes, torn: "clean" });
    typeOn(door, power);
    bootOn(door, door.board.image(), bolt);
    for (let attempt = 0; attempt < 10 && door.type(PIN) === "granted"; attempt++) door.lock.tick();
    assert.equal(door.type(PIN), "used-up");
    assert.ok(grantsIn(door) >= bolt.opens, "every opening has its event");
    return bolt.opens;
  }

  /** The lengths of the writes that an opening from this image takes. */
  function writesOfOpening(door: Door, image: FlashImage): number[] {
    const power = bootOn(door, image, new CountingBolt());
    power.cutAt(undefined);
    assert.equal(door.type(PIN), "granted");
    assert.ok(power.operations.every(({ kind }) => kind === "program"));
    return power.operations.map(({ length }) => length);
  }

  /** Cuts an opening at each of its writes, with each sixteenth of the write done, and after the last. */
  function cutEverywhere(door: Door, image: FlashImage, uses: number): void {
    [...writesOfOpening(door, image), 16].forEach((length, write) => {
      for (let bytes = 0; bytes <= length; bytes += length / 16) {
        const opens = opensWithCut(door, image, write, Math.floor(bytes));
        assert.ok(opens <= uses && opens >= uses - 1, `write ${write}, ${bytes} bytes: ${opens} times`);
      }
    });
  }

  for (const uses of [1, 2, 3])
    it(`opens ${uses} times at most, one less if the cut came before the bolt: any write, any share of it`, () => {
      const door = limitedDoor(uses);
      const image = door.board.image();
      assert.equal(writesOfOpening(door, image).length, 3, "a wrong entry, its use and its event");
      cutEverywhere(door, image, uses);
    });

  it("opens twice at most where the opening begins a new sector of the table", () => {
    const door = limitedDoor(2);
    assert.deepEqual(door.apply(door.pin(4, "90210", { uses: 60_000 })), ["applied"]);
    let image = door.board.image();
    while (writesOfOpening(door, image).length < 4) {
      bootFrom(door, image);
      door.lock.tick();
      door.type("90210");
      door.lock.tick();
      image = door.board.image();
    }
    cutEverywhere(door, image, 2);
  });

  it(`opens no more often than it may over hundreds of random cuts (seed ${SEED})`, () => {
    const dice = new Dice(SEED);
    let cuts = 0;
    for (let round = 0; round < 60; round++) {
      const uses = dice.between(1, 12);
      const door = limitedDoor(uses);
      const bolt = new CountingBolt();
      for (let last = ""; last !== "used-up"; ) {
        const power = bootOn(door, door.board.image(), bolt);
        if (dice.chance(0.6))
          power.cutAt({ operation: dice.between(0, 3), bytes: dice.between(0, 100), torn: "clean" });
        for (let attempt = dice.between(1, 3); attempt > 0 && power.isOn; attempt--) {
          if (dice.chance(0.5)) door.lock.tick();
          // Where the power goes, an entry counts as wrong: an hour without one, and it is forgotten.
          door.now += HOUR_S;
          last = typeOn(door, power);
        }
        if (last === "cut") cuts++;
      }
      assert.ok(bolt.opens <= uses, `${bolt.opens} of ${uses}\n${AGAIN}`);
      assert.ok(grantsIn(door) >= bolt.opens, AGAIN);
    }
    assert.ok(cuts > 60, `${cuts} cuts`);
  });

  it("C11 a second use after a reboot is used up", () => {
    const door = limitedDoor(1);
    assert.equal(door.type(PIN), "granted");
    door.reboot();
    assert.equal(door.type(PIN), "used-up");
    assert.equal(door.type(PIN), "used-up");
    assert.equal(door.board.bolt.drawn, false);
  });

  it("keeps its count while other slots of its group are used", () => {
    const door = limitedDoor(2);
    door.apply(door.pin(2, "90210"), door.pin(4, "60622", { uses: 1 }));
    const typed: [string, string][] = [
      [PIN, "granted"],
      ["90210", "granted"],
      ["60622", "granted"],
      [PIN, "granted"],
      ["60622", "used-up"],
      ["90210", "granted"],
      [PIN, "used-up"],
    ];
    for (const [pin, reason] of typed) {
      assert.equal(door.type(pin), reason);
      door.lock.tick();
      door.reboot();
    }
  });
});

describe("L4 before the bolt moves", () => {
  it("the event and the use are in flash", () => {
    const door = limitedDoor(1);
    let image: FlashImage | undefined;
    const bolt: Bolt = {
      draw: () => {
        image = door.board.image();
      },
      throw: () => {},
    };
    bootWith(door, { bolt });
    door.setTime();
    assert.equal(door.type(PIN), "granted");
    assert.ok(image !== undefined);
    const last = eventsIn(door, image.events).at(-1);
    assert.deepEqual(
      [last?.kind, last?.user, last?.generation, last?.time, last?.reason],
      [EventKind.granted, 1003, 1, door.now, 0],
    );
    bootFrom(door, image);
    assert.equal(door.type(PIN), "used-up");
  });
});

describe("a lock whose flash fails stays locked", () => {
  const OTHER = "90210";
  const ADMIN = "6062255";
  const WRITES_FAIL: SectorFault = { kind: "program-error" };
  const READS_FAIL: SectorFault = { kind: "read-error" };

  /** A door with three credentials, and the flash that it boots on, sound as yet. */
  function flawedDoor(): { door: Door; credentials: FaultyNor; events: FaultyNor } {
    const door = new Door({ profile: L500I });
    door.apply(door.pin(1, PIN), door.pin(2, OTHER, { uses: 2 }), door.pin(3, ADMIN, { role: Role.admin }));
    const credentials = new FaultyNor(door.board.credentials);
    const events = new FaultyNor(door.board.events);
    bootWith(door, { credentials, events });
    door.setTime();
    door.lock.tick();
    return { door, credentials, events };
  }

  /** What the three credentials hear. The bolt must stand still unless one is let in. */
  function typeAll(door: Door): string[] {
    const { bolt, feedback } = door.board;
    const before = { moves: bolt.moves, shown: feedback.grants + feedback.refusals };
    const heard = [PIN, OTHER, ADMIN].map((pin) => door.type(pin));
    const granted = heard.filter((reason) => reason === "granted").length;
    assert.equal(bolt.moves - before.moves, granted);
    assert.equal(feedback.grants + feedback.refusals - before.shown, 3, "everyone is told something");
    return heard;
  }

  it("busy for everyone while events cannot be written", () => {
    const { door, events } = flawedDoor();
    events.fail(WRITES_FAIL);
    assert.deepEqual(typeAll(door), ["busy", "busy", "busy"]);
    events.heal();
    door.lock.tick();
    assert.deepEqual(typeAll(door), ["granted", "granted", "granted"]);
  });

  it("an hour for everyone while the table cannot be written, then busy for who has a use to commit; others come in", () => {
    const { door, credentials } = flawedDoor();
    assert.equal(door.type(PIN), "granted", "the first use is committed");
    credentials.fail(WRITES_FAIL);
    assert.deepEqual(typeAll(door), ["locked-out", "locked-out", "locked-out"]);
    door.now += HOUR_S - 1;
    assert.equal(door.type(PIN), "locked-out");
    door.now += 1;
    assert.deepEqual(typeAll(door), ["granted", "busy", "busy"]);
    assert.equal(door.type("987654"), "unknown");
    assert.equal(door.type(PIN), "locked-out", "one wrong entry an hour");
    bootWith(door, { credentials });
    assert.equal(door.type(PIN), "locked-out", "a power cut gives no other");
    door.now += HOUR_S - 1;
    assert.equal(door.type(PIN), "locked-out");
    credentials.heal();
    door.reboot();
    door.lock.tick();
    door.now += HOUR_S;
    for (const heard of [
      ["granted", "granted", "granted"],
      ["granted", "granted", "granted"],
      ["granted", "used-up", "granted"],
    ])
      assert.deepEqual(typeAll(door), heard);
  });

  it("a use that was committed for an opening that could not be logged is gone", () => {
    const { door, events } = flawedDoor();
    events.fail(WRITES_FAIL);
    assert.equal(door.type(OTHER), "busy");
    events.heal();
    door.lock.tick();
    assert.deepEqual(
      [OTHER, OTHER].map((pin) => door.type(pin)),
      ["granted", "used-up"],
    );
  });

  it("nobody comes in, and nothing is thrown, while flash cannot be read", () => {
    for (const partition of ["credentials", "events"] as const) {
      const flawed = flawedDoor();
      flawed[partition].fail(READS_FAIL);
      for (const reason of typeAll(flawed.door)) assert.notEqual(reason, "granted", partition);
      flawed[partition].heal();
      flawed.door.reboot();
      flawed.door.lock.tick();
      flawed.door.now += HOUR_S;
      assert.deepEqual(typeAll(flawed.door), ["granted", "granted", "granted"]);
    }
  });

  it("nobody comes in where events have no room, until the housekeeping has made some", () => {
    const { door } = flawedDoor();
    while (door.lock.parts.events.hasRoom) door.type("12");
    const image = door.board.image();
    assert.deepEqual(typeAll(door), ["busy", "busy", "busy"]);
    assert.deepEqual(door.board.image(), image, "nothing was committed, no use is lost");
    door.lock.tick();
    assert.deepEqual(typeAll(door), ["granted", "granted", "granted"]);
  });
});

describe("partitions that are not this lock's", () => {
  const claimed = new Door({ profile: L500I });
  claimed.apply(claimed.pin(1, PIN));
  const good = claimed.board.image();
  const stranger = new Door({ profile: L500I, seed: 2 });
  stranger.apply(stranger.pin(1, PIN));
  const foreign = stranger.board.image();
  const noise = (bytes: Uint8Array): Uint8Array => new Dice(SEED).bytes(bytes.length);
  const newer = (bytes: Uint8Array): Uint8Array => {
    const other = bytes.slice();
    // The byte behind the magic number is the format; the header's CRC covers the first 28 bytes.
    other[4] = 2;
    new DataView(other.buffer).setUint32(28, zlib.crc32(other.subarray(0, 28)));
    return other;
  };
  const contents: readonly [string, (image: FlashImage, name: "credentials" | "events") => Uint8Array][] = [
    ["erased", (image, name) => image[name].slice().fill(0xff)],
    ["zeroed", (image, name) => image[name].slice().fill(0)],
    ["full of noise", (image, name) => noise(image[name])],
    ["another lock's", (_, name) => foreign[name]],
  ];

  /** Boots from an image that cannot be used, tries everything, and sees that nothing was touched. */
  function expectShut(image: FlashImage): void {
    bootFrom(claimed, image);
    assert.equal(claimed.board.bolt.moves, 0);
    for (let round = 0; round < 3; round++) {
      assert.equal(claimed.type(PIN), "unknown");
      assert.equal(claimed.type("123"), "bad-entry");
      claimed.lock.tick();
    }
    assert.equal(claimed.board.bolt.drawn, false);
    assert.ok((claimed.hello().flags & StatusFlag.storageFault) !== 0, "it says so");
    assert.deepEqual(claimed.board.credentials.bytes, image.credentials, "no repair, no format");
  }

  it("the good ones open, so that the others' refusal means something", () => {
    bootFrom(claimed, good);
    assert.equal(claimed.type(PIN), "granted");
  });

  for (const [what, make] of contents) {
    it(`a table that is ${what} opens for nobody`, () => {
      expectShut({ ...good, credentials: make(good, "credentials") });
    });
    it(`an event log that is ${what} opens for nobody`, () => {
      expectShut({ ...good, events: make(good, "events") });
    });
    it(`both ${what} open for nobody`, () => {
      expectShut({ ...good, credentials: make(good, "credentials"), events: make(good, "events") });
    });
  }

  it("a table of a newer format opens for nobody", () => {
    expectShut({ ...good, credentials: newer(good.credentials) });
  });
});
