// `tumbler inspect`, what it shows of the flash: pictures are read back and held against what the board counted, what the lock's own
// housekeeping writes, and what was ruined.

import assert from "node:assert/strict";
import { Record, recordType } from "../../firmware/core/storage/records";
import { FaultyNor } from "../../simulator/board/faulty-nor";
import { livingBySector, sumOf } from "../../tools/inspection/space";
import { Dice, SEED } from "../support/dice";
import { Door, L500I, LOCK_1000 } from "../support/door";
import { bootWith, eventsIn } from "../support/door-faults";
import { checkPicture, look, put, readPicture, SECTOR, section, wear } from "./inspect-support";
import { livelyDoor, ownFolder, PINS, writeImage } from "./support";

describe(`tumbler inspect: the flash (SEED=${SEED})`, () => {
  const at = ownFolder();
  let images = 0;
  const dice = new Dice();

  const imageOf = (door: Door, spoil?: (bytes: Uint8Array) => void): string =>
    writeImage(at(`${++images}.img`), door, spoil);

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
      assert.ok(Math.abs(taken - state.space.puts) <= 6, `${taken} of ${state.space.puts}`);
    });
  }

  it("tells a block that was left out from a sector that is lost", async () => {
    for (const kind of ["program-error", "erase-error", "silent"] as const) {
      const door = new Door();
      const faulty = new FaultyNor(door.board.credentials, { sectors: [{ kind, sector: 20 }] });
      bootWith(door, { credentials: faulty });
      wear(door, 2000, () => dice.below(1000));
      const { code, out, state } = await look(imageOf(door));
      assert.equal(code, 0);
      checkPicture(out, state);
      assert.equal(state.sectors[20].state, "bad", kind);
      assert.deepEqual(state.damage.blocks, []);
      assert.match(out, /B bad: left out/);
    }
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
        readPicture(out, "Sectors of the events").map(({ fill, ...rest }) => ({
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
});
