// Callbacks that never throw. The board restarts on whatever leaves a callback of the SDK, so each one is wrapped here: what it throws is
// noted, the lock goes on, and nothing moves.

/** Is told where something was thrown, and what. */
export type Note = (where: string, error: unknown) => void;

/** Wraps callbacks, and counts what they threw. */
export class Guard {
  readonly #note: Note;
  /** How often something was thrown since boot. */
  faults = 0;
  /** Where something was thrown last; empty while nothing was. */
  lastFault = "";

  constructor(note: Note = () => {}) {
    this.#note = note;
  }

  /** A callback that does what `work` does and never throws; arguments are passed through. Gives undefined after a throw. */
  wrap<A extends unknown[], R>(where: string, work: (...args: A) => R): (...args: A) => R | undefined {
    // An arrow, which takes half the room of a function that has a `this` and could be a constructor.
    return (...args) => this.attempt(where, () => work(...args));
  }

  /** What `work` gives now; undefined after a throw, which is noted. */
  attempt<R>(where: string, work: () => R): R | undefined {
    try {
      return work();
    } catch (error) {
      this.noted(where, error);
      return undefined;
    }
  }

  /** Does `work` now; whatever it throws is noted. Whether it went through. */
  run(where: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.noted(where, error);
      return false;
    }
  }

  /** Takes note of something that was caught. */
  noted(where: string, error: unknown): void {
    this.faults++;
    this.lastFault = where;
    try {
      this.#note(where, error);
    } catch {
      // A note that cannot be taken must not be what stops the lock.
    }
  }
}
