// The index over slots: from a tag to its slot without a scan, and from a slot to its record in flash. All that grows with the
// number of slots is in these typed arrays: location 2, link 2, fingerprint 1 and buckets ½ byte a slot.

/** A slot whose newest record is damaged: denied until it is put again, never its former self. */
const DAMAGED = 0x8000;
const PLACE = 0x3fff;

export class SlotIndex {
  /** Slots occupied, damaged ones among them. */
  used = 0;
  damaged = 0;
  readonly #buckets: Uint16Array;
  readonly #links: Uint16Array;
  readonly #fingerprints: Uint8Array;
  readonly #places: Uint16Array;
  readonly #mask: number;

  constructor(slots: number) {
    let buckets = 4;
    while (buckets * 4 < slots) buckets *= 2;
    this.#buckets = new Uint16Array(buckets);
    this.#mask = buckets - 1;
    this.#links = new Uint16Array(slots);
    this.#fingerprints = new Uint8Array(slots);
    this.#places = new Uint16Array(slots);
  }

  get slots(): number {
    return this.#places.length;
  }

  /** Where the slot's record stands, in units of 16 bytes; 0 for an empty slot. */
  place(slot: number): number {
    return this.#places[slot] & PLACE;
  }

  isDamaged(slot: number): boolean {
    return (this.#places[slot] & DAMAGED) !== 0;
  }

  /** Records where the slot's newest record stands; 0 empties it. Links are not touched. */
  setPlace(slot: number, place: number, damaged = false): void {
    const before = this.#places[slot];
    if (before !== 0) this.used--;
    if ((before & DAMAGED) !== 0) this.damaged--;
    this.#places[slot] = place === 0 ? 0 : place | (damaged ? DAMAGED : 0);
    if (place !== 0) this.used++;
    if (place !== 0 && damaged) this.damaged++;
  }

  /** Empties all slots. */
  clear(): void {
    this.used = this.damaged = 0;
    this.#buckets.fill(0);
    this.#places.fill(0);
  }

  fingerprint(slot: number): number {
    return this.#fingerprints[slot];
  }

  setFingerprint(slot: number, fingerprint: number): void {
    this.#fingerprints[slot] = fingerprint;
  }

  /** Makes the slot findable by `tag`. */
  link(slot: number, tag: Uint8Array): void {
    const bucket = tag[0] & this.#mask;
    this.#links[slot] = this.#buckets[bucket];
    this.#fingerprints[slot] = tag[1];
    this.#buckets[bucket] = slot + 1;
  }

  /** Takes the slot out of the chain of `tag`, which must be the one that it was linked under. */
  unlink(slot: number, tag: Uint8Array): void {
    this.unlinkFrom(tag[0] & this.#mask, slot);
  }

  private unlinkFrom(bucket: number, slot: number): void {
    const wanted = slot + 1;
    let link = this.#buckets[bucket];
    if (link === wanted) {
      this.#buckets[bucket] = this.#links[slot];
      return;
    }
    while (link !== 0) {
      const next = this.#links[link - 1];
      if (next === wanted) {
        this.#links[link - 1] = this.#links[slot];
        return;
      }
      link = next;
    }
  }

  /** Takes the slot out of whatever chain it is in: for a damaged slot, whose tag cannot be read any more. */
  unlinkUnread(slot: number): void {
    for (let bucket = 0; bucket <= this.#mask; bucket++) this.unlinkFrom(bucket, slot);
  }

  /**
   * The first slot in the chain of `tag` whose fingerprint fits, after `after` if that is one; −1 for none. The chain is always
   * walked to its end, so that a hit costs what a miss costs (rule C6).
   */
  candidate(tag: Uint8Array, after: number): number {
    const fingerprint = tag[1];
    let link = after < 0 ? this.#buckets[tag[0] & this.#mask] : this.#links[after];
    let found = -1;
    while (link !== 0) {
      const slot = link - 1;
      if (this.#fingerprints[slot] === fingerprint && found < 0) found = slot;
      link = this.#links[slot];
    }
    return found;
  }
}
