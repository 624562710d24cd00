import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from "./model.ts";

/** A constant of the graph. */
export type Constant = { numbers: number[] } | { strings: string[] };

/** Answers what makes a tensor of the graph. */
export interface GraphView {
  graph: OnnxGraph;
  producerOf(tensor: string): OnnxNode | undefined;
  /** Undefined for a tensor that is computed, or that lies in another file. */
  constantOf(tensor: string): Constant | undefined;
  /** Whether `ancestor` is what the tensor is computed from, or the tensor itself. */
  comesFrom(tensor: string, ancestor: string): boolean;
}

export function viewOf(graph: OnnxGraph): GraphView {
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const constants = new Map<string, Constant | undefined>();

  function readConstant(tensor: string): Constant | undefined {
    const initializer = initializers.get(tensor);
    if (initializer) return valuesOf(initializer);
    const node = producers.get(tensor);
    return node?.opType === "Constant" ? constantOfNode(node) : undefined;
  }

  return {
    graph,
    producerOf: (tensor) => producers.get(tensor),
    constantOf(tensor) {
      if (!constants.has(tensor)) constants.set(tensor, readConstant(tensor));
      return constants.get(tensor);
    },
    comesFrom(tensor, ancestor) {
      const seen = new Set<string>();
      const open = [tensor];
      for (let name = open.pop(); name !== undefined; name = open.pop()) {
        if (name === ancestor) return true;
        if (seen.has(name)) continue;
        seen.add(name);
        open.push(...(producers.get(name)?.input ?? []));
      }
      return false;
    },
  };
}

export function attributeOf(node: OnnxNode, name: string): OnnxAttribute | undefined {
  return node.attribute.find((one) => one.name === name);
}

/** A string attribute; an empty string where the node has none. */
export function textOf(node: OnnxNode, name: string): string {
  return decode(attributeOf(node, name)?.s ?? new Uint8Array());
}

export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function constantOfNode(node: OnnxNode): Constant | undefined {
  const [attribute] = node.attribute;
  if (!attribute) return undefined;
  const { name, t, f, i, floats, ints, strings, s } = attribute;
  if (name === "value") return t && valuesOf(t);
  if (name === "value_string") return { strings: [decode(s)] };
  if (name === "value_strings") return { strings: strings.map(decode) };
  const numbers = {
    value_float: () => [f],
    value_floats: () => floats,
    value_int: () => [Number(i)],
    value_ints: () => ints.map(Number),
  }[name];
  return numbers && { numbers: numbers() };
}

/** By TensorProto.DataType: what the raw bytes hold. */
const RAW = {
  1: Float32Array,
  2: Uint8Array,
  3: Int8Array,
  6: Int32Array,
  7: BigInt64Array,
  9: Uint8Array,
  11: Float64Array,
};
const STRING = 8;

function valuesOf(tensor: OnnxTensor): Constant | undefined {
  const { dataType, dims, rawData, stringData } = tensor;
  if (dataType === STRING) return { strings: stringData.map(decode) };
  const { floatData, int32Data, int64Data, doubleData } = tensor;
  const count = dims.reduce((product, size) => product * Number(size), 1);
  const typed = [...int64Data.map(Number), ...floatData, ...int32Data, ...doubleData];
  const Values = RAW[dataType as keyof typeof RAW];
  // Half-precision constants lie as bits among the integers.
  if (!Values || (rawData.length === 0 && typed.length !== count)) return undefined;
  if (rawData.length === 0) return { numbers: typed };
  // Bytes of a Buffer share the file's memory, of which its own slice would be a part too.
  const { buffer } = Uint8Array.from(rawData);
  return { numbers: Array.from<number | bigint, number>(new Values(buffer), Number) };
}
