import { expect, test } from "vitest";
import { writeFeatures } from "../../cli/features/destination.ts";
import { projectWith } from "../pipelines/stand-in.ts";
import { customers } from "./service.ts";

test("KV is written by the binding of the environment that is asked for", async () => {
  const { calls } = await projectWith("wrangler", {});
  const to = ["customers", "kv://FEATURES"] as const;
  await writeFeatures(to, customers(), {});
  await writeFeatures(to, customers(), { stage: "production" });
  await writeFeatures(to, customers(), { stage: "production", local: true, persistTo: "state" });
  const put = /^kv bulk put \S+\/pairs\.json --binding FEATURES /;
  expect((await calls()).map((call) => call.replace(put, ""))).toEqual([
    "--env= --remote",
    "--env=production --remote",
    "--env=production --local --persist-to state",
  ]);
});
