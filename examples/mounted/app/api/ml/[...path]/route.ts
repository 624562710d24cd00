import { Hono } from "hono";
import { createApp, createService } from "nearcast";
import { createNodePlatform } from "nearcast/node";

// Native ONNX Runtime does not run on Next's edge runtime.
export const runtime = "nodejs";

const service = createService(createNodePlatform(process.env));
const app = new Hono().route("/api/ml", createApp(service));

function answer(request: Request): Response | Promise<Response> {
  return app.fetch(request);
}

export { answer as DELETE, answer as GET, answer as OPTIONS, answer as POST, answer as PUT };
