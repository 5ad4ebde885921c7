// Where everything stands at an issuer's locks, as a page for a person.

import pc from "picocolors";
import type { LockReport } from "../../protocol/issuer/report";
import { hanging } from "../ui/live";
import { columns } from "../ui/table";
import type { Colours } from "../ui/terminal";
import { count } from "../ui/words";

const PLAIN = pc.createColors(false);
const HEAD = ["door", "lock", "signed", "acked", "pending", "failed", "unconfirmed", "last heard"];
const NUMBERS = [2, 3, 4, 5, 6];

const LEGEND = `
signed, acked: changes, settings and schedules among them.
pending, failed, unconfirmed: credentials.
`;

function lastHeard({ latest }: LockReport): string {
  if (latest === undefined) return "never";
  return latest.time > 0
    ? new Date(latest.time * 1000).toISOString().slice(0, 16).replace("T", " ")
    : "no clock";
}

/** One line for each lock, and every alarm in full. */
export function reportText(
  site: string,
  reports: readonly LockReport[],
  withoutLock: readonly string[] = [],
  colours: Colours = PLAIN,
): string {
  const others = withoutLock.length === 0 ? "" : `${hanging(`no lock yet: ${withoutLock.join(", ")}`, 2)}\n`;
  if (reports.length === 0) return `Site ${site}: no door has a lock yet.\n${others}`;
  const rows = reports.map((report) => {
    const { door, lock, signed, acknowledged, counts } = report;
    const numbers = [signed, acknowledged, counts.pending, counts.failed, counts.unconfirmed].map(String);
    return [door, lock.slice(0, 8), ...numbers, lastHeard(report)];
  });
  const alarms = reports.flatMap(({ door, alarms: raised }) =>
    raised.map(({ kind, epoch, seq, text }) => `alarm at ${door}: ${kind} at ${epoch}/${seq}: ${text}`),
  );
  const title = `Site ${site}: ${count(reports.length, "lock")}, ${count(alarms.length, "alarm")}`;
  const lines = alarms.length === 0 ? "" : `\n${alarms.join("\n")}\n`;
  return `${title}\n\n${columns(HEAD, rows, NUMBERS, colours)}${LEGEND}${others}${lines}`;
}
