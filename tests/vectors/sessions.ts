// sessions.json: whole sessions, every byte of every answer fixed by the lock's identity, the nonces and clock readings that are given, and
// the event numbers (key 15 of each receipt), which are the lock's own.

import { L500I, LOCK_1000, type Profile } from "../../firmware/core/profile";
import {
  type Delta,
  encodeDelta,
  type SigningKey,
  signCommand,
  signHeartbeat,
  signRebase,
  signReset,
  signUnlock,
} from "../../protocol/issuer/encode";
import { ascii, fromHex, toHex } from "../../protocol/wire/bytes";
import { encode } from "../../protocol/wire/cborx";
import { genesisHead } from "../../protocol/wire/chain";
import { Item } from "../../protocol/wire/digest";
import {
  Capability,
  ENTRY_BYTES,
  type Entry,
  emptyEntry,
  Flag,
  Kind,
  packEntry,
  Role,
} from "../../protocol/wire/entry";
import { MAX_MESSAGE_BYTES, MAX_U32 } from "../../protocol/wire/limits";
import {
  askBody,
  emptyBody,
  fetchBody,
  frame,
  helloBody,
  partBody,
  Type,
} from "../../protocol/wire/messages";
import { CommandOp } from "../../protocol/wire/payloads";
import { Mode, Setting } from "../../protocol/wire/settings";
import { node } from "../../simulator/board/crypto";
import {
  Bench,
  card,
  claimTicket,
  type Exchange,
  KEYSET,
  KEYSET_NUMBER,
  keyset,
  LOCK_ID,
  phone,
  pin,
  readableIdentity,
  SIGNERS,
  START,
} from "./bench";
import { flipped, framed, payloadOf } from "./craft";

/** What happens to a lock: a message, a power cycle, or a new connection. */
export type Step = Exchange | { readonly event: "power-cycle" | "new-session" };

/** One lock's story. */
export interface Session {
  readonly name: string;
  readonly identity: { readonly [field: string]: string | number };
  readonly steps: readonly Step[];
}

const BYE = fromHex("a0");

/** Writes the steps down as they happen. */
class Story {
  readonly bench: Bench;
  readonly steps: Step[] = [];
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
    this.bench = new Bench({ profile });
  }

  add(...steps: Exchange[]): void {
    this.steps.push(...steps);
  }

  send(name: string, type: number, body: Uint8Array): Exchange {
    const step = this.bench.send(name, type, body);
    this.steps.push(step);
    return step;
  }

  message(name: string, message: Uint8Array): void {
    this.steps.push(this.bench.exchange(name, message));
  }

  hello(): void {
    this.send("hello", Type.hello, helloBody(MAX_MESSAGE_BYTES));
  }

  bundle(name: string, ...deltas: Delta[]): Uint8Array {
    const body = this.bench.bundle(deltas.map(encodeDelta));
    this.send(name, Type.bundle, body);
    return body;
  }

  bye(): void {
    this.send("bye", Type.bye, BYE);
  }

  newSession(): void {
    this.bench.reconnect();
    this.steps.push({ event: "new-session" });
  }

  powerCycle(): void {
    this.bench.reboot();
    this.steps.push({ event: "power-cycle" });
  }

  end(name: string): Session {
    return { name, identity: readableIdentity(this.#profile), steps: this.steps };
  }
}

const NINE_TO_FIVE: Delta = {
  op: "put-schedule",
  id: 1,
  windows: [{ days: 0x3e, start: 540, duration: 480 }],
};

const SETTINGS: readonly Delta[] = [
  { op: "set", setting: Setting.zone, value: ascii("CET-1CEST,M3.5.0,M10.5.0/3") },
  { op: "set", setting: Setting.mode, value: new Uint8Array([Mode.resident]) },
  NINE_TO_FIVE,
];

/** From the box into service: claim, keys, time, three bundles. */
function firstDay(): { story: Story; bundles: Uint8Array[] } {
  const story = new Story(LOCK_1000);
  story.bench.uptime = 12;
  story.add(...story.bench.serve());
  const bundles = [story.bundle("settings and schedules", ...SETTINGS)];
  story.bench.uptime = 15;
  bundles.push(
    story.bundle(
      "people",
      pin(0, "480213"),
      card(1, "04a1b2c3d4e5f6", { user: 1000 }),
      phone(2, SIGNERS.stranger.publicKey, { user: 1000 }),
      pin(3, "480213"),
      pin(4, "7391046", {
        role: Role.guest,
        grantor: 1000,
        start: START + 3600,
        end: START + 7200,
        flags: Flag.notify,
      }),
      pin(5, "602814", { schedule: 2 }),
      pin(6, "602814", { role: Role.team, schedule: 1 }),
    ),
  );
  bundles.push(
    story.bundle(
      "changes",
      { op: "change", slot: 6, generation: 10, role: Role.team },
      { op: "disable", slot: 1, generation: 5 },
      { op: "drop-schedule", id: 1 },
      { op: "revoke", user: 1000 },
    ),
  );
  story.send("ask for every ack", Type.ask, askBody({ first: 1 }));
  story.bye();
  return { story, bundles };
}

/** A lock in service meets what goes wrong on the way. */
function secondDay(): Session {
  const { story, bundles } = firstDay();
  const { bench } = story;
  story.powerCycle();
  story.hello();
  story.send("the last bundle again", Type.bundle, bundles[2]);
  const again = frame(Type.bundle, 700, bundles[1]);
  story.message("an earlier bundle again", again);
  story.message("the same request again, answered from memory", again);
  story.message("the same bundle as another request", frame(Type.bundle, 701, bundles[1]));
  const late = new Bench().bundle(SETTINGS.map(encodeDelta), { notAfter: START + 600 });
  story.send("an applied bundle with a limit in time, for a clock that is not set", Type.bundle, late);
  const { head, seq } = bench;
  const next = pin(0, "135790");
  const gone = bench.bundle([encodeDelta(next)], { first: seq + 2 });
  bench.seq = seq;
  bench.head = head;
  story.send("a bundle too far", Type.bundle, gone);
  const genesis = genesisHead(node, LOCK_ID, 1);
  const forked = new Bench().bundle([encodeDelta({ op: "wipe" })], { first: 1, before: genesis });
  story.send("a wipe at an applied position", Type.bundle, forked);
  story.send(
    "a bundle of an earlier epoch",
    Type.bundle,
    new Bench().bundle([encodeDelta(next)], { epoch: 0 }),
  );
  story.send("a bundle of a later epoch", Type.bundle, new Bench().bundle([encodeDelta(next)], { epoch: 2 }));
  story.send(
    "a new bundle with a limit in time, for a clock that is not set",
    Type.bundle,
    untaken(bench, next),
  );
  story.send("time", Type.time, bench.timeAnswer());
  bench.uptime = 40;
  story.bundle("and one that goes on", next, { op: "enable", slot: 0, generation: 15 });
  story.send("ask for the last acks", Type.ask, askBody({ first: 14 }));
  story.send("ask behind the end", Type.ask, askBody({ first: 17 }));
  story.bye();
  story.send("ask after bye", Type.ask, askBody({ first: 1 }));
  return story.end("redelivery, a repeated request, gap, fork, epochs, and on");
}

/** The next bundle of a bench with a limit in time, which does not count as sent. */
function untaken(bench: Bench, delta: Delta): Uint8Array {
  const { head, seq } = bench;
  const body = bench.bundle([encodeDelta(delta)], { notAfter: START + 600 });
  bench.head = head;
  bench.seq = seq;
  return body;
}

/** A small lock, from before its claim, with a courier that does everything in the wrong order. */
function smallLock(): Session {
  const story = new Story(L500I);
  const { bench } = story;
  story.send("ask before hello", Type.ask, askBody({ first: 1 }));
  story.send("hello of another version", Type.hello, payloadOf([0, [2]], [1, MAX_MESSAGE_BYTES]));
  story.hello();
  story.send("a bundle before the claim", Type.bundle, untaken(bench, pin(0, "480213")));
  story.send("keys before the claim", Type.keys, keyset());
  story.send("ask before the claim", Type.ask, askBody({ first: 1 }));
  story.send("claim", Type.claim, claimTicket({ site: "shed" }));
  story.send("the claim again", Type.claim, claimTicket({ site: "shed" }));
  story.send("a bundle before the keys", Type.bundle, untaken(bench, pin(0, "480213")));
  story.send("keys", Type.keys, keyset());
  story.send("an earlier keyset", Type.keys, keyset(4));
  story.hello();
  bench.uptime = 31;
  story.send("a time that took too long", Type.time, bench.timeAnswer());
  story.newSession();
  story.hello();
  bench.uptime = 33.5;
  story.send("time", Type.time, bench.timeAnswer());
  story.send("the time again", Type.time, bench.timeAnswer());
  story.bundle(
    "eleven people for ten slots",
    ...Array.from({ length: 11 }, (_, i) => pin(i, `${48_021 + 11 * i}`)),
  );
  story.bundle("a card for a lock without a reader", card(0, "04a1b2c3"));
  story.message("something else", framed(77, 40, BYE));
  story.message("nothing", new Uint8Array(0));
  story.bundle("wipe", { op: "wipe" });
  story.bye();
  return story.end("a lock of ten slots, everything in the wrong order");
}

/** A phone in one hand, the mail in the other: sync, then the door; and what the issuer sees of it. */
function atTheDoor(): Session {
  const story = new Story(L500I);
  const { bench } = story;
  story.add(...bench.serve());
  story.bundle(
    "a phone",
    phone(0, SIGNERS.phone.publicKey, { role: Role.admin, capabilities: 0x7f, flags: Flag.notify }),
    phone(1, SIGNERS.visitor.publicKey),
  );
  const unlock = (name: string, signer: SigningKey) =>
    story.send(name, Type.unlock, signUnlock(node, signer, { lock: LOCK_ID, nonce: bench.challenge }));
  const command = (name: string, signer: SigningKey, op: number, argument = BYE.subarray(1)) => {
    const what = { lock: LOCK_ID, nonce: bench.challenge, op, argument };
    return story.send(name, Type.command, signCommand(node, signer, what));
  };
  story.send("challenge", Type.challenge, emptyBody());
  bench.uptime = 2;
  unlock("unlock", SIGNERS.phone);
  unlock("unlock again, with the nonce used up", SIGNERS.phone);
  story.send("challenge", Type.challenge, emptyBody());
  unlock("unlock by a phone that has no slot, which leaves the nonce", SIGNERS.stranger);
  command("mode resident", SIGNERS.phone, CommandOp.mode, new Uint8Array([Mode.resident]));
  story.send("challenge", Type.challenge, emptyBody());
  command("a name, without the capability", SIGNERS.visitor, CommandOp.rename, ascii("shed"));
  story.bundle(
    "the mode again by a delta, and the visitor is revoked",
    { op: "set", setting: Setting.mode, value: new Uint8Array([Mode.normal]) },
    { op: "revoke", user: 1001 },
  );
  story.send("challenge", Type.challenge, emptyBody());
  unlock("unlock by the visitor", SIGNERS.visitor);
  const proof = { first: 1, user: 1001, from: 0, to: 10, about: false };
  story.send("ask for proof of the revocation", Type.ask, askBody(proof));
  story.send("fetch all events", Type.fetch, fetchBody(1));
  const beat = (issuedAt: number, acks: number, events: number) =>
    signHeartbeat(node, SIGNERS.issuer, { lock: LOCK_ID, epoch: 1, issuedAt, acks, events });
  story.send("heartbeat", Type.heartbeat, beat(START + 90, 4, 0xffffffff));
  story.send("the heartbeat before that", Type.heartbeat, beat(START + 89, 3, 2));
  story.hello();
  story.send("ask for acks that have come home", Type.ask, askBody({ first: 1 }));
  story.send("fetch what is to come", Type.fetch, fetchBody(0xffffffff));
  bench.uptime = 9;
  story.send("identify", Type.identify, emptyBody());
  story.send("identify at once again", Type.identify, emptyBody());
  for (const nth of ["a", "another", "a third"])
    story.send(`${nth} bad signature`, Type.heartbeat, flipped(beat(START + 95, 4, 9), -1));
  story.send("a message in a session that is over", Type.heartbeat, beat(START + 95, 4, 9));
  return story.end("sync, unlock, commands, events, heartbeats, and a session that is closed");
}

/** The items of a whole table: mode tour, a schedule and two people, the slots by their tags. */
function wholeTable(): Uint8Array[] {
  const people: [number, string, Partial<Entry>][] = [
    [3, "480213", { schedule: 1, generation: 1 }],
    [7, "7391046", { generation: 2 }],
  ];
  const slots = people.map(([slot, digits, more]) => {
    const { tag, user } = pin(slot, digits);
    const entry = { ...emptyEntry(), slot, kind: Kind.pin, tag, digits: digits.length, user };
    const item = new Uint8Array(1 + ENTRY_BYTES);
    item[0] = Item.slot;
    packEntry({ ...entry, role: Role.resident, ...more }, item, 1);
    return item;
  });
  const byTag = (a: Uint8Array, b: Uint8Array) =>
    toHex(a.subarray(12, 24)) < toHex(b.subarray(12, 24)) ? -1 : 1;
  return [fromHex("030201"), fromHex("02010f90e1df"), ...slots.sort(byTag)];
}

/** A whole new table in two parts, cut off in the middle, and the log that goes on from it. */
function rebased(): Session {
  const story = new Story(L500I);
  const { bench } = story;
  story.add(...bench.serve());
  story.bundle("before the rebase", pin(0, "135790"), pin(7, "7391046"));
  const items = wholeTable();
  const parts = [items.slice(0, 3), items.slice(3)].map((some) => encode(some));
  const order = (more: readonly Uint8Array[], epoch = 2) => {
    const head = { lock: LOCK_ID, epoch, issuedAt: START + 70, base: 2 };
    return signRebase(
      node,
      SIGNERS.owner,
      head,
      more.map((part) => node.sha256(part).slice(0, 16)),
    );
  };
  const part = (name: string, number: number, bytes = parts[number - 1]) =>
    story.send(name, Type.part, partBody(number, bytes));
  part("a part before the rebase", 1);
  story.send("a rebase", Type.rebase, order(parts));
  part("the second part first", 2);
  part("the first part, changed", 1, flipped(parts[0], -1));
  part("the first part", 1);
  part("the first part again", 1);
  story.bundle("meanwhile, by the old table", pin(1, "246813"));
  story.powerCycle();
  story.hello();
  part("the second part after a loss of power", 2);
  story.send("the rebase again", Type.rebase, order(parts));
  part("the first part once more", 1);
  part("the second part", 2);
  story.send("the rebase that was done", Type.rebase, order(parts));
  story.send("another rebase to that epoch", Type.rebase, order(parts.slice(0, 1)));
  story.send("a bundle of the old epoch", Type.bundle, untaken(bench, pin(2, "975310")));
  bench.epoch = 2;
  bench.seq = 2;
  bench.head = genesisHead(node, LOCK_ID, 2);
  story.bundle("the new log", pin(2, "975310"), { op: "drop", slot: 7, generation: 2 });
  const upsideDown = encode([...items].reverse());
  story.send("a rebase in the wrong order", Type.rebase, order([upsideDown], 3));
  part("its part, which is refused", 1, upsideDown);
  part("its part again", 1, upsideDown);
  story.send("a rebase to an empty table", Type.rebase, order([], 4));
  story.bye();
  return story.end("a rebase");
}

/** A key that signed for a day to come is taken away, and a consent to a reset comes in a later session again. */
function stolenKey(): Session {
  const story = new Story(L500I);
  const { bench } = story;
  story.add(...bench.serve());
  const beat = (name: string, signer: SigningKey, issuedAt: number) => {
    const said = { lock: LOCK_ID, epoch: 1, issuedAt, acks: 0, events: 1 };
    story.send(name, Type.heartbeat, signHeartbeat(node, signer, said));
  };
  beat("a heartbeat of the last second", SIGNERS.issuer, MAX_U32);
  bench.uptime = 5;
  beat("an honest heartbeat, which is older", SIGNERS.porter, START + 5);
  story.send("a keyset without the key", Type.keys, keyset(KEYSET_NUMBER + 1, KEYSET.slice(1)));
  beat("the heartbeat of the last second again", SIGNERS.issuer, MAX_U32);
  beat("the honest heartbeat again", SIGNERS.porter, START + 5);
  story.hello();
  const said = { lock: LOCK_ID, claim: 1, nonce: bench.nonce };
  const consent = signReset(node, SIGNERS.owner, said);
  story.send("a consent to a reset", Type.reset, consent);
  story.send("a time that answers the same nonce", Type.time, bench.timeAnswer());
  story.newSession();
  story.hello();
  story.send("the consent in a later session", Type.reset, consent);
  story.bye();
  return story.end("a stolen key, and an old consent");
}

/** Refusals before and after a loss of power, with a clock and without, as the one is told who may read them. */
function whyDenied(): Session {
  const story = new Story(L500I);
  const { bench } = story;
  story.add(...bench.serve());
  const terms = { role: Role.guest, start: START + 3600, end: START + 90_000 };
  story.bundle(
    "an installer, a guest of tomorrow, and one who is switched off",
    phone(0, SIGNERS.phone.publicKey, { role: Role.admin, capabilities: Capability.readLog }),
    phone(1, SIGNERS.visitor.publicKey, terms),
    phone(2, SIGNERS.former.publicKey),
    { op: "disable", slot: 2, generation: 3 },
  );
  const unlock = (name: string, signer: SigningKey) => {
    story.send("challenge", Type.challenge, emptyBody());
    story.send(name, Type.unlock, signUnlock(node, signer, { lock: LOCK_ID, nonce: bench.challenge }));
  };
  const refusals = (name: string, signer: SigningKey) => {
    story.send("challenge", Type.challenge, emptyBody());
    const what = { lock: LOCK_ID, nonce: bench.challenge, op: CommandOp.refusals };
    story.send(name, Type.command, signCommand(node, signer, { ...what, argument: new Uint8Array(0) }));
  };
  refusals("refusals before there are any", SIGNERS.phone);
  bench.uptime = 60;
  unlock("unlock before the start", SIGNERS.visitor);
  bench.uptime = 65;
  unlock("unlock by one who is switched off", SIGNERS.former);
  story.powerCycle();
  story.hello();
  bench.uptime = 340;
  unlock("unlock while the clock is unknown", SIGNERS.visitor);
  refusals("refusals, one of them without a time", SIGNERS.phone);
  bench.uptime = 400;
  story.hello();
  story.send("time", Type.time, bench.timeAnswer());
  bench.uptime = 401;
  unlock("unlock by one who is switched off, with a clock", SIGNERS.former);
  refusals("refusals, one of them dated", SIGNERS.phone);
  refusals("refusals, without the capability", SIGNERS.visitor);
  story.bye();
  return story.end("why a door stayed shut");
}

/** sessions.json. */
export function sessionVectors() {
  const about =
    "Each step sends a message in the current session and gives the answer. `uptime` is the lock's monotonic clock, `random` what it draws for its nonce; nextEvent, eventHead and localDigest of a receipt are the lock's own and to be taken as given, and so are head and events of a page, whose bits for the lock's own use are 0 here. Seeds of those who sign are in envelopes.json.";
  const { story } = firstDay();
  return {
    about,
    sessions: [
      story.end("from the box into service"),
      secondDay(),
      smallLock(),
      atTheDoor(),
      rebased(),
      stolenKey(),
      whyDenied(),
    ],
  };
}
