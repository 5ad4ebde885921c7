// A virtual lock: the very core of the firmware on a virtual board. It answers messages and people; a power cut leaves it nothing but
// its flash bytes. Whatever link it hangs on calls `receive`.

import { Lock } from "../../firmware/core/lock";
import type { Session } from "../../firmware/core/session";
import type { Crypto } from "../../protocol/crypto/port";
import { type FlashImage, VirtualBoard, type WorldClock } from "../board/board";

/** What a virtual lock is made with. */
export interface VirtualLockOptions {
  readonly image: FlashImage;
  readonly crypto: Crypto;
  readonly world: WorldClock;
  /** Fills a buffer with random bytes. */
  readonly random: (buffer: Uint8Array) => void;
}

export class VirtualLock {
  lock: Lock;
  board: VirtualBoard;
  readonly #options: VirtualLockOptions;
  #session: Session;

  constructor(options: VirtualLockOptions) {
    this.#options = options;
    this.board = new VirtualBoard(options);
    this.lock = new Lock(this.board);
    this.#session = this.lock.open();
    this.lock.tick();
  }

  get id(): Uint8Array {
    return this.board.identity.lock;
  }

  /** A new connection: the lock forgets the one before. */
  reconnect(): void {
    this.#session = this.lock.open();
  }

  /** Answers one message, and does its own housekeeping afterwards. */
  receive(message: Uint8Array): Uint8Array {
    const answer = this.lock.receive(this.#session, message.slice()).slice();
    this.lock.tick();
    return answer;
  }

  /** The status that the lock announces. */
  status(): Uint8Array {
    return this.lock.status(this.#session);
  }

  /** Power goes and comes back: a new lock from the bytes of the flash alone. */
  powerCut(): void {
    this.board = new VirtualBoard({ ...this.#options, image: this.board.image() });
    this.lock = new Lock(this.board);
    this.#session = this.lock.open();
    this.lock.tick();
  }
}
