// The SDK's timers, and its loading of modules by name.

declare module "timer" {
  const Timer: import("../io").Timers;
  export default Timer;
}

declare module "modules" {
  const Modules: {
    /** The default export of a module of the build, which is loaded now if it was not. */
    importNow(name: string): unknown;
  };
  export default Modules;
}
