// The SDK's Wi-Fi (ECMA-419, network interface).

declare module "embedded:network/interface/wifi" {
  const WiFi: import("../hosts").NetHosts["WiFi"];
  export default WiFi;
}
