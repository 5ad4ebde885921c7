// The URL of an MQTT broker that locks can use: `mqtt://host[:port]`, or `mqtts://` with TLS.

/** MQTT's own ports, without and with TLS. */
const PORTS = { mqtt: 1883, mqtts: 8883 } as const;
const MAX_PORT = 0xffff;
const URL_OF_BROKER = /^(mqtts?):\/\/(?:\[([0-9a-f:.]+)\]|([^\s:/@?#[\]]+))(?::(\d{1,5}))?\/?$/i;

/** Where a broker is. */
export interface BrokerPlace {
  /** A name or an address, which has no brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** The broker of a URL; undefined for a URL of anything else. */
export function parseBrokerUrl(url: string): BrokerPlace | undefined {
  const match = URL_OF_BROKER.exec(url);
  if (match === null) return undefined;
  const [, scheme, address, name] = match;
  const tls = scheme.toLowerCase() === "mqtts";
  const port = match[4] === undefined ? PORTS[tls ? "mqtts" : "mqtt"] : Number(match[4]);
  if (port === 0 || port > MAX_PORT) return undefined;
  return { host: address ?? name, port, tls };
}
