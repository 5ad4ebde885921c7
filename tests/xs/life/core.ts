// What a lock has in flash, as one bundle: the core, and beside it the virtual board that stands in for the ESP32's. On XS it is
// preloaded: frozen, with every buffer of its modules read-only. It imports no crypto, which comes by the board.

export { Bluetooth } from "../../../firmware/core/bluetooth";
export { Lock } from "../../../firmware/core/lock";
export { formatParts } from "../../../firmware/core/parts";
export { profileById } from "../../../firmware/core/profile";
export { Table } from "../../../firmware/core/storage/table";
export { credentialTag } from "../../../protocol/crypto/derive";
export { VirtualBolt, VirtualFeedback } from "../../../simulator/board/board";
export { CutNor, Supply } from "./cut-nor";
