// Who has the chip's memory: a TLS session and a visit over Bluetooth are never there at once (rule S14). Whoever stands at the door goes before
// the network, which comes again by itself. Only the decision is here; whoever takes the lock's turn carries it out.

/** What is to be done: `hang-up` the TLS session · `connect` again, which was put off · `none`. */
export type TurnOrder = "hang-up" | "connect" | "none";

/** Counts who is there. */
export class RadioTurns {
  #centrals = 0;
  #isTls = false;
  #isPutOff = false;

  /** Whether a TLS session may begin now. Whoever asks in vain is called when it may. */
  askTls(): boolean {
    if (this.#centrals === 0) return true;
    this.#isPutOff = true;
    return false;
  }

  /** A TLS session begins, or is over. */
  tls(isOn: boolean): void {
    this.#isTls = isOn;
  }

  /** How many centrals are connected now; gives what is to be done. A visit that goes on is no news: call it in every turn. */
  centrals(count: number): TurnOrder {
    this.#centrals = count;
    if (count > 0 && this.#isTls) {
      this.#isPutOff = true;
      return "hang-up";
    }
    if (count > 0 || !this.#isPutOff) return "none";
    this.#isPutOff = false;
    return "connect";
  }
}
