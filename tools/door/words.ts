// What happens at doors in words, for lines of 80 columns.

import type { Change } from "../../protocol/issuer/outlook";
import { hanging } from "../ui/live";
import type { Colours } from "../ui/terminal";
import { isoText } from "../ui/time";
import { count } from "../ui/words";
import type {
  AnswerEvent,
  LatestWord,
  SkippedEvent,
  StepEvent,
  SummaryEvent,
  Tick,
  VisitedEvent,
} from "./events";

/** `changes 7 of 12`, `rebase part 3 of 27`, `connect`. */
export function stepText({ step, done, of, part, parts }: StepEvent): string {
  if (step === "changes") return of === 0 ? "receipt" : `changes ${done} of ${of}`;
  return part === undefined ? step : `${step} part ${part} of ${parts}`;
}

/** `2026-11-22 10:31:05 UTC by the lock's clock`. */
function timeText({ time, clock }: Pick<Tick, "time" | "clock">): string {
  const whose = clock === "lock" ? "the lock's clock" : "this machine's clock";
  return `${isoText(time).replace("T", " ").replace("Z", " UTC")} by ${whose}`;
}

/** What a lock's last good receipt says: a green tick, or what it is instead. */
export function tickText(latest: LatestWord, { green, yellow }: Colours): string {
  const { epoch, seq, is } = latest;
  const where = `position ${seq} of epoch ${epoch}`;
  const when = timeText(latest);
  switch (is) {
    case "expected":
      return `${green("✓")} ${where}, the digest matches, ${when}`;
    case "on-the-way":
      return `${where}, as far as it has come the digest matches, ${when}`;
    case "ahead":
      return `${where}, further than this work list goes, ${when}`;
    case "other-table":
      return `${where}, ${yellow("no green tick")}: its table is not that of the list, as after a refusal; the office compares it, ${when}`;
    case "other-log":
      return `${where}, ${yellow("not what the office signed")} for this list, ${when}`;
  }
}

const NUMBER_COLUMNS = 5;
const REFUSED_INDENT = 16;

/** A change and its answer. */
function answerLine({ seq, change, done, text, code }: AnswerEvent, { red, dim }: Colours): string {
  const number = dim(String(seq).padStart(NUMBER_COLUMNS));
  if (done) return `${number}  ${hanging(`${change}: ${text}`, NUMBER_COLUMNS + 2)}`;
  return `${number}  ${red("refused")}  ${hanging(`${change}: ${text} (${code})`, REFUSED_INDENT)}`;
}

/** Changes and their answers, a line each; what to do stands once behind those that were refused for the same reason. */
export function answerLines(answers: readonly AnswerEvent[], colours: Colours): string[] {
  return answers.flatMap((answer, i) => {
    const line = answerLine(answer, colours);
    if (answer.done || answers[i + 1]?.code === answer.code) return [line];
    return [line, " ".repeat(REFUSED_INDENT) + hanging(answer.advice, REFUSED_INDENT)];
  });
}

/** A change that has no answer yet. */
export const openLine = ({ seq, text }: Change, { dim }: Colours): string =>
  `${dim(String(seq).padStart(NUMBER_COLUMNS))}  ${hanging(`${text}: no answer yet`, NUMBER_COLUMNS + 2)}`;

const SKIPPED = {
  "has-everything": "skipped: its lock shows that it has everything",
  "not-in-range": "not in range",
  interrupted: "not visited: interrupted",
} as const;

export function skippedText({ door, why, refused, clockUnknown }: SkippedEvent): string {
  const clock = clockUnknown === true ? "; its clock is not set, which takes the office (--store)" : "";
  const earlier = refused > 0 ? `; ${count(refused, "change")} refused on an earlier visit` : "";
  return hanging(`${door}: ${SKIPPED[why]}${clock}${earlier}`, 2);
}

/** `nothing is lost: 7 of 12 are in`; where there is nothing to count, only that. */
export const nothingLostText = (done: number, of: number): string =>
  of === 0 ? "nothing is lost" : `nothing is lost: ${done} of ${of} are in`;

/** The first line of what became of a visit, and behind it what to do. */
export function visitedText(event: VisitedEvent, { red, green }: Colours): string {
  const { door, outcome, reason, advice, done, of, refused } = event;
  const events = event.events > 0 ? `, ${count(event.events, "event")}` : "";
  if (outcome !== "done")
    return `${door}: ${red(reason ?? outcome)}\n  ${hanging(`${nothingLostText(done, of)}; ${advice ?? ""}`, 2)}`;
  const none = event.newTable ? "a whole new table is in" : "nothing to change";
  const what = of === 0 ? none : `${done - refused} of ${of} are in`;
  const not = refused > 0 ? `, ${red(`${refused} refused`)}` : "";
  const mark = done === of && refused === 0 ? green("done") : "done";
  return `${door}: ${mark}, ${what}${not}${events}`;
}

/** The last lines of a round. */
export function summaryText({ fine, skipped, wrong, notInRange }: SummaryEvent): string {
  const parts = [
    `${count(fine, "door")} synced`,
    skipped > 0 ? `${skipped} had everything` : "",
    wrong > 0 ? `${wrong} to be looked at` : "",
    notInRange > 0 ? `${notInRange} not in range` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** What the office does not have yet, and what to do; empty where it has everything. */
export function unreportedText(open: number, path: string): string {
  if (open === 0) return "";
  const what = open === 1 ? "1 receipt or page of events is" : `${open} receipts and pages of events are`;
  return `${what} not yet reported. At the office:\n  tumbler receipts ${path}\n`;
}

/** What is said of a receipt that the lock did not sign. */
export const forgedText = (why: string): string => `not this lock's receipt (${why}); it counts for nothing`;
