// The door of a whole lock, from key or card to bolt (rules C2, C5 to C7, C9, C12 to C15, T1 to T12, A29, A57, A60, L5, M2, M6, M7, M11,
// T17). What goes in are signed deltas and typed digits; nothing is set by hand but the clock of the world.

import assert from "node:assert/strict";
import { Lock } from "../../../firmware/core/lock";
import { EventKind, Method } from "../../../firmware/core/storage/events";
import { ascii } from "../../../protocol/wire/bytes";
import { reasonName } from "../../../protocol/wire/codes";
import { Flag, Kind, ROLE_NAMES, Role } from "../../../protocol/wire/entry";
import { Trust } from "../../../protocol/wire/receipt";
import { Mode, Setting } from "../../../protocol/wire/settings";
import { Door, L500I, MONDAY } from "../../support/door";
import { bootWith, eventsIn, placesOf } from "../../support/door-faults";

const PIN = "4711080";
const OTHER = "90210606";
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const MONDAYS = 2;
const TUESDAYS = 4;
const NINE_TO_FIVE = { start: 9 * 60, duration: 8 * 60 };

const card = (door: Door, uid: Uint8Array): string => reasonName(door.lock.presentCard(uid));
const boundOf = (door: Door): number => door.lock.parts.clock.read().bound;
const set = (setting: number, ...value: number[]) => ({
  op: "set" as const,
  setting,
  value: Uint8Array.from(value),
});

/** Applies deltas that must all be taken. */
function take(door: Door, ...deltas: Parameters<Door["apply"]>): void {
  for (const name of door.apply(...deltas)) assert.ok(name === "applied" || name === "installed", name);
}

/** A door with one PIN in slot 0, of generation 1. */
function doorWith(more: Parameters<Door["pin"]>[2] = {}): Door {
  const door = new Door({ profile: L500I });
  take(door, door.pin(0, PIN, more));
  return door;
}

/** What a PIN hears at each of these instants; the lock ticks before each. */
function hearAt(door: Door, instants: readonly number[], pin = PIN): string[] {
  return instants.map((instant) => {
    door.now = instant;
    door.lock.tick();
    return door.type(pin);
  });
}

describe("C2 PINs", () => {
  it("have 4 to 10 digits and nothing but digits, whichever way they come to the lock", () => {
    const door = doorWith();
    const enter = (text: string) => reasonName(door.lock.enterPin(Buffer.from(text, "latin1")));
    for (const bad of [
      "",
      "471",
      "47110801234",
      "4711O80",
      "471108/",
      "471108:",
      "471 080",
      "-711080",
      "471108\xb0",
    ])
      assert.equal(enter(bad), "bad-entry", bad);
    for (const wrong of ["0471", "4711080000"]) assert.equal(enter(wrong), "unknown", wrong);
    assert.equal(door.board.bolt.drawn, false);
    assert.equal(enter(PIN), "granted");
    assert.equal(door.board.bolt.drawn, true);
  });
});

describe("C7 cards", () => {
  const uid = (length: number) => Uint8Array.from({ length }, (_, i) => 0x30 + i);

  it("open by a UID of 4 to 10 bytes, and are bad entries with 3 or 11", () => {
    const door = new Door();
    for (const length of [4, 7, 10]) take(door, door.card(length, uid(length)));
    for (const [length, reason] of [
      [0, "bad-entry"],
      [3, "bad-entry"],
      [4, "granted"],
      [5, "unknown"],
      [7, "granted"],
      [10, "granted"],
      [11, "bad-entry"],
    ] as const)
      assert.equal(card(door, uid(length)), reason, `${length} bytes`);
    const methods = eventsIn(door).filter((event) => event.kind === EventKind.granted);
    assert.deepEqual(
      methods.map(({ method, credential, user }) => [method, credential, user]),
      [4, 7, 10].map((slot) => [Method.card, Kind.card, 1000 + slot]),
    );
  });

  it("are no PINs, and PINs no cards, though their bytes are the same", () => {
    const door = new Door();
    take(door, door.card(0, ascii("1234")), door.pin(1, "5678"));
    assert.equal(door.type("1234"), "unknown");
    assert.equal(card(door, ascii("5678")), "unknown");
    assert.equal(card(door, ascii("1234")), "granted");
    assert.equal(door.type("5678"), "granted");
  });

  it("have no reader at the LS-L500i: neither taken nor read", () => {
    const door = new Door({ profile: L500I });
    assert.deepEqual(door.apply(door.card(0, uid(4))), ["unsupported"]);
    assert.equal(card(door, uid(4)), "bad-entry");
    assert.equal(
      reasonName(door.lock.why(Kind.card, uid(4), door.lock.parts.clock.read()).reason),
      "bad-entry",
    );
  });
});

describe("C5 PINs never readable", () => {
  /** A PIN as anyone might have written it down: in ASCII, in BCD at both halves of a byte, one digit a byte, as a number. */
  function spellings(pin: string): Uint8Array[] {
    const digits = [...pin].map(Number);
    const bcd = (text: string) => Buffer.from(text, "hex");
    const even = pin.length % 2 === 0;
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(pin));
    return [
      ascii(pin),
      even ? bcd(pin) : bcd(pin.slice(1)),
      even ? bcd(pin.slice(1, -1)) : bcd(pin.slice(0, -1)),
      Uint8Array.from(digits),
      number.subarray(3),
      Buffer.from(number.subarray(3)).reverse(),
    ];
  }

  it("no typed PIN, right, wrong or refused, is in flash, in an event, in a message or in a tag's neighbourhood", () => {
    const door = new Door();
    const said: Uint8Array[] = [];
    const { lock } = door;
    const receive = lock.receive.bind(lock);
    lock.receive = (session, message) => {
      const answer = receive(session, message);
      said.push(message.slice(), answer.slice());
      return answer;
    };
    const pins = ["8053174926", "2946813750", "7169402385", "6402917538"];
    const wrong = ["9182736450", "5647382910", "80531749261"];
    const [open, disabled, future, droppedPin] = pins;
    take(
      door,
      door.pin(1, open, { uses: 9 }),
      door.pin(2, disabled),
      door.pin(3, future, { start: MONDAY + DAY_S }),
      door.pin(4, droppedPin),
      { op: "disable", slot: 2, generation: 2 },
      { op: "drop", slot: 4, generation: 4 },
    );
    const heard = [...pins, ...wrong].map((pin) => door.type(pin));
    assert.deepEqual(heard, [
      "granted",
      "disabled",
      "not-yet-valid",
      "unknown",
      "unknown",
      "unknown",
      "bad-entry",
    ]);
    door.receipt();
    door.hello();
    const { credentials, events } = door.board.image();
    const explained = pins.map((pin) =>
      JSON.stringify(lock.why(Kind.pin, ascii(pin), lock.parts.clock.read())),
    );
    const outputs = [
      credentials,
      events,
      ...said,
      ascii(explained.join()),
      ascii(JSON.stringify(eventsIn(door))),
    ];
    for (const pin of [...pins, ...wrong])
      for (const spelling of spellings(pin))
        for (const output of outputs) assert.deepEqual(placesOf(spelling, output), [], pin);
  });

  it("the search finds what it looks for", () => {
    for (const pin of ["8053174926", "805317492"])
      for (const spelling of spellings(pin)) {
        const haystack = new Uint8Array(4096).fill(0xff);
        haystack.set(spelling, 1234);
        assert.deepEqual(placesOf(spelling, haystack), [1234]);
      }
  });
});

describe("C9 roles at the door", () => {
  it("every role is recognised and logged; two of them never open", () => {
    const door = new Door({ profile: L500I });
    const stay = { start: MONDAY - DAY_S, end: MONDAY + DAY_S };
    ROLE_NAMES.forEach((_, role) => {
      take(door, door.pin(role, `70000${role}`, { role, ...(role === Role.guest ? stay : {}) }));
    });
    const heard = ROLE_NAMES.map((_, role) => door.type(`70000${role}`));
    const opened = "granted";
    assert.deepEqual(heard, [opened, opened, opened, opened, opened, "wrong-mode", "wrong-mode"]);
    const attempts = eventsIn(door).filter(
      ({ kind }) => kind === EventKind.granted || kind === EventKind.refused,
    );
    assert.deepEqual(
      attempts.map((event) => [event.user, event.generation, reasonName(event.reason), event.method]),
      heard.map((reason, role) => [1000 + role, role + 1, reason, Method.keypad]),
    );
  });

  it("A29 an administrator is not bound by a schedule, others are", () => {
    const door = new Door({ profile: L500I });
    take(
      door,
      { op: "put-schedule", id: 1, windows: [{ days: TUESDAYS, ...NINE_TO_FIVE }] },
      door.pin(0, PIN, { role: Role.admin, schedule: 1 }),
      door.pin(1, OTHER, { role: Role.team, schedule: 1 }),
    );
    assert.deepEqual([door.type(PIN), door.type(OTHER)], ["granted", "outside-schedule"]);
    door.reboot();
    assert.deepEqual([door.type(PIN), door.type(OTHER)], ["granted", "clock-unknown"], "T12");
    assert.equal(door.board.feedback.refusals, 1);
  });

  it("A29 a damaged schedule bars those whom it binds, and no administrator", () => {
    const door = new Door({ profile: L500I });
    take(
      door,
      { op: "put-schedule", id: 1, windows: [{ days: 0x55, start: 0x2a3, duration: 0x2b4 }] },
      door.pin(0, PIN, { role: Role.admin, schedule: 1 }),
      door.pin(1, OTHER, { role: Role.team, schedule: 1 }),
    );
    const packed = Buffer.alloc(4);
    packed.writeUInt32BE(0x55 * 2 ** 22 + 0x2a3 * 2 ** 11 + 0x2b3);
    const [place] = placesOf(packed, door.board.credentials.bytes);
    for (const at of [0, 9, 21]) door.board.credentials.bytes[place + at] ^= 0x0f;
    assert.deepEqual([door.type(PIN), door.type(OTHER)], ["granted", "damaged"]);
    door.reboot();
    door.setTime();
    assert.deepEqual([door.type(PIN), door.type(OTHER)], ["granted", "damaged"]);
  });
});

describe("C14 disabled", () => {
  it("is refused as such and kept; enabling brings it back with its count", () => {
    const door = doorWith({ uses: 2 });
    assert.equal(door.type(PIN), "granted");
    take(door, { op: "disable", slot: 0, generation: 1 });
    assert.equal(door.type(PIN), "disabled");
    door.reboot();
    assert.equal(door.type(PIN), "disabled");
    const last = eventsIn(door).at(-1)!;
    assert.deepEqual([reasonName(last.reason), last.user, last.generation], ["disabled", 1000, 1]);
    take(door, { op: "enable", slot: 0, generation: 1 });
    assert.deepEqual([door.type(PIN), door.type(PIN)], ["granted", "used-up"]);
  });
});

describe("C15 a credential for two", () => {
  it("never opens by itself, and costs no use", () => {
    const door = doorWith({ flags: Flag.dual, uses: 1 });
    assert.deepEqual([door.type(PIN), door.type(PIN)], ["needs-second", "needs-second"]);
    take(door, { op: "change", slot: 0, generation: 1, role: Role.resident });
    assert.deepEqual([door.type(PIN), door.type(PIN)], ["granted", "used-up"]);
  });
});

describe("time at the door", () => {
  it("T5 a future start is installed and opens at its second without another sync", () => {
    const door = new Door({ profile: L500I });
    const start = MONDAY + 30 * DAY_S;
    assert.deepEqual(door.apply(door.pin(0, PIN, { start })), ["installed"]);
    door.now = start;
    const bound = boundOf(door);
    assert.ok(bound > 50 && bound < 60, "a month of drift");
    const instants = [MONDAY, start, start + bound - 1, start + bound, start + bound + 1];
    assert.deepEqual(hearAt(door, instants), [
      "not-yet-valid",
      "not-yet-valid",
      "not-yet-valid",
      "granted",
      "granted",
    ]);
  });

  it("T6 an end comes at its second without a sync, and the slot stays", () => {
    const end = MONDAY + 2 * DAY_S;
    const door = doorWith({ end });
    door.now = end;
    const bound = boundOf(door);
    const instants = [end - bound - 2, end - bound - 1, end - bound, end - bound + 1, end + DAY_S];
    assert.deepEqual(hearAt(door, instants), ["granted", "granted", "expired", "expired", "expired"]);
    assert.equal(door.receipt().slots, 1);
  });

  it("C12 minutes after first use count from the first use only, and survive a reboot", () => {
    const door = doorWith({ minutesAfterFirstUse: 15 });
    door.now += 500;
    assert.equal(door.type(PIN), "granted");
    const deadline = door.now - boundOf(door) + 15 * 60;
    door.now += 300;
    assert.equal(door.type(PIN), "granted");
    door.reboot();
    assert.equal(door.type(PIN), "clock-unknown");
    door.setTime();
    door.now = deadline;
    const bound = boundOf(door);
    const instants = [deadline - bound - 2, deadline - bound - 1, deadline - bound, deadline + DAY_S];
    assert.deepEqual(hearAt(door, instants), ["granted", "granted", "expired", "expired"]);
  });

  it("C12, T12 ends no later than in true time, though the clock was off at the first use and is set right after it", () => {
    for (const lean of [-1, 1]) {
      const door = doorWith({ minutesAfterFirstUse: 15 });
      const booted = door.now;
      const uptime = () => (door.now - booted) * (1 + lean * 1e-4);
      bootWith(door, { clock: { uptime, driftPpm: 100 } });
      door.setTime();
      door.now += 40 * DAY_S;
      const clock = door.lock.parts.clock.read();
      assert.ok(Math.abs(clock.now - door.now) > 300, "minutes off");
      assert.equal(door.type(PIN), "granted");
      const first = door.now;
      door.now += 20;
      door.setTime();
      for (door.now = first + 15 * 60; door.now < first + HOUR_S; door.now += 7) {
        assert.equal(door.type(PIN), "expired", `${door.now - first} s after the first use, clock ${lean}`);
        door.lock.tick();
      }
    }
  });

  it("C12 a first use with no clock gets its date from the next one that has", () => {
    const door = doorWith();
    door.reboot();
    assert.equal(door.type(PIN), "granted", "without limits, no clock is needed");
    take(door, { op: "change", slot: 0, generation: 1, role: Role.resident, minutesAfterFirstUse: 60 });
    assert.equal(door.type(PIN), "clock-unknown");
    door.setTime();
    door.now += 10;
    assert.equal(door.type(PIN), "granted");
    const dated = door.now;
    assert.deepEqual(hearAt(door, [dated + 59 * 60, dated + 60 * 60, dated + DAY_S]), [
      "granted",
      "expired",
      "expired",
    ]);
    door.reboot();
    door.setTime();
    assert.equal(door.type(PIN), "expired");
  });

  it("C13 a first use within its hours keeps the door open for good; a missed one is lifted by a sync", () => {
    const start = MONDAY + HOUR_S;
    const missed = start + 24 * HOUR_S;
    const late = doorWith({ start, firstUseHours: 24 });
    late.now = missed;
    const bound = boundOf(late);
    const early = doorWith({ start, firstUseHours: 24 });
    assert.deepEqual(hearAt(early, [missed - bound - 1, missed, missed + 99 * DAY_S]), [
      "granted",
      "granted",
      "granted",
    ]);
    assert.deepEqual(hearAt(late, [missed - bound, missed - bound + 1]), [
      "first-use-missed",
      "first-use-missed",
    ]);
    take(late, { op: "change", slot: 0, generation: 1, role: Role.resident, start });
    assert.equal(late.type(PIN), "granted");
  });

  it("T1, T10 a window by the zone in force, from the first second to the last; a new zone applies at once", () => {
    const door = new Door({ profile: L500I });
    take(
      door,
      set(Setting.zone, ...ascii("CET-1CEST,M3.5.0,M10.5.0/3")),
      { op: "put-schedule", id: 4, windows: [{ days: MONDAYS, ...NINE_TO_FIVE }] },
      door.pin(0, PIN, { role: Role.team, schedule: 4 }),
    );
    const opens = MONDAY + 8 * HOUR_S;
    const shuts = MONDAY + 16 * HOUR_S;
    door.now = shuts;
    const bound = boundOf(door);
    const instants = [opens, opens + 1, opens + 2, shuts - bound - 1, shuts - bound, shuts];
    const outside = "outside-schedule";
    assert.deepEqual(hearAt(door, instants), [outside, outside, "granted", "granted", outside, outside]);
    take(door, set(Setting.zone, ...ascii("WET0")));
    assert.equal(door.type(PIN), "granted");
    door.reboot();
    door.setTime();
    assert.equal(door.type(PIN), "granted", "the zone is kept");
  });

  it("T11 past ten minutes of error the time is unknown to who needs it, until the next sync", () => {
    const door = doorWith({ end: MONDAY + 9999 * DAY_S });
    take(door, door.pin(1, OTHER));
    const past = MONDAY + 348 * DAY_S;
    assert.deepEqual(hearAt(door, [MONDAY + 340 * DAY_S, past]), ["granted", "clock-unknown"]);
    assert.equal(door.type(OTHER), "granted");
    const last = eventsIn(door).at(-1)!;
    assert.deepEqual([last.trust, last.time], [Trust.unknown, past - MONDAY], "L11 seconds since boot");
    door.hello();
    door.setTime();
    assert.equal(door.type(PIN), "granted");
  });
});

describe("of several reasons a person hears the first", () => {
  it("one after the other, as each is lifted", () => {
    const door = new Door({ profile: L500I });
    const generation = 2;
    take(
      door,
      { op: "put-schedule", id: 1, windows: [{ days: TUESDAYS, ...NINE_TO_FIVE }] },
      door.pin(0, PIN, { role: Role.prospect, uses: 1 }),
    );
    assert.equal(door.type(PIN), "granted", "the only use");
    const terms = { role: Role.prospect, schedule: 1, flags: Flag.dual };
    const change = (more: object) => ({ op: "change" as const, slot: 0, generation, ...terms, ...more });
    const start = MONDAY + HOUR_S;
    take(door, change({ start, end: start + 60 }), set(Setting.mode, Mode.resident), {
      op: "disable",
      slot: 0,
      generation,
    });
    door.reboot();
    const usage = door.board.credentials.bytes;
    // The record of uses: this generation, used, none left. Three flipped bits are more than can be mended.
    const [place] = placesOf(Uint8Array.of(0, 0, generation, 1, 0, 0), usage);
    usage[place + 6] ^= 7;
    assert.equal(door.type(PIN.slice(0, 3)), "bad-entry");
    assert.equal(door.type(OTHER), "unknown");
    assert.equal(door.type(PIN), "damaged");
    usage[place + 6] ^= 7;
    door.reboot();
    assert.equal(door.type(PIN), "disabled");
    take(door, { op: "enable", slot: 0, generation });
    assert.equal(door.type(PIN), "wrong-mode");
    take(door, set(Setting.mode, Mode.tour));
    assert.equal(door.type(PIN), "clock-unknown");
    door.setTime();
    assert.equal(door.type(PIN), "not-yet-valid");
    door.now = start + 120;
    assert.equal(door.type(PIN), "expired");
    take(door, change({}));
    assert.equal(door.type(PIN), "outside-schedule");
    take(door, change({ schedule: 0 }));
    assert.equal(door.type(PIN), "used-up");
    const again = door.pin(0, PIN, { role: Role.prospect, uses: 1, flags: Flag.dual });
    take(door, { op: "drop", slot: 0, generation }, again);
    assert.equal(door.type(PIN), "needs-second");
    take(door, { op: "change", slot: 0, generation: door.seq, role: Role.prospect });
    assert.equal(door.type(PIN), "granted");
  });
});

describe("A57, L5 attribution", () => {
  it("old events keep user and generation when the slot goes to somebody else, over a reboot too", () => {
    const door = new Door({ profile: L500I });
    take(door, door.pin(5, PIN, { user: 71 }));
    assert.equal(door.type(PIN), "granted");
    take(door, { op: "drop", slot: 5, generation: 1 }, door.pin(5, OTHER, { user: 72 }));
    assert.deepEqual([door.type(PIN), door.type(OTHER)], ["unknown", "granted"]);
    take(door, { op: "drop", slot: 5, generation: 3 }, door.pin(5, PIN, { user: 73 }));
    door.reboot();
    assert.deepEqual([door.type(PIN), door.type(OTHER)], ["granted", "unknown"]);
    const events = eventsIn(door).filter(
      ({ kind }) => kind === EventKind.granted || kind === EventKind.refused,
    );
    assert.deepEqual(
      events.map(({ user, generation, credential }) => [user, generation, credential]),
      [
        [71, 1, Kind.pin],
        [0, 0, 0],
        [72, 3, Kind.pin],
        [73, 5, Kind.pin],
        [0, 0, 0],
      ],
    );
  });
});

describe("A60, M2 operating modes", () => {
  it("prospects come in in normal and tour, not in resident; residents always do; a mode survives a reboot", () => {
    const door = new Door({ profile: L500I });
    take(door, door.pin(0, PIN, { role: Role.prospect }), door.pin(1, OTHER));
    const both = () => [door.type(PIN), door.type(OTHER)];
    assert.deepEqual(both(), ["granted", "granted"]);
    for (const [mode, prospect] of [
      [Mode.tour, "granted"],
      [Mode.resident, "wrong-mode"],
      [Mode.normal, "granted"],
      [Mode.resident, "wrong-mode"],
    ] as const) {
      take(door, set(Setting.mode, mode));
      assert.deepEqual(both(), [prospect, "granted"]);
      assert.equal(eventsIn(door).at(-1)?.mode, mode, "L1 the event says it");
      door.reboot();
      assert.deepEqual(both(), [prospect, "granted"], "after a reboot");
    }
  });

  it("a mode that does not exist is refused and changes nothing", () => {
    const door = doorWith({ role: Role.prospect });
    take(door, set(Setting.mode, Mode.resident));
    assert.deepEqual(door.apply(set(Setting.mode, 3), set(Setting.mode, 0, 0)), [
      "unsupported",
      "bad-format",
    ]);
    assert.equal(door.type(PIN), "wrong-mode");
  });
});

describe("M6 relocking", () => {
  const seconds = (count: number) => set(Setting.relockSeconds, count >> 8, count & 0xff);
  const relocks = (door: Door): number =>
    eventsIn(door).filter(({ kind }) => kind === EventKind.relocked).length;
  /** Whether the bolt is drawn so many seconds after now, with a tick in each. */
  function drawnAfter(door: Door, ...after: number[]): boolean[] {
    const from = door.now;
    return after.map((count) => {
      while (door.now < from + count) {
        door.now++;
        door.lock.tick();
      }
      return door.board.bolt.drawn;
    });
  }

  it("comes with the tick after five seconds, or after as many as were set, once", () => {
    const door = doorWith();
    assert.equal(door.type(PIN), "granted");
    assert.deepEqual(drawnAfter(door, 0, 4, 5), [true, true, false]);
    assert.equal(relocks(door), 1);
    for (const count of [1, 30, 3600]) {
      take(door, seconds(count));
      door.type(PIN);
      assert.deepEqual(drawnAfter(door, count - 1, count, count + 60), [true, false, false]);
    }
    assert.equal(relocks(door), 4, "no event when it is locked already");
    assert.deepEqual(door.apply(seconds(3601)), ["range"]);
  });

  it("counts from the last opening", () => {
    const door = doorWith();
    door.type(PIN);
    assert.deepEqual(drawnAfter(door, 4), [true]);
    door.type(PIN);
    assert.deepEqual(drawnAfter(door, 4, 5), [true, false]);
    assert.equal(relocks(door), 1);
  });

  it("is off with 0", () => {
    const door = doorWith();
    take(door, seconds(0));
    door.type(PIN);
    assert.deepEqual(drawnAfter(door, 5, 3600), [true, true]);
    assert.equal(relocks(door), 0);
  });
});

describe("M11 boot", () => {
  it("moves nothing and writes nothing; no tick ever draws the bolt", () => {
    const door = doorWith();
    door.reboot();
    const { bolt, credentials, events, feedback } = door.board;
    assert.deepEqual([bolt.moves, feedback.grants, feedback.refusals], [0, 0, 0]);
    for (const { counters } of [credentials, events])
      assert.deepEqual([counters.programs, counters.erases], [0, 0]);
    for (let second = 0; second < 100; second++) {
      door.now++;
      door.lock.tick();
      assert.equal(bolt.drawn, false);
    }
    assert.ok(bolt.moves <= 1);
  });

  it("M7 the first tick throws a bolt that a power cut left drawn", () => {
    const door = doorWith();
    door.type(PIN);
    const { bolt } = door.board;
    door.lock = new Lock(door.board);
    assert.equal(bolt.drawn, true, "boot moves nothing");
    door.lock.tick();
    assert.equal(bolt.drawn, false);
  });

  it("M6, M7 but leaves it where relocking is off, and never shuts out who has just come in", () => {
    const door = doorWith();
    const { bolt } = door.board;
    door.lock = new Lock(door.board);
    door.type(PIN);
    door.lock.tick();
    assert.equal(bolt.drawn, true);
    take(door, set(Setting.relockSeconds, 0, 0));
    door.lock = new Lock(door.board);
    for (let second = 0; second < 10; second++) {
      door.now++;
      door.lock.tick();
    }
    assert.equal(bolt.drawn, true);
  });
});

describe("T17 why", () => {
  it("says what the door says, for every reason, and changes nothing", () => {
    const door = new Door({ profile: L500I });
    const past = { start: MONDAY - 9 * DAY_S };
    take(
      door,
      { op: "put-schedule", id: 1, windows: [{ days: TUESDAYS, ...NINE_TO_FIVE }] },
      door.pin(0, "100000", { uses: 1 }),
      door.pin(1, "100001"),
      door.pin(2, "100002", { start: MONDAY + DAY_S }),
      door.pin(3, "100003", { end: MONDAY - DAY_S }),
      door.pin(4, "100004", { ...past, firstUseHours: 24 }),
      door.pin(5, "100005", { schedule: 1 }),
      door.pin(6, "100006", { role: Role.remoteOnly }),
      door.pin(7, "100007", { flags: Flag.dual }),
      door.pin(8, "100008"),
      { op: "disable", slot: 1, generation: 3 },
    );
    assert.equal(door.type("100000"), "granted");
    const expected = [
      "used-up",
      "disabled",
      "not-yet-valid",
      "expired",
      "first-use-missed",
      "outside-schedule",
      "wrong-mode",
      "needs-second",
      "granted",
      "unknown",
    ];
    const image = door.board.image();
    const { moves } = door.board.bolt;
    const why = (pin: string) => door.lock.why(Kind.pin, ascii(pin), door.lock.parts.clock.read());
    const told = expected.map((_, i) => reasonName(why(`10000${i}`).reason));
    assert.deepEqual(told, expected);
    assert.equal(reasonName(why("12").reason), "bad-entry");
    assert.deepEqual(door.board.image(), image);
    assert.equal(door.board.bolt.moves, moves);
    assert.deepEqual(
      expected.map((_, i) => why(`10000${i}`).slot),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, -1],
    );
    const opens = why("100002");
    assert.deepEqual([opens.next, reasonName(opens.nextReason)], [MONDAY + DAY_S + boundOf(door), "granted"]);
    assert.deepEqual(
      expected.map((_, i) => door.type(`10000${i}`)),
      expected,
    );
  });
});

describe("C6 constant work", () => {
  const LIVE = 600;
  const pinOf = (slot: number): string => String(10_000_000 + slot * 1013);
  const wrongPinOf = (slot: number): string => String(30_000_000 + slot * 1013);

  /** How often an attempt with this PIN reads and programs, both partitions together. */
  function workOf(door: Door, pin: string): { reason: string; reads: number; programs: number } {
    const { credentials, events } = door.board;
    const sum = (name: "reads" | "programs" | "erases") => credentials.counters[name] + events.counters[name];
    door.lock.tick();
    const before = { reads: sum("reads"), programs: sum("programs"), erases: sum("erases") };
    const reason = door.type(pin);
    assert.equal(sum("erases"), before.erases, "no erase while a person waits");
    return { reason, reads: sum("reads") - before.reads, programs: sum("programs") - before.programs };
  }

  it("looks at one record for a hit, for a miss and for a disabled slot", () => {
    const door = new Door();
    take(door, ...Array.from({ length: LIVE }, (_, slot) => door.pin(slot, pinOf(slot))));
    const { table } = door.lock.parts;
    const { counters } = door.board.credentials;
    const readsOf = (pin: string): number => {
      const before = counters.reads;
      table.find(door.pin(0, pin).tag);
      return counters.reads - before;
    };
    const disabled = Array.from({ length: LIVE / 3 }, (_, i) => i * 3);
    take(door, ...disabled.map((slot) => ({ op: "disable" as const, slot, generation: slot + 1 })));
    const hits: number[] = [];
    for (let slot = 0; slot < LIVE; slot++) {
      hits.push(readsOf(pinOf(slot)));
      assert.equal(readsOf(wrongPinOf(slot)), 1, "a miss");
    }
    // Two slots of a chain share a fingerprint by chance: one in 256 of about one and a half that come before.
    const twice = hits.filter((reads) => reads === 2).length;
    assert.ok(twice < LIVE / 50, `${twice} of ${LIVE}`);
    assert.equal(hits.filter((reads) => reads === 1).length, LIVE - twice);
  });

  it("an attempt reads and programs a number of times that its outcome alone decides", () => {
    const door = new Door({ profile: L500I });
    take(
      door,
      { op: "put-schedule", id: 1, windows: [{ days: 127, start: 0, duration: 1440 }] },
      ...[0, 1, 2, 3, 4, 5].map((slot) =>
        door.pin(slot, pinOf(slot), slot < 2 ? {} : { schedule: 1, uses: slot < 4 ? 0 : 9 }),
      ),
    );
    for (const slot of [0, 1, 2, 3, 4, 5]) assert.equal(door.type(pinOf(slot)), "granted");
    const disabled = [1, 3, 5];
    take(door, ...disabled.map((slot) => ({ op: "disable" as const, slot, generation: slot + 2 })));
    // Reads: the slot, its group's uses, its schedule; and what was programmed is read back. Programs: the wrong entry that it may be,
    // uses that count, the event.
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(workOf(door, wrongPinOf(round)), { reason: "unknown", reads: 3, programs: 2 });
      assert.deepEqual(workOf(door, pinOf(0)), { reason: "granted", reads: 4, programs: 2 });
      assert.deepEqual(workOf(door, pinOf(1)), { reason: "disabled", reads: 4, programs: 2 });
      assert.deepEqual(workOf(door, pinOf(2)), { reason: "granted", reads: 5, programs: 2 });
      assert.deepEqual(workOf(door, pinOf(3)), { reason: "disabled", reads: 5, programs: 2 });
      assert.deepEqual(workOf(door, pinOf(4)), { reason: "granted", reads: 7, programs: 3 });
      assert.deepEqual(workOf(door, pinOf(5)), { reason: "disabled", reads: 5, programs: 2 });
    }
  });
});
