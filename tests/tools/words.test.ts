// Numbers in plain words and instants on two clocks, as tables of what is wanted.

import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { parseZone } from "../../firmware/core/calendar";
import { guessRisk } from "../../protocol/issuer/pins";
import { ascii } from "../../protocol/wire/bytes";
import { ROLE_NAMES } from "../../protocol/wire/entry";
import { columns, fields, paragraphs } from "../../tools/ui/table";
import { bothClocks, hourText, isoText, localIsoText, offsetText } from "../../tools/ui/time";
import {
  capabilityNames,
  count,
  daysText,
  durationText,
  flagNames,
  percentText,
  rolesText,
  windowText,
} from "../../tools/ui/words";

const zone = (text: string) => parseZone(ascii(text)) ?? assert.fail(text);

describe("plain words", () => {
  it("T1 name days from Monday on, runs of three and more as runs", () => {
    const cases: [string, number][] = [
      ["every day", 0b1111111],
      ["Mon–Fri", 0b0111110],
      ["Mon–Sat", 0b1111110],
      ["Sat, Sun", 0b1000001],
      ["Fri–Sun", 0b1100001],
      ["Sun", 0b0000001],
      ["Mon, Sun", 0b0000011],
      ["Mon, Tue, Thu–Sat", 0b1110110],
      ["Mon, Wed, Fri", 0b0101010],
    ];
    for (const [text, days] of cases) assert.equal(daysText(days), text);
  });

  it("T1 name windows up to midnight, over it, and of a whole day", () => {
    const cases: [string, number, number][] = [
      ["Sun 00:00–00:01", 0, 1],
      ["Sun all day", 0, 1440],
      ["Sun 09:00–24:00", 540, 900],
      ["Sun 22:00–06:00 on the day after", 1320, 480],
      ["Sun 23:59–23:59 on the day after", 1439, 1440],
      ["Sun 00:01–00:01 on the day after", 1, 1440],
    ];
    for (const [text, start, duration] of cases) assert.equal(windowText({ days: 1, start, duration }), text);
  });

  it("X7 name every flag and capability once", () => {
    assert.deepEqual(flagNames(0), []);
    assert.deepEqual(flagNames(31), ["disabled", "dual", "duress", "lease", "notify"]);
    const all = ["grant", "reset-code", "reset-lock", "read-log", "rename", "set-mode", "first-in"];
    assert.deepEqual(capabilityNames(127), all);
  });

  it("C18 give chances with two digits that count", () => {
    const cases: [string, number][] = [
      ["0 %", 0],
      ["less than 0.001 %", 1e-6],
      ["0.0073 %", 7.3e-5],
      ["0.73 %", 0.00727],
      ["52 %", 0.5184],
      ["100 %", 1],
    ];
    for (const [text, chance] of cases) assert.equal(percentText(chance), text);
    assert.equal(percentText(guessRisk(1e7, 30)), "61 %");
    assert.equal(guessRisk(1e10, 30), 1);
    assert.deepEqual([count(1, "slot"), count(0, "slot")], ["1 slot", "0 slots"]);
    assert.deepEqual(
      [1, 2].map((n) => count(n, "entry", "entries")),
      ["1 entry", "2 entries"],
    );
  });

  it("X1 give waits in the largest unit that fits", () => {
    const cases: [string, number][] = [
      ["0 s", 0],
      ["45 s", 45],
      ["1 min", 60],
      ["61 s", 61],
      ["15 min", 900],
      ["1 h", 3600],
      ["61 min", 3660],
      ["24 h", 86_400],
    ];
    for (const [text, seconds] of cases) assert.equal(durationText(seconds), text);
  });

  it("T7 name roles, and whom they leave out where that is one", () => {
    assert.equal(rolesText(ROLE_NAMES), "everybody");
    assert.equal(rolesText(ROLE_NAMES.slice(1)), "everybody but admin");
    assert.equal(rolesText(["team", "guest"]), "team, guest");
  });

  it("T8 T15 show instants by the wall and in UTC, from 1970 to 2106", () => {
    assert.equal(isoText(0), "1970-01-01T00:00:00Z");
    assert.equal(isoText(2 ** 32 - 1), "2106-02-07T06:28:15Z");
    assert.equal(isoText(4_107_542_400), "2100-03-01T00:00:00Z");
    const summer = Date.UTC(2027, 6, 1, 12) / 1000;
    assert.equal(localIsoText(zone("CET-1CEST,M3.5.0,M10.5.0/3"), summer), "2027-07-01T14:00:00+02:00");
    assert.equal(localIsoText(zone("<-0330>3:30"), summer), "2027-07-01T08:30:00-03:30");
    assert.equal(offsetText(zone("<+1245>-12:45"), summer), "+12:45");
    assert.equal(offsetText(zone("LMT-0:53:28"), summer), "+00:53:28");
    const both = "Fri 2027-07-02 00:45:00 +12:45 (2027-07-01 12:00:00 UTC)";
    assert.equal(bothClocks(zone("<+1245>-12:45"), summer), both);
    assert.equal(hourText(1440), "24:00");
  });
});

describe("tables", () => {
  const plain = pc.createColors(false);

  it("stay aligned over many rows, with wide letters and colours in them", () => {
    const { red } = pc.createColors(true);
    const rows = Array.from({ length: 200 }, (_, i) => [
      String(i),
      i === 150 ? "東京 door" : red("x"),
      `end ${i}`,
    ]);
    const lines = stripVTControlCharacters(columns(["n", "name", "last"], rows, [0], plain)).split("\n");
    assert.equal(lines.length, 202);
    assert.equal(lines[0], "    n  name       last");
    assert.equal(lines[1], "    0  x          end 0");
    assert.equal(lines[151], "  150  東京 door  end 150");
    assert.equal(lines[200], "  199  x          end 199");
  });

  it("break paragraphs at 80 columns, and leave no spaces at an end", () => {
    const text = paragraphs(["word ".repeat(40).trim(), "short"]);
    assert.equal(text.split("\n").length, 5);
    assert.ok(text.split("\n").every((line) => line.length <= 80 && !line.endsWith(" ")));
    assert.match(text, /\n {2}short\n$/);
    assert.equal(fields([["name", "one\ntwo"]], plain), "  name          one\n                two\n");
  });
});
