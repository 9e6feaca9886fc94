#!/usr/bin/env node
import { processIo } from "./print/io.ts";
import { main } from "./program.ts";

// Not process.exit: output written to a pipe must be flushed first.
process.exitCode = await main(process.argv.slice(2), processIo);
