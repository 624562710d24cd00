import { describe } from "vitest";
import { targets } from "../harness/targets.ts";
import { sameThroughTheEdge } from "./parity.ts";

describe("a Node server behind the Worker", () => sameThroughTheEdge(targets.node));
describe("a Lambda function behind the Worker", () => sameThroughTheEdge(targets.lambda));
