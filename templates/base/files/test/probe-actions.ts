// What the probe can be asked to do with a session: POST /<action>/<value>. probe.ts serves it in this project's framework.
// Add an action for every promise of your own about sessions that sessions.test.ts is to hold.
import type { Json } from "../src/session/contract.ts";
import type { SessionRequest } from "../src/session/request.ts";
import type { Session } from "../src/session/session.ts";
import type { Sessions } from "../src/session/sessions.ts";

interface Exchange {
  session: Session;
  sessions: Sessions;
  request: SessionRequest;
  value: string;
}

const actions: Record<string, (exchange: Exchange) => Promise<object>> = {
  async look({ session: { exists, id, userid, data } }) {
    return { exists, id, userid, data };
  },

  async set({ session, value }) {
    (session.data as Record<string, Json>)[value] = value;
    return {};
  },

  async remove({ session, value }) {
    delete (session.data as Record<string, Json>)[value];
    return {};
  },

  async count({ session }) {
    await session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    return {};
  },

  async signIn({ session, value }) {
    await session.signIn(value);
    return {};
  },

  async signOut({ session }) {
    await session.destroy();
    return {};
  },

  /** A session for a client without cookies. */
  async start({ sessions, request }) {
    const { token } = await sessions.start(request);
    return { token };
  },

  async endOthers({ session, sessions }) {
    const { id, userid } = session;
    return { ended: userid === null ? 0 : await sessions.endByUser(userid, { except: id }) };
  },
};

export async function act(action: string, exchange: Exchange): Promise<object> {
  const run = actions[action];
  if (run === undefined) throw new Error(`The probe knows no action ${action}.`);
  return run(exchange);
}
