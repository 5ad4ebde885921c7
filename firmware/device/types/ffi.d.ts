// The native functions, bound by the manifest's "ffi".

declare module "mc/ffi" {
  const FFI: new () => import("../native").Native;
  export default FFI;
}
