// The example's page as a pure function of what it shows: HTML without any script.
// The routes of its forms, each of which responds with a redirect (303) to /, are in handlers.ts.
import { deviceName } from "../http/device.ts";
import { type Html, html } from "../http/html.ts";
import type { SessionData } from "../session-data.ts";
import type { Overview, PublicSession } from "./actions.ts";
import { layout } from "./layout.ts";

export function page(view: Overview): string {
  const { session, store } = view;
  return layout(
    "Your session",
    session?.data.theme,
    html`
      ${hero(session)}
      <div class="cards">${
        session
          ? [
              html`<div>${session.userid ? devices(session.userid, view) : signIn(view)} ${cart(session.data.cart)}</div>`,
              html`<div>${details(session)} ${data(session.data)}</div>`,
            ]
          : [html`<div>${signIn(view)}</div>`, html`<div>${data({})} ${cart(undefined)}</div>`]
      }</div>
    `,
    html`Sessions are kept in ${store}. ${session && html`<a href="session">Yours as JSON</a>`}`,
  );
}

function hero(session: PublicSession | null): Html {
  if (!session) {
    return html`
      <section class="hero">
        <div>
          <h1>No session yet</h1>
          <p class="lead">Nothing about you is stored and no cookie is set, until something is written. Visits are not counted either.</p>
        </div>
        <form method="post" action="session/start"><button class="primary">Start a session</button></form>
      </section>
    `;
  }
  const visits = session.data.visits ?? 0;
  return html`
    <section class="hero">
      <div>
        <h1>${session.userid ? html`Hello, <bdi>${session.userid}</bdi>` : "Hello, guest"}</h1>
        <p class="lead">
          ${
            session.userid
              ? "You are signed in. What you put here as a guest came along, under a new token."
              : "You have a session, and are not signed in."
          }
        </p>
        <form method="post" action="logout"><button>${session.userid ? "Sign out" : "End the session"}</button></form>
      </div>
      <p class="counter"><strong id="visits">${visits}</strong> <span>${visits === 1 ? "visit" : "visits"}</span></p>
    </section>
  `;
}

function details(session: PublicSession): Html {
  return html`
    <section aria-labelledby="session-title">
      <h2 id="session-title">Session</h2>
      <dl>
        <dt>ID</dt>
        <dd><code id="session-id">${session.id}</code></dd>
        <dt>User</dt>
        <dd id="user">${session.userid ?? "guest"}</dd>
        <dt>Started</dt>
        <dd>${time(session.created)}</dd>
        <dt>Last seen</dt>
        <dd>${time(session.updated)}</dd>
        <dt>Ends after</dt>
        <dd>${duration(session.idle)} without a visit</dd>
        <dt>Address</dt>
        <dd>${session.ipaddress}</dd>
        <dt>Device</dt>
        <dd>${deviceName(session.useragent)}</dd>
      </dl>
    </section>
  `;
}

function signIn({ demo }: Overview): Html {
  return html`
    <section aria-labelledby="sign-in-title" id="sign-in">
      <h2 id="sign-in-title">Sign in</h2>
      ${demo && html`<p class="hint" id="demo-hint">This is a demo: any name signs in with the password <code>demo</code>.</p>`}
      <form method="post" action="login" class="stack">
        <div class="field">
          <label for="userid">User name</label>
          <input id="userid" name="userid" required maxlength="128" autocomplete="username" autocapitalize="none" spellcheck="false">
        </div>
        <div class="field">
          <label for="password">Password</label>
          <input id="password" name="password" type="password" required maxlength="1024" autocomplete="current-password" ${demo && html`aria-describedby="demo-hint"`}>
        </div>
        <button class="primary">Sign in</button>
      </form>
    </section>
  `;
}

function devices(userid: string, view: Overview): Html {
  const others = view.devices.some((device) => !device.current);
  return html`
    <section aria-labelledby="devices-title" id="devices">
      <h2 id="devices-title">Your devices</h2>
      <ul class="rows">${view.devices.map(
        (device) => html`
        <li>
          <div>
            <strong>${deviceName(device.useragent)}</strong>
            ${device.current && html`<span class="badge">this device</span>`}
            <small>${device.ipaddress} · last seen ${time(device.updated)}</small>
          </div>
          ${
            !device.current &&
            view.fresh &&
            html`
          <form method="post" action="sessions/end">
            <input type="hidden" name="id" value="${device.id}">
            <button class="danger" aria-label="End the session of ${deviceName(device.useragent)}, last seen ${clock(device.updated)}">End</button>
          </form>`
          }
        </li>`,
      )}
      </ul>
      ${others ? (view.fresh ? endOthers() : confirm(userid)) : html`<p class="hint">You are signed in on this device only.</p>`}
    </section>
  `;
}

function endOthers(): Html {
  return html`<form method="post" action="sessions/end-others"><button class="danger">End all other sessions</button></form>`;
}

/** Step-up authentication: asks for the password again before something sensitive. */
function confirm(userid: string): Html {
  return html`
    <p class="hint" id="confirm-hint">Your sign-in was a while ago. Ending other sessions asks for your password again.</p>
    <form method="post" action="login" class="inline">
      <input type="hidden" name="userid" value="${userid}">
      <div class="field">
        <label for="confirm">Password</label>
        <input id="confirm" name="password" type="password" required maxlength="1024" autocomplete="current-password" aria-describedby="confirm-hint">
      </div>
      <button>Confirm</button>
    </form>
  `;
}

function data(values: SessionData): Html {
  const keys = Object.keys(values);
  return html`
    <section aria-labelledby="data-title">
      <h2 id="data-title">Data</h2>
      <pre id="data" tabindex="0" role="group" aria-label="Session data as JSON">${JSON.stringify(values, null, 2)}</pre>
      ${
        keys.length > 0 &&
        html`
      <ul class="chips" aria-label="Remove from the session">${keys.map(
        (key) => html`
        <li>
          <form method="post" action="session/data/delete">
            <input type="hidden" name="key" value="${key}">
            <button aria-label="Remove ${key || '""'}">${key || '""'} <span aria-hidden="true">×</span></button>
          </form>
        </li>`,
      )}
      </ul>`
      }
      <form method="post" action="session/data" class="inline">
        <div class="field">
          <label for="key">Key</label>
          <input id="key" name="key" maxlength="128" autocomplete="off" autocapitalize="none" spellcheck="false">
        </div>
        <div class="field">
          <label for="value">Value</label>
          <input id="value" name="value" placeholder="JSON or text" autocomplete="off" autocapitalize="none" spellcheck="false">
        </div>
        <button>Set</button>
      </form>
    </section>
  `;
}

function cart(items: SessionData["cart"]): Html {
  const lines = items && typeof items === "object" ? Object.entries(items) : [];
  return html`
    <section aria-labelledby="cart-title">
      <h2 id="cart-title">Cart</h2>
      ${
        lines.length === 0
          ? html`<p class="hint">Nothing in it yet.</p>`
          : html`
      <ul class="rows">${lines.map(
        ([sku, quantity]) => html`
        <li>
          <div><strong>${sku}</strong> <small>× ${quantity}</small></div>
          <form method="post" action="cart">
            <input type="hidden" name="sku" value="${sku}">
            <button name="quantity" value="0" aria-label="Take out ${sku}">Take out</button>
          </form>
        </li>`,
      )}
      </ul>`
      }
      <form method="post" action="cart" class="inline">
        <div class="field">
          <label for="sku">Article</label>
          <input id="sku" name="sku" required maxlength="64" autocomplete="off" autocapitalize="none">
        </div>
        <div class="field narrow">
          <label for="quantity">Quantity</label>
          <input id="quantity" name="quantity" type="number" required min="0" max="999" value="1">
        </div>
        <button>Put in</button>
      </form>
    </section>
  `;
}

function time(seconds: number): Html {
  return html`<time datetime="${new Date(seconds * 1000).toISOString()}">${clock(seconds)}</time>`;
}

/** "2026-11-23 12:26:32 UTC": the server doesn't know the visitor's time zone. */
function clock(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function duration(seconds: number): string {
  const [size, unit] = (
    [
      [86_400, "day"],
      [3600, "hour"],
      [60, "minute"],
    ] as const
  ).find(([size]) => seconds >= size) ?? [1, "second"];
  const count = Math.round((seconds / size) * 10) / 10;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
