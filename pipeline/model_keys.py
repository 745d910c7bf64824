"""Which models stored results were made with: a changed model makes them stale."""

from __future__ import annotations

import hashlib

import resources
from pipeline.errors import ModelError

UNREADABLE = "cannot be read"  # no stored result has this key; loading the model then fails in its branch
ECG_MODELS = ("models/mitdb_odc_by", "models/ludb_odc_by")


def echo_model_key() -> str:
    """The hash of the chamber network's weights, as its manifest says it."""
    from pipeline.echo.segmentation import model_sha256

    try:
        return model_sha256()
    except ModelError:
        return UNREADABLE


def ecg_model_keys() -> dict[str, str]:
    """Hash of each ECG model's manifest, which names the hash of its weights."""
    return {name: _manifest_hash(name) for name in ECG_MODELS}


def _manifest_hash(name: str) -> str:
    try:
        return hashlib.sha256((resources.path(name) / "manifest.json").read_bytes()).hexdigest()
    except OSError:
        return UNREADABLE
