// Frames of a PN532 (NXP's user manual UM0701-02, 6.2.1): 00 00 FF, length and its complement, who speaks, data, the complement of their
// sum, 00. Read strictly: whatever does not fit in all of it is noise, and reading goes on with the next start code within it.

/** Who speaks: the host, the reader. */
const TO_READER = 0xd4;
const FROM_READER = 0xd5;
/** Start code, length, its complement; then data, the complement of the sum and the postamble. */
const HEAD_BYTES = 4;
const TAIL_BYTES = 2;
const MAX_DATA_BYTES = 255;

/** What a reader sent: data from the code of the answer on, or that it has understood or wants something again. */
export type ReaderFrame = Uint8Array | "ack" | "nack";

/** A command with its parameters as a frame. */
export function packCommand(command: number, parameters: readonly number[]): Uint8Array {
  const data = [TO_READER, command, ...parameters];
  let sum = 0;
  for (const byte of data) sum += byte;
  return Uint8Array.from([0, 0, 0xff, data.length, -data.length, ...data, -sum, 0], (byte) => byte & 0xff);
}

/** Finds frames in a stream of bytes: after each byte, {@link FrameFinder.next} is to be called until there are no more. */
export class FrameFinder {
  readonly #bytes = new Uint8Array(HEAD_BYTES + MAX_DATA_BYTES + TAIL_BYTES);
  #count = 0;
  /** Bytes of the frame that was given last. */
  #given = 0;

  /** Forgets what was begun. */
  clear(): void {
    this.#count = this.#given = 0;
  }

  push(byte: number): void {
    this.#bytes[this.#count++] = byte;
  }

  /** The next frame; its data are valid until the next call. */
  next(): ReaderFrame | undefined {
    this.drop(this.#given);
    this.#given = 0;
    for (let need = this.need(); need <= this.#count; need = this.need()) {
      if (need > 0) return this.give(need);
      this.drop(1);
    }
    return undefined;
  }

  /** How many bytes the frame has, as far as can be seen, or just more than there are; 0 when no frame begins here. */
  private need(): number {
    const bytes = this.#bytes;
    const count = this.#count;
    if ((count > 0 && bytes[0] !== 0) || (count > 1 && bytes[1] !== 0xff)) return 0;
    if (count < HEAD_BYTES) return HEAD_BYTES;
    const length = bytes[2];
    const isShort = (length === 0 && bytes[3] === 0xff) || (length === 0xff && bytes[3] === 0);
    if (!isShort && (length === 0 || ((length + bytes[3]) & 0xff) !== 0)) return 0;
    const need = isShort ? HEAD_BYTES + 1 : HEAD_BYTES + length + TAIL_BYTES;
    if (need > count) return need;
    return bytes[need - 1] === 0 && (isShort || this.isWhole(length)) ? need : 0;
  }

  private isWhole(length: number): boolean {
    let sum = 0;
    for (let i = HEAD_BYTES; i <= HEAD_BYTES + length; i++) sum += this.#bytes[i];
    return (sum & 0xff) === 0;
  }

  private give(need: number): ReaderFrame {
    const bytes = this.#bytes;
    this.#given = need;
    if (bytes[2] === 0) return "ack";
    if (need === HEAD_BYTES + 1) return "nack";
    // A frame with another speaker is the reader's error frame: it did not understand.
    return bytes[HEAD_BYTES] === FROM_READER ? bytes.subarray(HEAD_BYTES + 1, need - TAIL_BYTES) : "nack";
  }

  /** Goes on behind some bytes: of a frame that was given, or one that begins none. */
  private drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#count);
    this.#count -= count;
  }
}
