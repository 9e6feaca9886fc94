"""Models that make images: U-Nets with ConvTranspose, pixel shuffle and resizing; a convolutional autoencoder."""

import torch
import torch.nn.functional as F
from torch import nn

from entry import Torch, Width, batched


def block(before: int, inner: int, after: int) -> nn.Module:
    return nn.Sequential(
        *[nn.Conv2d(before, inner, 3, padding=1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()],
        *[nn.Conv2d(inner, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()],
    )


class UNet(nn.Module):
    """Two levels; `up1` and `up2` double the picture and make 11 and 7 channels of 18 and 13."""

    def __init__(self, up1: nn.Module, up2: nn.Module) -> None:
        super().__init__()
        self.down1 = block(3, 6, 8)
        self.down2 = block(8, 10, 12)
        self.bottom = block(12, 16, 18)
        self.up1, self.up2 = up1, up2
        self.join1 = block(11 + 12, 14, 13)
        self.join2 = block(7 + 8, 5, 9)
        self.head = nn.Conv2d(9, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.down1(x)
        coarse = self.down2(F.max_pool2d(fine, 2))
        y = self.up1(self.bottom(F.max_pool2d(coarse, 2)))
        y = self.up2(self.join1(torch.cat([y, coarse], 1)))
        return self.head(self.join2(torch.cat([fine, y], 1)))


def transposed() -> nn.Module:
    return UNet(nn.ConvTranspose2d(18, 11, 2, 2), nn.ConvTranspose2d(13, 7, 4, 2, 1, bias=False))


def shuffled() -> nn.Module:
    def up(before: int, after: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(before, after * 4, 3, padding=1), nn.PixelShuffle(2), nn.LeakyReLU(0.1))

    return UNet(up(18, 11), up(13, 7))


def resized() -> nn.Module:
    def up(before: int, after: int, **options) -> nn.Module:
        return nn.Sequential(nn.Upsample(scale_factor=2, **options), nn.Conv2d(before, after, 3, padding=1))

    return UNet(up(18, 11, mode="nearest"), up(13, 7, mode="bilinear", align_corners=False))


class Autoencoder(nn.Module):
    """Through a vector: the last feature map is flattened, and the first of the decoder unflattened."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *[nn.Conv2d(1, 6, 3, 2, 1), nn.ELU(), nn.Conv2d(6, 9, 3, 2, 1), nn.ELU(), nn.Flatten()],
            *[nn.Linear(9 * 16, 14), nn.Tanh()],
        )
        self.decoder = nn.Sequential(
            *[nn.Linear(14, 7 * 16), nn.ReLU(), nn.Unflatten(1, (7, 4, 4))],
            *[nn.ConvTranspose2d(7, 5, 2, 2), nn.ReLU(), nn.ConvTranspose2d(5, 1, 2, 2), nn.Sigmoid()],
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(x))


def unet_widths(up1: str, up2: str, axis: int) -> tuple[Width, ...]:
    """`up1` and `up2` are the parameters that make the doubled pictures, their channels on `axis`."""
    blocks = {"down1": (6, 8), "down2": (10, 12), "bottom": (16, 18), "join1": (14, 13), "join2": (5, 9)}
    inner = [
        Width(f"inner channels of {name}", "channel", size, f"{name}.0.weight") for name, (size, _) in blocks.items()
    ]
    after = [Width(f"channels after {name}", "channel", size, f"{name}.3.weight") for name, (_, size) in blocks.items()]
    return (
        *inner,
        *after,
        Width("channels doubled first, concatenated before the skip", "channel", 11, up1, axis),
        Width("channels doubled second, concatenated behind the skip", "channel", 7, up2, axis),
    )


IMAGE = batched("image", 3, 16, 16)

ENTRIES = [
    Torch("unet", transposed, IMAGE, unet_widths("up1.weight", "up2.weight", 1)),
    Torch("unet-pixel-shuffle", shuffled, IMAGE, unet_widths("up1.0.weight", "up2.0.weight", 0)),
    Torch("unet-resize", resized, IMAGE, unet_widths("up1.1.weight", "up2.1.weight", 0)),
    Torch(
        "autoencoder-conv",
        Autoencoder,
        batched("image", 1, 16, 16),
        (
            Width("channels of the first convolution", "channel", 6, "encoder.0.weight"),
            Width("channels of the second convolution, flattened", "channel", 9, "encoder.2.weight"),
            Width("code", "neuron", 14, "encoder.5.weight"),
            Width("channels that the decoder unflattens, 16 neurons each", "channel", 7, "decoder.0.weight"),
            Width("channels between the transposed convolutions", "channel", 5, "decoder.3.weight", 1),
        ),
    ),
]
