"""mergekit's passthrough: every fourth layer twice. It stacks copies as they are, so the function changes."""

import json
import resource
import sys
import time
from pathlib import Path

from mergekit.config import MergeConfiguration
from mergekit.merge import MergeOptions, run_merge

old, new = sys.argv[1:]
layers = json.loads((Path(old) / "config.json").read_text())["num_hidden_layers"]
ranges = [[at, min(at + 4, layers)] for at in range(0, layers, 4)]
slices = [piece for first, end in ranges for piece in ([first, first + 1], [first, end])]
config = {
    "merge_method": "passthrough",
    "dtype": "bfloat16",
    "slices": [{"sources": [{"model": old, "layer_range": piece}]} for piece in slices],
}
began = time.perf_counter()
options = MergeOptions(copy_tokenizer=False, lazy_unpickle=True, quiet=True)
run_merge(MergeConfiguration.model_validate(config), new, options)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": time.perf_counter() - began, "peakMB": peak}))
