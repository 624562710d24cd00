import { createService, NearcastError, type Observer } from "nearcast";
import { createNodePlatform } from "nearcast/node";

const printed: Observer = {
  call({ model, version, rows, error }) {
    console.log(`record: ${model} ${version ?? "-"}, ${rows} rows, ${error?.code ?? "answered"}`);
  },
};

const platform = createNodePlatform({ STORE: "models" });
const service = createService(platform, { observers: [printed] });

const { outputs } = await service.predict({
  model: "delivery",
  inputs: [
    { kilometres: 1614, kilograms: 2.5 },
    { kilometres: 300, kilograms: 12 },
  ],
});
console.log(JSON.stringify(outputs));

try {
  await service.predict({ model: "delivery", inputs: { kilometres: 300, kilograms: 31 } });
} catch (error) {
  if (!(error instanceof NearcastError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
