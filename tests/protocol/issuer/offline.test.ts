// Offline codes that an issuer denies (rule C23): the bytes that the lock is told, what falls out of the list by itself, and what is too much.

import { strict as assert } from "node:assert";
import {
  deniedIn,
  isOver,
  OFFLINE_KIND_NAMES,
  offlineCodeOn,
  offlineText,
} from "../../../protocol/issuer/offline";
import { type OfflineCode, OfflineKind, Setting } from "../../../protocol/wire/settings";
import { intlOffset } from "../../../tools/zone";
import { NOW, Rig } from "./rig";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const { day, minutes, once, week } = OfflineKind;

/** A code on a date of March 2027, whose first day is a Monday. */
const march = (kind: number, index: number, dayOfMonth: number): OfflineCode =>
  offlineCodeOn(kind, index, { year: 2027, month: 3, dayOfMonth });

/** What the lock at "main" has been told. */
async function told(rig: Rig): Promise<string | undefined> {
  await rig.sync();
  return rig.model().state.settings.get(Setting.offlineDenied);
}

describe("C23 offline codes that an issuer denies", () => {
  it("go to the lock as their numbers, in order however they came, and as one byte when none is left", async () => {
    const rig = await Rig.make();
    const { settings } = rig.issuer;
    const denied = [march(week, 7, 4), march(day, 0, 2), march(once, 3, 1), march(minutes, 0, 1)];
    const texts = [];
    for (const code of denied) {
      await settings.denyOffline("main", code, NOW);
      texts.push(await told(rig));
    }
    // 1 March 2027 is day 518e in hexadecimal.
    assert.deepEqual(texts, ["1f518e", "00518f1f518e", "00518f13518e1f518e", "00518f08518e13518e1f518e"]);
    const { length } = rig.store.records;
    await settings.denyOffline("main", denied[1], NOW);
    assert.equal(rig.store.records.length, length, "nothing new");
    for (const code of denied) await settings.allowOffline("main", code, NOW);
    assert.equal(await told(rig), "00");
    assert.ok(rig.report().isSettled);
  });

  it("are none where nobody ever denied one", async () => {
    const rig = await Rig.make();
    await rig.issuer.settings.allowOffline("main", march(day, 0, 2), NOW);
    assert.equal(await told(rig), undefined);
  });

  it("are at most eight that are not over; the ninth is told which there are and what to do", async () => {
    const rig = await Rig.make();
    const { settings } = rig.issuer;
    for (let index = 0; index < 8; index++) await settings.denyOffline("main", march(day, index, 1), NOW);
    await assert.rejects(settings.denyOffline("main", march(once, 0, 2), NOW), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(
        error.message,
        /keeps 8 denied .* day 0 of 2027-03-01, .*day 7 of 2027-03-01; wanted room for once 0 of 2027-03-02: allow one/,
      );
      return true;
    });
    assert.equal((await told(rig))?.length, 8 * 6);
    await settings.allowOffline("main", march(day, 5, 1), NOW);
    await settings.denyOffline("main", march(once, 0, 2), NOW);
    assert.equal((await told(rig))?.slice(-6), "10518f");
    await settings.denyOffline("main", march(once, 1, 3), NOW + 2 * DAY_S);
    assert.equal(await told(rig), "10518f115190", "what was over made room");
  });

  it("fall out by themselves with the next change, and never before their window is over", async () => {
    const rig = await Rig.make();
    const { settings } = rig.issuer;
    await settings.denyOffline("main", march(day, 0, 1), NOW);
    await settings.denyOffline("main", march(week, 0, 1), NOW);
    const { zone } = rig.issuer.directory.door("main").row;
    const midnight = NOW + DAY_S - intlOffset(zone, NOW + DAY_S);
    await settings.denyOffline("main", march(once, 0, 9), midnight);
    assert.equal(await told(rig), "00518e10519618518e", "a clock that is set back may show that date again");
    await settings.allowOffline("main", march(once, 0, 9), midnight + 3 * HOUR_S);
    assert.equal(await told(rig), "18518e");
    await settings.allowOffline("main", march(once, 0, 9), midnight + 7 * DAY_S);
    assert.equal(await told(rig), "00");
  });

  it("are not over already, and belong to a door that there is", async () => {
    const rig = await Rig.make();
    const { settings } = rig.issuer;
    await assert.rejects(
      settings.denyOffline("main", march(day, 2, 1), NOW + 2 * DAY_S),
      /day 2 of 2027-03-01 at main: it is over/,
    );
    for (const change of [settings.denyOffline, settings.allowOffline])
      await assert.rejects(change.call(settings, "attic", march(day, 2, 1), NOW), /none of this name/);
    assert.equal(await told(rig), undefined);
  });

  it("stay denied at the lock that the door gets next", async () => {
    const rig = await Rig.make();
    await rig.issuer.settings.denyOffline("main", march(day, 2, 1), NOW);
    await rig.bind("main", 1000, 2);
    assert.equal(await told(rig), "02518e");
  });
});

describe("C23 the window of an offline code", () => {
  it("is over with the last of its dates by the clock at the door, three hours late", () => {
    const zones = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Europe/Berlin"];
    for (const zone of zones)
      for (const [code, end] of [
        [march(day, 0, 14), 14],
        [march(minutes, 0, 14), 14],
        [march(once, 0, 28), 28],
        [march(week, 0, 3), 7],
      ] as const) {
        const noon = NOW + (end - 1) * DAY_S + DAY_S / 2;
        let first = noon;
        while (!isOver(code, zone, intlOffset, first)) first += 900;
        const wall = new Date((first - 3 * HOUR_S) * 1000);
        const text = wall.toLocaleString("sv-SE", { timeZone: zone });
        assert.equal(text, `2027-03-${String(end + 1).padStart(2, "0")} 00:00:00`, zone);
      }
  });

  it("has a name in few words, a week that of its Monday", () => {
    assert.deepEqual(
      [day, minutes, once, week].map((kind) => offlineText(march(kind, 3, 7))),
      ["day 3 of 2027-03-07", "minutes 3 of 2027-03-07", "once 3 of 2027-03-07", "week 3 of 2027-03-01"],
    );
    assert.deepEqual(OFFLINE_KIND_NAMES, ["day", "minutes", "once", "week"]);
    assert.deepEqual(deniedIn(undefined), []);
    assert.deepEqual(deniedIn(Uint8Array.of(0x1f, 0x51, 0x8e)), [march(week, 7, 1)]);
  });
});
