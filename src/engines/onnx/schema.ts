import protobuf from "protobufjs";

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

/** The part of the ONNX format that we write (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR version 8). */
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        graph: field("GraphProto", 7),
        opsetImport: repeated("OperatorSetIdProto", 8),
      },
    },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    GraphProto: {
      fields: {
        node: repeated("NodeProto", 1),
        name: field("string", 2),
        initializer: repeated("TensorProto", 5),
        input: repeated("ValueInfoProto", 11),
        output: repeated("ValueInfoProto", 12),
      },
    },
    NodeProto: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: repeated("AttributeProto", 5),
      },
    },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        i: field("int64", 3),
        ints: repeated("int64", 8),
        type: field("int32", 20),
      },
    },
    TensorProto: {
      fields: {
        dims: repeated("int64", 1),
        dataType: field("int32", 2),
        name: field("string", 8),
        rawData: field("bytes", 9),
      },
    },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    TypeProto: { fields: { tensorType: field("TensorTypeProto", 1) } },
    TensorTypeProto: { fields: { elemType: field("int32", 1), shape: field("TensorShapeProto", 2) } },
    TensorShapeProto: { fields: { dim: repeated("Dimension", 1) } },
    Dimension: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
  },
});

/** ONNX's numbers for element types and kinds of attributes. */
export const ELEMENT = { float: 1, uint8: 2 } as const;
const ATTRIBUTE = { int: 2, ints: 7 } as const;

/** A node of the ONNX graph; all attributes we use are integers. */
export interface OnnxNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A constant of the ONNX graph, float32. */
export interface OnnxConstant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** An input or output of the ONNX graph; a string in `dims` is a free axis of that name. */
export interface OnnxValue {
  readonly name: string;
  readonly element: keyof typeof ELEMENT;
  readonly dims: readonly (number | string)[];
}

/** Returns the bytes of an ONNX file (opset 17) with these parts. */
export function encodeModel(graph: {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}): Uint8Array {
  const model = {
    irVersion: 8,
    producerName: "collapsar",
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "network",
      node: graph.nodes.map(encodeNode),
      initializer: graph.constants.map(({ name, dims, values }) => ({
        name,
        dims,
        dataType: ELEMENT.float,
        rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      })),
      input: graph.inputs.map(encodeValue),
      output: graph.outputs.map(encodeValue),
    },
  };
  return root.lookupType("ModelProto").encode(model).finish();
}

function encodeNode({ opType, input, output, attributes = {} }: OnnxNode) {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === "number" ? { name, i: value, type: ATTRIBUTE.int } : { name, ints: value, type: ATTRIBUTE.ints },
  );
  return { opType, name: output, input, output: [output], attribute };
}

function encodeValue({ name, element, dims }: OnnxValue) {
  const dim = dims.map((length) => (typeof length === "number" ? { dimValue: length } : { dimParam: length }));
  return { name, type: { tensorType: { elemType: ELEMENT[element], shape: { dim } } } };
}
