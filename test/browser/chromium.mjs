import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

/** Starts a headless Chromium with an empty profile that talks to nobody but the page's server. */
export function openChromium() {
  return chromium.launch({
    executablePath: findChromium(),
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** The executable: what CHROMIUM names, or the first that the system has. */
function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  const names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
  const folders = ["/usr/bin", ...PATH.split(delimiter).filter((folder) => folder !== "")];
  const candidates = CHROMIUM
    ? [CHROMIUM]
    : names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    CHROMIUM
      ? `CHROMIUM names ${CHROMIUM}, which is not an executable file. Set it to Chromium's path.`
      : "Chromium was not found. Install it (Debian and Ubuntu: apt-get install -y chromium), or set CHROMIUM to its path.",
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
