// A real mosquitto with the configuration of examples/mosquitto: certificates of a site made by openssl, users as the README says, on a
// free port. It can be killed and started again.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";

const EXAMPLE = join(__dirname, "../../examples/mosquitto");
const START_MS = 15_000;

/** The path of a program; Debian keeps daemons outside of a user's PATH. */
export function programAt(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** What a test with a real broker lacks on this machine, "" when it has everything. */
export function missingPrograms(): string {
  return ["mosquitto", "mosquitto_passwd", "openssl"]
    .filter((name) => programAt(name) === undefined)
    .join(", ");
}

/** A certificate authority and a broker's certificate for this machine, PEM files ca.crt, broker.crt and broker.key in `folder`. */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    ...[
      "req",
      "-x509",
      ...fresh,
      "-days",
      "7300",
      "-subj",
      "/CN=Site CA",
      "-keyout",
      "ca.key",
      "-out",
      "ca.crt",
    ],
  );
  openssl("req", ...fresh, "-subj", "/CN=localhost", "-keyout", "broker.key", "-out", "broker.csr");
  writeFileSync(join(folder, "broker.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
  const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
  const days = ["-days", "3650", "-extfile", "broker.ext"];
  openssl("x509", "-req", "-in", "broker.csr", ...authority, ...days, "-out", "broker.crt");
  appendFileSync(join(folder, "broker.crt"), readFileSync(join(folder, "ca.crt")));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Whether something listens. */
async function isUp(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const up = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return up;
}

export class Mosquitto {
  readonly folder = mkdtempSync(join(tmpdir(), "tumbler-mosquitto-"));
  port = 0;
  /** What it printed. */
  log = "";
  #process: ChildProcess | undefined;

  /** Makes certificates, hashes the passwords of these lines `user:password`, and starts it. */
  static async make(users: string): Promise<Mosquitto> {
    const broker = new Mosquitto();
    const { folder } = broker;
    makeCertificates(folder);
    writeFileSync(join(folder, "passwords"), users, { mode: 0o600 });
    execFileSync(programAt("mosquitto_passwd") as string, ["-U", "passwords"], {
      cwd: folder,
      stdio: "pipe",
    });
    copyFileSync(join(EXAMPLE, "acl"), join(folder, "acl"));
    chmodSync(join(folder, "acl"), 0o600);
    broker.port = await freePort();
    const text = readFileSync(join(EXAMPLE, "mosquitto.conf"), "utf8");
    // Two things are this machine's: a free port, and a user who may read the folder where the tests run as root.
    const own = `listener ${broker.port} 127.0.0.1${userInfo().uid === 0 ? "\nuser root" : ""}`;
    writeFileSync(join(folder, "mosquitto.conf"), text.replace("listener 8883", own));
    await broker.start();
    return broker;
  }

  get ca(): string {
    return readFileSync(join(this.folder, "ca.crt"), "utf8");
  }

  get url(): string {
    return `mqtts://localhost:${this.port}`;
  }

  async start(): Promise<void> {
    const program = programAt("mosquitto") as string;
    const child = spawn(program, ["-c", "mosquitto.conf"], { cwd: this.folder, stdio: "pipe" });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        this.log += chunk;
      });
    this.#process = child;
    const until = Date.now() + START_MS;
    while (!(await isUp(this.port))) {
      if (child.exitCode !== null || Date.now() > until)
        throw new Error(`mosquitto does not start:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
