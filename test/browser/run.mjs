// Trains, grows and resumes in headless Chromium and in Node, and compares. Prints what it saw; exits 1 on a failure.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { bundleAlone, bundleForBrowser, bundleForNode, forms, nodeParts } from "./bundle.mjs";
import { openChromium } from "./chromium.mjs";
import { serve } from "./serve.mjs";
import { makeVerdict, tolerance } from "./verdict.mjs";

/** A page or a worker that hangs must not hang CI. The whole takes less than a minute. */
const patienceMs = 180_000;

const root = fileURLToPath(new URL("../..", import.meta.url));
const started = performance.now();
const print = (line) => console.log(line);
const verdict = makeVerdict(print);
const closing = [];

const watchdog = setTimeout(() => {
  console.error(`Not done after ${patienceMs / 1000} s: a page hangs.`);
  process.exit(1);
}, patienceMs);

try {
  await main();
} catch (error) {
  console.error(error);
  verdict.check("the run came to its end", false, error.message);
} finally {
  for (const close of closing.reverse()) await close().catch(console.error);
  clearTimeout(watchdog);
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
print(
  verdict.failed === 0 ? `All held, in ${seconds} s.` : `${verdict.failed} checks failed, in ${seconds} s.`,
);
process.exitCode = verdict.failed === 0 ? 0 : 1;

async function main() {
  const bundles = await checkBundles();
  const node = await tellInNode();
  const { open, problems } = await openPages(Object.assign({}, ...bundles.map(({ files }) => files)));

  print(`\nStories: losses and evaluations to ${tolerance.loss}, weights to ${tolerance.weight}`);
  const stories = {
    "Node, kernel": await node.tell("story", { update: "kernel" }),
    "Node, graph": await node.tell("story", { update: "graph" }),
  };
  const page = await open("source");
  stories["browser, default"] = await page.tell("story", {});
  stories["browser, graph"] = await page.tell("story", { update: "graph" });
  stories["browser, kernel"] = await page.tell("story", { update: "kernel" });
  const published = await open("published");
  stories["browser, published package"] = await published.tell("story", {});
  await published.close();
  const threaded = await open("source");
  stories["browser, 2 threads"] = await threaded.tell("story", { threads: 2 });
  const workers = threaded.workers();
  await threaded.close();
  verdict.check(
    "the runtime started a thread of its own when asked for two",
    workers > 0,
    `${workers} workers`,
  );
  const gpu = await page.evaluate(async () => (await navigator.gpu?.requestAdapter()) != null);
  if (gpu) stories["browser, WebGPU"] = await page.tell("story", { update: "graph", providers: ["webgpu"] });
  else print("skipped WebGPU: this Chromium has no adapter");

  const reference = stories["Node, kernel"];
  for (const [name, story] of Object.entries(stories)) checkStory(name, story, reference);
  verdict.same(
    "browser: the published package and the sources say the same",
    stories["browser, published package"].after,
    stories["browser, default"].after,
  );

  print("\nCheckpoints that change places");
  await carryOver("browser -> Node", stories["browser, default"], node);
  await carryOver("Node -> browser", reference, page);

  print("\nDigits and errors");
  const [here, there] = [await node.tell("digitsStory"), await page.tell("digitsStory")];
  verdict.same(
    "digits() gives the same examples in both",
    [here.counts, here.hashes],
    [there.counts, there.hashes],
  );
  verdict.close("a small net learns them alike", there.stretch, here.stretch);
  verdict.check("and grows without changing its outputs", there.output.preserved, difference(there.output));
  const codes = await page.tell("pathErrors");
  verdict.same("a path gets a PLATFORM error in a browser", codes, ["PLATFORM", "PLATFORM", "PLATFORM"]);
  const bare = await open("source", { without: "**/*.wasm" });
  const missing = await bare.tell("story", {}).catch((error) => error.message);
  verdict.check(
    "a missing wasm file gets an ENGINE error with its remedy",
    /ONNX Runtime: .*docs\/browser\.md/.test(missing),
  );
  verdict.same("nothing failed unseen in the pages", problems, []);
}

function checkStory(name, story, reference) {
  const { growth, evaluated } = story;
  verdict.check(
    `${name}: growth ${growth.size.before} -> ${growth.size.after} left the outputs and the loss where they were`,
    growth.output.preserved && Math.abs(evaluated.after - evaluated.before) <= 1e-6,
    `loss ${evaluated.before.toFixed(6)} -> ${evaluated.after.toFixed(6)}, ${difference(growth.output)}`,
  );
  verdict.check(
    `${name}: it learns`,
    story.after.evaluation.loss < story.before.evaluation.loss &&
      story.before.evaluation.loss < story.before.losses[0],
    `loss ${story.before.losses[0].toFixed(3)} -> ${story.before.evaluation.loss.toFixed(3)} -> ` +
      `${story.after.evaluation.loss.toFixed(3)}, ${story.seconds.toFixed(2)} s`,
  );
  const { read, ...resumed } = story.resumed;
  verdict.same(`${name}: the resumed run equals the uninterrupted one`, resumed, story.after);
  verdict.same(`${name}: weights come out of the checkpoint as they went in`, read, story.written);
  if (story === reference) return;
  verdict.close(`${name}, first stretch, against Node's kernel`, story.before, reference.before);
  verdict.close(`${name}, after growing, against Node's kernel`, story.after, reference.after);
}

async function carryOver(name, story, place) {
  const { read, ...resumed } = await place.tell("resumeStory", story.checkpoint);
  verdict.same(`${name}: weights arrive as they left`, read, story.written);
  verdict.close(`${name}: training goes on as where it came from`, resumed, story.after);
}

async function checkBundles() {
  print("Bundles");
  const bundles = [];
  for (const form of Object.values(forms)) {
    const bundle = await bundleForBrowser(root, form);
    const inputs = Object.keys(bundle.metafile.inputs);
    const parts = nodeParts(bundle.metafile);
    const right = inputs.filter((path) => /platform\/web\.|runtime-web\./.test(path));
    verdict.check(
      `${form.name}: nothing of Node's is in it`,
      parts.length === 0,
      parts.join(", ") || `${inputs.length} files`,
    );
    verdict.same(`${form.name}: platform and runtime are the browser's`, right.length, 2);
    bundles.push(bundle);
  }
  const { code, digits } = await bundleAlone(root);
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  print(
    `       size of all of espalier, minified, without onnxruntime-web: ${kilobytes(code.length)} ` +
      `(gzip ${kilobytes(gzipSync(code).length)}), of which the embedded digits ${kilobytes(digits)}`,
  );
  return bundles;
}

/** Inside the project, so that the bundle finds onnxruntime-node. */
async function tellInNode() {
  const cache = join(root, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "espalier-browser-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const outfile = await bundleForNode(root, forms.source, folder);
  const { library, stories } = await import(pathToFileURL(outfile).href);
  return { tell: (story, ...rest) => stories[story](library, ...rest) };
}

/** Pages of one Chromium, and whatever they complained of. */
async function openPages(files) {
  const server = await serve(files, join(root, "node_modules", "onnxruntime-web", "dist"));
  closing.push(() => server.close());
  const browser = await openChromium();
  closing.push(() => browser.close());
  print(`\nChromium ${browser.version()}, Node ${process.versions.node}`);
  const problems = [];
  const open = async (form, { without } = {}) => {
    const page = await browser.newPage();
    if (without !== undefined) await page.route(without, (route) => route.abort());
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && without === undefined) problems.push(message.text());
    });
    await page.goto(server.url);
    const tellThere = async ([form, story, rest]) => {
      const { library, stories } = await import(`/${form}/main.js`);
      return stories[story](library, ...rest);
    };
    return {
      tell: (story, ...rest) => page.evaluate(tellThere, [form, story, rest]),
      evaluate: (script) => page.evaluate(script),
      workers: () => page.workers().length,
      close: () => page.close(),
    };
  };
  return { open, problems };
}

function difference({ maxDifference, roundingBound, identical }) {
  return identical ? "outputs identical" : `outputs within ${maxDifference} (bound ${roundingBound})`;
}
