// What a piece of work keeps in memory, counted in typed arrays: every one that the lock's own code makes while the work runs, where
// it was made, and whether it is still held when the work is done and the collector has been.

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Made = ArrayBuffer | ArrayBufferView;
type Maker = new (...args: unknown[]) => Made;

/** Arrays made at one place of the code. */
export interface Site {
  /** The module, from the root. */
  readonly module: string;
  /** Bytes of the largest array made there, and of all that are still held. */
  readonly largest: number;
  readonly held: number;
}

const MAKERS = ["ArrayBuffer", "Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array"];
const WIDE_MAKERS = ["Int32Array", "Float32Array", "Float64Array", "BigInt64Array", "Uint8ClampedArray"];
/** A frame of the lock's own code: its module, and the place in it. */
const FRAME = /\/((?:firmware|protocol)\/[\w/-]+)\.ts(:\d+:\d+)/;

/** Objects whose heap is counted together, and how often: an odd number. */
const OBJECTS = 50;
const COUNTS = 3;

interface Allocation {
  readonly place: string;
  readonly bytes: number;
  readonly buffer: WeakRef<object>;
}

/** Runs `work`; gives its result, and the arrays that it made in the lock's own code. */
function watched<T>(work: () => T): { result: T; allocations: Allocation[] } {
  const allocations: Allocation[] = [];
  const note = (made: Made): Made => {
    const frame = FRAME.exec(new Error().stack ?? "");
    const buffer = ArrayBuffer.isView(made) ? made.buffer : made;
    if (frame !== null)
      allocations.push({ place: frame[1] + frame[2], bytes: made.byteLength, buffer: new WeakRef(buffer) });
    return made;
  };
  const world = globalThis as unknown as Record<string, Maker>;
  const makers = [...MAKERS, ...WIDE_MAKERS].map((name) => [name, world[name]] as const);
  const arrays = Object.getPrototypeOf(Uint8Array.prototype) as { slice: (...args: number[]) => Made };
  const { slice } = arrays;
  for (const [name, maker] of makers)
    world[name] = new Proxy(maker, {
      construct(target, args, created) {
        const made = Reflect.construct(target, args, created) as Made;
        // A view of a buffer takes no memory of its own.
        return args[0] instanceof ArrayBuffer ? made : note(made);
      },
    });
  arrays.slice = function (...args) {
    return note(slice.apply(this, args));
  };
  try {
    return { result: work(), allocations };
  } finally {
    for (const [name, maker] of makers) world[name] = maker;
    arrays.slice = slice;
  }
}

/** The collector of garbage. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What the first round lets go of may hold more.
  return () => {
    collect();
    collect();
  };
}

/** What one of the objects that `make` gives takes of the heap, in bytes, good to a few hundred: the median of several counts. */
export function heapBytes(make: () => object): number {
  const collect = collector();
  const count = (): number => {
    collect();
    const before = process.memoryUsage().heapUsed;
    const objects = Array.from({ length: OBJECTS }, make);
    collect();
    return (process.memoryUsage().heapUsed - before) / objects.length;
  };
  const counts = Array.from({ length: COUNTS }, count).sort((a, b) => a - b);
  return counts[COUNTS >> 1];
}

/** The places where `work` makes typed arrays, by `module:line:column`. What `work` returns is what is held. */
export async function sitesOf(work: () => object): Promise<Map<string, Site>> {
  const { result, allocations } = watched(work);
  // What a WeakRef was made of is held until the end of the turn.
  await setImmediate();
  collector()();
  const sites = new Map<string, Site>();
  for (const { place, bytes, buffer } of allocations) {
    const before = sites.get(place) ?? { largest: 0, held: 0 };
    const held = before.held + (buffer.deref() === undefined ? 0 : bytes);
    sites.set(place, { module: place.split(":")[0], largest: Math.max(before.largest, bytes), held });
  }
  // Mentioned here, so that it lives until here.
  if (!Object.isExtensible(result)) throw new Error("unreachable");
  return sites;
}
