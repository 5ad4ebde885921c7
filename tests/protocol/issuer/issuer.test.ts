import { strict as assert } from "node:assert";
import { Op } from "../../../protocol/wire/deltas";
import { deltasIn } from "./model-lock";
import { Rig } from "./rig";

describe("issuer smoke", () => {
  it("syncs", async () => {
    const rig = await Rig.make({
      people: "anna,Anna,resident,all,4711,,,,,,,\nben,Ben,guest,all,0815,,2027-03-01,2027-03-05,,,anna,",
    });
    assert.deepEqual(rig.states(), ["anna pin pending", "ben pin pending"]);
    await rig.sync();
    assert.deepEqual(rig.states(), ["anna pin confirmed", "ben pin confirmed"]);
    assert.deepEqual(rig.inside(), ["anna", "ben"]);
    await rig.issuer.revoke("anna");
    const [bundle] = await rig.bundles();
    assert.equal(deltasIn(bundle).deltas.length, 1);
    await rig.sync();
    assert.deepEqual(rig.inside(), []);
    assert.equal(rig.report().isSettled, true);
    assert.deepEqual(rig.report().alarms, []);
    assert.ok(Op);
  });
});
