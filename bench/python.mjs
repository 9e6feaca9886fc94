import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".venv", import.meta.url));
const requirements = ["torch==2.13.0", "numpy"];

/**
 * The interpreter of bench/.venv, made on first use with PyTorch in it.
 * Gives `{ python }`, or `{ missing: reason }` if there is no Python or the installation fails.
 */
export function preparePython() {
  const python = `${folder}/bin/python`;
  if (works(python)) return { python };
  if (!existsSync(python)) {
    const made = spawnSync("python3", ["-m", "venv", folder], { stdio: ["ignore", 2, 2] });
    if (made.error) return { missing: "python3 was not found" };
    if (made.status !== 0) return { missing: "python3 -m venv failed" };
  }
  process.stderr.write(`Installing ${requirements.join(" and ")} into bench/.venv (once)\n`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements];
  const installed = spawnSync(python, pip, { stdio: ["ignore", 2, 2] });
  if (installed.status !== 0 || !works(python))
    return { missing: `pip install ${requirements.join(" ")} failed` };
  return { python };
}

function works(python) {
  return spawnSync(python, ["-c", "import torch, numpy"], { stdio: "ignore" }).status === 0;
}
