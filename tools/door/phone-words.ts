// What became of what a phone wanted, in words: what was refused, why, and what to do.

import type { PhoneAnswer } from "../../protocol/courier/phone";
import { Code, codeRow, reasonRow } from "../../protocol/wire/codes";
import { hanging } from "../ui/live";

/** A line for people and what to do behind it; `capability` is the one that the lock wants for it. */
export function phoneText(answer: PhoneAnswer, capability?: string): string {
  const advice = phoneAdvice(answer, capability);
  const first = `${answer.outcome}: ${answer.reason ?? "no answer"}`;
  return advice === "" ? first : `${first}\n  ${hanging(advice, 2)}`;
}

function phoneAdvice({ outcome, code, denial }: PhoneAnswer, capability: string | undefined): string {
  if (outcome === "silent") return "go nearer, wake the lock up, and try again";
  if (denial !== undefined) {
    const row = reasonRow(denial);
    return row === undefined ? "" : `${row.text}; ${row.advice}`;
  }
  switch (code) {
    case undefined:
      return "";
    case Code.keyNotAllowed:
      return `ask the office for the capability ${capability ?? "that it needs"}`;
    case Code.unknownKey:
      return "this phone has no credential at the door; sync it first";
    default: {
      const row = codeRow(code);
      return row === undefined ? "" : `${row.text}; ${row.advice}`;
    }
  }
}
