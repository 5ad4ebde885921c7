// The rules about guessing at the keypad (X1 to X4), each with what proves it.

import { finds, type Named, type Rule, rule } from "./rule";

const CORE = "firmware/core/";
const DOORWAY = `${CORE}doorway`;
const LOCKOUT = `${CORE}lockout`;
const SHOWN_ONLY = "rules/what-is-shown";
const SHOWN: Named = [DOORWAY, "C6 X4 what a person is shown"];

export const GUESSING_RULES: readonly Rule[] = [
  rule(
    "X1",
    "Wrong entries count before anybody compares, so that no power cut helps; five, then waits of 1, 5, 15 and 60 minutes; little is forgiven.",
    finds(
      [DOORWAY, "is not shortened by a power cut, before or after"],
      "counts an entry only when it was compared",
      DOORWAY,
      "const isKept = table.commitState(State.lockout, lockout.guess());",
      "const isKept = lockout.guess().length > 0;",
    ),
    finds(
      [DOORWAY, "looks at nothing for a minute after five wrong entries"],
      "looks at a sixth",
      LOCKOUT,
      "const over = this.held - this.#tries;",
      "const over = this.held - this.#tries - 1;",
    ),
    finds(
      [LOCKOUT, "looks at five wrong entries at once, then after 1, 5, 15, 60"],
      "waits half an hour at most",
      LOCKOUT,
      "[60, 300, 900, 3600]",
      "[60, 300, 900, 1800]",
    ),
    finds(
      [LOCKOUT, "restarts every wait in full after a power loss with an unknown clock"],
      "goes on with a wait after a power loss as if it had been over",
      LOCKOUT,
      "  restore(stored: Uint8Array | undefined, forgiven: Uint8Array | undefined, lost: boolean): void {\n    this.#since = this.#clock.uptime();",
      "  restore(stored: Uint8Array | undefined, forgiven: Uint8Array | undefined, lost: boolean): void {\n    this.#since = -3600;",
    ),
    finds(
      [LOCKOUT, "forgives the wrong entries directly before a right one, three at most"],
      "forgives all of them",
      LOCKOUT,
      "const MAX_FORGIVEN = 3;",
      "const MAX_FORGIVEN = 7;",
    ),
    finds(
      [LOCKOUT, "forgives a credential three within any 24 hours"],
      "forgives three each time",
      LOCKOUT,
      "Math.min(MAX_FORGIVEN - own,",
      "Math.min(MAX_FORGIVEN,",
    ),
    finds(
      [LOCKOUT, "admits exactly one entry an hour at the top, for ever"],
      "forgets an entry each quarter of an hour",
      LOCKOUT,
      "const LEAK_S = WAITS_S[LONGEST];",
      "const LEAK_S = 900;",
    ),
    finds(
      [LOCKOUT, "forgives all credentials together seven within any 24 hours"],
      "forgives each credential for itself",
      LOCKOUT,
      "Math.min(MAX_FORGIVEN - own, FORGIVEN_A_DAY - total)",
      "MAX_FORGIVEN - own",
    ),
  ),
  rule(
    "X2",
    "The lockout is the keypad's: cards open all the same, and count nothing.",
    finds(
      [DOORWAY, "leaves cards alone"],
      "locks cards out, too",
      DOORWAY,
      "const hindrance = method === Method.keypad ? this.hindrance() : Reason.granted;",
      "const hindrance = this.hindrance();",
    ),
    finds(
      [SHOWN_ONLY, "X2 cards at a lock that nobody has"],
      "counts cards that nobody has",
      DOORWAY,
      "    if (method === Method.keypad) this.countWrong();",
      "    if (method !== Method.keypad) this.lockout.guess();\n    this.countWrong();",
    ),
  ),
  rule(
    "X3",
    "Only codes that nobody has count as wrong, not those that are switched off or out of hours, nor what is no PIN.",
    finds(
      [DOORWAY, "counts unknown codes, and neither disabled ones"],
      "counts what is no PIN",
      DOORWAY,
      "if (!this.isEntry(kind, value)) return this.refuse(Reason.badEntry, method);",
      "if (!this.isEntry(kind, value)) {\n      this.lockout.guess();\n      this.countWrong();\n      return this.refuse(Reason.badEntry, method);\n    }",
    ),
    finds(
      [LOCKOUT, "neither counts nor forgives a known code that did not open"],
      "forgives by a code that did not open",
      LOCKOUT,
      "  known(): void {",
      "  known(): void {\n    this.#state[RUN] = 0;",
    ),
  ),
  rule(
    "X4",
    "Whatever is refused looks the same, and comes at the same moment after the confirm key.",
    finds(
      SHOWN,
      "shows a refusal at once",
      DOORWAY,
      "feedback.refused(enteredAt + FEEDBACK_S)",
      "feedback.refused(enteredAt)",
    ),
    finds(
      [SHOWN_ONLY, "X4 whatever is refused is shown once"],
      "shows who is switched off a second time",
      DOORWAY,
      "    this.show(reason === Reason.granted, at);",
      "    this.show(reason === Reason.granted, at);\n    if (reason === Reason.disabled) this.show(false, at);",
    ),
    finds(
      SHOWN,
      "says nothing where an entry is no PIN",
      DOORWAY,
      "    this.show(reason === Reason.granted, at);",
      "    if (reason !== Reason.badEntry) this.show(reason === Reason.granted, at);",
    ),
  ),
];
