// Somebody near the door with a phone and no key, over the virtual air: takes a line, does with it what a seed says, and takes the next one
// as soon as there is one.

import { openBle } from "../../protocol/courier/ble";
import type { WebCharacteristic } from "../../protocol/courier/web-bluetooth";
import { Gatt } from "../../protocol/wire/advert";
import { MAX_MESSAGE_BYTES } from "../../protocol/wire/limits";
import { frame, helloBody, Type } from "../../protocol/wire/messages";
import { packHandshake, Segments } from "../../protocol/wire/segments";
import { devicesIn, type VirtualDevice } from "../../simulator/net/web-bluetooth";
import type { BleSite } from "./ble-site";
import type { Dice } from "./dice";

const MTU = 185;
const SEGMENT_BYTES = MTU - 3;
const HELLO = frame(Type.hello, 1, helloBody(MAX_MESSAGE_BYTES));

/** What is done with a line: nothing; leaving at once; bytes without meaning; half a message and no more; one hello after the other. */
export type Habit = "silent" | "hasty" | "garbage" | "halfway" | "chatter";
export const HABITS: readonly Habit[] = ["silent", "hasty", "garbage", "halfway", "chatter"];

export class Stranger {
  /** Connections that it had. */
  connections = 0;
  readonly #site: BleSite;
  readonly #dice: Dice;
  readonly #habits: readonly Habit[];
  #isDone = false;

  constructor(site: BleSite, dice: Dice, habits: readonly Habit[] = HABITS) {
    this.#site = site;
    this.#dice = dice;
    this.#habits = habits;
  }

  /** It goes home when it next has a moment. */
  leave(): void {
    this.#isDone = true;
  }

  /** Stays until it is told to leave. */
  async stay(): Promise<void> {
    while (!this.#isDone) {
      await this.#pause(0.05, 0.5);
      const [device] = devicesIn(this.#site.air, { mtu: MTU });
      if (device === undefined) continue;
      this.connections++;
      // Whatever fails: it had not meant well.
      await this.#use(device).catch(() => {});
      device.gatt.disconnect();
    }
  }

  /** A while between so many seconds. */
  #pause(low: number, high: number): Promise<void> {
    return this.#site.time.sleep(low + ((high - low) * this.#dice.below(1000)) / 1000);
  }

  async #use(device: VirtualDevice): Promise<void> {
    const habit = this.#dice.pick(this.#habits);
    if (habit === "chatter") return this.#chatter(device);
    await device.gatt.connect();
    if (habit === "hasty") return;
    const inbox = await this.#inbox(device);
    if (habit === "garbage") {
      // From most phones the first bytes are a handshake, so that what follows is taken for segments.
      if (this.#dice.chance(0.7)) await inbox.writeValueWithResponse(packHandshake(0));
      for (; this.#isOn(device); await this.#pause(0.01, 0.3))
        await inbox.writeValueWithoutResponse(this.#dice.bytes(this.#dice.below(SEGMENT_BYTES)));
      return;
    }
    if (habit === "halfway") {
      await inbox.writeValueWithResponse(packHandshake(0));
      await this.#pause(0.1, 0.2);
      const segments = new Segments({ size: SEGMENT_BYTES, window: 6 });
      segments.send(this.#dice.bytes(MAX_MESSAGE_BYTES));
      for (let count = 1 + this.#dice.below(4); count > 0; count--)
        await inbox.writeValueWithResponse(segments.next()?.slice() ?? HELLO);
    }
    while (this.#isOn(device)) await this.#pause(0.1, 0.3);
  }

  async #inbox(device: VirtualDevice): Promise<WebCharacteristic> {
    const service = await device.gatt.getPrimaryService(Gatt.service);
    await (await service.getCharacteristic(Gatt.outbox)).startNotifications();
    return service.getCharacteristic(Gatt.inbox);
  }

  async #chatter(device: VirtualDevice): Promise<void> {
    const after = (seconds: number, job: () => void) => this.#site.time.after(seconds, job);
    const link = await openBle(device, { after });
    while (link !== undefined && this.#isOn(device)) {
      await link.request(HELLO);
      await this.#pause(0.01, 0.2);
    }
  }

  #isOn(device: VirtualDevice): boolean {
    return !this.#isDone && device.gatt.connected;
  }
}
