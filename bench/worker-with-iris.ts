// The Worker with the artifact of iris among its modules.
import { createWorker } from "../functions/cloudflare.ts";
import manifest from "../models/iris/1/model.json" with { type: "json" };
import artifact from "../models/iris/1/model.onnx";

export { ModelState } from "../functions/cloudflare.ts";

export default createWorker({ packaged: [{ manifest, artifact }] });
