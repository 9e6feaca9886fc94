import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Runs a measuring script in a Node process of its own, so that nothing else is in its memory or its caches,
 * and gives the JSON that it prints. If it fails, throws with the last line of its errors.
 */
export async function inOwnProcess(url, nodeOptions = []) {
  const child = spawn(process.execPath, [...nodeOptions, fileURLToPath(url), "--measure"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, complaint] = ["", ""];
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  const reason = complaint.match(/^\w*Error.*$/m)?.[0] ?? complaint.trim().split("\n").at(-1);
  if (code !== 0) throw new Error(reason || `the process ended with code ${code}`);
  return JSON.parse(output);
}

/** How a script was called: "measure" in its own process, "show" by a person, or undefined when imported. */
export function calledAs(url) {
  if (process.argv[1] !== fileURLToPath(url)) return undefined;
  return process.argv.includes("--measure") ? "measure" : "show";
}
