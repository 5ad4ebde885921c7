// The door to the XS engine for every test that wants it: get it, bundle for it, run on it, measure.
// The engine is the XS that @agoric/xsnap ships (13.3), older than the board's (17): what runs here runs there, and sizes are close.
// It lacks most built-ins of ES2023 and later (toSorted, Object.groupBy, Set.prototype.union, Uint8Array.prototype.toHex).

import { bundle, type Entry } from "./bundle";
import { type MachineOptions, type Meter, XsMachine } from "./machine";

export { type Bundle, bundle, type Entry } from "./bundle";
export { type Bits, ensureXs, widths } from "./engine";
export {
  type Evaluation,
  type Heap,
  type MachineOptions,
  type Meter,
  type Peak,
  type Reply,
  XsException,
  XsMachine,
  XsStopped,
} from "./machine";

/** A machine that has loaded `entry` under the global name "bundle". The caller closes it. */
export async function startWith(entry: Entry, options: MachineOptions = {}): Promise<XsMachine> {
  const { code } = await bundle(entry);
  const machine = await XsMachine.start(options);
  await machine.evaluate(code);
  return machine;
}

/** What one run of the statements `call` costs on a new, frozen machine after the script `setup`. See XsMachine.measure. */
export async function measure(setup: string, call: string): Promise<Meter> {
  const machine = await XsMachine.start({ frozen: true });
  try {
    await machine.evaluate(setup);
    return await machine.measure(call);
  } finally {
    await machine.close();
  }
}

/** The bytecode bytes of `entry` with all its imports. */
export async function bytecodeBytes(entry: Entry): Promise<number> {
  const { code } = await bundle(entry);
  const machine = await XsMachine.start();
  try {
    return (await machine.evaluate(code)).meter.bytecodeBytes;
  } finally {
    await machine.close();
  }
}
