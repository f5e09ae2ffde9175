// Users, permissions, lockouts and numbers of copies, as CouchDB 3.4 and newer have them; PouchDB's server has none of these.
// Change it when a test needs another of CouchDB's refusals: status, error and reason are CouchDB's own words.

/** Failed logins after which a user is locked out (chttpd_auth_lockout/threshold). */
const LOCKOUT_THRESHOLD = 5;

const UNAUTHORIZED = { status: 401, error: "unauthorized" };
const FORBIDDEN = { status: 403, error: "forbidden" };

/** Middleware for Express. A request that its user may make goes on as the admin's. */
module.exports = function access({ admin, password }) {
  const asAdmin = `Basic ${Buffer.from(`${admin}:${password}`).toString("base64")}`;
  const passwords = new Map([[admin, password]]);
  const failures = new Map();
  /** By database. */
  const security = new Map();
  const copies = new Map();

  function refusalOf(request, user) {
    const { path, method } = request;
    const [database = "", first = "", second = ""] = path.split("/").slice(1).map(decodeURIComponent);
    if (path === "/" || database === "_session" || database === "_up") return undefined;
    if (user === undefined) return { ...UNAUTHORIZED, reason: "Authentication required." };
    if (user === admin) return undefined;
    const isOnDatabase = first === "" && (method === "PUT" || method === "DELETE");
    if (database.startsWith("_") || first === "_purge" || isOnDatabase) {
      return { ...UNAUTHORIZED, reason: "You are not a server admin." };
    }
    // A missing database gets 404, whoever asks for it.
    if (!copies.has(database)) return undefined;
    const { admins = {}, members = {} } = security.get(database) ?? {};
    const isAdmin = admins.names?.includes(user) === true;
    if (!isAdmin && members.names?.includes(user) !== true) {
      return { ...FORBIDDEN, reason: "You are not allowed to access this db." };
    }
    const needsAdmin = method === "PUT" && (first.startsWith("_") || second.startsWith("_"));
    if (needsAdmin && !isAdmin) return { ...UNAUTHORIZED, reason: "You are not a db or server admin." };
  }

  /** Returns the user who has signed in, undefined if nobody has. Throws a refusal. */
  function signIn({ authorization }) {
    if (!authorization?.startsWith("Basic ")) return undefined;
    const [user, ...rest] = Buffer.from(authorization.slice(6), "base64").toString().split(":");
    const failed = failures.get(user) ?? 0;
    if (failed >= LOCKOUT_THRESHOLD) {
      throw { ...FORBIDDEN, reason: "Account is temporarily locked due to multiple authentication failures" };
    }
    if (passwords.has(user) && passwords.get(user) === rest.join(":")) return user;
    // Only users who exist are locked out.
    if (passwords.has(user)) failures.set(user, failed + 1);
    throw { ...UNAUTHORIZED, reason: "Name or password is incorrect." };
  }

  /** Keeps users, permissions and numbers of copies, which PouchDB doesn't. Resolves to whether the response has been sent. */
  async function remember(request, response) {
    const { path, method, query } = request;
    const [database, first, ...rest] = path.split("/").slice(1).map(decodeURIComponent);
    if (method === "PUT" && database === "_users" && first?.startsWith("org.couchdb.user:")) {
      const { name, password } = await bodyOf(request);
      passwords.set(name, password);
      response.status(201).json({ ok: true, id: first, rev: "1-0" });
      return true;
    }
    if (method === "PUT" && first === "_security" && rest.length === 0) {
      security.set(database, await bodyOf(request));
      response.json({ ok: true });
      return true;
    }
    if (method === "PUT" && !first && !copies.has(database)) copies.set(database, Number(query.n ?? 3));
    if (method === "DELETE" && !first) for (const known of [copies, security]) known.delete(database);
    const isDatabase = database !== "" && !database.startsWith("_");
    if (method === "GET" && isDatabase && !first) addCluster(response, copies.get(database) ?? 3);
    return false;
  }

  return (request, response, next) => {
    try {
      const refusal = refusalOf(request, signIn(request.headers));
      if (refusal) throw refusal;
    } catch (refusal) {
      if (refusal instanceof Error) return next(refusal);
      const { status, ...body } = refusal;
      return response.status(status).json(body);
    }
    request.headers.authorization = asAdmin;
    remember(request, response).then((isDone) => isDone || next(), next);
  };
};

function addCluster(response, n) {
  const send = response.send;
  response.send = (body) => {
    response.send = send;
    if (response.statusCode !== 200) return response.send(body);
    const quorum = Math.ceil((n + 1) / 2);
    return response.send(JSON.stringify({ ...JSON.parse(`${body}`), cluster: { q: 2, n, w: quorum, r: quorum } }));
  };
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}
