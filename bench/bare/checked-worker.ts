// The floor of a Worker that does what the service promises, in the least code: the release, its manifest and the artifact
// whose digest that has, an id, a deadline, checked inputs, ranked scores and header fields. One model.
import type { R2Bucket } from "@cloudflare/workers-types";
import { Tensor, type InferenceSession } from "onnxruntime-web/wasm";
import { writeJson } from "../../functions/wire/raw-number.ts";
import { answerOf, featuresOf, idOf, readInputs, SECURITY_HEADERS } from "./checked-iris.ts";
import { createSession } from "./wasm-session.ts";

const MAX_BYTES = 6 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

interface Loaded {
  session: InferenceSession;
  version: string;
  digest: string;
}
let loaded: Loaded | undefined;

export default {
  async fetch(request: Request, { MODELS }: { MODELS: R2Bucket }): Promise<Response> {
    const id = idOf(request.headers.get("x-request-id"));
    const { pathname } = new URL(request.url);
    if (request.method !== "POST" || pathname !== "/v1/models/iris/predict")
      return answer(404, "{}", { "X-Request-Id": id });
    if (!(Number(request.headers.get("content-length")) <= MAX_BYTES))
      return answer(413, "{}", { "X-Request-Id": id });
    let isLate = false;
    const deadline = setTimeout(() => (isLate = true), TIMEOUT_MS);
    try {
      const inputs = readInputs(new Uint8Array(await request.arrayBuffer()));
      const { session, version, digest } = (loaded ??= await load(MODELS));
      const { data, shape } = featuresOf(inputs);
      const features = new Tensor("float32", data, shape);
      const { probabilities } = await session.run({ features }, ["probabilities"]);
      const made = writeJson(answerOf(inputs, probabilities?.data as Float32Array));
      return answer(isLate ? 504 : 200, made, {
        "X-Request-Id": id,
        "X-Model-Name": "iris",
        "X-Model-Version": version,
        "X-Model-Digest": `sha256:${digest}`,
      });
    } catch {
      return answer(422, "{}", { "X-Request-Id": id });
    } finally {
      clearTimeout(deadline);
    }
  },
};

function answer(status: number, body: string, headers: Record<string, string>): Response {
  const all = { ...SECURITY_HEADERS, "Content-Type": "application/json", ...headers };
  return new Response(body, { status, headers: all });
}

async function load(models: R2Bucket): Promise<Loaded> {
  const { stable: version } = JSON.parse(await text("iris/release.json")) as { stable: string };
  const { artifact } = JSON.parse(await text(`iris/${version}/model.json`)) as {
    artifact: { file: string; sha256: string };
  };
  const bytes = await read(`iris/${version}/${artifact.file}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const digest = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (digest !== artifact.sha256) throw new Error("The artifact is another one");
  return { session: await createSession(new Uint8Array(bytes)), version, digest };

  async function read(key: string): Promise<ArrayBuffer> {
    const object = await models.get(key);
    if (!object) throw new Error(`${key} is not in the bucket`);
    return object.arrayBuffer();
  }
  async function text(key: string): Promise<string> {
    return new TextDecoder().decode(await read(key));
  }
}
