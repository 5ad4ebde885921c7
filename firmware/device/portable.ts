// The portable crypto as a module that is loaded only where the C does not do its work: what its hashes work in is made then, in RAM.

import { noble } from "../../protocol/crypto/noble";

export default noble;
