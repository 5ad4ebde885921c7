// New firmware (rule X14): an image is written into the slot that does not run, and starts only after all of it is there, the chip has checked
// it, and it is not older than the version floor. Who signed it is the chip's secure boot to judge. A new image is on trial until it has shown
// that it can do the lock's work; the bootloader goes back to the old one for whatever has not been accepted when the chip restarts.

import { type Native, OTA_STATE } from "./native";

/** The SDK's module `embedded:update`, as far as it is used. */
export interface UpdateModule {
  open(options: { readonly partition: object; readonly mode: "a" }): UpdateSlot;
}

/** A slot that is being written, from its start to its end. */
export interface UpdateSlot {
  write(bytes: Uint8Array): void;
  /** Has the whole image checked, and makes it the one that starts next. */
  complete(): void;
  close(): void;
}

/** Why an image is not taken: its size, its first bytes, a version below the floor, an end too early, or an error of the flash. */
export type UpdateFault = "size" | "not-an-image" | "too-old" | "incomplete" | "flash";

/** Bytes that the first piece must have: headers of the image and of its first segment, and the description of the application. */
export const FIRST_BYTES = 288;
/** ESP-IDF's image header and application description, which stands behind the headers (esp_image_format.h, esp_app_desc.h). */
const IMAGE_MAGIC = 0xe9;
const CHIP_AT = 12;
const CHIP_ESP32 = 0;
const DESCRIPTION_AT = 32;
const DESCRIPTION_MAGIC = 0xabcd5432;
const SECURE_VERSION_AT = DESCRIPTION_AT + 4;

/** What a {@link FirmwareUpdate} is made of. */
export interface UpdateOptions {
  readonly update: UpdateModule;
  /** Opens the slot that does not run, as `embedded:storage/flash` gives it. */
  readonly openSlot: () => { status(): { readonly size: number } };
  readonly native: Pick<Native, "runningVersion">;
}

export class FirmwareUpdate {
  readonly #options: UpdateOptions;
  #slot: UpdateSlot | undefined;
  #partition: object | undefined;
  #length = 0;
  /** Bytes that have been written. */
  written = 0;

  constructor(options: UpdateOptions) {
    this.#options = options;
  }

  /** Whether an image is being written. */
  get isRunning(): boolean {
    return this.#partition !== undefined;
  }

  /** Begins with an image of so many bytes; what was begun before is forgotten. */
  begin(length: number): UpdateFault | undefined {
    this.abort();
    try {
      const partition = this.#options.openSlot();
      if (length < FIRST_BYTES || length > partition.status().size) return "size";
      this.#partition = partition;
      this.#length = length;
      return undefined;
    } catch {
      return "flash";
    }
  }

  /** The next piece. Nothing is written before the first one has been found good; after a fault all begins anew. */
  write(bytes: Uint8Array): UpdateFault | undefined {
    const fault = this.put(bytes);
    if (fault !== undefined) this.abort();
    return fault;
  }

  private put(bytes: Uint8Array): UpdateFault | undefined {
    if (this.#partition === undefined) return "incomplete";
    if (this.written + bytes.length > this.#length) return "size";
    try {
      if (this.#slot === undefined) {
        const fault = this.faultOf(bytes);
        if (fault !== undefined) return fault;
        this.#slot = this.#options.update.open({ partition: this.#partition, mode: "a" });
      }
      this.#slot.write(bytes);
      this.written += bytes.length;
      return undefined;
    } catch {
      return "flash";
    }
  }

  private faultOf(first: Uint8Array): UpdateFault | undefined {
    if (first.length < FIRST_BYTES || first[0] !== IMAGE_MAGIC) return "not-an-image";
    const header = view(first);
    const isOurs = header.getUint16(CHIP_AT, true) === CHIP_ESP32;
    if (!isOurs || header.getUint32(DESCRIPTION_AT, true) !== DESCRIPTION_MAGIC) return "not-an-image";
    const floor = this.#options.native.runningVersion();
    return header.getUint32(SECURE_VERSION_AT, true) < floor ? "too-old" : undefined;
  }

  /** The image is whole: it starts at the next restart. Undefined when it does. */
  finish(): UpdateFault | undefined {
    if (this.#slot === undefined || this.written !== this.#length) {
      this.abort();
      return "incomplete";
    }
    try {
      this.#slot.complete();
      return undefined;
    } catch {
      return "not-an-image";
    } finally {
      this.abort();
    }
  }

  /** Gives up what was begun; the image that runs goes on to be the one that starts. */
  abort(): void {
    try {
      this.#slot?.close();
    } catch {
      // It is of no use any more.
    }
    this.#slot = undefined;
    this.#partition = undefined;
    this.written = 0;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** How long an image is watched before it is accepted, in seconds: its radio is up, and its turns have come. */
export const TRIAL_S = 30;

/** What an image on trial has shown of itself. */
export interface Proof {
  /** Seconds since boot. */
  readonly now: number;
  /** How the credentials were found; see `Parts.mountState` of the core. */
  readonly mountState: string;
  readonly isCryptoRight: boolean;
  /** Exceptions that were caught since boot. */
  readonly faults: number;
}

/**
 * What becomes of an image on trial. One that cannot read the table of the one before, computes wrongly or throws is given back at once; a
 * lock that was never formatted says nothing against it.
 */
export function verdictOf({ now, mountState, isCryptoRight, faults }: Proof): "wait" | "accept" | "reject" {
  const canRead = mountState === "mounted" || mountState === "unformatted";
  if (!canRead || !isCryptoRight || faults > 0) return "reject";
  return now < TRIAL_S ? "wait" : "accept";
}

/** The trial of the image that runs. */
export class Trial {
  readonly #native: Pick<Native, "otaState" | "otaAccept" | "otaReject">;
  #isOpen: boolean;

  constructor(native: Pick<Native, "otaState" | "otaAccept" | "otaReject">) {
    this.#native = native;
    this.#isOpen = native.otaState() === OTA_STATE.pending;
  }

  /** Whether the image has still to prove itself. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Judges the image; a rejected one does not come back from here on a chip. Call it in every turn. */
  tick(proof: Proof): void {
    if (!this.#isOpen) return;
    const verdict = verdictOf(proof);
    if (verdict === "wait") return;
    this.#isOpen = false;
    if (verdict === "accept") this.#native.otaAccept();
    else this.#native.otaReject();
  }
}
