// The SDK's flash partitions over bytes in memory, with its words: a name that is not there, a mode that is none, reads of a number or into a
// buffer, errors of the driver for whatever is out of range. Bits only go from 1 to 0. An encrypted partition is programmed 16 bytes at a time.

const BLOCK_BYTES = 4096;
const ENCRYPTED_BYTES = 16;

interface Partition {
  readonly bytes: Uint8Array;
  readonly isEncrypted: boolean;
}

class SdkFlash {
  readonly #partition: Partition;
  readonly #isReadOnly: boolean;
  #isClosed = false;

  constructor(partition: Partition, isReadOnly: boolean) {
    this.#partition = partition;
    this.#isReadOnly = isReadOnly;
  }

  get #bytes(): Uint8Array {
    if (this.#isClosed) throw new Error("invalid host data");
    return this.#partition.bytes;
  }

  read(buffer: Uint8Array | number, offset: number): number | ArrayBuffer {
    const length = typeof buffer === "number" ? buffer : buffer.byteLength;
    const from = Math.trunc(offset);
    if (from < 0 || from + length > this.#bytes.length) throw new Error("read failed");
    const bytes = this.#bytes.slice(from, from + length);
    if (typeof buffer === "number") return bytes.buffer as ArrayBuffer;
    buffer.set(bytes);
    return length;
  }

  write(buffer: Uint8Array, offset: number): void {
    if (this.#isReadOnly) throw new Error("read-only");
    const at = Math.trunc(offset);
    const isWhole = at % ENCRYPTED_BYTES === 0 && buffer.byteLength % ENCRYPTED_BYTES === 0;
    const isIn = at >= 0 && at + buffer.byteLength <= this.#bytes.length;
    if (!isIn || (this.#partition.isEncrypted && !isWhole)) throw new Error("write failed");
    for (let i = 0; i < buffer.byteLength; i++) this.#bytes[at + i] &= buffer[i];
  }

  eraseBlock(start: number, end = start + 1): void {
    if (this.#isReadOnly) throw new Error("read-only");
    const [from, to] = [Math.trunc(start) * BLOCK_BYTES, Math.trunc(end) * BLOCK_BYTES];
    if (from < 0 || to < from || to > this.#bytes.length) throw new Error("erase failed");
    this.#bytes.fill(0xff, from, to);
  }

  status() {
    const size = this.#bytes.length;
    return { size, blockLength: BLOCK_BYTES, blocks: size / BLOCK_BYTES };
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** The SDK's module, and the chip that it runs on. */
export class SdkFlashModule {
  readonly #partitions = new Map<string, Partition>();

  /** Adds a partition of so many bytes, erased; gives its bytes. */
  add(path: string, size: number, isEncrypted = true): Uint8Array {
    const bytes = new Uint8Array(size).fill(0xff);
    this.#partitions.set(path, { bytes, isEncrypted });
    return bytes;
  }

  open({ path, mode = "r+" }: { readonly path?: string; readonly mode?: string }): SdkFlash {
    if (path === undefined) throw new Error("no path");
    const partition = this.#partitions.get(path);
    if (partition === undefined) throw new Error("can't find partition");
    if (mode !== "r" && mode !== "r+") throw new Error("invalid mode");
    return new SdkFlash(partition, mode === "r");
  }
}
