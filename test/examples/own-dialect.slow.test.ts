import { afterAll, beforeAll, expect, test } from "vitest";
import { asUser, curl } from "../harness/as-a-user.ts";
import {
  inProject,
  installExample,
  KEY,
  KEYS,
  post,
  startExample,
  startExampleLambda,
  startExampleWorker,
  type Example,
  type Target,
} from "./example.ts";

const ENDPOINTS = "/v1/projects/shop/locations/eu/endpoints";
const instance = { kilometres: 1614, kilograms: 2.5 };

let example: Example;
beforeAll(async () => {
  example = await installExample("own-dialect");
});
afterAll(() => example.remove());

test("its types are right", async () => {
  await inProject(example.folder, "typescript/bin/tsc", ["-p", "."]);
});

test("the README's commands start it, ask it, and meet an error in its shape", async () => {
  const port = await startExample(example);
  const [ask = "", fail = ""] = example.commands.filter((one) => one.startsWith("curl"));
  expect(await curl(ask, port)).toEqual({
    predictions: [{ value: expect.closeTo(16.157, 2) as number, unit: "EUR" }],
    deployedModelId: "delivery-1",
    modelDisplayName: "delivery",
    modelVersionId: "1",
  });
  expect(await curl(fail, port)).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } });
});

test("the command knows the project: verify passes", async () => {
  const verified = await asUser("npx nearcast verify delivery", example.folder);
  expect(verified).toContain("delivery@1 is good to publish.");
});

test("in workerd, with keys", async () => {
  await check(await startExampleWorker(example.folder, KEYS));
});

test("on Lambda, with keys", async () => {
  await check(await startExampleLambda(example.folder, { env: KEYS }));
});

async function check({ fetch, stop }: Target): Promise<void> {
  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("X-API-Key", KEY);
    return fetch(path, { ...init, headers });
  }
  try {
    const path = `${ENDPOINTS}/delivery:predict`;
    const answer = await ask(path, post({ instances: [instance] }));
    expect(answer.headers.get("X-Model-Version")).toBe("1");
    expect(await answer.json()).toMatchObject({ predictions: [{ unit: "EUR" }] });

    await meets(await fetch(path, post({ instances: [instance] })), 401, "UNAUTHENTICATED");
    await meets(await fetch(`${ENDPOINTS}/nothing/here`), 401, "UNAUTHENTICATED");
    await meets(await ask(`${ENDPOINTS}/nothing/here`), 404, "NOT_FOUND");
    await meets(await ask("/v1/projects"), 404, "NOT_FOUND");
    await meets(await ask(`${ENDPOINTS}/delivery:explain`, post({})), 404, "NOT_FOUND");
    const other = await ask(path);
    expect(other.headers.get("Allow")).toBe("POST");
    await meets(other, 405, "UNIMPLEMENTED");
    await meets(await ask(path, { ...post({}), body: "{" }), 400, "INVALID_ARGUMENT");
    await meets(await ask(path, post({ rows: [] })), 422, "INVALID_ARGUMENT");
    const instances = [instance, { kilometres: 1, kilograms: 31 }];
    expect(
      await meets(await ask(path, post({ instances })), 422, "INVALID_ARGUMENT"),
    ).toMatchObject({ error: { details: [{ field: "instances[1].kilograms" }] } });

    // Its neighbours keep their own.
    expect(await (await ask("/v1/projectsx")).json()).toMatchObject({ code: "not_found" });
    expect(await (await ask("/v1/models/none")).json()).toMatchObject({ code: "unknown_model" });

    const described = (await (await ask("/openapi.json")).json()) as {
      paths: Record<string, Record<string, object>>;
      components: { schemas: Record<string, object> };
    };
    const route = "/v1/projects/{project}/locations/{location}/endpoints/delivery:predict";
    expect(described.paths[route]?.["post"]).toMatchObject({
      requestBody: { content: { "application/json": { schema: { required: ["instances"] } } } },
      responses: {
        default: {
          content: {
            "application/json": { schema: { $ref: "#/components/schemas/VertexError" } },
          },
        },
      },
    });
    expect(described.components.schemas["VertexError"]).toMatchObject({ required: ["error"] });
  } finally {
    await stop();
  }
}

/** An error in Google's shape; gives its body. */
async function meets(answer: Response, code: number, status: string) {
  expect(answer.headers.get("Content-Type")).toBe("application/json");
  expect(answer.status).toBe(code);
  const body: unknown = await answer.json();
  expect(body).toMatchObject({ error: { code, status } });
  return body;
}
