// Codes that are guessed first (rule C19), as far as a code shows it by itself. The issuer asks before it signs, and a lock before it takes
// a code from its own keypad; a delta carries no digits, so no lock can ask later. Looks at every digit once or twice, allocates nothing.

/** Why a code is too easy to guess. */
export const Weakness = {
  none: 0,
  /** 5555 */
  same: 1,
  /** 4567, 3210 and 8901: each digit the one before it plus 1, or minus 1, 0 and 9 being neighbours. */
  run: 2,
  /** 1221: fewer than three different digits. */
  few: 3,
  /** 711163: three equal digits in a row, anywhere. */
  triple: 4,
  /** 481481: one block again and again. */
  repeated: 5,
} as const;

/** No two live codes of a door have these first digits in common, so that nobody's slip is somebody else's code. */
export const PREFIX_DIGITS = 4;
const MIN_DISTINCT = 3;
const TRIPLE = 3;

/** The first of {@link Weakness} that a code has. `code` is 4 to 10 ASCII digits. */
export function weaknessOf(code: Uint8Array): number {
  const distinct = distinctDigits(code);
  if (distinct === 1) return Weakness.same;
  if (isRun(code, 1) || isRun(code, 9)) return Weakness.run;
  if (distinct < MIN_DISTINCT) return Weakness.few;
  if (hasTriple(code)) return Weakness.triple;
  return isRepeated(code) ? Weakness.repeated : Weakness.none;
}

function distinctDigits(code: Uint8Array): number {
  let seen = 0;
  let count = 0;
  for (let i = 0; i < code.length; i++) {
    const bit = 1 << (code[i] & 0x0f);
    if ((seen & bit) === 0) count++;
    seen |= bit;
  }
  return count;
}

/** Whether each digit is the one before it plus `step`, 0 following 9. */
function isRun(code: Uint8Array, step: number): boolean {
  for (let i = 1; i < code.length; i++)
    if (((code[i - 1] & 0x0f) + step) % 10 !== (code[i] & 0x0f)) return false;
  return true;
}

function hasTriple(code: Uint8Array): boolean {
  let equals = 1;
  for (let i = 1; i < code.length; i++) {
    equals = code[i] === code[i - 1] ? equals + 1 : 1;
    if (equals === TRIPLE) return true;
  }
  return false;
}

function isRepeated(code: Uint8Array): boolean {
  for (let size = 1; 2 * size <= code.length; size++)
    if (code.length % size === 0 && hasPeriod(code, size)) return true;
  return false;
}

function hasPeriod(code: Uint8Array, size: number): boolean {
  for (let i = size; i < code.length; i++) if (code[i] !== code[i - size]) return false;
  return true;
}
