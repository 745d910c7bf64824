"""Turn trained weights into what is shipped: weights, manifest and model card.

`python -m pipeline.training.publish --weights W --data DIR --output DIR` measures the weights, as they are
stored, on DIR/valid and writes the figures into manifest and card, so that neither can drift from the weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from pipeline.echo.manifest import MANIFEST_NAME
from pipeline.echo.network import ChamberNet
from pipeline.echo.segmentation import load_segmenter
from pipeline.training.echo import TrainingConfig
from pipeline.training.figures import measure
from pipeline.training.model_card import LICENCE_NOTICE, model_card

WEIGHTS_NAME = "chambers.safetensors"
STORED_AS = {"float16": torch.float16, "float32": torch.float32}
LICENCE = "CC BY-NC-SA 4.0"
CITATION = "Leclerc et al., IEEE TMI 38(9):2198-2210, 2019, doi 10.1109/TMI.2019.2900516"
COMMAND = "python -m pipeline.training.publish --weights W --data DIR --output resources/models/camus_cc_by_nc_sa"


def stored_bytes(weights: Path, dtype: torch.dtype) -> bytes:
    """The weights as safetensors bytes of the given precision; counters keep their type."""
    tensors: dict[str, Tensor] = load_file(weights)
    kept = {name: value.to(dtype) if value.is_floating_point() else value for name, value in tensors.items()}
    return bytes(save({name: kept[name].contiguous() for name in sorted(kept)}))


def publish(weights: Path, data: Path, output: Path, *, dtype: str = "float16") -> dict[str, Any]:
    """Write weights, manifest, card and licence notice into a folder; returns the manifest's content."""
    content = stored_bytes(weights, STORED_AS[dtype])
    output.mkdir(parents=True, exist_ok=True)
    (output / WEIGHTS_NAME).write_bytes(content)
    manifest = _manifest(content, dtype, _config(weights.with_name("config.json")))
    _write(output / MANIFEST_NAME, manifest)  # the segmenter loads by manifest: first without figures
    manifest["figures"] = measure(load_segmenter(output), data / "valid")
    _write(output / MANIFEST_NAME, manifest)
    (output / "MODEL_CARD.md").write_text(model_card(manifest), encoding="utf-8")
    (output / "LICENSE.txt").write_text(LICENCE_NOTICE, encoding="utf-8")
    return manifest


def _config(path: Path) -> dict[str, Any]:
    """The settings that the training left beside its weights; the usual ones where it left none."""
    return dict(json.loads(path.read_text())) if path.exists() else asdict(TrainingConfig())


def _manifest(content: bytes, dtype: str, config: dict[str, Any]) -> dict[str, Any]:
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
            "command": f"python -m pipeline.training.echo --data DIR --output RUN --seed {config['seed']}"
            f" --steps {config['steps']}",
            "config": config,
        },
        "published_with": COMMAND,
        "figures": {"ef": {"sd": 0.0, "n": 0}, "certainty": {"median": 1.0, "p5": 0.0}, "errors": {}},
    }


def _write(path: Path, manifest: dict[str, Any]) -> None:
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def main() -> None:
    """Command line of the publication."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="chambers.safetensors of a training")
    parser.add_argument("--data", type=Path, required=True, help="folder with valid/ and index.csv")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dtype", choices=sorted(STORED_AS), default="float16")
    args = parser.parse_args()
    print(json.dumps(publish(args.weights, args.data, args.output, dtype=args.dtype)["figures"]))


if __name__ == "__main__":
    main()
