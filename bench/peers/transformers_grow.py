"""What people write themselves: loads a Llama, pads its MLPs by a quarter with zeros read by nothing, saves it."""

import json
import resource
import sys
import time

import torch
import transformers

transformers.utils.logging.disable_progress_bar()
old, new = sys.argv[1:]
began = time.perf_counter()
model = transformers.AutoModelForCausalLM.from_pretrained(old, dtype="auto")
extra = model.config.intermediate_size // 4
with torch.no_grad():
    for layer in model.model.layers:
        for name in ("gate_proj", "up_proj"):
            linear = getattr(layer.mlp, name)
            rows = torch.randn(extra, linear.in_features, dtype=linear.weight.dtype) * (2 / linear.in_features) ** 0.5
            linear.weight = torch.nn.Parameter(torch.cat([linear.weight, rows]))
        down = layer.mlp.down_proj
        down.weight = torch.nn.Parameter(torch.nn.functional.pad(down.weight, (0, extra)))
model.config.intermediate_size += extra
model.save_pretrained(new, max_shard_size="1GB")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": time.perf_counter() - began, "peakMB": peak}))
