// This is compiled and not run: uses of the bindings, and mistakes that must not compile. package.test.ts compiles it
// once more against the packed tarball.
import { useQuery } from "@tanstack/react-query";
import { ref } from "vue";
import { createClient, type Classification, type ImageInput } from "../../client/src/index.ts";
import { queryOptions, usePrediction } from "../../client/src/react.ts";
import { usePrediction as useInVue } from "../../client/src/vue.ts";

interface Models {
  flowers: {
    input: { length: number; width: number };
    output: Classification<"rose" | "tulip">;
    parameters: { top_k?: number };
  };
  digits: { input: ImageInput; output: Classification; parameters: { top_k?: number } };
  search: { input: string; output: number[]; parameters: object };
}

const client = createClient<Models>("https://models.test");
const flower = { length: 1, width: 2 };

export function inReact(file: File | null) {
  const { data, prediction, error, fieldErrors, predict } = usePrediction(
    client,
    "flowers",
    flower,
    {
      debounceMs: 200,
      keepPreviousData: true,
      parameters: { top_k: 2 },
      optimistic: ({ length }, previous) =>
        previous ?? { label: length > 1 ? "rose" : "tulip", score: 1, scores: {} },
    },
  );
  const label: "rose" | "tulip" | undefined = data?.label;
  const version: string | undefined = prediction?.version;
  const message: string | undefined = fieldErrors["length"] ?? error?.message;
  const answer: Promise<"rose" | "tulip" | undefined> = predict(flower).then(
    (one) => one?.outputs.label,
  );
  const digit: string | undefined = usePrediction(client, "digits", file).data?.label;
  const vectors: number[][] | undefined = usePrediction(client, "search", ["a", "b"]).data;
  const untyped: unknown = usePrediction(createClient("https://models.test"), "any", 5).data;
  const query = useQuery(queryOptions(client, "flowers", flower, { parameters: { top_k: 1 } }));
  const queried: "rose" | "tulip" | undefined = query.data?.outputs.label;
  // @ts-expect-error: a misspelt feature
  usePrediction(client, "flowers", { length: 1, widht: 2 });
  // @ts-expect-error: a model that there is not
  usePrediction(client, "flower", flower);
  // @ts-expect-error: a parameter that there is not
  usePrediction(client, "flowers", flower, { parameters: { topK: 1 } });
  // @ts-expect-error: an option that there is not
  usePrediction(client, "flowers", flower, { debounce: 1 });
  // @ts-expect-error: a misspelt feature
  void predict({ length: 1, widht: 2 });
  // @ts-expect-error: a misspelt feature
  queryOptions(client, "flowers", { length: 1, widht: 2 });
  return { label, version, message, answer, digit, vectors, untyped, queried };
}

export function inVue() {
  const input = ref<{ length: number; width: number }>();
  const { data, isPending, predict } = useInVue(client, "flowers", input, () => ({ version: "1" }));
  const label: "rose" | "tulip" | undefined = data.value?.label;
  const waits: boolean = isPending.value;
  const vectors: number[][] | undefined = useInVue(client, "search", () => ["a"]).data.value;
  void predict(flower);
  // @ts-expect-error: a misspelt feature
  useInVue(client, "flowers", { length: 1, widht: 2 });
  // @ts-expect-error: a model that there is not
  useInVue(client, "flower", input);
  // @ts-expect-error: no file
  useInVue(client, "search", ref<File>());
  return { label, waits, vectors };
}
