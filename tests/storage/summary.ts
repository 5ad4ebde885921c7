// What a suite found: how many states it tried, and which of them broke which rule, each with the command that repeats it.

/** One state that broke a rule. */
export interface Failure {
  readonly kind: string;
  readonly text: string;
  /** The command that tries this state alone. */
  readonly command: string;
}

/** Plain data, so that a worker can send it. */
export interface Summary {
  readonly states: number;
  /** How often each rule was broken. */
  readonly violations: Readonly<Record<string, number>>;
  /** The first few of each kind. */
  readonly failures: readonly Failure[];
  /** Counts of other things worth knowing. */
  readonly notes: Readonly<Record<string, number>>;
}

/** All of some counts together. */
export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** So many failures of a kind are kept. */
const KEPT = 3;

/** Collects what a suite finds. */
export class Tally implements Summary {
  states = 0;
  readonly violations: Record<string, number> = {};
  readonly failures: Failure[] = [];
  readonly notes: Record<string, number> = {};

  violate(kind: string, text: string, command: string): void {
    this.violations[kind] = (this.violations[kind] ?? 0) + 1;
    if (this.violations[kind] <= KEPT) this.failures.push({ kind, text, command });
  }

  note(what: string, count = 1): void {
    this.notes[what] = (this.notes[what] ?? 0) + count;
  }

  /** Takes in what another one found. */
  add(other: Summary): void {
    this.states += other.states;
    for (const [kind, count] of Object.entries(other.violations))
      this.violations[kind] = (this.violations[kind] ?? 0) + count;
    for (const [what, count] of Object.entries(other.notes)) this.note(what, count);
    for (const failure of other.failures)
      if (this.failures.filter(({ kind }) => kind === failure.kind).length < KEPT)
        this.failures.push(failure);
  }

  /** All violations together. */
  get broken(): number {
    return sumOf(this.violations);
  }

  /** As plain data. */
  toSummary(): Summary {
    const { states, violations, failures, notes } = this;
    return { states, violations, failures, notes };
  }
}
