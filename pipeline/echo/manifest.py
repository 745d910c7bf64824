"""What the shipped chamber model is: its file, its hash, its shape and its measured figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.echo.error_model import Certainty, ErrorModel, read_error_models
from pipeline.model_files import CHAMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelManifest:
    """The manifest beside the weights, with what was measured on held-out patients.

    `ef_error_sd_pct` is the spread of EF errors; `errors` holds the error of each measure by its name.
    """

    file: str
    sha256: str
    size_bytes: int
    widths: tuple[int, ...]
    input_px: int
    ef_error_sd_pct: float
    ef_patients: int
    certainty: Certainty
    errors: Mapping[str, ErrorModel]
    figures: Mapping[str, Any]


def read_manifest(folder: Path | None = None) -> ModelManifest:
    """Read the manifest; raises ModelError if it cannot be read now, HardStopError if it makes no sense."""
    return CHAMBERS.read_manifest(_parsed, folder)


def read_weights(manifest: ModelManifest, folder: Path | None = None) -> bytes:
    """The bytes of the weight file, checked against the manifest; raises as `ModelFolder.read_numbers` does."""
    return CHAMBERS.read_numbers(manifest.file, manifest.sha256, folder)


def _parsed(content: Mapping[str, Any]) -> ModelManifest:
    shape, figures = content["architecture"], content["figures"]
    ejection, certainty = figures["ef"], figures["certainty"]
    return ModelManifest(
        file=Path(content["file"]).name,
        sha256=str(content["sha256"]),
        size_bytes=int(content["size_bytes"]),
        widths=tuple(int(width) for width in shape["widths"]),
        input_px=int(shape["input_px"]),
        ef_error_sd_pct=float(ejection["sd"]),
        ef_patients=int(ejection["n"]),
        certainty=Certainty(median=float(certainty["median"]), low=float(certainty["p5"])),
        errors=read_error_models(figures["errors"]),
        figures=figures,
    )
