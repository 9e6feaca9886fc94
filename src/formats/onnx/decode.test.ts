import { describe, expect, test } from "vitest";
import {
  dims,
  failure,
  fileOf,
  mlp,
  type Write,
  withShape,
  withTensor,
  writeFloatValue,
} from "../../../test/fixtures/onnx-bytes.ts";
import { float32, int64, type Tensor } from "../../tensor/tensor.ts";
import { decodeModel, encodeModel } from "./index.ts";

describe("a file over a limit names the option", () => {
  const nested =
    (depth: number): Write =>
    (writer) => {
      if (depth === 0) return;
      writer.message(1, () => {
        writer.text(4, "If");
        writer.message(5, () => {
          writer.text(1, "body");
          writer.int(20, 5);
          writer.message(6, () => nested(depth - 1)(writer));
        });
      });
    };

  test.each(["maxBytes", "maxNodes", "maxDims", "maxElements", "maxItems"] as const)("%s", (option) => {
    const error = failure(encodeModel(mlp()), { [option]: 0 });
    expect(error.code).toBe("TOO_LARGE");
    expect(error.message).toContain(`Raise ${option}`);
  });

  test("maxDepth, by graphs in graphs", () => {
    expect(() => decodeModel(fileOf(nested(16)))).not.toThrow();
    expect(failure(fileOf(nested(17))).message).toContain("Raise maxDepth");
  });

  test("and one that is no number is refused", () => {
    expect(failure(encodeModel(mlp()), { maxNodes: Number.NaN }).code).toBe("ARGUMENT");
  });
});

describe("reading", () => {
  const read = (write: Write): Tensor | undefined => decodeModel(withTensor(write)).graph.parameters.get("w");

  test("takes listed elements, one by one or packed", () => {
    const single = read((writer) => {
      dims(writer, 2);
      writer.int(2, 7);
      writer.int(7, 5);
      writer.int(7, -6);
    });
    expect(single).toEqual(int64([2], [5, -6]));
    const packed = read((writer) => {
      dims(writer, 3);
      writer.int(2, 3);
      writer.bytes(5, Uint8Array.of(5, 0, 0x7f));
    });
    expect(packed).toEqual({ dtype: "int8", dims: [3], data: Int8Array.of(5, 0, 127) });
    const floats = read((writer) => {
      dims(writer, 2);
      writer.int(2, 1);
      writer.bytes(4, new Uint8Array(new Float32Array([1.5, -2]).buffer));
    });
    expect(floats).toEqual(float32([2], [1.5, -2]));
  });

  test("takes elements that stand before the shape", () => {
    expect(
      read((writer) => {
        writer.float(4, 3);
        writer.int(2, 1);
        dims(writer, 1);
      }),
    ).toEqual(float32([1], [3]));
  });

  test("keeps symbols apart from polynomials and numbers, and invents missing ones", () => {
    const bytes = withShape("batch", "a+b", "a_b", "12", undefined, undefined, "batch", "unknown_1");
    const shape = decodeModel(bytes).graph.inputs[0]?.shape;
    expect(shape).toEqual(["batch", "a_b", "a_b_2", "_12", "unknown_0", "unknown_1", "batch", "unknown_1_2"]);
  });

  test("drops inputs that are initialisers, which IR version 3 lists and the writer lists again", () => {
    const model = { ...mlp(), irVersion: 3 };
    const bytes = encodeModel(model);
    expect(decodeModel(bytes)).toEqual(model);
    const later = encodeModel({ ...model, irVersion: 4 });
    expect(bytes.length).toBeGreaterThan(later.length);
  });

  test("names nodes that have no name after operator and position", () => {
    const model = mlp();
    const nodes = model.graph.nodes.map((node, index) => ({ ...node, name: index === 0 ? "Relu_1" : "" }));
    const read = decodeModel(encodeModel({ ...model, graph: { ...model.graph, nodes } }));
    expect(read.graph.nodes.map((node) => node.name)).toEqual(["Relu_1", "Relu_1_"]);
  });

  test("infers the shape of an output that has none", () => {
    const bytes = fileOf((writer) => {
      writer.message(1, () => {
        writer.text(1, "x");
        writer.text(2, "y");
        writer.text(4, "Relu");
      });
      writeFloatValue(writer, 11, "x", ["batch", 7]);
      writer.message(12, () => writer.text(1, "y"));
    });
    expect(decodeModel(bytes).graph.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["batch", 7] }]);
  });
});
