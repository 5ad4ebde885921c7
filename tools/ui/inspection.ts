// An inspection as a page of text for 80 columns.

import type { Zone } from "../../firmware/core/calendar";
import type { Policy } from "../../firmware/core/policy";
import { Command } from "../../firmware/core/programming";
import { MAX_LOCAL_CODES } from "../../protocol/wire/limits";
import { settingName } from "../../protocol/wire/settings";
import type { RebaseView } from "../inspection/damage";
import type { EventView } from "../inspection/events";
import type { ClaimView, EventsView, Inspection, ScheduleView, State } from "../inspection/inspection";
import type { DamagedSlot, SlotView } from "../inspection/slots";
import { commas, wrapped } from "./numbers";
import { credentialPicture, eventPicture } from "./sectors";
import { holidaysText, hoursText, localCodesText, lockoutText, rhoText, settingRows } from "./settings";
import { slotMap } from "./slot-map";
import { spaceText } from "./space";
import { columns, FIELD_COLUMNS, fields, paragraphs } from "./table";
import type { Colours } from "./terminal";
import { wallText } from "./time";
import { count, durationText, percentText } from "./words";

/** What fits 80 columns, indented twice. */
const TEXT_COLUMNS = 76;

/** The whole page; with `withSlots` also the list of slots. `policy` is that of the lock. */
export function inspectionText(
  inspection: Inspection,
  policy: Policy,
  withSlots: boolean,
  colours: Colours,
): string {
  const { state } = inspection;
  const sections = [identityText(inspection, colours)];
  if (state !== undefined) {
    const { zone } = policy;
    sections.push(
      section("Owner and log", fields(logRows(state, colours), colours), colours),
      section("Table", fields(tableRows(inspection, state), colours), colours),
      ...settingSections(state, policy, colours),
    );
    if (state.schedules.length > 0)
      sections.push(section("Schedules", schedulesText(state.schedules, colours), colours));
    const list = withSlots ? slotsText(state.slotList, zone, colours) : "";
    sections.push(
      section(
        `Slots, ${inspection.profile.slots}`,
        slotMap(state, inspection.profile.slots, colours) + list,
        colours,
      ),
      ...flashSections(state, colours),
      section(eventsTitle(state), eventsText(state.events.last, zone, colours), colours),
    );
  }
  const { problems } = inspection;
  if (problems.length > 0) sections.push(section(colours.red("Problems"), problemsText(problems), colours));
  return sections.join("\n");
}

function problemsText(problems: readonly string[]): string {
  return problems.map((text) => `  ${wrapped(text.split(" "), TEXT_COLUMNS, " ").join("\n    ")}\n`).join("");
}

/** What was set, and what there is only where somebody set or programmed it, or typed wrong. */
function settingSections(state: State, policy: Policy, colours: Colours): string[] {
  const { settings, damage, businessHours, schedules, localCodes, lockout } = state;
  const rows = settingRows(settings, policy, damage.settings, colours);
  const sections = [section("Settings", fields(rows, colours), colours)];
  if (settings.holidays.length > 0)
    sections.push(section("Holidays", holidaysText(settings.holidays, colours), colours));
  if (businessHours !== null) {
    const schedule = schedules.find(({ id }) => id === settings.businessHours?.schedule);
    const text = hoursText(businessHours, settings, schedule?.windows ?? null, policy.zone, colours);
    sections.push(section("Business hours", text, colours));
  }
  if (localCodes.length > 0) {
    const there = localCodes.filter(({ lost }) => !lost).length;
    const title = `Codes programmed at the keypad, ${there} of ${MAX_LOCAL_CODES}`;
    sections.push(section(title, localCodesText(localCodes, policy, colours), colours));
  }
  if (lockout.wrong > 0) sections.push(section("Lockout", lockoutText(lockout), colours));
  return sections;
}

function flashSections({ space, sectors, wear, events }: State, colours: Colours): string[] {
  const size = `${commas(space.bytes)} bytes in ${sectors.length} sectors of 4 KiB`;
  return [
    section(`Space for credentials: ${size}`, spaceText(space, colours), colours),
    section(
      `Sectors of the credentials, ${sectors.length} of 4 KiB`,
      credentialPicture(sectors, wear, colours),
      colours,
    ),
    section(
      `Sectors of the events, ${events.sectors.length} of 4 KiB`,
      eventPicture(events.sectors, events.wear, colours) + (events.mounted ? keptText(events) : ""),
      colours,
    ),
  ];
}

function keptText({ kept: { count: kept, first, last, missing } }: EventsView): string {
  if (kept === 0) return "  kept: no events\n";
  const gaps = missing.map((gap) => (gap.first === gap.last ? gap.first : `${gap.first}–${gap.last}`));
  const lost = gaps.length === 0 ? "none missing" : `missing: ${gaps.join(", ")}`;
  return paragraphs([`kept: ${count(kept, "event")}, ${first} to ${last}; ${lost}`]);
}

function section(title: string, body: string, colours: Colours): string {
  return `${colours.bold(title)}\n${body}`;
}

function identityText({ lock, profile, publicKey, mount }: Inspection, colours: Colours): string {
  const reader = profile.reader ? "with" : "no";
  const rows: [string, string][] = [
    ["profile", `${profile.name}, ${count(profile.slots, "slot")}, ${reader} card reader`],
    ["public key", publicKey],
    ["credentials", mount],
  ];
  return section(`Lock ${lock}`, fields(rows, colours), colours);
}

function logRows(state: State, { red }: Colours): [string, string][] {
  const { claim, log, acks, time, states, rebase } = state;
  const none = isLost(state, "claim") ? red("lost") : "none: the lock has no owner";
  const rows: [string, string][] = claim === null ? [["claim", none]] : claimRows(claim, state, red("lost"));
  const kept = acks.kept > 0 ? `${acks.kept} kept, ${acks.first} to ${acks.last}` : "none kept";
  rows.push(
    ["position", `epoch ${log.epoch}, applied ${log.applied}`],
    ["head", claim === null ? "none" : log.head],
    ["acks", kept],
  );
  const floor =
    time === null ? "the clock was never set" : `not before ${time.notBefore}, time epoch ${time.epoch}`;
  rows.push(["time", isLost(state, "time") ? red("lost") : floor]);
  const copies = states.map(({ name, copies }) => (copies === 0 ? red(`${name} lost`) : `${name} ${copies}`));
  if (copies.length > 0) rows.push(["copies", wrapped(copies, FIELD_COLUMNS).join(",\n")]);
  if (rebase !== null) rows.push(["rebase", rebaseText(rebase)]);
  return rows;
}

const isLost = ({ damage }: State, name: string): boolean => damage.states.includes(name);

function rebaseText({ epoch, slots, schedules, settings, lost }: RebaseView): string {
  const staged = [count(slots, "slot"), count(schedules, "schedule"), count(settings, "setting")].join(", ");
  return `to epoch ${epoch}, under way\n${staged} staged${lost > 0 ? `, ${lost} lost` : ""}`;
}

function claimRows(
  { number, site, owner, keyset, keys }: ClaimView,
  state: State,
  lost: string,
): [string, string][] {
  const issuers = keys.map(({ kid, may }) => `key ${kid} may sign ${may.join(" and ")}`);
  const none = isLost(state, "keyset") ? lost : "none";
  return [
    ["claim", `${number}, site ${site}`],
    ["owner", owner],
    ["keyset", [keyset === 0 ? none : String(keyset), ...issuers].join("\n")],
  ];
}

function tableRows({ profile }: Inspection, state: State): [string, string][] {
  const { slots, pins, density, digest } = state;
  const lengths = Object.entries(pins).map(([digits, live]) => `${live} of ${digits} digits`);
  const guessing = `${density.guesses} guesses in 30 days succeed with ${percentText(density.success)}`;
  return [
    ["slots", `${slots.used} of ${profile.slots} used, ${slots.free} free, ${slots.damaged} damaged`],
    ["PINs", lengths.length === 0 ? "none" : lengths.join(", ")],
    ["density", `ρ = ${rhoText(density.rho)}; ${guessing}`],
    ["digest", digest],
  ];
}

function schedulesText(schedules: readonly ScheduleView[], colours: Colours): string {
  const rows = schedules.map(({ id, windows, slots }) => [
    String(id),
    String(slots),
    windows === null ? colours.red("damaged") : windows.join("\n"),
  ]);
  return columns(["id", "slots", "open"], rows, [0, 1], colours);
}

function slotsText(slots: readonly (SlotView | DamagedSlot)[], zone: Zone, colours: Colours): string {
  if (slots.length === 0) return "  none used\n";
  const rows = slots.map((slot) =>
    slot.damaged
      ? [String(slot.slot), "", "", "", "", colours.red("damaged, denied")]
      : [
          String(slot.slot),
          String(slot.generation),
          slot.kind,
          slot.role,
          String(slot.user),
          termsOf(slot, zone).join("\n"),
        ],
  );
  return columns(["slot", "gen", "kind", "role", "user", "terms"], rows, [0, 1, 4], colours);
}

/** What restricts a slot, in lines of at most 26 columns. */
export function termsOf(slot: SlotView, zone: Zone): string[] {
  const wall = (iso: string): string => wallText(zone, Date.parse(iso) / 1000);
  const terms: string[] = [];
  if (slot.flags.length > 0) terms.push(...slot.flags);
  if (slot.start !== null) terms.push(`from  ${wall(slot.start)}`);
  if (slot.end !== null) terms.push(`until ${wall(slot.end)}`);
  if (slot.schedule !== null) terms.push(`schedule ${slot.schedule}`);
  if (slot.uses !== null) terms.push(`${slot.uses.left} of ${slot.uses.of} uses left`);
  if (slot.minutesAfterFirstUse !== null) terms.push(`${slot.minutesAfterFirstUse} min from first use`);
  if (slot.firstUseWithinHours !== null) terms.push(`first use within ${slot.firstUseWithinHours} h`);
  if (slot.firstUse !== null) terms.push(`used  ${wall(slot.firstUse)}`);
  if (slot.grantor !== null) terms.push(`guest of ${slot.grantor}`);
  if (slot.capabilities.length > 0) terms.push(...slot.capabilities.map((name) => `may ${name}`));
  return terms.length === 0 ? ["always"] : terms;
}

function eventsTitle({ events }: State): string {
  if (!events.mounted) return "Events: no log";
  return `Events: ${count(events.next - 1, "event")} in ${count(events.boots, "boot")}, chain ${events.head}`;
}

function eventsText(events: readonly EventView[], zone: Zone, colours: Colours): string {
  if (events.length === 0) return "  none shown\n";
  const rows = events.map((event) => [
    String(event.seq),
    event.time === null ? `boot ${event.boot} + ${event.uptime} s` : wallText(zone, event.time),
    eventText(event, colours),
    event.credential === null ? event.method : event.credential,
    event.user === null ? "" : String(event.user),
  ]);
  return columns(["seq", "time at the lock", "event", "by", "user"], rows, [0, 4], colours);
}

function eventText({ event, reason, detail }: EventView, { green, red }: Colours): string {
  if (event === "granted") return green("granted");
  if (event === "duress") return `${green("granted")} ${red("under duress")}`;
  if (reason !== null) return `${red("refused")} ${reason}`;
  const about = DETAILS[event];
  return about === undefined ? event : `${event} ${about(detail)}`;
}

/** The commands of the menu for the business hours, from the first one on. */
const HOURS_COMMANDS: readonly string[] = ["relocked", "resumed", "held"];

/** What the detail of an event means. */
const DETAILS: Readonly<Record<string, (detail: number) => string>> = {
  boot: (number) => String(number),
  synced: (applied) => `to ${applied}`,
  "clock-set": (seconds) => (seconds === 0 ? "" : `by ${seconds} s`),
  claimed: (number) => `claim ${number}`,
  keyset: (number) => String(number),
  forked: (seq) => `at ${seq}`,
  setting: settingName,
  lockout: (seconds) => `for ${durationText(seconds)}`,
  suppressed: (entries) => count(entries, "entry", "entries"),
  programmed: (place) => `place ${place}`,
  unprogrammed: (place) => `place ${place}`,
  hours: (command) => HOURS_COMMANDS[command - Command.relock] ?? String(command),
};
