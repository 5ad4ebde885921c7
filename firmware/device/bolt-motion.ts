// How the bolt is moved (rules M9 to M12), without pins or timers: commands and what the switches say go in, what the motor is to do comes
// out. The motor runs towards one end until its switch closes or the time is over; it rests before it runs again; the latest command is
// the one that counts. After a jam it goes back a little and tries again, three times at most. Two closed switches are a fault. Nothing
// moves without a command.

/** Where a command goes. */
export type Way = "draw" | "throw";
/** What the motor does. */
export type Drive = Way | "off";
/** Where the bolt is, as far as anybody knows. */
export type BoltState = "drawn" | "thrown" | "between" | "moving" | "jammed" | "fault";

/** The switches at the ends; true is closed. */
export interface Switches {
  readonly drawn: boolean;
  readonly thrown: boolean;
}

/** Times, in milliseconds. */
export interface MotionTimes {
  readonly timeoutMs: number;
  readonly restMs: number;
}

/** Tries after the first one (rule M9). */
export const MAX_RETRIES = 3;
/** How long the bolt goes back after a jam: enough to come free, in milliseconds. */
export const RETRACT_MS = 150;

const opposite = (way: Way): Way => (way === "draw" ? "throw" : "draw");
const isAt = (way: Way, { drawn, thrown }: Switches): boolean => (way === "draw" ? drawn : thrown);

export class BoltMotion {
  readonly #times: MotionTimes;
  /** The command in hand; undefined when there is none. */
  #wanted: Way | undefined;
  #drive: Drive = "off";
  /** When the motor is switched off whatever happens, while it runs. */
  #until = 0;
  /** When the motor has rested. */
  #restedAt = 0;
  #retries = 0;
  #isRetracting = false;
  /** How the last command failed. */
  #failure: "jammed" | "fault" | undefined;

  constructor(times: MotionTimes) {
    this.#times = times;
  }

  /** Whether a command is in hand: {@link step} wants to be called again soon. */
  get isMoving(): boolean {
    return this.#wanted !== undefined;
  }

  /** Takes a command. The same one again changes nothing; another one takes the place of the one in hand (rule M12). */
  command(way: Way): void {
    if (this.#wanted === way) return;
    this.#wanted = way;
    this.#retries = 0;
    this.#isRetracting = false;
    this.#failure = undefined;
  }

  /** Gives the command up; the motor is off from `now`, in milliseconds. */
  end(now: number, failure?: "jammed" | "fault"): void {
    this.#wanted = undefined;
    this.#failure = failure;
    this.off(now);
  }

  /** What the motor is to do at `now`, in milliseconds. */
  step(now: number, switches: Switches): Drive {
    const wanted = this.#wanted;
    if (wanted === undefined) return "off";
    if (switches.drawn && switches.thrown) this.end(now, "fault");
    else if (isAt(wanted, switches)) this.end(now);
    else this.towards(wanted, now, switches);
    return this.#drive;
  }

  /** What to report; failures last until the next command. */
  state(switches: Switches): BoltState {
    if (this.isMoving) return "moving";
    if (this.#failure !== undefined) return this.#failure;
    if (switches.drawn && switches.thrown) return "fault";
    if (switches.drawn) return "drawn";
    return switches.thrown ? "thrown" : "between";
  }

  private towards(wanted: Way, now: number, switches: Switches): void {
    // There is no way back from the end that it did not leave.
    if (isAt(opposite(wanted), switches)) this.#isRetracting = false;
    const way = this.#isRetracting ? opposite(wanted) : wanted;
    if (this.#drive === "off") this.start(way, now);
    else if (this.#drive !== way) this.off(now);
    else if (now >= this.#until) this.timeOver(now);
  }

  private start(way: Way, now: number): void {
    if (now < this.#restedAt) return;
    this.#drive = way;
    this.#until = now + (this.#isRetracting ? RETRACT_MS : this.#times.timeoutMs);
  }

  private timeOver(now: number): void {
    if (this.#isRetracting) {
      this.#isRetracting = false;
      this.off(now);
    } else if (this.#retries === MAX_RETRIES) {
      this.end(now, "jammed");
    } else {
      this.#retries++;
      this.#isRetracting = true;
      this.off(now);
    }
  }

  private off(now: number): void {
    if (this.#drive !== "off") this.#restedAt = now + this.#times.restMs;
    this.#drive = "off";
  }
}
