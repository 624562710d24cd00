import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** Enough of AWS Systems Manager's Parameter Store for the SDK to read a parameter. */
export async function startParameterStore(parameters: Record<string, string>) {
  const requests: { Name: string; WithDecryption: boolean; target: string; signed: boolean }[] = [];
  let behaviour: "ok" | "down" | "denied" | "stall" = "ok";

  const server = createServer(async (request, response) => {
    const { Name, WithDecryption } = JSON.parse(await bodyOf(request)) as {
      Name: string;
      WithDecryption: boolean;
    };
    requests.push({
      Name,
      WithDecryption,
      target: String(request.headers["x-amz-target"]),
      signed: String(request.headers.authorization).startsWith("AWS4-HMAC-SHA256"),
    });
    const answer = (status: number, body: object) =>
      response
        .writeHead(status, { "Content-Type": "application/x-amz-json-1.1" })
        .end(JSON.stringify(body));
    const Value = parameters[Name];
    if (behaviour === "stall") return;
    if (behaviour === "down") return void answer(500, { __type: "InternalServerError" });
    if (behaviour === "denied")
      return void answer(400, { __type: "AccessDeniedException", message: "not authorized" });
    if (Value === undefined) return void answer(400, { __type: "ParameterNotFound" });
    answer(200, { Parameter: { Name, Type: "SecureString", Value } });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    parameters,
    requests,
    behave: (next: typeof behaviour) => void (behaviour = next),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
