// The users and passwords of locks at their broker: as lines for mosquitto, as JSON, in a file of their own, and while the office is open.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { fromHex } from "../../protocol/wire/bytes";
import { openCounter, openOffice } from "../../tools/office/office";
import { ownFolder, type Ran, run } from "./support";

describe("X5 tumbler broker-user", () => {
  const at = ownFolder();
  const store = () => ["--store", at("issuer")];
  /** The line of each door's lock, made of nothing but its record. */
  const lines: Record<string, string> = {};

  async function good(args: readonly string[]): Promise<string> {
    const { code, out, err } = await run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${err}`);
    return out;
  }

  const brokerUser = (...args: string[]): Promise<Ran> => run(["broker-user", ...args, ...store()]);

  before(async function () {
    this.timeout(20_000);
    const { owner } = JSON.parse(await good(["issuer", "begin", "--site", "north", ...store(), "--json"]));
    const rows = ["front", "back", "bare"].map((door) => `${door},lock-1000,wifi,Europe/Berlin,all\n`);
    writeFileSync(at("doors.csv"), `door,profile,link,zone,keys\n${rows.join("")}`);
    await good(["issuer", "import", "--doors", at("doors.csv"), ...store()]);
    assert.match((await brokerUser("--all")).err, /no door has a lock yet/);
    for (const door of ["front", "back"]) {
      const record = at(`${door}.json`);
      const files = ["--out", at(`${door}.img`), "--record", record, "--maker-key", at("maker.key")];
      await good(["provision", ...files, "--owner", owner, "--site", "north"]);
      await good(["issuer", "bind", door, record, ...store()]);
      const { lock, keys } = JSON.parse(readFileSync(record, "utf8"));
      const password = createHmac("sha256", fromHex(keys.linkKey)).update("tumbler/1 broker").digest("hex");
      lines[door] = `${lock}:${password}\n`;
    }
  });

  it("tells one line of a password file for each lock that there is", async () => {
    assert.equal((await brokerUser("front")).out, lines.front);
    assert.equal((await brokerUser("--all")).out, lines.front + lines.back);
    const users = JSON.parse((await brokerUser("--all", "--json")).out);
    assert.deepEqual(
      users.map(({ door, user, password }: Record<string, string>) => `${door} ${user}:${password}\n`),
      [`front ${lines.front}`, `back ${lines.back}`],
    );
  });

  it("writes them into a file that is its owner's alone, prints none of them, and replaces nothing unasked", async () => {
    const out = at("passwords");
    const { code, out: said } = await brokerUser("back", "--out", out);
    assert.equal(code, 0);
    assert.match(said, /passwords: 1 user; .*mosquitto_passwd -U/);
    assert.equal(readFileSync(out, "utf8"), lines.back);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    const taken = await brokerUser("--all", "--out", out);
    assert.equal(taken.code, 2);
    assert.match(taken.err, /exists already[\s\S]*--force/);
    assert.equal(readFileSync(out, "utf8"), lines.back);
    const forced = await brokerUser("--all", "--out", out, "--force", "--json");
    assert.equal(readFileSync(out, "utf8"), lines.front + lines.back);
    assert.equal(JSON.parse(forced.out).users.length, 2);
    for (const text of [said, taken.err, forced.out])
      for (const line of Object.values(lines)) assert.ok(!text.includes(line.trim().split(":")[1]));
  });

  it("wants either a door that has a lock or --all, and a store", async () => {
    const cases: [string[], RegExp][] = [
      [[], /either a door or --all/],
      [["front", "--all"], /either a door or --all/],
      [["bare"], /bare: has no lock yet/],
      [["attic"], /attic/],
    ];
    for (const [args, message] of cases) {
      const { code, out, err } = await brokerUser(...args);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, message);
    }
    const { err } = await run(["broker-user", "--all", "--store", at("nowhere")]);
    assert.match(err, /no issuer's store/);
  });

  it("asks the process that has the store open", async () => {
    const office = await openOffice(at("issuer"));
    const counter = await openCounter(at("issuer"), office.issuer, () => {});
    try {
      assert.equal((await brokerUser("front")).out, lines.front);
    } finally {
      counter.close();
      await office.close();
    }
  });
});
