import { targets } from "../harness/targets.ts";
import { HEAVY_BODIES } from "./heavy-bodies.ts";
import { heavyBodies } from "./heavy-suite.ts";

// A part of them. The slow suites send all.
heavyBodies(targets.node, { bodies: HEAVY_BODIES.filter((_, index) => index % 5 === 0) });
