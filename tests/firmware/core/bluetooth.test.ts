// The lock's end of Bluetooth against a server that a test drives call by call: what centrals may do to it, in whatever order, and what the
// lock does about it.

import { strict as assert } from "node:assert";
import { Bluetooth, FAREWELL_S, IDLE_S, MTU, SILENCED_S } from "../../../firmware/core/bluetooth";
import type { Lock } from "../../../firmware/core/lock";
import { MAX_RADIO_SESSIONS, type Session, STRANGER_S } from "../../../firmware/core/session";
import { signBundle } from "../../../protocol/issuer/encode";
import { Gatt, isIdOf, ROTATION_S, readAdvert, readInfo } from "../../../protocol/wire/advert";
import { Reader } from "../../../protocol/wire/cbor";
import { codeName } from "../../../protocol/wire/codes";
import { Flag } from "../../../protocol/wire/entry";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import {
  askBody,
  frame,
  helloBody,
  readFrame,
  readResult,
  readStatus,
  StatusFlag,
  Type,
} from "../../../protocol/wire/messages";
import { packHandshake, readAgreement, Segments, Taken, WINDOW } from "../../../protocol/wire/segments";
import { Dice, SEED } from "../../support/dice";
import { Door, type DoorOptions, L500I } from "../../support/door";
import { bootFrom } from "../../support/door-faults";
import { type ScriptedConnection, ScriptedRadio } from "../../support/scripted-gatt";

const HELLO = frame(Type.hello, 1, helloBody(MAX_MESSAGE_BYTES));
const NO_HANDSHAKE = Uint8Array.of(1, 2, 3);

/** A door with its Bluetooth on a scripted radio. */
class Porch {
  readonly door: Door;
  radio = new ScriptedRadio();
  bluetooth: Bluetooth;
  /** Sessions of the radio that the lock gave. */
  sessions: Session[] = [];

  constructor(options: DoorOptions = {}, door = new Door({ profile: L500I, ...options })) {
    this.door = door;
    this.bluetooth = this.#switchOn();
  }

  #switchOn(): Bluetooth {
    const { lock, board } = this.door;
    const { sessions } = this;
    const open = ((medium: "network" | "radio"): Session | undefined => {
      const session = lock.open(medium);
      if (medium === "radio" && session !== undefined) sessions.push(session);
      return session;
    }) as Lock["open"];
    const watched = {
      get authority() {
        return lock.authority;
      },
      open,
      close: (session: Session) => lock.close(session),
      receive: (session: Session, message: Uint8Array) => lock.receive(session, message),
      status: (session: Session) => lock.status(session),
    };
    const bluetooth = new Bluetooth(watched, board, this.radio);
    this.radio.options.onReady();
    return bluetooth;
  }

  /** A new boot, with a radio of its own. */
  reboot(): void {
    this.door.reboot();
    this.radio = new ScriptedRadio();
    this.sessions = [];
    this.bluetooth = this.#switchOn();
  }

  tick(): void {
    this.door.lock.tick();
    this.bluetooth.tick();
  }

  /** So many seconds pass, with a tick in each. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.door.now++;
      this.tick();
    }
  }

  /** Somebody connects, subscribes and shakes hands. */
  central(mtu = MTU): Central {
    const central = new Central(this, this.radio.connect(mtu));
    this.tick();
    central.connection.subscribe();
    central.connection.write(packHandshake(0));
    this.tick();
    central.agree();
    return central;
  }

  /** What it advertises. */
  get advert() {
    const advert = readAdvert(this.radio.shown.serviceData as Uint8Array);
    if (advert === undefined) throw new Error("no advertisement");
    return advert;
  }

  get openSessions(): number {
    return this.sessions.filter(({ closed }) => !closed).length;
  }
}

/** One that speaks as a courier does. */
class Central {
  readonly porch: Porch;
  readonly connection: ScriptedConnection;
  segments!: Segments;
  #request = 0;

  constructor(porch: Porch, connection: ScriptedConnection) {
    this.porch = porch;
    this.connection = connection;
  }

  agree(): void {
    const agreement = readAgreement(this.connection.taken()[0] ?? new Uint8Array(0));
    if (agreement === undefined) throw new Error("no agreement");
    this.segments = new Segments(agreement);
  }

  /** Takes what was notified; the message, when it is complete. */
  hear(): Uint8Array | undefined {
    let message: Uint8Array | undefined;
    for (const value of this.connection.taken()) {
      const taken = this.segments.take(value);
      assert.notEqual(taken, Taken.broken);
      if (taken !== Taken.message || message !== undefined) continue;
      message = this.segments.message.slice();
      this.segments.done();
    }
    return message;
  }

  /** Writes all segments that may go. */
  write(): void {
    for (let next = this.segments.next(); next !== undefined; next = this.segments.next())
      if (!this.connection.isOver) this.connection.write(next);
  }

  /** Sends a message and takes the answer; undefined where the lock falls silent. */
  ask(message: Uint8Array): Uint8Array | undefined {
    this.segments.send(message);
    for (let turns = 0; turns < 300; turns++) {
      this.write();
      if (!this.connection.isOver) this.porch.tick();
      const answer = this.hear();
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** Sends a body; what kind of message answers it, or the name of a result. */
  say(type: number, body: Uint8Array): string {
    const answer = this.ask(frame(type, ++this.#request, body));
    if (answer === undefined) return "silence";
    const reader = new Reader(answer);
    const head = readFrame(reader);
    if (head?.type === Type.result) return codeName(readResult(reader)?.code ?? 0);
    return head?.type === Type.status ? "status" : `${head?.type}`;
  }

  hello(): string {
    return this.say(Type.hello, helloBody(MAX_MESSAGE_BYTES));
  }
}

/** A bundle that nobody signed. */
function forged({ door }: Porch, n: number): Uint8Array {
  const { applied, head } = door.lock.parts.table;
  const { lock } = door.identity;
  const forger = { ...door.issuer, seed: new Uint8Array(32).fill(n) };
  const bundle = {
    lock,
    epoch: 1,
    first: applied + 1,
    before: head.slice(),
    issuedAt: door.now,
    notAfter: 0,
  };
  return signBundle(door.crypto, forger, bundle, [Uint8Array.of(0x82, 8, 0xa0)]);
}

/** Whether the lock is fit: nothing was misused, and whoever comes now is answered. */
function expectFit(porch: Porch): void {
  const central = porch.central();
  assert.equal(central.hello(), "status");
  central.connection.disconnect();
  porch.tick();
  assert.deepEqual(porch.radio.misuses, []);
}

describe("S5 the lock's end of a connection", () => {
  for (const mtu of [23, 64, 247, MTU])
    it(`answers in segments of its MTU, ${mtu}`, () => {
      const porch = new Porch();
      const central = porch.central(mtu);
      assert.equal(central.hello(), "status");
      assert.equal(central.say(Type.ask, askBody({ first: 1, about: true })), `${Type.receipt}`);
      assert.equal(central.say(Type.identify, Uint8Array.of(0xff)), "malformed");
      assert.deepEqual(porch.radio.misuses, []);
    });

  it("takes the MTU that is known when the handshake comes", () => {
    const porch = new Porch();
    const connection = porch.radio.connect();
    porch.tick();
    connection.subscribe();
    connection.mtu = 247;
    connection.write(packHandshake(0));
    porch.tick();
    assert.deepEqual(readAgreement(connection.taken()[0]), { size: 244, window: WINDOW });
  });

  it("answers a handshake that comes before the subscription as soon as somebody has subscribed", () => {
    const porch = new Porch();
    const connection = porch.radio.connect(MTU);
    connection.write(packHandshake(100));
    porch.pass(SILENCED_S + 1);
    assert.deepEqual(connection.notified, []);
    connection.subscribe();
    porch.tick();
    assert.deepEqual(readAgreement(connection.taken()[0]), { size: 100, window: WINDOW });
    expectFit(porch);
  });

  it("is over where another thing than a handshake is written first, and where it is written twice", () => {
    for (const first of [NO_HANDSHAKE, new Uint8Array(0), packHandshake(19), packHandshake(0, 2), HELLO]) {
      const porch = new Porch();
      const connection = porch.radio.connect(MTU);
      connection.subscribe();
      connection.write(first);
      // What comes behind it makes nothing good.
      connection.write(packHandshake(0));
      porch.tick();
      assert.equal(connection.closes, 1);
      assert.deepEqual(connection.notified, []);
      assert.equal(porch.openSessions, 0);
      expectFit(porch);
    }
    for (const isAnswered of [false, true]) {
      const porch = new Porch();
      const connection = porch.radio.connect(MTU);
      connection.subscribe();
      connection.write(packHandshake(0));
      if (isAnswered) porch.tick();
      connection.write(packHandshake(0));
      porch.tick();
      assert.equal(connection.closes, 1);
      expectFit(porch);
    }
  });

  it("says that no version is common, and hangs up a second later", () => {
    const porch = new Porch();
    const connection = porch.radio.connect(MTU);
    connection.subscribe();
    const later = Uint8Array.of(0x40, 2, 0, 0, WINDOW);
    connection.write(later);
    porch.tick();
    assert.deepEqual(connection.taken(), [Uint8Array.of(0x40, 0, 0, 0, 0)]);
    // What stands in a controller's buffers goes with a connection that is ended.
    assert.equal(connection.closes, 0);
    assert.equal(porch.openSessions, 0);
    porch.door.now += FAREWELL_S - 0.1;
    for (const value of [later, packHandshake(0), HELLO]) {
      connection.write(value);
      porch.tick();
    }
    assert.equal(connection.closes, 0);
    porch.door.now += 0.1;
    porch.tick();
    assert.equal(connection.closes, 1);
    assert.deepEqual(connection.taken(), []);
    expectFit(porch);
  });

  it("goes on in the middle of an answer where a central has unsubscribed and subscribes again", () => {
    const porch = new Porch();
    const central = porch.central(23);
    central.segments.send(HELLO);
    central.write();
    central.connection.unsubscribe();
    porch.pass(2);
    assert.deepEqual(central.connection.notified, []);
    central.connection.subscribe();
    porch.tick();
    let answer = central.hear();
    for (let turns = 0; turns < 9 && answer === undefined; turns++) {
      central.write();
      if (turns === 0) central.connection.unsubscribe();
      porch.tick();
      if (turns === 0) central.connection.subscribe();
      porch.tick();
      answer = central.hear();
    }
    assert.equal(readFrame(new Reader(answer as Uint8Array))?.type, Type.status);
    expectFit(porch);
  });

  it("is over where a message comes while the answer to the one before is still going out", () => {
    const porch = new Porch();
    const central = porch.central(23);
    central.hello();
    const ask = frame(Type.ask, 7, askBody({ first: 1, about: true }));
    central.segments.send(ask);
    central.write();
    porch.tick();
    // The window is full of the answer; an ack lets it go on, and the next message is there at once.
    assert.equal(central.connection.inFlight > 0, true);
    central.segments.send(HELLO);
    central.write();
    porch.tick();
    assert.equal(central.connection.closes, 1);
    assert.equal(porch.openSessions, 0);
    expectFit(porch);
  });

  it("brings two centrals at once each its own answers, whole", () => {
    const porch = new Porch();
    const [one, other] = [porch.central(23), porch.central(64)];
    for (const central of [one, other]) assert.equal(central.hello(), "status");
    const asks = [one, other].map((central, n) => {
      const message = frame(Type.ask, 40 + n, askBody({ first: 1, about: true }));
      central.segments.send(message);
      return message;
    });
    const answers: (Uint8Array | undefined)[] = [undefined, undefined];
    for (let turns = 0; turns < 60; turns++)
      [one, other].forEach((central, n) => {
        central.write();
        porch.tick();
        answers[n] ??= central.hear();
      });
    answers.forEach((answer, n) => {
      const reader = new Reader(answer as Uint8Array);
      assert.deepEqual(readFrame(reader), { type: Type.receipt, request: 40 + n });
      assert.ok(asks[n].length > 0);
    });
    expectFit(porch);
  });

  it("brings the answer to the third bad signature before it is over", () => {
    for (const mtu of [23, 247]) {
      const porch = new Porch();
      const central = porch.central(mtu);
      central.hello();
      for (let n = 1; n <= 3; n++) assert.equal(central.say(Type.bundle, forged(porch, n)), "bad-signature");
      assert.equal(porch.openSessions, 0);
      assert.equal(central.connection.closes, 0);
      // Nothing more is answered meanwhile.
      assert.equal(central.connection.notified.length, 0);
      porch.pass(1);
      assert.equal(central.connection.closes, 1);
      expectFit(porch);
    }
  });

  it("is not kept by whoever goes on talking after the third bad signature", () => {
    const porch = new Porch();
    const central = porch.central();
    central.hello();
    for (let n = 1; n <= 3; n++) central.say(Type.bundle, forged(porch, n));
    let answers = 0;
    for (let n = 0; n < 4 && !central.connection.isOver; n++) {
      central.segments.send(HELLO);
      central.write();
      porch.door.now += 0.4;
      porch.tick();
      answers += central.connection.taken().length;
    }
    assert.equal(central.connection.closes, 1);
    assert.equal(answers, 0);
    expectFit(porch);
  });
});

describe("S5 a radio that fails", () => {
  it("may refuse a notification for a while: it goes later, and other lines live on", () => {
    const porch = new Porch();
    const [silent, other] = [porch.central(), porch.central()];
    silent.connection.silence = new Error("disabled");
    silent.segments.send(HELLO);
    silent.write();
    porch.pass(SILENCED_S - 1);
    assert.equal(other.hello(), "status");
    assert.equal(other.say(Type.ask, askBody({ first: 1, about: true })), `${Type.receipt}`);
    assert.equal(silent.connection.closes, 0);
    silent.connection.silence = undefined;
    porch.tick();
    assert.equal(readFrame(new Reader(silent.hear() as Uint8Array))?.type, Type.status);
    expectFit(porch);
  });

  it("loses the line on which nothing can be notified, and no other", () => {
    for (const isGreeted of [false, true]) {
      const porch = new Porch();
      const other = porch.central();
      const silent = isGreeted ? porch.central().connection : porch.radio.connect(MTU);
      silent.silence = new Error("disabled");
      if (!isGreeted) silent.subscribe();
      if (isGreeted) silent.write(Uint8Array.of(3, 0, 0, HELLO.length, ...HELLO));
      else silent.write(packHandshake(0));
      porch.pass(SILENCED_S + 1);
      assert.equal(silent.closes, 1);
      assert.equal(other.hello(), "status");
      expectFit(porch);
    }
  });

  it("may refuse to advertise: the next tick tries again", () => {
    const porch = new Porch();
    porch.radio.refusal = new Error("busy");
    porch.tick();
    porch.tick();
    assert.deepEqual(porch.radio.advertised, []);
    porch.radio.refusal = undefined;
    porch.tick();
    assert.equal(porch.radio.advertised.length, 1);
    porch.tick();
    assert.equal(porch.radio.advertised.length, 1);
  });

  it("is not asked to advertise before it is ready", () => {
    const door = new Door({ profile: L500I });
    const radio = new ScriptedRadio();
    const bluetooth = new Bluetooth(door.lock, door.board, radio);
    bluetooth.tick();
    assert.deepEqual(radio.advertised, []);
    radio.options.onReady();
    bluetooth.tick();
    assert.equal(radio.options.mtu, MTU);
    assert.deepEqual(radio.shown.services, [Gatt.service]);
    assert.equal(radio.shown.flags, 6);
  });

  it("may throw when the lock hangs up: the line is gone all the same", () => {
    const porch = new Porch();
    const [stuck, other] = [porch.central().connection, porch.central()];
    stuck.stuck = new Error("gone");
    stuck.write(NO_HANDSHAKE);
    porch.tick();
    assert.equal(porch.bluetooth.connections, 1);
    assert.equal(other.hello(), "status");
    expectFit(porch);
  });

  it("may tell of connections that the lock does not know", () => {
    const porch = new Porch();
    const central = porch.central();
    const { radio } = porch;
    const unknown = new ScriptedRadio();
    new Bluetooth(porch.door.lock, porch.door.board, unknown);
    const stranger = unknown.connect(MTU);
    stranger.disconnect();
    for (const call of ["onSubscribe", "onUnsubscribe"] as const) radio.call(Gatt.outbox, call, stranger);
    radio.call(Gatt.inbox, "onWrite", stranger, new ArrayBuffer(3));
    radio.options.onDisconnect(stranger);
    porch.tick();
    assert.equal(porch.bluetooth.connections, 1);
    assert.equal(central.hello(), "status");
    expectFit(porch);
  });

  it("advertises again after the lock hung up, which its stack does not do by itself", () => {
    const porch = new Porch();
    porch.tick();
    const connection = porch.radio.connect(MTU);
    connection.write(NO_HANDSHAKE);
    porch.tick();
    assert.equal(porch.radio.advertised.length, 2);
  });
});

describe("X13 the lock's three lines", () => {
  it("are never four: one that opens while three are there is hung up", () => {
    const porch = new Porch();
    const three = [1, 2, 3].map(() => porch.central());
    const fourth = porch.radio.connect(MTU);
    fourth.subscribe();
    fourth.write(packHandshake(0));
    assert.equal(porch.bluetooth.connections, 3);
    porch.tick();
    assert.equal(fourth.closes, 1);
    assert.deepEqual(fourth.notified, []);
    for (const central of three) assert.equal(central.hello(), "status");
    const gone = porch.radio.connect(MTU);
    gone.disconnect();
    porch.tick();
    assert.deepEqual(porch.radio.misuses, []);
  });

  it("are not four either while one of them says its last word", () => {
    const porch = new Porch();
    const [forger] = [1, 2, 3].map(() => porch.central());
    forger.hello();
    for (let n = 1; n <= 3; n++) forger.say(Type.bundle, forged(porch, n));
    const fourth = porch.radio.connect(MTU);
    assert.ok(porch.bluetooth.connections <= MAX_RADIO_SESSIONS);
    porch.tick();
    assert.equal(fourth.closes, 1);
    assert.deepEqual(porch.radio.misuses, []);
  });

  it(`are free of a stranger after ${STRANGER_S} s, and of anybody after ${IDLE_S} s without a message`, () => {
    const porch = new Porch();
    const stranger = porch.central();
    const courier = porch.central();
    courier.hello();
    const { door } = porch;
    assert.equal(courier.say(Type.bundle, door.bundle([door.pin(0, "471100")])), `${Type.receipt}`);
    porch.pass(STRANGER_S - 1);
    assert.equal(stranger.connection.closes, 0);
    porch.pass(2);
    assert.equal(stranger.connection.closes, 1);
    assert.equal(courier.connection.closes, 0);
    courier.hello();
    porch.pass(IDLE_S - 1);
    assert.equal(courier.connection.closes, 0);
    porch.pass(1);
    assert.equal(courier.connection.closes, 1);
    expectFit(porch);
  });
});

describe("S10 what a lock shows of itself", () => {
  it("is its lock id while nobody owns it, and a rotating one as soon as somebody does", () => {
    const porch = new Porch({ unclaimed: true });
    porch.tick();
    const { door } = porch;
    assert.deepEqual(porch.advert.id, door.identity.lock.slice(0, 6));
    assert.equal(porch.advert.flags & StatusFlag.unclaimed, StatusFlag.unclaimed);
    porch.pass(ROTATION_S + 1);
    assert.deepEqual(porch.advert.id, door.identity.lock.slice(0, 6));
    door.claim();
    porch.tick();
    assert.ok(isIdOf(door.crypto, door.lock.authority.derived?.linkKey as Uint8Array, porch.advert.id));
    assert.equal(porch.advert.flags & StatusFlag.unclaimed, 0);
  });

  it("is another id every 15 minutes of uptime, and not sooner", () => {
    const porch = new Porch();
    porch.tick();
    const { id } = porch.advert;
    porch.pass(ROTATION_S - 1);
    assert.deepEqual(porch.advert.id, id);
    porch.pass(1);
    assert.notDeepEqual(porch.advert.id, id);
    assert.equal(porch.radio.advertised.length, 2);
  });

  it("C16 never says that something urgent waits, in the advertisement or to whoever connects", () => {
    const porch = new Porch();
    const { door } = porch;
    door.apply(door.pin(0, "246802", { flags: Flag.duress }));
    const central = porch.central();
    central.hello();
    assert.equal(door.type("246802"), "granted");
    porch.tick();
    assert.notEqual(door.hello().flags & StatusFlag.urgent, 0);
    assert.equal(porch.advert.flags & StatusFlag.urgent, 0);
    assert.notEqual(porch.advert.flags & StatusFlag.eventsWaiting, 0);
    const info = readInfo(central.connection.read());
    assert.equal((info?.flags ?? 255) & StatusFlag.urgent, 0);
    assert.equal(info?.flags, porch.advert.flags);
    const status = central.ask(frame(Type.hello, 9, helloBody(MAX_MESSAGE_BYTES))) as Uint8Array;
    const reader = new Reader(status);
    readFrame(reader);
    assert.equal((readStatus(reader)?.flags ?? 255) & StatusFlag.urgent, 0);
  });

  it("is there where flash cannot be mounted, and every request is answered storage-failed", () => {
    const { door } = new Porch();
    const image = door.board.image();
    image.credentials.fill(0);
    bootFrom(door, image);
    const porch = new Porch({}, door);
    porch.tick();
    assert.equal(porch.advert.flags & StatusFlag.storageFault, StatusFlag.storageFault);
    const central = porch.central(23);
    assert.equal(readInfo(central.connection.read())?.largest, 20);
    assert.equal(central.hello(), "status");
    assert.equal(central.say(Type.ask, askBody({ first: 1 })), "storage-failed");
    assert.equal(central.say(Type.bundle, forged(porch, 1)), "storage-failed");
    expectFit(porch);
  });
});

// ---- whatever comes

const SEQUENCES = 120;
const STEPS = 80;
const HANDSHAKES = [packHandshake(0), packHandshake(20), packHandshake(100, 3), NO_HANDSHAKE];

/** Somebody at whose connection anything may happen. */
interface Wild {
  readonly connection: ScriptedConnection;
  segments: Segments | undefined;
}

/** Does one thing that centrals, the stack and time do. */
function wildStep(porch: Porch, wilds: Wild[], dice: Dice): void {
  const live = wilds.filter(({ connection }) => !connection.isOver);
  const kind = dice.below(16);
  if (kind <= 1 || live.length === 0)
    wilds.push({ connection: porch.radio.connect(dice.pick([23, 23, 64, 247, MTU])), segments: undefined });
  else if (kind === 2) porch.pass(dice.pick([1, 1, 1, 2, 5, 9, 31]));
  else if (kind <= 6) porch.tick();
  else if (kind <= 11) wildWrite(dice.pick(live), dice);
  else wildCall(porch, dice.pick(live).connection, dice, kind);
}

function wildCall(porch: Porch, connection: ScriptedConnection, dice: Dice, kind: number): void {
  if (kind === 12) connection.write(dice.bytes(dice.below(30)));
  else if (kind === 13) connection.read();
  else if (kind === 14 && dice.chance(0.8)) connection.subscribe();
  else if (kind === 14) connection.unsubscribe();
  else if (dice.chance(0.3)) connection.disconnect();
  else {
    connection.silence = dice.chance(0.2) ? new Error("disabled") : undefined;
    connection.stuck = dice.chance(0.2) ? new Error("gone") : undefined;
    porch.radio.refusal = dice.chance(0.2) ? new Error("busy") : undefined;
  }
}

/** What a courier would write next, or nearly. */
function wildWrite(wild: Wild, dice: Dice): void {
  const { connection } = wild;
  for (const value of connection.taken()) {
    const agreement = readAgreement(value);
    if (agreement !== undefined && wild.segments === undefined) wild.segments = new Segments(agreement);
    else if (wild.segments?.take(value) === Taken.message) wild.segments.done();
  }
  const { segments } = wild;
  if (segments === undefined) {
    // Most of them behave at first.
    if (dice.chance(0.5)) connection.subscribe();
    connection.write(dice.chance(0.9) ? HANDSHAKES[0] : dice.pick(HANDSHAKES));
    return;
  }
  if (!segments.isSending) {
    const other = dice.chance(0.5)
      ? frame(Type.ask, dice.below(99), askBody({ first: 1, about: true }))
      : HELLO;
    segments.send(dice.chance(0.2) ? dice.bytes(1 + dice.below(300)) : other);
  }
  for (let count = 1 + dice.below(WINDOW); count > 0; count--) {
    const next = segments.next()?.slice();
    if (next === undefined) return;
    if (dice.chance(0.03)) next[dice.below(next.length)] ^= 1 << dice.below(8);
    connection.write(next);
  }
}

function expectSound(porch: Porch, wilds: readonly Wild[]): void {
  const { bluetooth, radio } = porch;
  assert.deepEqual(radio.misuses, []);
  assert.ok(bluetooth.connections <= MAX_RADIO_SESSIONS, `${bluetooth.connections} lines`);
  assert.ok(porch.openSessions <= bluetooth.connections, `${porch.openSessions} sessions open`);
  const live = wilds.filter(({ connection }) => !connection.isOver);
  assert.ok(bluetooth.connections <= live.length, `${bluetooth.connections} of ${live.length}`);
  for (const { connection } of wilds) {
    assert.ok(connection.inFlight <= WINDOW, `${connection.inFlight} on their way`);
    assert.ok(connection.closes <= 1);
  }
}

describe(`S5 X8 whatever centrals do (seed ${SEED})`, () => {
  it("no callback throws, nothing is misused, three lines are not exceeded, and the next courier is served", () => {
    const porch = new Porch();
    let answered = 0;
    for (let n = 0; n < SEQUENCES; n++) {
      const dice = new Dice(SEED * 1000 + n);
      porch.reboot();
      const wilds: Wild[] = [];
      try {
        for (let step = 0; step < STEPS; step++) {
          wildStep(porch, wilds, dice);
          expectSound(porch, wilds);
        }
      } catch (error) {
        throw new Error(`sequence ${n}`, { cause: error });
      }
      answered += wilds.filter(({ segments }) => segments !== undefined).length;
      porch.radio.refusal = undefined;
      for (const { connection } of wilds) if (!connection.isOver) connection.disconnect();
      assert.equal(porch.bluetooth.connections, 0);
      assert.equal(porch.openSessions, 0);
      expectFit(porch);
    }
    assert.ok(answered > SEQUENCES, `${answered} handshakes`);
  });
});
