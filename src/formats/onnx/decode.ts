import type { Graph, Model } from "../../graph/model.ts";
import { validateModel } from "../../graph/validate.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit, type Limits, makeLimits } from "../limits.ts";
import { Reader } from "../protobuf-reader.ts";
import { entryFields, modelFields, opsetFields } from "./fields.ts";
import { readGraph, standardDomain } from "./graph.ts";
import { Symbols } from "./symbols.ts";
import { fieldsOf } from "./value.ts";

/** IR versions that the reader knows: 3 (the first in ONNX 1.0) to 14 (ONNX 1.21). */
const irVersions = { first: 3, last: 14 } as const;

/** How other files that are taken for models begin, to say so. */
const signatures: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["a PNG image", [0x89, 0x50, 0x4e, 0x47]],
  ["a gzip file; unpack it first", [0x1f, 0x8b]],
  ["a zip file (PyTorch's .pt is one); export it as ONNX first", [0x50, 0x4b, 0x03, 0x04]],
  ["an HDF5 file", [0x89, 0x48, 0x44, 0x46]],
  ["a GGUF file", [0x47, 0x47, 0x55, 0x46]],
  ["a Python pickle", [0x80, 0x02]],
];

/**
 * Reads an ONNX file: IR versions 3 to 14, any opset (the operators' rules look at it), dense tensors inside
 * the file, standard attribute kinds. Large tensors are views of `bytes`, which must not change afterwards.
 * Documentation strings, intermediate types, training information and other remarks are not kept; local
 * functions are refused. Throws `FORMAT` (not ONNX, damaged, external data), `TOO_LARGE` (naming the
 * option of `limits` that raises the limit), `UNSUPPORTED_TYPE` and `INVALID_MODEL`.
 */
export function decodeModel(bytes: Uint8Array, limits: Partial<Limits> = {}): Model {
  const all = makeLimits(limits);
  checkLimit(all, "maxBytes", "ONNX file", bytes.length);
  refuseOthers(bytes);
  const reader = new Reader(bytes);
  const reading = { limits: all, symbols: new Symbols(), nodes: 0 };
  let irVersion: number | undefined;
  let producer = "";
  let graph: Graph | undefined;
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  for (const field of fieldsOf(reader)) {
    switch (field.number) {
      case modelFields.irVersion:
        irVersion = checkIrVersion(reader.int(field));
        break;
      case modelFields.producerName:
        producer = reader.text(field);
        break;
      case modelFields.graph:
        if (graph !== undefined) reader.fail("a model has one graph", "a second one", field.at);
        graph = readGraph(reader.message(field), reading);
        break;
      case modelFields.opsetImport: {
        const [domain, version] = readOpset(reader.message(field));
        addOnce(opsets, domain, version, `opset of domain "${domain}"`);
        break;
      }
      case modelFields.metadataProps: {
        const [key, value] = readEntry(reader.message(field));
        addOnce(metadata, key, value, `metadata "${key}"`);
        break;
      }
      case modelFields.functions:
        throw new EspalierError("UNSUPPORTED_OPERATOR", {
          thing: "ONNX file",
          rule: "must not define functions of its own",
          remedy: "Inline them first (onnx.inliner.inline_local_functions).",
        });
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
  const model = { graph, irVersion, opsets, producer, metadata };
  validateModel(model);
  return model;
}

function refuseOthers(bytes: Uint8Array): void {
  const other = signatures.find(([, signature]) => signature.every((byte, index) => bytes[index] === byte));
  if (bytes.length > 0 && other === undefined) return;
  throw new EspalierError("FORMAT", {
    thing: "ONNX file",
    rule: "must hold an ONNX model",
    received: other?.[0] ?? "no bytes",
  });
}

function checkIrVersion(version: number): number {
  if (version >= irVersions.first && version <= irVersions.last) return version;
  throw new EspalierError("FORMAT", {
    thing: "ONNX file",
    rule: `its IR version must lie in [${irVersions.first}, ${irVersions.last}]`,
    received: version,
    remedy: "Convert the model with the onnx package, or check that the file is an ONNX model.",
  });
}

function readOpset(reader: Reader): [domain: string, version: number] {
  let domain = "";
  let version = 0;
  for (const field of fieldsOf(reader)) {
    if (field.number === opsetFields.domain) domain = standardDomain(reader.text(field));
    else if (field.number === opsetFields.version) version = reader.int(field);
    else reader.skip(field);
  }
  return [domain, version];
}

function readEntry(reader: Reader): [key: string, value: string] {
  let key = "";
  let value = "";
  for (const field of fieldsOf(reader)) {
    if (field.number === entryFields.key) key = reader.text(field);
    else if (field.number === entryFields.value) value = reader.text(field);
    else reader.skip(field);
  }
  return [key, value];
}

function addOnce<V>(map: Map<string, V>, key: string, value: V, thing: string): void {
  if (map.has(key)) throw new EspalierError("INVALID_MODEL", { thing, rule: "is given twice" });
  map.set(key, value);
}
