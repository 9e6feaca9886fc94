"""Image classifiers made of ordinary and grouped convolutions, plain, residual and densely connected."""

import torch
import torch.nn.functional as F
from torch import nn

from entry import Torch, Width, batched


def lenet() -> nn.Module:
    return nn.Sequential(
        *[nn.Conv2d(1, 5, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)],
        *[nn.Conv2d(5, 9, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten()],
        *[nn.Linear(9 * 2 * 2, 22), nn.Tanh(), nn.Linear(22, 13), nn.Tanh(), nn.Linear(13, 10)],
    )


class Vgg(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in (8, 10, "pool", 14, 18, "pool"):
            if channels == "pool":
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
            before = channels
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(nn.Linear(18 * 4, 31), nn.ReLU(), nn.Dropout(0.5), nn.Linear(31, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


class BasicBlock(nn.Module):
    def __init__(self, before: int, inner: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, inner, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = shortcut(before, after, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 in `groups` groups, 1x1."""

    def __init__(self, before: int, inner: int, middle: int, after: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, middle, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.shortcut = shortcut(before, after, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + self.shortcut(x))


def shortcut(before: int, after: int, stride: int) -> nn.Module:
    if before == after and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))


class ResNet(nn.Module):
    def __init__(self, stem: int, blocks: list[nn.Module], last: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, stem, 7, 2, 3, bias=False)
        self.bn = nn.BatchNorm2d(stem)
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(last, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 3, 2, 1)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.blocks(x), 1), 1))


def resnet_basic() -> nn.Module:
    return ResNet(8, [BasicBlock(8, 11, 8, 1), BasicBlock(8, 13, 14, 2), BasicBlock(14, 17, 14, 1)], 14)


def resnet_bottleneck() -> nn.Module:
    return ResNet(9, [Bottleneck(9, 6, 7, 20, 1), Bottleneck(20, 8, 10, 20, 1), Bottleneck(20, 11, 12, 26, 2)], 26)


def resnext() -> nn.Module:
    return ResNet(9, [Bottleneck(9, 12, 8, 20, 1, groups=4), Bottleneck(20, 15, 25, 22, 2, groups=5)], 22)


class DenseLayer(nn.Module):
    def __init__(self, before: int, inner: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, inner, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, growth, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))
        return torch.cat([x, y], 1)


class DenseNet(nn.Module):
    """Every layer appends its channels to those before: a width is a segment of the axis that later layers read."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 10, 3, padding=1, bias=False)
        self.block1 = nn.Sequential(DenseLayer(10, 12, 5), DenseLayer(15, 14, 6))
        self.transition = nn.Sequential(
            nn.BatchNorm2d(21), nn.ReLU(), nn.Conv2d(21, 11, 1, bias=False), nn.AvgPool2d(2)
        )
        self.block2 = nn.Sequential(DenseLayer(11, 13, 4), DenseLayer(15, 9, 7))
        self.norm = nn.BatchNorm2d(22)
        self.classifier = nn.Linear(22, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.block2(self.transition(self.block1(self.stem(x))))))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


class GroupNormNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 12, 3, padding=1)
        self.norm1 = nn.GroupNorm(4, 12)
        self.conv2 = nn.Conv2d(12, 15, 3, 2, 1)
        self.norm2 = nn.GroupNorm(3, 15)
        self.conv3 = nn.Conv2d(15, 15, 3, padding=1)
        self.norm3 = nn.GroupNorm(3, 15)
        self.fc = nn.Linear(15, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.silu(self.norm1(self.conv1(x)))
        x = F.silu(self.norm2(self.conv2(x)))
        x = x + F.silu(self.norm3(self.conv3(x)))
        return self.fc(x.mean(dim=(2, 3)))


def bottleneck_widths(block: int, *widths: tuple[str, int]) -> list[Width]:
    """The widths of conv1, conv2, ... of one block, each a unit and how many of it."""
    return [
        Width(f"block {block}, after convolution {at + 1}", unit, units, f"blocks.{block}.conv{at + 1}.weight")
        for at, (unit, units) in enumerate(widths)
    ]


IMAGE = batched("image", 3, 16, 16)

ENTRIES = [
    Torch(
        "lenet",
        lenet,
        batched("image", 1, 14, 14),
        (
            Width("channels of the first convolution", "channel", 5, "0.weight"),
            Width("channels of the second convolution, flattened", "channel", 9, "3.weight"),
            Width("first hidden layer", "neuron", 22, "7.weight"),
            Width("second hidden layer", "neuron", 13, "9.weight"),
        ),
    ),
    Torch(
        "vgg",
        Vgg,
        IMAGE,
        (
            Width("channels of convolution 1", "channel", 8, "features.0.weight"),
            Width("channels of convolution 2", "channel", 10, "features.3.weight"),
            Width("channels of convolution 3", "channel", 14, "features.7.weight"),
            Width("channels of convolution 4, pooled and flattened", "channel", 18, "features.10.weight"),
            Width("hidden layer of the classifier", "neuron", 31, "classifier.0.weight"),
        ),
    ),
    Torch(
        "resnet-basic",
        resnet_basic,
        IMAGE,
        (
            Width("stage 1: stem, block 0 and its identity shortcut", "channel", 8, "conv.weight"),
            *bottleneck_widths(0, ("channel", 11)),
            *bottleneck_widths(1, ("channel", 13)),
            Width("stage 2: projection shortcut and both blocks", "channel", 14, "blocks.1.conv2.weight"),
            *bottleneck_widths(2, ("channel", 17)),
        ),
    ),
    Torch(
        "resnet-bottleneck",
        resnet_bottleneck,
        IMAGE,
        (
            Width("stem", "channel", 9, "conv.weight"),
            *bottleneck_widths(0, ("channel", 6), ("channel", 7), ("channel", 20)),
            *bottleneck_widths(1, ("channel", 8), ("channel", 10)),
            *bottleneck_widths(2, ("channel", 11), ("channel", 12), ("channel", 26)),
        ),
    ),
    Torch(
        "resnext",
        resnext,
        IMAGE,
        (
            Width("stem", "channel", 9, "conv.weight"),
            *bottleneck_widths(0, ("group", 4), ("group", 4), ("channel", 20)),
            *bottleneck_widths(1, ("group", 5), ("group", 5), ("channel", 22)),
        ),
    ),
    Torch(
        "densenet",
        DenseNet,
        IMAGE,
        (
            Width("stem", "channel", 10, "stem.weight"),
            Width("block 1, layer 0, bottleneck", "channel", 12, "block1.0.conv1.weight"),
            Width("block 1, layer 0, appended channels", "channel", 5, "block1.0.conv2.weight"),
            Width("block 1, layer 1, bottleneck", "channel", 14, "block1.1.conv1.weight"),
            Width("block 1, layer 1, appended channels", "channel", 6, "block1.1.conv2.weight"),
            Width("transition", "channel", 11, "transition.2.weight"),
            Width("block 2, layer 0, bottleneck", "channel", 13, "block2.0.conv1.weight"),
            Width("block 2, layer 0, appended channels", "channel", 4, "block2.0.conv2.weight"),
            Width("block 2, layer 1, bottleneck", "channel", 9, "block2.1.conv1.weight"),
            Width("block 2, layer 1, appended channels", "channel", 7, "block2.1.conv2.weight"),
        ),
    ),
    Torch(
        "group-norm",
        GroupNormNet,
        IMAGE,
        (
            Width("first convolution, in groups of 3 channels", "group", 4, "conv1.weight"),
            Width("residual channels, in groups of 5 channels", "group", 3, "conv2.weight"),
        ),
    ),
]
