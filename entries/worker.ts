import { createWorker } from "../functions/cloudflare.ts";

export { ModelState } from "../functions/cloudflare.ts";

export default createWorker();
