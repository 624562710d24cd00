import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FeatureSource } from "../../functions/features/source.ts";
import { createFeastSource } from "../../functions/platform/features/feast.ts";
import { featureSourceContract } from "../../functions/testing.ts";
import { hasFeast, startFeast, type Feast } from "./feast.ts";
import { churnFolder, customers, openChurn } from "./service.ts";

const NAMES = ["age", "member", "city"];

describe.skipIf(!hasFeast)("Feast's feature server", () => {
  let feast: Feast;
  beforeAll(async () => {
    feast = await startFeast();
  });
  afterAll(() => feast.stop());

  for (const { name, run } of featureSourceContract(async (rows) => {
    const keys = Object.keys(rows[0]?.keys ?? {});
    const view = keys.includes("shop") ? "shops" : keys[0] === "number" ? "numbers" : "customers";
    await feast.write(view, rows);
    return ofView(createFeastSource("customers", feast.url), view);
  }))
    test(name, run);

  /** Opens the model over a view's features. */
  async function open(view: string, { timeoutMs = 10_000, url = feast.url } = {}) {
    const features = NAMES.map((name) => ({ name, from: `${view}:${name}` }));
    const lookup = { features, maxAgeSeconds: 3600, cacheSeconds: 0, timeoutMs };
    return openChurn(await churnFolder(lookup), {}, { FEATURE_SOURCES: `customers=${url}` });
  }

  test("answers as for features sent whole; stale, missing and of the wrong type as the manifest says", async () => {
    const old = customers(Date.now() - 7200_000);
    await feast.write("churn", [
      ...customers(),
      ...old.map((row) => ({ ...row, keys: { customer_id: 1 } })),
    ]);
    const { predict, whole } = await open("churn");
    const ask = (customer_id: number) => predict({ customer_id, income: 1 });
    expect(await ask(42)).toMatchObject({
      outputs: await whole({ age: 30, member: true, city: "Oslo", income: 1 }),
      features: { age: { status: "found", ageSeconds: expect.closeTo(60, -2) as number } },
    });
    expect((await ask(1)).detail).toContain("only from more than 3600 s ago");
    expect((await ask(3)).detail).toContain("is not known to customers");
    const wrong = { keys: { customer_id: 2 }, values: { age: "30", member: true, city: "Oslo" } };
    await feast.write("wrong", [wrong]);
    const other = await open("wrong");
    expect(await other.predict({ customer_id: 2, income: 1 })).toMatchObject({
      status: 502,
      code: "features_invalid",
    });
  });

  test("a view that is not there is 503, a server that is slow 504, and one that is down 503", async () => {
    const ask = async ({ predict }: Awaited<ReturnType<typeof open>>) =>
      predict({ customer_id: 42, income: 1 });
    const unavailable = { status: 503, code: "features_unavailable" };
    expect(await ask(await open("nothing"))).toMatchObject(unavailable);
    feast.pause();
    const late = await ask(await open("churn", { timeoutMs: 100 })).finally(() => feast.goOn());
    expect(late).toMatchObject({ status: 504, code: "features_late" });
    expect(await ask(await open("churn", { url: "feast+http://127.0.0.1:9" }))).toMatchObject(
      unavailable,
    );
  });
});

/** The contract's names are those of columns. Feast's have the view before them. */
function ofView(source: FeatureSource, view: string): FeatureSource {
  return {
    ...source,
    read: (entities, names, options) =>
      source.read(
        entities,
        names.map((name) => `${view}:${name}`),
        options,
      ),
  };
}
