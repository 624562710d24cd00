import { createWorker } from "../functions/cloudflare.ts";

export default createWorker();
