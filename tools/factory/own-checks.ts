// Checks of what a lock says of itself, and of parts that need no hand.

import { L500I, LOCK_1000, PROFILES, type Profile } from "../../firmware/core/profile";
import { FIRMWARE } from "../../firmware/core/version";
import { fromHex } from "../../protocol/wire/bytes";
import { commas } from "../ui/numbers";
import { type Bench, Halt, pause } from "./bench";
import type { Check, Measured } from "./check";
import type { Facts } from "./facts";

/** The firmware that this program tests, as a lock says it. */
export const OWN_FIRMWARE = String.fromCharCode(...FIRMWARE);
/** What the lock needs for a session over TLS, with room to spare, in bytes. */
const LEAST_HEAP = 20_000;
const WRONG_RESET = /panic|watchdog|wdt|brown/i;
/** A backend in portable code takes seconds for a signature. */
const CRYPTO_MS = 30_000;
const [DRAWS, DRAW_BYTES] = [8, 64];
/** Of 4096 fair bits, 2048 are ones, with a standard deviation of 32: five of them on either side, one good lock in two million. */
const [LEAST_ONES, MOST_ONES] = [1888, 2208];
/** Of 512 fair bytes, 221 are different from each other, with a deviation of 5. */
const LEAST_DISTINCT = 190;
const LOOK_MS = 17_000;
const SLEEP_S = 2;
/** Waking up takes its time, and the inner clock drifts by up to 5 %. */
const [LEAST_SLEPT_MS, MOST_SLEPT_MS] = [1850, 2500];
const [LEAST_TICKS, MOST_TICKS] = [1, 3];

export const OWN_CHECKS: readonly Check[] = [
  {
    name: "firmware",
    what: "version and board are those that are tested",
    fromReport: true,
    run: async ({ report, board }) => {
      const [firmware, name] = [report.text("firmware"), report.text("board")];
      return {
        measured: `${firmware} for ${name}`,
        bound: `${OWN_FIRMWARE} for ${board.name}`,
        isWithin: firmware === OWN_FIRMWARE && name === board.name,
        values: { firmware, board: name },
      };
    },
  },
  { name: "identity", what: "id, key, and flash that mounts", fromReport: true, run: checkIdentity },
  {
    name: "health",
    what: "no fault since boot, an ordinary start, free memory",
    fromReport: true,
    run: checkHealth,
  },
  {
    name: "protection",
    what: "flash encryption and secure boot are on",
    fromReport: true,
    run: async ({ report }) => {
      const [encryption, boot] = [report.is("flashEncryption"), report.is("secureBoot")];
      const onOff = (is: boolean): string => (is ? "on" : "off");
      return {
        measured: `flash encryption ${onOff(encryption)}, secure boot ${onOff(boot)}`,
        bound: "both on",
        isWithin: encryption && boot,
        values: {
          flashEncryption: encryption,
          secureBoot: boot,
          securityVersion: report.number("securityVersion"),
        },
      };
    },
  },
  { name: "crypto", what: "right answers to known questions, wrong signatures refused", run: checkCrypto },
  { name: "random", what: "random bytes look random", run: checkRandom },
  { name: "flash", what: "both partitions: size, and readable to the end", run: checkFlash },
  { name: "battery", what: "voltage of the battery", run: checkBattery },
  { name: "rtc", what: "the clock with its own supply goes on", run: checkRtc },
  {
    name: "bluetooth",
    what: "the radio advertises",
    run: async (bench) => {
      const { facts } = await bench.ask("bluetooth", {});
      const advertising = facts.is("advertising");
      return {
        measured: advertising ? "advertises" : "silent",
        bound: "advertises",
        isWithin: advertising,
        values: facts.all,
      };
    },
  },
  {
    name: "wifi",
    what: "Wi-Fi hears a network",
    run: async (bench) => {
      const { facts } = await required(bench.ask("wifi", {}, LOOK_MS), profileOf(bench)?.network === true);
      const networks = facts.number("networks");
      return {
        measured: `${networks} in range`,
        bound: "1 or more",
        isWithin: networks >= 1,
        values: facts.all,
      };
    },
  },
  {
    name: "watchdog",
    what: "the watchdog is on",
    run: async (bench) => {
      const { facts } = await bench.ask("watchdog", {});
      const seconds = facts.number("seconds");
      return {
        measured: seconds > 0 ? `${seconds} s` : "off",
        bound: "on",
        isWithin: seconds > 0,
        values: facts.all,
      };
    },
  },
  { name: "sleep", what: "sleeps lightly and wakes", run: checkSleep },
];

async function checkIdentity({ report }: Bench): Promise<Measured> {
  if (report.isNull("lock"))
    throw new Halt("skipped", "no identity yet: provision the lock, and test it again");
  const [lock, publicKey, profile] = [report.text("lock"), report.text("publicKey"), report.text("profile")];
  const mounted = report.is("mounted");
  const isHex = (text: string, bytes: number): boolean =>
    /^([0-9a-f]{2})+$/.test(text) && fromHex(text).length === bytes;
  return {
    measured: `${lock}, ${profile}, ${mounted ? "mounted" : "not mounted"}`,
    bound: "8 and 32 bytes, mounted",
    isWithin: mounted && isHex(lock, 8) && isHex(publicKey, 32),
    values: { lock, publicKey, profile, mounted, claimed: report.is("claimed") },
  };
}

async function checkHealth({ report }: Bench): Promise<Measured> {
  const [faults, last, reset] = [
    report.number("faults"),
    report.text("lastFault"),
    report.text("resetReason"),
  ];
  const freeHeap = report.number("freeHeap");
  const faultText = faults === 0 ? "0 faults" : `${faults} faults, the last in ${last}`;
  return {
    measured: `${faultText}, started by ${reset}, ${commas(freeHeap)} bytes free`,
    bound: `no fault, no panic, watchdog or brownout, ${commas(LEAST_HEAP)} bytes`,
    isWithin: faults === 0 && !WRONG_RESET.test(reset) && freeHeap >= LEAST_HEAP,
    values: { faults, lastFault: last, resetReason: reset, freeHeap, uptime: report.number("uptime") },
  };
}

async function checkCrypto(bench: Bench): Promise<Measured> {
  const { facts, ms } = await bench.ask("crypto", {}, CRYPTO_MS);
  const [passed, wrong] = [facts.texts("passed"), facts.texts("wrong")];
  const right = `${passed.length} of ${passed.length + wrong.length} right`;
  return {
    measured: `${wrong.length === 0 ? right : `wrong: ${wrong.join(", ")}`}, ${ms} ms, ${facts.text("backend")}`,
    bound: "all right",
    isWithin: wrong.length === 0 && passed.length > 0,
    values: { ...facts.all, ms },
  };
}

async function checkRandom(bench: Bench): Promise<Measured> {
  const draws: string[] = [];
  for (let i = 0; i < DRAWS; i++) {
    const { facts } = await bench.ask("random", { bytes: DRAW_BYTES });
    draws.push(facts.text("bytes"));
  }
  const bytes = Buffer.from(draws.join(""), "hex");
  if (bytes.length !== DRAWS * DRAW_BYTES) throw new Halt("failed", `${bytes.length} bytes came`);
  let ones = 0;
  for (const byte of bytes) for (let bits = byte; bits !== 0; bits &= bits - 1) ones++;
  const distinct = new Set(bytes).size;
  const repeated = DRAWS - new Set(draws).size;
  return {
    measured: `${ones} ones of ${8 * bytes.length}, ${distinct} different bytes`,
    bound: `${LEAST_ONES} to ${MOST_ONES}, ${LEAST_DISTINCT} or more, nothing twice`,
    isWithin: ones >= LEAST_ONES && ones <= MOST_ONES && distinct >= LEAST_DISTINCT && repeated === 0,
    values: { bytes: bytes.length, ones, distinct, repeated },
  };
}

async function checkFlash(bench: Bench): Promise<Measured> {
  const { facts, ms } = await bench.ask("flash", {}, LOOK_MS);
  const [credentials, events] = [facts.inner("credentials"), facts.inner("events")];
  const profile = profileOf(bench);
  const isWhole = (partition: Facts): boolean => partition.number("read") === partition.number("size");
  const isSized = (partition: Facts, bytes: number | undefined): boolean =>
    bytes === undefined ? partition.number("size") > 0 : partition.number("size") === bytes;
  const kib = (bytes: number): string => `${bytes / 1024} KiB`;
  return {
    measured: `credentials ${kib(credentials.number("size"))}, events ${kib(events.number("size"))}, ${ms} ms`,
    bound:
      profile === undefined
        ? "readable"
        : `${kib(profile.credentialBytes)}, ${kib(profile.eventBytes)}, readable`,
    isWithin:
      isWhole(credentials) &&
      isWhole(events) &&
      isSized(credentials, profile?.credentialBytes) &&
      isSized(events, profile?.eventBytes),
    values: { ...facts.all, ms },
  };
}

async function checkBattery(bench: Bench): Promise<Measured> {
  const { facts } = await required(bench.ask("battery", {}), bench.board.has("battery"));
  const mv = facts.number("mv");
  const least = bench.board.lowMv ?? 1;
  return {
    measured: `${commas(mv)} mV`,
    bound: `${commas(least)} mV or more`,
    isWithin: mv >= least,
    values: facts.all,
  };
}

async function checkRtc(bench: Bench): Promise<Measured> {
  const { facts } = await required(bench.ask("rtc", {}), bench.board.has("rtc"));
  const ticked = facts.number("ticked");
  return {
    measured: `${ticked} s in 2 s, ${facts.is("wasSet") ? "was set" : "was not set"}`,
    bound: `${LEAST_TICKS} to ${MOST_TICKS} s`,
    isWithin: ticked >= LEAST_TICKS && ticked <= MOST_TICKS,
    values: facts.all,
  };
}

async function checkSleep(bench: Bench): Promise<Measured> {
  const began = Date.now();
  const { facts } = await bench.ask("sleep", { seconds: SLEEP_S }, LOOK_MS);
  const sleptMs = facts.number("sleptMs");
  const seenMs = Date.now() - began;
  // Whoever answers right after a sleep must answer a while after it, too.
  await pause(1);
  await bench.ask("watchdog", {});
  return {
    measured: `${commas(sleptMs)} ms, and answers again`,
    bound: `${commas(LEAST_SLEPT_MS)} to ${commas(MOST_SLEPT_MS)} ms`,
    isWithin: sleptMs >= LEAST_SLEPT_MS && sleptMs <= MOST_SLEPT_MS && seenMs >= LEAST_SLEPT_MS,
    values: { ...facts.all, seenMs },
  };
}

/** The profile of a lock: that of its identity, or the one that its board is made for. */
export function profileOf({ report, board }: Bench): Profile | undefined {
  if (!report.isNull("profile")) return PROFILES.find(({ name }) => name === report.text("profile"));
  return { lock: LOCK_1000, "lock-secure": LOCK_1000, l500i: L500I }[board.name];
}

/** An answer; where the part has to be there, its absence is a failure. */
export async function required<T>(answer: Promise<T>, isFitted: boolean | undefined): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (
      error instanceof Halt &&
      error.result === "skipped" &&
      error.message === "not fitted" &&
      isFitted === true
    )
      throw new Halt("failed", "not found, and this board has one");
    throw error;
  }
}
