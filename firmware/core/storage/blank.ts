// What an erased sector looks like, without taking 0xFF for proof: flash behind encryption reads an erased sector as random bytes.
// So a sector is looked at right after its erase, and a print of every page of it is kept; what has the same print later is untouched.

import { crc32 } from "./crc";

/** A page of NOR flash, in bytes: what one program operation of the chip may disturb. */
export const PAGE = 256;

/** A print of `bytes[start..end)`: its CRC-32 folded to 16 bits. A page that changed keeps its print once in 65,536 times. */
export function print(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32(bytes, start, end, 0);
  return (crc ^ (crc >>> 16)) & 0xffff;
}

const CLEAR = new Uint8Array(PAGE).fill(0xff);

/** The print of so many bytes 0xFF, at most a page of them. */
export function clearPrint(length: number): number {
  return print(CLEAR, 0, length);
}

/** Whether `bytes[start..end)` reads 0xFF: of programmed bytes nobody believes it, of encrypted ones it never happens. */
export function isClear(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0xff) return false;
  return true;
}

/** Whether a sector that is not clear can be an erased one behind encryption: hardly more of its bytes are 0xFF or 0 than chance gives. */
export function canBeErased(sector: Uint8Array): boolean {
  let plain = 0;
  for (let i = 0; i < sector.length; i++) if (sector[i] === 0xff || sector[i] === 0) plain++;
  // Chance gives one in 128. A sixteenth is far from that, from records, and from a sector whose erase did not come to its end.
  return plain < sector.length / 16;
}
