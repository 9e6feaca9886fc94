"""PyTorch, CPU, eager: speaks the protocol of serve.mjs.

Every Adam that PyTorch has is a variant (fused, foreach, for-loop), and for convolutions the channels-last
layout as well; the driver takes the fastest.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def mlp(sizes):
    layers = []
    for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        if index > 0:
            layers.append(nn.ReLU())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def cnn(channels, image, classes):
    layers = []
    side = image
    for inputs, outputs in zip(channels, channels[1:]):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        side //= 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * side * side, classes))


class Run:
    """One model with one optimizer, and its position in the data."""

    def __init__(self, workload, data, adam, channels_last):
        torch.manual_seed(1)
        if workload["kind"] == "mlp":
            self.model = mlp(workload["sizes"])
        else:
            self.model = cnn(workload["channels"], workload["image"], workload["classes"])
        self.x, self.y, self.batches = data
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.x = self.x.contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=workload["learningRate"], **adam)
        self.step_index = 0

    def step(self):
        index = self.batches[self.step_index % len(self.batches)]
        self.step_index += 1
        # index_select, not x[index]: five times as fast for whole rows.
        loss = F.cross_entropy(self.model(self.x.index_select(0, index)), self.y.index_select(0, index))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Contestant:
    def __init__(self):
        self.runs = {}

    def setup(self, request):
        workload, files = request["workload"], request["files"]
        torch.set_num_threads(request["threads"])
        x = torch.from_numpy(np.fromfile(files["x"], dtype=np.float32))
        if workload["kind"] == "mlp":
            x = x.reshape(-1, workload["sizes"][0])
        else:
            x = x.reshape(-1, workload["channels"][0], workload["image"], workload["image"])
        y = torch.from_numpy(np.fromfile(files["y"], dtype=np.int32)).long()
        order = torch.from_numpy(np.fromfile(files["order"], dtype=np.int32)).long()
        batch = workload["batch"]
        data = (x, y, list(order[: len(order) // batch * batch].split(batch)))
        adams = {
            "fused": {"fused": True},
            "foreach": {"foreach": True},
            "for-loop": {"foreach": False, "fused": False},
        }
        self.runs = {name: Run(workload, data, adam, False) for name, adam in adams.items()}
        if workload["kind"] == "cnn":
            self.runs["fused, channels last"] = Run(workload, data, adams["fused"], True)
        for run in self.runs.values():
            for _ in range(request["warmUp"]):
                run.step()
        return {
            "version": torch.__version__,
            "threads": torch.get_num_threads(),
            "variants": list(self.runs),
        }

    def measure(self, request):
        run = self.runs[request["variant"]]
        loss = float("nan")
        start = time.perf_counter()
        for _ in range(request["steps"]):
            loss = run.step()
        return {"ms": (time.perf_counter() - start) * 1000, "loss": loss}


def main():
    contestant = Contestant()
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = getattr(contestant, request["cmd"])(request)
        except Exception as error:  # The driver reports it; the next request may still work.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
