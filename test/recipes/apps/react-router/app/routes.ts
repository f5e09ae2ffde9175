import { index, type RouteConfig, route } from "@react-router/dev/routes";

// biome-ignore format: the recipe adds its routes as lines.
export default [
  index("routes/start.tsx"),
  route("api/:name", "routes/api.ts"),
] satisfies RouteConfig;
