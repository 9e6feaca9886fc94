import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { CliIo, StopSignal } from "../src/cli/print/io.ts";
import { main } from "../src/cli/program.ts";
import type { Model } from "../src/graph/model.ts";
import { saveModel } from "../src/models/model-file.ts";

/** The result of a command, for tests. */
export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The exit code with which it tried to end the process immediately. */
  readonly exited: number | undefined;
}

export interface CliRunOptions {
  /** Sends a signal once `err` has said this. */
  readonly signalAfter?: { readonly text: RegExp; readonly signal: StopSignal; readonly times?: number };
  /** Columns of a terminal; default: none. */
  readonly columns?: number;
}

/** Runs the command line in this process. */
export async function runCli(args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> {
  let out = "";
  let err = "";
  let listener: ((signal: StopSignal) => void) | undefined;
  let sent = 0;
  let exited: number | undefined;
  const { signalAfter } = options;
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      if (signalAfter === undefined || !signalAfter.text.test(err)) return;
      while (sent < (signalAfter.times ?? 1)) {
        sent++;
        listener?.(signalAfter.signal);
      }
    },
    columns: () => options.columns,
    onSignal(given) {
      listener = given;
      return () => {
        listener = undefined;
      };
    },
    exit: (code) => {
      exited = code;
    },
    now: () => "2026-01-02T03:04:05.000Z",
  };
  const code = await main(args, io);
  return { code, out, err, exited };
}

/** Calls `body` with a temporary folder. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "espalier-cli-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every file of a folder and its contents, to see that nothing changed. */
export async function snapshot(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files
        .sort()
        .map(async (file) => [relative(folder, file), (await readFile(file)).toString("latin1")] as const),
    ),
  );
}

/** Calls `body` with a folder that contains a model. */
export function withModel(
  model: Model,
  body: (path: string, folder: string) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, "m.onnx");
    await saveModel(model, path);
    await body(path, folder);
  });
}
