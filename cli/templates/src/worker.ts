import { createWorker } from "nearcast/cloudflare";

export default createWorker();
