"""Loading only the right weights, and what the shipped network finds in a real clip."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import resources
from pipeline.cancellation import CancelToken
from pipeline.echo.inference import likeliest, quantile_of, time_span, time_weights
from pipeline.echo.manifest import read_manifest
from pipeline.echo.segmentation import Segmenter, load_segmenter, model_sha256
from pipeline.echo.windows import Extent, Window, around_heart, cut, find_heart, lay_back, whole_frame
from pipeline.errors import HardStopError, ModelError, RunCancelledError
from pipeline.model_files import CHAMBERS


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load_segmenter()


@pytest.fixture(scope="module")
def demo_frames() -> np.ndarray:
    """From end-diastole to end-systole of the A4C cine that pydicom-data ships: uint8 (12, 384, 512)."""
    from pydicom import dcmread
    from pydicom.data import get_testdata_file
    from pydicom.pixels import pixel_array

    path = get_testdata_file("color3d_jpeg_baseline.dcm", download=False)
    dataset = dcmread(path)
    frames = [pixel_array(dataset, index=i)[31:415, 84:596] for i in range(20, 32)]
    return np.stack(frames).mean(-1).astype(np.uint8)


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(resources.path(CHAMBERS.place), tmp_path / "model"))


def refused(folder: Path) -> HardStopError:
    with pytest.raises(HardStopError) as caught:
        load_segmenter(folder)
    assert caught.value.code == "E_HARD_003"
    assert str(folder) not in caught.value.text + json.dumps(caught.value.details)
    return caught.value


def test_hash_is_known_without_loading_torch() -> None:
    code = (
        "import sys; from pipeline.echo.segmentation import model_sha256;"
        "print(model_sha256()); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == model_sha256() == load_segmenter().model_sha256


def test_manifest_carries_its_figures() -> None:
    manifest = read_manifest()
    assert manifest.size_bytes == (resources.path(CHAMBERS.place) / manifest.file).stat().st_size
    assert manifest.figures["dice"]["lv_cavity"] >= 0.92
    assert manifest.figures["dice"]["lv_myocardium"] >= 0.84
    assert manifest.figures["dice"]["left_atrium"] >= 0.90
    assert manifest.ef_error_sd_pct > 0
    assert manifest.ef_patients >= 50


@pytest.mark.parametrize("position", [0, 7, 100, 5_000, -1])
@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_is_refused(model_copy: Path, position: int, bit: int) -> None:
    weights = model_copy / "chambers.safetensors"
    content = bytearray(weights.read_bytes())
    content[position] ^= 1 << bit
    weights.write_bytes(content)
    details = refused(model_copy).details
    assert details["file"] == "chambers.safetensors"
    assert details["expected_sha256"] == model_sha256() != details["found_sha256"]


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"chambers"])
def test_other_content_is_refused_before_it_is_parsed(model_copy: Path, content: bytes) -> None:
    (model_copy / "chambers.safetensors").write_bytes(content)
    refused(model_copy)


def _publish(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Weights with a manifest that agrees with them."""
    import hashlib

    save_file(tensors, folder / "chambers.safetensors")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256((folder / "chambers.safetensors").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_weights_that_are_no_numbers_are_refused(model_copy: Path) -> None:
    tensors = load_file(model_copy / "chambers.safetensors")
    tensors["head.bias"][3] = float("nan")
    _publish(model_copy, tensors)
    refused(model_copy)


def test_missing_and_misshapen_weights_are_refused(model_copy: Path) -> None:
    tensors = load_file(model_copy / "chambers.safetensors")
    _publish(model_copy, {name: value for name, value in tensors.items() if name != "head.bias"})
    refused(model_copy)
    _publish(model_copy, tensors | {"head.bias": torch.zeros(7)})
    refused(model_copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"file": "x"}', "not json"])
def test_a_damaged_manifest_is_refused(model_copy: Path, text: str) -> None:
    (model_copy / "manifest.json").write_text(text)
    refused(model_copy)


@pytest.mark.parametrize("name", ["chambers.safetensors", "manifest.json"])
def test_an_unreadable_file_may_be_tried_again(model_copy: Path, name: str) -> None:
    (model_copy / name).unlink()
    with pytest.raises(ModelError):
        load_segmenter(model_copy)


def test_labels_of_a_real_clip(segmenter: Segmenter, demo_frames: np.ndarray) -> None:
    before = demo_frames.copy()
    labels = segmenter.predict(demo_frames, (0.51, 0.51))
    assert (labels.shape, labels.dtype) == (demo_frames.shape, np.uint8)
    assert np.array_equal(demo_frames, before)
    cavity = (labels == 1).sum((1, 2))
    assert cavity[0] > 1.5 * cavity[-1]  # systole
    assert np.abs(np.diff(cavity, 2)).max() < 0.12 * cavity[0]  # and without flicker
    rows = [np.flatnonzero((labels[0] == k).any(1)).mean() for k in (1, 3)]
    assert rows[0] < rows[1]


def test_batch_size_does_not_matter(segmenter: Segmenter, demo_frames: np.ndarray) -> None:
    some = demo_frames[:7]
    whole = segmenter.predict(some, (0.51, 0.51))
    for size in (1, 3):
        parts = [batch.labels for batch in segmenter.segment(some, (0.51, 0.51), batch_size=size)]
        assert np.mean(np.concatenate(parts) != whole) < 1e-4


def test_pixel_shape_is_respected(segmenter: Segmenter, demo_frames: np.ndarray) -> None:
    """Every second row with twice the row spacing shows the same heart."""
    full = segmenter.predict(demo_frames[:1], (0.5, 0.5))[0]
    half = segmenter.predict(demo_frames[:1, ::2], (1.0, 0.5))[0]
    both = np.count_nonzero((full[::2] == 1) & (half == 1))
    assert 2 * both / ((full[::2] == 1).sum() + (half == 1).sum()) > 0.93


def test_cancelling_stops_between_batches(segmenter: Segmenter, demo_frames: np.ndarray) -> None:
    cancel = CancelToken()
    batches = segmenter.segment(demo_frames, (0.5, 0.5), batch_size=8, cancel=cancel)
    next(batches)
    cancel.cancel()
    with pytest.raises(RunCancelledError):
        next(batches)


def test_no_frames(segmenter: Segmenter) -> None:
    assert segmenter.predict(np.zeros((0, 90, 90), np.uint8), (1, 1)).shape == (0, 90, 90)


def test_black_frames_hold_nothing(segmenter: Segmenter) -> None:
    assert not segmenter.predict(np.zeros((2, 90, 120), np.uint8), (1, 1)).any()


@pytest.mark.parametrize(
    "window",
    [Window(5, 20, 90, 100), Window(-30, -10, 160, 130), Window(20, 40, 45, 60)],
    ids=["inside", "beyond the frame", "magnified"],
)
def test_a_window_goes_there_and_back(window: Window) -> None:
    image = np.zeros((4, 100, 140), np.float32)
    image[0] = 1
    image[:2, 30:60, 50:90] = [[[0]], [[1]]]
    seen = np.stack([cut(one, window, (96, 96)) for one in image])
    canvas = np.zeros((4, 100, 140), np.float32)
    lay_back(seen, window, canvas)
    labels = likeliest(canvas)
    assert np.count_nonzero((labels == 1) != (image[1] == 1)) < 60


def test_the_whole_frame_is_a_physical_square() -> None:
    window = whole_frame(100, 300, 2.0)
    assert window.height * 2.0 == pytest.approx(window.width, abs=2)
    assert window.width == 300


def test_the_heart_is_found_in_spite_of_strays() -> None:
    labels = np.zeros((3, 64, 64), np.uint8)
    labels[:, 20:44, 16:32] = 1
    labels[1, 60:63, 60:63] = 3
    heart = find_heart(labels, Window(10, 20, 128, 128))
    assert heart == Extent(top=50.0, bottom=98.0, left=52.0, right=84.0)
    assert find_heart(np.zeros((2, 64, 64), np.uint8), Window(0, 0, 64, 64)) is None


@pytest.mark.parametrize("aspect", [1.0, 0.5])
def test_a_window_holds_the_heart_in_height_and_width(aspect: float) -> None:
    for heart in (Extent(10, 110, 40, 60), Extent(10, 40, 10, 150)):
        window = around_heart(heart, (160, 128), 0.8, aspect)
        assert window.width / (window.height * aspect) == pytest.approx(0.8, abs=0.03)
        used = (heart.bottom - heart.top) / window.height, (heart.right - heart.left) / window.width
        assert max(used) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("frame", [0, 1, 5, 9])
def test_smoothing_in_time_keeps_a_parabola(frame: int) -> None:
    values = [(i - 4.0) ** 2 for i in range(10)]
    start, weights = time_weights(10, frame)
    assert sum(w * values[start + i] for i, w in enumerate(weights)) == pytest.approx(values[frame], abs=1e-5)
    assert sum(w**2 for w in weights) < 0.9


def test_only_frames_that_are_near_in_time_are_smoothed(segmenter: Segmenter, demo_frames: np.ndarray) -> None:
    assert [time_span(1 / rate_hz) for rate_hz in (80, 30, 25, 15, 10)] == [5, 5, 5, 1, 1]
    order = np.array([3, 0, 6, 1, 7, 4, 2, 5])  # all are looked at to find the heart, in any order
    frames = demo_frames[:8]
    one, other = (
        np.concatenate(
            [batch.labels for batch in segmenter.segment(each, (0.51, 0.51), frame_step_s=0.1, batch_size=3)]
        )
        for each in (frames, frames[order])
    )
    assert np.mean(one[order] != other) < 1e-4
    smoothed = segmenter.predict(frames[order], (0.51, 0.51))
    assert np.mean(one[order] != smoothed) > 1e-3


@pytest.mark.parametrize("part", [0.0, 0.3, 0.995, 1.0])
def test_the_quantile_of_counts_is_that_of_the_values(part: float) -> None:
    values = np.random.default_rng(5).gamma(2.0, 30.0, 1003).clip(0, 255).astype(np.uint8)
    assert quantile_of(np.bincount(values, minlength=256), part) == pytest.approx(float(np.quantile(values, part)))


def test_a_still_is_seen_by_itself(segmenter: Segmenter, demo_frames: np.ndarray) -> None:
    """Too few frames to smooth over: each is labelled as if it were alone."""
    pair = segmenter.predict(demo_frames[[0, 11]], (0.51, 0.51))
    cavity = (pair == 1).sum((1, 2))
    assert cavity[0] > 1.5 * cavity[1]
