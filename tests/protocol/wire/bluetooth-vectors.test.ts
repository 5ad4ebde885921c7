// The vectors of what goes over Bluetooth, read by the words of the specification: the reader here knows nothing of the code that wrote them.

import { strict as assert } from "node:assert";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readAgreement, Segments, Taken } from "../../../protocol/wire/segments";
import { VECTOR_FOLDER } from "../../vectors/generate";

interface Exchange {
  readonly size: number;
  readonly window: number;
  readonly request: string;
  readonly answer: string;
  readonly segments: readonly { readonly from: "courier" | "lock"; readonly segment: string }[];
}

const vectors = JSON.parse(readFileSync(join(VECTOR_FOLDER, "bluetooth.json"), "utf8"));
const BEGIN = 1;
const END = 2;
const ACK = 4;

/** What one end has said so far, by the specification. */
class Heard {
  next = 0;
  /** Numbers that are on their way. */
  unacked: number[] = [];
  length = 0;
  readonly bytes: number[] = [];

  take(segment: Buffer, { size, window }: Exchange, other: Heard): void {
    assert.ok(segment.length <= size);
    const flags = segment[0];
    let at = 1;
    if (flags & ACK) {
      const place = other.unacked.indexOf(segment[at++]);
      assert.ok(place >= 0, "acknowledges what is on its way");
      other.unacked.splice(0, place + 1);
    } else assert.ok(this.unacked.length < window - 1, "the last place is for a segment with an ack");
    assert.ok(this.unacked.length < window);
    assert.equal(segment[at++], this.next);
    this.unacked.push(this.next);
    this.next = (this.next + 1) % 256;
    if (flags & BEGIN) {
      this.length = segment.readUInt16BE(at);
      at += 2;
    }
    this.bytes.push(...segment.subarray(at));
    if (segment.length === at) assert.equal(flags, ACK);
    else assert.equal((flags & END) !== 0, this.bytes.length === this.length);
  }
}

describe("S5 the vectors of Bluetooth", () => {
  it("put every message together again within the window", () => {
    for (const exchange of vectors.exchanges as Exchange[]) {
      const heard = { courier: new Heard(), lock: new Heard() };
      for (const { from, segment } of exchange.segments)
        heard[from].take(Buffer.from(segment, "hex"), exchange, heard[from === "lock" ? "courier" : "lock"]);
      assert.equal(Buffer.from(heard.courier.bytes).toString("hex"), exchange.request);
      assert.equal(Buffer.from(heard.lock.bytes).toString("hex"), exchange.answer);
    }
  });

  it("name segments that break a connection, and nothing before them does", () => {
    for (const { why, segments } of vectors.broken as { why: string; segments: string[] }[]) {
      const end = new Segments({ size: 20, window: 6 });
      const taken = segments.map((text) => end.take(Buffer.from(text, "hex")));
      assert.equal(taken.pop(), Taken.broken, why);
      assert.ok(!taken.includes(Taken.broken), why);
    }
  });

  it("agree on sizes and windows as the handshake says", () => {
    for (const { request, takes, answer } of vectors.handshakes) {
      const asked = Buffer.from(request, "hex");
      const largest = asked.length === 5 ? asked.readUInt16BE(2) : -1;
      const isWhole = asked[0] === 0x40 && (largest === 0 || largest >= 20) && asked[4] >= 3;
      if (!isWhole) {
        assert.equal(answer, null);
        continue;
      }
      const agreed = readAgreement(Buffer.from(answer, "hex"));
      if ((asked[1] & 1) === 0) assert.equal(answer, "4000000000");
      else
        assert.deepEqual(agreed, {
          size: Math.min(largest || 512, takes, 512),
          window: Math.min(asked[4], 6),
        });
    }
  });

  it("derive the id of an advertisement from its random part", () => {
    for (const { linkKey, random, serviceData } of vectors.advertisements) {
      const mac = createHmac("sha256", Buffer.from(linkKey, "hex"))
        .update("tumbler/1 advert")
        .update(Buffer.from(random, "hex"))
        .digest("hex");
      assert.equal(serviceData, `${random}${mac.slice(0, 6)}2345` + "09");
    }
  });
});
