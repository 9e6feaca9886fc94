import type { Command } from "commander";
import { platform } from "#platform";
import { bindDim } from "../../graph/dim.ts";
import { summarize } from "../../growth/examine/summary.ts";
import { vocabularies } from "../../growth/find/vocabulary.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { inspectFolder } from "../folder/inspect-folder.ts";
import { type ModelFileOptions, modelOptions, openModel } from "../options/model-option.ts";
import { batchAxis, parseSizes } from "../options/sizes-option.ts";
import { exitCodes } from "../print/exit-code.ts";
import { type CliIo, noteTo } from "../print/io.ts";
import { type Inspection, inspectText } from "./inspect-text.ts";

export interface InspectOptions extends ModelFileOptions {
  readonly sizes?: string;
  readonly ties?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  espalier inspect model.onnx                     what can grow, by how much, and what it costs
  espalier inspect bert.onnx --sizes batch=1,sequence=128
  espalier inspect SmolLM2-135M                   the fields of a folder's config.json that can grow
  espalier inspect model.onnx --json | jq '.widths[] | select(.growable) | .id'
`;

export function inspectCommand(command: Command, io: CliIo, finish: (code: number) => void): Command {
  command
    .description("Show every width of a model: what can grow, how, at what cost, or why not.")
    .argument("<model>", "ONNX file, or a folder with config.json and safetensors files")
    .option("--sizes <sizes>", "sizes for FLOPs, such as batch=1,sequence=128 (default: a batch of 1)")
    .option("--ties", "list the parameters and axes that each width ties together")
    .option("--json", "print one JSON document on stdout")
    .option("--debug", "print stack traces");
  return modelOptions(command, "read weights from files next to the model")
    .addHelpText("after", examples)
    .action(async (path: string, options: InspectOptions) => finish(await inspect(path, options, io)));
}

/** `espalier inspect`. Returns the exit code. */
export async function inspect(path: string, options: InspectOptions, io: CliIo): Promise<number> {
  if ((await platform.kindOf(path)) === "folder") return inspectFolder(path, options.json ?? false, io);
  const { model, notes } = await openModel(path, options);
  noteTo(io, notes);
  const batch = batchAxis(model);
  const sizes = {
    ...(batch === undefined ? {} : { [batch]: 1 }),
    ...(options.sizes === undefined ? {} : parseSizes(options.sizes, model)),
  };
  const bindings = new Map(Object.entries(sizes));
  const inspection: Inspection = {
    path,
    summary: summarize(model),
    widths: findWidths(model),
    vocabularies: vocabularies(model),
    sizes,
    bound: (flops) => bindDim(flops, bindings),
  };
  io.out(
    options.json
      ? `${JSON.stringify(inspectJson(inspection), null, 2)}\n`
      : inspectText(inspection, options.ties ?? false),
  );
  return exitCodes.success;
}

function inspectJson({ path, summary, widths, vocabularies, sizes, bound }: Inspection): object {
  return {
    model: path,
    producer: summary.producer,
    producerVersion: summary.producerVersion,
    irVersion: summary.irVersion,
    opsets: summary.opsets,
    inputs: summary.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    outputs: summary.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    parameters: summary.parameters,
    flops: bound(summary.flops),
    sizes,
    nodes: summary.nodes,
    withoutRules: summary.withoutRules,
    widths: widths.map((width) => ({
      id: width.id,
      size: width.size,
      unit: width.unit,
      growable: width.growable,
      reason: width.reason,
      method: width.growable ? width.method : null,
      multiple: width.multiple,
      parameters: width.parts.map(({ parameter, axis, role }) => ({ name: parameter, axis, role })),
      costPerUnit: {
        parameters: width.costPerUnit.parameters,
        flops: bound(width.costPerUnit.flops),
      },
    })),
    vocabularies: vocabularies.map(({ id, size, tables, heads }) => ({
      input: id,
      size,
      growable: tables.every((table) => table.growable),
      reason: tables.find((table) => !table.growable)?.reason ?? "",
      parameters: [...tables, ...heads].flatMap(({ parts }) =>
        parts.map(({ parameter, axis, role }) => ({ name: parameter, axis, role })),
      ),
    })),
    layers: summary.layers.map((layer) => ({ ...layer, flops: bound(layer.flops) })),
  };
}
