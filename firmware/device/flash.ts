// A partition of the chip's flash as the core wants it (rule X10), over the SDK's storage/flash. What the core stores lies encrypted: the
// chip encrypts 16 bytes at a time, so nothing else is ever programmed. What a write has left behind is not assumed: the core reads it back.

import type { Flash, FlashStatus } from "../ports";

/** What the chip encrypts at a time, in bytes. */
const ENCRYPTED_BYTES = 16;

/** An open partition (ECMA-419, clause 20.1). */
export interface FlashStorage {
  /** Fills a buffer, or gives a new one of so many bytes. */
  read(buffer: Uint8Array | number, offset: number): number | ArrayBuffer;
  write(buffer: Uint8Array, offset: number): void;
  eraseBlock(start: number, end?: number): void;
  status(): FlashStatus;
  close(): void;
}

/** The SDK's module `embedded:storage/flash`. */
export interface FlashModule {
  /** Opens a data partition by its name; throws where there is none. */
  open(options: { readonly path: string; readonly mode?: "r" | "r+" }): FlashStorage;
}

const isCount = (value: number, limit: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= limit;

/** One partition, open for as long as the lock runs. */
export class FlashPartition implements Flash {
  readonly #storage: FlashStorage;
  readonly #status: FlashStatus;

  /** Throws where there is no such partition, or where it has another size than the profile says: then this is another model's board. */
  constructor(module: FlashModule, path: string, bytes: number) {
    this.#storage = module.open({ path, mode: "r+" });
    const { size, blockLength, blocks } = this.#storage.status();
    if (size !== bytes) throw new Error(`partition ${path}: wanted ${bytes} bytes, got ${size}`);
    if (blockLength % ENCRYPTED_BYTES !== 0 || blockLength * blocks !== size)
      throw new Error(`partition ${path}: ${blocks} blocks of ${blockLength} bytes`);
    this.#status = { size, blockLength, blocks };
  }

  read(buffer: Uint8Array, offset: number): void {
    this.check("read", buffer, offset);
    if (buffer.length > 0) this.#storage.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): void {
    this.check("write", buffer, offset);
    if (offset % ENCRYPTED_BYTES !== 0 || buffer.length % ENCRYPTED_BYTES !== 0)
      throw new RangeError(`flash write: ${buffer.length} bytes at ${offset} are not whole lots of 16`);
    if (buffer.length > 0) this.#storage.write(buffer, offset);
  }

  eraseBlock(start: number, end: number): void {
    if (!isCount(end, this.#status.blocks) || !isCount(start, end))
      throw new RangeError(`flash erase: blocks ${start} to ${end}`);
    if (start < end) this.#storage.eraseBlock(start, end);
  }

  status(): FlashStatus {
    return this.#status;
  }

  private check(what: string, buffer: Uint8Array, offset: number): void {
    if (!isCount(offset, this.#status.size - buffer.length))
      throw new RangeError(`flash ${what}: ${buffer.length} bytes at ${offset}`);
  }
}
