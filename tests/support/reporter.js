// The test reporter: mocha's own "spec" output, then one last line that machines read: "N passed, N failed".
const { Spec } = require("mocha/lib/reporters/spec");

module.exports = class Reporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : "";
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
    });
  }
};
