// The issuer's office as files: an account, people from CSV, a lock bound to a door, mail in a bag, a courier's visit, receipts handed in.

import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { node } from "../../simulator/board/crypto";
import { openLock, readImage } from "../../tools/image";
import { openOffice } from "../../tools/office/office";
import { ownFolder, run } from "./support";

const DOORS = "door,profile,link,zone,keys\nfront,lock-1000,courier,Europe/Berlin,staff\n";
const PEOPLE =
  "person,name,role,keys,pin,card\nada,Ada,resident,staff,583920,\nbob,Bob,team,staff,,04AABBCCDD\n";

describe("The issuer's office in files", () => {
  const at = ownFolder();
  const store = () => ["--store", at("issuer")];
  const bag = () => at("bags/front.bag");
  const image = () => at("front.img");

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
    await good(["issuer", "bind", "front", at("front.json"), ...store()]);
  });

  it("K1 S5 a bag carries everything to the lock, and its receipts home", async () => {
    await good(["issue", "--out", at("bags"), ...store()]);
    assert.equal(statSync(bag()).mode & 0o777, 0o600);
    const taken = await run(["issue", "--out", at("bags"), ...store()]);
    assert.match(taken.err, /exists already/);
    const carried = JSON.parse(await good(["deliver", bag(), "--to", `image:${image()}`, "--json"]));
    assert.equal(carried.outcome, "done");
    assert.ok(carried.receipts > 0);
    const [handed] = JSON.parse(await good(["receipts", bag(), ...store(), "--json"]));
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

  it("S3 a bag that is delivered and handed in twice changes nothing the second time", async () => {
    await good(["deliver", bag(), "--to", `image:${image()}`]);
    const [again] = JSON.parse(await good(["receipts", bag(), ...store(), "--json"]));
    assert.equal(again.confirmed, 0);
    assert.equal(openLock(readImage(image())).parts.table.index.used, 2);
  });

  it("K5 a receipt with one flipped bit is refused, and confirms nothing", async () => {
    const office = await openOffice(at("issuer"));
    const [lock] = office.issuer.locks;
    await office.close();
    const { readBag, writeBags } = await import("../../tools/bag-file");
    const broken = readBag(bag());
    const receipts = broken.receipts.map((bytes) =>
      bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)),
    );
    writeBags([{ path: at("broken.bag"), bag: { ...broken, receipts } }], true);
    const { code, out } = await run(["receipts", at("broken.bag"), ...store()]);
    assert.equal(code, 1);
    assert.match(out, /refused: bad-signature/);
    assert.ok(lock.length === 16 && node.name === "node");
  });

  it("A52 a revocation reaches the lock with the next bag", async () => {
    await good(["issuer", "revoke", "ada", ...store()]);
    await good(["issuer", "set", "front", "relock-seconds", "30", ...store()]);
    await good(["issue", "front", "--out", at("bags"), "--force", ...store()]);
    await good(["deliver", bag(), "--to", `image:${image()}`]);
    await good(["receipts", bag(), ...store()]);
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
    const link = await run(["deliver", bag(), "--to", "pigeon:1"]);
    assert.match(link.err, /wanted image:FILE, folder:DIR, mqtt/);
    const wrong = await run(["deliver", bag(), "--to", `image:${at("other.img")}`]);
    assert.match(wrong.err, /name its own image/);
  });

  it("K7 proves to anyone with the lock's public key that a revoked person has no slot left", async () => {
    const args = ["proof", "make", "front", "ada", "--to", `image:${image()}`, "--out", at("ada.proof")];
    assert.match(await good([...args, ...store()]), /^Proven\./);
    const { publicKey } = JSON.parse(readFileSync(at("front.json"), "utf8"));
    const verdict = JSON.parse(
      await good(["proof", "verify", at("ada.proof"), "--key", publicKey, "--json"]),
    );
    assert.equal(verdict.isProof, true);
    assert.deepEqual(verdict.notCovered, ["offline codes", "the master", "codes programmed at the keypad"]);
    assert.doesNotMatch(readFileSync(at("ada.proof"), "utf8"), /ada/, "no name is in it");
    const other = JSON.parse(readFileSync(at("other.json"), "utf8")).publicKey;
    const forged = await run(["proof", "verify", at("ada.proof"), "--key", other]);
    assert.deepEqual([forged.code, forged.out], [1, "Not proven: the lock with this key did not sign it.\n"]);
    const still = await run([
      "proof",
      "make",
      "front",
      "bob",
      "--to",
      `image:${image()}`,
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
    assert.match(
      await good(["audit", "front", "--to", `image:${image()}`, ...store()]),
      /is what the acks add up to/,
    );
    await good(["issuer", "set", "front", "relock-seconds", "31", ...store()]);
    await good(["issue", "front", "--out", at("bags"), "--force", ...store()]);
    await good(["deliver", bag(), "--to", `image:${image()}`]);
    const { code, err } = await run(["audit", "front", "--to", `image:${image()}`, ...store()]);
    assert.equal(code, 2);
    assert.match(err, /sync the door first/);
    await good(["receipts", bag(), ...store()]);
  });

  it("S8 X7 a phone opens the door with its key, commands what it may, and nothing once it is revoked", async () => {
    const publicKey = (await good(["door", "key", "--key", at("phone.key")])).trim();
    const phone = `person,name,role,keys,phone-key,capabilities\neva,Eva,resident,staff,${publicKey},set-mode\n`;
    writeFileSync(at("phone.csv"), phone);
    const visit = async (): Promise<void> => {
      await good(["issue", "front", "--out", at("bags"), "--force", ...store()]);
      await good(["deliver", bag(), "--to", `image:${image()}`]);
      await good(["receipts", bag(), ...store()]);
    };
    await good(["issuer", "import", "--people", at("phone.csv"), ...store()]);
    await visit();
    const { lock } = JSON.parse(readFileSync(at("front.json"), "utf8"));
    const door = (...words: string[]) =>
      run(["door", ...words, "--key", at("phone.key"), "--lock", lock, "--to", `image:${image()}`]);
    assert.deepEqual(await door("unlock"), { code: 0, out: "unlocked\n", err: "" });
    assert.equal((await door("mode", "tour")).code, 0);
    assert.equal(openLock(readImage(image())).parts.policy.mode, 1);
    const renamed = await door("rename", "Front");
    assert.equal(renamed.code, 1, "without the capability");
    assert.match(renamed.out, /key-not-allowed/);
    await good(["issuer", "revoke", "eva", ...store()]);
    await visit();
    const gone = await door("unlock");
    assert.equal(gone.code, 1);
    assert.match(gone.out, /unlock: unknown-key/);
  });
});
