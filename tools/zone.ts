// The offset of an IANA zone by Node's own time zone database: the oracle that the issuer derives a lock's zone from.

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zoneName: string): Intl.DateTimeFormat {
  let format = formats.get(zoneName);
  if (format === undefined) {
    // A format costs fifty times what a use of it does. The hour is asked for because a whole date takes longer to write.
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zoneName,
      hour: "numeric",
      timeZoneName: "longOffset",
    });
    formats.set(zoneName, format);
  }
  return format;
}

/**
 * Seconds east of UTC in a zone such as "Europe/Berlin" at an instant in UTC seconds. Throws RangeError for a name that Node
 * does not know.
 */
export function intlOffset(zoneName: string, utcSeconds: number): number {
  const text = formatOf(zoneName).format(utcSeconds * 1000);
  // "5 PM GMT-03:30", with ":ss" where the offset has seconds, and plain "GMT" in some versions for zero.
  const offset = text.slice(text.lastIndexOf("GMT") + 3);
  if (offset === "") return 0;
  const [hours, minutes, seconds = 0] = offset.slice(1).split(":").map(Number);
  const size = hours * 3600 + minutes * 60 + seconds;
  return offset[0] === "+" ? size : 0 - size;
}
