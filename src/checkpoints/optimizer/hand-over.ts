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

/** A file that holds an optimizer's state: how it is read, written and called in the new folder. */
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

/** What Trainer resumes from besides the optimizer, and which no size is in. */
const beside = ["scheduler.pt", "trainer_state.json"];

/** An optimizer's state on its way to a new folder. Opened: close it. */
export interface HandOver {
  /** What was taken for granted of the file. */
  readonly assumed: string;
  /** Writes the grown state, and copies of what lies beside the old one, into a folder; returns the names of the files. */
  writeTo(folder: string, planned: PlannedFolder): Promise<readonly string[]>;
  close(): void;
}

/** Opens the state of an optimizer of a folder's parameters. Throws `FILE_MISSING`, `FORMAT`, `TOO_LARGE`. */
export async function openHandOver(path: string, checkpoint: Checkpoint): Promise<HandOver> {
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

/** Errors of a file's insides say which file it is. */
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
