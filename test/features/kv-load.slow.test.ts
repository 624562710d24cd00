import { symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { KVNamespace } from "@cloudflare/workers-types";
import { expect, onTestFinished, test } from "vitest";
import { getPlatformProxy } from "wrangler";
import { createKvSource } from "../../functions/platform/features/kv.ts";
import { nearcast, root, temporaryFolder } from "../cli/nearcast.ts";
import { churnFolder, openChurn } from "./service.ts";

const CONFIGURATION = `
name = "nearcast"
compatibility_date = "2026-10-20"
[[kv_namespaces]]
binding = "FEATURES"
id = "0f2ac74b498b48028cb68387c421e279"
`;

test("wrangler writes the table that the command gives it, and Workers KV answers with it", async () => {
  const project = await temporaryFolder();
  const before = process.cwd();
  process.chdir(project);
  onTestFinished(() => process.chdir(before));
  await symlink(join(root, "node_modules"), "node_modules");
  await writeFile("wrangler.toml", CONFIGURATION);
  await writeFile("customers.csv", "customer_id,age,member,city\n42,30,true,Oslo\n");
  const models = await churnFolder();
  const flags = "--for churn --to customers=kv://FEATURES --local --persist-to state";
  const load = ["features", "load", "customers.csv", "--models", models, ...flags.split(" ")];
  expect(await nearcast(load)).toMatchObject({ code: 0, stderr: "" });
  const { env, dispose } = await getPlatformProxy({ persist: { path: resolve("state/v3") } });
  onTestFinished(dispose);
  const source = createKvSource("customers", env["FEATURES"] as KVNamespace);
  const { predict, whole } = openChurn(models, { sources: [source] });
  expect(await predict({ customer_id: 42, income: 1 })).toMatchObject({
    outputs: await whole({ age: 30, member: true, city: "Oslo", income: 1 }),
    features: { age: { status: "found" }, member: { status: "found" }, city: { status: "found" } },
  });
});
