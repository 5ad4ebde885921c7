// PINs that are guessed first (rule C19). Only the issuer can refuse them: a delta carries no digits.

const MIN_DISTINCT_DIGITS = 3;

/** Why a PIN is refused as weak, undefined for one that is not. `pin` is digits only. */
export function weakness(pin: string): string | undefined {
  const distinct = new Set(pin).size;
  if (distinct === 1) return "all digits are the same";
  if (isRun(pin, 1) || isRun(pin, 9)) return "the digits run up or down";
  if (distinct < MIN_DISTINCT_DIGITS) return "fewer than 3 different digits";
  if (isRepeated(pin)) return "the same digits are repeated";
  return undefined;
}

/** Whether each digit is the one before it plus `step`, 0 following 9. */
function isRun(pin: string, step: number): boolean {
  for (let i = 1; i < pin.length; i++) if ((Number(pin[i - 1]) + step) % 10 !== Number(pin[i])) return false;
  return true;
}

/** Whether the PIN is one block again and again, such as 12341234. */
function isRepeated(pin: string): boolean {
  for (let size = 1; size <= pin.length / 2; size++)
    if (pin.length % size === 0 && pin === pin.slice(0, size).repeat(pin.length / size)) return true;
  return false;
}
