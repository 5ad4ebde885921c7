// The table of rules: every rule of the product about credentials, time and guessing, and of those about links what one place of the core
// can break; the test that proves it, and a bug that this test finds. Where the core changes and a bug's text no longer fits, rules.test.ts
// names rule and file: then say the same bug in the core's new words.

import { CREDENTIAL_RULES } from "./credential-rules";
import { GUESSING_RULES } from "./guessing-rules";
import { OFFLINE_RULES } from "./offline-rules";
import type { Rule } from "./rule";
import { SYNC_RULES } from "./sync-rules";
import { TIME_RULES } from "./time-rules";

export const RULES: readonly Rule[] = [
  ...CREDENTIAL_RULES,
  ...OFFLINE_RULES,
  ...TIME_RULES,
  ...GUESSING_RULES,
  ...SYNC_RULES,
];
