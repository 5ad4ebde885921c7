// What the modules that answer messages share: the lock's parts, whom it obeys, its log, and the ways to verify, to sign and to note a sign
// of life. One object for all of them, since each would otherwise keep every one of these for itself.

import type { Authority } from "./authority";
import type { Diary } from "./diary";
import type { Envelopes } from "./envelopes";
import type { Heartbeats } from "./heartbeats";
import type { Parts } from "./parts";
import type { Receipts } from "./receipts";

export interface Desk {
  readonly parts: Parts;
  readonly authority: Authority;
  readonly diary: Diary;
  readonly envelopes: Envelopes;
  readonly receipts: Receipts;
  readonly heartbeats: Heartbeats;
}
