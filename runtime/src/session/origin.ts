// Where a request comes from: the client's address, scheme and host as far as proxies can be trusted to report them, and
// whether another site made a browser send it (cross-site request forgery). Open it with `allowedOrigins`, not here.
import { BlockList, isIP, SocketAddress } from "node:net";
import { isBelow, type SessionRequest } from "./request.ts";
import type { SessionSettings } from "./settings.ts";

export class CrossOrigin extends Error {
  override readonly name = "CrossOrigin";
  readonly status = 403;
  readonly statusCode = 403;
  readonly origin: string | undefined;
  readonly host: string | undefined;

  /** Its message is for the client; the event says what the server can do about it. */
  constructor(origin: string | undefined, host: string | undefined) {
    super("This request comes from another site. It was refused.");
    this.origin = origin;
    this.host = host;
  }
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Throws CrossOrigin. No page can forge Sec-Fetch-Site or Origin, and a client that sends neither is no browser. */
export function rejectCrossOrigin(request: SessionRequest, proxies: Proxies, settings: SessionSettings): void {
  // The handshake of a WebSocket is a GET, but opens a channel through which a page can act.
  if (SAFE_METHODS.has(request.method) && request.header("upgrade") === undefined) return;
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  if (site === "same-origin" || site === "none") return;
  if (site === undefined && origin === undefined) return;
  if (origin !== undefined && settings.allowedOrigins.includes(origin)) return;
  if (isBelow(request, settings.allowedPaths)) return;
  const host = proxies.host(request);
  if (site === undefined && isOwn(origin, host)) return;
  throw new CrossOrigin(origin, host);
}

/** The host is parsed too, since a default port may be named or not. The origin "null" is nobody's own. */
function isOwn(origin: string | undefined, host: string | undefined): boolean {
  const own = origin === undefined ? null : URL.parse(origin);
  return own !== null && own.host !== "" && own.host === URL.parse(`${own.protocol}//${host}`)?.host;
}

/** Whom to believe: a header is only a claim unless `trustProxy` vouches for its sender. */
export class Proxies {
  readonly #hops: number;
  readonly #trusted = new BlockList();
  readonly #trustsAny: boolean;

  /** Throws a TypeError for an entry that is neither an address nor a network. */
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

  /** The client's address, normalised. X-Forwarded-For is read from the right, as far as trust reaches. */
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
  isHttps(request: SessionRequest): boolean {
    return request.isHttps || this.#forwarded(request, "x-forwarded-proto") === "https";
  }

  /** The host that the client has asked for. */
  host(request: SessionRequest): string | undefined {
    return this.#forwarded(request, "x-forwarded-host") ?? request.host;
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

/**
 * One spelling for every address: `::ffff:1.2.3.4` becomes `1.2.3.4`, IPv6 is compressed and loses its zone, a port is
 * cut off. Returns undefined for text that is no address.
 */
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
