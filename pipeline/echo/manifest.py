"""What the shipped chamber model is: its file, its hash, its shape and its measured figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resources
from pipeline.echo.error_model import Certainty, ErrorModel, read_error_models
from pipeline.errors import HardStopError, ModelError

MODEL_FOLDER = "models/camus_cc_by_nc_sa"
MANIFEST_NAME = "manifest.json"


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


def damaged(details: Mapping[str, str]) -> HardStopError:
    """The hard stop of a model that must not be used."""
    return HardStopError(
        "The chamber model on this computer is damaged or has been changed; install Chordae again.",
        code="E_HARD_003",
        details=details,
    )


def model_folder() -> Path:
    """Where the shipped weights are; raises ModelError when the installation lacks them."""
    try:
        return resources.path(MODEL_FOLDER)
    except FileNotFoundError:
        raise ModelError("The chamber model is missing from this installation.") from None


def read_manifest(folder: Path | None = None) -> ModelManifest:
    """Read the manifest; raises ModelError if it cannot be read now, HardStopError if it makes no sense."""
    try:
        raw = ((folder or model_folder()) / MANIFEST_NAME).read_bytes()
    except OSError:
        raise ModelError("The manifest of the chamber model cannot be read.") from None
    try:
        content = json.loads(raw)
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
    except (ValueError, KeyError, TypeError):
        raise damaged({"file": MANIFEST_NAME, "found_sha256": hashlib.sha256(raw).hexdigest()}) from None


def read_weights(manifest: ModelManifest, folder: Path | None = None) -> bytes:
    """The bytes of the weight file, read once and checked against the manifest before anything parses them.

    Raises
    ------
    HardStopError
        E_HARD_003 when a single byte differs; names the model's file and both hashes.
    ModelError
        When the file cannot be read now.
    """
    try:
        content = ((folder or model_folder()) / manifest.file).read_bytes()
    except OSError:
        raise ModelError("The weights of the chamber model cannot be read.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        details = {"file": manifest.file, "expected_sha256": manifest.sha256, "found_sha256": found}
        raise damaged(details)
    return content
