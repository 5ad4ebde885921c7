// What goes over links: fuzzed messages that a lock answers, the bytes of an exported event, and puts over real brokers through the lock's
// own uplink. Speeds are only good for comparing within one run; the bytes are the same on every run.

import { performance } from "node:perf_hooks";
import type { IClientOptions } from "mqtt";
import { Reader } from "../../protocol/wire/cbor";
import { MAX_PAGE_EVENTS } from "../../protocol/wire/limits";
import { fetchBody, frame, readFrame, readPage, Type } from "../../protocol/wire/messages";
import { startBroker } from "../../tools/links/broker";
import { brokerAt, connectBroker, MqttCourier } from "../../tools/links/mqtt";
import { PINS } from "../protocol/issuer/rig";
import { Door } from "../support/door";
import { FuzzRound, ROUND } from "../support/fuzz";
import { Mosquitto, missingPrograms } from "../support/mosquitto";
import { SITE, Site } from "../support/site";
import type { Figures } from "./figures";

/** What each figure is measured in. */
export const LINK_UNITS: Readonly<Record<string, string>> = {
  "fuzz.messages_per_s": "messages/s",
  "events.bytes_per_event": "bytes",
  "mqtt.deltas_per_s.aedes": "deltas/s",
  "mqtt.deltas_per_s.mosquitto": "deltas/s",
};

const FUZZ_ROUNDS = 7;
const PUTS = 1000;
const QUICK_PUTS = 100;
const ONLINE_MS = 20_000;
const ANSWER_MS = 10_000;

/** Messages a second, made, answered and judged; every state of a lock gets as many. */
function fuzzRate(): number {
  let sent = 0;
  let seconds = 0;
  for (let number = 0; number < FUZZ_ROUNDS; number++) {
    const round = new FuzzRound(1, number);
    const start = performance.now();
    for (; sent < (number + 1) * ROUND; sent++) {
      const flaw = round.step();
      if (flaw !== undefined) throw new Error(`bench: ${flaw}`);
    }
    seconds += (performance.now() - start) / 1000;
  }
  return sent / seconds;
}

/** Bytes on the wire for each event of a full page, the question included. */
function bytesPerEvent(): number {
  const door = new Door();
  for (let i = 0; door.lock.parts.events.next <= 2 * MAX_PAGE_EVENTS; i++) {
    door.apply(door.pin(i, String(200_000 + i)));
    door.lock.tick();
  }
  const question = frame(Type.fetch, 0x1000, fetchBody(1));
  const answer = door.lock.receive(door.session, question);
  const reader = new Reader(answer);
  readFrame(reader);
  if (readPage(reader) === undefined || door.page(1).entries.length !== MAX_PAGE_EVENTS)
    throw new Error("bench: not a full page");
  return (question.length + answer.length) / MAX_PAGE_EVENTS;
}

// ---- brokers

/** So many people, each with a PIN. */
const peopleOf = (puts: number): string =>
  Array.from({ length: puts }, (_, i) => `p${i},P${i},resident,all,${PINS[i]},,,,,,,\n`).join("");

/** Puts a second through a broker, from the first message of the session to the last receipt that the issuer took. */
async function brokerRate(site: Site, url: string, access: IClientOptions, puts: number): Promise<number> {
  const [lock] = site.locks;
  const { virtual } = lock;
  virtual.join(brokerAt(url));
  if (!(await virtual.online(ONLINE_MS))) throw new Error("bench: the lock does not come online");
  const client = await connectBroker(url, access);
  try {
    const courier = new MqttCourier(client, SITE);
    await courier.listen();
    const start = performance.now();
    const { outcome, reason } = await site.deliver(lock, courier.link(virtual.id, ANSWER_MS));
    const seconds = (performance.now() - start) / 1000;
    const { confirmed } = site.issuer.report(lock.id).counts;
    if (outcome !== "done" || confirmed !== puts)
      throw new Error(`bench: ${outcome} ${reason ?? ""}, ${confirmed} of ${puts} puts confirmed`);
    return puts / seconds;
  } finally {
    await client.endAsync(true);
  }
}

async function aedesRate(puts: number): Promise<number> {
  const site = await Site.make(1, peopleOf(puts));
  const broker = await startBroker();
  try {
    return await brokerRate(site, broker.url, {}, puts);
  } finally {
    site.close();
    await broker.close();
  }
}

/** With TLS and passwords, as in examples/mosquitto; null where it is not installed. */
async function mosquittoRate(puts: number): Promise<number | null> {
  if (missingPrograms() !== "") return null;
  let ca = "";
  const tls = {
    get ca() {
      return ca;
    },
    wallClockForTls: () => Date.now() / 1000,
  };
  const site = await Site.make(1, peopleOf(puts), { tls });
  const access = { username: "issuer", password: "office" };
  const broker = await Mosquitto.make(`${access.username}:${access.password}\n${await site.brokerUsers()}`);
  ca = broker.ca;
  try {
    return await brokerRate(site, broker.url, { ca, ...access }, puts);
  } finally {
    site.close();
    await broker.close();
  }
}

/** All figures of links. */
export async function linkFigures(isQuick: boolean): Promise<Figures> {
  const puts = isQuick ? QUICK_PUTS : PUTS;
  return {
    "fuzz.messages_per_s": fuzzRate(),
    "events.bytes_per_event": bytesPerEvent(),
    "mqtt.deltas_per_s.aedes": await aedesRate(puts),
    "mqtt.deltas_per_s.mosquitto": await mosquittoRate(puts),
  };
}
