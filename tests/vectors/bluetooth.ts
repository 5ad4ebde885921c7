// Vectors of what goes over Bluetooth: handshakes, messages in segments, and what is advertised.

import { packAdvert, packInfo, rotatingId } from "../../protocol/wire/advert";
import { toHex } from "../../protocol/wire/bytes";
import { agree, packAgreement, packHandshake, readHandshake, Segments } from "../../protocol/wire/segments";
import { node } from "../../simulator/board/crypto";

/** Handshakes: what a courier writes, what a lock's connection takes, and its answer; none where it hangs up. */
function handshakes() {
  const asked = [
    ...[packHandshake(0), packHandshake(182, 4), packHandshake(512, 255), packHandshake(20, 3)],
    ...[Uint8Array.of(0x40, 2, 0, 0, 6), Uint8Array.of(0x40, 3, 0, 0, 6)],
    ...[packHandshake(19), packHandshake(0, 2), Uint8Array.of(0x40, 1, 0, 0), Uint8Array.of(3, 0, 0, 1, 9)],
  ];
  return [20, 244, 512].flatMap((takes) =>
    asked.map((request) => {
      const read = readHandshake(request);
      const answer = read && packAgreement(read.speaksOurs ? agree(read, takes) : undefined);
      return { request: toHex(request), takes, answer: answer === undefined ? null : toHex(answer) };
    }),
  );
}

const messageOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);

/** A request and its answer, segment by segment, in the order of two ends that send all they may before they listen. */
function exchange(size: number, window: number, request: number, answer: number) {
  const ends = { courier: new Segments({ size, window }), lock: new Segments({ size, window }) };
  const segments: { from: "courier" | "lock"; segment: string }[] = [];
  const drain = (from: "courier" | "lock"): Uint8Array[] => {
    const all: Uint8Array[] = [];
    for (let next = ends[from].next(); next !== undefined; next = ends[from].next()) {
      all.push(next.slice());
      segments.push({ from, segment: toHex(next) });
    }
    return all;
  };
  ends.courier.send(messageOf(request));
  let isAnswered = false;
  for (let moved = 1; moved > 0; ) {
    const there = drain("courier");
    for (const segment of there)
      if (ends.lock.take(segment) === 1) {
        ends.lock.done();
        ends.lock.send(messageOf(answer));
        isAnswered = true;
      }
    const back = drain("lock");
    for (const segment of back) if (ends.courier.take(segment) === 1) ends.courier.done();
    moved = there.length + back.length;
  }
  if (!isAnswered) throw new Error("an exchange that does not end");
  return {
    size,
    window,
    request: toHex(messageOf(request)),
    answer: toHex(messageOf(answer)),
    segments,
  };
}

/** Segments to an end that has sent nothing, of which the last one breaks the connection; size 20, window 6. */
const BROKEN: readonly { readonly why: string; readonly segments: readonly string[] }[] = [
  { why: "empty", segments: [""] },
  { why: "no number", segments: ["01"] },
  { why: "a flag that is none", segments: ["0b00000101"] },
  { why: "not the first number", segments: ["0301000101"] },
  { why: "a number left out", segments: ["0100000301", "020203"] },
  { why: "a number twice", segments: ["0100000301", "0200"] },
  { why: "length 0", segments: ["0100000001"] },
  { why: "length 2,065", segments: ["0100081101"] },
  { why: "ends too early", segments: ["0300000201"] },
  { why: "does not end", segments: ["0100000101"] },
  { why: "more than its length", segments: ["0100000201", "02010203"] },
  { why: "nothing in it", segments: ["01000002"] },
  { why: "goes on with nothing", segments: ["000001"] },
  { why: "begins inside another", segments: ["0100000301", "0101000301"] },
  { why: "an ack of what was not sent", segments: ["040000"] },
  { why: "longer than agreed", segments: [`01000063${"00".repeat(17)}`] },
];

/** The content of bluetooth.json. */
export function bluetoothVectors() {
  const linkKey = Uint8Array.from({ length: 32 }, (_, i) => i);
  const random = Uint8Array.of(0xa1, 0xb2, 0xc3);
  const id = rotatingId(node, linkKey, random);
  const shortId = Uint8Array.of(9, 8, 7, 6);
  return {
    handshakes: handshakes(),
    exchanges: [
      ...[exchange(20, 6, 1, 1), exchange(20, 6, 15, 16), exchange(20, 6, 16, 33), exchange(20, 3, 150, 219)],
      ...[exchange(20, 6, 300, 219), exchange(244, 6, 1200, 252), exchange(512, 6, 2064, 2064)],
    ],
    broken: BROKEN,
    advertisements: [
      {
        linkKey: toHex(linkKey),
        random: toHex(random),
        applied: 0x12345,
        flags: 9,
        serviceData: toHex(packAdvert({ id, applied: 0x12345, flags: 9 })),
      },
    ],
    info: [
      {
        profile: 1,
        shortId: toHex(shortId),
        epoch: 3,
        applied: 74565,
        flags: 5,
        largest: 244,
        value: toHex(packInfo({ profile: 1, shortId, epoch: 3, applied: 74565, flags: 5, largest: 244 })),
      },
    ],
  };
}
