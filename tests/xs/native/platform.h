// What the engine needs to know of the machine under it. The package's own header, but with 16-bit property keys on every
// processor, as on the board: so bytecode has the same size on a 32-bit and on a 64-bit build.

#include "xsnapPlatform.h"

#undef mx32bitID
