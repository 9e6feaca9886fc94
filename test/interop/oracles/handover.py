"""An optimizer's state that grows with its folder, compared with PyTorch: read to the same values, written so that torch.load opens it
with weights_only, and after one step of AdamW every old entry is where the ungrown run has it.

New entries move by at most one learning rate. Both forms are asked: optimizer.pt by number, in one group and in Trainer's two,
and safetensors by name. A class's order of parameters is asked of each class.
"""

import json
import sys
import time
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import folder_models as models
from engine import Engine

RATE = 1e-3
STEPS = 5
#: Growths under which old entries keep their place and their gradient: name and options.
GROWTHS = {
    "mlp": ["--widen", "intermediate_size=+8"],
    "depth": ["--deepen", "after=0,1"],
    "vocabulary": ["--vocab", "+7"],
    "all": ["--widen", "intermediate_size=+8", "--deepen", "after=1", "--vocab", "+3"],
}
NAMES = ["llama", "llama-tied", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3"]


def grouped(model, kind: str):
    named = dict(model.named_parameters())
    if kind == "one":
        return list(named.values())
    if kind == "named":
        return list(named.items())
    from transformers import Trainer

    decayed = set(Trainer.get_decay_parameter_names(None, model))
    return [
        {"params": [p for n, p in named.items() if n in decayed], "weight_decay": 0.1},
        {"params": [p for n, p in named.items() if n not in decayed], "weight_decay": 0.0},
    ]


def optimizer_of(model, kind: str):
    return torch.optim.AdamW(grouped(model, kind), lr=RATE, betas=(0.9, 0.95))


def step(model, optimizer, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, models.VOCABULARY, (2, 12), generator=generator)
    # New rows of the vocabulary would take part in the softmax, so only the old ones are used.
    logits = model(tokens).logits[:, :-1, : models.VOCABULARY]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def to_safetensors(model, optimizer, path: Path) -> None:
    names = {id(p): n for n, p in model.named_parameters()}
    tensors = {
        f"{names[id(p)]}.{key}": value.contiguous() for p, state in optimizer.state.items() for key, value in state.items()
    }
    groups = [{**{k: v for k, v in g.items() if k != "params"}, "params": [names[id(p)] for p in g["params"]]} for g in optimizer.param_groups]
    save_file(tensors, path, {"param_groups": json.dumps(groups)})


def from_safetensors(model, optimizer, path: Path) -> None:
    """As docs/checkpoints.md says."""
    with safe_open(path, "pt") as file:
        keys = set(file.keys())
        names = [name for group in json.loads(file.metadata()["param_groups"]) for name in group["params"]]
        parameters = dict(model.named_parameters())
        assert sorted(names) == sorted(parameters), "names of the groups"
        for name, parameter in parameters.items():
            own = ("step", "exp_avg", "exp_avg_sq")
            if f"{name}.step" in keys:
                optimizer.state[parameter] = {key: file.get_tensor(f"{name}.{key}") for key in own}


def moments(model, steps: int) -> dict[str, dict[str, torch.Tensor]]:
    """AdamW's state if the weights do not change: a function of the gradients alone."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.0)
    for seed in range(steps):
        step(model, optimizer, seed)
    return {name: optimizer.state[p] for name, p in model.named_parameters()}, optimizer


def folded(grown: torch.Tensor, shape: torch.Size, repeated: int | None) -> torch.Tensor:
    """
    Sums of copies: along each axis that is a multiple of the old one. What is padded is cut off. Heads of `repeated` rows
    each lie next to their copies, and behind the queries where one matrix holds all.
    """
    if repeated is not None and grown.shape[0] != shape[0]:
        old = grown.shape[0] - shape[0]
        queries = shape[0] - old
        return torch.cat([grown[:queries], grown[queries:].unflatten(0, (-1, 2, repeated)).sum(1).flatten(0, 1)])
    for axis, size in enumerate(shape):
        if grown.shape[axis] % size == 0:
            grown = grown.unflatten(axis, (-1, size)).sum(axis)
        else:
            grown = grown.narrow(axis, 0, size)
    return grown


#: Growths under which gradients change: options, and whether old entries have one counterpart, so that squares can be compared.
DIVIDED = {
    "padding": (["--widen", "{padded}"], True),
    "copies": (["--widen", "{hidden}=x2"], False),
    "repeated": (["--widen", "{kv}=x2"], False),
}


def divided(engine: Engine, names: list[str], problems: list[str]) -> None:
    """
    Moments that have grown against those of the grown model from the same batches, with weights that stand still. Copies
    share what was one gradient in a way that no file tells: their sums must agree.
    """
    root, asked, cases = engine.folder, [], []
    for name in names:
        old = root / f"{name}-still"
        models.make(name, str(old))
        before, optimizer = moments(models.load(str(old)), STEPS)
        torch.save(optimizer.state_dict(), old / "optimizer.pt")
        for growth, (options, single) in DIVIDED.items():
            if growth in models.refused(name):
                continue
            new = root / f"{name}-still-{growth}"
            own = [option.format(**models.fields(name)) for option in options]
            asked.append(["grow", str(old), "--out", str(new), "--optimizer", str(old / "optimizer.pt"), "--no-verify", *own])
            cases.append((name, growth, before, new, single))
    answers, _ = engine.ask("folders", asked, {})
    worst = 0.0
    for (name, growth, before, new, single), answer in zip(cases, answers):
        if answer["code"] != 0:
            problems.append(f"{name} {growth}: {answer['err']}")
            continue
        model = models.load(str(new))
        true, optimizer = moments(model, STEPS)
        optimizer.load_state_dict(torch.load(new / "optimizer.pt", weights_only=True))
        for n, p in model.named_parameters():
            for key in ("exp_avg", "exp_avg_sq") if single else ("exp_avg",):
                shape = before[n][key].shape
                mine, its = optimizer.state[p][key], true[n][key]
                if growth == "copies" and n == "model.norm.weight" and model.config.tie_word_embeddings:
                    # Its copies are zero and not read: they start fresh.
                    mine, its = mine[: shape[0]], its[: shape[0]]
                repeated = model.config.head_dim if growth == "repeated" else None
                ours, theirs = (folded(one, shape, repeated) for one in (mine, its))
                off = ((ours - theirs).abs().max() / theirs.abs().max()).item()
                if off > 1e-4:
                    problems.append(f"{name} {growth}: {key} of {n} is {off:.1e} off")
                worst = max(worst, off)
    print(f"  moments of {len(cases)} folders whose gradients are divided: {worst:.1e} off at most")


def main() -> int:
    started = time.monotonic()
    engine, problems, compared, largest, fresh = Engine(), [], 0, 0.0, 0.0
    divided(engine, NAMES if len(sys.argv) < 3 else sys.argv[2:], problems)
    root, asked, cases = engine.folder, [], []
    for name in NAMES if len(sys.argv) < 3 else sys.argv[2:]:
        for kind in ("one", "trainer", "named", "safetensors"):
            old = root / f"{name}-{kind}"
            models.make(name, str(old))
            model = models.load(str(old))
            optimizer = optimizer_of(model, "one" if kind == "safetensors" else kind)
            for seed in range(STEPS):
                step(model, optimizer, seed)
            model.save_pretrained(old)
            file = old / ("optimizer.safetensors" if kind == "safetensors" else "optimizer.pt")
            if kind == "safetensors":
                to_safetensors(model, optimizer, file)
            else:
                torch.save(optimizer.state_dict(), file)
            for growth, options in GROWTHS.items():
                if kind not in ("trainer", "safetensors") and growth != "all":
                    continue
                new = root / f"{name}-{kind}-{growth}"
                asked.append(["grow", str(old), "--out", str(new), "--optimizer", str(file), "--no-verify", *options])
                cases.append((name, kind, growth, old, new, file.name))
    answers, _ = engine.ask("folders", asked, {})
    for (name, kind, growth, old, new, file), answer in zip(cases, answers):
        identity = f"{name} {kind} {growth}"
        if answer["code"] != 0:
            problems.append(f"{identity}: {answer['err']}")
            continue
        before, after = models.load(str(old)), models.load(str(new))
        optimizers = []
        for model, folder in ((before, old), (after, new)):
            optimizer = optimizer_of(model, "one" if kind == "safetensors" else kind)
            if kind == "safetensors":
                from_safetensors(model, optimizer, folder / file)
            else:
                optimizer.load_state_dict(torch.load(folder / file, weights_only=True))
            optimizers.append(optimizer)
        at_first = {n: p.detach().clone() for n, p in after.named_parameters()}
        for model, optimizer in zip((before, after), optimizers):
            step(model, optimizer, STEPS)
        # An inserted layer shifts the numbers of those after it.
        inserted = [] if growth not in ("depth", "all") else [0, 1] if growth == "depth" else [1]
        moved = {n: p.detach() for n, p in after.named_parameters()}
        seen = set()
        for n, p in before.named_parameters():
            parts = n.split(".")
            if "layers" in parts:
                at = parts.index("layers") + 1
                parts[at] = str(int(parts[at]) + sum(one < int(parts[at]) for one in inserted))
            new_name = ".".join(parts)
            seen.add(new_name)
            grown, start = moved[new_name], at_first[new_name]
            # phi3 has gate and up in one: old rows lie in two blocks.
            window = tuple(slice(0, size) for size in p.shape)
            own, moves = grown[window], (grown - start).abs()
            if name == "phi3" and "gate_up_proj" in n and grown.shape != p.shape:
                half, wide = p.shape[0] // 2, grown.shape[0] // 2
                own = torch.cat([grown[:half], grown[wide : wide + half]])
                moves[:half], moves[wide : wide + half] = 0, 0
            else:
                moves[window] = 0
            off = (own - p.detach()).abs().max().item()
            compared += 1
            largest, fresh = max(largest, off), max(fresh, moves.max().item() / RATE)
            # A wider MLP of phi3's is another matrix, whose products some processors sum in another order.
            allowed = models.CLOSE.get(name, {}).get("mlp", 0.0) if growth in ("mlp", "all") else 0.0
            if off > allowed:
                problems.append(f"{identity}: {n} is {off:.1e} from the ungrown run")
            if moves.max().item() > RATE * 1.001 * (1 + 0.1 * start.abs().max().item()):
                problems.append(f"{identity}: a new entry of {n} moves by {moves.max().item() / RATE:.2f} learning rates")
        for n in moved.keys() - seen:
            state = optimizers[1].state[dict(after.named_parameters())[n]]
            if state["step"] != 1:
                problems.append(f"{identity}: {n} is new and at step {state['step']}")
    print(f"  {compared} parameters of {len(cases)} folders: old entries {largest:.1e} from the ungrown run, new ones move by {fresh:.2f} learning rates at most")
    print(f"handover: {time.monotonic() - started:.0f} s")
    for problem in problems[:40]:
        print(f"  MISMATCH {problem}", file=sys.stderr)
    return 1 if problems or compared == 0 else 0


sys.exit(main())
