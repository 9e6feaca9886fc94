import { processIo } from "../../../src/cli/print/io.ts";
import { main } from "../../../src/cli/program.ts";
import type { Exchange } from "./exchange.ts";

/** Runs command lines of espalier one after the other, and answers what each printed and its exit code. */
export async function folders(exchange: Exchange): Promise<void> {
  const answers: unknown[] = [];
  for (const args of await exchange.asked<readonly (readonly string[])[]>()) {
    let [out, err] = ["", ""];
    const io = {
      ...processIo,
      out: (text: string) => {
        out += text;
      },
      err: (text: string) => {
        err += text;
      },
    };
    answers.push({ code: await main(args, io), out, err });
  }
  await exchange.answer(answers, new Map());
}
