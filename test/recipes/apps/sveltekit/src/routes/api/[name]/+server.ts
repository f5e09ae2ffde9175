import type { RequestHandler } from "@sveltejs/kit";
import { api } from "../../../../api.ts";

export const fallback: RequestHandler = ({ request, locals }) => api(request, () => locals.session);
