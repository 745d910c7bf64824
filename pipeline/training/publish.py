"""Turn trained weights into what is shipped: weights, manifest and model card.

`python -m pipeline.training.publish --weights W [W ...] --data DIR --output DIR` measures the weights, as they are
stored, on DIR/valid and writes the figures into manifest and card, so that neither can drift from the weights. The
first weights are shipped; further ones, of trainings that differ by their seed, are measured for the card alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
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


def stored_bytes(weights: Path, dtype: torch.dtype) -> bytes:
    """Weights as safetensors bytes of the given precision; counters stay whole numbers."""
    kept: dict[str, Tensor] = {
        name: value.to(dtype) if value.is_floating_point() else value for name, value in load_file(weights).items()
    }
    return bytes(save({name: kept[name].contiguous() for name in sorted(kept)}))


def publish(weights: Sequence[Path], data: Path, output: Path, *, dtype: str = "float16") -> dict[str, Any]:
    """Write weights, manifest, card and licence notice into a folder; returns the manifest's content."""
    content = stored_bytes(weights[0], STORED_AS[dtype])
    output.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(content, dtype, _config(weights[0])) | {"published_with": _publishing(len(weights))}
    manifest["figures"] = _measured(content, manifest, output, data)
    manifest["runs"] = [_run(content, manifest)] if len(weights) > 1 else []
    manifest["runs"] += [_other_run(path, dtype, data) for path in weights[1:]]
    _write(output / MANIFEST_NAME, manifest)
    (output / "MODEL_CARD.md").write_text(model_card(manifest), encoding="utf-8")
    (output / "LICENSE.txt").write_text(LICENCE_NOTICE, encoding="utf-8")
    return manifest


def _measured(content: bytes, manifest: dict[str, Any], folder: Path, data: Path) -> dict[str, Any]:
    """Figures of stored weights, which are left in the folder."""
    (folder / WEIGHTS_NAME).write_bytes(content)
    _write(folder / MANIFEST_NAME, manifest)  # the segmenter loads by manifest: first without figures
    return measure(load_segmenter(folder), data / "valid")


def _run(content: bytes, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the spread of the seeds, out of a manifest with figures."""
    figures = {name: manifest["figures"][name] for name in ("dice", "surface_mm", "ef")}
    return {"command": manifest["training"]["command"], "sha256": hashlib.sha256(content).hexdigest(), **figures}


def _other_run(weights: Path, dtype: str, data: Path) -> dict[str, Any]:
    """The same for a training that is not shipped."""
    content = stored_bytes(weights, STORED_AS[dtype])
    manifest = _manifest(content, dtype, _config(weights))
    with tempfile.TemporaryDirectory() as folder:
        manifest["figures"] = _measured(content, manifest, Path(folder), data)
    return _run(content, manifest)


def _config(weights: Path) -> dict[str, Any]:
    """The settings that the training left beside its weights; the usual ones where it left none."""
    path = weights.with_name("config.json")
    return dict(json.loads(path.read_text())) if path.exists() else asdict(TrainingConfig())


def _command(config: Mapping[str, Any]) -> str:
    start = " --start START" if config.get("start_sha256") else ""
    return (
        f"python -m pipeline.training.echo --data DIR --output RUN{start} --seed {config['seed']}"
        f" --steps {config['steps']}"
    )


def _publishing(n_weights: int) -> str:
    return COMMAND.format(" ".join(["W"] * n_weights))


def _manifest(content: bytes, dtype: str, config: Mapping[str, Any]) -> dict[str, Any]:
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
            "command": _command(config),
            "config": dict(config),
            "start": {"sha256": config.get("start_sha256", ""), "command": config.get("start_command", "")},
        },
        "published_with": _publishing(1),
        "figures": {"ef": {"sd": 0.0, "n": 0}, "certainty": {"median": 1.0, "p5": 0.0}, "errors": {}},
    }


def _write(path: Path, manifest: dict[str, Any]) -> None:
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def main() -> None:
    """Command line of the publication."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        required=True,
        help="chambers.safetensors of a training; and of others whose figures the card shows",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with valid/ and index.csv")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dtype", choices=sorted(STORED_AS), default="float16")
    args = parser.parse_args()
    print(json.dumps(publish(args.weights, args.data, args.output, dtype=args.dtype)["figures"]))


if __name__ == "__main__":
    main()
