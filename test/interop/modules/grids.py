"""Layers of images, signals and volumes."""

import torch
import torch.nn.functional as F
from torch import nn

from .building import Calls, calls, grid

for name, layer in {
    "conv": lambda: nn.Conv2d(6, 4, 3), "stride": lambda: nn.Conv2d(6, 4, 3, 2, 1), "dilation": lambda: nn.Conv2d(6, 4, 3, dilation=2),
    "groups": lambda: nn.Conv2d(6, 4, 3, groups=2), "depthwise": lambda: nn.Conv2d(6, 12, 3, padding=1, groups=6),
    "same": lambda: nn.Conv2d(6, 4, (3, 4), padding="same"), "nobias": lambda: nn.Conv2d(6, 4, 3, bias=False),
    "reflect": lambda: nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"),
    "replicate": lambda: nn.Conv2d(6, 4, 3, padding=1, padding_mode="replicate"),
    "circular": lambda: nn.Conv2d(6, 4, 3, padding=1, padding_mode="circular"),
    "transposed": lambda: nn.ConvTranspose2d(6, 4, 3, 2), "output_padding": lambda: nn.ConvTranspose2d(6, 4, 3, 2, 1, 1),
    "transposed_groups": lambda: nn.ConvTranspose2d(6, 4, 2, 2, groups=2),
    "max": lambda: nn.MaxPool2d(2), "max_overlap": lambda: nn.MaxPool2d(3, 2, 1), "max_ceil": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
    "avg": lambda: nn.AvgPool2d(2), "avg_pad": lambda: nn.AvgPool2d(3, 2, 1), "avg_ceil": lambda: nn.AvgPool2d(3, 2, ceil_mode=True),
    "avg_nopad": lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), "lp": lambda: nn.LPPool2d(2, 2),
    "adaptive_avg": lambda: nn.AdaptiveAvgPool2d(1), "adaptive_avg4": lambda: nn.AdaptiveAvgPool2d(4),
    "adaptive_avg3": lambda: nn.AdaptiveAvgPool2d(3), "adaptive_max": lambda: nn.AdaptiveMaxPool2d(1),
    "adaptive_max4": lambda: nn.AdaptiveMaxPool2d(4), "bn": lambda: nn.BatchNorm2d(6), "bn_plain": lambda: nn.BatchNorm2d(6, affine=False),
    "in": lambda: nn.InstanceNorm2d(6, affine=True), "in_plain": lambda: nn.InstanceNorm2d(6), "gn": lambda: nn.GroupNorm(3, 6),
    "gn_noaff": lambda: nn.GroupNorm(3, 6, affine=False), "ln": lambda: nn.LayerNorm([6, 8, 8]), "lrn": lambda: nn.LocalResponseNorm(3),
    "nearest": lambda: nn.Upsample(scale_factor=2), "bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "bilinear_corners": lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    "bicubic": lambda: nn.Upsample(scale_factor=2, mode="bicubic"), "up_size": lambda: nn.Upsample(size=(12, 10)),
    "down": lambda: nn.Upsample(scale_factor=0.5, mode="bilinear"), "shuffle": lambda: nn.Sequential(nn.Conv2d(6, 8, 1), nn.PixelShuffle(2)),
    "unshuffle": lambda: nn.PixelUnshuffle(2), "channel_shuffle": lambda: nn.ChannelShuffle(2), "zero_pad": lambda: nn.ZeroPad2d((1, 0, 2, 1)),
    "reflection_pad": lambda: nn.ReflectionPad2d(2), "replication_pad": lambda: nn.ReplicationPad2d(2),
    "constant_pad": lambda: nn.ConstantPad2d(1, 0.7), "circular_pad": lambda: nn.CircularPad2d(2), "dropout2d": lambda: nn.Dropout2d(0.5),
    "softmax2d": nn.Softmax2d, "unfold": lambda: nn.Unfold(2, stride=2), "prelu": lambda: nn.PReLU(6),
    "fold": lambda: nn.Sequential(nn.Unfold(2, stride=2), nn.Fold((8, 8), 2, stride=2)), "mean": lambda: calls(lambda x: x.mean((2, 3))),
    "crop": lambda: calls(lambda x: F.pad(x, (-1, -1, -2, 0))), "slice": lambda: calls(lambda x: x[:, :, 1:-1, ::2]),
    "se": lambda: Calls(lambda s, x: x * torch.sigmoid(s.u(torch.relu(s.d(x.mean((2, 3), keepdim=True))))), d=nn.Conv2d(6, 2, 1), u=nn.Conv2d(2, 6, 1)),
    "residual": lambda: Calls(lambda s, x: torch.relu(x + s.b(torch.relu(s.a(x)))), a=nn.Conv2d(6, 6, 3, padding=1), b=nn.Conv2d(6, 6, 3, padding=1)),
    "dense": lambda: Calls(lambda s, x: torch.cat([x, torch.relu(s.a(x))], 1), a=nn.Conv2d(6, 3, 3, padding=1)),
    "layer_scale": lambda: Calls(lambda s, x: x + s.g * s.a(x), a=nn.Conv2d(6, 6, 3, padding=1), g=nn.Parameter(torch.full((6, 1, 1), 0.1))),
    "grid_sample": lambda: calls(lambda x: F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False)),
}.items():
    grid(name, layer)

for name, layer, axes, size in (
    ("conv1d", lambda: nn.Conv1d(6, 4, 3, 2, 1), 1, 9), ("conv3d", lambda: nn.Conv3d(6, 4, 3), 3, 5),
    ("transposed1d", lambda: nn.ConvTranspose1d(6, 4, 4, 2, 1), 1, 9), ("transposed3d", lambda: nn.ConvTranspose3d(6, 2, 2, 2), 3, 4),
    ("max1d", lambda: nn.MaxPool1d(2), 1, 9), ("max3d", lambda: nn.MaxPool3d(2), 3, 4), ("avg1d", lambda: nn.AvgPool1d(3, 2), 1, 9),
    ("avg3d", lambda: nn.AvgPool3d(2), 3, 4), ("bn3d", lambda: nn.BatchNorm3d(6), 3, 4), ("in1d", lambda: nn.InstanceNorm1d(6, affine=True), 1, 9),
    ("linear_up1d", lambda: nn.Upsample(scale_factor=2, mode="linear"), 1, 9), ("adaptive1d", lambda: nn.AdaptiveAvgPool1d(3), 1, 9),
):
    grid(name, layer, axes, size)
