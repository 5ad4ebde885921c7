// The console of a lock at its serial port: what it answers to whom, and that nothing of it helps to open a lock that somebody owns.

import assert from "node:assert/strict";
import fc from "fast-check";
import type { ConsoleReply } from "../../../firmware/console-lines";
import { Console } from "../../../firmware/device/console";
import { Guard } from "../../../firmware/device/guard";
import { MAX_LINE_BYTES } from "../../../firmware/device/line-port";
import { CRYPTO_TESTS, passesCryptoTest } from "../../../firmware/device/self-test";
import { noble } from "../../../protocol/crypto/noble";
import type { Crypto } from "../../../protocol/crypto/port";
import { node as nodeCrypto } from "../../../simulator/board/crypto";
import { ConsoleLock } from "../../support/console-lock";
import { VirtualTimers } from "../../support/sdk/timers";

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

class Bench {
  readonly timers = new VirtualTimers();
  readonly lock = new ConsoleLock(
    this.timers,
    (job) => this.timers.post(job),
    () => this.timers.now,
  );
  sent = "";

  constructor() {
    this.lock.serial.onBytes = (bytes) => {
      this.sent += String.fromCharCode(...bytes);
    };
    this.timers.advance(0);
  }

  /** Sends a line as it stands; what came back since, as text. */
  send(line: string, ms = 0): string {
    this.lock.serial.send(ascii(`${line}\n`));
    return this.pass(ms);
  }

  pass(ms: number): string {
    this.timers.advance(ms);
    const { sent } = this;
    this.sent = "";
    return sent;
  }

  replies(text: string): ConsoleReply[] {
    const lines = text.split("\n");
    assert.equal(lines.pop(), "", "each answer is a whole line");
    return lines.map((line) => JSON.parse(line));
  }

  /** The one answer to a question that is answered after `ms`. */
  ask(question: object, ms = 0): unknown {
    const [reply, ...more] = this.replies(this.send(JSON.stringify({ id: 7, ...question }), ms));
    assert.deepEqual(more, []);
    assert.equal(reply.tumbler, 7);
    if ("ok" in reply) return reply.ok;
    return "refused" in reply ? reply.refused : `failed: ${reply.failed}`;
  }
}

/** Every question that is not the report, as it would be answered. */
const QUESTIONS: readonly object[] = [
  { ask: "crypto" },
  { ask: "random", bytes: 16 },
  { ask: "flash" },
  { ask: "keypad", seconds: 5 },
  { ask: "card", seconds: 5 },
  { ask: "reset", seconds: 5 },
  { ask: "bolt", to: "draw" },
  { ask: "bolt", to: "throw" },
  { ask: "door" },
  { ask: "handle" },
  { ask: "feedback", show: "granted" },
  { ask: "battery" },
  { ask: "rtc" },
  { ask: "wifi" },
  { ask: "bluetooth" },
  { ask: "sleep", seconds: 2 },
  { ask: "watchdog" },
];

describe("The console: a claimed lock", () => {
  it("reports, with the public facts and nothing else", () => {
    const bench = new Bench();
    bench.lock.claimed = true;
    assert.deepEqual(bench.ask({ ask: "report" }), { ...bench.lock.report, claimed: true });
  });

  for (const question of QUESTIONS)
    it(`refuses ${JSON.stringify(question)}, and does nothing`, () => {
      const bench = new Bench();
      bench.lock.claimed = true;
      assert.equal(bench.ask(question, 20_000), "claimed");
      assert.deepEqual(bench.lock.done, []);
      assert.equal(bench.lock.rtcTime, 0);
      assert.equal(bench.lock.onKey, undefined);
    });

  it("refuses questions that nobody knows, so that it tells no version apart", () => {
    const bench = new Bench();
    bench.lock.claimed = true;
    assert.equal(bench.ask({ ask: "open" }), "claimed");
  });

  it("is one, too, when nobody can say whether it is", () => {
    const bench = new Bench();
    bench.lock.parts.isClaimed = () => {
      throw new Error("flash");
    };
    assert.equal(bench.ask({ ask: "bolt", to: "draw" }), "claimed");
    bench.lock.parts.isClaimed = () => undefined as unknown as boolean;
    assert.equal(bench.ask({ ask: "bolt", to: "draw" }), "claimed");
    assert.deepEqual(bench.lock.done, []);
  });

  it("does not tell a key that was asked for before it was claimed", () => {
    const bench = new Bench();
    bench.send('{"id":1,"ask":"keypad","seconds":30}');
    const { onKey } = bench.lock;
    bench.lock.claimed = true;
    onKey?.(4);
    assert.deepEqual(bench.replies(bench.pass(0)), [{ tumbler: 1, refused: "claimed" }]);
    onKey?.(5);
    assert.equal(bench.pass(60_000), "");
  });

  it("lets go of the keypad in its next turn", () => {
    const bench = new Bench();
    bench.send('{"id":1,"ask":"keypad","seconds":30}');
    bench.lock.claimed = true;
    bench.lock.console.tick();
    assert.equal(bench.lock.onKey, undefined);
    assert.deepEqual(bench.replies(bench.pass(0)), [{ tumbler: 1, refused: "claimed" }]);
  });
});

describe("The console: a lock that nobody has claimed", () => {
  it("tests its crypto, a forged signature and a forged seal included", () => {
    const bench = new Bench();
    assert.deepEqual(bench.ask({ ask: "crypto" }), {
      backend: nodeCrypto.name,
      passed: [...CRYPTO_TESTS],
      wrong: [],
    });
  });

  it("draws random bytes, 64 at most", () => {
    const bench = new Bench();
    const { bytes } = bench.ask({ ask: "random", bytes: 64 }) as { bytes: string };
    assert.match(bytes, /^[0-9a-f]{128}$/);
    for (const bytes of [0, 65, 1.5, "4", null])
      assert.equal(bench.ask({ ask: "random", bytes }), "bad-argument");
  });

  it("reads its flash to the end, and leaves it as it is", () => {
    const bench = new Bench();
    const facts = (size: number) => ({ size, blockLength: 4096, blocks: size / 4096, read: size });
    bench.lock.parts.credentials.write = () => assert.fail("written");
    bench.lock.parts.credentials.eraseBlock = () => assert.fail("erased");
    assert.deepEqual(bench.ask({ ask: "flash" }), {
      credentials: facts(192 * 1024),
      events: facts(320 * 1024),
    });
  });

  it("tells the next key, and null when there is none in time", () => {
    const bench = new Bench();
    bench.send('{"id":7,"ask":"keypad","seconds":5}', 4999);
    bench.lock.onKey?.(11);
    assert.deepEqual(bench.replies(bench.pass(0)), [{ tumbler: 7, ms: 4999, ok: { key: 11 } }]);
    assert.equal(bench.lock.onKey, undefined, "the lock has its keypad again");
    assert.deepEqual(bench.ask({ ask: "keypad", seconds: 5 }, 5000), { key: null });
    for (const seconds of [0, 61, -1, 0.5, undefined])
      assert.equal(bench.ask({ ask: "keypad", seconds }), "bad-argument");
  });

  it("tells the length of a card's UID, and not the UID", () => {
    const bench = new Bench();
    bench.send('{"id":7,"ask":"card","seconds":5}', 100);
    bench.lock.onCard?.(7);
    assert.deepEqual(bench.replies(bench.pass(0)), [{ tumbler: 7, ms: 100, ok: { uidBytes: 7 } }]);
  });

  it("tells a press of the reset button, and that there was none", () => {
    const bench = new Bench();
    bench.send('{"id":7,"ask":"reset","seconds":5}', 100);
    bench.lock.onReset?.();
    assert.deepEqual(bench.replies(bench.pass(0)), [{ tumbler: 7, ms: 100, ok: { pressed: true } }]);
    assert.deepEqual(bench.ask({ ask: "reset", seconds: 1 }, 1000), { pressed: false });
  });

  it("takes what is told at once, before there is anything to stop", () => {
    const bench = new Bench();
    let stops = 0;
    bench.lock.parts.awaitKey = (told) => {
      told(3);
      return () => void stops++;
    };
    assert.deepEqual(bench.ask({ ask: "keypad", seconds: 5 }), { key: 3 });
    assert.equal(stops, 1);
    assert.equal(bench.pass(10_000), "");
  });

  it("moves the bolt, and tells where it is and how long that took", () => {
    const bench = new Bench();
    const text = bench.send('{"id":0,"ask":"bolt","to":"throw"}', 300);
    assert.deepEqual(bench.replies(text), [{ tumbler: 0, ms: 300, ok: { state: "thrown" } }]);
    assert.equal(bench.ask({ ask: "bolt", to: "open" }), "bad-argument");
    assert.deepEqual(bench.lock.done, ["throw"]);
  });

  it("sets a clock that was never set to a time that no lock believes, and sees whether it goes on", () => {
    const bench = new Bench();
    assert.deepEqual(bench.ask({ ask: "rtc" }, 2000), { wasSet: false, ticked: 2 });
    assert.ok(bench.lock.rtcTime < Date.UTC(2001) / 1000);
    const before = bench.lock.rtcTime;
    assert.deepEqual(bench.ask({ ask: "rtc" }, 2000), { wasSet: true, ticked: 2 });
    assert.equal(bench.lock.rtcTime, before);
  });

  it("tells its switches, battery, radios, watchdog, and sleeps", () => {
    const bench = new Bench();
    assert.deepEqual(bench.ask({ ask: "door" }), { closed: true });
    assert.deepEqual(bench.ask({ ask: "handle" }), { turned: false });
    assert.deepEqual(bench.ask({ ask: "battery" }), { mv: 5900 });
    assert.deepEqual(bench.ask({ ask: "bluetooth" }), { advertising: true });
    assert.deepEqual(bench.ask({ ask: "watchdog" }), { seconds: 20 });
    assert.deepEqual(bench.ask({ ask: "wifi" }, 100), { networks: 3 });
    assert.deepEqual(bench.ask({ ask: "sleep", seconds: 10 }, 10_000), { sleptMs: 10_004 });
    assert.equal(bench.ask({ ask: "sleep", seconds: 11 }), "bad-argument");
    assert.deepEqual(bench.ask({ ask: "feedback", show: "refused" }), { shown: true });
    assert.equal(bench.ask({ ask: "feedback", show: "toString" }), "bad-argument");
  });

  it("says of every part that is not fitted that it is absent", () => {
    const bench = new Bench();
    const { parts } = bench.lock;
    Object.assign(parts, { awaitCard: undefined, isDoorClosed: undefined, isHandleTurned: undefined });
    Object.assign(parts, { batteryMv: undefined, heldClock: undefined, countNetworks: undefined });
    for (const ask of ["card", "door", "handle", "battery", "rtc", "wifi"])
      assert.equal(bench.ask({ ask, seconds: 5 }), "absent", ask);
  });

  it("answers one question at a time, but reports at any time", () => {
    const bench = new Bench();
    bench.send('{"id":1,"ask":"keypad","seconds":5}');
    assert.equal(bench.ask({ ask: "bolt", to: "draw" }), "busy");
    assert.deepEqual(bench.ask({ ask: "report" }), bench.lock.report);
    assert.deepEqual(bench.lock.done, []);
  });
});

describe("The console: what goes wrong", () => {
  it("tells of a part that never answers, and takes no answer after that", () => {
    const bench = new Bench();
    let told: ((state: "drawn") => void) | undefined;
    bench.lock.parts.moveBolt = (_, tell) => {
      told = tell;
    };
    assert.equal(bench.ask({ ask: "bolt", to: "draw" }, 15_000), "failed: no answer from the part");
    told?.("drawn");
    assert.equal(bench.pass(1000), "");
    assert.deepEqual(bench.ask({ ask: "door" }), { closed: true });
  });

  it("tells of a part that fails, with its reason, and of one that throws, without", () => {
    const bench = new Bench();
    bench.lock.parts.countNetworks = (told) => told(undefined, "no radio");
    assert.equal(bench.ask({ ask: "wifi" }), "failed: no radio");
    bench.lock.parts.countNetworks = () => {
      throw new Error("a secret");
    };
    assert.equal(bench.ask({ ask: "wifi" }), "failed: fault");
    assert.equal(bench.lock.guard.faults, 1);
    bench.lock.parts.report = () => {
      throw new Error("a secret");
    };
    assert.equal(bench.ask({ ask: "report" }), "failed: fault");
  });

  it("tells of a clock that throws while it is watched", () => {
    const bench = new Bench();
    let reads = 0;
    bench.lock.parts.heldClock = {
      driftPpm: 0,
      set: () => {},
      read: () => {
        if (++reads > 2) throw new Error("bus");
        return 1000;
      },
    };
    assert.equal(bench.ask({ ask: "rtc" }, 2000), "failed: fault");
  });

  it("goes on without a port where the debugger has it", () => {
    const guard = new Guard();
    const { timers, lock } = new Bench();
    const console = new Console({
      serial: class {
        constructor() {
          throw new RangeError("port in use");
        }
      } as never,
      pins: { receive: 3, transmit: 1, port: 0 },
      timers,
      guard,
      facade: lock.parts,
      onLine: () => {},
    });
    console.tick();
    console.close();
    assert.equal(console.isOpen, false);
    assert.equal(guard.faults, 1);
  });

  it("gives its port back, and stops waiting", () => {
    const bench = new Bench();
    bench.send('{"id":1,"ask":"keypad","seconds":5}');
    bench.lock.console.close();
    assert.ok(bench.lock.serial.isClosed);
    assert.equal(bench.lock.onKey, undefined);
    assert.equal(bench.timers.count, 0);
  });
});

describe("The console: its lines", () => {
  const LONGEST = `{"id":7,"ask":"door","x":"${"x".repeat(MAX_LINE_BYTES - 28)}"}`;

  it(`takes a line of ${MAX_LINE_BYTES} bytes, and none of one more`, () => {
    assert.equal(LONGEST.length, MAX_LINE_BYTES);
    const bench = new Bench();
    assert.deepEqual(bench.replies(bench.send(LONGEST)), [{ tumbler: 7, ms: 0, ok: { closed: true } }]);
    assert.deepEqual(bench.replies(bench.send(`${LONGEST} `)), [{ tumbler: null, refused: "too-long" }]);
    assert.deepEqual(bench.ask({ ask: "door" }), { closed: true });
    assert.equal(bench.lock.serial.lost, 0, "the longest line fits the port's own buffer");
  });

  it("keeps no more of an endless line than of a long one", () => {
    const bench = new Bench();
    for (let i = 0; i < 1000; i++) {
      bench.lock.serial.send(ascii("{".repeat(100)));
      bench.timers.advance(0);
    }
    assert.deepEqual(bench.replies(bench.send("")), [{ tumbler: null, refused: "too-long" }]);
  });

  it("says nothing to noise, empty lines and what it said itself: it never echoes", () => {
    const bench = new Bench();
    for (const line of ["", "\r", "hello", "tumbler", "[1]", "\u0000\u00ff\u00fe", "login: root"])
      assert.equal(bench.send(line), "", JSON.stringify(line));
  });

  it("refuses what begins like a request and is none", () => {
    const bench = new Bench();
    for (const line of [
      "{",
      "{}",
      '{"ask":"report"}',
      '{"id":-1,"ask":"report"}',
      '{"id":65536,"ask":"report"}',
      '{"id":1.5,"ask":"report"}',
      '{"id":"1","ask":"report"}',
      '{"id":1,"ask":"report"}}',
    ])
      assert.deepEqual(bench.replies(bench.send(line)), [{ tumbler: null, refused: "not-a-request" }], line);
  });

  it("knows no question by a name that every object has", () => {
    const bench = new Bench();
    for (const ask of ["constructor", "__proto__", "toString", 5, null, ["door"], undefined])
      assert.equal(bench.ask({ ask }), "unknown", String(ask));
  });

  it("hears lines that end as a terminal ends them, and one that comes in pieces", () => {
    const bench = new Bench();
    bench.lock.serial.send(ascii('{"id":7,"ask"'));
    bench.timers.advance(50);
    bench.lock.serial.send(ascii(':"door"}\r\n'));
    assert.deepEqual(bench.replies(bench.pass(0)), [{ tumbler: 7, ms: 0, ok: { closed: true } }]);
  });

  it("writes an answer longer than the port's buffer whole, and as ASCII", () => {
    const bench = new Bench();
    bench.lock.report = { ...bench.lock.report, lastFault: `é\n"${"long ".repeat(200)}` };
    const text = bench.send('{"id":7,"ask":"report"}');
    assert.ok(text.length > 1000);
    assert.match(text, /^[\x20-\x7e]+\n$/);
    const [reply] = bench.replies(text);
    assert.ok("ok" in reply && "lastFault" in reply.ok && reply.ok.lastFault.startsWith('?\n"long'));
  });

  it("drops answers that nobody takes, and never throws", () => {
    const bench = new Bench();
    bench.lock.serial.options = { ...bench.lock.serial.options!, onWritable: undefined };
    for (let i = 0; i < 50; i++) bench.send('{"id":7,"ask":"report"}');
    assert.equal(bench.lock.guard.faults, 0);
  });

  it("survives any bytes, moves nothing for them, and then answers", () => {
    const near = fc.constantFrom(...QUESTIONS.map((question) => JSON.stringify({ id: 1, ...question })));
    const cut = fc.tuple(near, fc.nat(60), fc.nat(255)).map(([text, at, byte]) => {
      const bytes = ascii(text);
      if (at < bytes.length) bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(cut, fc.uint8Array({ maxLength: 120 })), { maxLength: 8 }), (lines) => {
        const bench = new Bench();
        bench.lock.claimed = true;
        for (const line of lines) {
          bench.lock.serial.send([...line, 10]);
          bench.timers.advance(1);
        }
        bench.send("");
        assert.deepEqual(bench.lock.done, []);
        assert.equal(bench.lock.guard.faults, 0);
        assert.deepEqual(bench.ask({ ask: "door" }), "claimed");
      }),
      { numRuns: 200 },
    );
  });
});

describe("The self-test of a crypto backend", () => {
  for (const crypto of [nodeCrypto, noble])
    it(`passes ${crypto.name}`, () => {
      for (const name of CRYPTO_TESTS) assert.ok(passesCryptoTest(crypto, name), name);
    });

  it("knows no other test", () => assert.equal(passesCryptoTest(nodeCrypto, "md5"), false));

  const broken: readonly [string, Partial<Crypto>, readonly string[]][] = [
    ["accepts every signature", { ed25519Verify: () => true }, ["ed25519-refuse"]],
    ["accepts none", { ed25519Verify: () => false }, ["ed25519-verify"]],
    ["throws", { sha256: () => assert.fail("broken") }, ["sha256"]],
    ["unseals anything", { unseal: () => ascii("lock") }, ["unseal-refuse"]],
    ["unseals nothing", { unseal: () => undefined }, ["unseal"]],
    ["signs badly", { ed25519Sign: () => new Uint8Array(64) }, ["ed25519-sign"]],
    ["derives badly", { ed25519PublicKey: () => new Uint8Array(32) }, ["ed25519-public-key"]],
    ["hashes badly", { hmacSha256: () => new Uint8Array(32) }, ["hmac-sha256"]],
    ["seals badly", { seal: () => new Uint8Array(20) }, ["seal"]],
  ];
  for (const [what, fault, wrong] of broken)
    it(`sees one that ${what}`, () => {
      const crypto = { ...nodeCrypto, ...fault };
      assert.deepEqual(
        CRYPTO_TESTS.filter((name) => !passesCryptoTest(crypto, name)),
        wrong,
      );
    });
});
