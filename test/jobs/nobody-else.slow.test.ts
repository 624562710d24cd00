import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { AUDIENCE, ISSUER } from "../auth/audience.ts";
import { claims, signingKey, startIssuer, token, type Issuer } from "../auth/issuer.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { endOf, flowerLines, HEADER } from "../batches/flowers.ts";
import { answeredBatch, clientOf } from "../files/client.ts";
import { targets } from "../harness/targets.ts";
import { JOB_ROUTES } from "./routes.ts";
import { startJobsOnLambda } from "./started-lambda.ts";

const LIMIT_MS = 180_000;
const PLATFORMS = ["Workers", "Lambda"] as const;
const OWNERS = ["a key", "a token"] as const;
const SETOSA = [5.1, 3.5, 1.4, 0.2];

type Ask = (path: string, init?: RequestInit) => Promise<Response>;
type Routes = readonly (readonly [method: string, path: string])[];

const BATCH_ROUTES: Routes = [
  ["GET", ""],
  ["GET", "/output"],
  ["GET", "/output?format=csv"],
  ["GET", "/errors"],
  ["POST", "/cancel"],
  ["DELETE", ""],
];
const FILE_ROUTES: Routes = [
  ["GET", ""],
  ["GET", "/content"],
  ["DELETE", ""],
];

let issuer: Issuer;
let callers: Record<string, Record<string, string>>;
beforeAll(async () => {
  const signer = await signingKey("ec");
  issuer = await startIssuer(signer);
  const subject = async (sub: string) =>
    bearer(await token(signer, claims({ sub }, { exp: 3600 })));
  // A key and a subject have the same name.
  callers = {
    "a key": bearer(apiKey("ann").key),
    "another key": bearer(apiKey("ben").key),
    "a key that administers": bearer(apiKey("root", { scopes: ["predict", "read", "admin"] }).key),
    "a token": await subject("ann"),
    "another token": await subject("ben"),
  };
});
afterAll(() => issuer.close());

async function start(platform: (typeof PLATFORMS)[number]): Promise<Ask> {
  const env = {
    AUTH: "",
    API_KEYS: keyList(
      apiKey("ann"),
      apiKey("ben"),
      apiKey("root", { scopes: ["predict", "read", "admin"] }),
    ),
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    JWT_JWKS_URL: issuer.jwksUrl,
  };
  if (platform === "Workers") {
    const worker = await targets.worker({ queues: true, env });
    onTestFinished(() => worker.stop());
    return worker.fetch;
  }
  const { ask, work } = await startJobsOnLambda({ env });
  work();
  return ask;
}

/** What the owner has: the address of each thing, with its routes. */
async function makeAll(own: Ask, key: string): Promise<[address: string, routes: Routes][]> {
  const put = (path: string, type: string, body: string) =>
    own(path, { method: "PUT", headers: { "Content-Type": type }, body });
  const job = JSON.stringify({ model: "iris", inputs: SETOSA });
  expect((await put("/v1/jobs/secret", "application/json", job)).status).toBe(202);
  const file = HEADER + flowerLines(120).join("");
  expect((await put("/v1/batches/secret?model=iris", "text/csv", file)).status).toBe(202);
  expect(await endOf(own, "/v1/batches/secret")).toMatchObject({ status: "succeeded" });
  expect(await endOf(own, "/v1/jobs/secret")).toMatchObject({ status: "succeeded" });

  const client = clientOf(own, key);
  const lines = ["candle", 7].map((input) => ({
    custom_id: `${input}`,
    method: "POST",
    url: "/v1/embeddings",
    body: { model: "search", input },
  }));
  const { input, batch } = await answeredBatch(client, lines);
  expect(batch.status).toBe("completed");
  const files = [input.id, batch.output_file_id, batch.error_file_id];
  return [
    ["/v1/jobs/secret", JOB_ROUTES],
    ["/v1/batches/secret", BATCH_ROUTES],
    [`/v1/batches/${batch.id}`, BATCH_ROUTES],
    ...files.map((id): [string, Routes] => [`/v1/files/${id}`, FILE_ROUTES]),
  ];
}

test.for(PLATFORMS.flatMap((platform) => OWNERS.map((owner) => [platform, owner] as const)))(
  "on %s, nobody else reads, lists, waits for or ends what %s has, with any kind of key",
  { timeout: LIMIT_MS },
  async ([platform, owner]) => {
    const ask = await start(platform);
    const as =
      (more: Record<string, string>): Ask =>
      (path, init = {}) => {
        const all = new Headers(init.headers);
        for (const [name, value] of Object.entries(more)) all.set(name, value);
        return ask(path, { ...init, headers: all });
      };
    const headers = callers[owner] ?? {};
    const own = as(headers);
    const things = await makeAll(own, (headers["Authorization"] ?? "").slice("Bearer ".length));
    const read = async () => {
      const all = things.flatMap(([address, routes]) =>
        routes.filter(([method]) => method === "GET").map(([, path]) => address + path),
      );
      // Errors have the id of their request.
      const headers = { "X-Request-Id": "reads" };
      const texts = [];
      for (const path of all) texts.push([path, await (await own(path, { headers })).text()]);
      return texts;
    };
    const before = await read();

    for (const [name, other] of Object.entries(callers)) {
      if (name === owner) continue;
      const stranger = as(other);
      for (const [address, routes] of things)
        for (const [method, path] of routes)
          expect([name, path, (await stranger(address + path, { method })).status]).toEqual([
            name,
            path,
            404,
          ]);
      for (const list of ["/v1/batches", "/v1/files"])
        expect(await (await stranger(list)).json()).toMatchObject({ data: [] });
      const asked = { endpoint: "/v1/embeddings", completion_window: "24h" };
      const input = things.at(-3)?.[0].split("/").at(-1);
      const batch = await stranger("/v1/batches", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...asked, input_file_id: input }),
      });
      expect(batch.status).toBe(404);
    }
    for (const other of [{}, bearer("nc_nobody-0123456789abcdefghijklmnop")])
      for (const [address, routes] of [
        ...things,
        ["/v1/batches", [["GET", ""]]],
        ["/v1/files", [["GET", ""]]],
      ] as typeof things)
        for (const [method, path] of routes)
          expect((await as(other)(address + path, { method })).status).toBe(401);
    expect(await read()).toEqual(before);
  },
);
