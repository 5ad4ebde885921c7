// What a person at a lock sees while it is tested: what is to be done now, a line for each check, and what became of all.

import { fitted, hanging, LiveArea, padded } from "../ui/live";
import type { Colours, Terminal } from "../ui/terminal";
import { count } from "../ui/words";
import type { Result } from "./bench";
import type { Check } from "./check";
import { CLAIMED, type FactoryRecord, type FactoryWatcher, type Outcome } from "./factory-test";
import type { Facts } from "./facts";

const RESULT_COLUMNS = 8;
const NAME_COLUMNS = 12;
const INDENT = RESULT_COLUMNS + NAME_COLUMNS + 2;
const LIVE_COLUMNS = 78;

export class FactoryScreen implements FactoryWatcher {
  readonly #terminal: Terminal;
  readonly #live: LiveArea | undefined;
  /** Whether standard output is a machine's: then everything for a person goes to standard error. */
  readonly #isJson: boolean;
  #progress = "";

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal;
    this.#isJson = isJson;
    this.#live = terminal.isLive === true && !isJson ? new LiveArea(terminal) : undefined;
  }

  greeted(report: Facts): void {
    const lock = report.isNull("lock") ? "without an identity" : report.text("lock");
    this.#line(`Lock ${lock}, ${report.text("firmware")} for ${report.text("board")}`);
    if (report.is("claimed")) this.#line(hanging(`${CLAIMED}: the rest is skipped.`, 0));
    this.#line("");
  }

  begins({ name }: Check, number: number, of: number): void {
    this.#progress = `  ${number} of ${of}  ${name}`;
    this.#live?.draw([this.#progress]);
  }

  readonly say = (prompt: string): void => {
    if (this.#live !== undefined)
      this.#live.draw(
        prompt === "" ? [this.#progress] : [this.#progress, "", fitted(`  → ${prompt}`, LIVE_COLUMNS)],
      );
    else if (prompt !== "") this.#line(`  → ${prompt}`);
  };

  ended(outcome: Outcome): void {
    this.#live?.clear();
    this.#line(outcomeText(outcome, this.#terminal.colours));
  }

  /** After all checks. */
  summary(record: FactoryRecord): void {
    this.#line(`\n${summaryText(record)}`);
  }

  #line(text: string): void {
    if (this.#isJson) this.#terminal.err(`${text}\n`);
    else this.#terminal.out(`${text}\n`);
  }
}

function coloured(result: Result, text: string, { green, red, yellow }: Colours): string {
  return { passed: green, failed: red, skipped: yellow }[result](text);
}

function outcomeText({ name, result, why, measured, bound }: Outcome, colours: Colours): string {
  const head = `  ${coloured(result, padded(result, RESULT_COLUMNS), colours)} ${padded(name, NAME_COLUMNS - 1)}`;
  const text = hanging(why ?? measured ?? "", INDENT);
  if (result !== "failed" || bound === undefined) return `${head}${text}`.trimEnd();
  return `${head}${text}\n${" ".repeat(INDENT)}${hanging(`wanted ${bound}`, INDENT)}`;
}

function summaryText({ passed, failed, skipped, checks, claimed, isFine }: FactoryRecord): string {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  if (failed > 0) {
    const names = checks.filter(({ result }) => result === "failed").map(({ name }) => name);
    return `${counts}. Again, when it is mended: --only ${names.join(",")}`;
  }
  if (isFine) return `${counts}. The lock is fine in ${count(passed, "check")}.`;
  return claimed
    ? `${counts}. ${hanging("To check the rest, have its owner or its reset button give it up first.", 0)}`
    : counts;
}
