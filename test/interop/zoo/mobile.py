"""Image classifiers made of depthwise convolutions: MobileNet, EfficientNet with squeeze-and-excite, ConvNeXt."""

import torch
import torch.nn.functional as F
from torch import nn

from entry import Torch, Width, batched


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, squeezed: int, between: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.between, self.gate = between, gate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = F.adaptive_avg_pool2d(x, 1)
        return x * self.gate(self.expand(self.between(self.reduce(scale))))


class LinearSqueezeExcite(nn.Module):
    """The same of linear layers: the pooled channels lose their spatial axes and gain them again."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, squeezed)
        self.expand = nn.Linear(squeezed, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = x.mean((2, 3))
        scale = torch.sigmoid(self.expand(F.relu(self.reduce(scale))))
        return x * scale.view(x.shape[0], x.shape[1], 1, 1)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by itself, rescale channels, project by 1x1; a shortcut where shapes agree."""

    def __init__(
        self, before: int, inner: int, after: int, stride: int, act: type[nn.Module], scale: nn.Module
    ) -> None:
        super().__init__()
        expand = [nn.Conv2d(before, inner, 1, bias=False), nn.BatchNorm2d(inner), act()] if inner != before else []
        self.expand = nn.Sequential(*expand)
        depthwise = nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False)
        self.depthwise = nn.Sequential(depthwise, nn.BatchNorm2d(inner), act())
        self.scale = scale
        self.project = nn.Sequential(nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after))
        self.shortcut = before == after and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.project(self.scale(self.depthwise(self.expand(x))))
        return x + y if self.shortcut else y


def mobilenet_v2() -> nn.Module:
    return nn.Sequential(
        *[nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()],
        InvertedResidual(8, 8, 10, 1, nn.ReLU6, nn.Identity()),
        InvertedResidual(10, 22, 12, 2, nn.ReLU6, nn.Identity()),
        InvertedResidual(12, 26, 12, 1, nn.ReLU6, nn.Identity()),
        *[nn.Conv2d(12, 30, 1, bias=False), nn.BatchNorm2d(30), nn.ReLU6()],
        *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(30, 7)],
    )


def mobilenet_v3() -> nn.Module:
    def squeeze(channels: int, squeezed: int) -> nn.Module:
        return SqueezeExcite(channels, squeezed, nn.ReLU(), nn.Hardsigmoid())

    return nn.Sequential(
        *[nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish()],
        InvertedResidual(8, 20, 10, 1, nn.ReLU, squeeze(20, 6)),
        InvertedResidual(10, 26, 10, 1, nn.Hardswish, squeeze(26, 7)),
        *[nn.Conv2d(10, 28, 1, bias=False), nn.BatchNorm2d(28), nn.Hardswish()],
        *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(28, 33), nn.Hardswish(), nn.Linear(33, 7)],
    )


def efficientnet() -> nn.Module:
    def squeeze(channels: int, squeezed: int) -> nn.Module:
        return SqueezeExcite(channels, squeezed, nn.SiLU(), nn.Sigmoid())

    return nn.Sequential(
        *[nn.Conv2d(3, 9, 3, 2, 1, bias=False), nn.BatchNorm2d(9), nn.SiLU()],
        InvertedResidual(9, 9, 11, 1, nn.SiLU, squeeze(9, 4)),
        InvertedResidual(11, 24, 13, 2, nn.SiLU, LinearSqueezeExcite(24, 5)),
        InvertedResidual(13, 28, 13, 1, nn.SiLU, squeeze(28, 6)),
        *[nn.Conv2d(13, 31, 1, bias=False), nn.BatchNorm2d(31), nn.SiLU()],
        *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(31, 7)],
    )


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of [batch, channels, height, width], written out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(1, keepdim=True)
        variance = centred.pow(2).mean(1, keepdim=True)
        return self.weight[:, None, None] * (centred / torch.sqrt(variance + 1e-6)) + self.bias[:, None, None]


class ConvNextBlock(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up = nn.Linear(channels, inner)
        self.down = nn.Linear(inner, channels)
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.scale * self.down(F.gelu(self.up(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 10, 2, 2), ChannelNorm(10))
        self.stage1 = nn.Sequential(ConvNextBlock(10, 26), ConvNextBlock(10, 28))
        self.reduce = nn.Sequential(ChannelNorm(10), nn.Conv2d(10, 14, 2, 2))
        self.stage2 = ConvNextBlock(14, 34)
        self.norm = nn.LayerNorm(14)
        self.head = nn.Linear(14, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stage2(self.reduce(self.stage1(self.stem(x))))
        return self.head(self.norm(x.mean((2, 3))))


IMAGE = batched("image", 3, 16, 16)

ENTRIES = [
    Torch(
        "mobilenet-v2",
        mobilenet_v2,
        IMAGE,
        (
            Width("stem, filtered without expansion", "channel", 8, "0.weight"),
            Width("after block 0", "channel", 10, "3.project.0.weight"),
            Width("inner width of block 1", "channel", 22, "4.depthwise.0.weight"),
            Width("residual channels of blocks 1 and 2", "channel", 12, "4.project.0.weight"),
            Width("inner width of block 2", "channel", 26, "5.depthwise.0.weight"),
            Width("last convolution", "channel", 30, "6.weight"),
        ),
    ),
    Torch(
        "mobilenet-v3",
        mobilenet_v3,
        IMAGE,
        (
            Width("stem", "channel", 8, "0.weight"),
            Width("inner width of block 0", "channel", 20, "3.depthwise.0.weight"),
            Width("squeezed channels of block 0", "channel", 6, "3.scale.reduce.weight"),
            Width("residual channels", "channel", 10, "3.project.0.weight"),
            Width("inner width of block 1", "channel", 26, "4.depthwise.0.weight"),
            Width("squeezed channels of block 1", "channel", 7, "4.scale.reduce.weight"),
            Width("last convolution", "channel", 28, "5.weight"),
            Width("hidden layer of the classifier", "neuron", 33, "10.weight"),
        ),
    ),
    Torch(
        "efficientnet",
        efficientnet,
        IMAGE,
        (
            Width("stem, filtered without expansion", "channel", 9, "0.weight"),
            Width("squeezed channels of block 0", "channel", 4, "3.scale.reduce.weight"),
            Width("after block 0", "channel", 11, "3.project.0.weight"),
            Width("inner width of block 1", "channel", 24, "4.depthwise.0.weight"),
            Width("squeezed channels of block 1, of linear layers", "neuron", 5, "4.scale.reduce.weight"),
            Width("residual channels of blocks 1 and 2", "channel", 13, "4.project.0.weight"),
            Width("inner width of block 2", "channel", 28, "5.depthwise.0.weight"),
            Width("squeezed channels of block 2", "channel", 6, "5.scale.reduce.weight"),
            Width("last convolution", "channel", 31, "6.weight"),
        ),
    ),
    Torch(
        "convnext",
        ConvNext,
        IMAGE,
        (
            # A depthwise convolution is between the residual channels and their norm, so no padding keeps the mean.
            Width("residual channels of stage 1", "channel", 10, "stage1.0.depthwise.weight", step=10),
            Width("inner width of stage 1, block 0", "neuron", 26, "stage1.0.up.weight"),
            Width("inner width of stage 1, block 1", "neuron", 28, "stage1.1.up.weight"),
            Width("residual channels of stage 2", "channel", 14, "stage2.depthwise.weight", step=14),
            Width("inner width of stage 2", "neuron", 34, "stage2.up.weight"),
        ),
    ),
]
