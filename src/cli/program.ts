import { Command, CommanderError, Option } from "commander";
import { scores } from "../growth/scores/index.ts";
import { strategies } from "../growth/strategies/index.ts";
import { activationNames } from "../nn/activation.ts";
import { optimizerNames, optimizers } from "../training/optimizers/index.ts";
import { compareCommand } from "./compare/compare.ts";
import { exportCommand } from "./folder/export.ts";
import { adviseCommand } from "./model/advise.ts";
import { evaluateCommand } from "./model/evaluate.ts";
import { growCommand } from "./model/grow.ts";
import { inspectCommand } from "./model/inspect.ts";
import { predictCommand } from "./model/predict.ts";
import { shrinkCommand } from "./model/shrink.ts";
import { verifyCommand } from "./model/verify.ts";
import { batchAxisHelp } from "./options/batch-axis-option.ts";
import { classWeightsHelp } from "./options/class-weights-option.ts";
import { dataHelp } from "./options/data-option.ts";
import { lossHelp } from "./options/loss-option.ts";
import { modelOptions } from "./options/model-option.ts";
import { sizesHelp } from "./options/sizes-option.ts";
import { tableOptions } from "./options/table-options.ts";
import { usageError } from "./options/usage-error.ts";
import { errorJson, errorText } from "./print/error-text.ts";
import { exitCodeOf, exitCodes } from "./print/exit-code.ts";
import { fileError } from "./print/file-error.ts";
import type { CliIo } from "./print/io.ts";
import { version } from "./print/version.ts";
import { type DemoOptions, demo } from "./train/demo.ts";
import { goesWith, optimizerHelp } from "./train/optimizer-option.ts";
import { forSchedules, scheduleHelp } from "./train/schedule-option.ts";
import { train } from "./train/train.ts";
import type { TrainCommandOptions } from "./train/train-options.ts";

const codes = `
Exit codes:
  0    done
  1    failed: a file, the data, the training (a loss that is not finite), an output folder in use
  2    the command line is wrong: an unknown option or width, a bad value
  3    two models do not compute the same (grow, shrink, verify)
  4    they did not differ, but nothing was compared for an output or for new units (grow, shrink, verify)
  130  stopped by Ctrl-C;   143  stopped by SIGTERM;   141  nobody read the output any more (| head)
       (after the step under way; with --out a checkpoint is saved; a second signal ends at once)
`;

const trainExamples = `
Widening:
  --widen hidden1=+16@500                        adds 16 units to the first hidden layer once 500 steps are done
  --widen hidden1=+16 --every 500 --until 128    adds 16 every 500 steps until there are 128
  --grow-when plateau=50:0.01 --grow-where best --grow-units 25% --grow-until hidden1=64
                                                 leaves when and where to a policy, which says why
  Widths are called hidden1, hidden2, ... and conv1, conv2, ...; the outputs stay what they were.

Examples:
  espalier train                                 the digits that ship with espalier, 64-32-10
  espalier train --hidden 8 --widen hidden1=+8@300 --widen hidden1=+16@600 --out runs/grown
  espalier train --data wine.csv --standardize --hidden 16 --epochs 100 --early-stopping 10
  espalier train --data prices.csv --label price --loss meanSquaredError --standardize --delimiter ";"
  espalier train --data mnist:data/mnist --conv 8,16 --hidden 32 --batch 64 --epochs 3 --threads 2
  espalier train --data moons --hidden 4 --widen hidden1=+4 --every 200 --until 32 --steps 2000
  espalier train --model resnet.onnx --data mnist:data/mnist --freeze "conv1*" --widen layer1.conv1=+8@500 --out runs/on
  espalier train --resume runs/grown             continues the run in runs/grown
${codes}`;

/** Runs the command line and returns its exit code. `args` are the arguments after the program's name. */
export async function main(args: readonly string[], processIo: CliIo): Promise<number> {
  let printed = false;
  const io: CliIo = {
    ...processIo,
    out: (text) => {
      printed = true;
      processIo.out(text);
    },
  };
  let code: number = exitCodes.success;
  const program = new Command("espalier")
    .description("Train neural networks that grow without changing what they compute.")
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      // The catch below prints it, in the form of every other error.
      outputError: () => {},
    })
    .addHelpText("after", codes);

  modelOptions(trainOptions(program.command("train")), "read weights of --model from files next to it")
    .addHelpText("after", trainExamples)
    .action(async (options: TrainCommandOptions, command: Command) => {
      const given = new Set(
        Object.keys(options).filter((name) => command.getOptionValueSource(name) === "cli"),
      );
      code = await train(options, given, io);
    });

  const finish = (ended: number) => {
    code = ended;
  };
  adviseCommand(program.command("advise"), io, finish).addHelpText("after", codes);
  inspectCommand(program.command("inspect"), io, finish).addHelpText("after", codes);
  growCommand(program.command("grow"), io, finish).addHelpText("after", codes);
  exportCommand(program.command("export"), io, finish).addHelpText("after", codes);
  shrinkCommand(program.command("shrink"), io, finish).addHelpText("after", codes);
  verifyCommand(program.command("verify"), io, finish).addHelpText("after", codes);
  predictCommand(program.command("predict"), io, finish).addHelpText("after", codes);
  evaluateCommand(program.command("evaluate"), io, finish).addHelpText("after", codes);
  compareCommand(program.command("compare"), io, finish).addHelpText("after", codes);

  program
    .command("demo")
    .description("Train the digits five times, grown and from scratch, and report both side by side.")
    .option("--out <dir>", "folder for the report; one that a demo wrote is overwritten", "runs/demo")
    .option("--json", "print one JSON document on stdout")
    .option("--quiet", "no progress on stderr")
    .option("--debug", "print stack traces")
    .addHelpText("after", codes)
    .action(async (options: DemoOptions) => {
      code = await demo(options, io);
    });

  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.success;
      // If no command was given, commander has printed the help.
      if (error.code === "commander.help") return exitCodes.usage;
    }
    const shown =
      error instanceof CommanderError
        ? usageError(
            error,
            args,
            program.commands.map((command) => command.name()),
          )
        : (fileError(error) ?? error);
    // Once for programs, and on stderr for people. A result that was printed already includes the error.
    if (args.includes("--json") && !printed) io.out(`${JSON.stringify(errorJson(shown), null, 2)}\n`);
    io.err(errorText(shown, args.includes("--debug")));
    return exitCodeOf(shown);
  }
}

function trainOptions(command: Command): Command {
  const data = command
    .description("Train a network, and grow it while it trains.")
    .optionsGroup("Data:")
    .option("--data <what>", dataHelp, "digits");
  return tableOptions(data)
    .option(
      "--test-fraction <share>",
      "fraction of the examples held out for testing (MNIST has its own)",
      "0.2",
    )
    .optionsGroup("Network:")
    .option("--hidden <sizes>", "units of the hidden layers, such as 16,16 (default: 32; none after --conv)")
    .option(
      "--conv <filters>",
      "filters of the convolutions, such as 8,16, each 3×3 and followed by a 2×2 pool",
    )
    .option("--layers <sizes>", "every size with input and output, such as 64,8,10")
    .option("--activation <name>", activationNames.join(", "), "relu")
    .option("--batch-norm", "normalize batches after every hidden layer")
    .option("--dropout <ratio>", "fraction of values dropped during training", "0")
    .option(
      "--model <file>",
      "train this ONNX model instead; if it has several inputs, columns of a CSV file feed the inputs that they are named after",
    )
    .addOption(
      new Option("--freeze <parameters>", 'leave these as they are, such as "embed*"; repeatable').argParser(
        collect,
      ),
    )
    .option(
      "--train-constants",
      "also train constants: Constant nodes, buffers, position tables (train lists what it leaves out)",
    )
    .addOption(new Option("--train-only <parameters>", "train only these; repeatable").argParser(collect))
    .optionsGroup("Training:")
    .option(
      "--output <name>",
      "output of --model that is trained, or another value of it (default: the one that fits the data)",
    )
    .option("--batch-axis <axis>", `of --model: ${batchAxisHelp}`)
    .option("--sizes <sizes>", `of --model: ${sizesHelp}`)
    .option("--loss <name>", lossHelp)
    .option("--class-weights <weights>", classWeightsHelp)
    .option("--optimizer <name>", optimizerHelp, "adam")
    .option(
      "--learning-rate <rate>",
      `(default: ${optimizerNames.map((name) => `${name} ${optimizers[name].rate}`).join(", ")})`,
    )
    .option("--momentum <share>", goesWith("momentum"))
    .option("--nesterov", `Nesterov's momentum, ${goesWith("nesterov")}`)
    .option("--weight-decay <rate>", goesWith("weightDecay"))
    .option("--clip-norm <norm>", "largest norm of all gradients together (default: none)")
    .option("--schedule <name>", scheduleHelp, "constant")
    .option("--warmup <steps>", forSchedules("warmup"))
    .option("--hold <steps>", `at the full rate, ${forSchedules("hold")}`)
    .option("--final-rate <rate>", `at the end, ${forSchedules("final")} (default: 0)`)
    .option("--decay-every <steps>", forSchedules("every"))
    .option("--decay-factor <factor>", `${forSchedules("factor")} (default: 0.1)`)
    .option("--batch <examples>", "examples in a batch", "32")
    .option(
      "--epochs <count>",
      "passes through the training data (default: 20; for a CSV file at least enough for 1,000 updates)",
    )
    .option("--steps <count>", "updates, instead of epochs")
    .option("--seed <number>", "of the split, the weights, the shuffle and dropout", "0")
    .option("--threads <count>", "threads inside one operator", "1")
    .option(
      "--early-stopping <patience>",
      "stop after this many evaluations without a better validation loss, and keep the best weights",
    )
    .option(
      "--validation-fraction <share>",
      "fraction of the training examples that early stopping watches (default: 0.1)",
    )
    .option("--evaluate-every <steps>", "(default: once an epoch)")
    .optionsGroup("Growth:")
    .addOption(
      new Option("--widen <growth>", "WIDTH=+UNITS@STEP, or WIDTH=+UNITS with --every; repeatable")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--every <steps>", "steps between the growths of a --widen without @STEP")
    .option("--until <units>", "units at which those growths end; the last is cut to fit (default: none)")
    .option(
      "--newborn-warmup <steps>",
      "steps over which the learning rate of new weights rises (default: 0)",
    )
    .option("--newborn-youth <steps>", "steps after birth without weight decay (default: 0)")
    .option("--newborn-rate <factor>", "of the learning rate in that time (default: 1)")
    .option("--grow <file>", "a growth policy in JSON, which decides when, where and by how much to grow")
    .option(
      "--grow-when <moments>",
      "every=200, at=100,300, plateau=50:0.01 (less than 1 % over 50 steps), score=100:1e-3 or budget=0.2",
    )
    .option(
      "--grow-where <widths>",
      "a width, round-robin, together, or best (best-per-parameter, best-per-unit) by score (default: round-robin)",
    )
    .option(
      "--grow-units <units>",
      "8, 25%, marginal=0.3:32 (that share of the best unit's score, at most 32 units, the default) or hidden1=128@4 (in 4 growths)",
    )
    .addOption(
      new Option(
        "--grow-until <limit>",
        "parameters=50000, hidden1=128, growths=4 or steps=900 end growing; flops=1e12 or seconds=60 the run; repeatable",
      ).argParser(collect),
    )
    .option(
      "--grow-trial <steps:share>",
      "undo a growth that has not lowered the loss by a fraction after a number of steps: 200:0.01",
    )
    .option("--grow-score <method>", `${Object.keys(scores).join(", ")} (default: candidates)`)
    .option(
      "--strategy <name>",
      `values of new units: ${Object.keys(strategies).join(", ")} (default: candidates)`,
    )
    .optionsGroup("Output:")
    .option("--out <dir>", "new folder for the report, the model, the metrics and checkpoints")
    .option("--checkpoint-every <steps>", "(default: ten times a run)")
    .option("--resume <dir>", "continue the run in this folder")
    .option("--resume-step <step>", "from an older checkpoint of it")
    .option("--json", "print one JSON document on stdout")
    .option("--quiet", "no progress on stderr")
    .option("--debug", "print stack traces");
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
