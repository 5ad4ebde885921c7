// The module name under which boards that are wired as the lock's board find its host provider; their manifests say so too.

declare module "boards/lock/provider" {
  const device: object;
  export default device;
}
