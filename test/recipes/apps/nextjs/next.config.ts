import { dirname } from "node:path";
import type { NextConfig } from "next";

// The packages lie in the folder above, beside the lock file.
const nextConfig: NextConfig = { turbopack: { root: dirname(import.meta.dirname) } };

export default nextConfig;
