// The SDK's module for flash partitions (ECMA-419, clause 20.1).

declare module "embedded:storage/flash" {
  const flash: import("../flash").FlashModule;
  export default flash;
}
