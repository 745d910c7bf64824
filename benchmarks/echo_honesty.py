"""How honest the echo branch is: what it refuses, what it lets pass, and how often its intervals hold the truth.

    CHORDAE_DATA=DIR python -m benchmarks.echo_honesty [--stills N] [--cine]

Stills of `echo/camus_a4c/valid` must pass (95 %); all ultrasound of pydicom and pydicom-data that is no transthoracic
apical view must be refused. With `--cine` the apical clip of pydicom-data goes through mirrored, leaning, turned and
darker: each variant passes with an ejection fraction, or is refused with a reason.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pydicom.errors import InvalidDicomError

from pipeline.cancellation import CancelToken
from pipeline.echo.analysis import analyse_echo
from pipeline.echo.detection import detect_chambers
from pipeline.echo.manifest import read_manifest
from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import read_echo
from pipeline.echo.segmentation import Segmenter, load_segmenter
from pipeline.errors import DetectionError, InputError, QualityError
from pipeline.gates import Limits
from pipeline.records import Array, Calibration, EchoCine, Metadata, PatientHeader

APICAL = {"color3d_jpeg_baseline.dcm", "examples_ybr_color.dcm"}
CINE = "color3d_jpeg_baseline.dcm"
TO_PASS = 0.95


def shipped_ultrasound() -> dict[str, Path]:
    """All ultrasound files that pydicom and pydicom-data ship, by name."""
    import pydicom

    packages = (pydicom, import_module("data_store"))
    folders = [Path(str(package.__file__)).parent / "data" for package in packages]
    found = {}
    for path in sorted(path for folder in folders for path in folder.rglob("*.dcm")):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"])
        except (OSError, ValueError, AttributeError, InvalidDicomError):  # some are damaged on purpose
            continue
        if header.get("Modality") == "US":
            found[path.name] = path
    return found


def still(frame: Array, spacing_mm: tuple[float, float]) -> EchoCine:
    """One frame as a preprocessed clip."""
    return cine_of(frame[None], spacing_mm, 30.0)


def cine_of(frames: Array, spacing_mm: tuple[float, float], rate_hz: float) -> EchoCine:
    """Frames as a preprocessed, calibrated A4C clip."""
    return EchoCine(
        file_sha256="0" * 64,
        frames=np.ascontiguousarray(frames),
        frame_times_s=np.arange(len(frames)) / rate_hz,
        calibration=Calibration(spacing_mm=spacing_mm, method="ultrasound region"),
        crop_px=(0, 0, *frames.shape[1:]),
        original_size_px=(int(frames.shape[1]), int(frames.shape[2])),
        view="A4C",
        r_wave_times_s=(),
        heart_rate_bpm=None,
        header=PatientHeader(),
        quality={},
    )


def refusal(segmenter: Segmenter, cine: EchoCine) -> str | None:
    """Why a clip is refused; None when its chambers are trusted."""
    try:
        return detect_chambers(cine, segmenter).low_confidence_reason
    except DetectionError as error:
        return error.text


def pass_rate(segmenter: Segmenter, folder: Path, n_stills: int) -> float:
    """Part of the held-out stills that pass; prints those that do not."""
    with (folder.parent / "index.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if (folder / f"{row['patient']}_{row['phase']}.png").exists()]
    rows = rows[:: max(1, len(rows) // n_stills)]
    passed = 0
    for row in rows:
        name = f"{row['patient']}_{row['phase']}"
        frame = np.asarray(Image.open(folder / f"{name}.png").convert("L"))
        reason = refusal(segmenter, still(frame, (float(row["spacing_row_mm"]), float(row["spacing_col_mm"]))))
        passed += reason is None
        if reason is not None:
            print(f"  refused: {name}: {reason}")
    print(f"held-out stills that pass: {passed} of {len(rows)} ({100 * passed / len(rows):.1f} %)")
    return passed / len(rows)


def refused_share(segmenter: Segmenter) -> float:
    """Part of the ultrasound of something else that is refused; prints the reason of each."""
    others = {name: path for name, path in shipped_ultrasound().items() if name not in APICAL}
    refused = 0
    for name, path in others.items():
        try:
            reason = refusal(segmenter, prepare_clip(read_echo(path, Limits(), cancel=CancelToken()), "0" * 64))
        except (QualityError, InputError) as error:
            reason = error.text
        refused += reason is not None
        print(f"  {name}: {reason or 'PASSED'}")
    print(f"other ultrasound that is refused: {refused} of {len(others)}")
    return refused / len(others)


def variants(frames: Array) -> dict[str, Array]:
    """The clip as it is, and changed."""
    height, width = frames.shape[1:]

    def turned(angle_deg: float) -> Array:
        motion = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
        return np.stack([cv2.warpAffine(frame, motion, (width, height)) for frame in frames])

    return {
        "as it is": frames,
        "mirrored": frames[:, :, ::-1],
        "a third as bright": frames // 3,
        "leaning 15 degrees": turned(15),
        "leaning -15 degrees": turned(-15),
        "leaning 30 degrees": turned(30),
        "turned 60 degrees": turned(60),
        "turned 90 degrees": turned(90),
        "upside down": frames[:, ::-1],
        "turned 180 degrees": frames[:, ::-1, ::-1],
        "left half only": frames[:, :, width // 2 :],
    }


def show_variants(segmenter: Segmenter, path: Path) -> None:
    """Ejection fraction, or the reason why there is none, of each variant of a clip."""
    whole = prepare_clip(read_echo(path, Limits(), cancel=CancelToken()), "0" * 64)
    spacing_mm = whole.calibration.spacing_mm or (1.0, 1.0)
    rate_hz = 1 / float(np.median(np.diff(whole.frame_times_s)))
    for name, frames in variants(whole.frames).items():
        cine = cine_of(frames, spacing_mm, rate_hz)
        start = time.perf_counter()
        try:
            detection = detect_chambers(cine, segmenter)
        except DetectionError as error:
            print(f"  {name}: refused. {error.text}")
            continue
        took_s = time.perf_counter() - start
        lvef = next(m for m in analyse_echo((cine,), (detection,), Metadata()).measurements if m.name == "lvef")
        interval = "" if lvef.interval is None else f" ({lvef.interval[0]:.0f} to {lvef.interval[1]:.0f})"
        said = f"EF {lvef.value:.1f} %{interval}" if isinstance(lvef.value, float) else f"withheld. {lvef.reason}"
        score = detection.quality.score if detection.quality else 0.0
        print(f"  {name}: {said}; quality {score:.2f}; detection {took_s:.1f} s")


def main() -> int:
    """Command line; the exit status is 1 when a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stills", type=int, default=100, help="how many held-out stills go through")
    parser.add_argument("--cine", action="store_true", help="also the variants of the apical clip")
    args = parser.parse_args()
    data = os.environ.get("CHORDAE_DATA")
    if not data:
        parser.error("the environment variable CHORDAE_DATA names the data folder")
    segmenter = load_segmenter()
    refused = refused_share(segmenter)
    passed = pass_rate(segmenter, Path(data) / "echo" / "camus_a4c" / "valid", args.stills)
    print("90 % intervals, part of left-out patients that they hold:")
    for name, row in read_manifest().figures["errors"].items():
        print(f"  {name}: {100 * row['coverage']:.1f} % of {row['patients']}")
    if args.cine:
        show_variants(segmenter, shipped_ultrasound()[CINE])
    return 0 if refused == 1.0 and passed >= TO_PASS else 1


if __name__ == "__main__":
    sys.exit(main())
