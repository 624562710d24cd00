import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, createService } from "nearcast";
import { createNodePlatform } from "nearcast/node";

const app = createApp(createService(createNodePlatform({ STORE: "models", ACCESS_LOG: "false" })));

function predict(model, inputs) {
  return app.request(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
}

test("iris names the species of a flower", async () => {
  const response = await predict("iris", {
    sepal_length: 5.1,
    sepal_width: 3.5,
    petal_length: 1.4,
    petal_width: 0.2,
  });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).outputs.label, "setosa");
});

test("a flower without a petal is refused", async () => {
  const response = await predict("iris", { sepal_length: 5.1, sepal_width: 3.5 });
  assert.equal(response.status, 422);
});
