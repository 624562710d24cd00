import { createWorker } from "nearcast/cloudflare";
import options from "../nearcast.config.ts";

export default createWorker(options);
