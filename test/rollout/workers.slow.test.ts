import { vi } from "vitest";
import { startWorkers } from "./deployments.ts";
import { rolloutCases } from "./end-to-end.ts";

vi.setConfig({ testTimeout: 180_000 });

rolloutCases(startWorkers);
