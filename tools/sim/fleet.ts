// Virtual locks that run in real time on flash images, and on the air; their flash goes back into the files.

import { randomFillSync } from "node:crypto";
import { toHex } from "../../protocol/wire/bytes";
import { node } from "../../simulator/board/crypto";
import { packImage } from "../../simulator/board/image";
import { VirtualLock } from "../../simulator/fleet/virtual-lock";
import type { Air } from "../../simulator/net/air";
import { writeAll } from "../files";
import { readImage } from "../image";
import { Failure } from "../ui/failure";

/** A lock of a file. */
export interface RunningLock {
  readonly path: string;
  readonly virtual: VirtualLock;
}

export class Fleet {
  readonly locks: readonly RunningLock[];
  /** Where they are heard. */
  readonly air: Air;
  readonly #ticking: NodeJS.Timeout;

  /** Starts the locks of these images. Throws a {@link Failure} for a file that is none, or two images of one lock. */
  constructor(paths: readonly string[], air: Air) {
    this.air = air;
    const images = paths.map((path) => ({ path, image: readImage(path) }));
    const ids = images.map(({ image }) => toHex(image.identity.lock));
    ids.forEach((id, i) => {
      if (ids.indexOf(id) !== i)
        throw new Failure(`${paths[i]}: lock ${id} once more`, "name one image of each lock");
    });
    const world = { now: () => Date.now() / 1000 };
    const random = (buffer: Uint8Array) => void randomFillSync(buffer);
    this.locks = images.map(({ path, image }) => ({
      path,
      virtual: new VirtualLock({ image, crypto: node, world, random, air }),
    }));
    this.#ticking = setInterval(() => {
      for (const { virtual } of this.locks) virtual.tick();
    }, 1000);
  }

  /** Stops them, and writes their flash back. */
  close(): void {
    clearInterval(this.#ticking);
    const files = this.locks.map(({ path, virtual }) => ({
      path,
      content: packImage(virtual.board.image()),
      replace: true,
    }));
    writeAll(files);
  }
}
