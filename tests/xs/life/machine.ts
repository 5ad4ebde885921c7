// A rig on the real engine, put together as on a lock: the core preloaded, so frozen and with read-only buffers; the portable crypto,
// whose hashes work in buffers of their module, beside it in RAM.

import { bundle } from "../bundle";
import { type MachineOptions, XsMachine } from "../machine";

const RIG = {
  text: `
    import { rig } from "./tests/xs/life/rig";
    import { noble } from "./protocol/crypto/noble";
    globalThis.handleRequest = rig(core, noble);`,
};

/** A frozen machine whose requests are the steps of a rig. The caller closes it. */
export async function startRig(options: MachineOptions = {}): Promise<XsMachine> {
  const core = await bundle("tests/xs/life/core.ts", { globalName: "core" });
  const rig = await bundle(RIG, { globalName: "rig" });
  const machine = await XsMachine.start({ ...options, frozen: true });
  await machine.evaluate(core.code);
  await machine.preload("core");
  await machine.evaluate(rig.code);
  return machine;
}
