// The identity as the device reads it (rule X10): whole, or a reason why not; and never with secrets left in memory.

import assert from "node:assert/strict";
import { IDENTITY_RECORD_BYTES, packIdentity } from "../../../firmware/core/identity-record";
import { noIdentityText, readIdentity } from "../../../firmware/device/identity";
import { IDENTITY_BUFFER_BYTES } from "../../../firmware/device/native";
import { ChipModel } from "../../support/sdk/native";

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const IDENTITY = {
  lock: fill(8, 1),
  profile: 1,
  seed: fill(32, 2),
  deviceSecret: fill(32, 3),
  makerRoot: fill(32, 4),
};
const RECORD = packIdentity(IDENTITY);

const read = (identity: Uint8Array | number) => readIdentity(new ChipModel({ identity }).native);

describe("X10 The identity of a chip", () => {
  it("is the record that provisioning wrote", () => {
    assert.deepEqual(read(RECORD), IDENTITY);
    assert.ok(IDENTITY_RECORD_BYTES <= IDENTITY_BUFFER_BYTES);
  });

  it("is not there on a chip that was never provisioned, or whose memory cannot be read", () => {
    assert.equal(read(-0x1102), "not-provisioned");
    for (const error of [-1, -0x10f, -0x1114, -0x1117]) assert.equal(read(error), error);
  });

  it("is nothing but the whole record", () => {
    for (let length = 0; length < RECORD.length; length++)
      assert.equal(typeof read(RECORD.slice(0, length)), "string", String(length));
    assert.equal(read(new Uint8Array([...RECORD, 0])), "damaged-identity");
    assert.equal(read(fill(IDENTITY_BUFFER_BYTES, 0xff)), "not-an-identity");
    for (let at = 0; at < RECORD.length; at++)
      assert.equal(typeof read(RECORD.map((byte, i) => (i === at ? byte ^ 1 : byte))), "string", String(at));
  });

  it("leaves no secret in the buffer that it was read into, whole or damaged", () => {
    for (const record of [RECORD, RECORD.map((byte, i) => (i === 60 ? byte ^ 1 : byte))]) {
      let seen: ArrayBuffer | undefined;
      readIdentity({
        identityRead(out) {
          seen = out;
          new Uint8Array(out).set(record);
          return record.length;
        },
      });
      assert.ok(seen !== undefined && new Uint8Array(seen).every((byte) => byte === 0));
    }
  });

  it("says in words what is wrong", () => {
    assert.equal(noIdentityText("not-provisioned"), "not-provisioned");
    assert.equal(noIdentityText(-0x1117), "the identity cannot be read: error -0x1117");
  });
});
