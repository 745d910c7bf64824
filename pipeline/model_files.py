"""Model folders: a manifest beside one file of numbers, whose SHA-256 is checked before anything parses it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import resources
from pipeline.errors import HardStopError, ModelError

MANIFEST_NAME = "manifest.json"
MAKES_NO_SENSE = (ValueError, KeyError, TypeError)
"""What a parser raises where manifest or numbers are not those of a model."""

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """One shipped model: what sentences call it, and its folder among the resources."""

    noun: str
    place: str

    def path(self, folder: Path | None = None) -> Path:
        """The folder that is given, or the shipped one; raises ModelError when the installation lacks it."""
        try:
            return folder or resources.path(self.place)
        except FileNotFoundError:
            raise ModelError(f"The {self.noun} model is missing from this installation.") from None

    def damaged(self, details: Mapping[str, str]) -> HardStopError:
        """The hard stop of a model that must not be used."""
        return HardStopError(
            f"The {self.noun} model on this computer is damaged or has been changed; install Chordae again.",
            code="E_HARD_003",
            details=details,
        )

    def read_manifest(self, parse: Callable[[Mapping[str, Any]], Model], folder: Path | None = None) -> Model:
        """What the manifest says, parsed.

        Raises
        ------
        HardStopError
            E_HARD_003 when it makes no sense; names its hash.
        ModelError
            When it cannot be read now.
        """
        raw = self._read(MANIFEST_NAME, folder)
        try:
            return parse(json.loads(raw))
        except MAKES_NO_SENSE:
            details = {"file": MANIFEST_NAME, "found_sha256": hashlib.sha256(raw).hexdigest()}
            raise self.damaged(details) from None

    def read_numbers(self, name: str, sha256: str, folder: Path | None = None) -> bytes:
        """The bytes of the model's file, read once and checked.

        Raises
        ------
        HardStopError
            E_HARD_003 when a single byte differs; names the file and both hashes.
        ModelError
            When the file cannot be read now.
        """
        content = self._read(name, folder)
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise self.damaged({"file": name, "expected_sha256": sha256, "found_sha256": found})
        return content

    def check(self) -> str:
        """The SHA-256 of the model's file, which is that of its manifest; raises as the methods above do."""
        _, name, sha256 = self.read_manifest(_named_file)
        self.read_numbers(name, sha256)
        return sha256

    def load(self, parse: Callable[[bytes, Mapping[str, Any]], Model], folder: Path | None = None) -> Model:
        """The whole model out of its file and its manifest; raises as the two methods above do."""
        manifest, name, sha256 = self.read_manifest(_named_file, folder)
        content = self.read_numbers(name, sha256, folder)
        try:
            return parse(content, manifest)
        except MAKES_NO_SENSE:
            raise self.damaged({"file": name, "expected_sha256": sha256}) from None

    def _read(self, name: str, folder: Path | None) -> bytes:
        try:
            return (self.path(folder) / name).read_bytes()
        except OSError:
            raise ModelError(f"A file of the {self.noun} model cannot be read.") from None


CHAMBERS = ModelFolder("chamber", "models/camus_cc_by_nc_sa")
BEATS = ModelFolder("beat", "models/mitdb_odc_by")
WAVES = ModelFolder("wave", "models/ludb_odc_by")
SHIPPED = (CHAMBERS, WAVES, BEATS)


def _named_file(manifest: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, str]:
    return manifest, Path(manifest["file"]).name, str(manifest["sha256"])
