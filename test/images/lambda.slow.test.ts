import { targets } from "../harness/targets.ts";
import { imagesOn } from "./suite.ts";

imagesOn(targets.lambda, { maxPixels: 16_000_000 });
