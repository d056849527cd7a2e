import protobuf from "protobufjs";
import { CollapsarError } from "../../errors.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto } from "./schema.ts";
import { decodeModel, MODEL_TYPE } from "./schema.ts";

/** A decoded message or number takes some hundred times the byte or two it may have in the file; a ResNet152 has 20,000. */
const MAX_PARTS = 200_000;
/** Graphs nest through `If` and `Loop`. */
const MAX_DEPTH = 16;
const EXTERNAL = 1;

/** Returns whether the bytes may be an ONNX file: protobuf that starts with an IR version from 1 to 127. */
export function looksLikeOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && bytes[1]! > 0 && bytes[1]! < 128;
}

/**
 * Returns an ONNX file as a checkpoint that defines its own network, with its `metadata_props` as metadata. It is only
 * decoded: nothing is loaded and no other file is opened.
 * @throws CollapsarError `malformed-checkpoint` where it is no ONNX file, refers to data outside itself, or has more
 *   parts than a network can need.
 */
export function readOnnx(file: Uint8Array): Checkpoint {
  const model = decode(file);
  if (!model.graph || model.graph.node.length === 0) throw malformed("it has no graph");
  requireSelfContained(model);
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  return { tensors: new Map(), metadata, definition: { format: "onnx", file, model } };
}

function decode(file: Uint8Array): ModelProto {
  try {
    const reader = protobuf.Reader.create(file);
    countMessages(reader, file.length, MODEL_TYPE, { left: MAX_PARTS }, 0);
    return decodeModel(file);
  } catch (error) {
    if (error instanceof CollapsarError) throw error;
    throw malformed("its protobuf encoding is broken", error);
  }
}

/** Walks over the messages without making any, and throws before there are more than may be decoded. */
function countMessages(
  reader: protobuf.Reader,
  end: number,
  type: protobuf.Type,
  budget: { left: number },
  depth: number,
): void {
  spend(budget, 1);
  if (depth > MAX_DEPTH) throw malformed(`its graphs nest deeper than ${MAX_DEPTH}`);
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = type.fieldsById[tag >>> 3]?.resolve();
    if ((tag & 7) === 2 && field?.resolvedType instanceof protobuf.Type) {
      const length = reader.uint32();
      const inner = reader.pos + length;
      if (inner > end) throw malformed(`truncated: a part of ${length} bytes ends outside`);
      countMessages(reader, inner, field.resolvedType, budget, depth + 1);
    } else {
      const before = reader.pos;
      reader.skipType(tag & 7);
      // of packed numbers each has at least a byte; a string is one, however long
      if (field?.repeated) spend(budget, (tag & 7) === 2 && field.type !== "string" ? reader.pos - before : 1);
    }
  }
  if (reader.pos !== end) throw malformed("a part of it ends in the middle of a field");
}

function spend(budget: { left: number }, parts: number): void {
  budget.left -= parts;
  if (budget.left < 0) throw malformed(`it has more than ${MAX_PARTS} parts`);
}

/** ONNX Runtime would open the files that tensors name, wherever in the file these are. */
function requireSelfContained({ graph, functions }: ModelProto): void {
  checkGraph(graph!);
  for (const { node, attributeProto } of functions) {
    checkNodes(node);
    for (const one of attributeProto) checkAttribute(one);
  }
}

function checkGraph({ initializer, sparseInitializer, node }: GraphProto): void {
  for (const tensor of initializer) checkTensor(tensor);
  for (const tensor of sparseInitializer) checkSparse(tensor);
  checkNodes(node);
}

function checkNodes(nodes: readonly NodeProto[]): void {
  for (const { attribute } of nodes) for (const one of attribute) checkAttribute(one);
}

function checkAttribute({ t, g, tensors, graphs, sparseTensor, sparseTensors }: AttributeProto): void {
  for (const tensor of t ? [t, ...tensors] : tensors) checkTensor(tensor);
  for (const tensor of sparseTensor ? [sparseTensor, ...sparseTensors] : sparseTensors) checkSparse(tensor);
  for (const graph of g ? [g, ...graphs] : graphs) checkGraph(graph);
}

function checkSparse({ values, indices }: SparseTensorProto): void {
  for (const tensor of [values, indices]) if (tensor) checkTensor(tensor);
}

function checkTensor({ name, externalData, dataLocation }: TensorProto): void {
  if (dataLocation === EXTERNAL || externalData.length > 0)
    throw malformed(`tensor "${name}" lies in another file, expected all data inside (save it without external data)`);
}

function malformed(what: string, cause?: unknown): CollapsarError {
  return new CollapsarError("malformed-checkpoint", `not a valid ONNX file: ${what}`, { cause });
}
