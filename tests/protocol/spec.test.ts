// protocol/README.md against the code: its tables are the code's numbers and words, its examples come out, its sizes are what is sent.

import assert from "node:assert/strict";
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LOCK_1000, PROFILES } from "../../firmware/core/profile";
import { claimKeys, TAG_KIND } from "../../protocol/crypto/derive";
import { isAcceptableKey } from "../../protocol/crypto/verify";
import {
  encodeDelta,
  signBundle,
  signCommand,
  signHeartbeat,
  signKeyset,
  signReset,
  signTime,
  signUnlock,
} from "../../protocol/issuer/encode";
import { GOOD_DENSITY } from "../../protocol/issuer/make-pins";
import { guessRisk } from "../../protocol/issuer/pins";
import { fromHex, toHex } from "../../protocol/wire/bytes";
import { encode } from "../../protocol/wire/cborx";
import { CODES, Code, codeClass, consumes, REASONS, type Row } from "../../protocol/wire/codes";
import { Domain } from "../../protocol/wire/cose";
import { Field, Op } from "../../protocol/wire/deltas";
import { Capability, ENTRY_BYTES, Flag, Kind, ROLE_NAMES, Role } from "../../protocol/wire/entry";
import { CREDENTIAL_NAMES, EventKind, METHOD_NAMES } from "../../protocol/wire/event";
import * as limits from "../../protocol/wire/limits";
import {
  askBody,
  emptyBody,
  fetchBody,
  frame,
  helloBody,
  nonceBody,
  pageBody,
  partBody,
  StatusFlag,
  Type,
} from "../../protocol/wire/messages";
import { CommandOp, May } from "../../protocol/wire/payloads";
import { Feature, TRUST_NAMES } from "../../protocol/wire/receipt";
import { RefusalsWriter } from "../../protocol/wire/refusals";
import {
  checkSetting,
  isSealed,
  MAX_CLOCK_BOUND_S,
  MAX_GRACE_MINUTES,
  MAX_HOLIDAY_DAYS,
  MAX_HOLIDAYS,
  MAX_LOCKOUT_MINUTES,
  MAX_LOCKOUT_TRIES,
  MAX_OFFLINE_INDEXES,
  MAX_RELOCK_SECONDS,
  MAX_RESET_DELAY_H,
  MODE_NAMES,
  NO_MODE,
  OfflineKind,
  Setting,
} from "../../protocol/wire/settings";
import { OFFLINE, topic } from "../../protocol/wire/topics";
import { node } from "../../simulator/board/crypto";
import { Bench, claimTicket, KEYSET, LOCK_ID, pin, SIGNERS, START } from "../vectors/bench";
import { craft, payloadOf } from "../vectors/craft";
import { VECTOR_FOLDER } from "../vectors/generate";

const text = readFileSync(join(VECTOR_FOLDER, "../README.md"), "utf8");

/** The part of the document under a heading, up to the next heading of any level. */
function section(heading: string): string {
  const from = text.search(new RegExp(`^#+ ${heading}$`, "m"));
  assert.ok(from >= 0, heading);
  const rest = text.slice(from).replace(/^.*\n/, "");
  return rest.slice(0, rest.search(/^#+ /m) >>> 0);
}

/** The rows of the table whose head begins with these cells, anywhere in the document. */
function table(...head: string[]): string[][] {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${head.join(" | ")} |`));
  assert.ok(at >= 0, head.join());
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) => line.slice(2, -2).split(/(?<!\\) \| /));
}

/** The numbers and names of a list such as "0 admin · 1 resident". */
const numbered = (list: string): Map<string, number> =>
  new Map([...list.matchAll(/\b(\d+) ([a-z][a-z-]*)/g)].map(([, number, name]) => [name, Number(number)]));

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const kebabbed = (numbers: Readonly<Record<string, number>>): Map<string, number> =>
  new Map(Object.entries(numbers).map(([name, value]) => [kebab(name), value]));
const plain = (name: string): string => name.replace(/[ -]/g, "").toLowerCase();
const grouped = (value: number): string => value.toLocaleString("en-US");

describe("protocol/README.md: tables", () => {
  const rowsOf = (rows: readonly Row[], base: 10 | 16): string[] =>
    rows.map(({ value, name, text: words, advice }) => {
      const shown = base === 16 ? `0x${value.toString(16).padStart(2, "0")}` : String(value);
      return `| ${shown} | ${name} | ${words} | ${advice} |`;
    });
  const tableIn = (part: string): string[] =>
    part.split("\n").filter((line) => /^\| (0x)?\d[0-9a-f]* \| [a-z]/.test(line));

  it("K8 has every result code: value, name, text, advice", () => {
    const codes = tableIn(section("Result codes")).filter((line) => line.startsWith("| 0x"));
    assert.deepEqual(codes, rowsOf(CODES, 16));
  });

  it("K8 has every denial reason", () => {
    assert.deepEqual(tableIn(section("Denial reasons")), rowsOf(REASONS, 10));
  });

  it("names the classes, of which two use up a position", () => {
    const classes = table("class", "meaning").map(([number]) => Number(number));
    assert.deepEqual(classes, [...new Set(CODES.map(({ value }) => codeClass(value)))]);
    assert.deepEqual(
      [...new Set(CODES.filter(({ value }) => consumes(value)).map(({ value }) => codeClass(value)))],
      [0, 3],
    );
    assert.match(section("Result codes"), /only classes 0 and 3/);
  });

  it("has every type of message", () => {
    const rows = table("type", "message").map(([type, name]) => [name, Number(type)]);
    assert.deepEqual(Object.fromEntries(rows), Type);
  });

  it("has the domain of every signed message", () => {
    const rows = table("message", "external_aad").map(([name, domain]) => [name, domain]);
    const domains = Object.entries(Domain).map(([name, bytes]) => [
      name,
      `\`${Buffer.from(bytes).toString()}\``,
    ]);
    assert.deepEqual(new Map(rows as [string, string][]), new Map(domains as [string, string][]));
  });

  it("has every op", () => {
    const rows = table("op", "delta").map(([op, name]): [string, number] => [name, Number(op)]);
    assert.deepEqual(new Map(rows), kebabbed(Op));
  });

  it("has every field of a slot, with its roles, kinds, capabilities and flags", () => {
    const rows = table("key", "field");
    const fields = rows.map(([key, name]): [string, number] => [plain(name), Number(key.replace("? ", ""))]);
    assert.deepEqual(
      new Map(fields),
      new Map(Object.entries(Field).map(([name, key]) => [name.toLowerCase(), key])),
    );
    const listed = (field: string) => numbered(rows.find(([, name]) => name === field)?.[2] ?? "");
    assert.deepEqual(listed("role"), kebabbed(Role));
    assert.deepEqual([...listed("role").keys()], ROLE_NAMES);
    assert.deepEqual(listed("capabilities"), kebabbed(Capability));
    const { disabled, ...flags } = Flag;
    assert.deepEqual(listed("flags"), kebabbed(flags));
    assert.match(
      section("Entries and the table digest"),
      new RegExp(`Flag ${disabled} says that the slot is disabled`),
    );
    const kinds = rows.find(([, name]) => name === "kind")?.[2].toLowerCase() ?? "";
    assert.deepEqual(numbered(kinds), kebabbed(Kind));
    const tags = table("kind", "value").map(([kind]) => Number(kind.split(" ")[0]));
    assert.deepEqual(tags, [TAG_KIND.typed, TAG_KIND.phone, TAG_KIND.card]);
  });

  it("has every setting, mode, trust, right and status flag", () => {
    assert.deepEqual(
      numbered(
        table("setting", "value")
          .map(([name]) => name)
          .join(" "),
      ),
      kebabbed(Setting),
    );
    assert.deepEqual([...numbered(table("setting", "value")[1][1].split("byte:")[1]).keys()], MODE_NAMES);
    assert.deepEqual(
      [...numbered(section("Receipts").match(/trust in it: (.*) \|/)?.[1] ?? "").keys()],
      TRUST_NAMES,
    );
    assert.match(
      section("Identity, claim and keys"),
      new RegExp(`\`may\`: ${May.bundle} bundles, ${May.time} time answers`),
    );
    const flags = section("Hello, status, result, ask, bye").match(/flags: (.*) \|/)?.[1] ?? "";
    assert.deepEqual([...numbered(flags).values()], Object.values(StatusFlag));
  });

  it("X7 has every command, with the capability that it needs", () => {
    const rows = table("op", "command");
    const ops = rows.map(([op, name]): [string, number] => [name, Number(op)]);
    assert.deepEqual(new Map(ops), kebabbed(CommandOp));
    const capabilities = kebabbed(Capability);
    for (const [, , capability] of rows) assert.ok(capability === "none" || capabilities.has(capability));
  });

  it("L1 has every kind of event, every method and every credential", () => {
    const kinds = table("kind", "event").map(([kind, name]): [string, number] => [name, Number(kind)]);
    assert.deepEqual(new Map(kinds), kebabbed(EventKind));
    const said = section("What an event says").replaceAll("\n", " ");
    const [methods, credentials] = [/Methods are (.*?);/, /; credentials (.*?)\./].map((list) => [
      ...numbered(said.match(list)?.[1] ?? "").keys(),
    ]);
    assert.deepEqual(methods, METHOD_NAMES);
    assert.deepEqual(credentials, CREDENTIAL_NAMES);
  });

  it("C23, P4 has every kind of offline code, and a bit for each thing that a lock has", () => {
    const kinds = new Map(Object.entries(OfflineKind));
    const setting = table("setting", "value").find(([name]) => name === "14 offline-codes")?.[1] ?? "";
    assert.deepEqual(numbered(setting.split("‖")[0].split("open,")[1]), kinds);
    const rows = table("kind", "window").map(([name]) => name);
    assert.deepEqual(numbered(rows.join(" ")), kinds);
    const bits = section("Receipts").match(/bits: (1 reader.*)\]?/)?.[1] ?? "";
    assert.deepEqual(
      [...bits.matchAll(/(\d) [a-z]/g)].map(([, bit]) => Number(bit)),
      Object.values(Feature),
    );
  });
});

describe("protocol/README.md: numbers", () => {
  it("states the limits of the code", () => {
    const phrases: [string, number][] = [
      ["It has at most **@ bytes**", limits.MAX_MESSAGE_BYTES],
      ["The envelope has at most **@ bytes**", limits.MAX_BUNDLE_BYTES],
      ["1 to @ deltas", limits.MAX_BUNDLE_DELTAS],
      ["1 to @ issuer keys", limits.MAX_KEYS],
      ["0 to @ prints", limits.MAX_PARTS],
      ["number 1 to @, at most", limits.MAX_PARTS],
      ["at most @ bytes.\n\n| in this order | answer |\n|---|---|\n| no rebase", limits.MAX_PART_BYTES],
      ["`SHA-256(bytes)[0..@)`", limits.PART_PRINT_BYTES],
      ["more than @ s after the nonce was given |", limits.MAX_CHALLENGE_AGE_S],
      ["argument, 0 to @ bytes", limits.MAX_COMMAND_BYTES],
      ["| 11 alias | 1 to @ bytes", limits.MAX_ALIAS_BYTES],
      ["at most @ bytes of text; bits", limits.MAX_FIRMWARE_BYTES],
      ["| 0 to @ × 32 | the events", limits.MAX_PAGE_EVENTS],
      ["refusal, …]}`, at most @, newest", limits.MAX_REFUSALS],
      ["leases](#leases) last, 0–@", limits.MAX_LEASE_DAYS],
      ["needs no consent, 0–@", MAX_RESET_DELAY_H],
      ["1 byte: indexes, 1–@", MAX_OFFLINE_INDEXES],
      ["where the nonce is @ random", limits.SEAL_NONCE_BYTES],
      ["what is sealed is @ bytes longer", limits.SEAL_TAG_BYTES],
      ["site: 1 to @ bytes", limits.MAX_SITE_BYTES],
      ["at most @ pairs", limits.MAX_PAIRS],
      ["**from @ up they are", limits.FIRST_EXTENSION_KEY],
      ["and those after it; at most @", limits.MAX_RECEIPT_ACKS],
      ["more than @ s after the nonce", limits.MAX_TIME_ANSWER_AGE_S],
      ["and at most **@** unless setting 5", limits.DENSITY_LIMIT],
      ["8 + 30 × (24 + 7) = @ entries", limits.MAX_GUESSES_30_DAYS],
      ["no wait is shorter, in minutes, 0–@", MAX_LOCKOUT_MINUTES],
      ["1 byte: tries, 1–@", MAX_LOCKOUT_TRIES],
      ["else 0 ‖ 2 bytes: grace in minutes, 0–@", MAX_GRACE_MINUTES],
      ["the time is unknown, in seconds, 1–@ | 600", MAX_CLOCK_BOUND_S],
      ["16 to 79 are holidays 0 to @", MAX_HOLIDAYS - 1],
      ["how many days, 1–@", MAX_HOLIDAY_DAYS],
      ["the mode of the lock on these days, @ for none", NO_MODE],
      ["programmed at the keypad, digest of them]`: 0 to @", limits.MAX_LOCAL_CODES],
      ["0 to 10; @ bytes, which change", limits.LOCAL_DIGEST_BYTES],
      ["1 to @ windows", limits.MAX_WINDOWS],
      ["The value has 1–@ bytes", limits.MAX_SETTING_BYTES],
      ["0 never, at most @", MAX_RELOCK_SECONDS],
      ["an **entry** of @ bytes", ENTRY_BYTES],
      ["the last @ acks, the 1000-slot", Math.min(...PROFILES.map(({ acks }) => acks))],
      ["the 1000-slot model the last @", LOCK_1000.acks],
    ];
    for (const [phrase, value] of phrases) {
      const [plainly, withCommas] = [phrase.replace("@", String(value)), phrase.replace("@", grouped(value))];
      const places = [text, text.replaceAll("\n", " ")];
      assert.ok(
        places.some((place) => place.includes(plainly) || place.includes(withCommas)),
        withCommas,
      );
    }
    assert.equal(limits.MAX_SEQ, 2 ** 24 - 1);
  });

  it("C18 says what guessing comes to at the densities that it names", () => {
    const stated = section("Density").match(/: (\d+) % at ([\d,]+), and ([\d.]+) % at ([\d,]+),/) ?? [];
    const [much, dense, little, sparse] = stated.slice(1).map((each) => Number(each.replaceAll(",", "")));
    assert.deepEqual([dense, sparse], [limits.DENSITY_LIMIT, GOOD_DENSITY]);
    assert.equal(Math.round(100 * guessRisk(dense, 30)), much);
    assert.equal((100 * guessRisk(sparse, 30)).toFixed(2), String(little));
  });

  it("T7 has a bit for each role that a holiday refuses, and names each setting's length", () => {
    const bits = numbered(section("Holidays").match(/refused: (.*) \|/)?.[1] ?? "");
    assert.deepEqual(
      [...bits],
      ROLE_NAMES.map((name, role) => [name, 1 << role]),
    );
    for (const [setting, value] of table("setting", "value").filter(([name]) => !/zone|holiday/.test(name))) {
      assert.equal(isSealed(Number.parseInt(setting, 10)), value.startsWith("sealed: "));
      if (value.startsWith("sealed: ")) continue;
      const form = value.split("; or")[0];
      const bytes = [...form.matchAll(/(\d+) bytes?:/g)].reduce((sum, [, count]) => sum + Number(count), 0);
      const fits = (length: number) =>
        checkSetting(Number.parseInt(setting, 10), new Uint8Array(length)) !== Code.badFormat;
      assert.deepEqual([bytes - 1, bytes, bytes + 1].map(fits), [false, true, false], setting);
    }
  });

  it("writes the small-order points down, none of which is acceptable as a key", () => {
    const points = section("Verifying").match(/^\s+[0-9a-f]{64}$/gm) ?? [];
    assert.equal(points.length, 5);
    for (const point of points) {
      const bytes = fromHex(point.trim());
      assert.ok(!isAcceptableKey(bytes));
      bytes[31] |= 0x80;
      assert.ok(!isAcceptableKey(bytes));
    }
  });

  it("names what each derived key comes from", () => {
    const secret = new Uint8Array(32).fill(7);
    const salt = new Uint8Array([0, 0, 0, 9]);
    const derived = table("key", "info").map(([key, info]) => {
      const output = hkdfSync("sha256", secret, salt, Buffer.from(info.replaceAll("`", "")), 32);
      return [key, Buffer.from(output).toString("hex")];
    });
    const expected = Object.entries(claimKeys(node, secret, 9)).map(([key, bytes]) => [key, toHex(bytes)]);
    assert.deepEqual(derived, expected);
  });

  it("gives a digest example that comes out", () => {
    const block = section("Entries and the table digest").split("```")[1];
    const [entry, ...items] = block.trim().split("\n");
    const entryHex = entry.replace("entry", "").replaceAll(" ", "");
    assert.equal(entryHex.length, 2 * ENTRY_BYTES);
    let sum = 0n;
    for (const line of items.slice(0, 3)) {
      const [item, hash] = line.replace(/^item/, "").replace("‖ entry", entryHex).split("SHA-256");
      const bytes = Buffer.from(item.replaceAll(" ", ""), "hex");
      assert.equal(createHash("sha256").update(bytes).digest("hex"), hash.trim());
      sum += BigInt(`0x${hash.trim()}`);
    }
    assert.equal(BigInt.asUintN(256, sum).toString(16).padStart(64, "0"), items[3].trim().split(" ").at(-1));
  });

  it("C23 gives an offline code that comes out", () => {
    const said = section("Offline codes").match(/code of (\S+), day (\d+), is (\d{9})\./) ?? [];
    const day = Number(said[2]);
    assert.equal(Date.parse(said[1]) / 86_400_000, day);
    const window = Buffer.alloc(4);
    window.writeUInt32BE(day);
    const text = Buffer.concat([Buffer.from("tumbler/1 code"), Buffer.from([1, 0]), window]);
    const mac = createHmac("sha256", Buffer.alloc(32, 7)).update(text).digest();
    const code = (mac.readUInt32BE(mac[31] & 15) & 0x7fffffff) % 1e9;
    assert.equal(String(code).padStart(9, "0"), said[3]);
  });

  it("names the topics that links use", () => {
    for (const [name] of table("topic", "who publishes")) {
      const leaf = name.replaceAll("`", "").split("/").at(-1) as "dn" | "up" | "state" | "head";
      assert.equal(topic("<site>", "<lock>", leaf), name.replaceAll("`", ""));
    }
    assert.match(section("MQTT"), new RegExp(`the text \`${OFFLINE}\``));
  });
});

describe("protocol/README.md: sizes", () => {
  const sizes = new Map(
    table("what", "bytes").map(([what, bytes]) => [what, bytes.match(/\d+/g)?.map(Number) ?? []]),
  );
  const stated = (what: string): number[] => sizes.get(what) ?? [];
  const usual = (slot: number, more = {}) =>
    encodeDelta(pin(slot, "480213", { user: 0x80000000 + slot, ...more }));
  const head = {
    lock: LOCK_ID,
    epoch: 1,
    first: 1001,
    before: new Uint8Array(16),
    issuedAt: START,
    notAfter: 0,
  };
  const bundleOf = (count: number) =>
    signBundle(
      node,
      SIGNERS.issuer,
      head,
      Array.from({ length: count }, (_, i) => usual(500 + i)),
    );

  it("of deltas are what the issuer writes", () => {
    const guest = usual(500, { role: Role.guest, grantor: 0x80000001, start: START, end: START + 1 });
    assert.deepEqual(
      [usual(500).length, guest.length],
      stated("put of a PIN, and of a guest's PIN with start, end and grantor"),
    );
    const longest = {
      ...pin(999, "480213", {
        user: limits.MAX_U32,
        grantor: limits.MAX_U32 - 1,
        role: Role.guest,
        schedule: 255,
        uses: 65_535,
      }),
      ...{
        start: START,
        end: START + 1,
        minutesAfterFirstUse: 2880,
        firstUseHours: 255,
        capabilities: 127,
        flags: 30,
      },
      generation: limits.MAX_SEQ,
    };
    assert.deepEqual([encodeDelta(longest).length], stated("longest put"));
    const small = [
      { op: "drop", slot: 500, generation: 70_000 },
      { op: "revoke", user: 0x80000000 },
      { op: "wipe" },
    ] as const;
    assert.deepEqual(
      small.map((delta) => encodeDelta(delta).length),
      stated("drop, revoke, wipe"),
    );
  });

  it("of bundles and their envelopes are, too", () => {
    assert.deepEqual([bundleOf(1).length, bundleOf(32).length], stated("bundle of one put of a PIN, of 32"));
    const payload = bundleOf(32).length - stated("envelope around a payload")[0];
    // A payload of 256 bytes or more has a head of three.
    assert.equal(bundleOf(32)[1 + 14 + 1], 0x59);
    assert.equal(payload, (bundleOf(32)[17] << 8) | bundleOf(32)[18]);
    assert.deepEqual(
      [frame(255, 65_535, new Uint8Array(0)).length],
      stated("frame around a body").slice(0, 1),
    );
    assert.match(section("Sizes"), /A thousand PINs are 32 bundles/);
    assert.equal(Math.ceil(1000 / limits.MAX_BUNDLE_DELTAS), 32);
    assert.ok(Math.round((31 * bundleOf(32).length + bundleOf(8).length) / 1000) <= 38);
  });

  it("of the other messages are, too", () => {
    const bench = new Bench({ profile: LOCK_1000 });
    const time = signTime(node, SIGNERS.issuer, {
      lock: LOCK_ID,
      nonce: new Uint8Array(8),
      time: START,
      timeEpoch: 0,
    });
    const own = [
      frame(Type.hello, 1, helloBody(limits.MAX_MESSAGE_BYTES)).length,
      bench.serve()[0].answer.length / 2,
      frame(Type.ask, 300, askBody({ first: 100_000 })).length,
      frame(Type.claim, 1, claimTicket()).length,
      frame(Type.time, 1, time).length,
    ];
    assert.deepEqual(own, stated("hello, status, ask, claim, time"));
    const spare = { ...KEYSET[0], kid: new Uint8Array(8) };
    const keysets = [KEYSET.slice(0, 1), [...KEYSET, spare]].map(
      (keys) =>
        frame(Type.keys, 1, signKeyset(node, SIGNERS.owner, { lock: LOCK_ID, number: 1, keys, claim: 1 }))
          .length,
    );
    assert.deepEqual(keysets, stated("keyset of one key, of four"));
    const one = bench.apply("one", pin(0, "480213")).answer.length / 2;
    const many =
      bench.apply("many", ...Array.from({ length: 32 }, () => ({ op: "wipe" }) as const)).answer.length / 2;
    assert.ok(Math.abs(one - stated("receipt of one ack, of 32")[0]) <= 4, String(one));
    assert.ok(Math.abs(many - stated("receipt of one ack, of 32")[1]) <= 4, String(many));
  });

  it("of signs of life, consents and phones are, too", () => {
    const size = (type: number, body: Uint8Array): number => frame(type, 300, body).length;
    const beat = { lock: LOCK_ID, epoch: 1, issuedAt: START, acks: 1000, events: 100_000 };
    const phone = { lock: LOCK_ID, nonce: new Uint8Array(limits.NONCE_BYTES) };
    const sent = [
      size(Type.heartbeat, signHeartbeat(node, SIGNERS.issuer, beat)),
      size(Type.reset, signReset(node, SIGNERS.owner, { ...phone, claim: 1 })),
      size(Type.unlock, signUnlock(node, SIGNERS.stranger, phone)),
    ];
    assert.deepEqual(sent, stated("heartbeat, reset, unlock"));
    const commands = [0, limits.MAX_COMMAND_BYTES].map((length) => {
      const what = { ...phone, op: CommandOp.rename, argument: new Uint8Array(length) };
      return size(Type.command, signCommand(node, SIGNERS.stranger, what));
    });
    assert.deepEqual(commands, stated("command without an argument, with the longest"));
    const refusals = new RefusalsWriter();
    const longest = { ...{ method: 15, reason: 255, trust: 0, boot: 0x7fffff }, dated: limits.MAX_U32 };
    while (refusals.hasRoom) refusals.add({ ...longest, count: limits.MAX_U32, time: limits.MAX_U32 });
    assert.deepEqual([size(Type.refusals, refusals.body())], stated("longest refusals"));
    const bare = [emptyBody(), nonceBody(phone.nonce), fetchBody(100_000)];
    const types = [Type.challenge, Type.nonce, Type.fetch];
    assert.deepEqual(
      bare.map((body, i) => size(types[i], body)),
      stated("challenge, nonce, fetch"),
    );
  });

  it("of rebases, parts and pages are, too", () => {
    const size = (type: number, body: Uint8Array): number => frame(type, 300, body).length;
    const rebases = [0, limits.MAX_PARTS].map((parts) => {
      const prints = Array.from({ length: parts }, () => new Uint8Array(limits.PART_PRINT_BYTES));
      const payload = payloadOf([0, 1], [1, LOCK_ID], [2, 2], [3, START], [4, 1], [5, prints]);
      return size(Type.rebase, craft({ signer: SIGNERS.owner, domain: "tumbler/1 rebase", payload }));
    });
    assert.deepEqual(rebases, stated("rebase of no parts, of 48"));
    const part = size(Type.part, partBody(limits.MAX_PARTS, new Uint8Array(limits.MAX_PART_BYTES)));
    const page = size(Type.page, pageBody(new Uint8Array(limits.MAX_PAGE_BYTES)));
    assert.deepEqual([part, page], stated("largest part, and largest page"));
    assert.ok(Math.max(...rebases, part, page) <= limits.MAX_MESSAGE_BYTES);
    const [, slot, slots, parts] =
      section("Sizes").match(/takes (\d+) bytes, so a (thousand) of them are (\d+) parts/) ?? [];
    assert.equal(slots, "thousand");
    assert.equal(Number(slot), encode([new Uint8Array(1 + ENTRY_BYTES)]).length - 1);
    const fits = Math.floor((limits.MAX_PART_BYTES - 3) / Number(slot));
    assert.equal(Number(parts), Math.ceil(1000 / fits));
    assert.ok(Number(parts) < limits.MAX_PARTS);
  });
});

describe("protocol/README.md: the document", () => {
  it("links to headings and files that there are", () => {
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    );
    for (const [, target] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith("#")) assert.ok(anchors.includes(target.slice(1)), target);
      else assert.ok(readdirSync(join(VECTOR_FOLDER, "..")).includes(target), target);
    }
  });

  it("tells of every file of vectors", () => {
    const told = section("Testing an implementation").match(/[a-z0-9]+\.json/g) ?? [];
    assert.deepEqual([...new Set(told)].sort(), readdirSync(VECTOR_FOLDER).sort());
  });
});
