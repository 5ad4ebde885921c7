// The cases of deltas.json: every operation as it is meant, and every way in which a lock refuses one, with the code that the
// specification gives it.

import { type Delta, encodeDelta, type PutDelta } from "../../protocol/issuer/encode";
import { ascii, fromHex } from "../../protocol/wire/bytes";
import { type CborValue, encode } from "../../protocol/wire/cborx";
import { Field, Op } from "../../protocol/wire/deltas";
import { ALL_CAPABILITIES, Flag, Kind, PUT_FLAGS, Role } from "../../protocol/wire/entry";
import { MAX_SEQ, MAX_U32, MAX_USES } from "../../protocol/wire/limits";
import { Mode, Setting } from "../../protocol/wire/settings";
import { card, phone, pin, SIGNERS, START } from "./bench";
import { BROKER, policyPlans, SHED, WIFI } from "./policy-cases";

/** A case as it is written down: the code is what the specification says, and the lock must agree. */
export interface Plan {
  readonly name: string;
  readonly delta: Uint8Array;
  readonly code: string;
  readonly given?: readonly Delta[];
  readonly profile?: "l500i";
  /** Send no time answer. */
  readonly isUntimed?: boolean;
  readonly notAfter?: number;
}

type Pairs = (readonly [number | string, CborValue])[];

/** A delta by its numbers. */
const raw = (op: number, ...pairs: Pairs): Uint8Array => encode([op, new Map(pairs)]);

/** A put by its numbers: the usual one with some fields changed, added, or (value undefined) left out. */
function put(...changes: (readonly [number | string, CborValue | undefined])[]): Uint8Array {
  const pairs = new Map<number | string, CborValue>([
    [Field.slot, 3],
    [Field.kind, Kind.pin],
    [Field.tag, pin(3, "135790").tag],
    [Field.digits, 6],
    [Field.user, 1003],
    [Field.role, Role.resident],
  ]);
  for (const [key, value] of changes) {
    if (value === undefined) pairs.delete(key);
    else pairs.set(key, value);
  }
  return encode([Op.put, pairs]);
}

const WEEKDAYS: Delta = {
  op: "put-schedule",
  id: 7,
  windows: [
    { days: 0x3e, start: 540, duration: 480 },
    { days: 0x40, start: 1320, duration: 480 },
  ],
};
const SLOT_3 = pin(3, "135790");
/** Everything that a put can say. */
const FULL: PutDelta = {
  ...pin(5, "0042137"),
  role: Role.guest,
  grantor: 1003,
  schedule: 7,
  start: START,
  end: START + 86_400,
  uses: 3,
  minutesAfterFirstUse: 120,
  firstUseHours: 24,
  capabilities: ALL_CAPABILITIES,
  flags: PUT_FLAGS,
};

function puts(): Plan[] {
  const plans: Plan[] = [];
  const add = (name: string, code: string, delta: Delta | Uint8Array, ...given: Delta[]) => {
    plans.push({ name, code, delta: delta instanceof Uint8Array ? delta : encodeDelta(delta), given });
  };
  add("put: a PIN", "applied", SLOT_3);
  add("put: a PIN of four digits", "applied", pin(0, "0123"));
  add("put: a PIN of ten digits", "applied", pin(999, "9876543210"));
  add("put: a card", "applied", card(4, "04a1b2c3"));
  add("put: a phone", "applied", phone(4, SIGNERS.stranger.publicKey));
  add("put: everything it can say", "applied", FULL, WEEKDAYS);
  add("put: the highest numbers", "applied", {
    ...pin(999, "135790", { user: MAX_U32, grantor: MAX_U32 - 1 }),
    role: Role.remoteOnly,
    end: MAX_U32,
    uses: MAX_USES,
    minutesAfterFirstUse: 2880,
    firstUseHours: 255,
    start: 1,
  });
  add(
    "put: fields that are 0, written out",
    "applied",
    put([Field.grantor, 0], [Field.start, 0], [Field.flags, 0], [Field.generation, 0]),
  );
  add("put: an extension", "applied", put([128, [1, [2, [3, [4]]]]]));
  add("put: for the future", "installed", { ...SLOT_3, start: START + 60, end: START + 120 });
  add("put: from this second on", "applied", { ...SLOT_3, start: START });
  add("put: over, already", "applied", { ...SLOT_3, start: START - 120, end: START - 60 });
  add("put: the same again", "unchanged", SLOT_3, SLOT_3);
  add("put: the same again, naming any generation", "unchanged", { ...SLOT_3, generation: 99 }, SLOT_3);
  add("put: other content in place of the old", "applied", { ...pin(3, "246801"), generation: 1 }, SLOT_3);
  add("put: another user with the same PIN", "applied", { ...SLOT_3, user: 77, generation: 1 }, SLOT_3);
  add("put: in place of a disabled one", "applied", { ...SLOT_3, generation: 1 }, SLOT_3, {
    op: "disable",
    slot: 3,
    generation: 1,
  });
  add("put: no generation for a full slot", "stale-generation", pin(3, "246801"), SLOT_3);
  add("put: another generation", "stale-generation", { ...pin(3, "246801"), generation: 2 }, SLOT_3);
  add("put: a generation for an empty slot", "stale-generation", { ...SLOT_3, generation: 1 });
  add("put: the PIN of another slot", "duplicate", pin(4, "135790"), SLOT_3);
  add("put: the PIN of a slot that was dropped", "applied", pin(4, "135790"), SLOT_3, {
    op: "drop",
    slot: 3,
    generation: 1,
  });
  add("put: an unknown schedule", "unknown-schedule", { ...SLOT_3, schedule: 8 }, WEEKDAYS);
  add("put: the first slot that there is not", "capacity", pin(1000, "135790"));
  add("put: the last slot that can be written", "capacity", put([Field.slot, 0xffff]));
  add("put: a slot of 17 bits", "bad-format", put([Field.slot, 0x10000]));
  add("put: kind 0", "unsupported", put([Field.kind, 0]));
  add("put: an unknown kind", "unsupported", put([Field.kind, 4]));
  add("put: an unknown kind with an unknown critical key", "unsupported", put([Field.kind, 4], [16, 1]));
  add("put: an unknown role", "unsupported", put([Field.role, 7]));
  add("put: a role of nine bits", "bad-format", put([Field.role, 256]));
  add("put: switched off", "unsupported", put([Field.flags, Flag.disabled]));
  add("put: an unknown flag", "unsupported", put([Field.flags, 32]));
  add("put: an unknown capability", "unsupported", put([Field.capabilities, 128]));
  for (const [name, key] of [
    ["slot", 0],
    ["kind", 1],
    ["tag", 2],
    ["digits", 3],
    ["user", 4],
    ["role", 5],
  ] as const)
    add(`put: without its ${name}`, "bad-format", put([key, undefined]));
  add("put: a tag of 11 bytes", "bad-format", put([Field.tag, new Uint8Array(11)]));
  add("put: a tag of 13 bytes", "bad-format", put([Field.tag, new Uint8Array(13)]));
  add("put: three digits", "bad-format", put([Field.digits, 3]));
  add("put: eleven digits", "bad-format", put([Field.digits, 11]));
  add("put: a card with digits", "bad-format", put([Field.kind, Kind.card]));
  add("put: user 0", "bad-format", put([Field.user, 0]));
  add("put: a user who is their own grantor", "bad-format", put([Field.grantor, 1003]));
  add("put: a start that is its end", "range", put([Field.start, START], [Field.end, START]));
  add("put: a start after its end", "range", put([Field.start, START + 1], [Field.end, START]));
  add("put: a guest without an end", "bad-format", put([Field.role, Role.guest], [Field.start, START]));
  add("put: a guest without a start", "bad-format", put([Field.role, Role.guest], [Field.end, START]));
  add("put: hours for a first use without a start", "bad-format", put([Field.firstUseHours, 24]));
  add("put: 256 hours for a first use", "bad-format", put([Field.start, START], [Field.firstUseHours, 256]));
  add("put: 2,881 minutes", "bad-format", put([Field.minutesAfterFirstUse, 2881]));
  add("put: 65,536 uses", "bad-format", put([Field.uses, 65_536]));
  add("put: schedule 256", "bad-format", put([Field.schedule, 256]));
  add("put: a time of 33 bits", "bad-format", put([Field.end, MAX_U32 + 1]));
  add("put: a negative time", "bad-format", put([Field.start, -1]));
  add("put: a generation of 25 bits", "bad-format", put([Field.generation, MAX_SEQ + 1]));
  add("put: an unknown critical key", "bad-format", put([16, 0]));
  add("put: a text key", "bad-format", put(["name", "Ada"]));
  return plans;
}

/** The density guard: ten PINs of four digits are all that a table takes. */
function dense(): Plan[] {
  const full = Array.from({ length: 10 }, (_, i) => pin(i, `${2000 + 7 * i}`));
  const plan = (name: string, code: string, delta: Delta): Plan => ({
    name,
    code,
    delta: encodeDelta(delta),
    given: full,
  });
  return [
    { ...plan("density: the tenth PIN of four digits", "applied", full[9]), given: full.slice(0, 9) },
    plan("density: the eleventh", "pin-too-short", pin(10, "9999")),
    plan("density: ten digits are too short as well", "pin-too-short", pin(10, "9999999999")),
    plan("density: a PIN in place of one as short", "applied", { ...pin(9, "9999"), generation: 10 }),
    plan("density: a card weighs nothing", "applied", card(10, "04a1b2c3")),
  ];
}

function changes(): Plan[] {
  const plans: Plan[] = [];
  const terms = {
    role: Role.team,
    schedule: 7,
    start: START,
    end: START + 60,
    minutesAfterFirstUse: 5,
    firstUseHours: 1,
    capabilities: 64,
    flags: Flag.lease,
  };
  const add = (name: string, code: string, delta: Delta | Uint8Array, ...given: Delta[]) => {
    plans.push({ name, code, delta: delta instanceof Uint8Array ? delta : encodeDelta(delta), given });
  };
  const changeOf = (...pairs: Pairs) =>
    raw(Op.change, [Field.slot, 3], [Field.generation, 1], [Field.role, 1], ...pairs);
  const toResident: Delta = { op: "change", slot: 3, generation: 1, role: Role.resident };
  add("change: all terms", "applied", { op: "change", slot: 3, generation: 1, ...terms }, SLOT_3, WEEKDAYS);
  add(
    "change: no terms are left",
    "applied",
    { op: "change", slot: 5, generation: 2, role: Role.team },
    WEEKDAYS,
    FULL,
  );
  add("change: nothing", "unchanged", toResident, SLOT_3);
  add("change: of a disabled slot, which stays so", "applied", { ...toResident, role: Role.admin }, SLOT_3, {
    op: "disable",
    slot: 3,
    generation: 1,
  });
  add("change: to the future", "installed", { ...toResident, start: START + 60 }, SLOT_3);
  add("change: another generation", "stale-generation", { ...toResident, generation: 2 }, SLOT_3);
  add("change: an empty slot", "stale-generation", toResident);
  add("change: a slot that there is not", "stale-generation", { ...toResident, slot: 1000 });
  add("change: an unknown schedule", "unknown-schedule", { ...toResident, schedule: 7 }, SLOT_3);
  add("change: without a role", "bad-format", raw(Op.change, [Field.slot, 3], [Field.generation, 1]), SLOT_3);
  add("change: without a generation", "bad-format", raw(Op.change, [Field.slot, 3], [Field.role, 1]), SLOT_3);
  add("change: of a tag", "bad-format", changeOf([Field.tag, SLOT_3.tag]), SLOT_3);
  add("change: of a user", "bad-format", changeOf([Field.user, 1003]), SLOT_3);
  add("change: of uses", "bad-format", changeOf([Field.uses, 1]), SLOT_3);
  add("change: to a guest without an end", "bad-format", changeOf([Field.role, Role.guest]), SLOT_3);
  add("change: an unknown critical key", "bad-format", changeOf([16, 0]), SLOT_3);
  add("change: an extension", "unchanged", changeOf([128, 0]), SLOT_3);
  return plans;
}

function slots(): Plan[] {
  const plans: Plan[] = [];
  const add = (name: string, code: string, delta: Delta | Uint8Array, ...given: Delta[]) => {
    plans.push({ name, code, delta: delta instanceof Uint8Array ? delta : encodeDelta(delta), given });
  };
  const disable: Delta = { op: "disable", slot: 3, generation: 1 };
  add("drop: a slot", "applied", { op: "drop", slot: 3, generation: 1 }, SLOT_3);
  add("drop: an empty slot", "unchanged", { op: "drop", slot: 3, generation: 1 });
  add("drop: another generation", "stale-generation", { op: "drop", slot: 3, generation: 2 }, SLOT_3);
  add("drop: a slot that there is not", "range", { op: "drop", slot: 1000, generation: 1 });
  add("drop: without a generation", "bad-format", raw(Op.drop, [Field.slot, 3]), SLOT_3);
  add(
    "drop: with a user",
    "bad-format",
    raw(Op.drop, [Field.slot, 3], [Field.user, 1], [Field.generation, 1]),
    SLOT_3,
  );
  add(
    "drop: with an extension",
    "applied",
    raw(Op.drop, [Field.slot, 3], [Field.generation, 1], [128, 1]),
    SLOT_3,
  );
  add("disable: a slot", "applied", disable, SLOT_3);
  add("disable: a disabled slot", "unchanged", disable, SLOT_3, disable);
  add("disable: another generation", "stale-generation", { ...disable, generation: 2 }, SLOT_3);
  add("disable: an empty slot", "stale-generation", disable);
  add("enable: a disabled slot", "applied", { ...disable, op: "enable" }, SLOT_3, disable);
  add("enable: an enabled slot", "unchanged", { ...disable, op: "enable" }, SLOT_3);
  add("enable: without a slot", "bad-format", raw(Op.enable, [Field.generation, 1]));
  const guest = (slot: number, user: number, grantor: number) =>
    card(slot, `04a1b2${slot.toString(16).padStart(2, "0")}`, { user, grantor });
  const family = [card(3, "04a1b2c3", { user: 1003 }), guest(4, 2, 1003), guest(5, 3, 2), guest(6, 9, 8)];
  add(
    "revoke: a user",
    "applied",
    { op: "revoke", user: 1003 },
    SLOT_3,
    card(4, "04a1b2c3", { user: 1003 }),
    pin(5, "246801"),
  );
  add("revoke: a user with all below", "applied", { op: "revoke", user: 1003 }, ...family);
  add("revoke: a user without a slot, with guests", "applied", { op: "revoke", user: 8 }, ...family);
  add(
    "revoke: users who are each other's grantors",
    "applied",
    { op: "revoke", user: 5 },
    guest(4, 5, 6),
    guest(5, 6, 5),
  );
  add("revoke: nobody", "unchanged", { op: "revoke", user: 4 }, SLOT_3);
  add("revoke: user 0", "bad-format", raw(Op.revoke, [Field.user, 0]));
  add("revoke: without a user", "bad-format", raw(Op.revoke));
  add(
    "revoke: with an unknown critical key",
    "bad-format",
    raw(Op.revoke, [Field.user, 1003], [5, 1]),
    SLOT_3,
  );
  add("revoke: with an extension", "applied", raw(Op.revoke, [Field.user, 1003], [128, 1]), SLOT_3);
  add(
    "wipe: three slots",
    "applied",
    { op: "wipe" },
    SLOT_3,
    pin(4, "246801"),
    WEEKDAYS,
    card(5, "04a1b2c3"),
  );
  add("wipe: nothing", "unchanged", { op: "wipe" }, WEEKDAYS);
  add("wipe: with an extension", "applied", raw(Op.wipe, [128, 0]), SLOT_3);
  add("wipe: with an unknown critical key", "bad-format", raw(Op.wipe, [0, 0]), SLOT_3);
  for (const op of [0, 9, 10, 13, 0xffff])
    add(`operation ${op}`, "unsupported", raw(op, [Field.slot, 3]), SLOT_3);
  return plans;
}

function schedules(): Plan[] {
  const plans: Plan[] = [];
  const add = (name: string, code: string, delta: Delta | Uint8Array, ...given: Delta[]) => {
    plans.push({ name, code, delta: delta instanceof Uint8Array ? delta : encodeDelta(delta), given });
  };
  const of = (id: number, ...windows: [number, number, number][]) =>
    raw(Op.putSchedule, [0, id], [1, windows]);
  const hourly = (count: number) =>
    Array.from({ length: count }, (_, i): [number, number, number] => [127, 60 * i, 60]);
  add("put-schedule: two windows", "applied", WEEKDAYS);
  add("put-schedule: eight windows that touch", "applied", of(255, ...hourly(8)));
  add("put-schedule: nine windows", "bad-format", of(255, ...hourly(9)));
  add("put-schedule: the whole week", "applied", of(1, [127, 0, 1440]));
  add("put-schedule: the same again", "unchanged", WEEKDAYS, WEEKDAYS);
  add("put-schedule: other windows", "applied", of(7, [1, 0, 1]), WEEKDAYS);
  add("put-schedule: windows that overlap", "schedule-overlap", of(7, [1, 0, 61], [1, 60, 60]));
  add(
    "put-schedule: windows that overlap across midnight",
    "schedule-overlap",
    of(7, [1, 1380, 120], [2, 0, 60]),
  );
  add("put-schedule: windows that touch across midnight", "applied", of(7, [1, 1380, 60], [2, 0, 60]));
  add(
    "put-schedule: windows that overlap across the week's end",
    "schedule-overlap",
    of(7, [64, 1380, 120], [1, 0, 60]),
  );
  add("put-schedule: the same window twice", "schedule-overlap", of(7, [1, 0, 60], [1, 0, 60]));
  add("put-schedule: id 0", "bad-format", of(0, [1, 0, 60]));
  add("put-schedule: id 256", "bad-format", of(256, [1, 0, 60]));
  add("put-schedule: no windows", "bad-format", of(7));
  add("put-schedule: without its windows", "bad-format", raw(Op.putSchedule, [0, 7]));
  add("put-schedule: no days", "bad-format", of(7, [0, 0, 60]));
  add("put-schedule: an eighth day", "bad-format", of(7, [128, 0, 60]));
  add("put-schedule: minute 1440", "bad-format", of(7, [1, 1440, 60]));
  add("put-schedule: no minutes", "bad-format", of(7, [1, 0, 0]));
  add("put-schedule: 1,441 minutes", "bad-format", of(7, [1, 0, 1441]));
  add("put-schedule: a window of two numbers", "bad-format", raw(Op.putSchedule, [0, 7], [1, [[1, 0]]]));
  add(
    "put-schedule: an unknown critical key",
    "bad-format",
    raw(Op.putSchedule, [0, 7], [1, [[1, 0, 60]]], [2, 0]),
  );
  add("put-schedule: an extension", "applied", raw(Op.putSchedule, [0, 7], [1, [[1, 0, 60]]], [128, 0]));
  add("drop-schedule: a schedule", "applied", { op: "drop-schedule", id: 7 }, WEEKDAYS);
  add("drop-schedule: one that there is not", "unchanged", { op: "drop-schedule", id: 8 }, WEEKDAYS);
  add("drop-schedule: one that a slot uses", "schedule-in-use", { op: "drop-schedule", id: 7 }, WEEKDAYS, {
    ...SLOT_3,
    schedule: 7,
  });
  add("drop-schedule: id 0", "bad-format", raw(Op.dropSchedule, [0, 0]));
  add("drop-schedule: with windows", "bad-format", raw(Op.dropSchedule, [0, 7], [1, [[1, 0, 60]]]), WEEKDAYS);
  return plans;
}

function settings(): Plan[] {
  const plans: Plan[] = [];
  const set = (setting: number, value: Uint8Array): Delta => ({ op: "set", setting, value });
  const zone = (text: string) => set(Setting.zone, ascii(text));
  const add = (name: string, code: string, delta: Delta | Uint8Array, ...given: Delta[]) => {
    plans.push({ name, code, delta: delta instanceof Uint8Array ? delta : encodeDelta(delta), given });
  };
  const berlin = zone("CET-1CEST,M3.5.0,M10.5.0/3");
  add("set: a zone", "applied", berlin);
  add("set: the same zone again", "unchanged", berlin, berlin);
  add("set: another zone", "applied", zone("<+0545>-5:45"), berlin);
  add("set: a zone of 48 bytes", "applied", zone(`${"A".repeat(46)}-9`));
  add("set: a zone of 49 bytes", "bad-format", zone(`${"A".repeat(47)}-9`));
  add("set: a zone that is none", "bad-format", zone("Europe/Berlin"));
  add("set: a zone of daylight saving time without rules", "bad-format", zone("CET-1CEST"));
  add("set: mode tour", "applied", set(Setting.mode, fromHex("01")));
  add("set: an unknown mode", "unsupported", set(Setting.mode, new Uint8Array([Mode.resident + 1])));
  add("set: a mode of two bytes", "bad-format", set(Setting.mode, fromHex("0001")));
  add("set: no automatic relock", "applied", set(Setting.relockSeconds, fromHex("0000")));
  add("set: a relock after 3,600 seconds", "applied", set(Setting.relockSeconds, fromHex("0e10")));
  add("set: a relock after 3,601 seconds", "range", set(Setting.relockSeconds, fromHex("0e11")));
  add("set: a relock of one byte", "bad-format", set(Setting.relockSeconds, fromHex("05")));
  add("set: an unknown setting", "unsupported", set(81, fromHex("01")));
  add("set: setting 0", "bad-format", set(0, fromHex("01")));
  add("set: an empty value", "bad-format", set(Setting.mode, new Uint8Array(0)));
  add("set: an unknown setting of 183 bytes", "unsupported", set(81, new Uint8Array(183)));
  add("set: a value of 184 bytes", "bad-format", set(81, new Uint8Array(184)));
  add("set: without a value", "bad-format", raw(Op.set, [0, Setting.mode]));
  add("set: an extension", "applied", raw(Op.set, [0, Setting.mode], [1, fromHex("02")], [128, 0]));
  return plans;
}

/** What depends on the clock and on the bundle. */
function timed(): Plan[] {
  const disable: Delta = { op: "disable", slot: 3, generation: 1 };
  const lapsed = { notAfter: START };
  const start: PutDelta = { ...SLOT_3, start: START - 60 };
  return [
    {
      name: "clock: a start, where the time is unknown",
      code: "installed",
      delta: encodeDelta(start),
      isUntimed: true,
    },
    {
      name: "clock: no start, where the time is unknown",
      code: "applied",
      delta: encodeDelta(SLOT_3),
      isUntimed: true,
    },
    { name: "lapsed: a put", code: "expired", delta: encodeDelta(SLOT_3), ...lapsed },
    {
      name: "lapsed: an enable",
      code: "expired",
      delta: encodeDelta({ ...disable, op: "enable" }),
      given: [SLOT_3, disable],
      ...lapsed,
    },
    { name: "lapsed: a put that is no put", code: "bad-format", delta: put([Field.user, 0]), ...lapsed },
    {
      name: "lapsed: a change is applied all the same",
      code: "applied",
      delta: encodeDelta({ op: "change", slot: 3, generation: 1, role: Role.team }),
      given: [SLOT_3],
      ...lapsed,
    },
    {
      name: "lapsed: so is a disable",
      code: "applied",
      delta: encodeDelta(disable),
      given: [SLOT_3],
      ...lapsed,
    },
    {
      name: "lapsed: so is a revoke",
      code: "applied",
      delta: encodeDelta({ op: "revoke", user: 1003 }),
      given: [SLOT_3],
      ...lapsed,
    },
  ];
}

/** The small lock. */
function small(): Plan[] {
  const profile = "l500i" as const;
  const window = [[1, 0, 60]];
  return [
    { name: "l500i: the last slot", code: "applied", delta: encodeDelta(pin(9, "135790")), profile },
    { name: "l500i: one more", code: "capacity", delta: encodeDelta(pin(10, "135790")), profile },
    { name: "l500i: a card", code: "unsupported", delta: encodeDelta(card(0, "04a1b2c3")), profile },
    {
      name: "l500i: the last schedule",
      code: "applied",
      delta: raw(Op.putSchedule, [0, 12], [1, window]),
      profile,
    },
    {
      name: "l500i: one more schedule",
      code: "capacity",
      delta: raw(Op.putSchedule, [0, 13], [1, window]),
      profile,
    },
    { name: "l500i: a name", code: "applied", delta: encodeDelta(SHED), profile },
    { name: "l500i: a network", code: "unsupported", delta: encodeDelta(WIFI), profile },
    { name: "l500i: a broker", code: "unsupported", delta: encodeDelta(BROKER), profile },
  ];
}

/** All cases. */
export function deltaPlans(): Plan[] {
  return [
    ...puts(),
    ...dense(),
    ...changes(),
    ...slots(),
    ...schedules(),
    ...settings(),
    ...policyPlans(),
    ...timed(),
    ...small(),
  ];
}
