// The main job from outside: files in, summary and exit code out; and each way in which it must not go on.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { startBroker } from "../../tools/links/broker";
import { connectBroker } from "../../tools/links/mqtt";
import { main } from "../../tools/tumbler";

const DOORS = `door,profile,link,zone,keys
front,lock-1000,wifi,Europe/Berlin,all
shed,l500i,courier,Europe/Berlin,all
`;
const SCHEDULES = `schedule,days,start,end
days,mon-fri,08:00,18:00
`;
const PEOPLE = `person,name,role,keys,pin,card,start,end,schedule,uses,grantor,capabilities
ana,Ana,resident,all,482913,,,,,,,
ben,Ben,team,all,730164,,,,days,,,
gil,Gil,guest,all,905271,,2027-03-01,2027-03-03,,1,ana,
`;
const DAY = `id,time,door,who,action,value
a,2027-03-02T07:00,,,sync,
b,2027-03-02T07:01,shed,,visit,
c,2027-03-02T07:02,front,ana,pin,482913
d,2027-03-02T07:03,front,ben,pin,730164
e,2027-03-02T09:00,shed,ben,pin,730164
f,2027-03-02T09:01,front,gil,pin,905271
g,2027-03-02T09:02,front,gil,pin,905271
`;
const EXPECTED = `kind,subject,door,outcome
attempt,d,,outside-schedule
attempt,g,,used-up
`;

/** PINs that nobody refuses: none is weak, and no two begin with the same four digits. */
const PINS = Array.from({ length: 1300 }, (_, i) => `${2000 + i}713`).filter((pin) => !/(.)\1\1/.test(pin));

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe("the demo", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tumbler-test-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs `tumbler demo` on these files, the good ones where none is given. */
  async function run(files: Partial<Record<string, string>> = {}, ...more: string[]): Promise<Run> {
    const contents = {
      doors: DOORS,
      schedules: SCHEDULES,
      people: PEOPLE,
      day: DAY,
      expected: EXPECTED,
      ...files,
    };
    const args = ["demo"];
    for (const [name, text] of Object.entries(contents)) {
      const path = join(folder, `${name}.csv`);
      writeFileSync(path, text as string);
      args.push(`--${name}`, path);
    }
    const out: string[] = [];
    const err: string[] = [];
    const terminal = {
      out: (text: string) => void out.push(text),
      err: (text: string) => void err.push(text),
      colours: pc.createColors(false),
      secret: async () => "",
      exitCode: 0,
    };
    const code = await main([...args, ...more], terminal);
    return { code, out: out.join(""), err: err.join("") };
  }

  it("ends with 0 when everything that was expected to fail did, and nothing else", async () => {
    const { code, out, err } = await run();
    assert.equal(err, "");
    assert.equal(code, 0, out);
    assert.match(out, /Everything ended as expected/);
    assert.doesNotMatch(out, /482913|730164|905271/, "no PIN on the screen");
  });

  it("ends with 1 when something failed that was not expected to", async () => {
    const { code, out } = await run({ expected: EXPECTED.replace("attempt,g,,used-up\n", "") });
    assert.equal(code, 1);
    assert.match(out, /g: gil at front: expected granted, got used-up/);
  });

  it("ends with 1 when something succeeded that was expected to fail", async () => {
    const { code, out } = await run({
      expected: `${EXPECTED}attempt,c,,unknown\ncredential,ana,shed,capacity\n`,
    });
    assert.equal(code, 1);
    assert.match(out, /c: ana at front: expected unknown, got granted/);
    assert.match(out, /expected\.csv, line 5: ana at shed was expected to fail with capacity/);
  });

  it("shows two at a door for two, a holiday with its master, and a lockout with its wait", async () => {
    const people = `${PEOPLE.replace("capabilities\n", "capabilities,dual\n").replaceAll(",\n", ",,\n")}`;
    const wrong = Array.from({ length: 5 }, (_, i) => `w${i},2027-03-02T11:00:0${i},front,,pin,66120${i}\n`);
    const day = `${DAY}h,2027-03-02T10:00,front,dan,pin,615824
i,2027-03-02T10:00:20,front,eva,pin,337190
j,2027-03-02T10:01,front,eva,pin,337190
k,2027-03-02T10:02,front,,holiday,2027-03-02
l,2027-03-02T10:03,front,,master,84091375
m,2027-03-02T10:04,,,sync,
n,2027-03-02T10:05,front,ana,pin,482913
o,2027-03-02T10:06,front,ana,pin,84091375
${wrong.join("")}p,2027-03-02T11:00:34,front,ben,pin,730164
q,2027-03-02T12:00,front,,holiday,
r,2027-03-02T12:01,,,sync,
s,2027-03-02T12:02,front,ben,pin,730164
`;
    const refusals = ["h,,needs-second", "j,,needs-second", "n,,holiday", "p,,locked-out"];
    for (let i = 0; i < 5; i++) refusals.push(`w${i},,unknown`);
    const dual = "dan,Dan,team,all,615824,,,,,,,,yes\neva,Eva,team,all,337190,,,,,,,,yes\n";
    const expected = `${EXPECTED}${refusals.map((row) => `attempt,${row}\n`).join("")}`;
    const { code, out, err } = await run({ people: people + dual, day, expected });
    assert.equal(err, "");
    assert.equal(code, 0, out);
    assert.match(out, /front +eva +pin +granted/);
    assert.match(out, /master front\n/);
    assert.match(out, /unknown, wait 60 s\n.*locked-out, wait 30 s/);
    assert.ok(out.split("\n").every((line) => line.length <= 80));
    assert.doesNotMatch(out, /84091375/, "no master on the screen");
  });

  it("ends with 2 at a master that the door cannot have, and does not show it", async () => {
    const { code, err } = await run({ day: `${DAY}h,2027-03-02T10:00,front,,master,482977\n` });
    assert.equal(code, 2);
    assert.match(err, /h: master of front: wanted a PIN whose first four digits begin no other code/);
    assert.doesNotMatch(err, /482977/);
  });

  it("prints the summary as one JSON object on the last line with --json", async () => {
    const { code, out } = await run({}, "--json");
    assert.equal(code, 0);
    const summary = JSON.parse(out.trim().split("\n").at(-1) ?? "");
    assert.equal(summary.ok, true);
    assert.deepEqual(
      summary.doors.map((door: { door: string; slots: number; digestsEqual: boolean }) => [
        door.door,
        door.slots,
        door.digestsEqual,
      ]),
      [
        ["front", 3, true],
        ["shed", 3, true],
      ],
    );
    assert.deepEqual(summary.attempts, { granted: 3, refused: 2 });
  });

  it("keeps the store and the flash images with --out, for their owner alone, and never over an old store", async () => {
    const kept = join(folder, "kept");
    assert.equal((await run({}, "--out", kept)).code, 0);
    assert.deepEqual(readdirSync(kept).sort(), ["front.img", "issuer", "shed.img"]);
    assert.equal(statSync(join(kept, "front.img")).mode & 0o777, 0o600);
    const again = await run({}, "--out", kept);
    assert.equal(again.code, 2);
    assert.match(again.err, /has an issuer's store already/);
  });

  describe("bad input", () => {
    it("names file, line, column and what was wanted of every bad row, and imports nothing", async () => {
      const { code, err } = await run({
        people: `${PEOPLE}dan,Dan,resident,all,123,,,,,,,
eva,Eva,guest,all,615824,,2027-03-05,2027-03-01,,,ana,
fay,Fay,resident,all,482913,,,,nights,,,
`,
      });
      assert.equal(code, 2);
      assert.match(err, /people\.csv, line 5, column pin: got "\*\*\*", wanted/);
      assert.match(err, /people\.csv, line 6, column end/);
      assert.match(err, /people\.csv, line 7, column pin/);
      assert.match(err, /people\.csv, line 7, column schedule/);
      assert.match(err, /nothing was imported/);
    });

    it("leaves bad rows out with --skip-bad-rows, says which, and goes on", async () => {
      const { code, err, out } = await run(
        { people: `${PEOPLE}dan,Dan,resident,all,123,,,,,,,\n` },
        "--skip-bad-rows",
      );
      assert.equal(code, 0);
      assert.match(err, /people\.csv, line 5, column pin/);
      assert.match(out, /bad rows were left out/);
    });

    it("refuses a day or an expectation that names what there is not", async () => {
      const { code, err } = await run({ day: `${DAY}h,2027-03-02T10:00,attic,ana,pin,482913\n` });
      assert.equal(code, 2);
      assert.match(err, /day\.csv, line 9, column door: got "attic", wanted the name of a door/);
    });

    it("refuses a date that is none for a holiday, and a master that is no PIN", async () => {
      const more = "h,2027-03-02T10:00,front,,holiday,2027-02-30\ni,2027-03-02T10:00,front,,master,123\n";
      const { code, err } = await run({ day: `${DAY}${more}j,2027-03-02T10:00,,,holiday,2027-03-02\n` });
      assert.equal(code, 2);
      assert.match(err, /line 9, column value: got "2027-02-30", wanted a date YYYY-MM-DD/);
      assert.match(err, /line 10, column value: got "123", wanted 4 to 10 digits/);
      assert.match(err, /line 11, column door: got nothing, wanted the name of a door/);
    });

    it("says so when a file is missing", async () => {
      const { code, err } = await run({}, "--doors", join(folder, "none.csv"));
      assert.equal(code, 2);
      assert.match(err, /none\.csv: no such file/);
    });
  });

  describe("the broker", () => {
    it("may be one's own", async () => {
      const broker = await startBroker();
      try {
        assert.equal((await run({}, "--broker", broker.url)).code, 0);
      } finally {
        await broker.close();
      }
    });

    it("is one without TLS, by its host and port; any other is an error that says so", async () => {
      const wrong: [string, RegExp][] = [
        ["mqtts://127.0.0.1:8883", /know no certificate authority.*mqtt:\/\/host/],
        ["ws://127.0.0.1:9001", /Wanted mqtt:\/\/host or mqtt:\/\/host:port/],
        ["http://127.0.0.1", /Wanted mqtt/],
        ["127.0.0.1:1883", /Wanted mqtt/],
        ["mqtt://user:secret@127.0.0.1", /Wanted mqtt/],
        ["mqtt://127.0.0.1:65536", /Wanted mqtt/],
        ["mqtt://127.0.0.1:0", /Wanted mqtt/],
        ["mqtt://", /Wanted mqtt/],
      ];
      for (const [url, message] of wrong) {
        const { code, err } = await run({}, "--broker", url);
        assert.equal(code, 2, url);
        assert.match(err.replace(/\s+/g, " "), message, url);
      }
    });

    it("that is not there is an error with advice", async () => {
      const { code, err } = await run({}, "--broker", "mqtt://127.0.0.1:9");
      assert.equal(code, 2);
      assert.match(err, /MQTT broker mqtt:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/);
    });

    it("whose port is in use is an error with advice", async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      try {
        const { code, err } = await run({}, "--port", String(port));
        assert.equal(code, 2);
        assert.match(err, /port \d+: in use/);
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    });

    it("that goes away in mid-run ends the run with an error, and the store that was kept opens again", async () => {
      const broker = await startBroker();
      const watcher = await connectBroker(broker.url);
      const answered = new Promise<void>((resolve) => watcher.once("message", () => resolve()));
      await watcher.subscribeAsync("tumbler/1/+/+/up");
      const kept = join(folder, "kept");
      const people = Array.from({ length: 900 }, (_, i) => `p${i},P${i},resident,all,${PINS[i]},,,,,,,`).join(
        "\n",
      );
      const running = run({ people: `${PEOPLE}${people}\n` }, "--broker", broker.url, "--out", kept);
      await answered;
      await broker.close();
      await watcher.endAsync(true);
      const { code, err } = await running;
      assert.equal(code, 2);
      assert.match(err, /MQTT broker/);
      const { FileStore } = await import("../../tools/store/file-store");
      const store = await FileStore.open(join(kept, "issuer"));
      assert.ok((await store.read()).length > 0);
      await store.close();
    });
  });
});
