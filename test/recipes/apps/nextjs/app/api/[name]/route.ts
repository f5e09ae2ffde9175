import { api } from "../../../api.ts";
import { getSession, keepStatus } from "../../../session.ts";

const respond = keepStatus(async (request: Request) => {
  const session = request.url.endsWith("/public") ? undefined : await getSession();
  return api(request, () => session!);
});

export { respond as DELETE, respond as GET, respond as POST };
