import { noble } from "../../../protocol/crypto/noble";
import * as core from "./core";
import { rig } from "./rig";
import { startRig } from "./machine";
import { longLife } from "./stories";
import { Teller } from "./teller";
(async () => {
  const teller = new Teller(rig(core, noble)); longLife(teller);
  for (const stackSlots of [512, 560, 600, 640, 700, 768, 896, 1024]) {
    let at = 0;
    const t = Date.now();
    try {
      const machine = await startRig({ stackSlots });
      for (; at < teller.steps.length; at++) await machine.request(teller.steps[at].step);
      console.log(stackSlots, "ok", Date.now() - t, await machine.heap());
      await machine.close();
    } catch (e) { console.log(stackSlots, at, teller.steps[at].label.slice(0, 60), String(e).slice(0, 200)); }
  }
})();
