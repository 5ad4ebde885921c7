// Access from Matter's schedules (rule T3): 23:59 is midnight, both kinds of schedule must be open, and what comes out is what went in, minute
// by minute.

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { matterAccess } from "../../../protocol/issuer/matter";
import { overlap } from "../../../protocol/issuer/windows";

const day = (daysMask: number, start: [number, number], end: [number, number]) => ({
  daysMask,
  startHour: start[0],
  startMinute: start[1],
  endHour: end[0],
  endMinute: end[1],
});
/** Seconds since 2000 of a UTC date. */
const since2000 = (year: number, month: number, date: number) =>
  (Date.UTC(year, month - 1, date) - Date.UTC(2000, 0, 1)) / 1000;

describe("T3 access as Matter says it", () => {
  it("ends at midnight for 23:59, and one minute before for 23:58", () => {
    const durations = [58, 59].map(
      (minute) => matterAccess([day(127, [22, 0], [23, minute])], [])?.windows[0],
    );
    assert.deepEqual(
      durations.map((window) => window?.duration),
      [118, 120],
    );
  });

  it("wants week and year where there are both", () => {
    const access = matterAccess(
      [day(0b0111110, [9, 0], [17, 0])],
      [{ localStartTime: since2000(2027, 3, 1), localEndTime: since2000(2027, 4, 1) }],
    );
    assert.deepEqual(access, {
      windows: [{ days: 0b0111110, start: 540, duration: 480 }],
      start: { seconds: Date.UTC(2027, 2, 1) / 1000, local: true },
      end: { seconds: Date.UTC(2027, 3, 1) / 1000, local: true },
    });
  });

  it("wants one alone where there is one, and gives nothing where there is none", () => {
    const year = [{ localStartTime: 0, localEndTime: 1 }];
    assert.deepEqual(matterAccess([], year)?.windows, []);
    const week = matterAccess([day(1, [0, 0], [0, 1])], []);
    assert.deepEqual(week, { windows: [{ days: 1, start: 0, duration: 1 }] });
    assert.equal(matterAccess([], []), undefined);
  });

  it("joins year days that touch, and refuses a gap of a second", () => {
    const [a, b] = [
      { localStartTime: 100, localEndTime: 200 },
      { localStartTime: 200, localEndTime: 300 },
    ];
    const { start, end } = matterAccess([], [b, a]) ?? {};
    assert.deepEqual([(end?.seconds ?? 0) - (start?.seconds ?? 0)], [200]);
    assert.throws(() => matterAccess([], [a, { ...b, localStartTime: 201 }]), /with gaps/);
  });

  it("refuses what is no schedule", () => {
    for (const bad of [
      day(0, [9, 0], [17, 0]),
      day(128, [9, 0], [17, 0]),
      day(1, [9, 0], [9, 0]),
      day(1, [17, 0], [9, 0]),
      day(1, [9, 60], [17, 0]),
      day(1, [9, 0], [24, 0]),
    ])
      assert.throws(() => matterAccess([bad], []), RangeError);
    for (const localEndTime of [99, 100])
      assert.throws(() => matterAccess([], [{ localStartTime: 100, localEndTime }]), /later end/);
  });

  it("takes 8 windows and not 9", () => {
    const hours = Array.from({ length: 9 }, (_, i) => day(1, [2 * i, 0], [2 * i + 1, 0]));
    assert.equal(matterAccess(hours.slice(1), [])?.windows.length, 8);
    assert.throws(() => matterAccess(hours, []), /9 windows/);
  });

  it("opens in exactly the minutes of its schedules, in windows that do not overlap", () => {
    const time = fc.tuple(fc.nat(23), fc.nat(59));
    const schedule = fc
      .record({ days: fc.integer({ min: 1, max: 127 }), a: time, b: time })
      .filter(({ a, b }) => String(a) !== String(b))
      .map(({ days, a, b }) => (a[0] * 60 + a[1] < b[0] * 60 + b[1] ? day(days, a, b) : day(days, b, a)));
    fc.assert(
      fc.property(fc.array(schedule, { minLength: 1, maxLength: 2 }), (schedules) => {
        const wanted = new Uint8Array(7 * 1440);
        for (const { daysMask, startHour, startMinute, endHour, endMinute } of schedules)
          for (let minute = 0; minute < wanted.length; minute++) {
            const end = endHour === 23 && endMinute === 59 ? 1440 : endHour * 60 + endMinute;
            const isOpen = minute % 1440 >= startHour * 60 + startMinute && minute % 1440 < end;
            if (isOpen && (daysMask >> Math.floor(minute / 1440)) & 1) wanted[minute] = 1;
          }
        const { windows } = matterAccess(schedules, []) ?? { windows: [] };
        const got = new Uint8Array(7 * 1440);
        for (const { days, start, duration } of windows)
          for (let d = 0; d < 7; d++)
            if ((days >> d) & 1) got.fill(1, d * 1440 + start, d * 1440 + start + duration);
        assert.deepEqual(got, wanted);
        assert.equal(overlap(windows), false);
      }),
      { numRuns: 200 },
    );
  });
});
