// `npm run dev:lambda`: the Lambda package behind a local Function URL, under the real runtime interface
// client, reading models/ from a local S3.
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { startLambda } from "../test/harness/lambda.ts";
import { startS3 } from "../test/harness/s3-server.ts";
import { packageFiles } from "./package-files.ts";

const root = join(import.meta.dirname, "..");
const bucket = "models";

const s3 = await startS3({ buckets: [bucket] });
for (const key of await packageFiles(join(root, "models")))
  s3.put(bucket, key, await readFile(join(root, "models", key)));

const lambda = await startLambda({
  directory: join(root, "dist/lambda", process.arch),
  handler: "index.handler",
  env: {
    AUTH: "none",
    STORE: `s3://${bucket}`,
    S3_ENDPOINT: s3.endpoint,
    S3_FORCE_PATH_STYLE: "true",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
  },
});

const server = createServer((request, response) => {
  void answer(request, response);
});
server.listen(Number(process.env["PORT"] ?? 8787), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  console.log(`The Lambda function answers at http://localhost:${port}`);
  console.log("It is open (AUTH=none), and only this machine can ask");
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    server.close();
    void Promise.all([lambda.stop(), s3.close()]);
  });

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, String(value));
  const body = chunks.length > 0 ? Buffer.concat(chunks) : null;
  const { method = "GET", url = "/" } = request;
  const result = await lambda.fetch(url, { method, headers, body });
  response.writeHead(result.status, Object.fromEntries(result.headers));
  response.end(Buffer.from(await result.arrayBuffer()));
}
