// The issuer's office as files: an account, people from CSV, a lock bound to a door, a work list, an installer's visit, receipts handed in.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { openLock, readImage } from "../../tools/image";
import { ownFolder, run } from "./support";

const DOORS = "door,profile,link,zone,keys\nfront,lock-1000,courier,Europe/Berlin,staff\n";
const PEOPLE =
  "person,name,role,keys,pin,card\nada,Ada,resident,staff,583920,\nbob,Bob,team,staff,,04AABBCCDD\n";

describe("The issuer's office in files", () => {
  const at = ownFolder();
  const store = () => ["--store", at("issuer")];
  const work = () => at("doors.work");
  const image = () => at("front.img");
  const issue = (...more: string[]) => good(["issue", ...more, "--out", work(), ...store()]);
  const sim = () => ["--link", "sim", "--image", image()];
  const sync = () => good(["door", "sync", "--all", "--work", work(), ...sim(), "--json"]);
  /** The last thing of that kind that was told, one JSON object a line. */
  const last = (out: string, event: string) => {
    const told = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    return told.filter((each) => each.event === event).at(-1);
  };

  async function good(args: readonly string[]): Promise<string> {
    const { code, out, err } = await run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${err}`);
    return out;
  }

  it("begins once, and says which owner locks are to be provisioned for", async () => {
    const { owner } = JSON.parse(await good(["issuer", "begin", "--site", "north", ...store(), "--json"]));
    assert.match(owner, /^[0-9a-f]{64}$/);
    writeFileSync(at("owner.txt"), owner);
    const again = await run(["issuer", "begin", "--site", "south", ...store()]);
    assert.equal(again.code, 2);
    assert.match(again.err, /account of site north/);
  });

  it("does nothing in a store that is none, and says how to begin", async () => {
    const { code, err } = await run(["issuer", "show", "--store", at("nowhere")]);
    assert.equal(code, 2);
    assert.match(err, /nowhere: no issuer's store[\s\S]*tumbler issuer begin/);
    assert.equal(existsSync(at("nowhere")), false);
  });

  it("imports doors and people all or nothing, with every error in its place", async () => {
    writeFileSync(at("doors.csv"), DOORS);
    writeFileSync(at("people.csv"), PEOPLE);
    writeFileSync(at("bad.csv"), `${PEOPLE}eve,Eve,resident,staff,12,\n`);
    const sheets = (people: string) => ["--doors", at("doors.csv"), "--people", at(people)];
    const bad = await run(["issuer", "import", ...sheets("bad.csv"), ...store()]);
    assert.equal(bad.code, 2);
    assert.match(
      bad.err,
      /bad.csv, line 4, column pin: got "\*\*", wanted 4 to 10 digits[\s\S]*nothing was imported/,
    );
    const result = JSON.parse(
      await good(["issuer", "import", ...sheets("people.csv"), ...store(), "--json"]),
    );
    assert.deepEqual([result.doors, result.people], [1, 2]);
  });

  it("P1 binds a lock whose ticket names this owner and this site, and no other", async () => {
    const owner = readFileSync(at("owner.txt"), "utf8");
    const files = (name: string) => [
      "--out",
      at(`${name}.img`),
      "--record",
      at(`${name}.json`),
      "--maker-key",
      at("maker.key"),
    ];
    await good(["provision", ...files("front"), "--owner", owner, "--site", "north"]);
    await good(["provision", ...files("other"), "--owner-key", at("other.key"), "--site", "north"]);
    await good(["provision", ...files("south"), "--owner", owner, "--site", "south"]);
    const other = await run(["issuer", "bind", "front", at("other.json"), ...store()]);
    assert.match(other.err, /names another owner/);
    const south = await run(["issuer", "bind", "front", at("south.json"), ...store()]);
    assert.match(south.err, /of site south, this account is north/);
    const missing = await run(["issuer", "bind", "back", at("front.json"), ...store()]);
    assert.equal(missing.code, 2);
    const none = await run(["issue", "--out", at("none.work"), ...store()]);
    assert.deepEqual([none.code, existsSync(at("none.work"))], [2, false]);
    assert.match(none.err, /no door has a lock yet\n\(bind one: /);
    assert.match(await good(["issuer", "show", ...store()]), /no lock yet: front/);
    await good(["issuer", "bind", "front", at("front.json"), ...store()]);
    const unknown = await run(["issue", "frnt", "--out", at("none.work"), ...store()]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /door frnt: there is none of this name\n\(there is front\)/);
  });

  it("K1 S5 a work list carries everything to the lock, and its receipts home", async () => {
    await issue();
    assert.equal(statSync(work()).mode & 0o777, 0o600);
    const taken = await run(["issue", "--out", work(), ...store()]);
    assert.match(taken.err, /exists already/);
    const visited = last(await sync(), "visited");
    assert.deepEqual([visited.outcome, visited.done, visited.of], ["done", 3, 3]);
    const [handed] = JSON.parse(await good(["receipts", work(), ...store(), "--json"]));
    assert.equal(handed.confirmed, 3, "a zone and two credentials");
    assert.deepEqual([handed.failed, handed.refused, handed.alarms], [[], [], []]);
    const shown = JSON.parse(await good(["issuer", "show", ...store(), "--json"]));
    assert.deepEqual(shown.locks[0].counts, {
      pending: 0,
      confirmed: 2,
      removed: 0,
      failed: 0,
      unconfirmed: 0,
    });
    assert.equal(openLock(readImage(image())).parts.table.index.used, 2);
  });

  it("S3 a work list that is delivered and handed in twice changes nothing the second time", async () => {
    await sync();
    const [again] = JSON.parse(await good(["receipts", work(), ...store(), "--json"]));
    assert.equal(again.confirmed, 0);
    assert.equal(openLock(readImage(image())).parts.table.index.used, 2);
  });

  it("K5 a receipt with one flipped bit is refused, and confirms nothing", async () => {
    const { bringHome, doorsOf, readWorkList } = await import("../../tools/worklist/work-list");
    copyFileSync(work(), at("broken.work"));
    const broken = readWorkList(at("broken.work"));
    const [door] = doorsOf(broken, ["front"]);
    const [receipt] = door.bag.receipts;
    const message = receipt.map((byte, i) => (i === receipt.length - 1 ? byte ^ 1 : byte));
    bringHome(broken, door, { at: 1, kind: "receipt", message });
    const { code, out } = await run(["receipts", at("broken.work"), ...store()]);
    assert.equal(code, 1);
    assert.match(out, /refused: bad-signature/);
  });

  it("A52 a revocation reaches the lock with the next work list", async () => {
    await good(["issuer", "revoke", "ada", ...store()]);
    await good(["issuer", "set", "front", "relock-seconds", "30", ...store()]);
    await issue("front", "--force");
    await sync();
    await good(["receipts", work(), ...store()]);
    const { table, policy } = openLock(readImage(image())).parts;
    assert.equal(table.index.used, 1);
    assert.equal(policy.relockSeconds, 30);
  });

  it("says what a setting, a person, a door or a link must be, and changes nothing", async () => {
    const cases: [string[], RegExp][] = [
      [["issuer", "set", "front", "mode", "party"], /mode: got "party", wanted normal, tour, resident/],
      [["issuer", "set", "front", "colour", "red"], /setting colour: wanted one of mode/],
      [["issuer", "set", "back", "mode", "tour"], /back/],
      [["issuer", "revoke", "nobody"], /nobody/],
    ];
    const journal = readFileSync(at("issuer/journal"));
    for (const [args, message] of cases) {
      const { code, err } = await run([...args, ...store()]);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, message);
    }
    assert.deepEqual(readFileSync(at("issuer/journal")), journal);
    const status = ["door", "status", "--work", work()];
    const links: [string[], RegExp][] = [
      [["--link", "pigeon"], /Allowed choices are ble, mqtt, sim, folder/],
      [["--link", "sim", "--mtu", "22"], /Wanted a number from 23 to 517/],
      [["--link", "sim"], /--link sim: wanted --image FILE with it/],
      [["--link", "mqtt"], /--link mqtt: wanted --broker URL with it/],
      [["--link", "mqtt", "--broker", "http://x"], /wanted mqtt:\/\/HOST or mqtts:\/\/HOST/],
      [["--link", "sim", "--image", at("nothing.img")], /nothing.img: no such file/],
      [["--link", "sim", "--image", image(), image()], /is there twice/],
    ];
    for (const [args, message] of links) {
      const { code, err } = await run([...status, ...args]);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, message);
    }
    const other = await run([...status, "--link", "sim", "--image", at("other.img")]);
    assert.deepEqual([other.code, /not in range/.test(other.out)], [1, true]);
  });

  it("K7 proves to anyone with the lock's public key that a revoked person has no slot left", async () => {
    const args = ["proof", "make", "front", "ada", ...sim(), "--out", at("ada.proof")];
    assert.match(await good([...args, ...store()]), /^Proven\./);
    const { publicKey } = JSON.parse(readFileSync(at("front.json"), "utf8"));
    const verdict = JSON.parse(
      await good(["proof", "verify", at("ada.proof"), "--key", publicKey, "--json"]),
    );
    assert.equal(verdict.isProof, true);
    assert.deepEqual(verdict.notCovered, ["offline codes", "the master", "codes programmed at the keypad"]);
    const { receipt, ...rest } = JSON.parse(readFileSync(at("ada.proof"), "utf8"));
    const text = `${Buffer.from(receipt, "hex").toString("latin1")}${Object.keys(rest)}`;
    assert.doesNotMatch(text, /ada/, "no name is in it");
    const other = JSON.parse(readFileSync(at("other.json"), "utf8")).publicKey;
    const forged = await run(["proof", "verify", at("ada.proof"), "--key", other]);
    assert.deepEqual([forged.code, forged.out], [1, "Not proven: the lock with this key did not sign it.\n"]);
    const still = await run([
      "proof",
      "make",
      "front",
      "bob",
      ...sim(),
      "--out",
      at("bob.proof"),
      ...store(),
    ]);
    assert.deepEqual(
      [still.code, still.out],
      [1, "Not proven: the user, or somebody below, has slots left (1).\n"],
    );
    assert.equal(existsSync(at("bob.proof")), false);
  });

  it("K6 finds a lock's table as it should be, and does not compare what is not acknowledged", async () => {
    assert.match(await good(["audit", "front", ...sim(), ...store()]), /is what the acks add up to/);
    await good(["issuer", "set", "front", "relock-seconds", "31", ...store()]);
    await issue("front", "--force");
    await sync();
    const { code, err } = await run(["audit", "front", ...sim(), ...store()]);
    assert.equal(code, 2);
    assert.match(err, /sync the door first/);
    await good(["receipts", work(), ...store()]);
  });

  it("S8 X7 a phone opens the door with its key, commands what it may, and nothing once it is revoked", async () => {
    const publicKey = (await good(["door", "key", "--key", at("phone.key")])).trim();
    const phone = `person,name,role,keys,phone-key,capabilities\neva,Eva,resident,staff,${publicKey},set-mode\n`;
    writeFileSync(at("phone.csv"), phone);
    const visit = async (): Promise<void> => {
      await issue("front", "--force");
      await sync();
      await good(["receipts", work(), ...store()]);
    };
    await good(["issuer", "import", "--people", at("phone.csv"), ...store()]);
    await visit();
    const { lock } = JSON.parse(readFileSync(at("front.json"), "utf8"));
    const door = (...words: string[]) =>
      run(["door", ...words, "--key", at("phone.key"), "--lock", lock, ...sim()]);
    assert.deepEqual(await door("unlock"), { code: 0, out: "unlocked\n", err: "" });
    assert.equal((await door("mode", "tour")).code, 0);
    assert.equal(openLock(readImage(image())).parts.policy.mode, 1);
    const renamed = await door("rename", "Front");
    assert.equal(renamed.code, 1, "without the capability");
    assert.match(renamed.out, /key-not-allowed\n {2}ask the office for the capability rename\n/);
    await good(["issuer", "revoke", "eva", ...store()]);
    await visit();
    const gone = await door("unlock");
    assert.equal(gone.code, 1);
    assert.match(gone.out, /unlock: unknown-key\n {2}this phone has no credential at the door/);
  });

  it("A38 K1 a lock that was bound once more by mistake comes back with a whole new table", async () => {
    const bound = await good(["issuer", "bind", "front", at("front.json"), ...store()]);
    assert.match(bound, /bound already[\s\S]*tumbler issuer rebase front\n/);
    assert.match(await good(["issuer", "rebase", "front", ...store()]), /No receipt of its lock is here yet/);
    await issue("front", "--force");
    const stuck = await run(["door", "sync", "--work", work(), ...sim()]);
    assert.equal(stuck.code, 1);
    assert.match(stuck.out, /needs a whole new table\n {2}nothing is lost: 0 of \d+ are in; hand in;/);
    assert.equal(stuck.out.match(/^front: answers$/gm)?.length, 1, "its signed word, for the office");
    await run(["receipts", work(), ...store()]);
    await issue("front", "--force");
    const mended = await good(["door", "sync", "--work", work(), ...sim()]);
    assert.match(mended, /^front: done, a whole new table is in/m);
    assert.match(mended, /✓ position \d+ of epoch/);
  });
});
