import type { RouterContextProvider } from "react-router";
import { api } from "../../api.ts";
import { sessionOf } from "../session.ts";

interface Arguments {
  request: Request;
  context: Readonly<RouterContextProvider>;
}

const respond = ({ request, context }: Arguments) => api(request, () => sessionOf(context));

export { respond as action, respond as loader };
