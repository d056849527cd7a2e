import protobuf from "protobufjs";
import { bytesOf } from "../../checkpoints/protobuf.ts";

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

/** The part of TensorFlow's SavedModel that we write (tensorflow/core/protobuf and tensorflow/core/framework, *.proto). */
const root = protobuf.Root.fromJSON({
  nested: {
    SavedModel: { fields: { savedModelSchemaVersion: field("int64", 1), metaGraphs: repeated("MetaGraphDef", 2) } },
    MetaGraphDef: { fields: { metaInfoDef: field("MetaInfoDef", 1), graphDef: field("GraphDef", 2) } },
    MetaInfoDef: { fields: { tags: repeated("string", 4) } },
    GraphDef: { fields: { node: repeated("NodeDef", 1), versions: field("VersionDef", 4) } },
    VersionDef: { fields: { producer: field("int32", 1) } },
    NodeDef: {
      fields: {
        name: field("string", 1),
        op: field("string", 2),
        input: repeated("string", 3),
        attr: repeated("AttrEntry", 5),
      },
    },
    AttrEntry: { fields: { key: field("string", 1), value: field("AttrValue", 2) } },
    AttrValue: {
      fields: {
        list: field("ListValue", 1),
        s: field("bytes", 2),
        f: field("float", 4),
        b: field("bool", 5),
        type: field("int32", 6),
        shape: field("TensorShapeProto", 7),
        tensor: field("TensorProto", 8),
      },
    },
    ListValue: { fields: { i: repeated("int64", 3) } },
    TensorShapeProto: { fields: { dim: repeated("Dim", 2), unknownRank: field("bool", 3) } },
    Dim: { fields: { size: field("int64", 1) } },
    TensorProto: {
      fields: {
        dtype: field("int32", 1),
        tensorShape: field("TensorShapeProto", 2),
        tensorContent: field("bytes", 4),
      },
    },
  },
});

const SAVED_MODEL = root.lookupType("SavedModel");

const SCHEMA_VERSION = 1;
/** Of graphs as TensorFlow 2 writes them; it reads older ones by older rules. */
const PRODUCER = 1000;

/** The tag by which the graph is asked for. */
export const TAG = "serve";

/** TensorFlow's numbers for element types. */
export const ELEMENT = { float: 1, int32: 3, uint8: 4, bool: 10 } as const;

/** An attribute of a node: an element type, integers, a text, a number, a yes, a shape (−1: a free axis; null: any), or a tensor. */
export type Attribute =
  | { readonly type: keyof typeof ELEMENT }
  | { readonly integers: readonly number[] }
  | { readonly text: string }
  | { readonly number: number }
  | { readonly flag: true }
  | { readonly shape: readonly number[] | null }
  | { readonly values: Int32Array | Float32Array; readonly dims: readonly number[] };

/** A node of the graph, with one output of its own name. */
export interface TensorflowNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Returns `saved_model.pb` of a graph. */
export function encodeSavedModel(nodes: readonly TensorflowNode[]): Uint8Array {
  const metaGraph = {
    metaInfoDef: { tags: [TAG] },
    graphDef: { node: nodes.map(encodeNode), versions: { producer: PRODUCER } },
  };
  return SAVED_MODEL.encode({ savedModelSchemaVersion: SCHEMA_VERSION, metaGraphs: [metaGraph] }).finish();
}

function encodeNode({ name, op, input, attributes }: TensorflowNode) {
  const attr = Object.entries(attributes).map(([key, value]) => ({ key, value: encodeAttribute(value) }));
  return { name, op, input, attr };
}

function encodeAttribute(attribute: Attribute) {
  if ("type" in attribute) return { type: ELEMENT[attribute.type] };
  if ("integers" in attribute) return { list: { i: attribute.integers } };
  if ("text" in attribute) return { s: Buffer.from(attribute.text) };
  if ("number" in attribute) return { f: attribute.number };
  if ("flag" in attribute) return { b: attribute.flag };
  if ("shape" in attribute) return { shape: encodeShape(attribute.shape) };
  const { values, dims } = attribute;
  const dtype = values instanceof Int32Array ? ELEMENT.int32 : ELEMENT.float;
  return { tensor: { dtype, tensorShape: encodeShape(dims), tensorContent: bytesOf(values) } };
}

function encodeShape(dims: readonly number[] | null) {
  return dims === null ? { unknownRank: true } : { dim: dims.map((size) => ({ size })) };
}
