// The keypad (rules C2, C4): what counts as an entry, and that only an exact one opens the door.

import assert from "node:assert/strict";
import { Key, Keypad, MAX_PAUSE_S } from "../../../firmware/core/keypad";
import { reasonName } from "../../../protocol/wire/codes";
import { Door } from "../../support/door";

/** Presses digits, then the confirm key, so many seconds apart. Returns what was entered, as text. */
function entered(keypad: Keypad, digits: string, from = 100, pauseS = 0.2): string {
  let now = from;
  for (const digit of digits) {
    assert.equal(keypad.press(Number(digit), now), "typing");
    now += pauseS;
  }
  assert.equal(keypad.press(Key.confirm, now), "entered");
  return Buffer.from(keypad.entry).toString("ascii");
}

describe("C2 the entry at the keypad", () => {
  it("holds up to 10 digits as ASCII, and is empty for 11 and more", () => {
    const keypad = new Keypad();
    for (const fitting of ["", "1", "123", "1234", "12345", "123456789", "1234567890"])
      assert.equal(entered(keypad, fitting), fitting);
    for (const bad of ["12345678901", "123456789012345678901234567890"])
      assert.equal(entered(keypad, bad), "", bad);
  });

  it("keeps leading zeros", () => {
    assert.equal(entered(new Keypad(), "0000"), "0000");
    assert.equal(entered(new Keypad(), "0123456789"), "0123456789");
  });

  it("begins anew after each entry, also after a bad one", () => {
    const keypad = new Keypad();
    for (const [typed, expected] of [
      ["1234567890", "1234567890"],
      ["4321", "4321"],
      ["123", "123"],
      ["4567", "4567"],
      ["12345678901", ""],
      ["7654", "7654"],
    ])
      assert.equal(entered(keypad, typed), expected);
  });
});

describe("C4 entry of any length", () => {
  it("a pause of five seconds keeps what was typed, a longer one discards it", () => {
    assert.equal(entered(new Keypad(), "1234", 100, MAX_PAUSE_S), "1234");
    assert.equal(entered(new Keypad(), "1234", 100, MAX_PAUSE_S + 0.001), "");
  });

  it("after a pause only what follows counts", () => {
    const keypad = new Keypad();
    for (const digit of [9, 9]) keypad.press(digit, 100);
    assert.equal(entered(keypad, "1234", 106), "1234");
    for (const digit of [1, 2, 3, 4]) keypad.press(digit, 200);
    assert.equal(entered(keypad, "", 206), "", "nothing is left for the confirm key");
  });

  it("the clear key discards, at any length", () => {
    const keypad = new Keypad();
    for (const count of [0, 1, 4, 10, 11]) {
      for (let i = 0; i < count; i++) keypad.press(9, 100);
      assert.equal(keypad.press(Key.clear, 100), "cleared");
      assert.equal(entered(keypad, "1234"), "1234");
    }
  });

  it("the first key after any rest counts", () => {
    assert.equal(entered(new Keypad(), "1234", 1e6), "1234");
    assert.equal(entered(new Keypad(), "1234", 0, 0), "1234");
  });
});

describe("C4 the keypad at the door", () => {
  const door = new Door();
  before(() => {
    const put = [door.pin(0, "123456"), door.pin(1, "98765432"), door.pin(2, "0555"), door.pin(3, "5550")];
    assert.deepEqual(door.apply(...put), ["applied", "applied", "applied", "applied"]);
  });
  afterEach(() => {
    door.now += 60;
    door.lock.tick();
  });

  it("opens by an exact match only, never by a prefix, an extension or a part", () => {
    assert.equal(door.type("123456"), "granted");
    for (const wrong of ["1234", "12345", "1234567", "23456", "0123456", "1234560", "9876"]) {
      assert.equal(door.type(wrong), "unknown", wrong);
      door.now += 3600;
    }
    assert.equal(door.type("98765432"), "granted");
  });

  it("takes leading and trailing zeros as digits", () => {
    assert.equal(door.type("0555"), "granted");
    assert.equal(door.type("5550"), "granted");
    assert.equal(door.type("00555"), "unknown");
    assert.equal(door.type("555"), "bad-entry");
  });

  it("never decides before the confirm key", () => {
    for (const digit of [1, 2, 3, 4, 5, 6]) assert.equal(door.lock.press(digit), undefined);
    assert.equal(door.lock.press(Key.clear), undefined);
    assert.equal(door.lock.press(Key.confirm), 1);
    const drawn = door.board.bolt.drawn;
    assert.equal(drawn, false);
  });

  it("refuses a right PIN with a pause in it, and takes it after one", () => {
    for (const digit of [1, 2, 3]) door.lock.press(digit);
    door.now += MAX_PAUSE_S + 1;
    for (const digit of [4, 5, 6]) door.lock.press(digit);
    assert.equal(reasonName(door.lock.press(Key.confirm)!), "bad-entry");
    for (const digit of [1, 2, 3]) door.lock.press(digit);
    door.now += MAX_PAUSE_S + 1;
    assert.equal(door.type("123456"), "granted");
  });

  it("refuses eleven digits that begin with a right PIN of ten", () => {
    assert.deepEqual(door.apply(door.pin(4, "1029384756")), ["applied"]);
    assert.equal(door.type("10293847560"), "bad-entry");
    assert.equal(door.type("1029384756"), "granted");
  });
});
