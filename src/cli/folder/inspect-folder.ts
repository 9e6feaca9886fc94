import { type Checkpoint, openCheckpoint } from "../../checkpoints/checkpoint.ts";
import { type FieldReport, fieldsOf } from "../../checkpoints/grow/fields.ts";
import { grouped } from "../../tensor/number-text.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { exitCodes } from "../print/exit-code.ts";
import { visible } from "../print/format.ts";
import type { CliIo } from "../print/io.ts";
import { textTable } from "../print/text-table.ts";

/** `espalier inspect` of a checkpoint folder. Returns the exit code. */
export async function inspectFolder(path: string, json: boolean, io: CliIo): Promise<number> {
  const checkpoint = await openCheckpoint(path);
  try {
    const fields = fieldsOf(checkpoint);
    io.out(
      json
        ? `${JSON.stringify(inspection(path, checkpoint, fields), null, 2)}\n`
        : textOf(path, checkpoint, fields),
    );
  } finally {
    checkpoint.weights.close();
  }
  return exitCodes.success;
}

/** Parameters of the model: tied tensors count once, buffers do not count. */
export function parametersOf({ tensors }: Pick<Checkpoint, "tensors">): number {
  return [...tensors.values()].reduce((sum, { dims }) => sum + sizeOf(dims), 0);
}

function inspection(path: string, checkpoint: Checkpoint, fields: readonly FieldReport[]): object {
  const { family, structure, dtype, weights, ignored } = checkpoint;
  return {
    folder: path,
    modelType: family.type,
    dtype,
    parameters: parametersOf(checkpoint),
    tied: structure.tied,
    files: [...weights.shards.keys()],
    fields,
    ignored: Object.fromEntries(ignored),
  };
}

function textOf(path: string, checkpoint: Checkpoint, fields: readonly FieldReport[]): string {
  const { family, structure, dtype, weights, ignored } = checkpoint;
  const files = weights.shards.size === 1 ? "1 file" : `${weights.shards.size} files`;
  const tied = structure.tied ? ", head tied to the embeddings" : "";
  const rows = fields.flatMap(({ field, size, ways, parametersPerUnit }) => {
    const mark = ways.length > 0 ? "+" : "-";
    const [first, ...others] = ways;
    const cells = (way: typeof first) => [
      way?.method ?? "",
      way?.steps ?? "",
      way === undefined ? "" : way.anyType ? "any type" : "float32",
    ];
    return [
      [`${mark} ${field}`, grouped(size), ...cells(first), grouped(parametersPerUnit)],
      ...others.map((way) => ["", "", ...cells(way), ""]),
    ];
  });
  const table = textTable(
    [
      { title: "  field", align: "left" },
      { title: "size", align: "right" },
      { title: "method", align: "left" },
      { title: "in steps of", align: "left" },
      { title: "exact in", align: "left" },
      { title: "+ parameters", align: "right" },
    ],
    rows,
  );
  const lines = [
    `${path}: ${family.type}, ${grouped(parametersOf(checkpoint))} parameters in ${dtype}${tied}, ${files}`,
    ...table,
    ...fields
      .filter(({ reason }) => reason !== "")
      .map(({ field, reason }) => `${field} cannot grow: ${reason}`),
    ...[...ignored].map(([name, why]) => `not used: ${name}, ${why}`),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}
