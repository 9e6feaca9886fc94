import { backend } from "./backend.ts";
import { Exchange } from "./exchange.ts";
import { exported } from "./exported.ts";
import { files } from "./files.ts";
import { folders } from "./folders.ts";
import { gradients, listOperators } from "./gradients.ts";
import { modules } from "./modules.ts";
import { packages } from "./packages.ts";
import { strategies } from "./strategies.ts";
import { trainZoo } from "./train-zoo.ts";
import { trajectories } from "./trajectories.ts";
import { zoo } from "./zoo.ts";

/** espalier's half of each oracle: `node interop.mjs <command> <folder>`. */
const commands: Readonly<Record<string, (exchange: Exchange) => Promise<void>>> = {
  backend,
  operators: listOperators,
  gradients,
  trajectories,
  files,
  folders,
  exported,
  modules,
  packages,
  strategies,
  zoo,
  trainZoo,
};

const [name = "", folder = ""] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) throw new Error(`unknown command "${name}"; known: ${Object.keys(commands)}`);
await command(new Exchange(folder));
