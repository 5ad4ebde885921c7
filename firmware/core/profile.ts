// Profiles: the models of lock that this core is built for, as numbers (rule C1). Everything that differs between them is here.

/** The limits of one model. */
export interface Profile {
  /** The number in identity and flash headers. */
  readonly id: number;
  /** The name that tables and command lines use. */
  readonly name: string;
  readonly slots: number;
  /** Shared schedules, with ids 1 to this. */
  readonly schedules: number;
  /** Holidays, with numbers 0 to before this (rule T7). */
  readonly holidays: number;
  /** Codes of the last so many deltas are kept until the issuer has seen them; a power of two. */
  readonly acks: number;
  /** Whether there is a card reader. */
  readonly reader: boolean;
  /** Whether there is a network beside the radio: Wi-Fi, and a broker to find by it. */
  readonly network: boolean;
  /** Partition sizes in bytes. */
  readonly credentialBytes: number;
  readonly eventBytes: number;
  /** Events that are kept at least. */
  readonly events: number;
}

/** The 1000-slot lock: table 192 KiB (two whole tables fit during a rebase), events 320 KiB. */
export const LOCK_1000: Profile = {
  id: 1,
  name: "lock-1000",
  slots: 1000,
  schedules: 255,
  holidays: 64,
  acks: 1024,
  reader: true,
  network: true,
  credentialBytes: 192 * 1024,
  eventBytes: 320 * 1024,
  events: 10_000,
};

/**
 * The LS-L500i: ten slots in 16 KiB, of which one sector must always hold all that lives. 4,016 of its 4,064 bytes: slots 480, uses
 * 192, twelve schedules (one for each slot, one for business hours, one to change over to) 576, settings 544, eight holidays 128, codes
 * of the keypad 320, other values of the lock's own 672, their second copies 384, acks 720.
 */
export const L500I: Profile = {
  id: 2,
  name: "l500i",
  slots: 10,
  schedules: 12,
  holidays: 8,
  acks: 128,
  reader: false,
  network: false,
  credentialBytes: 16 * 1024,
  eventBytes: 24 * 1024,
  events: 500,
};

export const PROFILES: readonly Profile[] = [LOCK_1000, L500I];

/** The profile with this number, or undefined. */
export function profileById(id: number): Profile | undefined {
  for (const profile of PROFILES) if (profile.id === id) return profile;
  return undefined;
}
