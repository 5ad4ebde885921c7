// The SDK's module that writes a new application (ECMA-419, embedded:update), and what the manifest's `config` becomes.

declare module "embedded:update" {
  const update: import("../update").UpdateModule;
  export default update;
}

declare module "mc/config" {
  const config: {
    readonly lock: import("../board-config").BoardConfig;
  };
  export default config;
}
