import type { Model } from "../../graph/model.ts";
import { validateModel } from "../../graph/validate.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit, type Limits, makeLimits } from "../limits.ts";
import { Reader } from "../protobuf-reader.ts";
import { checkInt } from "./attribute.ts";
import { ExternalData, type ExternalFiles } from "./external.ts";
import { modelFields } from "./fields.ts";
import { type LocalFunction, readFunction } from "./function.ts";
import { completeGraph, type ReadGraph, readGraph } from "./graph.ts";
import { inlineFunctions } from "./inline.ts";
import { addOpset, readOpset } from "./opset.ts";
import { addOnce, fieldsOf, Reading } from "./reading.ts";

/** How to read an ONNX file: the limits, and the other options. */
export interface DecodeOptions extends Partial<Limits> {
  /** Where tensors outside the file are read from. Default: a file with such tensors is refused. */
  readonly externalData?: ExternalFiles;
  /** Whether `bytes` may be overwritten, which saves the copy of tensors that are not aligned. Default false. */
  readonly mayOverwrite?: boolean;
}

/** IR versions that the reader supports: 3 (the first in ONNX 1.0) to 14 (ONNX 1.21). */
const irVersions = { first: 3, last: 14 } as const;

/** First bytes of other files that are mistaken for models, to name them in the error. */
const signatures: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["a PNG image", [0x89, 0x50, 0x4e, 0x47]],
  ["a gzip file; unpack it first", [0x1f, 0x8b]],
  ["a zip file (PyTorch's .pt is one); export it as ONNX first", [0x50, 0x4b, 0x03, 0x04]],
  ["an HDF5 file", [0x89, 0x48, 0x44, 0x46]],
  ["a GGUF file", [0x47, 0x47, 0x55, 0x46]],
  ["a Python pickle", [0x80, 0x02]],
];

/**
 * Reads an ONNX file: IR versions 3 to 14, any operator and opset (the operators' rules look at them), dense
 * tensors, standard attribute kinds. Large tensors are views of `bytes`, which must not change afterwards.
 *
 * Kept: names, producer, version, domain, documentation and metadata of model, graph, nodes, inputs, outputs and
 * initializers. Changed: calls of local functions are replaced by their nodes, nodes out of order are sorted,
 * initializers that are inputs too are not inputs. Left out, because growing would make it wrong or it computes nothing:
 * types of intermediate values, training information, quantization annotations, denotations, device assignments,
 * documentation of attributes, unknown fields. Refused: sparse initializers, values that are not tensors, segments.
 *
 * Throws `FORMAT` (not ONNX, damaged, external data), `TOO_LARGE` (naming the option that raises the limit),
 * `UNSUPPORTED_TYPE`, `UNSUPPORTED_OPERATOR` (a local function of another opset version) and `INVALID_MODEL`.
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): Model {
  const { externalData, mayOverwrite = false, ...changes } = options;
  const limits = makeLimits(changes);
  checkLimit(limits, "maxBytes", "ONNX file", bytes.length);
  refuseOthers(bytes);
  const external = externalData === undefined ? undefined : new ExternalData(externalData, limits);
  const reading = new Reading(limits, external, mayOverwrite ? bytes : undefined);
  const { functions, ...read } = readModel(new Reader(bytes), reading);
  const { graph, opsets } = inlineFunctions(read.graph, read.opsets, functions, reading);
  const model = { ...read, opsets, graph: completeGraph(graph, reading) };
  validateModel(model);
  return model;
}

/** A model with the graph and the functions as they are in the file. */
interface ReadModel extends Omit<Model, "graph"> {
  readonly graph: ReadGraph;
  readonly functions: ReadonlyMap<string, LocalFunction>;
}

/** Optional descriptions of a model. */
type About = { -readonly [K in "producerVersion" | "domain" | "doc"]?: string } & { version?: number };

function readModel(reader: Reader, reading: Reading): ReadModel {
  let irVersion: number | undefined;
  let producer = "";
  let graph: ReadGraph | undefined;
  const about: About = {};
  const say = (key: "producerVersion" | "domain" | "doc", text: string) => {
    if (text !== "") about[key] = text;
  };
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions = new Map<string, LocalFunction>();
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case modelFields.irVersion:
        irVersion = checkIrVersion(reader.int(field));
        break;
      case modelFields.producerName:
        producer = reading.name(reader, field);
        break;
      case modelFields.producerVersion:
        say("producerVersion", reading.name(reader, field));
        break;
      case modelFields.domain:
        say("domain", reading.name(reader, field));
        break;
      case modelFields.modelVersion: {
        const version = checkInt("model version", reader.int(field));
        if (version !== 0) about.version = version;
        break;
      }
      case modelFields.docString:
        say("doc", reading.text(reader, field));
        break;
      case modelFields.graph:
        if (graph !== undefined) reader.fail("a model has one graph", "a second one", field.at);
        graph = readGraph(reader.message(field), reading, { depth: 0, inFunction: false });
        break;
      case modelFields.opsetImport: {
        reading.count("maxEntries");
        const [domain, version] = readOpset(reader.message(field), reading);
        addOpset(opsets, domain, version, "the model");
        break;
      }
      case modelFields.metadataProps: {
        const [key, value] = reading.entry(reader.message(field));
        addOnce(metadata, key, value, `metadata "${key}"`);
        break;
      }
      case modelFields.functions: {
        const read = readFunction(reader.message(field), reading);
        addOnce(functions, read.key, read, `function "${read.name}"`);
        break;
      }
      default:
        reader.skip(field);
    }
  }
  if (irVersion === undefined || graph === undefined) {
    throw new EspalierError("FORMAT", {
      thing: "ONNX file",
      rule: "needs an IR version and a graph",
      received: irVersion === undefined ? "no IR version" : "no graph",
      remedy: "The file is damaged or is not an ONNX model.",
    });
  }
  return { graph, irVersion, opsets, producer, ...about, metadata, functions };
}

function refuseOthers(bytes: Uint8Array): void {
  const other = signatures.find(([, signature]) => signature.every((byte, index) => bytes[index] === byte));
  if (bytes.length > 0 && other === undefined) return;
  throw new EspalierError("FORMAT", {
    thing: "ONNX file",
    rule: "must be an ONNX model",
    received: other?.[0] ?? "no bytes",
  });
}

function checkIrVersion(version: number): number {
  if (version >= irVersions.first && version <= irVersions.last) return version;
  throw new EspalierError("FORMAT", {
    thing: "ONNX file",
    rule: `its IR version must be from ${irVersions.first} to ${irVersions.last}`,
    received: version,
    remedy: "Convert the model with the onnx package, or check that the file is an ONNX model.",
  });
}
