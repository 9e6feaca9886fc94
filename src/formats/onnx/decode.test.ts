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
  writeNode,
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

  /** The smallest model with some of everything that is counted. */
  const everything = fileOf(
    (writer) => {
      writeNode(writer, "Relu", ["x"], ["y"], (node) => {
        node.message(5, () => {
          node.text(1, "list");
          node.int(20, 7);
          node.int(8, 1);
        });
      });
      writer.text(10, "documentation");
      writeFloatValue(writer, 11, "x", [2]);
      writeFloatValue(writer, 12, "y", [2]);
      writer.message(5, () => {
        dims(writer, 1);
        writer.int(2, 1);
        writer.text(8, "w");
        writer.bytes(9, new Uint8Array(4));
      });
    },
    (writer) => {
      writer.message(14, () => writer.text(1, "key"));
      writer.message(25, () => writer.text(1, "f"));
    },
  );

  test.each([
    "maxBytes",
    "maxNodes",
    "maxAttributes",
    "maxValues",
    "maxParameters",
    "maxFunctions",
    "maxEntries",
    "maxDims",
    "maxElements",
    "maxItems",
    "maxNameBytes",
    "maxTextBytes",
  ] as const)("%s", (option) => {
    expect(() => decodeModel(everything)).not.toThrow();
    const error = failure(everything, { [option]: 0 });
    expect(error.code).toBe("TOO_LARGE");
    expect(error.message).toContain(`Raise ${option}`);
  });

  test("maxDepth, by graphs in graphs", () => {
    expect(() => decodeModel(fileOf(nested(16)))).not.toThrow();
    expect(failure(fileOf(nested(17))).message).toContain("Raise maxDepth");
  });

  test("and one that is not a number is refused", () => {
    expect(failure(encodeModel(mlp()), { maxNodes: Number.NaN }).code).toBe("ARGUMENT");
  });
});

describe("reading", () => {
  const read = (write: Write): Tensor | undefined => decodeModel(withTensor(write)).graph.parameters.get("w");

  test("accepts listed elements, one by one or packed", () => {
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

  test("accepts elements before the shape", () => {
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

  test("drops inputs that are initializers, which IR version 3 lists and the writer lists again", () => {
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
      writeNode(writer, "Relu", ["x"], ["y"]);
      writeFloatValue(writer, 11, "x", ["batch", 7]);
      writer.message(12, () => writer.text(1, "y"));
    });
    expect(decodeModel(bytes).graph.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["batch", 7] }]);
  });

  test("uses what the file says elsewhere about an output that no rule infers", () => {
    const bytes = fileOf((writer) => {
      writeNode(writer, "Quux", ["x"], ["y"]);
      writeFloatValue(writer, 11, "x", [7]);
      writeFloatValue(writer, 13, "y", ["batch", 3]);
      writer.message(12, () => writer.text(1, "y"));
    });
    expect(decodeModel(bytes).graph.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["batch", 3] }]);
  });

  test("sorts nodes that are out of order, and otherwise leaves them alone", () => {
    const bytes = fileOf((writer) => {
      writeNode(writer, "Neg", ["b"], ["c"]);
      writeNode(writer, "Exp", ["x"], ["free"]);
      writeNode(writer, "Abs", ["x"], ["b"]);
      writeFloatValue(writer, 11, "x", [1]);
      writeFloatValue(writer, 12, "c", [1]);
    });
    expect(decodeModel(bytes).graph.nodes.map((node) => node.op)).toEqual(["Abs", "Neg", "Exp"]);
  });

  test("refuses a cycle by the names of its nodes, also one that runs through a subgraph", () => {
    const cycle = fileOf((writer) => {
      writeNode(writer, "Neg", ["b"], ["a"]);
      writeNode(writer, "Abs", ["a"], ["b"]);
    });
    expect(failure(cycle).message).toMatch(/must not need its own output.*Neg_0.*needs.*Abs_1/);
    const through = fileOf((writer) => {
      writeNode(writer, "If", [], ["a"], (node) => {
        node.message(5, () => {
          node.text(1, "then_branch");
          node.int(20, 5);
          node.message(6, () => {
            writeNode(node, "Neg", ["b"], ["t"]);
            node.message(12, () => node.text(1, "t"));
          });
        });
      });
      writeNode(writer, "Abs", ["a"], ["b"]);
    });
    expect(failure(through).message).toMatch(/must not need its own output/);
  });

  test("moves misaligned tensors within bytes that may be overwritten, and copies them elsewhere", () => {
    const values = Float32Array.from({ length: 400 }, (_, index) => index);
    const model = mlp();
    const parameters = new Map([...model.graph.parameters, ["v", float32([400], values)]]);
    for (let pad = 0; pad < 4; pad++) {
      const named = { ...model, producer: "p".repeat(pad), graph: { ...model.graph, parameters } };
      const bytes = encodeModel(named);
      const owned = Uint8Array.from(bytes);
      const moved = decodeModel(owned, { mayOverwrite: true });
      expect(moved).toEqual(named);
      expect(moved.graph.parameters.get("v")?.data.buffer).toBe(owned.buffer);
      const untouched = Uint8Array.from(bytes);
      expect(decodeModel(untouched)).toEqual(named);
      expect(untouched).toEqual(bytes);
    }
  });
});
