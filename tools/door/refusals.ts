// Why a door stayed shut (rules I2, L11), as a lock tells it, in words and as JSON. A refusal without a time is dated only where the lock itself
// dates it, and is marked so; otherwise there is its boot and the seconds since.

import type { Zone } from "../../firmware/core/calendar";
import { UTC0 } from "../../firmware/core/calendar";
import { type Row, reasonName, reasonRow } from "../../protocol/wire/codes";
import { METHOD_NAMES } from "../../protocol/wire/event";
import { TRUST_NAMES, Trust } from "../../protocol/wire/receipt";
import type { Refusal } from "../../protocol/wire/refusals";
import { columns, paragraphs } from "../ui/table";
import type { Terminal } from "../ui/terminal";
import { isoText, localIsoText, wallText } from "../ui/time";

/** One refusal. Null where there is nothing to say. */
export interface RefusalView {
  readonly reason: string;
  readonly text: string;
  readonly advice: string;
  readonly method: string;
  /** For how many entries it stands. */
  readonly entries: number;
  readonly trust: string;
  /** UTC seconds; null where nobody knows. */
  readonly time: number | null;
  /** The same in ISO 8601, in UTC and by the clock on the door's wall. */
  readonly at: string | null;
  readonly local: string | null;
  /** Whether the lock had no time then, and dates it by a clock that was set later in the same boot. */
  readonly isRedated: boolean;
  readonly boot: number;
  /** Seconds since that boot, where the lock had no time. */
  readonly uptime: number | null;
}

/** A number of a later version has no words here. */
const rowOf = (reason: number): Row =>
  reasonRow(reason) ?? { value: reason, name: reasonName(reason), text: `reason ${reason}`, advice: "" };

/** A refusal at a door in a zone; UTC where that is not known. */
export function refusalView(refusal: Refusal, zone: Zone | undefined): RefusalView {
  const { method, count, trust, boot, dated } = refusal;
  const { name, text, advice } = rowOf(refusal.reason);
  const isKnown = trust !== Trust.unknown;
  const time = isKnown ? refusal.time : dated > 0 ? dated : null;
  return {
    reason: name,
    text,
    advice,
    method: METHOD_NAMES[method] ?? `method-${method}`,
    entries: count,
    trust: TRUST_NAMES[trust] ?? `trust-${trust}`,
    time,
    at: time === null ? null : isoText(time),
    local: time === null || zone === undefined ? null : localIsoText(zone, time),
    isRedated: !isKnown && dated > 0,
    boot,
    uptime: isKnown ? null : refusal.time,
  };
}

/** All of them for people, newest first. */
export function refusalsText(
  views: readonly RefusalView[],
  zone: Zone | undefined,
  { colours }: Pick<Terminal, "colours">,
): string {
  if (views.length === 0) return "No refusal among the newest events of this door.\n";
  const when = ({ time, isRedated, boot, uptime }: RefusalView): string =>
    time === null ? `boot ${boot}, ${uptime} s` : `${wallText(zone ?? UTC0, time)}${isRedated ? " *" : ""}`;
  const why = ({ text, entries }: RefusalView): string =>
    entries === 1 ? text : `${text} (${entries} entries)`;
  const head = [zone === undefined ? "UTC" : "local time", "by", "why"];
  const table = columns(
    head,
    views.map((view) => [when(view), view.method, why(view)]),
    [],
    colours,
  );
  const notes = [
    views.some(({ isRedated }) => isRedated)
      ? "* before the clock was set; dated by when it was set, later in the same boot."
      : "",
    views.some(({ time }) => time === null)
      ? "boot N, S s: before the clock was set, S seconds after the power came on for the Nth time."
      : "",
  ];
  return `${table}\n${paragraphs([...notes.filter((note) => note !== ""), ...advices(views)])}`;
}

/** What to do about each reason, once. */
function advices(views: readonly RefusalView[]): string[] {
  const texts = views.filter(({ advice }) => advice !== "").map(({ text, advice }) => `${text}: ${advice}.`);
  return [...new Set(texts)];
}
