// What is fitted on a board, and its times, as its manifest says in `config.lock`; nothing of it where the manifest is not at hand.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Parts that not every board has. */
export type Part = "reader" | "door" | "handle" | "battery" | "rtc";

/** The folder of all boards. */
export const BOARDS = join(__dirname, "../../firmware/boards");
/** The longest that a motion may take where the manifest does not say, in milliseconds. */
const USUAL_BOLT_MS = 5000;

/** A board, as far as the factory's test knows it. */
export interface BoardFacts {
  readonly name: string;
  /** Whether a part is fitted; undefined where nobody says. */
  has(part: Part): boolean | undefined;
  /** Milliseconds. */
  readonly boltMs: number;
  /** Millivolts below which the battery is low; undefined where nobody says. */
  readonly lowMv: number | undefined;
}

interface LockConfig {
  readonly bolt?: { readonly timeoutMs?: number };
  readonly battery?: { readonly lowMv?: number };
  readonly [part: string]: unknown;
}

interface Manifest {
  readonly config?: { readonly lock?: LockConfig };
  readonly platforms?: Readonly<Record<string, Manifest>>;
}

/** The board of this name. */
export function boardOf(name: string, folder = BOARDS): BoardFacts {
  const config = configOf(join(folder, name.replace(/[^\w-]/g, "_"), "manifest.json"));
  return {
    name,
    has: (part) => (config === undefined ? undefined : config[part] !== undefined),
    boltMs: config?.bolt?.timeoutMs ?? USUAL_BOLT_MS,
    lowMv: config?.battery?.lowMv,
  };
}

function configOf(path: string): LockConfig | undefined {
  if (!existsSync(path)) return undefined;
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  const all = [manifest, ...Object.values(manifest.platforms ?? {})];
  return all.map(({ config }) => config?.lock).find((lock) => lock !== undefined);
}
