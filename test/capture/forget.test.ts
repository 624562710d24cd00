import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { getRequestListener } from "@hono/node-server";
import { forget } from "../../cli/captured/forget.ts";
import { capturedPrefix } from "../../functions/observe/capture/captured.ts";
import { nearcast } from "../cli/nearcast.ts";
import {
  capturedInputs,
  capturedText,
  capturingFolder,
  EVERYTHING,
  openService,
} from "./capturing.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const KEPT = { capture: EVERYTHING, feedback: { keptSeconds: 3600 } };

const idsOf = async (store: Parameters<typeof capturedInputs>[0]) =>
  (await capturedInputs(store, "iris")).map(({ request_id: id }) => id).toSorted();

test("a request or a subject is removed everywhere, with its outcomes and kept predictions", async () => {
  const folder = await capturingFolder("iris", KEPT);
  const { service, store, app, post } = openService(folder);
  for (const [id, key] of [
    ["a1", "ann"],
    ["a2", "ann"],
    ["b1", "ben"],
    ["n1", ""],
  ] as const)
    await post(
      "/v1/models/iris/predict",
      { inputs: SETOSA },
      { "X-Request-Id": id, "X-Nearcast-Key": key },
    );
  await service.flushCaptured();
  for (const id of ["a1", "b1"]) await post("/v1/feedback", { request_id: id, outcome: "setosa" });
  await service.flushCaptured();
  expect(await idsOf(store)).toEqual(["a1", "a1", "a2", "b1", "b1", "n1"]);

  const server = createServer(getRequestListener(app.fetch));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const place = ["--store", folder, "--url", url];
  try {
    const ann = await nearcast(["forget", "iris", "--subject", "ann", ...place]);
    expect(ann.stdout).toContain("iris: 2 inputs and 1 outcomes were removed.");
    expect(ann.stdout).toContain("iris: 2 kept predictions were removed.");
    expect(await idsOf(store)).toEqual(["b1", "b1", "n1"]);
    const one = await nearcast(["forget", "iris", "--request-id", "n1", ...place]);
    expect(one.stdout).toContain("iris: 1 inputs and 0 outcomes were removed.");
    expect(one.stdout).toContain("iris: 1 kept predictions were removed.");
  } finally {
    server.close();
  }
  expect(await idsOf(store)).toEqual(["b1", "b1"]);
  expect((await post("/v1/feedback", { request_id: "a2", outcome: "setosa" })).status).toBe(404);
  // The marks have digests and no names.
  expect((await store.list(capturedPrefix("iris"))).join()).not.toMatch(/ann|\ba1\b|n1/);
});

test("what an instance has in memory is not written after it was forgotten", async () => {
  const folder = await capturingFolder("iris", KEPT);
  const { service, store } = openService(folder);
  for (const [id, key] of [
    ["a1", "ann"],
    ["b1", "ben"],
    ["c1", "cas"],
  ] as const)
    await service.predict({ model: "iris", inputs: SETOSA, id, key });
  await forget(store, "iris", { subject: "ann" });
  await forget(store, "iris", { requestId: "c1" });
  await service.flushCaptured();
  expect(await idsOf(store)).toEqual(["b1"]);
  // Later requests of the same subject are new.
  await new Promise((resolve) => setTimeout(resolve, 2));
  await service.predict({ model: "iris", inputs: SETOSA, id: "a2", key: "ann" });
  await service.flushCaptured();
  expect(await idsOf(store)).toEqual(["a2", "b1"]);
});

test("what is forgotten while it is written is removed, by one or the other", async () => {
  const folder = await capturingFolder("iris", KEPT);
  let during: (() => Promise<unknown>) | undefined;
  const { service, store } = openService(folder, (platform) => ({
    store: {
      ...platform.store,
      async put(...asked) {
        if (asked[0].endsWith(".jsonl")) {
          const work = during;
          during = undefined;
          await work?.();
        }
        return platform.store.put(...asked);
      },
    },
  }));
  const keys = Array.from({ length: 20 }, (_, at) => `person-${at}`);
  for (const key of keys)
    await service.predict({ model: "iris", inputs: SETOSA, id: `of-${key}`, key });
  // After the writer looked at what was forgotten, before it puts the object.
  during = () => forget(store, "iris", { subject: "person-3" });
  await service.flushCaptured();
  expect(await idsOf(store)).toHaveLength(19);
  // Several at once on the same object: none brings back what another removed.
  const all = keys.slice(4, 10).map((subject) => forget(store, "iris", { subject }));
  await Promise.all(all);
  const text = await capturedText(store, "iris");
  expect(await idsOf(store)).toHaveLength(13);
  for (const key of keys.slice(3, 10)) expect(text).not.toContain(`of-${key}"`);
});

test("only a caller with the scope admin removes kept predictions", async () => {
  const { service } = openService(await capturingFolder("iris", KEPT));
  const caller = { name: "web", scopes: new Set(["predict"] as const) };
  await expect(service.feedback.forget(caller, ["0".repeat(64)])).rejects.toMatchObject({
    code: "forbidden",
  });
});

test("forget asks for one thing to forget, and removes what has expired", async () => {
  const folder = await capturingFolder("iris", KEPT);
  const { store } = openService(folder);
  const old = `${capturedPrefix("iris")}2026-01-31/2026-01-01-abc-1.jsonl`;
  await store.put(old, new TextEncoder().encode("{}\n"));
  const none = await nearcast(["forget", "iris", "--store", folder]);
  expect(none).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("needs one of") as string,
  });
  const expired = await nearcast(["forget", "iris", "--expired", "--store", folder]);
  expect(expired.stdout).toBe("iris: 1 expired objects were removed.\n");
  expect(await store.get(old)).toBeUndefined();
});
