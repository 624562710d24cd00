import type { Manifest } from "../../functions/model/manifest.ts";
import type { JsonSchema } from "../../functions/tasks/define.ts";
import type { Datatype } from "../../functions/tensor.ts";
import { closed, listOf, object, typeOf, type Member, type SchemaOptions } from "./schema-type.ts";

/** A released model and the schemas of what it takes and answers. */
export interface DescribedModel {
  manifest: Pick<Manifest, "name" | "task" | "description" | "inputs" | "outputs"> & {
    state?: Readonly<Record<string, string>>;
  };
  input: unknown;
  output: unknown;
  parameters: unknown;
  resolve?: SchemaOptions["resolve"];
}

/** Types of the client that the file imports, where it uses them. */
const IMPORTED = ["AudioInput", "Classification", "Decision", "ImageInput"];

/** A file of TypeScript with the types of these models, for `createClient<Models>`. The same for the same models. */
export function modelTypes(models: readonly DescribedModel[]): string {
  const sorted = models.toSorted((one, other) =>
    one.manifest.name < other.manifest.name ? -1 : 1,
  );
  const body = `export interface Models ${object(sorted.map(memberOf))}\n`;
  const used = IMPORTED.filter((name) => body.includes(name));
  const imports =
    used.length > 0 ? `import type { ${used.join(", ")} } from "@nearcast/client";\n` : "";
  return `// Made by \`nearcast types\`. Make it again after a release.\n${imports}\n${body}`;
}

function memberOf({ manifest, input, output, parameters, resolve }: DescribedModel): Member {
  const sent = { isInput: true, resolve };
  const answered = { isInput: false, resolve };
  const isTensor = manifest.task === "tensor";
  const { state } = manifest;
  return {
    name: manifest.name,
    about: [manifest.description, `Task: ${manifest.task}`],
    type: object([
      {
        name: "input",
        type: isTensor
          ? tensors(manifest.inputs, Object.keys(state ?? {}), true)
          : typeOf(input, sent),
      },
      {
        name: "output",
        type: isTensor
          ? tensors(manifest.outputs, Object.values(state ?? {}), false, state && STATE)
          : (classification(output) ?? typeOf(output, answered)),
      },
      { name: "parameters", type: typeOf(parameters, sent) },
    ]),
  };
}

/** The client's own types for the answers of classifiers, by the members that these have. */
function classification(output: unknown): string | undefined {
  const { properties } = (output ?? {}) as JsonSchema;
  if (typeof properties !== "object" || properties === null) return undefined;
  const { label } = properties as { label?: JsonSchema };
  const labels = closed(typeOf(label, { isInput: false }));
  switch (Object.keys(properties).toSorted().join()) {
    case "label,score,scores":
      return `Classification<${labels}>`;
    case "label,labels,score,scores":
      return `Required<Classification<${labels}>>`;
    case "decision_values,label":
      return `Decision<${labels}>`;
    default:
      return undefined;
  }
}

const STATE: Member = {
  name: "state",
  type: "string",
  isOptional: true,
  about: ["With `return_state`: for the next call."],
};

/** Nested arrays by name, as deep as the tensors' shapes. Those of a state may be missing. */
function tensors(
  infos: Manifest["inputs"],
  states: readonly string[],
  isInput: boolean,
  beside?: Member,
): string {
  const members = infos.map(({ name, datatype, shape }): Member => ({
    name,
    type: shape.reduce((type) => listOf(type, isInput), valueOf(datatype, isInput)),
    isOptional: states.includes(name),
    about: [`${datatype} [${shape.join(", ")}]`],
  }));
  return object([...members, ...(beside ? [beside] : [])]);
}

/** JSON has no numbers for these, and none for all integers of 64 bits. */
const FLOAT = 'number | "NaN" | "Infinity" | "-Infinity"';

function valueOf(datatype: Datatype, isInput: boolean): string {
  if (datatype.startsWith("FP")) return FLOAT;
  if (datatype.endsWith("INT64")) return isInput ? "number | bigint | string" : "number | string";
  if (datatype === "BOOL") return "boolean";
  return datatype === "BYTES" ? "string" : "number";
}
