import { defineTask, invalidInput, schemaOf, type InputIssue } from "nearcast";
import * as z from "zod";
import { distance, findPlace } from "./places.ts";

const parcel = z.strictObject({
  from: z.string().describe("The town that sends it."),
  to: z.string().describe("The town that gets it."),
  kilograms: z.number().positive().max(30),
});

const answer = z.strictObject({
  price: z.number(),
  currency: z.string(),
  kilometres: z.number().optional(),
});

type Parcel = z.infer<typeof parcel>;
type Answer = z.infer<typeof answer>;

/** A parcel in, a price out. The model takes kilometres and kilograms. This task looks the towns up. */
export const deliveryPrice = defineTask({
  name: "delivery-price",
  // The fields of model.json that only this task has.
  options: {
    delivery: z.strictObject({
      output: z.string(),
      currency: z.string().length(3).default("EUR"),
      roundTo: z.number().positive().default(0.01),
    }),
  },
  // The parameters of a request: {"inputs": …, "parameters": {"details": true}}.
  parameters: z.strictObject({
    details: z.boolean().default(false).describe("Answer the distance as well."),
  }),
  input: "json",

  compile({ manifest }) {
    const { output, currency, roundTo } = manifest.delivery;
    const input = manifest.inputs[0]?.name ?? "";
    if (!manifest.outputs.some(({ name }) => name === output))
      throw new Error(`delivery.output names no output of the model: ${output}`);
    return {
      outputNames: [output],
      async preprocess(rows, { pathOf }) {
        const trips = await readTrips(rows, pathOf);
        const data = Float32Array.from(trips.flat());
        const shape = [trips.length, 2];
        return [
          {
            feeds: { [input]: { datatype: "FP32", shape, data } },
            rows: trips.length,
            context: trips,
          },
        ];
      },
      postprocess(outputs, { context }, { details }) {
        const prices = outputs[output]?.data as Float32Array;
        const trips = context as Trip[];
        return Array.from(prices, (price, row): Answer => ({
          price: round(price, roundTo),
          currency,
          ...(details && { kilometres: Math.round(trips[row]?.[0] ?? 0) }),
        }));
      },
    };
  },

  // For /openapi.json.
  schema: () => ({ input: schemaOf(parcel), output: schemaOf(answer) }),

  // For `nearcast add`.
  examples: () => [
    { from: "Lyon", to: "Oslo", kilograms: 2.5 },
    { from: "Lisbon", to: "Warsaw", kilograms: 30 },
  ],

  // For `nearcast eval` and `nearcast gate`.
  quality: () => ({
    problemWith: (truth) => (typeof truth === "number" ? undefined : "the label is not a price"),
    metrics(truths, answers) {
      const errors = truths.map((truth, row) => Math.abs(Number(truth) - priceOf(answers[row])));
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      return { mean_error: mean, largest_error: Math.max(...errors) };
    },
    lessIsBetter: ["mean_error", "largest_error"],
  }),
});

/** Kilometres and kilograms. */
type Trip = [kilometres: number, kilograms: number];

/** Rejects with the path of everything that is wrong: `inputs[3].to is no town that we deliver to`. */
async function readTrips(
  rows: readonly unknown[],
  pathOf: (row: number) => string,
): Promise<Trip[]> {
  const issues: InputIssue[] = [];
  const trips = rows.map(async (value, row): Promise<Trip> => {
    const path = pathOf(row);
    const parsed = parcel.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues)
        issues.push({ path: [path, ...issue.path].join("."), message: issue.message });
      return [0, 0];
    }
    const { from, to, kilograms }: Parcel = parsed.data;
    const [start, end] = await Promise.all([findPlace(from), findPlace(to)]);
    if (!start) issues.push({ path: `${path}.from`, message: "is no town that we deliver from" });
    if (!end) issues.push({ path: `${path}.to`, message: "is no town that we deliver to" });
    return start && end ? [distance(start, end), kilograms] : [0, 0];
  });
  const all = await Promise.all(trips);
  if (issues.length > 0) throw invalidInput(issues);
  return all;
}

function round(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toFixed(2));
}

function priceOf(answer: unknown): number {
  return (answer as Answer).price;
}
