// The ring of acks: what it keeps, what it forgets, and that an ack never changes (rule K2).

import assert from "node:assert/strict";
import fc from "fast-check";
import { Acks } from "../../../../firmware/core/storage/acks";

const SIZE = 8;
const put = (acks: Acks, ...seqs: number[]): void => {
  for (const seq of seqs) acks.put(seq, seq % 0x60, seq * 3, seq * 5, 1);
};
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("K2 the acks that a lock keeps", () => {
  it("are the last ones, as many as there is room for and not one more", () => {
    const acks = new Acks(SIZE);
    put(acks, ...range(1, SIZE));
    assert.deepEqual([acks.first, acks.last], [1, SIZE]);
    put(acks, SIZE + 1);
    assert.deepEqual([acks.first, acks.last], [2, SIZE + 1]);
    assert.deepEqual(
      [acks.has(1), acks.has(2), acks.has(SIZE + 1), acks.has(SIZE + 2)],
      [false, true, true, false],
    );
  });

  it("never change: the same seq again is not written over", () => {
    const acks = new Acks(SIZE);
    acks.put(1, 0x30, 7, 99, 1);
    acks.put(1, 0x00, 8, 98, 2);
    assert.deepEqual([acks.code(1), acks.detail(1), acks.fingerprint(1), acks.sector(1)], [0x30, 7, 99, 2]);
  });

  it("are whole whatever the order in which a mount meets them", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.shuffledSubarray(range(0, SIZE + 3), { minLength: SIZE + 4 }),
        (base, order) => {
          const acks = new Acks(SIZE);
          put(acks, ...order.map((step) => base + step));
          const last = base + SIZE + 3;
          assert.deepEqual([acks.first, acks.last], [last - SIZE + 1, last]);
          for (const seq of range(acks.first, last))
            assert.deepEqual(
              [acks.code(seq), acks.detail(seq), acks.fingerprint(seq)],
              [seq % 0x60, seq * 3, seq * 5],
            );
        },
      ),
    );
  });

  it("end where one is missing, and go on when it turns up", () => {
    const acks = new Acks(SIZE);
    put(acks, 10, 11, 13, 14);
    assert.deepEqual([acks.first, acks.last], [13, 14]);
    put(acks, 12);
    assert.deepEqual([acks.first, acks.last], [10, 14]);
    put(acks, 30);
    assert.deepEqual([acks.first, acks.last], [30, 30]);
    put(acks, 22, 29);
    assert.deepEqual([acks.first, acks.last], [29, 30]);
  });

  it("are copied as they stand, five bytes each, and are none after a new epoch has begun", () => {
    const acks = new Acks(SIZE);
    acks.put(3, 0x32, 0x0102, 0x0304, 1);
    const bytes = new Uint8Array(7);
    acks.copy(3, bytes, 1);
    assert.deepEqual([...bytes], [0, 0x32, 1, 2, 3, 4, 0]);
    acks.clear();
    assert.deepEqual([acks.has(3), acks.first, acks.last], [false, 1, 0]);
  });
});
