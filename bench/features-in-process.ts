// The same predictions sent whole, looked up with a read each, and looked up in memory take turns in one process, without
// HTTP, and so does the source's read by itself. `node bench/features-in-process.ts '{"rows": 1}'` prints the median
// microseconds of processor time of a call.
import { rm } from "node:fs/promises";
import { createApp } from "../functions/app.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { createService } from "../functions/service.ts";
import { countedSource, featureBodies, featureNames, FORMS, patientsOf, SENT, writeFeatureModels, type Form } from "./features-models.ts"; // oxfmt-ignore
import { childOptions } from "./processes.ts";
import { quantile } from "./statistics.ts";

export type InProcess = { [form in Form]?: number } & { alone: number; readsPerCall: number };

const SECONDS = 3;
const TURN_MS = 50;
const WARM_UP_MS = 1500;

if (import.meta.main) {
  const folder = await writeFeatureModels();
  try {
    console.log(JSON.stringify(await measure(folder)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<InProcess> {
  const { rows, forms = FORMS } = childOptions() as { rows: number; forms?: readonly Form[] };
  const source = await countedSource();
  const platform = createNodePlatform({ STORE: folder, ACCESS_LOG: "false" });
  const app = createApp(createService(platform, { sources: [source] }));
  const bodies = await featureBodies(rows);
  const requests = forms.map((form) => bodies[form].map((body) => new TextEncoder().encode(body)));
  const entities = patientsOf(rows).map((patients) => patients.map((patient) => ({ patient })));
  const wanted = (await featureNames()).slice(SENT);
  const { signal } = new AbortController();

  async function readFor(milliseconds: number): Promise<number> {
    const end = performance.now() + milliseconds;
    for (let count = 0; ; count++) {
      if (performance.now() >= end) return count;
      await source.read(entities[count % entities.length] ?? [], wanted, { signal });
    }
  }

  async function askFor(milliseconds: number, place: number): Promise<number> {
    const [form, own = []] = [forms[place], requests[place]];
    const end = performance.now() + milliseconds;
    for (let count = 0; ; count++) {
      if (performance.now() >= end) return count;
      const body = own[count % own.length] as Uint8Array<ArrayBuffer>;
      const headers = { "content-type": "application/json", "content-length": `${body.length}` };
      const asked = { method: "POST", headers, body };
      const answer = await app.request(`/v1/models/${form}/predict`, asked);
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${form} answered ${answer.status}`);
    }
  }

  for (const place of forms.keys()) await askFor(WARM_UP_MS, place);
  await readFor(WARM_UP_MS);
  const times = forms.map((): number[] => []);
  const alone: number[] = [];
  let [reads, calls] = [0, 0];
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end;) {
    for (const [place, form] of forms.entries()) {
      const before = source.reads;
      const count = await timed(times[place] ?? [], () => askFor(TURN_MS, place));
      if (form === "read") [reads, calls] = [reads + source.reads - before, calls + count];
    }
    await timed(alone, () => readFor(TURN_MS));
  }
  const medians = forms.map((form, place) => [form, quantile(times[place] ?? [], 0.5)]);
  return {
    ...Object.fromEntries(medians),
    alone: quantile(alone, 0.5),
    readsPerCall: reads / calls,
  };
}

/** Adds the processor time of one of those that `work` does. */
async function timed(times: number[], work: () => Promise<number>): Promise<number> {
  const begun = process.cpuUsage();
  const count = await work();
  const { user, system } = process.cpuUsage(begun);
  times.push((user + system) / count);
  return count;
}
