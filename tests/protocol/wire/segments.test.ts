// Segments: two ends that understand each other at every size and window, and an end that takes nothing which cannot be.

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { MAX_MESSAGE_BYTES } from "../../../protocol/wire/limits";
import {
  type Agreement,
  agree,
  MAX_SEGMENT_BYTES,
  MIN_SEGMENT_BYTES,
  MIN_WINDOW,
  packAgreement,
  packHandshake,
  readAgreement,
  readHandshake,
  Segments,
  Taken,
  WINDOW,
} from "../../../protocol/wire/segments";

const agreements = fc.record({
  size: fc.integer({ min: MIN_SEGMENT_BYTES, max: MAX_SEGMENT_BYTES }),
  window: fc.integer({ min: MIN_WINDOW, max: WINDOW }),
});
const messages = fc.uint8Array({ minLength: 1, maxLength: MAX_MESSAGE_BYTES });

/** All segments that one end has for the other now, as copies: the air keeps none of the sender's buffers. */
function drain(end: Segments): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let next = end.next(); next !== undefined; next = end.next()) all.push(next.slice());
  return all;
}

/** Two ends, and what is in the air between them. */
class Air {
  readonly ends: readonly [Segments, Segments];
  readonly air: [Uint8Array[], Uint8Array[]] = [[], []];
  readonly got: [Uint8Array[], Uint8Array[]] = [[], []];
  mostInFlight = 0;

  constructor(agreement: Agreement) {
    this.ends = [new Segments(agreement), new Segments(agreement)];
  }

  /** One step of one end: it sends what it may, or takes what is in the air. Whether anything happened. */
  step(end: 0 | 1, takes: number): boolean {
    const sent = drain(this.ends[end]);
    this.air[1 - end].push(...sent);
    this.mostInFlight = Math.max(this.mostInFlight, this.air[1 - end].length);
    const taken = this.air[end].splice(0, takes);
    for (const segment of taken) {
      const result = this.ends[end].take(segment);
      assert.notEqual(result, Taken.broken);
      if (result !== Taken.message) continue;
      this.got[end].push(this.ends[end].message.slice());
      this.ends[end].done();
    }
    return sent.length + taken.length > 0;
  }

  /** Goes on until nothing moves any more. */
  settle(): void {
    for (let steps = 0; this.step(0, 1) || this.step(1, 1); steps++)
      assert.ok(steps < 10_000, "they come to rest");
  }
}

describe("S5 messages in segments", () => {
  it("come through whole and in order at every size and window, both ways, however the ends take turns", () => {
    fc.assert(
      fc.property(
        agreements,
        fc.array(fc.tuple(messages, messages), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.tuple(fc.constantFrom<0 | 1>(0, 1), fc.integer({ min: 0, max: 8 }))),
        (agreement, exchanges, turns) => {
          const air = new Air(agreement);
          exchanges.forEach(([request, answer], n) => {
            air.ends[0].send(request);
            for (let i = 0; i < 20; i++) {
              const [end, takes] = turns.next().value as [0 | 1, number];
              air.step(end, takes);
            }
            air.settle();
            assert.deepEqual(air.got[1][n], request);
            air.ends[1].send(answer);
            air.settle();
            assert.deepEqual(air.got[0][n], answer);
          });
          assert.ok(air.mostInFlight <= agreement.window, `${air.mostInFlight} in flight`);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("may also go both ways at once, and neither end waits for the other for ever", () => {
    fc.assert(
      fc.property(agreements, messages, messages, (agreement, one, other) => {
        const air = new Air(agreement);
        air.ends[0].send(one);
        air.ends[1].send(other);
        air.settle();
        assert.deepEqual(air.got, [[other], [one]]);
      }),
      { numRuns: 300 },
    );
  });

  it("use every byte of a segment, and an ack travels with an answer", () => {
    const air = new Air({ size: 20, window: 6 });
    air.ends[0].send(new Uint8Array(16 + 18).fill(7));
    const sent = drain(air.ends[0]);
    assert.deepEqual(
      sent.map(({ length }) => length),
      [20, 20],
    );
    for (const segment of sent) air.ends[1].take(segment);
    assert.deepEqual(drain(air.ends[1]), []);
    air.ends[1].done();
    air.ends[1].send(Uint8Array.of(9));
    assert.deepEqual(drain(air.ends[1]), [Uint8Array.of(0b111, 1, 0, 0, 1, 9)]);
  });

  it("leave the last place of the window for a segment with an ack", () => {
    const end = new Segments({ size: 20, window: 6 });
    end.send(new Uint8Array(500));
    assert.equal(drain(end).length, 5);
    // A word of the other end, and the last place may be used to acknowledge it.
    assert.equal(end.take(Uint8Array.of(0b011, 0, 0, 1, 1)), Taken.message);
    const [last, ...none] = drain(end);
    assert.equal(none.length, 0);
    assert.equal(last[0] & 4, 4);
  });

  const whole = (): Segments => new Segments({ size: 20, window: 6 });
  const breaks = (...segments: number[][]): void => {
    const end = whole();
    const results = segments.map((bytes) => end.take(Uint8Array.from(bytes)));
    assert.equal(results.pop(), Taken.broken);
    assert.ok(!results.includes(Taken.broken));
    assert.equal(end.take(Uint8Array.of(3, 0, 0, 1, 1)), Taken.broken, "and nothing mends it");
  };

  it("break the connection where a segment is missing or comes twice", () => {
    breaks([1, 0, 0, 3, 1], [2, 2, 2, 3]);
    breaks([1, 0, 0, 3, 1], [1, 0, 0, 3, 1]);
    breaks([3, 1, 0, 1, 1]);
  });

  it("break the connection where a length does not fit", () => {
    breaks([1, 0, 0, 0, 1]);
    breaks([1, 0, 0x08, 0x11, 1]);
    breaks([3, 0, 0, 2, 1]);
    breaks([1, 0, 0, 1, 1]);
    breaks([1, 0, 0, 2, 1], [0, 1, 2]);
    breaks([1, 0, 0, 2, 1], [2, 1, 2, 3]);
    breaks([1, 0, 0, 2]);
    breaks([1, 0, 0]);
    breaks([...[1, 0, 0, 99], ...new Array(17).fill(0)]);
    assert.equal(whole().take(Uint8Array.from([1, 0, 0x08, 0x10, 1])), Taken.more);
  });

  it("break the connection on a segment that cannot be", () => {
    breaks([]);
    breaks([0]);
    breaks([0, 0]);
    breaks([0, 0, 1]);
    breaks([8, 0, 0, 1, 1]);
    breaks([0x43, 0, 0, 1, 1]);
    breaks([4, 0]);
    breaks([3, 0, 0, 1, 1], [3, 1, 0, 1, 1]);
  });

  it("break the connection on an ack of what was never sent, or was acknowledged", () => {
    breaks([4, 0, 0]);
    const end = whole();
    end.send(new Uint8Array(40));
    drain(end);
    assert.equal(end.take(Uint8Array.of(4, 1, 0)), Taken.more);
    assert.equal(end.take(Uint8Array.of(4, 1, 1)), Taken.broken);
  });

  it("are not taken from an end that ignores the window", () => {
    const end = whole();
    const results = Array.from({ length: 7 }, (_, n) =>
      end.take(Uint8Array.from(n === 0 ? [1, 0, 0, 99, 1] : [0, n, 1])),
    );
    assert.deepEqual(results, [...new Array(6).fill(Taken.more), Taken.broken]);
  });

  it("of random bytes neither throw nor write outside of the room", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 12 }), (segments) => {
        const end = new Segments({ size: 20, window: 6 });
        for (const segment of segments)
          if (end.take(segment) === Taken.message) {
            assert.ok(end.message.length > 0);
            end.done();
          }
      }),
      { numRuns: 2000 },
    );
  });

  it("that lose one of them are noticed with the next, and never give another message", () => {
    fc.assert(
      fc.property(agreements, messages, fc.nat(), (agreement, message, lost) => {
        const [from, to] = [new Segments(agreement), new Segments(agreement)];
        from.send(message);
        const sent: Uint8Array[] = [];
        for (let n = 0; from.isSending; n++) {
          const [...now] = drain(from);
          sent.push(...now);
          // An end that heard everything, so that all of them go.
          from.take(Uint8Array.of(4, (sent.length - 1) & 0xff, n & 0xff));
        }
        if (sent.length < 2) return;
        sent.splice(lost % sent.length, 1);
        let last: number = Taken.more;
        for (const segment of sent) {
          last = to.take(segment);
          to.next();
        }
        assert.notEqual(last, Taken.message);
      }),
    );
  });
});

describe("S5 the handshake of a connection", () => {
  it("agrees on the smaller of what both ends take, from 20 to 512 bytes, and on a window of at most six", () => {
    const agreed = (largest: number, window: number, ours: number): Agreement | undefined => {
      const asked = readHandshake(packHandshake(largest, window));
      return asked && readAgreement(packAgreement(agree(asked, ours)));
    };
    assert.deepEqual(agreed(0, 6, 20), { size: 20, window: 6 });
    assert.deepEqual(agreed(0, 255, 514), { size: 512, window: 6 });
    assert.deepEqual(agreed(182, 4, 244), { size: 182, window: 4 });
    assert.deepEqual(agreed(512, 3, 182), { size: 182, window: 3 });
  });

  it("is refused where it asks for less than can be", () => {
    assert.equal(readHandshake(packHandshake(19)), undefined);
    assert.equal(readHandshake(packHandshake(20, 2)), undefined);
    assert.ok(readHandshake(packHandshake(20, 3)));
    assert.equal(readHandshake(Uint8Array.of(0x40, 1, 0, 0)), undefined);
    assert.equal(readHandshake(Uint8Array.of(0x41, 1, 0, 0, 6)), undefined);
    assert.equal(readHandshake(Uint8Array.of(0x40, 2, 0, 0, 6))?.speaksOurs, false);
  });

  it("without a common version ends in none", () => {
    assert.equal(readAgreement(packAgreement(undefined)), undefined);
    assert.equal(readAgreement(Uint8Array.of(0x40, 1, 0, 19, 6)), undefined);
    assert.equal(readAgreement(Uint8Array.of(0x40, 1, 2, 1, 6)), undefined);
    assert.equal(readAgreement(Uint8Array.of(0x40, 1, 0, 20, 7)), undefined);
    assert.equal(readAgreement(Uint8Array.of(0x40, 1, 0, 20, 2)), undefined);
    assert.deepEqual(readAgreement(Uint8Array.of(0x40, 1, 2, 0, 3)), { size: 512, window: 3 });
  });
});
