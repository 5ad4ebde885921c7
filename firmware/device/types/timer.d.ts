// The SDK's timers.

declare module "timer" {
  const Timer: import("../io").Timers;
  export default Timer;
}
