// `tumbler inspect` on locks that are damaged: what is lost is told by name, with what to do, as the lock then behaves.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { IDENTITY_BYTES, unpackImage } from "../../simulator/board/image";
import { Dice, SEED } from "../support/dice";
import { Door, L500I, LOCK_1000 } from "../support/door";
import { bootFrom } from "../support/door-faults";
import { checkPicture, look, readSlotMap, ruinBlock, ruinRecord, SECTOR, wear } from "./inspect-support";
import { livelyDoor, ownFolder, PINS, run, widest, writeImage } from "./support";

describe(`tumbler inspect: damage (SEED=${SEED})`, () => {
  const at = ownFolder();
  let images = 0;
  const dice = new Dice();

  const imageOf = (door: Door, spoil?: (bytes: Uint8Array) => void): string =>
    writeImage(at(`${++images}.img`), door, spoil);

  it("maps every slot by what stands in it, and lists the damaged ones with what to do", async () => {
    for (const profile of [LOCK_1000, L500I]) {
      const door = livelyDoor({ profile });
      const more = profile === L500I ? [7, 8, 9] : [63, 64, 500, 511, 512, 999];
      for (const slot of more) wear(door, 1, () => slot);
      // What is damaged at the very end of the log cannot be told from a write that was cut.
      wear(door, 1, () => more[0]);
      const { index } = door.lock.parts.table;
      const path = imageOf(door, (bytes) => {
        for (const slot of [3, 4, ...more.slice(-2)]) ruinRecord(bytes, index.place(slot));
      });
      const { out, code, state } = await look(path);
      assert.equal(code, 1);
      const damaged = profile === L500I ? [3, 4, 8, 9] : [3, 4, 512, 999];
      const wanted = Array.from({ length: profile.slots }, (_, slot) => {
        if (damaged.includes(slot)) return "X";
        if (slot === 5) return "d";
        return index.place(slot) === 0 ? "." : "#";
      });
      assert.equal(readSlotMap(out), wanted.join(""));
      assert.deepEqual(state.damage.slots, damaged);
      const { used, free, damaged: ruined, disabled } = state.slots;
      assert.deepEqual([ruined, disabled, used + free], [damaged.length, 1, profile.slots]);
      const list = profile === L500I ? "3–4, 8–9" : "3–4, 512, 999";
      const legend = `  # used ${used - ruined - 1}   d disabled 1   X damaged ${ruined}   . free ${free}`;
      assert.ok(out.includes(`\n${legend}\n  damaged: ${list}; denied until the issuer puts them again\n`));
      assert.match(
        out,
        new RegExp(
          `^Problems\n {2}${ruined} slots damaged and denied until the issuer puts them again: ${list}$`,
          "m",
        ),
      );
    }
  });

  it("tells one damaged slot in its list, and the lock denies it until it is put again", async () => {
    const door = livelyDoor();
    const path = imageOf(door, (bytes) => ruinRecord(bytes, door.lock.parts.table.index.place(0)));
    const { out } = await run(["inspect", path, "--slots"]);
    assert.match(out, /^ +0 +damaged, denied$/m);
    assert.match(out, /5 of 1000 used, 995 free, 1 damaged/);
    assert.match(out, /^Problems\n {2}1 slot damaged and denied until the issuer puts it again: 0$/m);
    const { state } = await look(path);
    assert.deepEqual(state.slotList[0], { slot: 0, damaged: true });
    bootFrom(door, unpackImage(readFileSync(path)));
    assert.equal(door.type(PINS.resident), "unknown");
    assert.deepEqual(door.apply(door.pin(0, PINS.resident)), ["applied"]);
    assert.equal(door.type(PINS.resident), "granted");
    assert.deepEqual((await look(imageOf(door))).state.damage.slots, []);
  });

  it("fits 80 columns with many damaged slots", async () => {
    const door = new Door();
    wear(door, 64, (slot) => slot);
    const { index } = door.lock.parts.table;
    const path = imageOf(door, (bytes) => {
      for (let slot = 1; slot < 60; slot += 2) ruinRecord(bytes, index.place(slot));
    });
    const { code, out } = await run(["inspect", path]);
    assert.equal(code, 1);
    assert.ok(widest(out) <= 80, out);
    assert.match(
      out,
      /30 slots damaged and denied until the issuer puts them again: 1, 3, [\s\d,]+ 57,\s+59$/m,
    );
  });

  it("exits with 1 when there is no event log, and tells the rest all the same", async () => {
    const path = imageOf(livelyDoor(), (bytes) =>
      bytes.fill(0xff, IDENTITY_BYTES + LOCK_1000.credentialBytes),
    );
    const { code, out } = await run(["inspect", path]);
    assert.equal(code, 1);
    assert.match(out, /no event log: the lock opens for nobody/);
    assert.match(out, /claim +1, site test$/m);
    assert.match(out, /mode +tour$/m);
  });

  it("tells a lost sector, and that exactly the slots are denied that stood there", async () => {
    const door = livelyDoor();
    wear(door, 2500, () => 10 + dice.below(400));
    const { index } = door.lock.parts.table;
    const block = Math.floor((index.place(10) * 16) / SECTOR);
    const lost: number[] = [];
    for (let slot = 0; slot < 1000; slot++)
      if (Math.floor((index.place(slot) * 16) / SECTOR) === block) lost.push(slot);
    assert.ok(lost.length > 0);
    const path = imageOf(door, (bytes) => ruinBlock(bytes, block));
    const { out, code, state, problems } = await look(path);
    assert.equal(code, 1);
    checkPicture(out, state);
    assert.deepEqual(state.damage.slots, lost);
    assert.deepEqual(state.damage.blocks, [block]);
    assert.deepEqual([state.sectors[block].state, state.sectors[block].live], ["lost", 0]);
    assert.equal(problems[0], `1 sector of the credentials lost, in block ${block}`);
    assert.match(out, /^ {2}.*\? lost: not readable/m);
    assert.ok(widest(out) <= 80);
  });

  it("tells a lost head, and that nothing older is believed", async () => {
    const door = livelyDoor();
    wear(door, 4000, () => dice.below(1000));
    const head = (door.lock.parts.table.log.newest - 1) % 48;
    const path = imageOf(door, (bytes) => ruinBlock(bytes, head));
    const { code, out, state, problems } = await look(path);
    assert.equal(code, 1);
    checkPicture(out, state);
    assert.equal(state.sectors[head].state, "lost");
    assert.deepEqual(state.damage.blocks, [head]);
    for (const name of ["claim", "keyset", "time"]) assert.ok(state.damage.states.includes(name), name);
    assert.deepEqual([state.slots.damaged, state.space.lives], [state.slots.used, state.space.living.acks]);
    assert.ok(
      problems.includes("the claim is lost: the lock opens for nobody until it is provisioned again"),
    );
  });

  it("tells lost values by name, as the lock then behaves", async () => {
    const door = livelyDoor();
    const { places } = door.lock.parts.table;
    const path = imageOf(door, (bytes) => {
      for (const place of [places.states[1], places.states[2], places.schedules[1], places.settings[1]])
        ruinRecord(bytes, place);
    });
    const { out, code, state } = await look(path);
    assert.equal(code, 1);
    const { schedules, settings, states } = state.damage;
    assert.deepEqual(
      { schedules, settings, states },
      { schedules: [1], settings: ["zone"], states: ["claim", "keyset"] },
    );
    assert.match(out, /^ {2}claim +lost$/m);
    assert.match(out, /^ {2}copies +claim lost, keyset lost, time 1, heard 1, lockout 1$/m);
    for (const text of [
      "schedule 1 is damaged: its slots are denied until it is put again",
      "the setting zone is lost: slots with a schedule are denied until the zone is",
      "the claim is lost: the lock opens for nobody until it is provisioned again",
      "the keyset is lost: the lock takes nothing of any issuer until it is",
    ])
      assert.ok(out.includes(`\n  ${text}`), text);
    assert.ok(widest(out) <= 80);
    bootFrom(door, unpackImage(readFileSync(path)));
    assert.equal(door.type(PINS.resident), "unknown");
    assert.throws(() => door.apply(door.pin(9, "975314")), /bundle: /);
  });

  it("C10 tells whose use is forgotten, and denies those that depend on it", async () => {
    const door = livelyDoor();
    const place = door.lock.parts.table.places.usage[0];
    wear(door, 1, () => 20);
    const { out, state } = await look(imageOf(door, (bytes) => ruinRecord(bytes, place)));
    assert.deepEqual(state.damage.usage, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(state.damage.slots, [4, 5, 6]);
    assert.match(out, /what was known of the use of these slots is lost: 0–7$/m);
  });

  it("tells how many copies of the lock's own values can be read", async () => {
    const door = new Door({ profile: L500I });
    const copies = async (spoil?: (bytes: Uint8Array) => void): Promise<unknown> => {
      const { code, state } = await look(imageOf(door, spoil));
      return [code, Object.fromEntries(state.states.map((one) => [one.name, one.copies]))];
    };
    assert.deepEqual(await copies(), [0, { claim: 1, keyset: 1, time: 1 }]);
    wear(door, 100, (update) => update % 10);
    assert.deepEqual(await copies(), [0, { claim: 2, keyset: 2, time: 2 }]);
    const { places } = door.lock.parts.table;
    const spoil = (bytes: Uint8Array): void => ruinRecord(bytes, places.states[1]);
    assert.deepEqual(await copies(spoil), [1, { claim: 1, keyset: 2, time: 2 }]);
  });

  it("S9 tells a rebase under way, how much of it is staged, and when it must begin again", async () => {
    const door = livelyDoor();
    const { table } = door.lock.parts;
    assert.ok(table.rebase.begin({ epoch: 4_294_967_295, base: 0, print: new Uint8Array(8) }));
    for (const slot of [0, 3, 4]) {
      assert.equal(table.load(slot), "ok");
      assert.equal(table.rebase.slot(table.entry), "staged");
    }
    assert.equal(table.rebase.setting(2, Uint8Array.of(2)), "staged");
    const whole = await look(imageOf(door));
    assert.equal(whole.code, 0);
    const staged = { epoch: 4_294_967_295, slots: 3, schedules: 0, settings: 1 };
    assert.deepEqual(whole.state.rebase, { ...staged, lost: 0 });
    assert.equal(whole.state.space.living.staged, 3 * 48 + 16);
    assert.match(
      whole.out,
      /rebase +to epoch 4294967295, under way\n +3 slots, 0 schedules, 1 setting staged$/m,
    );
    const place = table.rebase.staged?.slots[3] ?? 0;
    const spoilt = await look(imageOf(door, (bytes) => ruinRecord(bytes, place)));
    assert.equal(spoilt.code, 1);
    assert.deepEqual(spoilt.state.rebase, { ...staged, slots: 2, lost: 1 });
    assert.match(spoilt.out, /1 record of the rebase under way lost: it must begin again$/m);
    assert.ok(table.rebase.commit());
    assert.equal((await look(imageOf(door))).state.rebase, null);
  });

  it("L5 tells which events are lost", async () => {
    const door = new Door({ profile: L500I });
    for (let attempt = 0; attempt < 400; attempt++) {
      door.type(PINS.resident);
      door.now += 3600;
      door.lock.tick();
    }
    const sound = await look(imageOf(door));
    const { first, last } = sound.state.events.sectors[1];
    const path = imageOf(door, (bytes) => {
      const begin = IDENTITY_BYTES + L500I.credentialBytes + SECTOR;
      bytes.fill(0, begin, begin + SECTOR);
    });
    const { code, out, state, problems } = await look(path);
    assert.equal(code, 1);
    assert.equal(state.events.sectors[1].state, "lost");
    assert.deepEqual(state.events.kept.missing, [{ first, last }]);
    assert.deepEqual(problems, [`events ${first}–${last} are lost`]);
    assert.match(out, new RegExp(`missing: ${first}–${last}$`, "m"));
  });

  it("fits 80 columns, and colours add nothing to what the characters say", async () => {
    const door = livelyDoor();
    wear(door, 4000, () => dice.below(1000));
    const path = imageOf(door, (bytes) => {
      ruinBlock(bytes, 30);
      for (let slot = 0; slot < 1000; slot += 9) ruinRecord(bytes, door.lock.parts.table.index.place(slot));
    });
    const plain = await run(["inspect", path, "--slots"]);
    const coloured = await run(["inspect", path, "--slots"], "", true);
    assert.equal(plain.code, 1);
    assert.ok(widest(plain.out) <= 80);
    assert.doesNotMatch(plain.out, / $/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is an escape sequence
    assert.equal(coloured.out.replace(/\x1b\[\d+m/g, ""), plain.out);
  });
});
