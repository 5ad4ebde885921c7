// The rules about credentials (C1 to C25), each with what proves it.

import { finds, type Named, type Rule, rule } from "./rule";

const CORE = "firmware/core/";
const APPLY = `${CORE}apply`;
const DECIDE = `${CORE}decide`;
const DIARY = `${CORE}diary`;
const DOORWAY = `${CORE}doorway`;
const FAULTS = `${CORE}lock-faults`;
const FAMILY = `${CORE}family`;
const HOLIDAYS = `${CORE}holidays`;
const KEYPAD = `${CORE}keypad`;
const LOCAL = `${CORE}local-codes`;
const LOCK = `${CORE}lock`;
const PAIR = `${CORE}pair`;
const DENSITY = `${CORE}density`;
const PROGRAMMING = `${CORE}programming`;
const TABLE = `${CORE}storage/table`;
const RECORDS = `${CORE}storage/records`;
const DELTAS = "protocol/wire/deltas";
const WEAKNESS = "protocol/wire/weakness";
const DERIVE = "protocol/crypto/derive";
const PINS = "protocol/issuer/pins";
const SHOWN_ONLY = "rules/what-is-shown";
const KEPT = "rules/what-is-kept";
const PROGRAMMED = "rules/programmed-codes";

const CAPACITY: Named = [APPLY, "of l500i is 10 slots and not one more"];
const STALE: Named = [APPLY, "whatever names an older one is stale"];
const MASTER: Named = [DOORWAY, "C17 A21 the master opens whatever mode"];
const DURESS: Named = [DOORWAY, "C16 duress opens like any other"];

export const CREDENTIAL_RULES: readonly Rule[] = [
  rule(
    "C1",
    "A lock takes as many credentials as its model has slots, not one more, and a drop frees exactly one.",
    finds(
      CAPACITY,
      "takes one slot too many",
      APPLY,
      "if (entry.slot >= profile.slots)",
      "if (entry.slot > profile.slots)",
    ),
    finds(CAPACITY, "keeps a slot taken that was dropped", TABLE, "if (dropped >= 0) this.forget(dropped);"),
  ),
  rule(
    "C2",
    "A PIN is 4 to 10 digits and nothing else, and a leading zero is a digit.",
    finds(
      [LOCK, "have 4 to 10 digits and nothing but digits"],
      "takes what is no digit",
      DOORWAY,
      "digit > DIGIT_9) return false",
      "digit > DIGIT_9 + 1) return false",
    ),
    finds(
      [LOCK, "have 4 to 10 digits and nothing but digits"],
      "takes eleven digits",
      DOORWAY,
      "digits.length > MAX_PIN_DIGITS",
      "digits.length > MAX_PIN_DIGITS + 1",
    ),
    finds(
      [APPLY, "A1 C2 the number of digits is 4 to 10"],
      "takes a delta of three digits",
      DELTAS,
      "entry.digits < MIN_PIN_DIGITS",
      "entry.digits < MIN_PIN_DIGITS - 1",
    ),
    finds(
      [KEYPAD, "takes leading and trailing zeros as digits"],
      "passes over zeros before the first other digit",
      KEYPAD,
      "// Digits past the tenth",
      'if (key === 0 && this.#count === 0) return "typing";\n    // Digits past the tenth',
    ),
  ),
  rule(
    "C3",
    "A credential is in one slot of a lock, nor is it the master; put again into its own slot it changes nothing.",
    finds(
      [APPLY, "in another slot it is a duplicate"],
      "does not see a duplicate of slot 0",
      APPLY,
      "other >= 0 && other !== entry.slot;",
      "other > 0 && other !== entry.slot;",
    ),
    finds(
      [DOORWAY, "is not any slot's PIN, and no slot's PIN is the master"],
      "takes the master's code as a PIN",
      APPLY,
      " || isTyped(this.#typed, entry.tag)) return",
      ") return",
    ),
    finds(
      [APPLY, "the same in the same slot is unchanged and keeps its generation"],
      "calls the same again a stale one",
      APPLY,
      "      entry.generation = table.entry.generation;\n",
    ),
  ),
  rule(
    "C4",
    "What is typed counts as a whole, at the confirm key: no prefix opens, a pause over five seconds discards, and the first key counts.",
    finds(
      [KEYPAD, "opens by an exact match only"],
      "compares the first four digits",
      DERIVE,
      "const input = new Uint8Array(1 + value.length);\n  input[0] = kind;\n  input.set(value, 1);",
      "const input = new Uint8Array(5);\n  input[0] = kind;\n  input.set(value.subarray(0, 4), 1);",
    ),
    finds(
      [KEYPAD, "refuses eleven digits that begin with a right PIN of ten"],
      "forgets digits past the tenth",
      KEYPAD,
      "this.#count <= MAX_PIN_DIGITS ? this.#count : 0",
      "Math.min(this.#count, MAX_PIN_DIGITS)",
    ),
    finds(
      [KEYPAD, "refuses a right PIN with a pause in it"],
      "never discards what was typed",
      KEYPAD,
      "if (uptime - this.#lastAt > MAX_PAUSE_S) this.#count = this.#clears = 0;",
    ),
    finds(
      [KEYPAD, "a pause of five seconds keeps what was typed"],
      "discards after a pause of exactly five seconds",
      KEYPAD,
      "uptime - this.#lastAt > MAX_PAUSE_S",
      "uptime - this.#lastAt >= MAX_PAUSE_S",
    ),
    finds(
      [KEYPAD, "the first key after any rest counts"],
      "takes the first key after a rest for waking up alone",
      KEYPAD,
      "if (uptime - this.#lastAt > MAX_PAUSE_S) this.#count = this.#clears = 0;",
      'const isRested = uptime - this.#lastAt > MAX_PAUSE_S;\n    if (isRested) this.#count = this.#clears = 0;\n    if (isRested && uptime >= 1e6) { this.#lastAt = uptime; return "typing"; }',
    ),
  ),
  rule(
    "C5",
    "A PIN stands nowhere in clear: not in flash, events, messages or explanations.",
    finds(
      [LOCK, "no typed PIN, right, wrong or refused, is in flash"],
      "keeps PINs as they are",
      DERIVE,
      "return crypto.hmacSha256(pinKey, input).slice(0, CREDENTIAL_TAG_BYTES);",
      "const tag = new Uint8Array(CREDENTIAL_TAG_BYTES);\n  tag.set(value.subarray(0, CREDENTIAL_TAG_BYTES));\n  return tag;",
    ),
    finds(
      [LOCK, "no typed PIN, right, wrong or refused, is in flash"],
      "keeps what was typed beside the count of wrong entries",
      DOORWAY,
      "if (method === Method.keypad) this.countWrong();",
      "if (method === Method.keypad) this.countWrong();\n    this.#parts.table.commitState(State.forgiven, value);",
    ),
  ),
  rule(
    "C6",
    "An attempt takes the same work whether it hits, misses or is switched off, and shows it at the same moment.",
    finds(
      [LOCK, "an attempt reads and programs a number of times"],
      "looks no further at a slot that is switched off",
      DOORWAY,
      "if (!table.loadUsage(slot, entry.generation, entry.uses)) return false;",
      "if ((entry.flags & Flag.disabled) === 0 && !table.loadUsage(slot, entry.generation, entry.uses)) return false;",
    ),
    finds(
      [LOCK, "looks at one record for a hit, for a miss and for a disabled slot"],
      "reads nothing where nobody has the code",
      `${CORE}storage/table-view`,
      "this.log.read(this.log.decoy, this.#slotRecord);",
    ),
  ),
  rule(
    "C7",
    "PINs, cards of 4 to 10 bytes and phone keys are kinds of their own; an unknown kind is unsupported, and the bundle goes on.",
    finds(
      [APPLY, "C7 C9 A6 kinds, roles, flags and capabilities that a lock does not know are unsupported"],
      "calls an unknown kind badly formed",
      DELTAS,
      "entry.kind > Kind.card) return Code.unsupported",
      "entry.kind > Kind.card) return Code.badFormat",
    ),
    finds(
      [LOCK, "open by a UID of 4 to 10 bytes"],
      "reads cards with a UID of three bytes",
      DOORWAY,
      "value.length >= MIN_CARD_BYTES",
      "value.length >= MIN_CARD_BYTES - 1",
    ),
    finds(
      [LOCK, "are no PINs, and PINs no cards"],
      "takes a card for the PIN of the same bytes",
      DERIVE,
      "  input[0] = kind;\n",
    ),
    finds(
      [APPLY, "a card is unsupported on a model without a reader"],
      "takes cards where no reader is",
      APPLY,
      "if (entry.kind === Kind.card && !profile.reader) return this.refuse(Code.unsupported);",
    ),
  ),
  rule(
    "C8",
    "A user may have several credentials, a slot each, and loses all of them with one revocation.",
    finds(
      [APPLY, "C8 may have several credentials"],
      "revokes the first credential of a user",
      FAMILY,
      "if (table.entry.user !== user) continue;",
      "if (table.entry.user !== user || count > 0) continue;",
    ),
  ),
  rule(
    "C9",
    "Seven roles: a credential for programming only or for remote use only is recognised and logged, and never opens.",
    finds(
      [LOCK, "every role is recognised and logged; two of them never open"],
      "opens for who may only program",
      HOLIDAYS,
      "return role < Role.prospect ||",
      "return role < Role.prospect || role === Role.programmingOnly ||",
    ),
    finds(
      [DECIDE, "every role in every mode, with and without a clock"],
      "opens for every role that is not a prospect's",
      HOLIDAYS,
      "return role < Role.prospect ||",
      "return role !== Role.prospect ||",
    ),
  ),
  rule(
    "C10",
    "A counted use is committed before the bolt moves: whenever the power goes, nobody opens more often than allowed.",
    finds(
      [FAULTS, "keeps its count while other slots of its group are used"],
      "counts no use",
      DOORWAY,
      "if (entry.uses > 0) usage.left--;",
    ),
    finds(
      [FAULTS, "busy for who has a use to commit"],
      "opens though the use could not be committed",
      DOORWAY,
      "if (!this.use(holder, question)) return false;",
      "this.use(holder, question);",
    ),
    finds(
      [FAULTS, "opens 1 times at most"],
      "commits the use when the bolt has moved",
      DOORWAY,
      "if (isReady && !this.commit(holder, question, method)) reason = Reason.busy;",
      "if (isReady) this.#bolt.draw();\n    if (isReady && !this.commit(holder, question, method)) reason = Reason.busy;",
    ),
  ),
  rule(
    "C11",
    "A credential for one use is used up after it, also when the power was cut in between.",
    finds(
      [FAULTS, "C11 a second use after a reboot is used up"],
      "takes one use for no limit",
      DECIDE,
      "if (entry.uses > 0 && question.usage.left === 0)",
      "if (entry.uses > 1 && question.usage.left === 0)",
    ),
  ),
  rule(
    "C12",
    "Minutes after the first use count from that use alone, over a reboot too, and need a clock that is known.",
    finds(
      [LOCK, "C12 minutes after first use count from the first use only"],
      "counts the minutes from the last use",
      DOORWAY,
      "const isFirstDated = usage.firstUse === 0 && clock.trust !== Trust.unknown;",
      "const isFirstDated = clock.trust !== Trust.unknown;",
    ),
    finds(
      [LOCK, "C12 minutes after first use count from the first use only"],
      "opens without a clock",
      DECIDE,
      "if (entry.minutesAfterFirstUse !== 0 || entry.firstUseHours !== 0) return true;",
      "if (entry.firstUseHours !== 0) return true;",
    ),
    finds(
      [DECIDE, "C12 minutes after first use: one second before"],
      "opens at the very second of the deadline",
      DECIDE,
      "latest >= deadline",
      "latest > deadline",
    ),
    finds(
      [LOCK, "C12, T12 ends no later than in true time"],
      "counts the minutes from what the clock said",
      DOORWAY,
      "usage.firstUse = clock.now - clock.bound;",
      "usage.firstUse = clock.now;",
    ),
  ),
  rule(
    "C13",
    "Without a first use within its hours a credential is suspended; used in time, it is not; a sync lifts it.",
    finds(
      [LOCK, "C13 a first use within its hours keeps the door open for good"],
      "suspends also who was there in time",
      DECIDE,
      "if (entry.firstUseHours === 0 || usage.used) return 0;",
      "if (entry.firstUseHours === 0) return 0;",
    ),
    finds(
      [DECIDE, "C13, A36 the first use within a day of the start: one second before"],
      "opens at the very second of the deadline",
      DECIDE,
      "latest >= firstUse",
      "latest > firstUse",
    ),
  ),
  rule(
    "C14",
    "A credential that is switched off is kept, refused as such whoever has it, and no wrong code.",
    finds(
      [DECIDE, "C14 a credential that is switched off opens for nobody"],
      "lets administrators in who are switched off",
      DECIDE,
      "if ((entry.flags & Flag.disabled) !== 0) return Reason.disabled;",
      "if ((entry.flags & Flag.disabled) !== 0 && entry.role !== 0) return Reason.disabled;",
    ),
    finds(
      [APPLY, "keeps a slot disabled that is"],
      "switches on with a change",
      APPLY,
      "entry.flags = wanted.flags | (entry.flags & Flag.disabled);",
      "entry.flags = wanted.flags;",
    ),
    finds(
      [DOORWAY, "counts unknown codes, and neither disabled ones"],
      "counts one as a wrong code",
      DOORWAY,
      "    else this.lockout.known();\n  }\n\n  private letIn",
      "    else this.lockout.wrong();\n  }\n\n  private letIn",
    ),
  ),
  rule(
    "C15",
    "Two different people within 30 seconds, in either order; the second timeout forgets the first; each loses a use.",
    finds(
      [DOORWAY, "does not take one person for two"],
      "takes one person for two",
      PAIR,
      "return this.slot >= 0 && this.#user !== user;",
      "return this.slot >= 0;",
    ),
    finds(
      [DOORWAY, "forgets the first after 30 seconds"],
      "waits for ever",
      PAIR,
      "if (this.slot >= 0 && uptime - this.#at > PAIR_S) this.clear();",
    ),
    finds(
      [DOORWAY, "opens for two people within 30 seconds"],
      "forgets at 30 seconds, not after",
      PAIR,
      "uptime - this.#at > PAIR_S",
      "uptime - this.#at >= PAIR_S",
    ),
    finds(
      [DOORWAY, "uses up a use of each, committed before the bolt moves"],
      "takes no use from the first of two",
      DOORWAY,
      "if (question.second && !this.usePartner(holder, method)) return false;",
    ),
    finds(
      [DOORWAY, "does not count a first who has been revoked"],
      "does not ask again whether the first may come in",
      DOORWAY,
      "return question !== undefined && decide(question) === Reason.granted ? question : undefined;",
      "return question;",
    ),
    finds(
      [DOORWAY, "does not open for one for two and one for one"],
      "goes on waiting after an opening",
      DOORWAY,
      "  private letIn(entry: Entry): void {\n    this.#pair.clear();",
      "  private letIn(entry: Entry): void {",
    ),
  ),
  rule(
    "C16",
    "A duress code opens and is shown like any other, and only the log says what it was.",
    finds(
      DURESS,
      "does not open for it",
      DECIDE,
      "if ((entry.flags & Flag.dual) !== 0 &&",
      "if ((entry.flags & (Flag.dual | Flag.duress)) !== 0 &&",
    ),
    finds(
      DURESS,
      "logs it as any other",
      DIARY,
      "const kind = isDuress ? EventKind.duress :",
      "const kind =",
    ),
    finds(
      [SHOWN_ONLY, "than anybody who is let in: one grant, and nothing beside it"],
      "shows a refusal as well",
      DOORWAY,
      "return this.#diary.granted(",
      "if ((entry.flags & Flag.duress) !== 0) this.#parts.board.feedback.refused(0);\n    return this.#diary.granted(",
    ),
  ),
  rule(
    "C17",
    "The master opens whatever mode, holidays and clock say, takes no slot, outlives a wipe, and is named in the log.",
    finds(
      MASTER,
      "asks the master what it asks others",
      DOORWAY,
      "if (holder === MASTER_SLOT) return Reason.granted;",
    ),
    finds(
      MASTER,
      "logs the master as a code of the keypad",
      DOORWAY,
      "if (holder === MASTER_SLOT) return Credential.master;",
    ),
    finds(
      [DOORWAY, "survives a wipe of the codes, and goes with a delta only"],
      "wipes the master with the codes",
      APPLY,
      "    this.#locals.forget();",
      "    this.#locals.forget();\n    this.#policy.master = { digits: 0, tag: new Uint8Array(0) };",
    ),
  ),
  rule(
    "C18",
    "All that can be typed together stays at or below the limit of density; the issuer makes codes that guessing hardly finds.",
    finds(
      [APPLY, "lets PINs in up to the limit, and none past it"],
      "refuses what comes to exactly the limit",
      DENSITY,
      "densityOf(typed) + more <= typed",
      "densityOf(typed) + more < typed",
    ),
    finds(
      [APPLY, "lets PINs in up to the limit, and none past it"],
      "takes any PIN",
      APPLY,
      "if (!hasRoomFor(this.#typed, entry.digits, replaced)) return this.refuse(Code.pinTooShort);",
    ),
    finds(
      [DOORWAY, "counts in the density, against the limit that is set (rule C18)"],
      "does not count the master",
      DENSITY,
      "let sum = WEIGHTS[policy.master.digits] + localDensityOf(locals);",
      "let sum = localDensityOf(locals);",
    ),
    finds(
      [DOORWAY, "count in the density (rule C18)"],
      "does not count the codes programmed at the keypad",
      DENSITY,
      "sum += WEIGHTS[locals.digits(place)];",
      "sum += 0;",
    ),
    finds(
      [APPLY, "forgets what was dropped, revoked or wiped, and remembers the rest"],
      "counts what is gone",
      TABLE,
      "if (this.entry.digits > 0) this.pins[this.entry.digits]--;",
    ),
    finds(
      [PINS, "have 7 digits where 6 are made"],
      "makes codes of which one guess in 100 opens",
      "protocol/issuer/make-pins",
      "GOOD_DENSITY = 100_000;",
      "GOOD_DENSITY = 100_000_000;",
    ),
  ),
  rule(
    "C19",
    "No code that is guessed first: all the same, a run, a triple, too few digits, a repeated block; nor two of a door that begin alike.",
    finds([PINS, "are told by their digits: run"], "takes runs downwards", WEAKNESS, " || isRun(code, 9)"),
    finds(
      [PINS, "are told by their digits: triple"],
      "asks for four equal digits in a row",
      WEAKNESS,
      "const TRIPLE = 3;",
      "const TRIPLE = 4;",
    ),
    finds(
      [PINS, "are told by their digits: few"],
      "takes two different digits",
      WEAKNESS,
      "const MIN_DISTINCT = 3;",
      "const MIN_DISTINCT = 2;",
    ),
    finds(
      [DOORWAY, "must be typed twice alike, have 4 to 10 digits, not be weak"],
      "takes weak codes at the keypad",
      PROGRAMMING,
      " || weaknessOf(digits) !== 0",
    ),
    finds(
      [PINS, "refuses the second of two rows of one file"],
      "compares the first five digits",
      WEAKNESS,
      "PREFIX_DIGITS = 4;",
      "PREFIX_DIGITS = 5;",
    ),
  ),
  rule(
    "C20",
    "A slot's generation is the position of the put that filled it; whatever names another is stale, and revives nothing.",
    finds(
      STALE,
      "does not compare generations",
      APPLY,
      "return table.entry.generation === wanted.generation;",
      "return true;",
    ),
    finds(
      STALE,
      "replaces a slot whatever generation is named",
      APPLY,
      "if (named !== table.entry.generation) return this.refuse(Code.staleGeneration);",
    ),
    finds(
      STALE,
      "drops a slot whatever generation is named",
      APPLY,
      "if (table.entry.generation !== wanted.generation) return this.refuse(Code.staleGeneration);",
    ),
    finds(
      [APPLY, "a slot's generation is the seq of the put that filled it"],
      "keeps the generation of the slot that was replaced",
      APPLY,
      "entry.generation = this.#seq;",
      "entry.generation ||= this.#seq;",
    ),
  ),
  rule(
    "C22",
    "A revocation takes everyone below, at any depth, in one commit, and the ack says how many.",
    finds(
      [FAMILY, "cycles end: each of a ring takes the whole ring"],
      "takes guests, and not the guests of guests",
      FAMILY,
      "next < count; next++",
      "next < Math.min(count, 1); next++",
    ),
    finds(
      [FAMILY, "a slot granted by somebody else stays"],
      "takes all slots of those below",
      FAMILY,
      "if (grantors[slot] !== user ||",
      "if (grantors[slot] === 0 ||",
    ),
    finds(
      [FAMILY, "cycles end: each of a ring takes the whole ring"],
      "does not say how many fell",
      TABLE,
      "this.committed(seq, head, Code.applied, count);",
      "this.committed(seq, head, Code.applied, 0);",
    ),
  ),
  rule(
    "C24",
    "Administrators program up to ten codes at the keypad, beside the slots and reported apart, which fall with them and which the policy may forbid.",
    finds(
      [DOORWAY, "are not made by anybody else"],
      "lets residents program",
      LOCAL,
      "(entry.role === Role.admin || entry.role",
      "(entry.role <= Role.resident || entry.role",
    ),
    finds(
      [DOORWAY, "are not made by anybody else"],
      "programs codes that the policy forbids",
      PROGRAMMING,
      "!policy.localCodes || ",
    ),
    finds(
      [DOORWAY, "open nothing while the policy forbids them"],
      "opens by them all the same",
      DOORWAY,
      "return policy.localCodes && ",
      "return ",
    ),
    finds(
      [DOORWAY, "fall with whoever made them"],
      "opens by the codes of somebody who is switched off",
      LOCAL,
      " || (entry.flags & Flag.disabled) !== 0)",
      ")",
    ),
    finds(
      [DOORWAY, "fall with whoever made them"],
      "opens by the codes of somebody whose slot another has now",
      LOCAL,
      "if (entry.generation !== generation || ",
      "if (",
    ),
    finds(
      [PROGRAMMED, "opens until the end of whoever made it"],
      "opens by the codes of somebody whose end has come",
      LOCAL,
      "(latest !== undefined && latest < entry.end)",
      "(latest !== undefined && latest <= entry.end)",
    ),
    finds(
      [PROGRAMMED, "of somebody who has an end needs a clock"],
      "opens by the codes of somebody who has an end without a clock",
      LOCAL,
      "(latest !== undefined && latest < entry.end)",
      "(latest === undefined || latest < entry.end)",
    ),
    finds(
      [PROGRAMMED, "is logged as what it is, with the user"],
      "logs nobody for a code of the keypad",
      LOCAL,
      "    entry.user = getU32(value, DIGITS + 6);",
    ),
    finds(
      [DOORWAY, "go with a wipe, after a reboot as well, and are reported"],
      "does not report them",
      LOCAL,
      "return crypto.sha256(this.#values)",
      "return crypto.sha256(NOTHING)",
    ),
  ),
  rule(
    "C25",
    "A slot with its commit is 64 bytes, the credentials 192 or 16 KiB, the events 320 or 24.",
    finds(
      ["storage/bars", "keep a slot in a record of 64 bytes, its commit in it"],
      "keeps a slot in 80 bytes",
      RECORDS,
      "SLOT_BYTES = 64;",
      "SLOT_BYTES = 80;",
    ),
    finds(
      ["storage/bars", "are 192 KiB for 1000 slots and 16 KiB for 10"],
      "takes 256 KiB for 1000 slots",
      `${CORE}profile`,
      "credentialBytes: 192 * 1024",
      "credentialBytes: 256 * 1024",
    ),
    finds(
      [KEPT, "is 320 KiB for 10,000 of them"],
      "takes 256 KiB for events",
      `${CORE}profile`,
      "eventBytes: 320 * 1024",
      "eventBytes: 256 * 1024",
    ),
  ),
];
