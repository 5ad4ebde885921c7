// The card reader: frames of a PN532 in noise, cards that come, stay and go, and a reader that dies.

import assert from "node:assert/strict";
import fc from "fast-check";
import { LOOK_MS, Pn532Reader, RETRY_MS } from "../../../firmware/device/card-reader";
import { Guard } from "../../../firmware/device/guard";
import { FrameFinder, packCommand } from "../../../firmware/device/pn532-frames";
import { Pins } from "../../support/sdk/digital";
import { readerFrame, VirtualPn532 } from "../../support/sdk/pn532";
import { serialOf } from "../../support/sdk/serial";
import { VirtualTimers } from "../../support/sdk/timers";

const PINS = { receive: 16, transmit: 17, baud: 115_200, port: 1 };
const ACK = [0, 0, 0xff, 0, 0xff, 0];
const FOUR = [0xde, 0xad, 0xbe, 0xef];
const SEVEN = [0x04, 1, 2, 3, 4, 5, 6];
const TEN = [0x88, 9, 8, 7, 6, 5, 4, 3, 2, 1];
/** Long enough for a card to be seen, or missed for good. */
const SOON_MS = 3 * LOOK_MS + 300;
const GONE_MS = 6 * LOOK_MS + 600;

class Bench {
  readonly timers = new VirtualTimers();
  readonly pins = new Pins(this.timers);
  readonly #serial = serialOf(this.pins);
  readonly line = this.#serial.line;
  readonly chip = new VirtualPn532(this.line, this.timers);
  readonly guard = new Guard();
  readonly cards: string[] = [];
  readonly states: string[] = [];
  onCard = (uid: Uint8Array): void => {
    this.cards.push(Buffer.from(uid).toString("hex"));
  };
  readonly reader = new Pn532Reader({
    pins: PINS,
    Serial: this.#serial.Serial,
    timers: this.timers,
    guard: this.guard,
    onCard: (uid) => this.onCard(uid),
    onState: (state) => this.states.push(state),
  });

  lay(uid: readonly number[] | undefined, ms = SOON_MS): void {
    this.chip.card = uid && { uid };
    this.timers.advance(ms);
  }
}

const hex = (bytes: readonly number[]): string => Buffer.from(bytes).toString("hex");

/** All frames in some bytes. */
function framesOf(bytes: Iterable<number>): string[] {
  const finder = new FrameFinder();
  const frames: string[] = [];
  for (const byte of bytes) {
    finder.push(byte);
    for (let frame = finder.next(); frame !== undefined; frame = finder.next())
      frames.push(typeof frame === "string" ? frame : hex([...frame]));
  }
  return frames;
}

describe("Frames of a PN532", () => {
  it("are packed as the manual's examples are", () => {
    assert.equal(hex([...packCommand(0x02, [])]), "0000ff02fed4022a00");
    assert.equal(hex([...packCommand(0x4a, [1, 0])]), "0000ff04fcd44a0100e100");
  });

  it("are found: an acknowledgement, a refusal, an answer, an error", () => {
    const error = [0, 0, 0xff, 1, 0xff, 0x7f, 0x81, 0];
    const bytes = [...ACK, ...[0, 0, 0xff, 0xff, 0, 0], ...readerFrame([0x4b, 0]), ...error];
    assert.deepEqual(framesOf(bytes), ["ack", "nack", "4b00", "nack"]);
  });

  it("have at most 254 bytes after the speaker", () => {
    const data = Array.from({ length: 254 }, (_, i) => i);
    assert.deepEqual(framesOf(readerFrame(data)), [hex(data)]);
  });

  it("are found after any noise, and a broken one never counts", () => {
    const noise = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0xff)), {
      maxLength: 40,
    });
    const property = fc.property(noise, fc.uint8Array({ maxLength: 30 }), (before, data) => {
      const frame = readerFrame([0x4b, ...data]);
      // A start in the noise may claim what follows; it is over after the longest frame at the latest.
      const flush = new Array<number>(300).fill(0x55);
      const frames = framesOf([...before, ...flush, ...frame]);
      assert.equal(frames.at(-1), hex([0x4b, ...data]));
    });
    fc.assert(property);
  });

  it("are found behind a frame that was cut off, with no byte lost between them", () => {
    const frame = readerFrame([0x4b, 1, 1, 0, 4, 8, 4, ...FOUR]);
    const whole = hex(frame.slice(6, -2));
    for (let cut = 0; cut < frame.length; cut++) {
      const frames = framesOf([...frame.slice(0, cut), ...frame, ...frame]);
      assert.ok(frames.length >= 1 && frames.every((each) => each === whole), `cut at ${cut}`);
      // One whose last byte alone is missing has it from the next one's first.
      assert.equal(frames.length, cut === frame.length - 1 ? 3 : 2, `cut at ${cut}`);
    }
  });

  it("are all found behind noise that looked like the start of a long one", () => {
    const start = [0, 0xff, 30, 0x100 - 30];
    const frames = [...ACK, ...readerFrame([0x15]), ...ACK, ...readerFrame([0x4b, 0])];
    assert.deepEqual(framesOf([...start, ...frames, ...ACK]), ["ack", "15", "ack", "4b00", "ack"]);
  });

  it("do not count with any bit turned over", () => {
    const frame = readerFrame([0x4b, 1, 1, 0, 4, 8, 4, ...FOUR]);
    // The first byte is not needed: the start code is the two after it.
    for (let bit = 8; bit < 8 * frame.length; bit++) {
      const spoilt = [...frame];
      spoilt[bit >> 3] ^= 1 << (bit & 7);
      assert.deepEqual(
        framesOf(spoilt).filter((each) => each.startsWith("4b")),
        [],
        `bit ${bit}`,
      );
    }
  });
});

describe("A card at the reader", () => {
  it("is told with its UID of 4, 7 or 10 bytes, with or without what else it can", () => {
    for (const uid of [FOUR, SEVEN, TEN])
      for (const ats of [undefined, [0x05, 0x78, 0x80, 0x70, 0x02]]) {
        const bench = new Bench();
        bench.chip.card = { uid, ats };
        bench.timers.advance(SOON_MS);
        assert.deepEqual(bench.cards, [hex(uid)]);
      }
  });

  it("is told with no UID of another length", () => {
    for (const length of [0, 1, 3, 5, 6, 8, 9, 11]) {
      const bench = new Bench();
      bench.lay(Array.from({ length }, (_, i) => i));
      assert.deepEqual(bench.cards, [], `${length} bytes`);
    }
  });

  it("is told once while it lies there, and again after it had left", () => {
    const bench = new Bench();
    bench.lay(SEVEN, 20_000);
    assert.deepEqual(bench.cards, [hex(SEVEN)]);
    bench.lay(undefined, GONE_MS);
    bench.lay(SEVEN);
    assert.deepEqual(bench.cards, [hex(SEVEN), hex(SEVEN)]);
  });

  it("has not left because one look or two missed it", () => {
    const bench = new Bench();
    bench.lay(FOUR);
    for (let i = 0; i < 10; i++) {
      bench.lay(undefined, LOOK_MS);
      bench.lay(FOUR, 3 * LOOK_MS);
    }
    assert.deepEqual(bench.cards, [hex(FOUR)]);
  });

  it("is another one when the UID is another one", () => {
    const bench = new Bench();
    for (const uid of [FOUR, SEVEN, TEN, FOUR]) bench.lay(uid);
    assert.deepEqual(bench.cards, [FOUR, SEVEN, TEN, FOUR].map(hex));
  });

  it("is given as a copy: whoever writes into it changes nothing", () => {
    const bench = new Bench();
    let calls = 0;
    bench.onCard = (uid) => {
      calls++;
      uid.fill(0);
    };
    bench.lay(FOUR, 5000);
    assert.equal(calls, 1);
  });

  it("is looked for again after whoever takes it has thrown", () => {
    const bench = new Bench();
    bench.onCard = (uid) => {
      bench.cards.push(hex([...uid]));
      throw new Error("full");
    };
    bench.lay(FOUR);
    bench.lay(SEVEN);
    assert.deepEqual(bench.cards, [FOUR, SEVEN].map(hex));
    assert.equal(bench.guard.faults, 2);
    assert.equal(bench.reader.state, "ready");
  });

  it("is looked for with the field off in between", () => {
    const bench = new Bench();
    bench.timers.advance(SOON_MS);
    let onMs = 0;
    for (let i = 0; i < 2000; i++) {
      bench.timers.advance(1);
      if (bench.chip.isFieldOn) onMs++;
    }
    assert.ok(onMs > 0 && onMs < 500, `${onMs} ms`);
    assert.equal(bench.line.lost, 0);
  });
});

describe("A reader in noise", () => {
  it("is heard whatever comes before its frames", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 12 }), (noise) => {
      const bench = new Bench();
      bench.chip.spoil = (bytes) => [...noise, ...bytes];
      bench.lay(FOUR, 5000);
      // Noise that happens to look like the start of a frame may cost tries, and nothing wrong is ever told.
      assert.ok(bench.cards.every((card) => card === hex(FOUR)));
      if (!Buffer.from(noise).includes(Buffer.of(0, 0xff))) assert.deepEqual(bench.cards, [hex(FOUR)]);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("is heard with the next try after noise that looked like the start of a long frame", () => {
    const bench = new Bench();
    bench.timers.advance(SOON_MS);
    let isFirst = true;
    bench.chip.spoil = (bytes) => {
      const noise = isFirst ? [0, 0xff, 200, 56] : [];
      isFirst = false;
      return [...noise, ...bytes];
    };
    bench.lay(FOUR);
    assert.deepEqual(bench.cards, [hex(FOUR)]);
    assert.deepEqual(bench.states, ["ready"]);
  });

  it("is not believed when it answers what it has not acknowledged", () => {
    const bench = new Bench();
    bench.chip.spoil = (bytes) => (bytes.length === ACK.length ? [] : bytes);
    bench.lay(FOUR, 3000);
    assert.deepEqual(bench.cards, []);
    assert.equal(bench.reader.state, "dead");
  });

  it("is asked again when a frame was spoilt", () => {
    const bench = new Bench();
    let sent = 0;
    bench.chip.spoil = (bytes) => (++sent % 5 === 0 ? bytes.map((byte) => byte ^ 0x10) : bytes);
    bench.lay(FOUR, 10_000);
    assert.deepEqual(bench.cards, [hex(FOUR)]);
    assert.deepEqual(bench.states, ["ready"]);
  });

  it("gives nothing for frames that it sends unasked", () => {
    const bench = new Bench();
    bench.timers.advance(SOON_MS);
    while (bench.reader.isBusy) bench.timers.advance(1);
    bench.line.send([...ACK, ...readerFrame([0x4b, 1, 1, 0, 4, 8, 4, ...FOUR])]);
    bench.timers.advance(SOON_MS);
    assert.deepEqual(bench.cards, []);
  });

  it("gives nothing for an answer that is cut, or says more than it has", () => {
    for (const data of [
      [0x4b],
      [0x4b, 1],
      [0x4b, 1, 1, 0, 4, 8],
      [0x4b, 1, 1, 0, 4, 8, 7, ...FOUR],
      [0x4b, 2, 1, 0, 4],
    ]) {
      const bench = new Bench();
      const answer = readerFrame(data);
      bench.chip.spoil = (bytes) => (bytes.length > 6 && bytes[6] === 0x4b ? answer : bytes);
      bench.timers.advance(3000);
      assert.deepEqual(bench.cards, []);
      assert.equal(bench.guard.faults, 0);
    }
  });
});

describe("A reader that does not answer", () => {
  it("is reported once, tried again slowly, and works when it comes back", () => {
    const bench = new Bench();
    bench.chip.isDead = true;
    bench.timers.advance(2000);
    assert.deepEqual(bench.states, ["dead"]);
    assert.equal(bench.reader.isBusy, false, "the chip may sleep");
    bench.timers.advance(10 * RETRY_MS);
    assert.deepEqual(bench.states, ["dead"]);
    bench.chip.isDead = false;
    bench.lay(FOUR, RETRY_MS + SOON_MS);
    assert.deepEqual(bench.states, ["dead", "ready"]);
    assert.deepEqual(bench.cards, [hex(FOUR)]);
  });

  it("is dead too when it acknowledges and never answers", () => {
    const bench = new Bench();
    bench.timers.advance(SOON_MS);
    bench.chip.isMute = true;
    bench.timers.advance(2000);
    assert.equal(bench.reader.state, "dead");
  });

  it("and that has lost its power is woken and configured anew", () => {
    const bench = new Bench();
    bench.timers.advance(SOON_MS);
    bench.chip.restart();
    bench.lay(FOUR, RETRY_MS + 2 * SOON_MS);
    assert.deepEqual(bench.cards, [hex(FOUR)]);
    assert.deepEqual(bench.states, ["ready", "dead", "ready"]);
  });

  it("does not tell a card again that has been lying there all along", () => {
    const bench = new Bench();
    bench.lay(FOUR);
    bench.chip.isDead = true;
    bench.timers.advance(2 * RETRY_MS);
    bench.chip.isDead = false;
    bench.timers.advance(2 * RETRY_MS);
    assert.deepEqual(bench.cards, [hex(FOUR)]);
    assert.deepEqual(bench.states, ["ready", "dead", "ready"]);
  });

  it("has a port that another one cannot have", () => {
    const bench = new Bench();
    const { Serial } = serialOf(bench.pins);
    const { timers, guard, onCard } = bench;
    assert.throws(() => new Pn532Reader({ pins: PINS, Serial, timers, guard, onCard }), /in use/);
  });
});
