import { targets } from "../harness/targets.ts";
import { imagesOn } from "./suite.ts";

imagesOn(targets.worker, { maxPixels: 2_000_000 });
