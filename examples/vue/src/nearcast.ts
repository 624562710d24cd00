import {
  createClient,
  type Classification,
  type ImageInput,
  type RecommendedItem,
  type Vector,
} from "@nearcast/client";

export type Flower = Partial<
  Record<"sepal_length" | "sepal_width" | "petal_length" | "petal_width", number>
>;

/** The types of the models that the page asks. */
interface Models {
  iris: {
    input: Flower;
    output: Classification<"setosa" | "versicolor" | "virginica">;
    parameters: { top_k?: number };
  };
  digits: { input: ImageInput; output: Classification; parameters: { top_k?: number } };
  sentiment: {
    input: string;
    output: Classification<"positive" | "negative">;
    parameters: { top_k?: number };
  };
  retail: { input: string[]; output: RecommendedItem[]; parameters: { top_k?: number } };
  search: { input: string; output: Vector; parameters: { dimensions?: number } };
}

export const client = createClient<Models>(
  import.meta.env["VITE_NEARCAST_URL"] ?? "http://localhost:8787",
);
