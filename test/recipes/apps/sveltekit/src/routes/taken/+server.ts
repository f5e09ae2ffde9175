import { error } from "@sveltejs/kit";

/** An error of the app's own keeps its status and its message. */
export const GET = () => error(409, "That name is taken.");
