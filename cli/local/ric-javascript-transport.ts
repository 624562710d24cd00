// Preloaded into the Lambda process. It replaces the compiled `rapid-client.node` and nothing else.
import { Agent, request } from "node:http";
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "./rapid-client.node"
      ? { url: import.meta.url, shortCircuit: true }
      : next(specifier, context),
});

// The addon posts before it returns, and then the client calls next(). One socket keeps that order.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface NextInvocation {
  bodyJson: string;
  headers: Record<string, string | number>;
}

export async function next(): Promise<NextInvocation> {
  const { body, headers } = await call("GET", "invocation/next");
  const lambda = Object.entries(headers).filter(([name]) => name.startsWith("lambda-runtime-"));
  return {
    bodyJson: body,
    headers: {
      "lambda-runtime-trace-id": "",
      ...Object.fromEntries(lambda.map(([name, value]) => [name, String(value)])),
      "lambda-runtime-deadline-ms": Number(headers["lambda-runtime-deadline-ms"]),
    },
  };
}

export function done(id: string, body: string): void {
  post(`invocation/${id}/response`, body, {});
}

export function error(id: string, body: string, xray: string): void {
  post(`invocation/${id}/error`, body, { "lambda-runtime-function-xray-error-cause": xray });
}

function post(path: string, body: string, headers: Record<string, string>): void {
  // The addon, too, ignores the result of a post.
  void call("POST", path, body, { "content-type": "application/json", ...headers }).catch(
    () => undefined,
  );
}

function call(
  method: string,
  path: string,
  body = "",
  headers: Record<string, string> = {},
): Promise<{ body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const url = `http://${process.env["AWS_LAMBDA_RUNTIME_API"]}/2018-06-01/runtime/${path}`;
    const length = method === "POST" ? { "content-length": Buffer.byteLength(body) } : {};
    const outgoing = request(
      url,
      { method, agent, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () =>
          resolve({ body: Buffer.concat(chunks).toString(), headers: response.headers }),
        );
      },
    );
    outgoing.on("error", reject).end(body);
  });
}
