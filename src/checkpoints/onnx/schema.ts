import protobuf from "protobufjs";
import { bytesOf, delimitedField } from "../protobuf.ts";

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

/** The part of the ONNX format that we write and look at (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR version 8). */
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        graph: field("GraphProto", 7),
        opsetImport: repeated("OperatorSetIdProto", 8),
        metadataProps: repeated("StringStringEntryProto", 14),
        functions: repeated("FunctionProto", 25),
      },
    },
    StringStringEntryProto: { fields: { key: field("string", 1), value: field("string", 2) } },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    FunctionProto: {
      fields: {
        name: field("string", 1),
        node: repeated("NodeProto", 7),
        attributeProto: repeated("AttributeProto", 11),
      },
    },
    GraphProto: {
      fields: {
        node: repeated("NodeProto", 1),
        name: field("string", 2),
        initializer: repeated("TensorProto", 5),
        input: repeated("ValueInfoProto", 11),
        output: repeated("ValueInfoProto", 12),
        sparseInitializer: repeated("SparseTensorProto", 15),
      },
    },
    NodeProto: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: repeated("AttributeProto", 5),
        domain: field("string", 7),
      },
    },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        t: field("TensorProto", 5),
        g: field("GraphProto", 6),
        ints: repeated("int64", 8),
        tensors: repeated("TensorProto", 10),
        graphs: repeated("GraphProto", 11),
        type: field("int32", 20),
        sparseTensor: field("SparseTensorProto", 22),
        sparseTensors: repeated("SparseTensorProto", 23),
      },
    },
    SparseTensorProto: { fields: { values: field("TensorProto", 1), indices: field("TensorProto", 2) } },
    TensorProto: {
      fields: {
        dims: repeated("int64", 1),
        dataType: field("int32", 2),
        // packed floats, as every writer encodes them: bytes are not copied into numbers one by one
        floatData: field("bytes", 4),
        name: field("string", 8),
        rawData: field("bytes", 9),
        externalData: repeated("StringStringEntryProto", 13),
        dataLocation: field("int32", 14),
      },
    },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    TypeProto: { fields: { tensorType: field("TensorTypeProto", 1) } },
    TensorTypeProto: { fields: { elemType: field("int32", 1), shape: field("TensorShapeProto", 2) } },
    TensorShapeProto: { fields: { dim: repeated("Dimension", 1) } },
    Dimension: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
  },
});

/** The message an ONNX file is. */
export const MODEL_TYPE = root.lookupType("ModelProto");
const GRAPH_TYPE = root.lookupType("GraphProto");
const TENSOR_TYPE = root.lookupType("TensorProto");

/** Numbers of the fields that are encoded without a copy. */
const FIELD = {
  graph: MODEL_TYPE.fields.graph!.id,
  initializer: GRAPH_TYPE.fields.initializer!.id,
  rawData: TENSOR_TYPE.fields.rawData!.id,
};

/** ONNX's numbers for element types and kinds of attributes. */
export const ELEMENT = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, double: 11 } as const;
const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;

/** A node of the ONNX graph, with one output. */
export interface OnnxNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: string;
  /** Attributes that are integers. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** Attributes that are floating-point numbers. */
  readonly floats?: Readonly<Record<string, number>>;
}

/** A constant of the ONNX graph. */
export interface OnnxConstant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | BigInt64Array | Uint8Array | Int8Array;
}

/** An input or output of the ONNX graph; a string in `dims` is a free axis of that name. */
export interface OnnxValue {
  readonly name: string;
  readonly element: keyof typeof ELEMENT;
  readonly dims: readonly (number | string)[];
}

/** What an ONNX file is made of. */
export interface OnnxParts {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Returns the bytes of an ONNX file (opset 17) with these parts. */
export function encodeModel(parts: OnnxParts): Uint8Array {
  return Buffer.concat(encodePieces(parts));
}

/** Returns the same bytes in pieces that come one after the other; the constants are among them as they are, not copied. */
export function encodePieces(parts: OnnxParts): readonly Uint8Array[] {
  const model = {
    irVersion: 8,
    producerName: "collapsar",
    opsetImport: [{ domain: "", version: 17 }],
    metadataProps: Object.entries(parts.metadata).map(([key, value]) => ({ key, value })),
  };
  const graph = {
    name: "network",
    node: parts.nodes.map(encodeNode),
    input: parts.inputs.map(encodeValue),
    output: parts.outputs.map(encodeValue),
  };
  const constants = parts.constants.flatMap((constant) => delimitedField(FIELD.initializer, encodeConstant(constant)));
  const encodedGraph = [GRAPH_TYPE.encode(graph).finish(), ...constants];
  return [MODEL_TYPE.encode(model).finish(), ...delimitedField(FIELD.graph, encodedGraph)];
}

/**
 * Returns `file` with further outputs of its graph. Two encoded messages in a row are one whose fields are merged
 * (https://protobuf.dev/programming-guides/encoding/#last-one-wins), so nothing of the file is lost.
 */
export function withOutputs(file: Uint8Array, names: readonly string[]): Uint8Array {
  const output = names.map((name) => ({ name }));
  const addition = MODEL_TYPE.encode({ graph: { output } }).finish();
  const merged = new Uint8Array(file.length + addition.length);
  merged.set(file);
  merged.set(addition, file.length);
  return merged;
}

/** Returns the parts of an ONNX file that we look at, as plain data; what it lacks is empty. @throws Error where it is none. */
export function decodeModel(file: Uint8Array): ModelProto {
  return MODEL_TYPE.toObject(MODEL_TYPE.decode(file), { longs: Number, arrays: true, defaults: true }) as ModelProto;
}

/** A decoded file, by ONNX's own names. Optional messages are null where absent. */
export interface ModelProto {
  readonly irVersion: number;
  readonly graph: GraphProto | null;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly functions: readonly {
    readonly node: readonly NodeProto[];
    readonly attributeProto: readonly AttributeProto[];
  }[];
}

export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly sparseInitializer: readonly SparseTensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly AttributeProto[];
}

export interface AttributeProto {
  readonly name: string;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly ints: readonly number[];
  readonly t: TensorProto | null;
  readonly g: GraphProto | null;
  readonly tensors: readonly TensorProto[];
  readonly graphs: readonly GraphProto[];
  readonly sparseTensor: SparseTensorProto | null;
  readonly sparseTensors: readonly SparseTensorProto[];
}

export interface TensorProto {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly floatData: Uint8Array;
  readonly name: string;
  readonly rawData: Uint8Array;
  readonly externalData: readonly object[];
  readonly dataLocation: number;
}

export interface SparseTensorProto {
  readonly values: TensorProto | null;
  readonly indices: TensorProto | null;
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly { readonly dimValue: number; readonly dimParam: string }[] } | null;
    } | null;
  } | null;
}

function encodeNode({ opType, input, output, attributes = {}, floats = {} }: OnnxNode) {
  const integers = Object.entries(attributes).map(([name, value]) =>
    typeof value === "number" ? { name, i: value, type: ATTRIBUTE.int } : { name, ints: value, type: ATTRIBUTE.ints },
  );
  const numbers = Object.entries(floats).map(([name, f]) => ({ name, f, type: ATTRIBUTE.float }));
  return { opType, name: output, input, output: [output], attribute: [...integers, ...numbers] };
}

function encodeConstant({ name, dims, values }: OnnxConstant): readonly Uint8Array[] {
  const dataType = elementOf(values);
  const head = TENSOR_TYPE.encode({ name, dims, dataType }).finish();
  return [head, ...delimitedField(FIELD.rawData, [bytesOf(values)])];
}

function elementOf(values: OnnxConstant["values"]): number {
  if (values instanceof Float32Array) return ELEMENT.float;
  if (values instanceof BigInt64Array) return ELEMENT.int64;
  return values instanceof Int8Array ? ELEMENT.int8 : ELEMENT.uint8;
}

function encodeValue({ name, element, dims }: OnnxValue) {
  const dim = dims.map((length) => (typeof length === "number" ? { dimValue: length } : { dimParam: length }));
  return { name, type: { tensorType: { elemType: ELEMENT[element], shape: { dim } } } };
}
