// Settings that travel and lie sealed (rules X5, P5, A63): the lock's name, its network and its broker. They are opened when somebody
// needs them, and never kept, logged or digested in the clear.

import type { ClaimKeys } from "../../protocol/crypto/derive";
import { settingAad, unsealWith } from "../../protocol/crypto/seal";
import type { Broker, Wifi } from "../../protocol/wire/settings";
import { isPlain, parseBroker, parseWifi, Setting } from "../../protocol/wire/settings";
import { commandedAlias } from "./overlay";
import type { Parts } from "./parts";

/** Who knows the keys of the claim. */
export interface KeyHolder {
  /** Undefined while there is no owner. */
  readonly derived: ClaimKeys | undefined;
}

export class Secrets {
  readonly #parts: Pick<Parts, "board" | "table">;
  readonly #keys: KeyHolder;

  constructor(parts: Pick<Parts, "board" | "table">, keys: KeyHolder) {
    this.#parts = parts;
    this.#keys = keys;
  }

  /** What is in a sealed value of a setting; undefined where it does not open, or means nothing. */
  open(setting: number, value: Uint8Array): Uint8Array | undefined {
    const { crypto, identity } = this.#parts.board;
    const key = this.#keys.derived?.sealKey;
    const plain = key && unsealWith(crypto, key, settingAad(identity.lock, setting), value);
    return plain !== undefined && isPlain(setting, plain) ? plain : undefined;
  }

  private read(setting: number): Uint8Array | undefined {
    const value = this.#parts.table.setting(setting);
    return value && this.open(setting, value);
  }

  /** The lock's name in UTF-8; undefined while it has none. */
  get alias(): Uint8Array | undefined {
    return commandedAlias(this.#parts.table) ?? this.read(Setting.alias);
  }

  /** The network to join; undefined where none is set. */
  get wifi(): Wifi | undefined {
    const plain = this.read(Setting.wifi);
    return plain && parseWifi(plain);
  }

  /** The broker of the site; undefined where none is set. */
  get broker(): Broker | undefined {
    const plain = this.read(Setting.broker);
    return plain && parseBroker(plain);
  }
}
