import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Posts JSON in chunks, one by one. Also accepts an answer before the last chunk. The server may then close the
 * connection. Declare a `Content-Length` to promise more than is sent.
 */
export async function postSlowly(
  url: URL,
  headers: Record<string, string | number>,
  chunks: Buffer[],
): Promise<Response> {
  const post = request(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
  });
  const answer = new Promise<Response>((resolve, reject) => {
    post.on("error", reject);
    post.on("response", (response) => {
      const body: Buffer[] = [];
      response.on("data", (chunk: Buffer) => body.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve(
          new Response(Buffer.concat(body), {
            status: response.statusCode ?? 0,
            headers: Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          }),
        ),
      );
    });
  });
  post.flushHeaders();
  for (const chunk of chunks) {
    post.write(chunk);
    await sleep(5);
  }
  if (headers["Content-Length"] === undefined) post.end();
  const response = await answer;
  post.destroy();
  return response;
}
