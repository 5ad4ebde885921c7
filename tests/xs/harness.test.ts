// Proves the XS harness itself: that programs run, that what it counts is what is there, and that a frozen machine is as narrow as
// a lock. The oracle for hashes and signatures is node:crypto.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { promisify } from "node:util";
import { tell } from "../support/tell";
import {
  bundle,
  bytecodeBytes,
  ensureXs,
  measure,
  startWith,
  XsException,
  XsMachine,
  XsStopped,
} from "./harness";

const run = promisify(execFile);

/** A lock's bundle in small: a request is [what][key length][key][data]; 0 hashes, 1 makes a MAC. */
const HASHES = {
  text: `
    import { hmac } from "@noble/hashes/hmac.js";
    import { sha256 } from "@noble/hashes/sha2.js";
    export { hmac, sha256 };
    globalThis.handleRequest = (bytes) => {
      const data = bytes.subarray(2 + bytes[1]);
      return bytes[0] === 0 ? sha256(data) : hmac(sha256, bytes.subarray(2, 2 + bytes[1]), data);
    };`,
};
const ED25519 = {
  text: `
    export { verifySignature } from "./protocol/crypto/verify";
    export { noble } from "./protocol/crypto/noble";`,
};
const HMAC_OF_A_PIN = "bundle.hmac(bundle.sha256, new Uint8Array(32), new Uint8Array(16))";
/** Lengths around SHA-256's padding and block borders. */
const LENGTHS = [0, 1, 3, 31, 55, 56, 63, 64, 65, 119, 120, 128, 250];

/** Fixed bytes that look like anything. */
function sample(length: number, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + salt * 59 + 13) & 0xff);
}

function bytesIn(bytes: Uint8Array): string {
  return "new Uint8Array([" + Array.from(bytes).join() + "])";
}

/** Runs `use` on a machine and closes it. */
async function withMachine<T>(
  machine: Promise<XsMachine>,
  use: (machine: XsMachine) => Promise<T>,
): Promise<T> {
  const started = await machine;
  try {
    return await use(started);
  } finally {
    await started.close();
  }
}

describe("XS harness", () => {
  before(async function () {
    this.timeout(600_000);
    await ensureXs();
  });

  describe("the engine", () => {
    it("says what to install when there is no make or compiler", async () => {
      const program =
        "require('./tests/xs/harness').ensureXs().then(() => process.exit(0), (e) => console.log(e.message))";
      const { stdout } = await run(process.execPath, ["-r", "ts-node/register", "-e", program], {
        env: { ...process.env, PATH: "/nowhere" },
      });
      assert.match(stdout, /make and a C compiler.*apt-get install build-essential/);
    });

    it("gives completion values, bytes and promises' effects, and survives an exception", () =>
      withMachine(XsMachine.start(), async (machine) => {
        assert.equal((await machine.evaluate("6 * 7")).value, "42");
        assert.equal((await machine.evaluate("undefined")).value, undefined);
        assert.deepEqual(
          (await machine.evaluate("new Uint8Array([1, 2, 3]).subarray(1)")).value,
          Uint8Array.of(2, 3),
        );
        await machine.evaluate("globalThis.seen = 0; Promise.resolve(7).then((v) => { seen = v; });");
        assert.equal((await machine.evaluate("seen")).value, "7");
        await assert.rejects(machine.evaluate("null.x"), XsException);
        await assert.rejects(machine.evaluate("syntax error("), XsException);
        await assert.rejects(machine.request(new Uint8Array(1)), XsException);
        assert.equal((await machine.evaluate("'alive'")).value, "alive");
      }));

    it("stops on endless recursion and on a call that takes too long, and says so", async () => {
      const deep = await XsMachine.start();
      await assert.rejects(deep.evaluate("(function f() { return 1 + f(); })()"), /stack overflow/);
      await assert.rejects(deep.evaluate("1"), XsStopped);
      const slow = await XsMachine.start({ timeoutMs: 200 });
      await assert.rejects(slow.evaluate("for (;;);"), /no answer within 200 ms/);
    });
  });

  describe("a bundle", () => {
    it("is refused if it needs Node", async () => {
      await assert.rejects(bundle({ text: 'import "node:fs"' }), /node:fs/);
      await assert.rejects(bundle({ text: 'import "crypto"' }), /crypto/);
    });

    it("computes SHA-256 and HMAC-SHA256 as Node does", () =>
      withMachine(startWith(HASHES, { frozen: true }), async (machine) => {
        for (const length of LENGTHS) {
          const data = sample(length, 1);
          const digest = await machine.request(Uint8Array.of(0, 0, ...data));
          assert.deepEqual(
            Buffer.from(digest),
            createHash("sha256").update(data).digest(),
            "SHA-256 of " + length,
          );
          const key = sample(length, 2);
          const mac = await machine.request(Uint8Array.of(1, length, ...key, ...data));
          assert.deepEqual(
            Buffer.from(mac),
            createHmac("sha256", key).update(data).digest(),
            "HMAC of " + length,
          );
        }
      }));

    it("verifies Node's Ed25519 signatures, and only those, in a heap of the board's size", async function () {
      const seed = sample(32, 3);
      const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
      const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
      const publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
      const message = sample(200, 4);
      const signature = sign(null, message, privateKey);
      const setup = `
        globalThis.signature = ${bytesIn(signature)};
        globalThis.message = ${bytesIn(message)};
        globalThis.publicKey = ${bytesIn(publicKey)};`;
      const verify = "bundle.verifySignature(bundle.noble, signature, message, publicKey)";
      const loaded = await withMachine(startWith(ED25519, { frozen: true }), (machine) => machine.heap());
      const fixed = { slots: loaded.slots + 3_500, nativeChunkBytes: loaded.nativeChunkBytes + 64 * 1024 };
      await withMachine(startWith(ED25519, { frozen: true, fixed }), async (machine) => {
        await machine.evaluate(setup);
        assert.equal((await machine.evaluate(verify)).value, "true");
        tell(this, "xs.compute_ed25519_verify " + (await machine.measure(verify)).compute);
        await machine.evaluate("message[100] ^= 1");
        assert.equal((await machine.evaluate(verify)).value, "false");
      });
    });
  });

  describe("the instruction meter", () => {
    it("counts the same for the same code, on one machine and on another", async function () {
      const { code } = await bundle(HASHES);
      const first = await measure(code, HMAC_OF_A_PIN);
      assert.equal((await measure(code, HMAC_OF_A_PIN)).compute, first.compute);
      await withMachine(startWith(HASHES), async (machine) => {
        await machine.evaluate("globalThis.other = []; for (let i = 0; i < 5000; i++) other.push({ i });");
        assert.equal((await machine.measure(HMAC_OF_A_PIN)).compute, first.compute);
        await machine.heap();
        assert.equal((await machine.measure(HMAC_OF_A_PIN)).compute, first.compute);
      });
      tell(this, "xs.compute_hmac " + first.compute);
    });

    it("counts nothing for nothing and twice as much for two", async () => {
      const setup = "const f = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum; };";
      assert.equal((await measure(setup, "")).compute, 0);
      const once = await measure(setup, "f(100);");
      assert.equal((await measure(setup, "f(100); f(100);")).compute, 2 * once.compute);
      assert.ok(once.compute > 500 && once.compute < 5_000, "f(100) takes " + once.compute);
    });

    it("gives the meter of a request", () =>
      withMachine(startWith(HASHES, { frozen: true }), async (machine) => {
        const first = await machine.meteredRequest(new Uint8Array(34));
        const second = await machine.meteredRequest(new Uint8Array(34));
        assert.equal(second.meter.compute, first.meter.compute);
        assert.ok(first.meter.compute > 10_000, "SHA-256 takes " + first.meter.compute);
      }));
  });

  describe("the heap", () => {
    /** What evaluating `code` adds to a machine, with the names it uses already known. */
    function added(code: string): Promise<{ slots: number; chunkBytes: number; back: number }> {
      return withMachine(XsMachine.start(), async (machine) => {
        await machine.evaluate("globalThis.kept = undefined; const keep = () => { kept = " + code + "; };");
        const before = await machine.heap();
        await machine.evaluate("keep()");
        const after = await machine.heap();
        await machine.evaluate("kept = undefined");
        const back = (await machine.heap()).bytes - before.bytes;
        return { slots: after.slots - before.slots, chunkBytes: after.chunkBytes - before.chunkBytes, back };
      });
    }

    it("counts bytes as bytes, array items as slots of 16 bytes, each chunk with 8 bytes of header", async () => {
      const buffer = await added("new ArrayBuffer(10000)");
      assert.equal(buffer.chunkBytes, 10_000 + 8);
      assert.ok(buffer.slots >= 2 && buffer.slots <= 6, buffer.slots + " slots for a buffer");
      const array = await added("new Array(1000).fill(0)");
      assert.equal(array.chunkBytes, 16 * 1000 + 8);
      const objects = await added("Array.from(new Uint8Array(1000), () => ({ a: 1 }))");
      assert.ok(
        objects.slots >= 2_000 && objects.slots <= 2_010,
        objects.slots + " slots for 1000 objects of one property",
      );
    });

    it("gives back what is no longer held", async () => {
      assert.equal((await added("Array.from(new Uint8Array(1000), (_, i) => 'text' + i)")).back, 0);
    });

    it("holds neither bytecode nor constant strings, which run from flash on a lock", async () => {
      const setup =
        "globalThis.make = () => ({ long: '" + "x".repeat(5_000) + "', f(a) { return a * 2 + 1; } });";
      await withMachine(XsMachine.start(), async (machine) => {
        assert.ok((await machine.evaluate(setup)).meter.bytecodeBytes > 5_000);
        const before = await machine.heap();
        await machine.evaluate("globalThis.made = make(); made.f(1);");
        assert.ok((await machine.heap()).bytes - before.bytes < 500);
      });
    });

    it("can be of fixed size: enough is enough, and one too few stops the machine", async () => {
      const loaded = await withMachine(XsMachine.start(), (machine) => machine.heap());
      const fixed = { slots: loaded.slots + 1_000, nativeChunkBytes: loaded.nativeChunkBytes + 10_000 };
      await withMachine(XsMachine.start({ fixed }), async (machine) => {
        await machine.evaluate(
          "globalThis.a = new Uint8Array(9_000); for (let i = 0; i < 10_000; i++) ({ i });",
        );
        await assert.rejects(machine.evaluate("globalThis.b = new Uint8Array(2_000)"), /memory full/);
      });
      await withMachine(XsMachine.start({ fixed }), (machine) =>
        assert.rejects(machine.evaluate("globalThis.c = null; for (;;) c = { c };"), /memory full/),
      );
    });

    it("has a peak, of what is live and not of garbage, and forgets it when it is asked", () =>
      withMachine(XsMachine.start(), async (machine) => {
        await machine.evaluate(
          "globalThis.grow = (most) => { let kept = []; for (let i = 0; i < 1000; i++) { new Uint8Array(500);" +
            " kept.push(new Uint8Array(100)); if (kept.length > most) kept = []; } };",
        );
        const idle = await machine.heap();
        const peaks: number[] = [];
        for (const most of [10, 100, 10]) {
          await machine.watch(20);
          await machine.evaluate("grow(" + most + ")");
          peaks.push((await machine.peak()).chunkBytes - idle.chunkBytes);
        }
        const [small, large, again] = peaks;
        assert.ok(small > 10 * 100 && small < 10_000, "ten buffers: " + small);
        assert.ok(large > 100 * 100 && large < 25_000, "a hundred: " + large);
        assert.ok(Math.abs(again - small) < 600, "ten again: " + again);
      }));

    it("has a stack whose depth is told, and which can be cut down to it", async () => {
      const setup = "globalThis.down = (n) => (n > 0 ? 1 + down(n - 1) : 0);";
      let depth = 0;
      await withMachine(XsMachine.start(), async (machine) => {
        await machine.evaluate(setup);
        await machine.watch(0);
        await machine.evaluate("down(20)");
        depth = (await machine.peak()).stackSlots;
        assert.ok(depth > 100 && depth < 400, "20 calls: " + depth);
        await machine.limitStack(depth + 8);
        assert.equal((await machine.evaluate("down(20)")).value, "20");
        await assert.rejects(machine.evaluate("down(24)"), /stack overflow/);
      });
    });

    it("holds no results of others before they are asked for", () =>
      withMachine(XsMachine.start(), async (machine) => {
        await machine.prompt(Uint8Array.of(0, 2, 7, 8, 0xff, 0xff, 0, 0));
        assert.deepEqual((await machine.evaluate("nextResult()")).value, Uint8Array.of(7, 8));
        assert.equal((await machine.evaluate("nextResult()")).value, undefined);
        await assert.rejects(machine.prompt(new Uint8Array(0)), /fewer calls/);
        assert.deepEqual((await machine.evaluate("nextResult()")).value, new Uint8Array(0));
        await assert.rejects(machine.evaluate("nextResult()"), /more calls/);
      }));

    it("of an idle machine, and with the hashes, is known", async function () {
      const idle = await withMachine(XsMachine.start({ frozen: true }), (machine) => machine.heap());
      const hashes = await withMachine(startWith(HASHES, { frozen: true }), (machine) => machine.heap());
      assert.ok(hashes.bytes > idle.bytes && hashes.bytes < idle.bytes + 40_000);
      tell(this, "xs.heap_idle_bytes " + idle.bytes + ", xs.heap_with_hashes_bytes " + hashes.bytes);
      tell(
        this,
        "xs.bytecode_hashes_bytes " + (await bytecodeBytes(HASHES)) + ", xs.engine_bits " + idle.bits,
      );
    });
  });

  describe("a frozen machine", () => {
    it("refuses to patch a built-in, named or not, or the name of an error", () =>
      withMachine(XsMachine.start({ frozen: true }), async (machine) => {
        for (const patch of [
          "Uint8Array.prototype.extra = 1",
          "Array.prototype.map = () => []",
          "Object.extra = 1",
          "globalThis.Map = 1",
          "Object.getPrototypeOf(function* () {}).extra = 1",
          "Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())).extra = 1",
          "new Error('x').name = 'Other'",
        ]) {
          await assert.rejects(machine.evaluate(patch), XsException, patch);
        }
      }));

    it("lacks what a lock lacks and what the core must not use", () =>
      withMachine(XsMachine.start({ frozen: true }), async (machine) => {
        for (const name of [
          ...[
            "eval",
            "Function",
            "Date",
            "setTimeout",
            "setInterval",
            "queueMicrotask",
            "console",
            "Buffer",
            "process",
          ],
          ...[
            "TextEncoder",
            "TextDecoder",
            "Intl",
            "Temporal",
            "WebAssembly",
            "crypto",
            "performance",
            "Math.random",
          ],
        ]) {
          assert.equal((await machine.evaluate("typeof " + name)).value, "undefined", name);
        }
        await assert.rejects(machine.evaluate("(() => {}).constructor('return 1')()"), XsException);
      }));

    it("makes module state read-only by preloading it, and leaves what is made later alone", async () => {
      const text = `
        const table = new Uint8Array(8);
        const names = new Map([["a", 1]]);
        export const limits = { most: 8 };
        export const read = () => table[0] + names.get("a") + limits.most;
        export const writeTable = () => { table[0] = 1; };
        export const writeNames = () => { names.set("b", 2); };
        export const writeLimits = () => { limits.most = 9; };
        export const writeOwn = () => { const own = new Uint8Array(1); own[0] = 5; return own[0]; };`;
      await withMachine(startWith({ text }, { frozen: true }), async (machine) => {
        await machine.evaluate("bundle.writeTable(); bundle.writeNames(); bundle.writeLimits();");
        await machine.preload();
        assert.equal((await machine.evaluate("bundle.read()")).value, "11");
        assert.equal((await machine.evaluate("bundle.writeOwn()")).value, "5");
        for (const write of ["writeTable", "writeNames", "writeLimits"]) {
          await assert.rejects(machine.evaluate("bundle." + write + "()"), /TypeError/, write);
        }
      });
    });
  });
});
