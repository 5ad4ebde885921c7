// The version of this firmware, as a receipt tells it (rule P4).

import { ascii } from "../../protocol/wire/bytes";

/** At most 24 bytes. */
export const FIRMWARE: Uint8Array = ascii("tumbler 0.1.0");
