// Bugs that stores on flash are known for, put into the core one at a time: each is what somebody once shipped, or nearly did. A suite
// that does not find one of them would not find it in the core either. Where the core changes, a text here that no longer fits is
// reported by name; then say the same bug in the core's new words.

import type { Mutation } from "../support/mutant";
import type { SampleName } from "./samples";

export interface KnownBug {
  /** What the core does, as the end of "It …". */
  readonly name: string;
  /** Where the bug shows. */
  readonly when: SampleName;
  readonly mutations: readonly Mutation[];
}

const STORAGE = "firmware/core/storage/";

/** A bug of one place: in `module`, `replace` stands where `find` stood. */
function bug(name: string, when: SampleName, module: string, find: string, replace = ""): KnownBug {
  return { name, when, mutations: [{ file: `${STORAGE}${module}.ts`, find, replace }] };
}

/** The append of a put's record, and the same as a copy that commits nothing, with the commit as a record of its own. */
const SLOT_APPEND = "const location = this.log.append(this.record, SLOT_BYTES, purpose);";
const SLOT_COPY_APPEND = `markEntry(this.record, 0, Record.slotCopy, false);
    this.record.fill(0, 41, 48);
    const location = this.log.append(this.record, 48, purpose);
    if (location === 0) return false;`;
const COMMIT_APPEND = `putOutcome(this.record, code, 0, 0, seq, head);
    if (this.log.append(this.record, OUTCOME_BYTES, purpose) === 0) return false;`;
const COMPACTED =
  "if (!this.relocateBlanks(oldest) || !owner.relocate(oldest, from, to, atAnyCost)) return false;";

export const KNOWN_BUGS: readonly KnownBug[] = [
  // ---- what belongs together
  bug(
    "commits the position before the effect",
    "the power goes between two operations",
    "table",
    SLOT_APPEND,
    `const copy = this.record.slice();
    ${COMMIT_APPEND}
    this.record.set(copy);
    ${SLOT_COPY_APPEND}`,
  ),
  bug(
    "commits the position behind the effect",
    "the power goes between two operations",
    "table",
    SLOT_APPEND,
    `${SLOT_COPY_APPEND}
    ${COMMIT_APPEND}`,
  ),
  bug(
    "answers before the flash has taken it",
    "a sector is stuck",
    "flash-log",
    "this.offset = this.#sectors.bytes;\n      return 0;",
    "return at / UNIT;",
  ),
  bug(
    "does not read back what it wrote",
    "a sector is stuck",
    "device",
    "if (check[i] === bytes[i]) continue;",
    "continue;",
  ),
  // ---- what stood there before
  bug(
    "does not seed the CRC of a record",
    "a sector is stuck",
    "sectors",
    "return crc32(this.#seedInput, 0, 12, 0);",
    "return 0;",
  ),
  bug(
    "uses a sector without a look whether it is still erased",
    "the power goes while a sector is opened",
    "flash-log",
    "if (!this.#sectors.stillBlank(next, buffer)) ",
    "if (next < 0) ",
  ),
  bug(
    "accepts a sector of an earlier lap",
    "the power goes while a sector is erased",
    "log-finder",
    "if (oldest <= this.newest) this.oldest = Math.max(this.oldest, oldest);",
  ),
  bug(
    "takes 0xFF for proof of an erase",
    "the power goes while a scrambled sector is erased",
    "blanks",
    "this.#says[at] = isClear(sector, 0, sector.length) ? Says.clear : Says.prints;",
    "this.#says[at] = Says.clear;",
  ),
  bug(
    "goes on right behind what a cut left",
    "the power goes between two operations",
    "log-mount",
    "return isClear(sector, this.#end, page * PAGE) ? this.#end : page * PAGE;",
    "return this.#end;",
  ),
  // ---- compaction
  bug(
    "announces an erase before it has copied what lives",
    "the power goes between two operations",
    "flash-log",
    COMPACTED,
    `this.oldest++;
    this.append(this.markOf(0), UNIT, Purpose.compaction);
    this.oldest--;
    ${COMPACTED}`,
  ),
  bug(
    "drops the announcement of an erase",
    "the power goes while a sector is erased",
    "flash-log",
    "if (this.append(this.markOf(0), UNIT, Purpose.compaction) > 0) return true;",
    "if (this.oldest > 0) return true;",
  ),
  bug(
    "erases once more what is recorded as erased, and does not take that back",
    "the power goes when a scrambled sector begins to be opened",
    "flash-log",
    "blanks.mustRetract(target) && !this.recordBlank(target) && this.nextBlank(this.newest) > 0;",
    "false;",
  ),
  bug(
    "does not copy the use of credentials",
    "a full table is in use",
    "compaction",
    "this.values(places.usage, Record.usage, Record.usage) &&",
  ),
  bug(
    "does not copy acks",
    "ten slots are in use",
    "compaction",
    "if (acks.sector(seq) === (number & 0xff) && seq !== applied && !this.#carried.keep(seq)) return false;",
    "if (acks.sector(seq) === (number & 0xff) && seq > applied) return false;",
  ),
  bug(
    "forgets what could not be read when its sector goes",
    "a record is ruined",
    "compaction",
    "this.#table.recordDamage(Purpose.compaction) &&",
  ),
  bug(
    "passes over what it cannot read",
    "a sector is stuck",
    "compaction",
    "if (!this.#atAnyCost) return false;\n        this.#table.condemn(slot);\n        continue;",
    "continue;",
  ),
  // ---- damage
  bug("does not mend a flipped bit", "a bit flips", "records", "if (!mend) return 0;", "return 0;"),
  bug(
    "falls back to the record before, where the newest is damaged",
    "a record is ruined",
    "table-mount",
    "index.setPlace(key, NOWHERE, true);\n      return true;",
    "return true;",
  ),
  bug(
    "does not notice that a record is missing",
    "a record is ruined",
    "log-mount",
    "if (!this.#isLoose && link !== this.expected) this.miss(link, at - this.#end, this.runTo(link, at));",
  ),
  bug(
    "does not notice that a sector is missing",
    "a sector is ruined",
    "log-mount",
    "this.#losses.loseSector(this.#set);\n      this.#isLoose = true;",
  ),
  bug(
    "believes what is older when the newest sector is lost",
    "a sector is ruined",
    "losses",
    "this.#touched.clear();\n    this.loseUnnamed();",
    "this.#touched.clear();\n    this.count++;",
  ),
  bug(
    "counts uses anew when their record is lost",
    "a record is ruined",
    "table-mount",
    "this.#useless.fill(1, group * USAGE_GROUP, (group + 1) * USAGE_GROUP);",
  ),
  bug(
    "does not say what a revocation changed in a sector",
    "the sector of a revocation is ruined",
    "table",
    "this.log.touched.add(slot);\n      this.forget(slot);",
    "this.forget(slot);",
  ),
  bug(
    "keeps what the lock itself must know only once",
    "the sector of the claim is ruined",
    "table",
    "this.mirror();",
  ),
  // ---- room and erases
  bug(
    "keeps no room for revocations",
    "a full partition is revoked from",
    "flash-log",
    "const REMOVALS = 4;",
    "const REMOVALS = 0;",
  ),
  bug(
    "erases while a person waits",
    "people are at a busy door",
    "uses",
    "// The uses of seven others",
    "this.#table.maintain();\n    // The uses of seven others",
  ),
  bug(
    "erases as often as it likes in one call",
    "a full partition is looked after",
    "table",
    "this.log.maintain(this.#compaction);",
    "for (let i = 0; i < 3; i++) this.log.maintain(this.#compaction);",
  ),
  bug(
    "writes when it mounts",
    "the power goes while a sector is erased",
    "table",
    "return new TableMount(this).mount();",
    `const state = new TableMount(this).mount();
    if (state === "mounted") this.maintain();
    return state;`,
  ),
];
