// A machine put together as a lock is: the core preloaded, so frozen and with read-only buffers; beside it, in RAM, what a test runs it
// with. The portable crypto is among the latter, since its hashes work in buffers of their module.

import { bundle } from "../bundle";
import { type MachineOptions, XsMachine } from "../machine";

const RIG = `
  import { rig } from "./tests/xs/life/rig";
  import { noble } from "./protocol/crypto/noble";
  globalThis.handleRequest = rig(core, noble);`;

const PROMPTED = `
  import { rig } from "./tests/xs/life/rig";
  import { Prompter } from "./tests/xs/life/prompter";
  globalThis.handleRequest = rig(core, new Prompter(globalThis.nextResult));`;

/**
 * A frozen machine with the modules of core.ts as the global `core`, preloaded, and a module with the text `beside` after it, whose
 * imports start at the project's root and whose exports are the global `beside`. The caller closes it.
 */
export async function startBesideCore(beside: string, options: MachineOptions = {}): Promise<XsMachine> {
  const core = await bundle("tests/xs/life/core.ts", { globalName: "core" });
  const rest = await bundle({ text: beside }, { globalName: "beside" });
  const machine = await XsMachine.start({ ...options, frozen: true });
  await machine.evaluate(core.code);
  await machine.preload("core");
  await machine.evaluate(rest.code);
  return machine;
}

/** A machine whose requests are the steps of a rig with the portable crypto. The caller closes it. */
export function startRig(options: MachineOptions = {}): Promise<XsMachine> {
  return startBesideCore(RIG, options);
}

/** The same with crypto that costs nothing, as if it were native: before each step {@link XsMachine.prompt} gives its results. */
export function startPromptedRig(options: MachineOptions = {}): Promise<XsMachine> {
  return startBesideCore(PROMPTED, options);
}
