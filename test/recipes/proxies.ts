// nginx and Caddy as the recipes configure them, on free ports and with a certificate of this run's own.
// Change it when a page's configuration names something else that a test must replace.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../generator/sandbox.ts";
import { freePorts, isRoot, program, run } from "../servers/machine.ts";
import { Unit } from "../servers/unit.ts";

export interface Proxy {
  /** With the path below which the app is, if any, and without a "/" at the end. */
  url: string;
  /** The port for plain HTTP; Caddy's is not started. */
  plainPort: number;
}

interface Certificate {
  file: string;
  key: string;
}

/** Makes a certificate for localhost, which this process trusts from then on. */
async function certificate(folder: string): Promise<Certificate> {
  const [file, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run(["openssl", "req", "-x509", ...algorithm, ...subject, "-keyout", key, "-out", file]);
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(file, "utf8")]);
  return { file, key };
}

/** Replaces each of the words of a page, all of which must be there. */
function replaced(text: string, words: Record<string, string>): string {
  return Object.entries(words).reduce((current, [word, by]) => {
    if (!current.includes(word)) throw new Error(`the configuration doesn't name ${word}\n${text}`);
    return current.replaceAll(word, by);
  }, text);
}

/** Starts nginx with the project's nginx.conf, or Caddy with its Caddyfile, before the app on this port. */
export async function startProxy(kind: "nginx" | "caddy", project: string, appPort: number): Promise<Proxy> {
  const folder = temporaryFolder();
  const its = await certificate(folder);
  const [port = 0, plainPort = 0] = await freePorts(2);
  const start = kind === "nginx" ? planNginx : planCaddy;
  const unit = new Unit(start(project, folder, its, { port, plainPort, appPort }));
  onTestFinished(() => unit.stop());
  await unit.start();
  return { url: `https://localhost:${port}`, plainPort };
}

interface Ports {
  port: number;
  plainPort: number;
  appPort: number;
}

function planNginx(project: string, folder: string, { file, key }: Certificate, { port, plainPort, appPort }: Ports) {
  const page = readFileSync(join(project, "nginx.conf"), "utf8");
  const words = {
    "listen 443 ": `listen 127.0.0.1:${port} `,
    "127.0.0.1:3000": `127.0.0.1:${appPort}`,
    "/etc/ssl/shop.example.pem": file,
    "/etc/ssl/shop.example.key": key,
    "shop.example": "localhost",
    ...(page.includes("listen 80;") && { "listen 80;": `listen 127.0.0.1:${plainPort};` }),
  };
  const app = join(folder, "app.conf");
  writeFileSync(app, replaced(page, words));
  // What Debian's nginx.conf has around it, with all files in this folder.
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => {
    mkdirSync(join(folder, name));
    return `${name}_temp_path ${join(folder, name)};`;
  });
  const main = [
    ...(isRoot ? ["user root;"] : []),
    "daemon off;",
    "worker_processes 1;",
    `pid ${join(folder, "nginx.pid")};`,
    "error_log stderr notice;",
    "events {}",
    "http {",
    "access_log off;",
    ...temporary,
    `include ${app};`,
    "}",
  ];
  const configuration = join(folder, "nginx.conf");
  writeFileSync(configuration, `${main.join("\n")}\n`);
  return {
    command: [program("nginx", "apt-get install nginx-light"), "-e", "stderr", "-c", configuration],
    unprivileged: false,
    ready: (output: string) => /start worker process \d/.test(output),
    stopSignal: "SIGTERM" as const,
  };
}

function planCaddy(project: string, folder: string, { file, key }: Certificate, { port, appPort }: Ports) {
  const page = readFileSync(join(project, "Caddyfile"), "utf8");
  const site = replaced(page, {
    "shop.example {\n": `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${file} ${key}\n`,
    "127.0.0.1:3000": `127.0.0.1:${appPort}`,
  });
  const configuration = join(folder, "Caddyfile");
  writeFileSync(configuration, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n\n${site}`);
  return {
    command: [program("caddy", "apt-get install caddy"), "run", "--config", configuration, "--adapter", "caddyfile"],
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    unprivileged: false,
    ready: (output: string) => /serving initial configuration/.test(output),
    stopSignal: "SIGTERM" as const,
  };
}
