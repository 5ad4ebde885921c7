// What the SDK puts into the global object, as far as it is used.

/** Writes to the debugger; nothing in a release build. */
declare function trace(text: string): void;
/** Called when the engine is about to restart the chip; see the SDK's abort hook. */
declare var abort: (() => void) | undefined;
