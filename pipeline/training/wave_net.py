"""The wave network as it is trained; `pipeline.ecg.wave_network` runs the same sums without torch."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.ecg.wave_windows import FIELDS, N_CHANNELS
from pipeline.records import Array


class ConvNorm(nn.Sequential):
    """Convolution, batch normalisation and ReLU."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv1d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(n_out),
            nn.ReLU(inplace=True),
        )


class WaveNet(nn.Module):
    """A U-Net along time whose leads tell each other the mean of what they see, in the middle and before the end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(N_CHANNELS, 16, 9, stride=2)
        self.fine = ConvNorm(16, 16, 7)
        self.mid = ConvNorm(16, 32, 5)
        self.mid2 = ConvNorm(32, 32, 5)
        self.low = ConvNorm(32, 48, 5)
        self.low2 = ConvNorm(48, 48, 5)
        self.shared = ConvNorm(96, 48, 1)
        self.deep = ConvNorm(48, 64, 5)
        self.up_low = ConvNorm(112, 40, 5)
        self.up_mid = ConvNorm(72, 24, 5)
        self.up_fine = ConvNorm(40, 16, 7)
        self.together = ConvNorm(32, 24, 5)
        self.place = nn.Conv1d(24, len(FIELDS), 1)
        self.absent = nn.Conv1d(128, len(FIELDS), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n_beats, n_leads, 6, n_steps / 2 + 1) of (n_beats, n_leads, 3, n_steps); the last is absence."""
        n_leads = x.shape[1]
        fine = self.fine(self.stem(x.flatten(0, 1)))
        mid = self.mid2(self.mid(functional.max_pool1d(fine, 2)))
        low = self.low2(self.low(functional.max_pool1d(mid, 2)))
        low = self.shared(_with_mean(low, n_leads))
        deep = self.deep(functional.max_pool1d(low, 2))
        up = self.up_low(torch.cat([functional.interpolate(deep, scale_factor=2.0), low], 1))
        up = self.up_mid(torch.cat([functional.interpolate(up, scale_factor=2.0), mid], 1))
        up = self.up_fine(torch.cat([functional.interpolate(up, scale_factor=2.0), fine], 1))
        place = self.place(self.together(_with_mean(up, n_leads)))
        absent = self.absent(_with_mean(deep.mean(2, keepdim=True), n_leads))
        return torch.cat([place, absent], 2).reshape(*x.shape[:2], len(FIELDS), -1)


def _with_mean(x: Tensor, n_leads: int) -> Tensor:
    """Channels of every lead, followed by their mean over the leads of the same beat."""
    leads = x.reshape(-1, n_leads, *x.shape[1:])
    return torch.cat([leads, leads.mean(1, keepdim=True).expand_as(leads)], 2).flatten(0, 1)


def fused_arrays(network: WaveNet) -> dict[str, Array]:
    """Weights (kernel x n_in, n_out) and biases of every layer, batch normalisation folded into them."""
    arrays: dict[str, Array] = {}
    for name, layer in network.eval().named_children():
        conv = layer
        if isinstance(layer, ConvNorm):
            conv = nn.utils.fuse_conv_bn_eval(cast(nn.Conv1d, layer[0]), cast(nn.BatchNorm1d, layer[1]))
        weight, bias = cast(Tensor, conv.weight), cast(Tensor, conv.bias)
        arrays[f"{name}.weight"] = weight.detach().permute(2, 1, 0).flatten(0, 1).contiguous().numpy()
        arrays[f"{name}.bias"] = bias.detach().numpy()
    return arrays
