"""Which models stored results were made with: a changed model makes them stale."""

from __future__ import annotations

import hashlib

import resources
from pipeline.errors import HardStopError, ModelError

UNREADABLE = "cannot be read"  # no stored result has this key; loading the model then fails in its branch
ECG_MODELS = ("models/mitdb_odc_by", "models/ludb_odc_by")


def echo_model_key() -> str:
    """The hash of the chamber network's weights, as its manifest says it."""
    from pipeline.echo.segmentation import model_sha256

    try:
        return model_sha256()
    except ModelError:
        return UNREADABLE


def ecg_models_key() -> str:
    """One hash of the ECG models' manifests, each of which names the hash of its weights."""
    try:
        manifests = [(resources.path(name) / "manifest.json").read_bytes() for name in ECG_MODELS]
    except OSError:
        return UNREADABLE
    return hashlib.sha256(b"".join(manifests)).hexdigest()


def models_text() -> str:
    """Both keys in one line for the audit; a damaged model stops the run later, where it is loaded."""
    try:
        echo = echo_model_key()
    except HardStopError:
        echo = UNREADABLE
    return f"echo {echo}, ECG {ecg_models_key()}"
