// Checks in which a person does something at the lock: presses keys, holds a card, opens the door. What is wanted is said, and what was
// seen is told back. A person answers at the lock's own keypad, too: the confirm key is a yes.

import { Key } from "../../firmware/core/keypad";
import { commas } from "../ui/numbers";
import { type Bench, Halt, pause } from "./bench";
import type { Check, Measured } from "./check";
import { profileOf, required } from "./own-checks";

/** Every key in the order in which they are pressed: as they lie. */
const KEYS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, Key.clear, 0, Key.confirm];
/** Times that a key may be another one: a finger slips, a broken key does not get better. */
const TRIES = 2;
/** What answering may take beside what a person takes, in milliseconds. */
const ANSWER_MS = 3000;
const POLL_MS = 200;
/** UIDs of ISO/IEC 14443-3 (6.5.4). */
const UID_BYTES = [4, 7, 10];
/** The lock itself gives up after less. */
const BOLT_MS = 17_000;

const keyText = (key: number): string => (key === Key.confirm ? "✓" : key === Key.clear ? "*" : String(key));

export const HAND_CHECKS: readonly Check[] = [
  { name: "keypad", what: "every key", hands: "press the keys as they are asked for", run: checkKeypad },
  {
    name: "feedback",
    what: "lights and sounder",
    hands: "look and listen, and answer at the keypad",
    run: checkFeedback,
  },
  { name: "card", what: "the reader sees a card", hands: "hold a card to the reader", run: checkCard },
  {
    name: "door",
    what: "the sensor sees the door, closed, open and closed",
    hands: "close, open and close the door, or move its magnet",
    run: (bench) =>
      checkSwitch(bench, "door", "closed", [
        ["close the door", true],
        ["open the door", false],
        ["close the door", true],
      ]),
  },
  {
    name: "handle",
    what: "the switch of the inside handle",
    hands: "turn the inside handle and let it go",
    run: (bench) =>
      checkSwitch(bench, "handle", "turned", [
        ["turn the inside handle, and hold it", true],
        ["let go of the handle", false],
      ]),
  },
  { name: "reset", what: "the reset button", hands: "press the button inside, briefly", run: checkReset },
  {
    name: "bolt",
    what: "the motor throws and draws the bolt, and both switches see it",
    hands: "keep fingers away, and agree at the keypad",
    run: checkBolt,
  },
];

/** The next key that is pressed. Throws where none is. */
async function nextKey(bench: Bench): Promise<number> {
  const { facts } = await bench.ask("keypad", { seconds: bench.waitS }, 1000 * bench.waitS + ANSWER_MS);
  if (facts.isNull("key")) throw new Halt("failed", `no key within ${bench.waitS} s`);
  return facts.number("key");
}

async function checkKeypad(bench: Bench): Promise<Measured> {
  const seen: string[] = [];
  for (const [i, key] of KEYS.entries()) {
    let prompt = `press ${keyText(key)}`;
    for (let tries = TRIES; ; tries--) {
      bench.say(`${prompt}   (${i + 1} of ${KEYS.length})`);
      const got = await nextKey(bench).catch((error: unknown) => {
        if (!(error instanceof Halt)) throw error;
        throw new Halt(error.result, `${keyText(key)}: ${error.message}`);
      });
      if (got === key) break;
      if (tries === 1) throw new Halt("failed", `pressed ${keyText(key)}, seen ${keyText(got)}`);
      prompt = `seen ${keyText(got)}; press ${keyText(key)} once more`;
    }
    seen.push(keyText(key));
  }
  return {
    measured: `${seen.length} keys`,
    bound: `all ${KEYS.length}, each as itself`,
    isWithin: true,
    values: { keys: seen },
  };
}

/** Whether a person says yes, at the keypad. */
async function agrees(bench: Bench, question: string): Promise<boolean> {
  bench.say(`${question} (✓ yes, * no, at the lock)`);
  return (await nextKey(bench)) === Key.confirm;
}

async function checkFeedback(bench: Bench): Promise<Measured> {
  const shows = [
    ["granted", "granted: did its light and its sound come on?"],
    ["refused", "refused: did its light and its sound come on?"],
  ] as const;
  const seen: Record<string, boolean> = {};
  for (const [show, question] of shows) {
    bench.say(`look at the lock: ${show}`);
    await bench.ask("feedback", { show });
    seen[show] = await agrees(bench, question);
  }
  const missing = Object.keys(seen).filter((show) => !seen[show]);
  return {
    measured: missing.length === 0 ? "both seen" : `not seen: ${missing.join(", ")}`,
    bound: "both seen",
    isWithin: missing.length === 0,
    values: seen,
  };
}

async function checkCard(bench: Bench): Promise<Measured> {
  const isFitted = bench.board.has("reader") ?? profileOf(bench)?.reader;
  bench.say("hold a card to the reader");
  const question = bench.ask("card", { seconds: bench.waitS }, 1000 * bench.waitS + ANSWER_MS);
  const { facts } = await required(question, isFitted);
  if (facts.isNull("uidBytes")) throw new Halt("failed", `no card within ${bench.waitS} s`);
  const bytes = facts.number("uidBytes");
  return {
    measured: `a UID of ${bytes} bytes`,
    bound: `${UID_BYTES.join(", ")} bytes`,
    isWithin: UID_BYTES.includes(bytes),
    values: facts.all,
  };
}

/** Has a switch seen in each of these states, one after the other. */
async function checkSwitch(
  bench: Bench,
  ask: "door" | "handle",
  name: string,
  steps: readonly (readonly [string, boolean])[],
): Promise<Measured> {
  const seen: boolean[] = [];
  for (const [prompt, wanted] of steps) {
    bench.say(prompt);
    const until = Date.now() + 1000 * bench.waitS;
    for (;;) {
      const { facts } = await required(bench.ask(ask, {}), bench.board.has(ask));
      if (facts.is(name) === wanted) break;
      if (Date.now() > until)
        throw new Halt("failed", `"${prompt}": still ${wanted ? "not " : ""}${name} after ${bench.waitS} s`);
      await pause(POLL_MS);
    }
    seen.push(wanted);
  }
  return {
    measured: seen.map((is) => (is ? name : `not ${name}`)).join(", "),
    bound: "each in its turn",
    isWithin: true,
    values: { seen },
  };
}

async function checkReset(bench: Bench): Promise<Measured> {
  bench.say("press the reset button inside, briefly");
  const { facts } = await bench.ask("reset", { seconds: bench.waitS }, 1000 * bench.waitS + ANSWER_MS);
  const pressed = facts.is("pressed");
  return {
    measured: pressed ? "pressed" : `nothing within ${bench.waitS} s`,
    bound: "pressed",
    isWithin: pressed,
    values: facts.all,
  };
}

async function checkBolt(bench: Bench): Promise<Measured> {
  if (!bench.isAgreed && !(await agrees(bench, "the bolt is going to move, out and back: go on?")))
    throw new Halt("failed", "nobody agreed to it");
  const limit = bench.board.boltMs;
  const values: Record<string, unknown> = {};
  const texts: string[] = [];
  let isWithin = true;
  for (const [to, wanted] of [
    ["throw", "thrown"],
    ["draw", "drawn"],
  ] as const) {
    bench.say(`the bolt moves: ${to}`);
    const { facts, ms } = await bench.ask("bolt", { to }, BOLT_MS);
    const state = facts.text("state");
    values[to] = { state, ms };
    texts.push(`${state} after ${commas(ms)} ms`);
    isWithin &&= state === wanted && ms <= limit;
  }
  return {
    measured: texts.join(", "),
    bound: `thrown, drawn, ${commas(limit)} ms each`,
    isWithin,
    values,
  };
}
