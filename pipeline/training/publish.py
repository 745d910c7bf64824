"""Turn trained weights into what is shipped: weights, manifest and model card.

`python -m pipeline.training.publish --weights W [W ...] --data DIR --output DIR` measures the weights, as they are
stored, on DIR/valid and writes the figures into manifest and card, so that neither can drift from the weights. The
weights of several trainings that began at the same ones are averaged, and each training is measured as well.
Source: Wortsman et al. 2022, model soups, arXiv 2203.05482.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from pipeline.echo.network import ChamberNet
from pipeline.echo.segmentation import load_segmenter
from pipeline.model_files import MANIFEST_NAME
from pipeline.training.echo import TrainingConfig
from pipeline.training.figures import measure
from pipeline.training.model_card import LICENCE_NOTICE, model_card

WEIGHTS_NAME = "chambers.safetensors"
STORED_AS = {"float16": torch.float16, "float32": torch.float32}
LICENCE = "CC BY-NC-SA 4.0"
CITATION = "Leclerc et al., IEEE TMI 38(9):2198-2210, 2019, doi 10.1109/TMI.2019.2900516"
COMMAND = "python -m pipeline.training.publish --weights {} --data DIR --output resources/models/camus_cc_by_nc_sa"


def stored_bytes(weights: Sequence[Path], dtype: torch.dtype) -> bytes:
    """The mean of the weights as safetensors bytes of the given precision; counters are those of the first."""
    runs: list[dict[str, Tensor]] = [load_file(path) for path in weights]
    kept = {
        name: torch.stack([run[name] for run in runs]).mean(0).to(dtype) if value.is_floating_point() else value
        for name, value in runs[0].items()
    }
    return bytes(save({name: kept[name].contiguous() for name in sorted(kept)}))


def publish(weights: Sequence[Path], data: Path, output: Path, *, dtype: str = "float16") -> dict[str, Any]:
    """Write weights, manifest, card and licence notice into a folder; returns the manifest's content."""
    content = stored_bytes(weights, STORED_AS[dtype])
    output.mkdir(parents=True, exist_ok=True)
    configs = [_config(path.with_name("config.json")) for path in weights]
    manifest = _manifest(content, dtype, configs)
    manifest["figures"] = _measured(content, manifest, output, data)
    manifest["runs"] = _runs(weights, configs, dtype, data) if len(weights) > 1 else []
    _write(output / MANIFEST_NAME, manifest)
    (output / "MODEL_CARD.md").write_text(model_card(manifest), encoding="utf-8")
    (output / "LICENSE.txt").write_text(LICENCE_NOTICE, encoding="utf-8")
    return manifest


def _measured(content: bytes, manifest: dict[str, Any], folder: Path, data: Path) -> dict[str, Any]:
    """Figures of stored weights, which are left in the folder."""
    (folder / WEIGHTS_NAME).write_bytes(content)
    _write(folder / MANIFEST_NAME, manifest)  # the segmenter loads by manifest: first without figures
    return measure(load_segmenter(folder), data / "valid")


def _runs(weights: Sequence[Path], configs: list[dict[str, Any]], dtype: str, data: Path) -> list[dict[str, Any]]:
    """What each of the averaged trainings gives alone: the spread of the seeds."""
    rows = []
    for path, config in zip(weights, configs, strict=True):
        content = stored_bytes([path], STORED_AS[dtype])
        with tempfile.TemporaryDirectory() as folder:
            figures = _measured(content, _manifest(content, dtype, [config]), Path(folder), data)
        kept = {name: figures[name] for name in ("dice", "surface_mm", "ef")}
        rows.append({"command": _command(config), "sha256": hashlib.sha256(content).hexdigest(), **kept})
    return rows


def _config(path: Path) -> dict[str, Any]:
    """The settings that the training left beside its weights; the usual ones where it left none."""
    return dict(json.loads(path.read_text())) if path.exists() else asdict(TrainingConfig())


def _command(config: dict[str, Any]) -> str:
    start = " --start START" if config.get("start_sha256") else ""
    return (
        f"python -m pipeline.training.echo --data DIR --output RUN{start} --seed {config['seed']}"
        f" --steps {config['steps']}"
    )


def _manifest(content: bytes, dtype: str, configs: list[dict[str, Any]]) -> dict[str, Any]:
    config = configs[0]
    return {
        "name": "chambers",
        "file": WEIGHTS_NAME,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "stored_as": dtype,
        "licence": LICENCE,
        "architecture": {
            "class": "pipeline.echo.network.ChamberNet",
            "widths": list(ChamberNet().widths),
            "input_px": config["input_px"],
            "labels": ["background", "LV cavity", "LV myocardium", "left atrium"],
        },
        "data": {
            "name": "CAMUS, apical four-chamber, end-diastole and end-systole",
            "trained_on": "train (400 patients)",
            "chosen_and_measured_on": "valid (50 other patients)",
            "licence": LICENCE,
            "citation": CITATION,
        },
        "training": {
            "command": "; ".join(_command(each) for each in configs),
            "config": config,
            "start": {"sha256": config.get("start_sha256", ""), "command": config.get("start_command", "")},
        },
        "published_with": COMMAND.format(" ".join(["W"] * len(configs))),
        "figures": {"ef": {"sd": 0.0, "n": 0}, "certainty": {"median": 1.0, "p5": 0.0}, "errors": {}},
    }


def _write(path: Path, manifest: dict[str, Any]) -> None:
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def main() -> None:
    """Command line of the publication."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights", type=Path, nargs="+", required=True, help="chambers.safetensors of a training, or of several"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with valid/ and index.csv")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dtype", choices=sorted(STORED_AS), default="float16")
    args = parser.parse_args()
    print(json.dumps(publish(args.weights, args.data, args.output, dtype=args.dtype)["figures"]))


if __name__ == "__main__":
    main()
