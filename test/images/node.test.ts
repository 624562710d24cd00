import { targets } from "../harness/targets.ts";
import { imagesOn } from "./suite.ts";

imagesOn(targets.node, { maxPixels: 16_000_000 });
