// Heartbeats: what a lock takes for one, what it keeps of it, and what that does to acks, the clock's floor and the status.

import assert from "node:assert/strict";
import { signClaim, signHeartbeat } from "../../../protocol/issuer/encode";
import { Reader } from "../../../protocol/wire/cbor";
import { Flag } from "../../../protocol/wire/entry";
import { StatusFlag, Type } from "../../../protocol/wire/messages";
import { readHeartbeat } from "../../../protocol/wire/payloads";
import { Door, L500I, MONDAY } from "../../support/door";

/** A door with so many puts, all of them acknowledged. */
function doorWith(puts: number, options: ConstructorParameters<typeof Door>[0] = {}): Door {
  const door = new Door(options);
  for (let slot = 0; slot < puts; slot++) door.apply(door.pin(slot, `4711${slot}9`));
  return door;
}

const wordOf = (door: Door): number => door.lock.authority.heard.signedAt;
const first = (door: Door): number => door.receipt().first;

describe("S12 a heartbeat is refused", () => {
  const heartbeat = (door: Door) => ({
    lock: door.identity.lock,
    epoch: 1,
    issuedAt: MONDAY,
    acks: 0,
    events: 1,
  });

  it("where it is malformed, or for another lock", () => {
    const door = new Door();
    const { crypto, issuer } = door;
    const wrong = { ...heartbeat(door), lock: new Uint8Array(8).fill(9) };
    assert.equal(door.send(Type.heartbeat, Uint8Array.of(0xa0)).result, "malformed");
    assert.equal(door.send(Type.heartbeat, signHeartbeat(crypto, issuer, wrong)).result, "wrong-lock");
    assert.equal(door.beat({ issuedAt: 0 }), "malformed");
    assert.equal(door.beat({ events: 0 }), "malformed");
  });

  it("without an owner", () => {
    const door = new Door({ unclaimed: true });
    assert.equal(door.beat(), "unclaimed");
  });

  it("of another epoch, whoever signed it", () => {
    const door = new Door();
    assert.equal(door.beat({ epoch: 0 }), "stale-epoch");
    assert.equal(door.beat({ epoch: 2 }), "need-rebase");
  });

  it("by an unknown key, by a key that may not, and with a bad signature", () => {
    const door = new Door();
    const body = (key: typeof door.issuer) => signHeartbeat(door.crypto, key, heartbeat(door));
    assert.equal(door.send(Type.heartbeat, body(door.maker)).result, "unknown-key");
    const posing = { ...door.maker, kid: door.issuer.kid };
    assert.equal(door.send(Type.heartbeat, body(posing)).result, "bad-signature");
    assert.equal(wordOf(door), 0);
  });

  it("when an older one comes again, and when the same time says something else", () => {
    const door = doorWith(2);
    const now = Math.floor(door.now);
    assert.equal(door.beat({ issuedAt: now, acks: 1, events: 3 }), "applied");
    assert.equal(door.beat({ issuedAt: now, acks: 1, events: 3 }), "already-applied");
    assert.equal(door.beat({ issuedAt: now, acks: 2, events: 3 }), "replayed");
    assert.equal(door.beat({ issuedAt: now, acks: 1, events: 4 }), "replayed");
    assert.equal(door.beat({ issuedAt: now - 1, acks: 1, events: 3 }), "replayed");
    assert.equal(door.beat({ issuedAt: now + 1, acks: 1, events: 3 }), "applied");
  });

  it("not when one comes again after the lock has applied more, or forgotten less, than it says", () => {
    const door = doorWith(3);
    const now = Math.floor(door.now);
    const events = door.lock.parts.events.next;
    assert.equal(door.beat({ issuedAt: now, acks: 2, events }), "applied");
    door.now += 1;
    door.apply(door.pin(9, "90210887"));
    assert.equal(door.beat({ issuedAt: now, acks: 2, events }), "already-applied");
    // An issuer whose store is an old copy has seen less than the lock keeps.
    assert.equal(door.beat({ issuedAt: now + 1, acks: 1, events: 1 }), "applied");
    assert.equal(door.beat({ issuedAt: now + 1, acks: 1, events: 1 }), "already-applied");
    // Too high is as high as can be, until that is more: then it says something that was not taken.
    const most = { issuedAt: now + 2, acks: 2 ** 24 - 1, events: 2 ** 32 - 1 };
    assert.equal(door.beat(most), "applied");
    assert.equal(door.beat(most), "already-applied");
    const { programs } = door.board.credentials.counters;
    assert.equal(door.beat({ ...most, acks: 0, events: 1 }), "already-applied");
    assert.equal(door.board.credentials.counters.programs, programs);
    door.apply(door.pin(10, "90210886"));
    assert.equal(door.beat(most), "replayed");
    assert.equal(first(door), 5, "what it did not see is not forgotten");
  });

  it("for now where the flash refuses, and then nothing has changed", () => {
    const door = doorWith(2);
    const { heard } = door.lock.authority;
    door.lock.parts.table.commitState = () => false;
    assert.equal(door.beat(), "busy");
    assert.deepEqual([heard.signedAt < door.now + 1, heard.issuedAt, heard.acks], [true, 0, 0]);
    assert.equal(first(door), 1);
  });
});

describe("S12 a heartbeat that is taken", () => {
  it("outlives a loss of power, and uses up no position", () => {
    const door = doorWith(3);
    door.now += 50;
    assert.equal(door.beat({ acks: 2, events: 4 }), "applied");
    door.reboot();
    const { heard } = door.lock.authority;
    assert.deepEqual(
      [heard.issuedAt, heard.signedAt, heard.acks, heard.events],
      [MONDAY + 50, MONDAY + 50, 2, 4],
    );
    assert.equal(door.hello().applied, 3);
    assert.equal(door.beat({ issuedAt: MONDAY + 50, acks: 2, events: 4 }), "already-applied");
  });

  it("is forgotten with the owner: the next one's issuer begins anew", () => {
    const door = doorWith(1);
    assert.equal(door.beat({ issuedAt: 0xffffffff }), "applied");
    const { authority, parts } = door.lock;
    assert.ok(authority.release() && authority.end());
    const ticket = { lock: door.identity.lock, number: 2, owner: door.owner.publicKey, site: "test" };
    door.expectDone(door.send(Type.claim, signClaim(door.crypto, door.maker, ticket)));
    assert.deepEqual([authority.heard.signedAt, authority.heard.issuedAt, authority.epoch], [0, 0, 2]);
    assert.ok(authority.firstEvent > 1 && authority.firstEvent < parts.events.next);
    door.reboot();
    assert.equal(door.lock.authority.heard.issuedAt, 0);
    assert.equal(door.lock.authority.firstEvent, authority.firstEvent);
  });

  it("raises the floor under the clock by the hour (rule T13)", () => {
    const door = new Door();
    const { clock } = door.lock.parts;
    door.pass(3598);
    assert.equal(door.beat(), "applied");
    assert.equal(clock.floor, MONDAY);
    door.pass(3);
    assert.equal(door.beat(), "applied");
    assert.ok(clock.floor >= MONDAY + 3600, `${clock.floor - MONDAY}`);
  });
});

describe("K2 acks that have come home", () => {
  it("are forgotten up to the one that the heartbeat names, and no further", () => {
    const door = doorWith(5);
    assert.equal(door.beat({ acks: 3 }), "applied");
    const receipt = door.receipt();
    assert.deepEqual([receipt.first, receipt.codes.length, receipt.applied], [4, 2, 5]);
  });

  it("stay forgotten after a boot", () => {
    const door = doorWith(5);
    door.beat({ acks: 3 });
    door.reboot();
    assert.equal(first(door), 4);
  });

  it("are never more than there are: a number above counts as the last", () => {
    const door = doorWith(3);
    assert.equal(door.beat({ acks: 4 }), "applied");
    assert.equal(door.lock.authority.heard.acks, 3);
    assert.deepEqual(door.apply(door.pin(7, "998877")), ["applied"]);
    const receipt = door.receipt();
    assert.deepEqual([receipt.first, receipt.codes.length], [4, 1]);
  });

  it("do not come back when an issuer has forgotten what it saw", () => {
    const door = doorWith(4);
    door.beat({ acks: 3 });
    door.now += 9;
    assert.equal(door.beat({ acks: 1 }), "applied");
    assert.equal(first(door), 4);
    door.reboot();
    assert.equal(first(door), 4);
  });

  it("carry the position through compaction although all are forgotten", () => {
    const door = doorWith(3, { profile: L500I });
    for (let i = 0; i < 600; i++) {
      door.now += 60;
      assert.equal(door.beat(), "applied");
      door.lock.tick();
    }
    door.reboot();
    assert.equal(door.hello().applied, 3);
    assert.deepEqual(door.lock.parts.table.head, door.head);
    assert.equal(first(door), 4);
    assert.deepEqual(door.apply(door.pin(5, "998877")), ["applied"]);
  });
});

describe("L3 the status", () => {
  const waits = (door: Door): boolean => (door.hello().flags & StatusFlag.eventsWaiting) !== 0;
  const isUrgent = (door: Door): boolean => (door.hello().flags & StatusFlag.urgent) !== 0;

  it("says that events wait until a heartbeat has covered the last one", () => {
    const door = doorWith(1);
    const { next } = door.lock.parts.events;
    assert.equal(waits(door), true);
    door.beat({ events: next - 1 });
    assert.equal(waits(door), true);
    door.now++;
    door.beat({ events: next });
    assert.equal(waits(door), false);
    door.type("471109");
    assert.equal(waits(door), true);
  });

  it("takes no event for seen that was not there yet", () => {
    const door = new Door();
    door.beat({ events: 0xffffffff });
    door.type("4711");
    assert.equal(waits(door), true);
  });

  it("says so at an unclaimed lock never", () => {
    const door = new Door({ unclaimed: true });
    assert.equal(door.hello().flags & (StatusFlag.eventsWaiting | StatusFlag.urgent), 0);
  });

  it("is urgent for duress and notify, not for anybody else, until the event has come home", () => {
    for (const [flags, wanted] of [
      [0, false],
      [Flag.duress, true],
      [Flag.notify, true],
    ] as const) {
      const door = new Door();
      door.apply(door.pin(1, "4711", { flags }));
      door.beat();
      assert.equal(door.type("4711"), "granted");
      assert.equal(isUrgent(door), wanted, `flags ${flags}`);
      door.now++;
      door.beat();
      assert.equal(isUrgent(door), false);
    }
  });

  it("tells a stranger at the radio nothing of that, and whoever brings a good signature all", () => {
    const door = new Door();
    door.apply(door.pin(1, "4711", { flags: Flag.duress }));
    assert.equal(door.type("4711"), "granted");
    door.session = door.lock.open("radio")!;
    assert.equal(isUrgent(door), false);
    door.setTime();
    assert.equal(isUrgent(door), true);
  });

  it("is urgent after a boot while anything waits", () => {
    const door = new Door();
    door.beat();
    door.reboot();
    assert.equal(isUrgent(door), false);
    door.type("4711");
    door.reboot();
    assert.equal(isUrgent(door), true);
  });
});

describe("L6 the event of an opening", () => {
  it("says whether it is the first of this generation, and whether the issuer wants to know", () => {
    const door = new Door();
    door.apply(door.pin(1, "4711"), door.pin(2, "4712", { flags: Flag.notify }));
    for (const digits of ["4711", "4711", "4712", "4712"]) assert.equal(door.type(digits), "granted");
    door.apply(door.pin(1, "4719", { generation: 1 }));
    assert.equal(door.type("4719"), "granted");
    const details: number[] = [];
    door.lock.parts.events.read(({ kind, detail }) => {
      if (kind === 2) details.push(detail);
    });
    assert.deepEqual(details, [1, 0, 3, 2, 1]);
  });
});

describe("X9 a heartbeat's payload", () => {
  it("is read by nothing else than its own reader", () => {
    assert.equal(readHeartbeat(new Reader(Uint8Array.of(0xa0))), undefined);
  });
});
