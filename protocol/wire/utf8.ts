// Well-formed UTF-8 (RFC 3629 §4): the check behind every text string on the wire (rule X8). Never an exception; it decodes nothing.

/**
 * Whether `bytes` from `at` to before `end` are well-formed UTF-8. The bounds of the second byte keep out overlong forms, surrogates and
 * all above U+10FFFF.
 */
export function isUtf8(bytes: Uint8Array, at: number, end: number): boolean {
  while (at < end) {
    const lead = bytes[at++];
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const next = at + (lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3);
    if (next > end || bytes[at] < low || bytes[at] > high) return false;
    while (++at < next) if (bytes[at] >> 6 !== 2) return false;
  }
  return true;
}
