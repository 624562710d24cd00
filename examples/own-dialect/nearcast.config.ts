import type { Options } from "nearcast";
import { vertex } from "./src/vertex.ts";

export default { dialects: [vertex] } satisfies Options;
