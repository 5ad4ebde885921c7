// Civil dates against Date, for every day that a lock can meet (rule T15).

import assert from "node:assert/strict";
import {
  dateOfDay,
  dayOfDate,
  dayOfYearStart,
  daysInMonth,
  floorMod,
  isLeapYear,
  weekdayOfDay,
  yearOfDay,
} from "../../../protocol/wire/civil";

const DAY_MS = 86_400_000;

describe("T15 civil dates", () => {
  it("agree with the platform's calendar on every day from 1969 to 2107", () => {
    for (let day = -365; day < 137 * 366; day++) {
      const date = new Date(day * DAY_MS);
      const expected = {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        dayOfMonth: date.getUTCDate(),
      };
      assert.deepEqual(dateOfDay(day), expected);
      assert.equal(dayOfDate(expected.year, expected.month, expected.dayOfMonth), day);
      assert.equal(yearOfDay(day), expected.year);
      assert.equal(weekdayOfDay(day), date.getUTCDay());
    }
  });

  it("know the first and last day of every year from 1601 to 2800", () => {
    for (let year = 1601; year <= 2800; year++) {
      const start = Date.UTC(year, 0, 1) / DAY_MS;
      assert.equal(dayOfYearStart(year), start);
      assert.equal(yearOfDay(start), year);
      assert.equal(yearOfDay(start - 1), year - 1);
    }
  });

  it("know leap years: 2000, 2024 and 2104, and neither 2023 nor 2100", () => {
    assert.deepEqual([2000, 2024, 2104, 2023, 2100].map(isLeapYear), [true, true, true, false, false]);
    assert.deepEqual(
      [2000, 2024, 2104, 2023, 2100].map((year) => daysInMonth(year, 2)),
      [29, 29, 29, 28, 28],
    );
    assert.deepEqual(dateOfDay(dayOfDate(2100, 2, 28) + 1), { year: 2100, month: 3, dayOfMonth: 1 });
  });

  it("know the days of every month", () => {
    for (const year of [2023, 2024])
      for (let month = 1; month <= 12; month++)
        assert.equal(daysInMonth(year, month), new Date(Date.UTC(year, month, 0)).getUTCDate());
  });

  it("give remainders the sign of the divisor", () => {
    assert.deepEqual(
      [-8, -7, -1, 0, 6, 7].map((value) => floorMod(value, 7)),
      [6, 0, 6, 0, 6, 0],
    );
  });
});
