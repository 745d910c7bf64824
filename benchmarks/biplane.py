"""Biplane ejection fraction of the patients in `echo/camus_biplane` against the published figures.

The volumes come from the experts' masks, so that only the method of discs is judged; with `--network` the same
is done from the shipped network's labels, which shows how it does in the two-chamber view it was not trained on.

    CHORDAE_DATA=DIR python -m benchmarks.biplane [--network]
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.echo.contours import ATRIUM, CAVITY, frame_contours
from pipeline.echo.volumes import disc_profile, volume_of_profiles
from pipeline.records import Array

VIEWS = ("4CH", "2CH")
PHASES = ("ED", "ES")
MAX_EF_ERROR = 1.5
Labelled = dict[tuple[str, str], tuple[Array, tuple[float, float]]]  # (view, phase) -> labels, pixel in mm
SAMPLES: dict[str, np.dtype[Any]] = {
    "MET_UCHAR": np.dtype("u1"),
    "MET_SHORT": np.dtype("<i2"),
    "MET_USHORT": np.dtype("<u2"),
}


@dataclass(frozen=True, slots=True)
class Volumes:
    """One heart: volumes in mL and the ejection fraction in %."""

    edv_ml: float
    esv_ml: float

    @property
    def ef_pct(self) -> float:
        return 100 * (1 - self.esv_ml / self.edv_ml)


def read_image(header: Path) -> tuple[Array, tuple[float, float]]:
    """A MetaImage still: (height, width), and the pixel's (row, column) size in mm; rows and columns may differ."""
    fields = dict(line.split(" = ", 1) for line in header.read_text().splitlines() if " = " in line)
    width, height = (int(word) for word in fields["DimSize"].split()[:2])
    across_mm, down_mm = (float(word) for word in fields["ElementSpacing"].split()[:2])
    dtype = SAMPLES[fields["ElementType"].strip()]
    pixels = np.fromfile(header.parent / fields["ElementDataFile"].strip(), dtype)
    return pixels[: width * height].reshape(height, width), (down_mm, across_mm)


def published(folder: Path) -> Volumes:
    """The volumes that the publishers of the data state."""
    lines = (folder / "Info_4CH.cfg").read_text().splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Volumes(float(fields["LVedv"]), float(fields["LVesv"]))


def volumes(labelled: Labelled, views: tuple[str, ...] = VIEWS) -> Volumes:
    """Volumes from one view or two, as the product takes them: the annulus is where the atrium joins."""
    found = []
    for phase in PHASES:
        profiles = []
        for view in views:
            labels, spacing_mm = labelled[view, phase]
            profiles.append(disc_profile(frame_contours(labels, spacing_mm).lv_endocardium, spacing_mm))
        found.append(volume_of_profiles(*profiles))
    return Volumes(*found)


def masks_of(folder: Path) -> Labelled:
    """The experts' labels of one patient."""
    return {
        (view, phase): read_image(folder / f"{folder.name}_{view}_{phase}_gt.mhd") for view in VIEWS for phase in PHASES
    }


def predicted(folder: Path) -> Labelled:
    """The network's labels of one patient; prints how well each chamber agrees with the expert's."""
    from pipeline.echo.segmentation import load_segmenter

    segmenter, found = load_segmenter(), {}
    for (view, phase), (expert, _) in masks_of(folder).items():
        image, spacing_mm = read_image(folder / f"{folder.name}_{view}_{phase}.mhd")
        labels = segmenter.predict(np.ascontiguousarray(image, np.uint8)[None], spacing_mm)[0]
        cavity, atrium = (dice(labels == label, expert == label) for label in (CAVITY, ATRIUM))
        sys.stdout.write(f"  {view} {phase}: Dice of the cavity {cavity:.3f}, of the atrium {atrium:.3f}\n")
        found[view, phase] = (labels, spacing_mm)
    return found


def dice(one: Array, other: Array) -> float:
    """Overlap of two masks, 0 to 1."""
    pixels = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / max(1, pixels)


def main(arguments: list[str]) -> int:
    """Print the table; 1 when an ejection fraction from the experts' masks is off by more than the limit."""
    parser = argparse.ArgumentParser(description="biplane volumes against published ones")
    parser.add_argument("--network", action="store_true", help="also from the network's labels")
    options = parser.parse_args(arguments)
    root = Path(os.environ["CHORDAE_DATA"]) / "echo" / "camus_biplane"
    worst = 0.0
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        truth, masks = published(folder), masks_of(folder)
        rows = {"published": truth, "masks, biplane": volumes(masks)}
        rows |= {f"masks, {view}": volumes(masks, (view,)) for view in VIEWS}
        sys.stdout.write(f"{folder.name}\n")
        if options.network:
            labelled = predicted(folder)
            rows |= {"network, biplane": volumes(labelled)}
            rows |= {f"network, {view}": volumes(labelled, (view,)) for view in VIEWS}
        for name, row in rows.items():
            sys.stdout.write(f"  {name:18} EDV {row.edv_ml:6.1f} ESV {row.esv_ml:6.1f} EF {row.ef_pct:5.1f}\n")
        worst = max(worst, abs(rows["masks, biplane"].ef_pct - truth.ef_pct))
    sys.stdout.write(f"largest error of the ejection fraction: {worst:.2f} points (limit {MAX_EF_ERROR})\n")
    return int(worst > MAX_EF_ERROR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
