"""The shipped wave network: read, checked against its manifest, then parsed."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from pipeline.ecg.wave_network import SHAPES, WaveNetwork
from pipeline.model_files import WAVES


@functools.cache
def load_wave_network(folder: Path | None = None) -> WaveNetwork:
    """Read the network; its SHA-256 is checked before anything parses it.

    Raises
    ------
    HardStopError
        E_HARD_003 when manifest or weights are not what was shipped.
    ModelError
        When they cannot be read now.
    """
    return WAVES.load(lambda content, _: network_of(content), folder)


def network_of(content: bytes) -> WaveNetwork:
    """A network out of safetensors bytes; raises ValueError or KeyError where they do not make one."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = {name: value.astype(np.float32) for name, value in load(content).items()}
    except SafetensorError as error:
        raise ValueError("these bytes are no weights") from error
    weights, biases = ({name: arrays[f"{name}.{part}"] for name in SHAPES} for part in ("weight", "bias"))
    for name, (kernel, n_in, n_out) in SHAPES.items():
        if weights[name].shape != (kernel * n_in, n_out) or biases[name].shape != (n_out,):
            raise ValueError(f"layer {name} has another shape")
        if not (np.isfinite(weights[name]).all() and np.isfinite(biases[name]).all()):
            raise ValueError(f"layer {name} has values that are not finite")
    return WaveNetwork(weights, biases)
