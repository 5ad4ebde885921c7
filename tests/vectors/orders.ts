// Heartbeats, rebases, consents to a reset, and what phones sign, for envelopes.json.

import { ascii, fromHex } from "../../protocol/wire/bytes";
import { Reason } from "../../protocol/wire/codes";
import { MAX_SEQ, MAX_U32 } from "../../protocol/wire/limits";
import { CommandOp } from "../../protocol/wire/payloads";
import { LOCK_ID, SIGNERS } from "./bench";
import { Cases, type EnvelopeCase, HEARD, OTHER_LOCK, placeIn } from "./cases";
import { headerOf } from "./craft";

export function heartbeats(): EnvelopeCase[] {
  const early = new Cases("heartbeat", "unclaimed");
  early.pairs("a heartbeat before the claim", "unclaimed", []);
  const claimed = new Cases("heartbeat", "claimed");
  claimed.pairs("a heartbeat before any keyset", "unknown-key", []);
  const list = new Cases("heartbeat", "advanced");
  list.pairs("a heartbeat", "applied", []);
  list.pairs("a heartbeat of a key that may sign bundles", "applied", [], { signer: SIGNERS.porter });
  list.pairs("a heartbeat of a key that may sign times", "key-not-allowed", [], { signer: SIGNERS.clerk });
  list.pairs("a heartbeat of an unknown key", "unknown-key", [], { signer: SIGNERS.stranger });
  list.pairs("a heartbeat of the owner", "unknown-key", [], { signer: SIGNERS.owner });
  list.pairs("a heartbeat for another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("a heartbeat of an earlier epoch", "stale-epoch", [[2, 0]]);
  list.pairs("a heartbeat of a later epoch", "need-rebase", [[2, 2]]);
  list.pairs("a heartbeat of no time", "malformed", [[3, 0]]);
  list.pairs("a heartbeat of the first second", "applied", [[3, 1]]);
  list.pairs("a heartbeat of the last second", "applied", [[3, MAX_U32]]);
  list.pairs("no acks seen", "applied", [[4, 0]]);
  list.pairs("more acks seen than there are", "applied", [[4, MAX_SEQ]]);
  list.pairs("acks of 25 bits", "malformed", [[4, MAX_SEQ + 1]]);
  list.pairs("no event seen", "applied", [[5, 1]]);
  list.pairs("more events seen than there are", "applied", [[5, MAX_U32]]);
  list.pairs("event 0", "malformed", [[5, 0]]);
  list.pairs("a heartbeat without events", "malformed", [[5, undefined]]);
  list.pairs("a heartbeat with an extension", "applied", [[128, [[]]]]);
  list.pairs("a heartbeat with an unknown critical key", "malformed", [[6, 1]]);
  list.envelope("a heartbeat in the domain of bundles", "bad-signature", { domain: "tumbler/1 bundle" });
  const heard = new Cases("heartbeat", "heard");
  heard.pairs("the same heartbeat again", "already-applied", [
    [3, HEARD],
    [4, 2],
    [5, 3],
  ]);
  heard.pairs("an earlier heartbeat", "replayed", [[3, HEARD - 1]]);
  heard.pairs("fewer acks at the same second", "already-applied", [
    [3, HEARD],
    [4, 1],
    [5, 3],
  ]);
  heard.pairs("fewer events at the same second", "already-applied", [
    [3, HEARD],
    [4, 2],
    [5, 2],
  ]);
  heard.pairs("more acks than there are at the same second", "already-applied", [
    [3, HEARD],
    [4, MAX_SEQ],
    [5, 3],
  ]);
  heard.pairs("another event at the same second", "replayed", [
    [3, HEARD],
    [4, 2],
    [5, 4],
  ]);
  heard.pairs("a second later, with lower numbers", "applied", [
    [3, HEARD + 1],
    [4, 0],
    [5, 1],
  ]);
  return [...early.list, ...claimed.list, ...list.list, ...heard.list];
}

export function rebases(): EnvelopeCase[] {
  const early = new Cases("rebase", "unclaimed");
  early.pairs("a rebase before the claim", "unclaimed", []);
  const claimed = new Cases("rebase", "claimed");
  claimed.pairs("a rebase before any keyset", "applied", [], { detail: 1 });
  const list = new Cases("rebase", "advanced");
  const print = new Uint8Array(16);
  list.pairs("a rebase", "applied", [], { detail: 1 });
  list.pairs("a rebase of no parts", [], [[5, []]]);
  list.pairs("a rebase of 48 parts", "applied", [[5, Array(48).fill(print)]], { detail: 1 });
  list.pairs("a rebase of 49 parts", "malformed", [[5, Array(49).fill(print)]]);
  list.pairs("a print of 15 bytes", "malformed", [[5, [print.subarray(1)]]]);
  list.pairs("a rebase to the epoch that there is", "stale-epoch", [[2, 1]]);
  list.pairs("a rebase to epoch 0", "malformed", [[2, 0]]);
  list.pairs("a rebase to the last epoch", "applied", [[2, MAX_U32]], { detail: 1 });
  list.pairs("base 0", "applied", [[4, 0]], { detail: 1 });
  list.pairs("the highest base", "applied", [[4, MAX_SEQ]], { detail: 1 });
  list.pairs("a base of 25 bits", "malformed", [[4, MAX_SEQ + 1]]);
  list.pairs("a rebase of another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("a rebase signed by an issuer", "bad-signature", [], { signer: SIGNERS.issuer });
  list.pairs("a rebase with an extension", "applied", [[128, 0]], { detail: 1 });
  list.pairs("a rebase with an unknown critical key", "malformed", [[6, 0]]);
  list.envelope("a rebase in the domain of resets", "bad-signature", { domain: "tumbler/1 reset" });
  return [...early.list, ...claimed.list, ...list.list];
}

export function resets(): EnvelopeCase[] {
  const early = new Cases("reset", "unclaimed");
  early.pairs("a consent before the claim", "unclaimed", []);
  const list = new Cases("reset", "claimed");
  list.pairs("a consent to a reset", "applied", []);
  list.pairs("a consent for another claim", "replayed", [[2, 2]]);
  list.pairs("a consent for claim 0", "malformed", [[2, 0]]);
  list.pairs("a consent without a nonce", "malformed", [[3, undefined]]);
  list.pairs("a nonce of seven bytes for a consent", "malformed", [[3, new Uint8Array(7)]]);
  list.pairs("a consent for another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("a consent to another nonce", "replayed", [[3, new Uint8Array(8)]]);
  list.pairs("a consent after 30 seconds", "applied", [], { uptime: 30 });
  list.pairs("a consent after 31 seconds", "timeout", [], { uptime: 31 });
  list.pairs("a consent signed by the maker", "bad-signature", [], { signer: SIGNERS.maker });
  list.pairs("a consent for another claim, signed by an issuer", "bad-signature", [[2, 2]], {
    signer: SIGNERS.issuer,
  });
  list.pairs("a consent with an extension", "applied", [[128, null]]);
  list.pairs("a consent with an unknown critical key", "malformed", [[4, null]]);
  list.envelope("a consent in the domain of keysets", "bad-signature", { domain: "tumbler/1 keys" });
  return [...early.list, ...list.list];
}

export function unlocks(): EnvelopeCase[] {
  const early = new Cases("unlock", "unclaimed");
  early.pairs("an unlock before the claim", "unclaimed", []);
  const bare = new Cases("unlock", "phones");
  bare.pairs("an unlock without a challenge", "replayed", [[2, placeIn("phones").nonce]]);
  const list = new Cases("unlock", "challenged");
  const { visitor, former, stranger, phone, issuer } = SIGNERS;
  list.pairs("an unlock", "applied", []);
  list.pairs("an unlock by a resident", "applied", [[3, visitor.publicKey]], { signer: visitor });
  list.pairs("an unlock by a phone that is disabled", "not-allowed", [[3, former.publicKey]], {
    signer: former,
    detail: Reason.disabled,
  });
  list.pairs("an unlock by a phone that has no slot", "unknown-key", [[3, stranger.publicKey]], {
    signer: stranger,
  });
  list.pairs("an unlock by an issuer's key", "unknown-key", [[3, issuer.publicKey]], { signer: issuer });
  list.pairs("an unlock that another phone signed", "bad-signature", [], { signer: visitor });
  list.pairs("the nonce of the hello", "replayed", [[2, placeIn("challenged").nonce]]);
  list.pairs(
    "another nonce, by a phone that has no slot",
    "replayed",
    [
      [2, new Uint8Array(8)],
      [3, stranger.publicKey],
    ],
    { signer: stranger },
  );
  list.pairs("a nonce of seven bytes for an unlock", "malformed", [[2, new Uint8Array(7)]]);
  list.pairs("a public key of 31 bytes", "malformed", [[3, phone.publicKey.subarray(1)]]);
  list.pairs("an unlock for another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("an unlock after 5 seconds", "applied", [], { uptime: 5 });
  list.pairs("an unlock after 6 seconds", "timeout", [], { uptime: 6 });
  list.pairs("an unlock with an extension", "applied", [[128, 0]]);
  list.pairs("an unlock with an unknown critical key", "malformed", [[4, 0]]);
  list.envelope("an unlock under any key id", "applied", { header: headerOf(LOCK_ID) });
  list.envelope("an unlock in the domain of commands", "bad-signature", { domain: "tumbler/1 command" });
  return [...early.list, ...bare.list, ...list.list];
}

export function commands(): EnvelopeCase[] {
  const early = new Cases("command", "unclaimed");
  early.pairs("a command before the claim", "unclaimed", []);
  const list = new Cases("command", "challenged");
  const { visitor, former, stranger } = SIGNERS;
  const op = (number: number, argument?: Uint8Array) => [
    [4, number] as const,
    ...(argument === undefined ? [] : [[5, argument] as const]),
  ];
  const by = (signer: typeof visitor) => [3, signer.publicKey] as const;
  const tour = fromHex("01");
  const shed = ascii("shed");
  list.pairs("lock", "applied", op(CommandOp.lock));
  list.pairs("lock, by a resident", "applied", [by(visitor)], { signer: visitor });
  list.pairs("lock, with an argument", "range", op(CommandOp.lock, tour));
  list.pairs("mode tour", "applied", op(CommandOp.mode, tour));
  list.pairs("no mode", "range", op(CommandOp.mode));
  list.pairs("an unknown mode by phone", "range", op(CommandOp.mode, fromHex("03")));
  list.pairs(
    "mode tour, without the capability",
    "key-not-allowed",
    [by(visitor), ...op(CommandOp.mode, tour)],
    {
      signer: visitor,
    },
  );
  list.pairs("a name by phone", "applied", op(CommandOp.rename, shed));
  list.pairs("a name of 32 bytes by phone", "applied", op(CommandOp.rename, ascii("n".repeat(32))));
  list.pairs("an argument of 33 bytes", "malformed", op(CommandOp.rename, ascii("n".repeat(33))));
  list.pairs("an empty name by phone", "range", op(CommandOp.rename, new Uint8Array(0)));
  list.pairs("a name by phone that is no text", "range", op(CommandOp.rename, fromHex("c3")));
  list.pairs(
    "a name, without the capability",
    "key-not-allowed",
    [by(visitor), ...op(CommandOp.rename, shed)],
    {
      signer: visitor,
    },
  );
  list.pairs("no codes of the keypad", "applied", op(CommandOp.resetCodes));
  list.pairs(
    "no codes of the keypad, without the capability",
    "key-not-allowed",
    [by(visitor), ...op(CommandOp.resetCodes)],
    { signer: visitor },
  );
  list.pairs("consent by phone", "applied", op(CommandOp.resetLock));
  list.pairs(
    "consent, without the capability",
    "key-not-allowed",
    [by(visitor), ...op(CommandOp.resetLock)],
    {
      signer: visitor,
    },
  );
  list.pairs("a phone that is disabled", "not-allowed", [by(former), ...op(CommandOp.mode, tour)], {
    signer: former,
    detail: Reason.disabled,
  });
  list.pairs("a phone that has no slot", "unknown-key", [by(stranger)], { signer: stranger });
  list.pairs("command 0", "unsupported", op(0));
  list.pairs("refusals", "refusals", op(CommandOp.refusals));
  list.pairs("refusals, with an argument", "range", op(CommandOp.refusals, tour));
  list.pairs(
    "refusals, without the capability",
    "key-not-allowed",
    [by(visitor), ...op(CommandOp.refusals)],
    {
      signer: visitor,
    },
  );
  list.pairs(
    "refusals, by a phone that is disabled",
    "not-allowed",
    [by(former), ...op(CommandOp.refusals)],
    {
      signer: former,
      detail: Reason.disabled,
    },
  );
  list.pairs("command 7", "unsupported", op(7));
  list.pairs("command 255, by a phone that is disabled", "unsupported", [by(former), ...op(255)], {
    signer: former,
  });
  list.pairs("command 256", "malformed", op(256));
  list.pairs("a command without an op", "malformed", [[4, undefined]]);
  list.pairs("a command that another phone signed", "bad-signature", [], { signer: visitor });
  list.pairs("a command with another nonce", "replayed", [[2, new Uint8Array(8)]]);
  list.pairs("a command after 6 seconds", "timeout", [], { uptime: 6 });
  list.pairs("a command for another lock", "wrong-lock", [[1, OTHER_LOCK]]);
  list.pairs("a command with an extension", "applied", [[128, 0]]);
  list.pairs("a command with an unknown critical key", "malformed", [[6, 0]]);
  list.envelope("a command in the domain of unlocks", "bad-signature", { domain: "tumbler/1 unlock" });
  return [...early.list, ...list.list];
}
