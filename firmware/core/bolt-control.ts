// When the bolt moves (rules M6, M7, M8, M11, T16): it is drawn for a grant and thrown again after some seconds, kept drawn during
// business hours, and never thrown while the door stands open. A boot moves nothing, and its first tick throws the bolt at most:
// nobody knows whether a power cut has left it drawn.

import type { Board } from "../ports";

const NEVER = Number.POSITIVE_INFINITY;

/** What a tick did. */
export type Moved = "nothing" | "unlocked" | "relocked";

export class BoltControl {
  readonly #board: Board;
  #relockSeconds = 0;
  /** Seconds since boot at which the bolt is thrown again. */
  #relockAt = 0;
  /** Whether the door stays unlocked until told otherwise. */
  #isKept = false;
  #isFirst = true;

  constructor(board: Board) {
    this.#board = board;
  }

  /** Takes the seconds after which the door locks itself, 0 for never. */
  configure(relockSeconds: number): void {
    this.#relockSeconds = relockSeconds;
  }

  /** Draws the bolt for one opening. */
  draw(): void {
    this.#board.bolt.draw();
    if (!this.#isKept) this.#relockAt = this.nextRelock();
  }

  private nextRelock(): number {
    return this.#relockSeconds > 0 ? this.#board.clock.uptime() + this.#relockSeconds : NEVER;
  }

  /** Throws the bolt, at once or when the door is closed: nothing keeps it drawn any more. */
  lock(): void {
    this.#isKept = false;
    this.#relockAt = this.#board.clock.uptime();
    this.relock(false);
  }

  /** Moves the bolt if it is time; `keep` says whether the door is to stay unlocked now. Call it about once a second. */
  tick(keep: boolean): Moved {
    const wasFirst = this.#isFirst;
    this.#isFirst = false;
    if (keep && !wasFirst && !this.#isKept) {
      this.#isKept = true;
      this.#relockAt = NEVER;
      this.#board.bolt.draw();
      return "unlocked";
    }
    if (!keep && this.#isKept) {
      this.#isKept = false;
      this.#relockAt = this.#board.clock.uptime();
    }
    return this.relock(wasFirst);
  }

  /** Throws the bolt when it is time and the door is closed. At boot that is no event: it may have been thrown all along. */
  private relock(isFirst: boolean): Moved {
    const { bolt, door, clock } = this.#board;
    if (isFirst && this.#relockSeconds === 0) this.#relockAt = NEVER;
    if (clock.uptime() < this.#relockAt || door?.isClosed() === false) return "nothing";
    const wasDrawn = this.#relockAt > 0;
    this.#relockAt = NEVER;
    bolt.throw();
    return wasDrawn ? "relocked" : "nothing";
  }
}
