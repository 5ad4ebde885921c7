// A link: how messages reach one lock and its answers come back. Whatever carries them, a link copies every byte, so that lock and
// issuer never share an object. Links know no content and no time of their own.

/** A way to one lock. */
export interface Link {
  /** Sends one message and gives the lock's answer to it; undefined when none came in time, or the link is down. */
  request(message: Uint8Array): Promise<Uint8Array | undefined>;
  /** Waits, on a link that can: for a lock that is busy, or wants fewer attempts. */
  pause?(seconds: number): Promise<void>;
  /** Ends the connection; afterwards every request gives undefined. */
  close(): Promise<void>;
}

/** The lock's end of a link that is in this process: what takes a message and gives its answer. */
export type Answering = (message: Uint8Array) => Uint8Array;

/** A link inside one process. Bytes are copied both ways. */
export class MemoryLink implements Link {
  #answering: Answering | undefined;

  constructor(answering: Answering) {
    this.#answering = answering;
  }

  async request(message: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#answering?.(message.slice()).slice();
  }

  async close(): Promise<void> {
    this.#answering = undefined;
  }
}
