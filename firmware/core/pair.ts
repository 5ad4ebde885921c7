// Two people for one door (rule C15): whose credential for two was accepted last, and whether it still counts. Half a minute, by the
// monotonic clock; the second one opens, or the first is forgotten.

/** How long the first of two waits for the second, in seconds. */
export const PAIR_S = 30;

export class Pair {
  slot = -1;
  generation = 0;
  #user = 0;
  #at = 0;

  /** Takes the first of two, in place of one before. */
  begin(slot: number, generation: number, user: number, uptime: number): void {
    this.slot = slot;
    this.generation = generation;
    this.#user = user;
    this.#at = uptime;
  }

  /** Whether another person than `user` waits for a second. */
  waitsFor(user: number, uptime: number): boolean {
    if (this.slot >= 0 && uptime - this.#at > PAIR_S) this.clear();
    return this.slot >= 0 && this.#user !== user;
  }

  clear(): void {
    this.slot = -1;
  }
}
