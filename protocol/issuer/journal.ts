// The journal of an issuer (rules S1, S2): every change is written down before it has any effect, and changes are made one after another,
// in the order of the calls. State is what the journal says, and nothing else.

import type { Signers } from "./account";
import { Account } from "./account";
import type { Fact } from "./facts";
import { decodeFacts, encodeFacts } from "./facts";
import type { Outcome } from "./ledger";
import type { Hosts } from "./ports";

export class Journal {
  readonly hosts: Hosts;
  readonly account: Account;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(hosts: Hosts) {
    this.hosts = hosts;
    this.account = new Account(hosts.crypto, hosts.offsetOf);
  }

  /** The journal in `hosts.store`, and the account that it tells of. */
  static async open(hosts: Hosts): Promise<Journal> {
    const journal = new Journal(hosts);
    for (const record of await hosts.store.read())
      for (const fact of decodeFacts(record)) journal.account.apply(fact);
    return journal;
  }

  /** Site and keys. Throws before the account has begun. */
  get signers(): Signers {
    const { signers } = this.account;
    if (signers === undefined) throw new Error("signers: there is no account yet");
    return signers;
  }

  /** Changes wait for each other, so that each is decided on the state that the one before it left. */
  inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(job, job);
    this.#turn = turn;
    return turn;
  }

  /** Writes facts down, as one record, and then takes them as they will be read; the positions that they answered. */
  async commit(...facts: Fact[]): Promise<Outcome[]> {
    if (facts.length === 0) return [];
    const record = encodeFacts(facts);
    await this.hosts.store.append(record);
    return decodeFacts(record).flatMap((fact) => this.account.apply(fact));
  }

  /** Fresh random bytes. */
  random(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.hosts.random(bytes);
    return bytes;
  }
}
