// A link to one lock by its name on the command line: a flash image, a folder that is shared with a lock, or an MQTT broker.

import { randomFillSync } from "node:crypto";
import type { IClientOptions } from "mqtt";
import { type Link, MemoryLink } from "../../protocol/courier/link";
import { toHex } from "../../protocol/wire/bytes";
import { node } from "../../simulator/board/crypto";
import { packImage } from "../../simulator/board/image";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import { writeAll } from "../files";
import { readImage } from "../image";
import { Failure } from "../ui/failure";
import { FolderLink } from "./folder";
import { connectBroker, MqttCourier } from "./mqtt";

/** What a link's name looks like, for help texts. */
export const LINK_HELP = `A lock is reached by
  image:FILE           a virtual lock on this flash image, which is written back
  folder:DIR           a folder that a lock answers in
  mqtt://HOST[:PORT]   a broker; also mqtts://, with --site, --ca, --user`;

/** How a broker is reached. */
export interface LinkOptions extends Pick<IClientOptions, "ca" | "username" | "password"> {
  /** The site in the topics of an MQTT broker. */
  readonly site?: string;
}

/** How long an answer is waited for, in milliseconds. */
const ANSWER_MS = 10_000;

/** Opens the link of this name to a lock. Throws a {@link Failure} for a name or a place that is none. */
export async function openLink(name: string, lock: Uint8Array, options: LinkOptions = {}): Promise<Link> {
  const [kind] = name.split(":", 1);
  const rest = name.slice(kind.length + 1);
  if (kind === "image" && rest !== "") return imageLink(rest, lock);
  if (kind === "folder" && rest !== "") return new FolderLink(rest, ANSWER_MS);
  if (kind === "mqtt" || kind === "mqtts") return brokerLink(name, lock, options);
  throw new Failure(`link ${name}: wanted image:FILE, folder:DIR, mqtt://HOST or mqtts://HOST`);
}

/** A virtual lock that lives as long as the link; its flash is in the file again when that is closed. */
async function imageLink(path: string, lock: Uint8Array): Promise<Link> {
  const image = readImage(path);
  if (toHex(image.identity.lock) !== toHex(lock))
    throw new Failure(
      `${path}: lock ${toHex(image.identity.lock)}, wanted ${toHex(lock)}`,
      "name its own image",
    );
  const world = { now: () => Date.now() / 1000 };
  const random = (buffer: Uint8Array) => void randomFillSync(buffer);
  const virtual = new VirtualLock({ image, crypto: node, world, random });
  const memory = new MemoryLink((message) => virtual.receive(message));
  return {
    request: (message) => memory.request(message),
    close: async () => {
      await memory.close();
      writeAll([{ path, content: packImage(virtual.board.image()), replace: true }]);
    },
  };
}

async function brokerLink(url: string, lock: Uint8Array, options: LinkOptions): Promise<Link> {
  const { site } = options;
  if (site === undefined) throw new Failure(`link ${url}: no site`, "add --site, as in the lock's claim");
  const client = await connectBroker(url, options);
  const courier = new MqttCourier(client, site);
  await courier.listen();
  const link = courier.link(lock, ANSWER_MS);
  return {
    request: (message) => link.request(message),
    close: async () => {
      await link.close();
      await client.endAsync(true);
    },
  };
}
