import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createDeferred } from "../../functions/deferred.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { readRelease } from "../../functions/model/release.ts";
import type { CopyRecord } from "../../functions/observe/observer.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Session } from "../../functions/runtime/types.ts";
import { createService } from "../../functions/service.ts";
import { INDEXES } from "./models.ts";
import { onTrial } from "./watched.ts";

const EXACT = { tolerance: { absolute: 0.5, relative: 0 } };
const LONGEST_REST_MS = 30_000;
const JSON_BODY = { "Content-Type": "application/json" };

interface Begun {
  version: Parameters<typeof onTrial>[0]["version"];
  model?: string;
  shadow?: number;
  policy?: Parameters<typeof onTrial>[0]["policy"];
  stable?: string;
  env?: NodeJS.ProcessEnv;
  /** Replaces the runs of a version. */
  run?: (manifest: Manifest, run: Session["run"]) => Session["run"];
  /** Whether there are rests after long copies. On a busy machine any copy may be long. */
  rests?: boolean;
}

/** A service that gives a version copies, with the records of what became of them. */
async function begin(begun: Begun) {
  const { shadow = 100, policy = EXACT, env, run, rests = false, ...trial } = begun;
  const folder = await onTrial({ ...trial, shadow, policy });
  const platform = createNodePlatform({
    STORE: folder,
    ACCESS_LOG: "false",
    RELEASE_TTL_SECONDS: "0",
    ...env,
  });
  const copies: CopyRecord[] = [];
  const now = () => performance.now() + (rests ? 0 : copies.length * LONGEST_REST_MS);
  let next = createDeferred<void>();
  const service = createService(
    {
      ...platform,
      now,
      prepareSession(manifest, given) {
        const session = platform.prepareSession?.(manifest, given) ?? given;
        return run ? { ...session, run: run(manifest, session.run.bind(session)) } : session;
      },
    },
    {
      observers: [
        {
          copy(record) {
            copies.push(record);
            next.resolve();
            next = createDeferred();
          },
        },
      ],
    },
  );
  const app = createApp(service);
  const post = async (path: string, body: object, headers: object = {}) =>
    app.request(path, {
      method: "POST",
      headers: { ...JSON_BODY, ...headers },
      body: JSON.stringify(body),
    });
  const ask = (index: number) => post("/v1/models/table/predict", { inputs: [index] });
  /** Resolves when so many copies were made or dropped. */
  const copied = async (count: number): Promise<void> => {
    while (copies.length < count) await next.promise;
  };
  const fates = () => copies.map(({ error, dropped }) => error ?? dropped ?? "compared");
  return { platform, service, app, post, ask, copies, copied, fates };
}

const ROWS = Array.from({ length: INDEXES }, (_, index) => [index]);
const TENSOR = { name: "index", shape: [INDEXES], datatype: "INT64", data: ROWS.flat() };

/** All inputs at once, in every dialect. */
const WAYS: Record<string, { path: string; body: object; headers?: object }> = {
  native: { path: "/v1/models/table/predict", body: { inputs: ROWS } },
  "TensorFlow Serving": { path: "/v1/models/table:predict", body: { instances: ROWS } },
  "Open Inference Protocol": { path: "/v2/models/table/infer", body: { inputs: [TENSOR] } },
  MLflow: {
    path: "/invocations",
    body: { inputs: ROWS },
    headers: { "X-Amzn-SageMaker-Target-Model": "table" },
  },
};

test.each(Object.entries(WAYS))(
  "%s: stable answers, and of ten copied inputs the other version answers three otherwise",
  async (_, { path, body, headers }) => {
    const { post, copies, copied } = await begin({ version: "other" });
    const answer = await post(path, body, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("X-Model-Version")).toBe("1");
    expect(answer.headers.get("X-Model-Assignment")).toBe("stable");
    expect(await answer.text()).toMatch(/\b0\b.*\b10\b.*\b20\b.*\b30\b/s);
    await copied(1);
    expect(copies).toMatchObject([{ version: "other", compared: 10, disagreed: 3 }]);
  },
);

test.each(["float", "base64"])(
  "OpenAI: vectors as %s are compared with those of the other version",
  async (format) => {
    let runs = 0;
    const { post, copies, copied } = await begin({
      model: "search",
      version: "2",
      policy: {},
      run:
        (_, run) =>
        async (...given) => {
          const results = await run(...given);
          // Stable's, its copy's, stable's, and the copy that is answered otherwise. They share a session.
          if ((runs += 1) < 4) return results;
          for (const { data } of Object.values(results))
            for (let place = 0; place < data.length; place += 2)
              (data as Float32Array)[place] = -(data as Float32Array)[place]!;
          return results;
        },
    });
    const body = { model: "search", input: ["a red shirt", "shoes"], encoding_format: format };
    for (const count of [1, 2]) {
      const answer = await post("/v1/embeddings", body);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("X-Model-Version")).toBe("1");
      await copied(count);
    }
    expect(copies).toMatchObject([
      { version: "2", compared: 2, disagreed: 0 },
      { version: "2", compared: 2, disagreed: 2 },
    ]);
  },
);

test("copies keep at most 8 MiB in memory, each and all together", async () => {
  const MIB = 1024 * 1024;
  const waiting: (() => void)[] = [];
  const held = createDeferred<void>();
  const { service, app, copied, fates } = await begin({
    version: "other",
    env: { MAX_BODY_BYTES: String(16 * MIB) },
    run:
      ({ version }, run) =>
      async (...given) => {
        if (version === "other") {
          held.resolve();
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
        return run(...given);
      },
  });
  const ask = async (bytes: number) => {
    const body = '{"inputs": [1]}'.padEnd(bytes, " ");
    const init = { method: "POST", headers: JSON_BODY, body };
    expect((await app.request("/v1/models/table/predict", init)).status).toBe(200);
  };
  await ask(8 * MIB + 1);
  await copied(1);
  expect(fates()).toEqual(["size"]);

  await ask(5 * MIB);
  await held.promise;
  await ask(5 * MIB);
  await copied(2);
  expect(fates()).toEqual(["size", "busy"]);
  waiting.forEach((go) => go());
  await copied(3);
  expect(fates()).toEqual(["size", "busy", "compared"]);
  const counted = service.metrics
    .instanceSamples()
    .filter(({ metric }) => metric.name === "nearcast_shadow_copies_total")
    .map(({ labels, values }) => [labels[2], ...values]);
  expect(counted).toEqual([
    ["size", 1],
    ["busy", 1],
    ["compared", 1],
  ]);
});

test("one input after the other is copied, and the counts are exact", async () => {
  const { service, ask, copied } = await begin({ version: "other" });
  for (let index = 0; index < 2 * INDEXES; index++) {
    const answer = await ask(index % INDEXES);
    expect(await answer.json()).toMatchObject({ outputs: { value: (index % INDEXES) * 10 } });
    await copied(index + 1);
  }
  const status = await service.rollouts.status("table");
  expect(status?.candidates).toMatchObject([
    { version: "other", shadow: 100, requests: 20, errors: 0, stable: { requests: 20, errors: 0 } },
  ]);
  expect(status?.candidates[0]?.copies).toEqual({ compared: 20, disagreed: 6 });
  const metrics = service.metrics.instanceSamples();
  const counted = metrics.filter(({ metric }) => metric.name.startsWith("nearcast_shadow_"));
  expect(counted.map(({ labels, values }) => [...labels, ...values])).toEqual([
    ["table", "other", "compared", 20],
    ["table", "other", 20],
    ["table", "other", 6],
  ]);
});

test("copies take nothing from the rates of callers and models", async () => {
  const env = { MODEL_RATE_LIMIT: "5/60s", RATE_LIMIT: "6/60s" };
  const { ask, copies, copied } = await begin({ version: "other", env });
  for (let asked = 1; asked <= 5; asked++) {
    const answer = await ask(0);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("RateLimit")).toContain(`r=${6 - asked};`);
    await copied(asked);
  }
  expect(copies.map(({ compared }) => compared)).toEqual([1, 1, 1, 1, 1]);
  expect((await ask(0)).status).toBe(429);
});

test("a copy that fails is the candidate's error, and one that refuses the input disagrees", async () => {
  const { service, ask, copied, fates } = await begin({ version: "bad" });
  for (let index = 0; index < INDEXES; index++) {
    expect((await ask(index)).status).toBe(200);
    await copied(index + 1);
  }
  expect(fates().filter((fate) => fate === "model_corrupt")).toHaveLength(2);
  expect((await service.rollouts.status("table"))?.candidates).toMatchObject([
    { requests: 10, errors: 2, stable: { requests: 10, errors: 0 }, copies: { compared: 8 } },
  ]);
});

test("a call that names its version is not copied", async () => {
  const { post, ask, copied, copies } = await begin({ version: "other" });
  await post("/v1/models/table/versions/1/predict", { inputs: [1] });
  await ask(2);
  await copied(1);
  expect(copies).toMatchObject([{ compared: 1 }]);
});

test("the answer is sent before its copy begins", async () => {
  const events: string[] = [];
  const { app, copied } = await begin({
    version: "other",
    run:
      ({ version }, run) =>
      (...given) => {
        events.push(`run ${version}`);
        return run(...given);
      },
  });
  const listener = getRequestListener(app.fetch);
  const server = createServer((request, response) => {
    response.on("finish", () => events.push("sent"));
    void listener(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/models/table/predict`;
  for (let asked = 1; asked <= 3; asked++) {
    await (
      await fetch(url, { method: "POST", headers: JSON_BODY, body: '{"inputs": [1]}' })
    ).text();
    await copied(asked);
  }
  expect(events.join(", ")).toBe(
    Array.from({ length: 3 }, () => "run 1, sent, run other").join(", "),
  );
});

test("a version that hangs costs callers nothing, holds at most two calls, and fails by its deadline", async () => {
  let hanging = 0;
  const { ask, copies, fates, copied } = await begin({
    version: "other",
    env: { REQUEST_TIMEOUT_MS: "900" },
    run: ({ version }, run) =>
      version === "1" ? run : () => new Promise(() => void (hanging += 1)),
  });
  for (let asked = 0; asked < 20; asked++) {
    expect((await ask(asked % INDEXES)).status).toBe(200);
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  expect(hanging).toBe(2);
  expect(copies.length).toBe(18);
  await copied(20);
  expect(fates().toSorted().slice(18)).toEqual(["deadline_exceeded", "deadline_exceeded"]);
  expect(new Set(fates().slice(0, 18))).toEqual(new Set(["busy"]));
});

test("while anybody is answered no copy is made, and nobody is refused", async () => {
  let runs = 0;
  const { service, ask, fates, copied } = await begin({
    version: "other",
    run:
      ({ version }, run) =>
      (...given) => {
        if (version === "other") runs += 1;
        return run(...given);
      },
  });
  const reading = createDeferred<never>();
  const slow = service.infer({ model: "table", version: "1", read: () => reading.promise });
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => ask(index % 10)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  await copied(30);
  expect(fates()).toEqual(answers.map(() => "busy"));
  reading.reject(new Error("the client left"));
  await expect(slow).rejects.toThrow("the client left");
  await ask(1);
  await copied(31);
  expect(fates().at(-1)).toBe("compared");
  expect(runs).toBe(1);
});

test("where stable fails there is no copy, and the failure is stable's own", async () => {
  const { service, ask, copies, copied } = await begin({ version: "good", stable: "bad" });
  expect((await ask(9)).status).toBe(502);
  expect((await ask(1)).status).toBe(200);
  await copied(1);
  expect(copies).toMatchObject([{ compared: 1, disagreed: 0 }]);
  expect((await service.rollouts.status("table"))?.candidates).toMatchObject([
    { requests: 1, errors: 0, stable: { requests: 2, errors: 1 } },
  ]);
});

test("a long copy is followed by a rest without copies", async () => {
  const { ask, fates, copied } = await begin({
    version: "other",
    rests: true,
    run:
      ({ version }, run) =>
      async (...given) => {
        if (version === "other") await new Promise((resolve) => void setTimeout(resolve, 60));
        return run(...given);
      },
  });
  for (let asked = 1; asked <= 3; asked++) {
    await ask(1);
    await copied(asked);
  }
  expect(fates()).toEqual(["compared", "busy", "busy"]);
});

test("a session that only copies used makes room for what is asked for", async () => {
  // Two sessions fit.
  const env = { SESSION_BUDGET_MB: "0.25" };
  const { service, post, ask, fates, copied } = await begin({ version: "other", env });
  await ask(1);
  await copied(1);
  await post("/v1/models/table/versions/bad/predict", { inputs: [1] });
  await ask(1);
  await copied(2);
  expect(fates()).toEqual(["compared", "memory"]);
  const loads = service.metrics
    .instanceSamples()
    .filter(({ metric }) => metric.name === "nearcast_model_loads_total");
  expect(loads.map(({ labels, values }) => [...labels, ...values].join(" ")).toSorted()).toEqual([
    "table 1 loaded 1",
    "table bad loaded 1",
    "table other loaded 1",
  ]);
});

test("a version with no free memory gets no copies, and stable's session stays", async () => {
  const { service, ask, fates, copied } = await begin({
    version: "other",
    // A session of some 150 bytes is counted as 100 KiB.
    env: { SESSION_BUDGET_MB: "0.15" },
  });
  for (let asked = 1; asked <= 3; asked++) {
    await ask(1);
    await copied(asked);
  }
  expect(fates()).toEqual(["memory", "memory", "memory"]);
  expect(service.statistics.of({ name: "table", version: "1" }).execution_count).toBe(3);
  const loads = service.metrics
    .instanceSamples()
    .filter(({ metric }) => metric.name === "nearcast_model_loads_total");
  expect(loads.map(({ labels, values }) => [...labels, ...values])).toEqual([
    ["table", "1", "loaded", 1],
  ]);
});

test.each([
  [
    "other",
    { rollback: { alpha: 0.01, errors: true, disagreement: 0.05 }, ...EXACT },
    /^it answered \d+ of \d+ copied inputs otherwise than stable$/,
  ],
  ["bad", EXACT, /^\d+ of \d+ requests failed, and of stable's 0 of \d+$/],
] as const)("a bad version (%s) gets no more copies by itself", async (version, policy, reason) => {
  const { platform, service, ask, copies, copied } = await begin({ version, policy });
  const release = async () => (await readRelease(platform.store, "table"))?.release;
  for (let round = 0; round < 20 && (await release())?.history[0]?.change === "begun"; round++) {
    for (let index = 0; index < INDEXES; index++) {
      const count = copies.length;
      expect((await ask(index)).status).toBe(200);
      await copied(count + 1);
    }
    await service.rollouts.lookAtKnown();
  }
  expect(await release()).toMatchObject({
    stable: "1",
    candidates: [{ version, shadow: 0 }],
    history: [{ version, change: "taken back", why: expect.stringMatching(reason) }, {}, {}],
  });
  const count = copies.length;
  await ask(1);
  await new Promise((resolve) => void setTimeout(resolve, 20));
  expect(copies.length).toBe(count);
});
