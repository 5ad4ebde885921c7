// The script that makes a machine like a lock before a bundle runs in it: what a lock lacks or its core must not use is gone, and
// every built-in is frozen the way preloading freezes it, so that code which patches or leans on one of these fails in the tests.

/** No parser on a lock (eval, Function), no clock and no chance in the core (Date, random), no threads, nothing that XS alone has. */
const GONE = [
  "eval",
  "Function",
  "Date",
  "Compartment",
  "ModuleSource",
  "SharedArrayBuffer",
  "Atomics",
  "WeakRef",
  "FinalizationRegistry",
  "escape",
  "unescape",
  "trace",
  "global",
  "lockdown",
];

/** Evaluate it first. `lockdown` is the engine's own: it freezes all intrinsics, those without a name too. */
export const FREEZE = `
delete Math.random;
lockdown();
for (const name of ${JSON.stringify(GONE)}) delete globalThis[name];
for (const name of Reflect.ownKeys(globalThis)) {
  const property = Reflect.getOwnPropertyDescriptor(globalThis, name);
  if (property.configurable) Object.defineProperty(globalThis, name, { writable: false, configurable: false });
}
undefined;
`;
