// An installer's visit to one door (rules S5, S8, K3): carries what the work list has for it, goes on by itself where a connection broke, and
// keeps every receipt on disk before anything else happens.

import { bagMailbox } from "../../protocol/courier/bag";
import { eventsIn, type Mail, type Mailbox } from "../../protocol/courier/courier";
import type { Link } from "../../protocol/courier/link";
import { type Visited, visit } from "../../protocol/courier/resume";
import { Ended } from "../../protocol/courier/round";
import { equal, toHex } from "../../protocol/wire/bytes";
import { Reader } from "../../protocol/wire/cbor";
import { Code, codeName, codeRow } from "../../protocol/wire/codes";
import { askBody, readFrame, readPart, type Status, StatusFlag, Type } from "../../protocol/wire/messages";
import { firstRequest } from "../links/open-reach";
import type { Reach } from "../links/reach";
import { bringHome, type Home, type WorkDoor, type WorkList } from "../worklist/work-list";
import type { AnswerEvent, LatestWord, StepName, Tell, Tick, VisitedEvent } from "./events";
import type { Answer, Standing } from "./standing";
import { isDone, standingOf } from "./standing";

/** What a visit needs. */
export interface Visiting {
  readonly list: WorkList;
  readonly door: WorkDoor;
  readonly reach: Reach;
  /** The office's answer to a lock's nonce, where it can be had from the door. */
  readonly time?: Mailbox["time"];
  readonly tell: Tell;
  /** Ends the visit as a lost connection would. */
  readonly signal?: AbortSignal;
}

const STEP_OF: Readonly<Record<number, StepName>> = {
  [Type.hello]: "hello",
  [Type.claim]: "claim",
  [Type.keys]: "keys",
  [Type.time]: "time",
  [Type.rebase]: "rebase",
  [Type.part]: "rebase",
  [Type.ask]: "answers",
  [Type.bundle]: "changes",
  [Type.heartbeat]: "sign of life",
  [Type.fetch]: "events",
};

/** Visits a door, tells all that happens, and gives where it stands then. */
export async function visitDoor(visiting: Visiting): Promise<VisitedEvent> {
  const one = new OneVisit(visiting);
  return one.run();
}

class OneVisit {
  readonly #visiting: Visiting;
  #standing: Standing;
  /** Positions that were told. */
  readonly #told = new Set<number>();
  #bad: number;
  /** Whether the lock has signed on this visit where it stands. */
  #hasWord = false;
  /** Events that came home. */
  #events = 0;
  /** Whether the lock is only asked where it stands. */
  #onlyAsks = false;

  constructor(visiting: Visiting) {
    this.#visiting = visiting;
    this.#standing = standingOf(visiting.list, visiting.door);
    for (const { seq, code } of this.#standing.answers) if (code !== undefined) this.#told.add(seq);
    this.#bad = this.#standing.bad.length;
  }

  async run(): Promise<VisitedEvent> {
    const { signal, door } = this.#visiting;
    const visited = await this.#visit();
    // Its signed word is what the office needs before it can make the table.
    if (visited.code === Code.needRebase && !this.#hasWord && signal?.aborted !== true) {
      this.#onlyAsks = true;
      await this.#visit();
    }
    const isStopped = signal?.aborted === true && visited.outcome !== "done";
    const { reason } = visited;
    const outcome = isStopped ? INTERRUPTED : visited.outcome;
    this.#keep({ kind: "visit", end: { outcome, ...(reason === undefined ? {} : { reason }) } });
    const standing = standingOf(this.#visiting.list, door);
    const event = visitedEvent(door, standing, { ...visited, outcome }, this.#events);
    this.#visiting.tell(event);
    return event;
  }

  #visit(): Promise<Visited> {
    const { reach, signal, door } = this.#visiting;
    return visit({
      open: (fruitless) => this.#open(fruitless),
      mailbox: this.#mailbox(),
      firstRequest: () => firstRequest(reach),
      sleep: (seconds) => (signal?.aborted === true ? Promise.resolve() : reach.sleep(seconds)),
      onLost: (waitS, attempt) => {
        if (signal?.aborted !== true)
          this.#visiting.tell({ event: "lost", door: door.door, attempt, waitS, ...this.#count() });
      },
    });
  }

  #count(): { done: number; of: number } {
    return { done: this.#standing.answered, of: this.#visiting.door.changes.length };
  }

  #step(step: StepName, part?: number): void {
    const { door, tell } = this.#visiting;
    const parts = door.bag.mail.filter(({ type }) => type === Type.part).length;
    const of = part === undefined ? {} : { part, parts };
    tell({ event: "step", door: door.door, step, ...this.#count(), ...of });
  }

  async #open(fruitless: number): Promise<Link | undefined> {
    const { reach, door, signal } = this.#visiting;
    if (signal?.aborted === true) return undefined;
    this.#step("connect");
    const link = await reach.open(door, fruitless);
    return link && this.#watched(link);
  }

  /** A link that tells which step of the visit each message is. */
  #watched(link: Link): Link {
    const { signal } = this.#visiting;
    return {
      request: async (message) => {
        if (signal?.aborted === true) return undefined;
        const reader = new Reader(message);
        const type = readFrame(reader)?.type ?? 0;
        const step = STEP_OF[type];
        if (step !== undefined) this.#step(step, type === Type.part ? readPart(reader)?.number : undefined);
        return link.request(message);
      },
      ...(link.pause === undefined ? {} : { pause: (seconds: number) => link.pause!(seconds) }),
      close: () => link.close(),
    };
  }

  #mailbox(): Mailbox {
    const { door, time = async () => undefined } = this.#visiting;
    const { bag } = door;
    const inner = bagMailbox(bag, time);
    let next = bag.pages.reduce((seq, page) => seq + (eventsIn(page) ?? 0), bag.nextEvent);
    return {
      ...inner,
      mail: async (status) => {
        // An id may be another lock's by chance, or a replay.
        if (!equal(status.shortId, door.lock.subarray(0, status.shortId.length)))
          throw new Ended("refused", "hello", Code.wrongLock);
        if (this.#onlyAsks) return this.#hasWord ? [] : [question(status, door)];
        const mail = await inner.mail(status);
        return mail.length > 0 || this.#hasWord || isUnclaimed(status) ? mail : [question(status, door)];
      },
      receipt: async (message) => this.#receipt(message.slice()),
      ...(bag.nextEvent === 0 ? {} : { nextEvent: async () => next }),
      page: async (message) => {
        const events = eventsIn(message) ?? 0;
        if (events > 0) this.#keep({ kind: "page", message: message.slice() });
        this.#events += events;
        next += events;
        return next;
      },
      refused: async (piece, code) => {
        const mail = bag.mail.indexOf(piece);
        if (mail >= 0) this.#keep({ kind: "refused", mail, code });
      },
    };
  }

  #keep(home: DistributiveOmit<Home, "at">): void {
    const { list, door, reach } = this.#visiting;
    bringHome(list, door, { at: Math.floor(reach.now()), ...home });
  }

  #receipt(message: Uint8Array): void {
    const { list, door, tell } = this.#visiting;
    this.#hasWord = true;
    this.#keep({ kind: "receipt", message });
    this.#standing = standingOf(list, door);
    for (const why of this.#standing.bad.slice(this.#bad))
      tell({ event: "not-a-receipt", door: door.door, why });
    this.#bad = this.#standing.bad.length;
    for (const answer of this.#standing.answers) {
      if (answer.code === undefined || this.#told.has(answer.seq)) continue;
      this.#told.add(answer.seq);
      tell(answerEvent(door, answer));
    }
    this.#step("changes");
  }
}

const isUnclaimed = ({ flags }: Status): boolean => (flags & StatusFlag.unclaimed) !== 0;

/**
 * A question for a receipt and no more, so that every visit ends with the lock's own word (rule I4). It asks from where the office's books
 * end, so that no answer looks lost.
 */
function question({ epoch, applied }: Status, door: WorkDoor): Mail {
  const first = epoch === door.epoch ? Math.min(door.from.seq, applied) : applied;
  return { type: Type.ask, body: askBody({ first: Math.max(1, first) }) };
}

/** How a visit ends that its courier breaks off; no attempt of which anybody could say that it failed. */
const INTERRUPTED = "interrupted";
type Outcome = Visited["outcome"] | typeof INTERRUPTED;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An answer in the words of the table of codes. */
export function answerEvent(door: WorkDoor, answer: Answer): AnswerEvent {
  const { seq, text: change, code = 0, time } = answer;
  const row = codeRow(code);
  return {
    event: "answer",
    door: door.door,
    lock: toHex(door.lock),
    seq,
    change,
    code: codeName(code),
    done: isDone(code),
    text: row?.text ?? codeName(code),
    advice: row?.advice ?? "use a newer version of this program",
    time,
  };
}

/** The green tick of a door that has earned it. */
export function tickOf({ latest }: Standing): Tick | null {
  if (latest?.is !== "expected") return null;
  const { epoch, seq, time, clock, receipt } = latest;
  return { epoch, seq, digest: toHex(receipt.digest), time, clock };
}

/** What a lock's last good receipt says, without the receipt. */
export function wordOf({ latest }: Standing): LatestWord | null {
  if (latest === undefined) return null;
  const { epoch, seq, time, clock, is } = latest;
  return { epoch, seq, time, clock, is };
}

function visitedEvent(
  door: WorkDoor,
  standing: Standing,
  visited: Omit<Visited, "outcome"> & { readonly outcome: Outcome },
  events: number,
): VisitedEvent {
  const { outcome, code, reason, attempts, timeRefused, heartbeatRefused } = visited;
  const row = code === undefined ? undefined : codeRow(code);
  const isDone = outcome === "done";
  return {
    event: "visited",
    door: door.door,
    lock: toHex(door.lock),
    outcome,
    reason: isDone ? null : (row?.text ?? whyText(outcome, reason)),
    advice: isDone ? null : adviceOf(door, outcome, code),
    done: standing.answered,
    of: door.changes.length,
    refused: standing.refused.length,
    newTable: door.isNewTable && standing.latest?.epoch === door.epoch,
    events,
    alsoRefused: [...alsoRefused("time", timeRefused), ...alsoRefused("sign of life", heartbeatRefused)],
    attempts,
    tick: tickOf(standing),
    latest: wordOf(standing),
  };
}

function alsoRefused(what: "time" | "sign of life", code: number | undefined): VisitedEvent["alsoRefused"] {
  return code === undefined
    ? []
    : [{ what, code: codeName(code), text: codeRow(code)?.text ?? codeName(code) }];
}

function adviceOf({ door }: WorkDoor, outcome: Outcome, code: number | undefined): string {
  if (code === Code.needRebase)
    return `hand in; then at the office: tumbler issuer rebase ${door}, and issue again`;
  return (code === undefined ? undefined : codeRow(code)?.advice) ?? adviceFor(outcome);
}

const adviceFor = (outcome: Outcome): string =>
  outcome === INTERRUPTED ? "sync again" : "go nearer, wake it up, and sync again";

function whyText(outcome: Outcome, step = ""): string {
  if (outcome === INTERRUPTED) return "interrupted";
  if (outcome === "garbled") return `the lock's answer to "${step}" is none`;
  return step === "connect" ? "no connection to the lock" : `no answer to "${step}"`;
}
