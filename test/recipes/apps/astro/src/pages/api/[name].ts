import type { APIRoute } from "astro";
import { api } from "../../../api.ts";

export const ALL: APIRoute = ({ request, locals }) => api(request, () => locals.session);
