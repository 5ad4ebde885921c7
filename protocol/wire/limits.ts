// The numbers of the specification: every limit that both ends of the wire must agree on, with its unit in the name and its
// reason beside it. Numbers of one implementation (buffers, retries) stand where they are used.

/** The one protocol version there is. A hello lists versions, a signed payload repeats the chosen one under its signature. */
export const VERSION = 1;

/** A lock id: 8 bytes, given at provisioning. */
export const LOCK_ID_BYTES = 8;
/** A key id: the first 8 bytes of SHA-256 of the public key. */
export const KEY_ID_BYTES = 8;
/** A chain head: SHA-256 cut to 16 bytes; a collision would need 2^64 work by someone who may sign anyway. */
export const HEAD_BYTES = 16;
/** A credential tag: HMAC-SHA256 cut to 12 bytes; 1000 slots collide by chance with 2^-77. */
export const TAG_BYTES = 12;
/** A session nonce: 8 random bytes. */
export const NONCE_BYTES = 8;
/** A table digest: a sum modulo 2^256. */
export const DIGEST_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** A signed bundle: at most 2,048 bytes, so that one buffer of a lock holds it and a broken transfer resends no more (rule S5). */
export const MAX_BUNDLE_BYTES = 2048;
/** Deltas in a bundle: one signature verification and one receipt are shared by 32. */
export const MAX_BUNDLE_DELTAS = 32;
/** A whole message: a bundle and its frame `[type, request id, body]` of at most 7 bytes, rounded up to 16. */
export const MAX_MESSAGE_BYTES = 2064;
/** Acks in one receipt: what a courier may ask for at once. */
export const MAX_RECEIPT_ACKS = 256;

/** A position's seq fits 24 bits, so that a slot record with its commit fits 64 bytes; a log that is full needs a rebase. */
export const MAX_SEQ = 0xffffff;
export const MAX_U32 = 0xffffffff;

/** Issuer keys in a keyset: two in use, two for rotation. */
export const MAX_KEYS = 4;
/** A site's name in a claim, in bytes of UTF-8: it is part of an MQTT topic. */
export const MAX_SITE_BYTES = 16;

/** PIN digits (rules A1, C2). */
export const MIN_PIN_DIGITS = 4;
export const MAX_PIN_DIGITS = 10;
/** Card UID bytes (rule C7). */
export const MIN_CARD_BYTES = 4;
export const MAX_CARD_BYTES = 10;
/** Minutes that a credential stays valid after its first use (rule C12): two days. */
export const MAX_MINUTES_AFTER_FIRST_USE = 2880;
/** Hours within which a first use must happen (rule C13). */
export const MAX_FIRST_USE_HOURS = 255;
export const MAX_USES = 0xffff;

/** Windows in a schedule, and schedule ids (1..255; 0 is "always") (rule T2). */
export const MAX_WINDOWS = 8;
export const MAX_SCHEDULE_ID = 255;
/** Pairs in one map of a message, its extensions included. */
export const MAX_PAIRS = 64;
/** Keys of a map from here up may come from a later version and are passed over; an unknown key below is critical (rule X9). */
export const FIRST_EXTENSION_KEY = 128;
/** The value of a setting, in bytes: a zone of 48 with a table of 64 intervals (rule T8). */
export const MAX_SETTING_BYTES = 183;

/** A rebase (rule S9): parts of at most so many bytes, so that one fits a message; a full table of 1000 slots takes some 30 of them. */
export const MAX_PART_BYTES = 2000;
export const MAX_PARTS = 48;
/** A part's print: SHA-256 cut to 16 bytes. */
export const PART_PRINT_BYTES = 16;

/** Events are numbered from 1 to this, and never again. */
export const MAX_EVENT_SEQ = 0xffffffff;
/** Events on one sealed page, 32 bytes each. */
export const MAX_PAGE_EVENTS = 48;
/** What stands before the events of a page: the seq of the first one (4), and the chain head before it (16). */
export const PAGE_HEAD_BYTES = 4 + HEAD_BYTES;
/** An event as it stands in the log and in a page. */
export const EVENT_BYTES = 32;

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): a random nonce before what is sealed, and the authentication tag behind it. */
export const SEAL_NONCE_BYTES = 24;
export const SEAL_TAG_BYTES = 16;
/** The body of a page: nonce, sealed events, tag. */
export const MAX_PAGE_BYTES =
  SEAL_NONCE_BYTES + PAGE_HEAD_BYTES + MAX_PAGE_EVENTS * EVENT_BYTES + SEAL_TAG_BYTES;

/** Refusals that a lock tells at once (rule I2). */
export const MAX_REFUSALS = 20;

/** A lock's name (rule A63), and the argument of a command, in bytes. */
export const MAX_ALIAS_BYTES = 32;
export const MAX_COMMAND_BYTES = 32;
/** The version of a firmware, in bytes. */
export const MAX_FIRMWARE_BYTES = 24;
/** A nonce for an unlock or a command is good for this long, by the lock's monotonic clock, and once (rule X6). */
export const MAX_CHALLENGE_AGE_S = 5;
/** A lease may last this long, in days (rule S12). */
export const MAX_LEASE_DAYS = 3650;

/** A time answer is taken at most this long after its nonce was given, by the lock's monotonic clock (rule T14). */
export const MAX_TIME_ANSWER_AGE_S = 30;

/**
 * The density guard (rule C18): the sum of live / 10^digits may not rise above 1/1000. Counted in units of 10^-10, the weight of
 * one ten-digit PIN, so that the sum is a whole number: 1000 PINs of 4 digits would be 10^9.
 */
export const DENSITY_LIMIT = 10_000_000;
/** Densities are whole numbers of 1 / this. */
export const DENSITY_UNITS = 1e10;

/** Codes that an administrator can program at the keypad (rule C24), and what a receipt says of them, in bytes. */
export const MAX_LOCAL_CODES = 10;
export const LOCAL_DIGEST_BYTES = 8;

/**
 * Entries of somebody who does nothing but guess that a lock looks at (rule X1): eight until the wait is an hour; then one an hour,
 * and on each day the seven wrong ones that right codes of others forgive. A stricter lockout policy makes them fewer.
 */
export const MAX_GUESSES_AT_ONCE = 8;
export const MAX_GUESSES_A_DAY = 24 + 7;
/** In 30 days 8 + 30 × 31 = 938: a risk of 0.93 % where one guess in 100,000 opens. */
export const MAX_GUESSES_30_DAYS = MAX_GUESSES_AT_ONCE + 30 * MAX_GUESSES_A_DAY;
