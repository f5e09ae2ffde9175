import { index, type RouteConfig, route } from "@react-router/dev/routes";

export default [
  index("routes/start.tsx"),
  route("api/:name", "routes/api.ts"),
] satisfies RouteConfig;
