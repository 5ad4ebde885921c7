// The cases of deltas.json about settings that guard the door: the master, the density, the lockout, business hours, codes of the keypad, the
// clock and holidays, each at its limits and one past them, and with the rest of the table.

import { type Delta, encodeDelta } from "../../protocol/issuer/encode";
import { ascii, fromHex } from "../../protocol/wire/bytes";
import { packBroker, packMaster, packWifi, Setting } from "../../protocol/wire/settings";
import { LOCK_ID, pin, sealed } from "./bench";
import { flipped } from "./craft";
import type { Plan } from "./delta-cases";

const set = (setting: number, hex: string): Delta => ({ op: "set", setting, value: fromHex(hex) });
const master = (digits: string): Delta => {
  const { tag } = pin(0, digits);
  return { op: "set", setting: Setting.master, value: packMaster({ digits: digits.length, tag }) };
};
const OTHER = fromHex("7b1d5a40c3e29f87");
const SCHEDULE: Delta = { op: "put-schedule", id: 7, windows: [{ days: 0x3e, start: 540, duration: 480 }] };
const HOURS = set(Setting.businessHours, "0701000f");
const SLOT = pin(3, "135790");
/** Nine PINs of four digits: room for one more. */
const NINE = Array.from({ length: 9 }, (_, i) => pin(i, `${2000 + 7 * i}`));

type Row = readonly [name: string, code: string, delta: Delta, ...given: Delta[]];

const MASTER: readonly Row[] = [
  ["a master", "applied", master("902817")],
  ["a master of four digits", "applied", master("9028")],
  ["a master of ten digits", "applied", master("9028173645")],
  ["the same master again", "unchanged", master("902817"), master("902817")],
  ["no master", "applied", set(Setting.master, "00"), master("902817")],
  ["no master where there was none", "applied", set(Setting.master, "00")],
  ["a master of three digits", "range", set(Setting.master, "03a02b5c60daddc00937707333")],
  ["a master of eleven digits", "range", set(Setting.master, "0ba02b5c60daddc00937707333")],
  ["a master without its tag", "range", set(Setting.master, "06")],
  ["a master with a tag of eleven bytes", "bad-format", set(Setting.master, "06a02b5c60daddc009377073")],
  ["a master that is the PIN of a slot", "duplicate", master("135790"), SLOT],
  [
    "a master that was the PIN of a slot",
    "applied",
    master("135790"),
    SLOT,
    { op: "drop", slot: 3, generation: 1 },
  ],
  ["a master with as many digits as the limit allows", "applied", master("9028"), ...NINE],
  ["a master that is too short for the limit", "pin-too-short", master("9028"), ...NINE, pin(9, "902817")],
  ["a master in place of one as short", "applied", master("9017"), ...NINE, master("9028")],
  [
    "a wipe leaves the master: a PIN that it is",
    "duplicate",
    pin(4, "902817"),
    master("902817"),
    { op: "wipe" },
  ],
];
const PUTS: readonly Row[] = [
  ["put: the PIN that is the master", "duplicate", SLOT, master("135790")],
  ["put: the PIN that was the master", "applied", SLOT, master("135790"), set(Setting.master, "00")],
  ["put: a PIN that the master leaves no room for", "pin-too-short", pin(9, "9017"), ...NINE, master("9028")],
  ["put: a PIN under a limit of its own weight", "applied", SLOT, set(Setting.density, "00002710")],
  ["put: a PIN above a limit of less", "pin-too-short", SLOT, set(Setting.density, "0000270f")],
  [
    "drop-schedule: one that business hours use",
    "schedule-in-use",
    { op: "drop-schedule", id: 7 },
    SCHEDULE,
    HOURS,
  ],
  [
    "drop-schedule: one that business hours used",
    "applied",
    { op: "drop-schedule", id: 7 },
    SCHEDULE,
    HOURS,
    set(Setting.businessHours, "00000000"),
  ],
];
const OTHERS: readonly Row[] = [
  ["the lowest density", "applied", set(Setting.density, "00000001")],
  ["the highest density", "applied", set(Setting.density, "ffffffff")],
  ["a density below what is there", "applied", set(Setting.density, "00000001"), SLOT],
  ["no density", "range", set(Setting.density, "00000000")],
  ["a density of three bytes", "bad-format", set(Setting.density, "000001")],
  ["the strictest lockout", "applied", set(Setting.lockout, "0105a0")],
  ["the mildest lockout", "applied", set(Setting.lockout, "050000")],
  ["a lockout after no try", "range", set(Setting.lockout, "000000")],
  ["a lockout after six tries", "range", set(Setting.lockout, "060000")],
  ["a lockout of 1,441 minutes", "range", set(Setting.lockout, "0505a1")],
  ["a lockout of two bytes", "bad-format", set(Setting.lockout, "0500")],
  ["business hours", "applied", HOURS, SCHEDULE],
  ["business hours with the longest grace", "applied", set(Setting.businessHours, "070002d0"), SCHEDULE],
  ["business hours with a longer grace", "range", set(Setting.businessHours, "070002d1"), SCHEDULE],
  ["business hours with an unknown flag", "range", set(Setting.businessHours, "0702000f"), SCHEDULE],
  ["business hours without their schedule", "unknown-schedule", HOURS],
  ["no business hours", "applied", set(Setting.businessHours, "00000000"), SCHEDULE, HOURS],
  ["business hours of three bytes", "bad-format", set(Setting.businessHours, "070100"), SCHEDULE],
  ["no codes at the keypad", "applied", set(Setting.localCodes, "00")],
  ["codes at the keypad", "applied", set(Setting.localCodes, "01"), set(Setting.localCodes, "00")],
  ["codes at the keypad, perhaps", "range", set(Setting.localCodes, "02")],
  ["the lowest clock bound", "applied", set(Setting.clockBound, "0001")],
  ["the highest clock bound", "applied", set(Setting.clockBound, "0e10")],
  ["no clock bound", "range", set(Setting.clockBound, "0000")],
  ["a clock bound of 3,601 seconds", "range", set(Setting.clockBound, "0e11")],
  [
    "a zone with a table",
    "applied",
    set(Setting.zone, `${"3c2b30313e2d31"}00${"6b9c2b80"}0400${"0b40"}8b80`),
  ],
];
const holiday = (n: number, hex: string): Delta => set(Setting.holiday + n, hex);
const HOLIDAYS: readonly Row[] = [
  ["a holiday that refuses a role", "applied", holiday(0, "52b8000301ff")],
  ["the last holiday, which refuses all roles for a leap year", "applied", holiday(63, "52b8016e7fff")],
  ["a holiday in mode resident", "applied", holiday(1, "52b800030002")],
  ["the last day that there is", "applied", holiday(0, "fffe000101ff")],
  ["the same holiday again", "unchanged", holiday(0, "52b8000301ff"), holiday(0, "52b8000301ff")],
  ["no holiday", "applied", holiday(0, "00"), holiday(0, "52b8000301ff")],
  ["a holiday of no days", "range", holiday(0, "52b8000001ff")],
  ["a holiday of 367 days", "range", holiday(0, "52b8016f01ff")],
  ["a holiday past the last day", "range", holiday(0, "ffff000101ff")],
  ["a holiday for an eighth role", "range", holiday(0, "52b8000380ff")],
  ["a holiday that does nothing", "range", holiday(0, "52b8000300ff")],
  ["a holiday that does both", "range", holiday(0, "52b800030101")],
  ["a holiday in an unknown mode", "range", holiday(0, "52b800030003")],
  ["a holiday of five bytes", "bad-format", holiday(0, "52b8000301")],
  ["a holiday of one byte that is not 0", "range", holiday(0, "01")],
  ["a setting behind the last", "unsupported", set(Setting.offlineDenied + 1, "52b8000301ff")],
  ["a reset delay of one byte", "bad-format", set(Setting.resetDelay, "00")],
];

/** A setting that is sealed as it should be, or with something else changed. */
const secret = (setting: number, plain: Uint8Array, as = setting, lock = LOCK_ID): Delta => {
  return { op: "set", setting, value: sealed(as, plain, lock) };
};
const torn = (delta: Delta, at: number): Delta =>
  delta.op === "set" ? { ...delta, value: flipped(delta.value, at) } : delta;
export const SHED = secret(Setting.alias, ascii("shed"));
const network = (name: number, password: number): Uint8Array =>
  packWifi({ network: new Uint8Array(name).fill(0x6e), password: new Uint8Array(password).fill(0x70) });
const broker = (host: string, port = 8883): Uint8Array => packBroker({ port, tls: true, host: ascii(host) });
export const WIFI = secret(Setting.wifi, network(8, 12));
export const BROKER = secret(Setting.broker, broker("broker.example"));

const SECRETS: readonly Row[] = [
  ["a name", "applied", SHED],
  ["the same name again", "unchanged", SHED, SHED],
  ["another name", "applied", secret(Setting.alias, ascii("barn")), SHED],
  ["a name of 32 bytes", "applied", secret(Setting.alias, ascii("n".repeat(32)))],
  ["a name of 33 bytes", "bad-format", secret(Setting.alias, ascii("n".repeat(33)))],
  ["a name of no bytes", "bad-format", secret(Setting.alias, new Uint8Array(0))],
  ["a name that is no text", "bad-format", secret(Setting.alias, fromHex("c3"))],
  ["a name that is not sealed", "bad-format", { op: "set", setting: Setting.alias, value: ascii("shed") }],
  ["a name with a flipped bit in its nonce", "bad-format", torn(SHED, 0)],
  ["a name with a flipped bit", "bad-format", torn(SHED, 24)],
  ["a name with a flipped bit in its tag", "bad-format", torn(SHED, -1)],
  ["a name that was sealed as a network", "bad-format", secret(Setting.alias, ascii("shed"), Setting.wifi)],
  ["a name for another lock", "bad-format", secret(Setting.alias, ascii("shed"), Setting.alias, OTHER)],
  ["a network", "applied", WIFI],
  ["an open network", "applied", secret(Setting.wifi, network(1, 0))],
  ["a network of the longest name and password", "applied", secret(Setting.wifi, network(32, 63))],
  ["a network of a longer name", "bad-format", secret(Setting.wifi, network(33, 63))],
  ["a network of a longer password", "bad-format", secret(Setting.wifi, network(32, 64))],
  ["a network of a shorter password", "bad-format", secret(Setting.wifi, network(8, 7))],
  ["a network without a name", "bad-format", secret(Setting.wifi, network(0, 12))],
  ["a broker", "applied", BROKER],
  ["a broker of the longest host", "applied", secret(Setting.broker, broker("h".repeat(64)))],
  ["a broker of a longer host", "bad-format", secret(Setting.broker, broker("h".repeat(65)))],
  ["a broker without a host", "bad-format", secret(Setting.broker, broker(""))],
  ["a broker without a port", "bad-format", secret(Setting.broker, broker("h", 0))],
  ["a broker with a space in its host", "bad-format", secret(Setting.broker, broker("a b"))],
];
const denied = (hex: string): Delta => set(Setting.offlineDenied, hex);
const LATER: readonly Row[] = [
  ["leases of seven days", "applied", set(Setting.leaseDays, "0007")],
  ["no leases", "applied", set(Setting.leaseDays, "0000"), set(Setting.leaseDays, "0007")],
  ["leases of 3,650 days", "applied", set(Setting.leaseDays, "0e42")],
  ["leases of 3,651 days", "range", set(Setting.leaseDays, "0e43")],
  ["leases of one byte", "bad-format", set(Setting.leaseDays, "07")],
  ["all offline codes", "applied", set(Setting.offlineCodes, "0f08")],
  ["no offline codes", "applied", set(Setting.offlineCodes, "0001"), set(Setting.offlineCodes, "0f08")],
  ["a fifth kind of offline code", "range", set(Setting.offlineCodes, "1001")],
  ["offline codes of no index", "range", set(Setting.offlineCodes, "0100")],
  ["offline codes of nine indexes", "range", set(Setting.offlineCodes, "0109")],
  ["offline codes of one byte", "bad-format", set(Setting.offlineCodes, "01")],
  ["one denied code", "applied", denied("00518e")],
  [
    "eight denied codes, of every kind",
    "applied",
    denied("00518e07518e08518e0f518e10518e17518e18518e1f518e"),
  ],
  ["a code that is denied on two days", "applied", denied("00518e00518f")],
  ["the same denied codes again", "unchanged", denied("00518e00518f"), denied("00518e00518f")],
  ["no denied codes", "applied", denied("00"), denied("00518e")],
  ["no denied codes, as nobody denied any", "applied", denied("00")],
  ["nine denied codes", "bad-format", denied("00518e01518e02518e03518e04518e05518e06518e07518e08518e")],
  ["denied codes with a byte too many", "bad-format", denied("00518e00")],
  ["denied codes that descend", "range", denied("01518e00518e")],
  ["one code that is denied twice", "range", denied("00518e00518e")],
  ["a denied code of a fifth kind", "range", denied("20518e")],
  ["a denied code of a week that begins on a Tuesday", "range", denied("18518f")],
  ["denied codes of one byte that is not 0", "range", denied("01")],
  ["a reset delay of a day", "applied", set(Setting.resetDelay, "0018")],
  ["a reset delay of 672 hours", "applied", set(Setting.resetDelay, "02a0")],
  ["a reset delay of 673 hours", "range", set(Setting.resetDelay, "02a1")],
];

/** All cases. */
export function policyPlans(): Plan[] {
  const plan = ([name, code, delta, ...given]: Row): Plan => ({
    name,
    code,
    delta: encodeDelta(delta),
    given,
  });
  const settings = [...MASTER, ...OTHERS, ...HOLIDAYS, ...SECRETS, ...LATER].map(plan);
  return [...settings.map((one) => ({ ...one, name: `set: ${one.name}` })), ...PUTS.map(plan)];
}
