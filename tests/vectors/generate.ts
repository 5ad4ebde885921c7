// Writes protocol/vectors: `npm run vectors`. Everything comes from fixed seeds, so that the files only change when the protocol does. It
// leaves the files alone that others made (cbor.json, derive.json, ed25519.json).

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LOCK_1000 } from "../../firmware/core/profile";
import { signingKey } from "../../protocol/issuer/encode";
import { node } from "../../simulator/board/crypto";
import { identityOf, LOCK_ID } from "./bench";
import { bluetoothVectors } from "./bluetooth";
import { deltaVectors } from "./deltas";
import { envelopeVectors } from "./envelopes";
import { eventVectors } from "./events";
import { messageVectors } from "./messages";
import { sessionVectors } from "./sessions";
import { chainVectors, digestVectors } from "./tables";

/** Where the files are. */
export const VECTOR_FOLDER = join(__dirname, "../../protocol/vectors");

/** JSON with one case a line: objects and lists are opened as far as one of their parts holds a list or an object of lists. */
export function layout(value: unknown, depth: number, indent = ""): string {
  if (depth === 0 || value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((item) => inner + layout(item, depth - 1, inner))
    : Object.entries(value).map(
        ([key, item]) => `${inner}${JSON.stringify(key)}: ${layout(item, depth - 1, inner)}`,
      );
  const [open, close] = isList ? "[]" : "{}";
  return lines.length === 0 ? open + close : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** The content of every file by its name. */
export function vectorFiles(): Map<string, string> {
  const lockSigner = { ...signingKey(node, identityOf(LOCK_1000).seed), kid: LOCK_ID };
  const files: [string, unknown, number][] = [
    ["messages.json", messageVectors(), 2],
    ["envelopes.json", envelopeVectors(lockSigner), 2],
    ["deltas.json", deltaVectors(), 2],
    ["chain.json", chainVectors(), 2],
    ["digest.json", digestVectors(), 2],
    ["events.json", eventVectors(), 2],
    ["bluetooth.json", bluetoothVectors(), 2],
    ["sessions.json", sessionVectors(), 4],
  ];
  return new Map(files.map(([name, value, depth]) => [name, `${layout(value, depth)}\n`]));
}

if (require.main === module)
  for (const [name, text] of vectorFiles()) writeFileSync(join(VECTOR_FOLDER, name), text);
