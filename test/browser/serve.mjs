import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, extname, join } from "node:path";

const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const page = `<!doctype html><meta charset="utf-8"><title>espalier</title><link rel="icon" href="data:,">`;

/**
 * Serves bundles and, beside each, ONNX Runtime's wasm files, on a free port of 127.0.0.1. Every page is cross-origin
 * isolated, as threads require.
 * @param {Record<string, Uint8Array>} files by path, such as "/source/main.js"
 * @param {string} runtimeFolder where ONNX Runtime's files lie
 */
export async function serve(files, runtimeFolder) {
  const runtimeFiles = (await readdir(runtimeFolder)).filter((name) => name.endsWith(".wasm"));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const send = (status, path) =>
      response.writeHead(status, {
        "Content-Type": types[extname(path)] ?? "text/plain",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      });
    const name = basename(pathname);
    if (pathname === "/") send(200, "index.html").end(page);
    else if (Object.hasOwn(files, pathname)) send(200, pathname).end(files[pathname]);
    else if (runtimeFiles.includes(name)) createReadStream(join(runtimeFolder, name)).pipe(send(200, name));
    else send(404, pathname).end();
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
