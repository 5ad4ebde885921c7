// Proves rule F1: the core computes on XS, the engine of the lock, what it computes on Node, to the last byte, and in no more memory than
// a board gives it. A life is told to a lock on Node with node:crypto; then its steps, and nothing else, are put to Node and to XS with
// the portable crypto.

import assert from "node:assert/strict";
import { LOCK_1000 } from "../../firmware/core/profile";
import { SECTOR_BYTES } from "../../simulator/board/nor";
import { ensureXs } from "./engine";
import { BOARD_HEAP, BOARD_STACK, liveOnNode, liveOnXs, told } from "./life/live";
import { longLife, smallLife } from "./life/stories";
import { splitAnswer, type Teller } from "./life/teller";

const LIFE_TIMEOUT_MS = 300_000;

/** Every decision that the core can come to. */
const REASONS = [
  ...[
    "granted",
    "bad-entry",
    "unknown",
    "damaged",
    "disabled",
    "wrong-mode",
    "clock-unknown",
    "not-yet-valid",
  ],
  ...["expired", "first-use-missed", "outside-schedule", "used-up", "busy"],
  ...["locked-out", "holiday", "needs-second"],
];

/** Erases of the table's flash in a life. */
const erasesOf = ({ steps }: Teller): number =>
  Math.max(...steps.map(({ answer }) => JSON.parse(splitAnswer(answer).seen).credentials?.erases ?? 0));

describe("F1 one life, byte for byte the same", () => {
  const long = told(longLife);
  const small = told(smallLife);

  before(async function () {
    this.timeout(600_000);
    await ensureXs();
  });

  it("comes to every decision", () => {
    assert.deepEqual([...long.reasons].sort(), [...REASONS].sort());
  });

  it("fills a thousand slots by signed bundles, and applies every one of their puts", () => {
    const full = long.steps.filter(({ label }) => /^(put ){31}put → receipt/.test(label));
    const applied = full.flatMap(({ label }) => label.split(": ")[1].split(" "));
    assert.ok(full.length >= 31, "full bundles: " + full.length);
    assert.ok(applied.filter((code) => code === "applied").length >= 31 * 32, applied.join(" "));
    assert.ok(long.labels.includes("type 89940979 → granted"), "the last slot opens");
  });

  it("goes through cuts, rebases, compactions and pages of events, whose chain is exported to its end", () => {
    assert.ok(long.cuts >= 10, "cuts: " + long.cuts);
    assert.equal(long.labels.filter((label) => /^part \d+ → receipt of (5|10)000/.test(label)).length, 2);
    const flash = LOCK_1000.credentialBytes / SECTOR_BYTES;
    assert.ok(erasesOf(long) > flash, "erases: " + erasesOf(long) + " of " + flash + " sectors");
    assert.ok(erasesOf(small) >= 8, "erases of a small board: " + erasesOf(small));
    assert.match(long.labels.filter((label) => label.startsWith("fetch")).at(-1) ?? "", /→ page of 0 /);
    assert.ok(long.exported > 300, "events: " + long.exported);
  });

  for (const [name, life] of [
    ["a thousand-slot lock", long],
    ["a ten-slot lock", small],
  ] as const) {
    it("of " + name + " on Node, with the portable crypto", () => liveOnNode(life));

    it(
      "of " + name + " on XS, frozen, with the board's stack, and its heap where slots are the board's",
      function () {
        this.timeout(LIFE_TIMEOUT_MS);
        return liveOnXs(life, { heap: BOARD_HEAP, stackSlots: BOARD_STACK });
      },
    );
  }
});
