import { describe, expect, test } from "vitest";
import { fileOf, type Write, writeFloatValue, writeNode } from "../../../test/fixtures/onnx-bytes.ts";
import type { Node } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Writer } from "../protobuf-writer.ts";
import { decodeModel, encodeModel } from "./index.ts";

interface Function {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly body: Write;
  readonly opset?: number;
  readonly overload?: string;
}

function writeFunction(
  writer: Writer,
  { name, inputs, outputs, body, opset = 20, overload }: Function,
): void {
  writer.message(25, () => {
    writer.text(1, name);
    for (const input of inputs) writer.text(4, input);
    for (const output of outputs) writer.text(5, output);
    body(writer);
    writer.message(9, () => writer.int(2, opset));
    writer.text(10, "local");
    if (overload !== undefined) writer.text(13, overload);
  });
}

/** x [1] through `main` to y, with these functions in domain "local". */
const withFunctions = (main: Write, ...functions: readonly Function[]): Uint8Array =>
  fileOf(
    (writer) => {
      main(writer);
      writeFloatValue(writer, 11, "x", [1]);
      writeFloatValue(writer, 12, "y", [1]);
    },
    (writer) => {
      writer.message(8, () => {
        writer.text(1, "local");
        writer.int(2, 1);
      });
      for (const one of functions) writeFunction(writer, one);
    },
  );

const inLocal: Write = (writer) => writer.text(7, "local");

const call =
  (op: string, inputs: readonly string[], outputs: readonly string[], more: Write = () => {}): Write =>
  (writer) =>
    writeNode(writer, op, inputs, outputs, (node) => {
      node.text(3, `call ${op}`);
      inLocal(node);
      more(node);
    });

/** A node of a function's body. */
const inBody =
  (op: string, inputs: readonly string[], outputs: readonly string[], more: Write = () => {}): Write =>
  (writer) =>
    writeNode(writer, op, inputs, outputs, more, 7);

const all =
  (...parts: readonly Write[]): Write =>
  (writer) => {
    for (const part of parts) part(writer);
  };

const brief = (nodes: readonly Node[]) =>
  nodes.map((node) => `${node.outputs.join(",")} = ${node.op}(${node.inputs.join(",")})`);

const twice: Function = {
  name: "Twice",
  inputs: ["a"],
  outputs: ["b"],
  body: all(inBody("Exp", ["a"], ["t"]), inBody("Neg", ["t"], ["b"])),
};

describe("a call of a local function", () => {
  test("becomes its nodes under new names", () => {
    const bytes = withFunctions(all(call("Twice", ["x"], ["m"]), call("Twice", ["m"], ["y"])), twice);
    const model = decodeModel(bytes);
    expect(brief(model.graph.nodes)).toEqual([
      "call Twice/t = Exp(x)",
      "m = Neg(call Twice/t)",
      "call Twice/t_2 = Exp(m)",
      "y = Neg(call Twice/t_2)",
    ]);
    expect([...model.opsets]).toEqual([["", 20]]);
    expect(decodeModel(encodeModel(model))).toEqual(model);
  });

  test("may be in a function, and in a subgraph whose names it keeps apart", () => {
    const outer: Function = {
      name: "Outer",
      inputs: ["a"],
      outputs: ["b"],
      body: inBody("If", ["a"], ["b"], (node) =>
        node.message(5, () => {
          node.text(1, "then_branch");
          node.int(20, 5);
          node.message(6, () => {
            call("Twice", ["a"], ["inner"])(node);
            node.message(12, () => node.text(1, "inner"));
          });
        }),
      ),
    };
    const { graph } = decodeModel(withFunctions(call("Outer", ["x"], ["y"]), outer, twice));
    const branch = graph.nodes[0]?.attributes.then_branch;
    if (branch?.kind !== "graph") throw new Error("no branch");
    const prefix = "call Outer/call Twice";
    expect(brief(branch.value.nodes)).toEqual([
      `${prefix}/t = Exp(x)`,
      `call Outer/inner = Neg(${prefix}/t)`,
    ]);
    expect(branch.value.outputs).toEqual([{ name: "call Outer/inner" }]);
  });

  test("passes its attributes to the body, with defaults for those that it leaves out", () => {
    const refer =
      (name: string, to: string): Write =>
      (node) =>
        node.message(5, () => {
          node.text(1, name);
          node.text(21, to);
          node.int(20, 1);
        });
    const body = inBody(
      "Selu",
      ["a"],
      ["b"],
      all(refer("alpha", "given"), refer("gamma", "left"), refer("z", "no")),
    );
    const selu: Function = {
      name: "F",
      inputs: ["a"],
      outputs: ["b"],
      body: all(body, (writer) => {
        writer.text(6, "given");
        writer.message(11, () => {
          writer.text(1, "left");
          writer.float(2, 0.5);
          writer.int(20, 1);
        });
      }),
    };
    const main = call("F", ["x"], ["y"], (node) =>
      node.message(5, () => {
        node.text(1, "given");
        node.float(2, 2);
        node.int(20, 1);
      }),
    );
    expect(decodeModel(withFunctions(main, selu)).graph.nodes[0]?.attributes).toEqual({
      alpha: { kind: "float", value: 2 },
      gamma: { kind: "float", value: 0.5 },
    });
  });

  test("passes inputs straight through, omits inputs and outputs, and chooses by overload", () => {
    const pass: Function = {
      name: "Pass",
      inputs: ["a", "left"],
      outputs: ["a", "n", "n"],
      body: inBody("Clip", ["a", "left"], ["n"]),
      overload: "second",
    };
    const overload: Write = (node) => node.text(8, "second");
    const bytes = withFunctions(
      all(call("Pass", ["x"], ["m", "", "y"], overload), call("Pass", ["m"], [], overload)),
      pass,
    );
    expect(brief(decodeModel(bytes).graph.nodes)).toEqual([
      "y = Clip(x,)",
      "m = Identity(x)",
      "call Pass/n = Clip(m,)",
    ]);
    const missing = withFunctions(
      call("Pass", ["x"], ["y"], (node) => node.text(8, "third")),
      pass,
    );
    expect(() => decodeModel(missing)).toThrow(/function that the model defines.*third/);
  });
});

/** Each function calls the next one `times` times; the last one is empty. */
const nest = (depth: number, times: number): Function[] =>
  Array.from({ length: depth }, (_, level) => ({
    name: `F${level}`,
    inputs: ["a"],
    outputs: [],
    body: all(
      ...Array.from({ length: level + 1 < depth ? times : 0 }, () =>
        inBody(`F${level + 1}`, ["a"], [], inLocal),
      ),
    ),
  }));

describe("local functions are refused for", () => {
  test.each<[string, Uint8Array, RegExp]>([
    [
      "calling themselves",
      withFunctions(call("F", ["x"], ["y"]), {
        name: "F",
        inputs: ["a"],
        outputs: ["b"],
        body: inBody("F", ["a"], ["b"], inLocal),
      }),
      /must not call itself.*"F"/,
    ],
    [
      "using values of the graph around the call",
      withFunctions(call("F", ["x"], ["y"]), { ...twice, name: "F", body: inBody("Neg", ["x"], ["b"]) }),
      /every value that it uses.*"x"/,
    ],
    [
      "outputs that nothing computes",
      withFunctions(call("F", ["x"], ["y"]), { ...twice, name: "F", body: () => {} }),
      /must be computed.*"b"/,
    ],
    ["too many inputs in a call", withFunctions(call("Twice", ["x", "x"], ["y"]), twice), /takes 1 inputs/],
    ["too many outputs in a call", withFunctions(call("Twice", ["x"], ["y", "z"]), twice), /has 1 outputs/],
    ["being defined twice", withFunctions(call("Twice", ["x"], ["y"]), twice, twice), /given twice/],
    [
      "another version of the standard operators",
      withFunctions(call("Twice", ["x"], ["y"]), { ...twice, opset: 13 }),
      /version 20.*got 13.*inliner/,
    ],
    ["calls nested too deep", withFunctions(call("F0", ["x"], []), ...nest(17, 1)), /Raise maxDepth/],
    [
      "calls that multiply, though each function is small or empty",
      withFunctions(call("F0", ["x"], []), ...nest(12, 4)),
      /Raise maxNodes/,
    ],
  ])("%s", (_, bytes, rule) => {
    expect(() => decodeModel(bytes)).toThrow(rule);
    expect(() => decodeModel(bytes)).toThrow(EspalierError);
  });

  test("their names: long ones are truncated, so that nested calls cannot inflate them", () => {
    const long = "n".repeat(60_000);
    const main: Write = (writer) =>
      writeNode(
        writer,
        "Twice",
        ["x"],
        ["y"],
        all(inLocal, (node) => node.text(3, long)),
      );
    const body = all(inBody("Exp", ["a"], [long]), inBody("Neg", [long], ["b"]));
    const { graph } = decodeModel(withFunctions(main, { ...twice, body }));
    expect(graph.nodes[0]?.outputs[0]?.length).toBeLessThan(500);
  });
});
