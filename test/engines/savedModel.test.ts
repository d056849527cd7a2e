import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { encodeSavedModel, TAG } from "../../src/engines/tfjs/savedModel.ts";

/** TensorFlow's own definitions, as far as the test looks at them. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraphDef meta_graphs = 2; }
  message MetaGraphDef { MetaInfoDef meta_info_def = 1; GraphDef graph_def = 2; }
  message MetaInfoDef { repeated string tags = 4; }
  message GraphDef { repeated NodeDef node = 1; }
  message NodeDef { string name = 1; string op = 2; repeated string input = 3; map<string, AttrValue> attr = 5; }
  message AttrValue { ListValue list = 1; bytes s = 2; float f = 4; bool b = 5; int32 type = 6; Shape shape = 7; TensorProto tensor = 8; }
  message ListValue { repeated int64 i = 3; }
  message Shape { repeated Dim dim = 2; }
  message Dim { int64 size = 1; }
  message TensorProto { int32 dtype = 1; Shape tensor_shape = 2; bytes tensor_content = 4; }
`);

describe("a SavedModel", () => {
  const file = encodeSavedModel([
    {
      ...{ name: "y", op: "Conv2D", input: ["x", "w"] },
      attributes: { T: { type: "float" }, strides: { integers: [1, 2, 2, 1] }, padding: { text: "VALID" } },
    },
    { name: "x", op: "Placeholder", input: [], attributes: { shape: { shape: [-1, 3] }, alpha: { number: 0.5 } } },
    { name: "w", op: "Const", input: [], attributes: { value: { values: Int32Array.of(7, -2), dims: [2, 1] } } },
  ]);
  const decoded = root.lookupType("SavedModel").decode(file);
  const { savedModelSchemaVersion, metaGraphs } = root.lookupType("SavedModel").toObject(decoded, { longs: Number });
  const [y, x, w] = metaGraphs[0].graphDef.node;

  it("has one graph, which the tag names", () => {
    expect(savedModelSchemaVersion).toBe(1);
    expect(metaGraphs).toHaveLength(1);
    expect(metaGraphs[0].metaInfoDef.tags).toEqual([TAG]);
  });

  it("keeps nodes and their attributes", () => {
    expect(y).toMatchObject({ name: "y", op: "Conv2D", input: ["x", "w"] });
    expect(y.attr.T).toEqual({ type: 1 });
    expect(y.attr.strides).toEqual({ list: { i: [1, 2, 2, 1] } });
    expect(Buffer.from(y.attr.padding.s).toString()).toBe("VALID");
    expect(x.attr.shape).toEqual({ shape: { dim: [{ size: -1 }, { size: 3 }] } });
    expect(x.attr.alpha).toEqual({ f: 0.5 });
  });

  it("keeps the numbers of a constant", () => {
    expect(w).toMatchObject({ name: "w", op: "Const" });
    const { dtype, tensorShape, tensorContent } = w.attr.value.tensor;
    expect({ dtype, tensorShape }).toEqual({ dtype: 3, tensorShape: { dim: [{ size: 2 }, { size: 1 }] } });
    expect(Array.from(new Int32Array(Uint8Array.from(tensorContent).buffer))).toEqual([7, -2]);
  });
});
