// The embedded broker (aedes) on a free loopback port, for who has no broker at hand.

import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { Failure } from "../ui/failure";

/** A broker that runs in this process. */
export interface EmbeddedBroker {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a broker on the loopback address. `port` 0 takes any free one; one in use is an error that says so. */
export async function startBroker(port = 0): Promise<EmbeddedBroker> {
  const aedes = await Aedes.createBroker();
  // Small messages wait for each other otherwise: 40 ms a message.
  const server: Server = createServer({ noDelay: true }, aedes.handle);
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(
      `embedded broker: port ${port}: ${code === "EADDRINUSE" ? "in use" : message}`,
      "choose another with --port, or leave it out for any free one",
    );
  }
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("embedded broker: no address");
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
