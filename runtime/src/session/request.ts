// What sessions need to know of a request, and what proxies' headers may add.
// Change here whom to believe: a header is a claim until `trustProxy` vouches for its sender.
import type { IncomingMessage } from "node:http";
import { BlockList, isIP, SocketAddress } from "node:net";
import type { TLSSocket } from "node:tls";
import type { SessionSettings } from "./settings.ts";

export interface SessionRequest {
  method: string;
  /** Path and query, as the client sent them. */
  url: string;
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** The client, or the last proxy. */
  remoteAddress: string | undefined;
  /** Of this connection itself. */
  encrypted: boolean;
}

/** Of node:http and every framework that is built on it. */
export class NodeRequest implements SessionRequest {
  readonly #message: IncomingMessage;
  readonly url: string;
  constructor(message: IncomingMessage, url = message.url ?? "/") {
    this.#message = message;
    this.url = url;
  }
  get method(): string {
    return this.#message.method ?? "GET";
  }
  header(name: string): string | undefined {
    const value = this.#message.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }
  get remoteAddress(): string | undefined {
    return this.#message.socket.remoteAddress;
  }
  get encrypted(): boolean {
    return (this.#message.socket as Partial<TLSSocket>).encrypted === true;
  }
}

export class Proxies {
  readonly #hops: number;
  readonly #trusted = new BlockList();
  readonly #trustsAny: boolean;

  constructor(trustProxy: SessionSettings["trustProxy"]) {
    this.#trustsAny = trustProxy !== undefined;
    this.#hops = typeof trustProxy === "number" ? trustProxy : 0;
    for (const entry of typeof trustProxy === "object" ? trustProxy : []) {
      const [network = "", bits] = entry.split("/");
      const address = normalise(network);
      if (address === undefined) throw new TypeError(`trustProxy: "${entry}" is neither an address nor a network`);
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
      const mapped = family === "ipv4" && isIP(network) === 6 ? 96 : 0;
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits) - mapped, family);
    }
  }

  /** Normalised. X-Forwarded-For is read from the right, as far as trust reaches: the rest is the client's claim. */
  address(request: SessionRequest): string {
    let address = normalise(request.remoteAddress ?? "") ?? "";
    if (!this.#trusts(address, 0)) return address;
    const forwarded = (request.header("x-forwarded-for") ?? "").split(",").reverse();
    for (const [index, text] of forwarded.entries()) {
      const next = normalise(text.trim());
      if (next === undefined) break;
      address = next;
      if (!this.#trusts(address, index + 1)) break;
    }
    return address;
  }

  /** Whether the client speaks HTTPS, to us or to a trusted proxy. */
  secure(request: SessionRequest): boolean {
    return request.encrypted || this.#forwarded(request, "x-forwarded-proto") === "https";
  }

  host(request: SessionRequest): string | undefined {
    return this.#forwarded(request, "x-forwarded-host") ?? request.header("host");
  }

  #forwarded(request: SessionRequest, name: string): string | undefined {
    const value = this.#trustsAny ? request.header(name) : undefined;
    if (value === undefined || !this.#trusts(normalise(request.remoteAddress ?? "") ?? "", 0)) return undefined;
    return value.split(",", 1)[0]?.trim().toLowerCase();
  }

  #trusts(address: string, hop: number): boolean {
    if (!this.#trustsAny) return false;
    if (hop < this.#hops) return true;
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? "ipv6" : "ipv4");
  }
}

/** `::ffff:1.2.3.4` becomes `1.2.3.4`, IPv6 is compressed, without zone. undefined: no address. */
export function normalise(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  const address = text.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/%.*$/, "");
  if (isIP(address) === 4) return address;
  if (isIP(address) !== 6) {
    const withPort = /^([\d.]+):\d+$/.exec(address)?.[1];
    return withPort !== undefined && isIP(withPort) === 4 ? withPort : undefined;
  }
  const canonical = new SocketAddress({ address, family: "ipv6" }).address;
  return /^::ffff:([\d.]+)$/i.exec(canonical)?.[1] ?? canonical;
}
