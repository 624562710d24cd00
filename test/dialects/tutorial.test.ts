import { inThisFile } from "../harness/in-this-file.ts";
import { PLATFORMS } from "./platforms.ts";
import { tutorialSuite } from "./tutorial.ts";

tutorialSuite(inThisFile(PLATFORMS));
