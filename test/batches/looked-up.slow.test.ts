import { onTestFinished, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { startJobsOnLambda } from "../jobs/started-lambda.ts";
import { expectStatusesOfBatch, lookedUp, putTable } from "./looked-up.ts";

const folder = await lookedUp();
const MAX_BATCH = "2";

test("lines of a batch tell where each row's features are from, on Workers", async () => {
  const FEATURE_SOURCES = "customers=r2://MODELS/features";
  const env = { MAX_BATCH, FEATURE_SOURCES };
  const worker = await targets.worker({ models: folder.models, queues: true, env });
  onTestFinished(worker.stop);
  await putTable(folder.table, worker.store.put);
  await expectStatusesOfBatch(worker.fetch);
});

test("on Lambda", async () => {
  const FEATURE_SOURCES = "customers=s3://models/features";
  const env = { MAX_BATCH, FEATURE_SOURCES };
  const started = await startJobsOnLambda({ models: folder.models, env });
  await putTable(folder.table, started.target.store.put);
  started.work();
  await expectStatusesOfBatch(started.ask);
});
