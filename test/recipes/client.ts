// A browser without a window: it keeps cookies, sends forms and JSON, and follows redirects only when it is asked to.
// Change it when recipes need more of a browser.

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the response holds.
  json: any;
}

export class Client {
  readonly url: string;
  readonly cookies = new Map<string, string>();

  constructor(url: string) {
    this.url = url;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  get(path: string, headers?: Record<string, string>): Promise<Reply> {
    return this.send("GET", path, undefined, headers);
  }

  /** Sends JSON. */
  post(path: string, body: unknown = {}, headers?: Record<string, string>): Promise<Reply> {
    return this.send("POST", path, JSON.stringify(body), { "content-type": "application/json", ...headers });
  }

  form(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Reply> {
    const body = new URLSearchParams(fields).toString();
    return this.send("POST", path, body, { "content-type": "application/x-www-form-urlencoded", ...headers });
  }

  async send(
    method: string,
    path: string,
    body?: BodyInit | null,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const url = new URL(path, this.url);
    const sent = this.cookie === "" ? headers : { cookie: this.cookie, ...headers };
    const response = await fetch(url, { method, body: body ?? null, headers: sent, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  /** Sends a GET and follows redirects, to other hosts too, until there is a page, or one leads to what begins with `stop`. */
  async follow(path: string, stop?: string): Promise<Reply & { url: string }> {
    let url = new URL(path, this.url).href;
    for (let count = 0; count < 10; count += 1) {
      const reply = await this.get(url);
      const location = reply.headers.get("location");
      if (location === null) return { ...reply, url };
      url = new URL(location, url).href;
      if (stop !== undefined && url.startsWith(stop)) return { ...reply, url };
    }
    throw new Error(`too many redirects, the last to ${url}`);
  }

  #keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";");
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    const gone = attributes.some((attribute) => /^\s*(max-age=0|expires=Thu, 01 Jan 1970.*)$/i.test(attribute));
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(at + 1));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
