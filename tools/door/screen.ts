// What an installer sees while doors are visited: on a terminal a bar that counts the changes that have their answers, elsewhere a line for
// each step; then what became of each door, and of each change.

import { hanging, LiveArea, padded } from "../ui/live";
import type { Terminal } from "../ui/terminal";
import type { AnswerEvent, DoorEvent, LostEvent, StepEvent, VisitedEvent } from "./events";
import {
  answerLines,
  forgedText,
  nothingLostText,
  skippedText,
  stepText,
  summaryText,
  tickText,
  unreportedText,
  visitedText,
} from "./words";

const BAR_COLUMNS = 24;
const DOOR_COLUMNS = 18;
/** More than these are only counted where all went well; `door receipts` tells them one by one. */
const MAX_DONE_LINES = 20;

export class SyncScreen {
  readonly #terminal: Terminal;
  readonly #path: string;
  readonly #live: LiveArea | undefined;
  #answers: AnswerEvent[] = [];
  #said = "";
  /** The door whose visit has begun. */
  #begun = "";

  /** `path` is that of the work list. */
  constructor(terminal: Terminal, path: string) {
    this.#terminal = terminal;
    this.#path = path;
    this.#live = terminal.isLive === true ? new LiveArea(terminal) : undefined;
  }

  /** Locks are looked for so many seconds, in which nothing else is told. */
  looking(seconds: number): void {
    this.#live?.draw([`  looking for locks in range, ${seconds} s`]);
  }

  tell(event: DoorEvent): void {
    const { colours } = this.#terminal;
    switch (event.event) {
      case "step":
        this.#step(event);
        break;
      case "answer":
        this.#answers.push(event);
        break;
      case "lost":
        this.#lost(event);
        break;
      case "not-a-receipt":
        this.#line(`${event.door}: ${colours.red(forgedText(event.why))}`);
        break;
      case "skipped":
        this.#line(skippedText(event));
        break;
      case "visited":
        this.#visited(event);
        break;
      case "summary":
        this.#line(`\n${summaryText(event)}\n${unreportedText(event.unreported, this.#path)}`.trimEnd());
        break;
    }
  }

  #line(text: string): void {
    this.#live?.clear();
    this.#terminal.out(`${text}\n`);
  }

  #step(event: StepEvent): void {
    const { door, step, done, of } = event;
    if (this.#begun !== door && done > 0 && done < of)
      this.#line(`${door}: goes on; ${nothingLostText(done, of)}`);
    this.#begun = door;
    const text = stepText(event);
    if (this.#live !== undefined) {
      const filled = of === 0 ? 0 : Math.floor((BAR_COLUMNS * done) / of);
      const bar = "█".repeat(filled) + "░".repeat(BAR_COLUMNS - filled);
      this.#live.draw([
        `  ${padded(door, DOOR_COLUMNS)} ${bar} ${padded(text, 80 - DOOR_COLUMNS - BAR_COLUMNS - 4)}`.trimEnd(),
      ]);
      return;
    }
    // A greeting between two steps is none of its own.
    const line = `${door}: ${text}`;
    if (line === this.#said || (step === "hello" && this.#said !== `${door}: connect`)) return;
    this.#said = line;
    this.#line(line);
  }

  #lost({ door, waitS, done, of }: LostEvent): void {
    const text = `connection lost, ${nothingLostText(done, of)}; again in ${waitS} s`;
    this.#line(`${door}: ${this.#terminal.colours.yellow(text)}`);
  }

  #visited(event: VisitedEvent): void {
    const { colours } = this.#terminal;
    const refused = this.#answers.filter(({ done }) => !done);
    const done = this.#answers.filter((answer) => answer.done);
    const lines = [visitedText(event, colours)];
    for (const { what, text, code } of event.alsoRefused)
      lines.push(`  ${hanging(`${what} refused: ${text} (${code})`, 2)}`);
    if (event.latest !== null) lines.push(`  ${hanging(tickText(event.latest, colours), 2)}`);
    const told = done.length > MAX_DONE_LINES ? refused : this.#answers;
    lines.push(...answerLines(told, colours));
    this.#answers = [];
    this.#said = "";
    this.#begun = "";
    this.#line(lines.join("\n"));
  }
}
