import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets } from "../harness/targets.ts";

const models = join(import.meta.dirname, "../../models");
const inputs = [5.1, 3.5, 1.4, 0.2];

test.each(inThisFile(["node", "worker", "lambda"] as const))(
  "on %s a kept answer is for whoever may use the model, and for nobody else",
  async (name) => {
    const [ours, theirs, reader] = [
      apiKey("ours", { models: ["iris"] }),
      apiKey("theirs", { models: ["twin"] }),
      apiKey("reader", { scopes: ["read"] }),
    ];
    const target = await targets[name]({
      env: {
        AUTH: "",
        API_KEYS: keyList(ours, theirs, reader),
        PREDICTION_CACHE_TTL_SECONDS: "60",
      },
    });
    onTestFinished(() => target.stop());
    const manifest = await readFile(join(models, "iris/1/model.json"), "utf8");
    await target.store.put("twin/1/model.json", manifest.replace('"iris"', '"twin"'));
    await target.store.put("twin/release.json", '{"stable":"1"}');

    const ask = async (key: string, model: string) => {
      const answer = await target.fetch(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...bearer(key) },
        body: JSON.stringify({ inputs }),
      });
      return [answer.status, answer.headers.get("cache-status")];
    };
    expect(await ask(ours.key, "iris")).toEqual([200, "nearcast; fwd=miss"]);
    expect(await ask(ours.key, "iris")).toEqual([200, "nearcast; hit"]);
    expect(await ask(theirs.key, "iris")).toEqual([403, null]);
    expect(await ask(reader.key, "iris")).toEqual([403, null]);
    expect(await ask(ours.key, "twin")).toEqual([403, null]);
    // They may use the same artifact under this name, so they may have its answers.
    expect(await ask(theirs.key, "twin")).toEqual([200, "nearcast; hit"]);
  },
);
