import { createWorker } from "nearcast/cloudflare";
import options from "../nearcast.config.ts";

export { ModelState } from "nearcast/cloudflare";

export default createWorker(options);
