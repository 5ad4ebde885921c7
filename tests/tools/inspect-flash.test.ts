// `tumbler inspect`, what it shows of the flash: pictures are read back and held against what the board counted, what the lock's own
// housekeeping writes, and what was ruined.

import assert from "node:assert/strict";
import { Record, recordType } from "../../firmware/core/storage/records";
import { FaultyNor } from "../../simulator/board/faulty-nor";
import { IDENTITY_BYTES } from "../../simulator/board/image";
import type { State } from "../../tools/inspection/inspection";
import { livingBySector, sumOf } from "../../tools/inspection/space";
import { Dice, SEED } from "../support/dice";
import { Door, L500I, LOCK_1000 } from "../support/door";
import { bootWith, eventsIn } from "../support/door-faults";
import { look, put, readPicture, ruinBlock, ruinRecord, SECTOR, section, wear } from "./inspect-support";
import { livelyDoor, ownFolder, PINS, run, widest, writeImage } from "./support";

const CREDENTIALS = "Credentials, ";

describe(`tumbler inspect: the flash (SEED=${SEED})`, () => {
  const at = ownFolder();
  let images = 0;
  const dice = new Dice();

  const imageOf = (door: Door, spoil?: (bytes: Uint8Array) => void): string =>
    writeImage(at(`${++images}.img`), door, spoil);

  /** What a column must show: what there is at all shows, if only a little. */
  function columnOf({ state, live, dead, used }: State["sectors"][number]): string {
    const rows = 8;
    const height = (bytes: number): number => Math.ceil((bytes * rows) / SECTOR);
    if (state === "ready") return ".".repeat(rows);
    if (state === "free") return ":".repeat(rows);
    if (state === "bad" || state === "lost") return "?".repeat(rows);
    const filled = height(state === "head" ? live + dead : used);
    const column = "#".repeat(height(live)).padEnd(filled, "-");
    return state === "head" ? column.padEnd(rows, ".") : column;
  }

  function checkPicture(out: string, state: State): void {
    const columns = readPicture(out, CREDENTIALS);
    assert.equal(columns.length, state.sectors.length);
    for (const [i, column] of columns.entries()) {
      const sector = state.sectors[i];
      const { block, erases } = sector;
      const wanted = { fill: columnOf(sector), state: sector.state, erases, block };
      assert.deepEqual(column, wanted, `block ${block}`);
    }
  }

  for (const profile of [LOCK_1000, L500I]) {
    it(`tells a worn lock sector by sector after 20,000 updates, ${profile.name}`, async () => {
      const door = new Door({ profile });
      wear(door, 20_000, (update) => (update < profile.slots ? update : dice.below(profile.slots)));
      const { out, code, state, problems } = await look(imageOf(door));
      assert.deepEqual([code, problems], [0, []]);
      checkPicture(out, state);
      const { sectorErases, bytes } = door.board.credentials;
      assert.deepEqual(
        state.sectors.map(({ erases }) => erases),
        [...sectorErases],
      );
      const { log } = door.lock.parts.table;
      for (const { block, number, used, fill } of state.sectors) {
        assert.equal((number - 1) % state.sectors.length, block);
        const sector = bytes.subarray(block * SECTOR, (block + 1) * SECTOR);
        assert.equal(used, sector.findLastIndex((byte) => byte !== 0xff) + 1);
        assert.equal(fill, used / SECTOR);
      }
      const heads = state.sectors.filter((sector) => sector.state === "head");
      assert.deepEqual(
        heads.map(({ number }) => number),
        [log.newest],
      );
      const [least, most] = [Math.min(...sectorErases), Math.max(...sectorErases)];
      assert.deepEqual([state.wear.least, state.wear.most, state.wear.spread], [least, most, most - least]);
      assert.equal(state.wear.share, most / 100_000);
      const times = least === most ? `${most}` : `${least} to ${most}`;
      const share = `${Number((most / 1000).toPrecision(2))} % of the 100,000 that a block takes`;
      assert.match(
        out,
        new RegExp(`^ {2}wear: erased ${times} times, spread ${most - least}; ${share}$`, "m"),
      );
    });

    it(`counts as living what a compaction writes again, ${profile.name}`, () => {
      const door = livelyDoor({ profile });
      let written = 0;
      // The log's own records, and states: of these housekeeping also makes the copies that were not due before.
      const own: readonly number[] = [Record.moved, Record.blank, Record.keys, Record.state];
      bootWith(door, {
        credentials: new FaultyNor(door.board.credentials, {
          onOperation: ({ bytes }) => {
            const isHeader = bytes?.[0] === 0x54 && bytes[1] === 0x4d;
            if (bytes !== undefined && !isHeader && !own.includes(recordType(bytes, 0)))
              written += bytes.length;
          },
        }),
      });
      const { table } = door.lock.parts;
      let compactions = 0;
      for (let update = 0; compactions < 60; update++) {
        const slot = dice.below(profile.slots);
        if (put(door, slot) && update % 16 > 0) continue;
        const { oldest } = table.log;
        const living = livingBySector(table).get(oldest);
        written = 0;
        table.maintain();
        if (table.log.oldest === oldest) continue;
        compactions++;
        const wanted = living === undefined ? 0 : sumOf(living) - living.states;
        assert.equal(written, wanted, `sector ${oldest}`);
      }
    });

    it(`divides all space into what lives, what is dead and what is erased, ${profile.name}`, async () => {
      const door = livelyDoor({ profile });
      for (const updates of [0, 40, 3000]) {
        wear(door, updates, () => dice.below(profile.slots));
        const { out, state } = await look(imageOf(door));
        const { bytes, lives, living, dead, room, reserve, toErase } = state.space;
        assert.equal(bytes, profile.credentialBytes);
        assert.equal(lives + dead + room + reserve + toErase, bytes);
        assert.equal(sumOf(living), lives);
        assert.equal(
          state.sectors.reduce((sum, { live }) => sum + live, 0),
          lives,
        );
        const [bar, , ...rows] = section(out, "Space for credentials");
        assert.equal(bar.length, 78);
        const parts = [...bar.matchAll(/(\S)\1*/g)].map(([run, glyph]) => [glyph, run.length] as const);
        const sizes = { "#": lives, "-": dead, ".": room, r: reserve, ":": toErase };
        for (const [glyph, length] of parts) {
          const exact = (sizes[glyph as keyof typeof sizes] / bytes) * 76;
          assert.ok(Math.abs(length - exact) <= 3, `${glyph} ${length} for ${exact}`);
        }
        for (const [glyph, size] of Object.entries(sizes)) {
          assert.equal(
            parts.some(([other]) => other === glyph),
            size > 0,
          );
          const row = rows.find((line) => line.startsWith(`  ${glyph}  `)) ?? "";
          assert.ok(row.includes(` ${size.toLocaleString("en-US")} `), row);
        }
      }
    });

    it(`tells how many puts are taken before housekeeping, ${profile.name}`, async () => {
      const door = new Door({ profile });
      wear(door, 2000, () => dice.below(profile.slots));
      const { out, state } = await look(imageOf(door));
      assert.match(out, new RegExp(`room for about ${state.space.puts} puts as it is$`, "m"));
      let taken = 0;
      while (put(door, taken % profile.slots)) taken++;
      assert.ok(
        taken <= state.space.puts && taken >= state.space.puts - 4,
        `${taken} of ${state.space.puts}`,
      );
    });
  }

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
    assert.deepEqual(state.damage.states, ["claim", "keyset", "time"]);
    assert.deepEqual([state.slots.damaged, state.space.lives], [state.slots.used, state.space.living.acks]);
    assert.ok(
      problems.includes("the claim is lost: the lock opens for nobody until it is provisioned again"),
    );
  });

  it("tells a block that was left out from a sector that is lost", async () => {
    const door = new Door({ profile: L500I });
    const faulty = new FaultyNor(door.board.credentials, { sectors: [{ kind: "program-error", sector: 2 }] });
    bootWith(door, { credentials: faulty });
    const { log } = door.lock.parts.table;
    // Until number 3, which would stand in block 2, is behind the head and not yet compacted away.
    while (log.newest < 4) wear(door, 1, () => 0);
    assert.ok(log.oldest <= 2);
    const { code, out, state } = await look(imageOf(door));
    assert.equal(code, 0);
    checkPicture(out, state);
    assert.equal(state.sectors[2].state, "bad");
    assert.deepEqual(state.damage.blocks, []);
    assert.match(out, /bad: left out/);
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
    assert.match(out, /^ {2}copies +claim lost, keyset lost, time 1$/m);
    for (const text of [
      "schedule 1 is damaged: its slots are denied until it is put again",
      "the setting zone is lost: slots with a schedule are denied until the zone is",
      "the claim is lost: the lock opens for nobody until it is provisioned again",
      "the keyset is lost: the lock takes nothing of any issuer until it is",
    ])
      assert.ok(out.includes(`\n  ${text}`), text);
    assert.ok(widest(out) <= 80);
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
    assert.ok(table.rebase.begin(4_294_967_295));
    for (const slot of [0, 3, 4]) {
      assert.equal(table.load(slot), "ok");
      assert.ok(table.rebase.slot(table.entry));
    }
    assert.ok(table.rebase.setting(2, Uint8Array.of(2)));
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

  it("L2 tells which events are kept, sector by sector, and how often each was erased", async () => {
    for (const profile of [LOCK_1000, L500I]) {
      const door = new Door({ profile });
      const attempts = profile === L500I ? 1000 : 200;
      for (let attempt = 0; attempt < attempts; attempt++) {
        door.type(PINS.resident);
        door.now += 3600;
        door.lock.tick();
      }
      const { out, state, code } = await look(imageOf(door));
      assert.equal(code, 0);
      const seqs = eventsIn(door).map(({ seq }) => seq);
      const { kept, sectors, wear: worn } = state.events;
      const range = { first: seqs[0], last: seqs.at(-1) };
      assert.deepEqual(kept, { count: seqs.length, ...range, missing: [] });
      assert.match(
        out,
        new RegExp(`kept: ${seqs.length} events, ${range.first} to ${range.last}; none missing$`, "m"),
      );
      assert.equal(
        sectors.reduce((sum, { events }) => sum + events, 0),
        seqs.length,
      );
      const { sectorErases } = door.board.events;
      assert.deepEqual(
        sectors.map(({ erases }) => erases),
        [...sectorErases],
      );
      assert.equal(worn.most, Math.max(...sectorErases));
      const [head] = sectors.filter((sector) => sector.state === "head");
      assert.equal(head.last, kept.last);
      assert.deepEqual(
        readPicture(out, `Events, ${sectors.length}`).map(({ fill, ...rest }) => ({
          ...rest,
          full: fill.split("#").length - 1,
        })),
        sectors.map(({ block, erases, state: is, fill }) => ({
          block,
          erases,
          state: is,
          full: is === "head" || is === "live" ? Math.ceil(fill * 4) : 0,
        })),
      );
    }
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
