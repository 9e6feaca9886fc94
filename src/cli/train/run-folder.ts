import { stat } from "node:fs/promises";
import { platform } from "#platform";
import type { Preprocessing } from "../../data/preprocessing/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { badOption } from "../options/option-values.ts";

/** The contents of `config.json`: enough to resume the run. */
export interface RunConfig {
  readonly command: "train" | "demo" | "compare";
  /** ISO 8601. */
  readonly started: string;
  /** The options as typed, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** SHA-256 of the examples. */
  readonly data?: string;
  /** The record of rows that the loaded model takes. */
  readonly preprocessing?: Preprocessing;
  /** Whether the model had nodes for it; absent without such a model. */
  readonly nodes?: boolean;
}

const format = { format: "espalier run", version: 1 } as const;

/** The folder of one run. Every file is replaced atomically, except `metrics.jsonl`, which grows line by line. */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A folder by its path, without looking at it. Throws `USAGE` for an empty path. */
  static at(path: string): RunFolder {
    // The files of a folder without a name would end up at the root of the disk.
    if (path !== "") return new RunFolder(path);
    throw badOption("folder of a run", "must have a name", path, "For example --out runs/first.");
  }

  /** Throws `OUTPUT_EXISTS` if the folder is not empty. Changes nothing: the folder is created with the first file. */
  async refuseUsed(): Promise<void> {
    const { path } = this;
    const names = await namesIn(path);
    if (names.length === 0) return;
    const run = names.includes("config.json");
    throw new EspalierError("OUTPUT_EXISTS", {
      thing: path,
      rule: run ? "contains another run, which is not overwritten" : "must be a new or empty folder",
      received: names.slice(0, 8),
      remedy: run
        ? `Choose another --out, or continue that run: espalier train --resume ${path}`
        : "Choose another --out.",
    });
  }

  /** A new folder, or one that the same command wrote before. Throws `OUTPUT_EXISTS`. */
  static async forCommand(path: string, command: "demo" | "compare"): Promise<RunFolder> {
    const folder = RunFolder.at(path);
    const names = await namesIn(path);
    if (names.length === 0) return folder;
    const config = names.includes("config.json") ? await folder.config().catch(() => undefined) : undefined;
    if (config?.command === command) return folder;
    throw new EspalierError("OUTPUT_EXISTS", {
      thing: path,
      rule: `contains files that no ${command} wrote, which are not overwritten`,
      received: names.slice(0, 8),
      remedy: "Choose another folder with --out.",
    });
  }

  /** The folder of a run that `train` wrote. Throws `FILE_MISSING` or `FORMAT`. */
  static async existing(path: string): Promise<{ readonly folder: RunFolder; readonly config: RunConfig }> {
    const folder = RunFolder.at(path);
    const names = await namesIn(path);
    const config = names.includes("config.json") ? await folder.config() : undefined;
    if (config?.command === "train") return { folder, config };
    throw new EspalierError(names.length === 0 ? "FILE_MISSING" : "FORMAT", {
      thing: path,
      rule: "must be a folder that espalier train wrote with --out",
      received:
        config === undefined
          ? names.length === 0
            ? "an empty or missing folder"
            : names.slice(0, 8)
          : config.command,
      remedy: "Give the --out of the run to continue.",
    });
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  async names(): Promise<readonly string[]> {
    return namesIn(this.path);
  }

  async writeConfig(config: RunConfig): Promise<void> {
    await this.write("config.json", `${JSON.stringify({ ...format, ...config }, null, 2)}\n`);
  }

  async write(name: string, text: string): Promise<void> {
    await this.writeBytes(name, new TextEncoder().encode(text));
  }

  async writeBytes(name: string, bytes: Uint8Array): Promise<void> {
    await platform.writeFile(this.file(name), bytes);
  }

  async append(name: string, line: string): Promise<void> {
    await platform.appendFile(this.file(name), `${line}\n`);
  }

  /** A file's text; undefined if there is no such file. */
  async read(name: string): Promise<string | undefined> {
    if (!(await this.names()).includes(name)) return undefined;
    return new TextDecoder().decode(await platform.readFile(this.file(name)));
  }

  /** Throws `FORMAT`. */
  async config(): Promise<RunConfig> {
    const text = (await this.read("config.json")) ?? "";
    const bad = (cause?: unknown) =>
      new EspalierError("FORMAT", {
        thing: this.file("config.json"),
        rule: "must be what espalier wrote (format “espalier run”, version 1)",
        received: text.slice(0, 80),
        remedy: "Restore the file, or start a new run with another --out.",
        cause,
      });
    let config: RunConfig & { readonly format: unknown; readonly version: unknown };
    try {
      config = JSON.parse(text);
    } catch (cause) {
      throw bad(cause);
    }
    const known = config?.format === format.format && config.version === format.version;
    if (!known || typeof config.options !== "object" || config.options === null) throw bad();
    return config;
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    throw new EspalierError("OUTPUT_EXISTS", {
      thing: path,
      rule: "must be a folder",
      received: "a file",
      remedy: "Choose another path.",
    });
  }
  return platform.listFolder(path);
}
