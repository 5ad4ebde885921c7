// The SDK's sockets, resolver, TLS and MQTT client (ECMA-419, clauses 11, 16 and 17), and its X.509, as far as they are used.

declare module "embedded:io/socket/tcp" {
  const TCP: import("../sockets").TcpConstructor;
  export default TCP;
}

declare module "embedded:io/socket/udp" {
  const UDP: import("../sockets").UdpConstructor;
  export default UDP;
}

declare module "embedded:network/dns/resolver/udp" {
  const Resolver: import("../sockets").ResolverConstructor;
  export default Resolver;
}

declare module "embedded:io/socket/tcp/tls" {
  const TLSSocket: import("../network").SdkTls;
  export default TLSSocket;
}

declare module "embedded:network/mqtt/client" {
  const MQTTClient: import("../network").SdkMqtt;
  export default MQTTClient;
}

declare module "x509" {
  const X509: import("../certificate").X509;
  export default X509;
}

declare module "ssl/cert" {
  const CertificateManager: import("../certificate").CertificateManager;
  export default CertificateManager;
}

declare module "Resource" {
  /** A file of the build, in flash. */
  export default class Resource {
    /** Throws where the build has no such file. */
    constructor(path: string);
    static exists(path: string): boolean;
    readonly byteLength: number;
    /** A copy of its bytes. */
    slice(begin: number, end?: number): ArrayBuffer;
  }
}
