import { describe } from "vitest";
import { targets } from "../harness/targets.ts";
import { heavyBodies } from "./heavy-suite.ts";

describe("on Node", () => heavyBodies(targets.node));
describe("on workerd", () => heavyBodies(targets.worker));
// In base64, 6 MB hold 4.5.
describe("on Lambda", () => heavyBodies(targets.lambda, { longest: 4_000_000 }));
describe("on Node with the edge's runtime", () => heavyBodies(targets.nodeWasm));
