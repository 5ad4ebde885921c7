// The rules about what comes over links and from people's phones (S12, K2, L3, X5 to X7, X11), each with what proves it.

import { finds, type Named, type Rule, rule } from "./rule";

const CORE = "firmware/core/";
const ACKS = `${CORE}storage/acks`;
const APPLY = `${CORE}apply`;
const BEATS = `${CORE}heartbeats`;
const COMMAND = `${CORE}command`;
const DECIDE = `${CORE}decide`;
const GATE = `${CORE}gate`;
const HEARD = `${CORE}heard`;
const HEARTBEAT = `${CORE}heartbeat`;
const LEASE = `${CORE}lease`;
const PAGES = `${CORE}pages`;
const PAGES_OF = `${CORE}events-page`;
const PHONE = `${CORE}phone`;
const REFUSALS = `${CORE}refusals`;
const RESET = `${CORE}reset`;
const SEALED = `${CORE}sealed-settings`;
const SECRETS = `${CORE}secrets`;
const SESSION = `${CORE}session`;
const SYNC = `${CORE}sync`;
const TABLE = `${CORE}storage/table`;

const ONCE: Named = [PHONE, "takes the last nonce only, and each once"];
const SIX: Named = [GATE, "are verified six times at once, and the seventh is rate-limited"];

export const SYNC_RULES: readonly Rule[] = [
  rule(
    "S12",
    "Slots with the flag lease are refused so many days after what the lock heard last of its issuer was signed; what is old renews nothing.",
    finds(
      [LEASE, "lasts so many days from when the bundle was signed, to the second"],
      "opens at the very second of a lease's end",
      DECIDE,
      "latest >= lease",
      "latest > lease",
    ),
    finds(
      [LEASE, "ends earlier by the error bound of the clock"],
      "goes by what the clock says",
      DECIDE,
      "latest >= lease",
      "clock.now >= lease",
    ),
    finds(
      [LEASE, "does not bind credentials without the flag, nor the master"],
      "binds everybody",
      DECIDE,
      "(entry.flags & Flag.lease) !== 0 ? leaseEnd : 0",
      "(entry.flags & Flag.lease) !== 0 || leaseEnd > 0 ? leaseEnd : 0",
    ),
    finds(
      [LEASE, "needs a clock"],
      "takes a lease for no condition on time",
      DECIDE,
      "if (leaseOf(question) !== 0) return true;",
    ),
    finds(
      [LEASE, "is renewed to the time at which a heartbeat was signed"],
      "renews nothing by a heartbeat",
      HEARD,
      "Math.max(issuedAt, this.signedAt)",
      "this.signedAt",
    ),
    finds(
      [LEASE, "is over where nothing was ever heard"],
      "counts from the year 1970 where it heard nothing",
      HEARD,
      "this.signedAt === 0 ? LONG_OVER : ",
    ),
    finds(
      [HEARTBEAT, "when an older one comes again"],
      "takes a heartbeat that is older than the last",
      BEATS,
      "if (beat.issuedAt < heard.issuedAt) return Code.replayed;",
    ),
  ),
  rule(
    "K2",
    "An ack exists after the commit only, and then for as long as the issuer has not said that it has seen it.",
    finds(
      [SYNC, "K2 exist only for what was committed"],
      "acks a slot that the flash did not take",
      TABLE,
      "const location = this.log.append(this.record, SLOT_BYTES, purpose);",
      "const location = this.log.append(this.record, SLOT_BYTES, purpose) || 1;",
    ),
    finds(
      [SYNC, "once, twice, a hundred times, in two sessions: one effect, the same ack"],
      "keeps no acks",
      ACKS,
      "if (this.#ring[at] !== ABSENT) return;",
      "return;",
    ),
    finds(
      [HEARTBEAT, "are forgotten up to the one that the heartbeat names, and no further"],
      "forgets all acks with the first that came home",
      ACKS,
      "Math.min(seq, this.last)",
      "this.last",
    ),
    finds(
      [HEARTBEAT, "are never more than there are"],
      "takes acks for seen that nobody has given yet",
      BEATS,
      "beat.acks = Math.min(beat.acks, table.applied);",
    ),
    finds(
      [HEARTBEAT, "do not come back when an issuer has forgotten what it saw"],
      "gives acks back to an issuer with an old store",
      HEARD,
      "Math.max(acks, this.acks)",
      "acks",
    ),
  ),
  rule(
    "L3",
    "Events come home once each: by pages from a cursor on, which the signed head proves, until a heartbeat has covered the last one.",
    finds(
      [HEARTBEAT, "says that events wait until a heartbeat has covered the last one"],
      "never says that nothing waits",
      SYNC,
      "events.next <= eventCursor",
      "events.next < eventCursor",
    ),
    finds(
      [HEARTBEAT, "takes no event for seen that was not there yet"],
      "takes events for seen that are still to come",
      BEATS,
      "beat.events = Math.min(beat.events, events.next);",
    ),
    finds(
      [HEARTBEAT, "is urgent for duress and notify, not for anybody else"],
      "calls nothing urgent",
      SYNC,
      " | StatusFlag.urgent",
    ),
    finds(
      [HEARTBEAT, "tells a stranger at the radio nothing of that"],
      "tells strangers that something is urgent",
      SYNC,
      'session.known || session.medium === "network"',
      "session.greeted",
    ),
    finds(
      [PAGES_OF, "hold 48 at most, and lead from the first event of a claim"],
      "gives a new owner the events of the one before",
      PAGES,
      "Math.max(wanted, firstEvent)",
      "wanted",
    ),
    finds(
      [PAGES_OF, "begin at any event that is asked for, and are the same after a boot"],
      "begins a page one event too late",
      PAGES,
      "Math.max(wanted, firstEvent)",
      "Math.max(wanted, firstEvent) + 1",
    ),
  ),
  rule(
    "X5",
    "Secrets travel sealed for one lock, claim and setting; whoever sends bad signatures waits and is hung up on, and keeps nobody else waiting.",
    finds(
      [SEALED, "12 is badly formed under another number, lock or claim"],
      "opens what was sealed for another setting",
      SECRETS,
      "settingAad(identity.lock, setting)",
      "settingAad(identity.lock, 11)",
    ),
    finds(
      SIX,
      "looks at a seventh bad signature",
      GATE,
      "if (this.#owed > 0 && !isNew)",
      "if (this.#owed > 0 && !isNew && now > 1e9)",
    ),
    finds(
      [GATE, "never come to more than six again, however long nothing came"],
      "saves turns up while nothing comes",
      GATE,
      "Math.max(this.#emptyAt, now - BUCKET_UNITS * REFILL_S)",
      "this.#emptyAt",
    ),
    finds(
      [GATE, "of mail keep no time answer waiting"],
      "has one bucket for everything",
      GATE,
      "this.#buckets[bucket].enter(",
      "this.#buckets[Bucket.mail].enter(",
    ),
    finds(
      [GATE, "is over with its third bad signature, and answers idle to everything"],
      "bears with a third bad signature",
      SESSION,
      "++this.#bad >= MAX_BAD_SIGNATURES",
      "++this.#bad > MAX_BAD_SIGNATURES",
    ),
    finds(
      [GATE, "is closed to a stranger after eight seconds, by a tick"],
      "lets strangers hold the radio",
      SESSION,
      "if (!session.known && now - session.openedAt >= STRANGER_S) session.closed = true;",
    ),
  ),
  rule(
    "X6",
    "A phone's unlock answers the last nonce of its session, once and within five seconds of uptime; no clock of the world is needed.",
    finds(ONCE, "takes a nonce twice", PHONE, "if (signed === Code.applied) session.challengedAt = -1;"),
    finds(ONCE, "does not look at the nonce", PHONE, " || !equal(phone.nonce, session.challenge)"),
    finds(
      [PHONE, "needs a nonce of this very session"],
      "takes zeros in a session to which it gave no nonce",
      PHONE,
      "session.challengedAt < 0 || ",
    ),
    finds(
      [PHONE, "is good for 5 s by the monotonic clock"],
      "takes a nonce however late",
      PHONE,
      "session.challengedAt > MAX_CHALLENGE_AGE_S",
      "session.challengedAt > 10 * MAX_CHALLENGE_AGE_S",
    ),
    finds(
      [PHONE, "gives another nonce each time"],
      "gives the same nonce each time",
      PHONE,
      "this.#desk.parts.board.random(session.challenge);",
    ),
    finds(
      [PHONE, "opens for no signature but that of its own key"],
      "uses a nonce up with a bad signature",
      PHONE,
      "if (signed === Code.applied) session.challengedAt = -1;",
      "session.challengedAt = -1;",
    ),
  ),
  rule(
    "X7",
    "A command needs its own bit of the slot's capabilities and a credential that the door would let in; whatever became of it is in the log.",
    finds(
      [COMMAND, "2 without capability 32 is refused and logged"],
      "takes one capability for any other",
      PHONE,
      "(capabilities & wanted) !== wanted",
      "capabilities === 0 && wanted > 0",
    ),
    finds(
      [COMMAND, "3 is done by who has its capability and no other, and logged"],
      "asks another bit for a new name",
      PHONE,
      "return Capability.rename;",
      "return Capability.setMode;",
    ),
    finds(
      [COMMAND, "5 is refused, with the reason in the log, where the door would refuse"],
      "obeys who is not let in",
      PHONE,
      "if (reason !== 0) return Code.notAllowed;",
    ),
    finds(
      [COMMAND, "that nobody knows is unsupported, and logged"],
      "logs what was done alone",
      PHONE,
      "this.#desk.diary.done(EventKind.command,",
      "if (done === 0) this.#desk.diary.done(EventKind.command,",
    ),
    finds(
      [COMMAND, "loses its capability with the delta that takes it"],
      "keeps capabilities that a delta takes",
      APPLY,
      "entry.capabilities = wanted.capabilities;",
      "entry.capabilities |= wanted.capabilities;",
    ),
  ),
  rule(
    "I2",
    "Why a door stayed shut is told to a phone with read-log: the last 20 refusals, newest first, with reason and time, and nothing of who it was.",
    finds(
      [REFUSALS, "is whoever has read-log, and nobody who has all the others"],
      "tells whoever would be let in",
      PHONE,
      "return Capability.readLog;",
      "return 0;",
    ),
    finds(
      [REFUSALS, "is told of the last 20, and of no more"],
      "tells of none but the oldest",
      `${CORE}storage/events`,
      "let number = last; number >",
      "let number = last - 1; number >",
    ),
    finds(
      [REFUSALS, "counts what a wait kept out of the log"],
      "keeps quiet about what was not logged",
      REFUSALS,
      " || kind === EventKind.suppressed",
    ),
    finds(
      [REFUSALS, "is dated by the first clock that was set after it, and by none of another boot"],
      "dates what happened in another boot",
      REFUSALS,
      "event.boot === setBoot ? bootedAt : 0",
      "bootedAt",
    ),
    finds(
      [REFUSALS, "is not told of an earlier owner's door"],
      "tells the next owner of the last one's door",
      REFUSALS,
      "if (event.seq < first) return false;",
    ),
    finds(
      [REFUSALS, "two people and their PINs leave the same bytes"],
      "tells the user in the place of how many",
      REFUSALS,
      "isCounted ? event.detail : 1",
      "isCounted ? event.detail : event.user || 1",
    ),
    finds(
      [REFUSALS, "is no stranger to the radio's sessions then"],
      "takes whoever was told for a stranger",
      SYNC,
      "(code ?? Code.applied) === Code.applied",
      "code === Code.applied",
    ),
  ),
  rule(
    "X11",
    "A reset is a press at the lock, with the owner's consent or after the delay of its policy without any sign of life; nothing of the owner stays.",
    finds(
      [RESET, "answers the nonce of its session, once and within 30 s"],
      "takes a consent twice",
      RESET,
      "session.nonceAt = -1;",
    ),
    finds(
      [RESET, "is good for 600 s of uptime, and no boot"],
      "holds the owner to a consent for ever",
      RESET,
      "clock.uptime() <= this.#consentedUntil",
      "this.#consentedUntil >= 0",
    ),
    finds(
      [RESET, "is refused where the policy has no delay"],
      "takes no delay for a delay of none",
      RESET,
      'if (policy.resetDelay === 0) return "refused";',
    ),
    finds(
      [RESET, "happens after so many hours of uptime, not a second sooner"],
      "resets an hour after a press",
      RESET,
      "policy.resetDelay * HOUR_S",
      "HOUR_S",
    ),
    finds(
      [RESET, "does not happen when the issuer has given a sign of life"],
      "does not hear the issuer object",
      RESET,
      "if (this.#mark !== this.#authority.heard.signs) this.#dueAt = NEVER;",
    ),
    finds(
      [RESET, "the next one starts afresh (l500i)"],
      "keeps the codes of the keypad",
      RESET,
      "locals.forget();",
    ),
  ),
];
