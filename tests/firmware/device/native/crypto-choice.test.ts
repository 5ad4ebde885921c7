// Which crypto a board computes with: the C where it starts and is right, and the portable one instead of a lock that opens for nobody.

import assert from "node:assert/strict";
import { boardCrypto } from "../../../../firmware/device/crypto";
import portable from "../../../../firmware/device/portable";
import type { Crypto } from "../../../../protocol/crypto/port";
import { node } from "../../../../simulator/board/crypto";
import { ChipModel } from "../../../support/sdk/native";

describe("The crypto of a board", () => {
  const never = (): Crypto => assert.fail("the portable crypto was loaded");

  it("is the C, and the portable one is not even loaded", () => {
    assert.equal(boardCrypto(new ChipModel().native, never).name, "libsodium");
  });

  it("is the portable one where the library does not start", () => {
    for (const cryptoError of [-1, -2])
      assert.equal(boardCrypto(new ChipModel({ cryptoError }).native, () => portable).name, "noble");
  });

  it("is the portable one where the C throws, or any of its answers is wrong", () => {
    const wrong: Partial<Crypto>[] = [
      { sha256: (data) => node.sha256(data).fill(1, 0, 1) },
      { hmacSha256: () => new Uint8Array(32) },
      { ed25519Sign: () => new Uint8Array(64) },
      { ed25519Verify: () => true },
      { ed25519Verify: () => false },
      { unseal: (_key, _nonce, _aad, sealed) => sealed.subarray(16) },
      {
        seal: () => {
          throw new Error("broken");
        },
      },
    ];
    for (const change of wrong) {
      const { native } = new ChipModel({ crypto: { ...node, ...change } });
      assert.equal(boardCrypto(native, () => portable).name, "noble");
    }
  });
});
