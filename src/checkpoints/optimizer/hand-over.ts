import { platform } from "#platform";
import type { SourceFile } from "../../platform/platform.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { PlannedFolder } from "../grow/plan-growth.ts";
import { type GrownState, growState } from "./grown-state.ts";
import { readTorchState } from "./read-torch-state.ts";
import { readSafetensorsState, safetensorsStatePieces } from "./safetensors-state.ts";
import type { OptimizerState } from "./state.ts";
import { torchStatePieces } from "./write-torch-state.ts";

/**
 * A file format for an optimizer's state: how it is read and written, and the file's name in the new folder.
 */
interface Form {
  readonly file: string;
  readonly read: (file: SourceFile, checkpoint: Checkpoint) => OptimizerState;
  readonly pieces: (state: GrownState) => Iterable<Uint8Array>;
}

const safetensors: Form = {
  file: "optimizer.safetensors",
  read: readSafetensorsState,
  pieces: safetensorsStatePieces,
};
const torch: Form = { file: "optimizer.pt", read: readTorchState, pieces: torchStatePieces };

/** Other files that Trainer resumes from, which do not depend on the model's sizes. */
const beside = ["scheduler.pt", "trainer_state.json"];

/** An optimizer's state to be carried over to a new folder. It is open: close it when done. */
export interface HandOver {
  /** What was assumed about the file. */
  readonly assumed: string;
  /**
   * Writes the grown state, and copies of the files next to the old one, into a folder; returns the names of
   * the files.
   */
  writeTo(folder: string, planned: PlannedFolder): Promise<readonly string[]>;
  close(): void;
}

/**
 * Opens the state of an optimizer for a folder's parameters. Throws `FILE_MISSING`, `FORMAT`, `TOO_LARGE`.
 */
export async function openHandOver(path: string, checkpoint: Checkpoint): Promise<HandOver> {
  if (checkpoint.structure.sizes.experts !== undefined) {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing: path,
      rule: "must be the state of a model without experts: transformers trains all experts of a layer as one tensor",
      received: checkpoint.family.type,
      remedy: "Grow without --optimizer, and begin with a fresh state.",
    });
  }
  const form = path.endsWith(".safetensors") ? safetensors : torch;
  const file = platform.openFile(path);
  try {
    const state = named(path, () => form.read(file, checkpoint));
    return {
      assumed: state.assumed,
      async writeTo(folder, planned) {
        await platform.writeFile(`${folder}/${form.file}`, form.pieces(growState(state, planned)));
        const own = platform.locate(path).folder;
        const there = (await platform.listFolder(own)).filter((name) => beside.includes(name));
        for (const name of there) {
          await platform.writeFile(`${folder}/${name}`, await platform.readFile(`${own}/${name}`));
        }
        return [form.file, ...there];
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Makes errors in a file's contents name the file. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EspalierError) || error.thing === path) throw error;
    const { code, thing, rule, received, remedy } = error;
    throw new EspalierError(code, {
      thing: `${path}, ${thing}`,
      rule,
      ...(received === undefined ? {} : { received }),
      ...(remedy === undefined ? {} : { remedy }),
      cause: error,
    });
  }
}
