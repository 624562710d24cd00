import { expect, test } from "vitest";
import { modelTypes } from "../../cli/types/model-types.ts";
import { modelsOfStore } from "../../cli/types/released-models.ts";
import { churnFolder, openChurn } from "./service.ts";

test("the API's description says that keys are needed and looked-up features are not", async () => {
  const { app } = openChurn(await churnFolder());
  const document = (await (await app.request("/openapi.json")).json()) as {
    components: { schemas: Record<string, Record<string, unknown>> };
    paths: Record<string, object>;
  };
  const input = document.components.schemas["churn.input"];
  expect(input?.["required"]).toEqual(["customer_id", "income"]);
  expect(input?.["properties"]).toMatchObject({
    customer_id: { type: "integer", description: "Says whose features are looked up." },
    age: { type: ["integer", "null"], description: "Unit: years. Looked up where null or absent." },
    income: { type: "number" },
    city: { enum: ["Oslo", "Bergen", null] },
  });
  const path = JSON.stringify(document.paths["/v1/models/churn/predict"]);
  expect(path).toContain('"features"');
  expect(JSON.stringify(document.paths["/v1/models/whole/predict"])).not.toContain('"features"');
});

test("the client's types say the same", async () => {
  const models = (await modelsOfStore(await churnFolder())).filter(
    ({ manifest }) => manifest.name === "churn",
  );
  const text = modelTypes(models);
  expect(text).toContain("customer_id: number;");
  expect(text).toContain("income: number;");
  expect(text).toContain("age?: number | null;");
});
