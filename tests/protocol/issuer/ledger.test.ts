// The ledger against model locks: whatever is delivered, twice, late or never, in the end the issuer knows of each delta exactly once
// what the lock did.

import { strict as assert } from "node:assert";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { Code } from "../../../protocol/wire/codes";
import { Flag } from "../../../protocol/wire/entry";
import { hex } from "../../support/cbor";
import { deltasIn } from "./model-lock";
import { PINS as ALL_PINS, Rig } from "./rig";

const MINUTE = 60;
/** Bounds shrinking too, so that the seed is printed before the test is given up. */
const LIMIT_MS = 50_000;
const PINS = ALL_PINS.slice(0, 400);
/** One for each person, of which none is a PIN of anybody. */
const DURESS_PINS = ALL_PINS.slice(400, 424);

/** What a courier's day may bring. */
type Act =
  | { do: "add" | "change" | "revoke" | "regrant" | "remove" | "switch"; who: number; pick: number }
  | { do: "master" | "hours"; pick: number }
  | { do: "fetch"; most: number }
  | { do: "deliver" | "receipt"; which: number }
  | { do: "lose" | "failed" | "restart" | "reboot" | "ask" };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("add" as const), who: fc.nat(23), pick: fc.nat(999) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "change" as const,
        "revoke" as const,
        "regrant" as const,
        "remove" as const,
        "switch" as const,
      ),
      who: fc.nat(23),
      pick: fc.nat(999),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("master" as const, "hours" as const), pick: fc.nat(999) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("fetch" as const), most: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom("deliver" as const, "receipt" as const), which: fc.nat(999) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "lose" as const,
        "failed" as const,
        "restart" as const,
        "reboot" as const,
        "ask" as const,
      ),
    }),
  },
);

/** The newest in every second case, any otherwise. */
const pick = <T>(list: readonly T[], which: number): T =>
  which % 2 === 0 ? list[list.length - 1] : list[which % list.length];

/** One run: the account, what is on its way, and what was seen. */
class Run {
  readonly rig: Rig;
  readonly bundles: Uint8Array[] = [];
  receipts: Uint8Array[] = [];
  /** The bytes that were signed for each position. */
  readonly signed = new Map<number, string>();
  /** How often each position was answered. */
  readonly answered = new Map<number, number>();

  constructor(rig: Rig) {
    this.rig = rig;
  }

  async fetch(most: number): Promise<void> {
    for (const bundle of await this.rig.bundles("main", most)) {
      const { first, deltas } = deltasIn(bundle);
      deltas.forEach((delta, i) => {
        const known = this.signed.get(first + i) ?? hex(delta);
        assert.equal(hex(delta), known, `two contents at ${first + i}`);
        this.signed.set(first + i, known);
      });
      this.bundles.push(bundle);
    }
  }

  deliver(bundle: Uint8Array): void {
    const answer = this.rig.model().bundle(bundle, this.rig.issuer.signers.issuer.publicKey);
    if (typeof answer === "number") assert.equal(answer, Code.gap);
    else this.receipts.push(answer);
  }

  async take(receipt: Uint8Array): Promise<void> {
    const taken = await this.rig.issuer.receive(this.rig.id(), receipt);
    assert.ok(taken.refused === undefined);
    assert.deepEqual(taken.alarms, []);
    for (const { seq } of taken.outcomes) this.answered.set(seq, (this.answered.get(seq) ?? 0) + 1);
  }

  async person(kind: "add" | "change" | "regrant", who: number, pick: number): Promise<void> {
    const { issuer, now } = this.rig;
    const taken = new Set([...issuer.directory.people.values()].map(({ row }) => row.pin));
    const free = PINS.filter((pin) => !taken.has(pin));
    const own = issuer.directory.people.get(`p${who}`)?.row.pin;
    const grantor = who > 0 && pick % 3 === 0 ? `p${pick % who}` : "";
    const cells = {
      person: `p${who}`,
      name: "",
      role: pick % 2 === 0 ? "team" : "guest",
      keys: pick % 11 === 0 ? "" : "all",
      // From a few, so that a PIN goes from one to the other, and to the master.
      pin: pick % 5 < 2 && own !== undefined ? own : free[pick % (pick % 5 === 2 ? 10 : free.length)],
      card: pick % 4 === 0 ? `c0ffee${String(10 + who)}` : "",
      start: "2027-01-01",
      end: `2028-01-${String(10 + (pick % 20))}`,
      schedule: ["", "day", "night", "same-as-day"][pick % 4],
      uses: pick % 7 === 0 ? "3" : "",
      grantor: issuer.directory.people.get(grantor)?.revoked === false ? grantor : "",
      capabilities: pick % 6 === 0 ? "grant" : "",
      "duress-pin": pick % 9 === 0 ? DURESS_PINS[who] : "",
      "first-use-hours": pick % 8 === 0 ? "24" : "",
      "minutes-after-first-use": pick % 10 === 0 ? String(1 + pick) : "",
      dual: pick % 13 === 0 ? "yes" : "",
      notify: pick % 3 === 1 ? "yes" : "no",
    };
    if (kind === "add") await issuer.addPerson(cells, now);
    if (kind === "change") await issuer.changePerson(cells, now);
    if (kind === "regrant") await issuer.regrant(cells, now);
  }

  /** A master that nobody has, or that somebody had; refused by the issuer where somebody still has it. */
  async master(pick: number): Promise<void> {
    const { issuer } = this.rig;
    const pin = pick % 4 === 0 ? undefined : PINS[pick % 12];
    const live = [...issuer.directory.people.values()].filter(({ revoked }) => !revoked);
    const isTaken = live.some(({ row }) => row.pin === pin && row.keys.length > 0);
    if (isTaken) await assert.rejects(issuer.settings.setMaster("main", pin), RangeError);
    else await issuer.settings.setMaster("main", pin);
  }

  async hours(pick: number): Promise<void> {
    const schedule = ["day", "night", "same-as-day", undefined][pick % 4];
    const hours =
      schedule === undefined ? undefined : { schedule, firstIn: pick % 3 === 0, graceMinutes: 10 };
    await this.rig.issuer.settings.setHours("main", hours);
  }

  async act(step: Act): Promise<void> {
    const { rig } = this;
    const exists = "who" in step && rig.issuer.directory.people.has(`p${step.who}`);
    switch (step.do) {
      case "add":
      case "change":
      case "regrant":
        return this.person(step.do, step.who, step.pick);
      case "revoke":
        return exists ? rig.issuer.revoke(`p${step.who}`) : undefined;
      case "remove":
        return exists ? rig.issuer.remove(`p${step.who}`) : undefined;
      case "switch":
        return exists ? rig.issuer.switchPerson(`p${step.who}`, step.pick % 2 === 0) : undefined;
      case "master":
        return this.master(step.pick);
      case "hours":
        return this.hours(step.pick);
      case "fetch":
        return this.fetch(step.most);
      case "deliver":
        if (this.bundles.length > 0) this.deliver(pick(this.bundles, step.which));
        return;
      case "receipt":
        if (this.receipts.length > 0) await this.take(pick(this.receipts, step.which));
        return;
      case "lose":
        this.receipts = [];
        return;
      case "failed":
        return rig.issuer.attemptFailed(rig.id());
      case "restart": {
        const before = rig.report();
        await rig.reopen();
        assert.deepEqual(rig.report(), before);
        return;
      }
      case "reboot":
        rig.model().reboot();
        return;
      case "ask":
        await this.take(rig.model().receipt(rig.report().acknowledged + 1));
        return;
    }
  }

  /** Good weather: everything is carried until nothing is left. */
  async settle(): Promise<void> {
    for (let round = 0; round < 200 && !this.rig.report().isSettled; round++) {
      await this.fetch(2);
      for (const bundle of this.bundles.splice(0)) this.deliver(bundle);
      this.receipts.push(this.rig.model().receipt(this.rig.report().acknowledged + 1));
      for (const receipt of this.receipts.splice(0)) await this.take(receipt);
    }
  }

  check(): void {
    const { rig } = this;
    const report = rig.report();
    const { state } = rig.model();
    assert.equal(report.isSettled, true);
    assert.deepEqual(report.alarms, []);
    assert.equal(report.digest, hex(rig.model().digest()));
    assert.equal(state.applied, report.signed);
    const positions = Array.from({ length: report.signed }, (_, i) => i + 1);
    assert.deepEqual(
      [...this.answered].sort(([a], [b]) => a - b),
      positions.map((seq) => [seq, 1]),
    );
    for (const { setting, state: standing } of report.settings) assert.equal(standing, "confirmed", setting);
    const { master, lock, hours } = rig.issuer.directory.door("main");
    const mac = createHmac("sha256", lock?.keys.pinKey ?? "").update(`\x01${master}`);
    assert.equal(rig.model().master, master ? mac.digest("hex").slice(0, 24) : "");
    const windows = state.schedules.get(Number.parseInt((state.settings.get(7) ?? "00").slice(0, 2), 16));
    assert.deepEqual(windows?.[0].slice(1), HOURS[hours?.schedule ?? ""]);
    const failed = new Set<string>();
    for (const { who, state: standing, code, isWanted } of report.credentials) {
      assert.ok(standing === "confirmed" || standing === "failed", `${who} ${standing}`);
      assert.ok(isWanted, `${who} is still known`);
      if (standing === "failed") failed.add(who);
      if (code !== undefined) assert.ok(code === Code.capacity || code === Code.unsupported, String(code));
    }
    const expected: string[] = [];
    for (const [handle, { row, revoked, off }] of rig.issuer.directory.people) {
      if (revoked || row.keys.length === 0) continue;
      const held = [...state.slots.values()].filter(
        ({ fields }) => rig.issuer.directory.door("main").handles.get(fields.get(4) as number) === handle,
      );
      if (off) for (const { disabled } of held) assert.ok(disabled, `${handle} is off`);
      else if (!failed.has(handle)) {
        const isFor = (flag: number) => held.filter(({ fields }) => num(fields.get(14)) & flag).length;
        assert.equal(held.length, [row.pin, row.card, row.duressPin].filter((one) => one !== "").length);
        assert.equal(isFor(Flag.duress), row.duressPin === "" ? 0 : 1);
        assert.equal(isFor(Flag.dual), row.dual ? held.length : 0);
        assert.equal(isFor(Flag.notify), row.notify ? held.length : 0);
        for (const { fields } of held) {
          assert.equal(num(fields.get(11)), row.minutesAfterFirstUse);
          assert.equal(num(fields.get(12)), row.firstUseHours);
        }
        for (const { disabled } of held) assert.ok(!disabled);
      }
      if (held.length > 0) expected.push(...held.map(() => handle));
    }
    assert.deepEqual(rig.inside(), expected.sort());
  }
}

const num = (value: unknown): number => (value as number | undefined) ?? 0;

/** Start and duration of the first window of each schedule. */
const HOURS: Readonly<Record<string, number[]>> = {
  day: [480, 600],
  night: [1200, 600],
  "same-as-day": [480, 600],
};

const SCHEDULES = `schedule,days,start,end
day,mon-fri,08:00,18:00
night,daily,20:00,06:00
same-as-day,mon-fri,08:00,18:00`;

async function run(slots: number, acts: readonly Act[]): Promise<void> {
  const people = Array.from({ length: 9 }, (_, i) => `p${i},,team,all,${PINS[399 - i]},,,,day,,,`);
  const rig = await Rig.make({ doors: { main: slots }, schedules: SCHEDULES, people: people.join("\n") });
  const one = new Run(rig);
  for (const step of acts) {
    rig.now += MINUTE;
    await one.act(step);
  }
  await one.settle();
  one.check();
}

describe("S2, S3, K1–K5 the ledger, under any delivery", () => {
  it("learns of each delta exactly once, and the lock ends as wanted", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 120 }), (acts) => run(1000, acts)),
      { numRuns: 10, interruptAfterTimeLimit: LIMIT_MS },
    );
  }).timeout(60_000);

  it("does so at a lock of ten slots that is too small", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 60, maxLength: 160 }), (acts) => run(10, acts)),
      { numRuns: 8, interruptAfterTimeLimit: LIMIT_MS },
    );
  }).timeout(60_000);
});
