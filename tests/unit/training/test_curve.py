"""The picture of a training's log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.training.curve import draw, read_log


def written(folder: Path, *steps: int) -> Path:
    lines = [json.dumps({"step": s, "loss": 1 / s, "dice": [0.8, 0.7, 0.75]}) for s in steps]
    (folder / "log.jsonl").write_text("\n".join(lines))
    return folder


def test_a_resumed_log_is_put_in_order(tmp_path: Path) -> None:
    assert [line["step"] for line in read_log(written(tmp_path, 1, 2, 3, 2, 3, 4))] == [1, 2, 3, 4]


def test_an_empty_log_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        read_log(written(tmp_path))


@pytest.mark.slow
def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw(written(tmp_path, 1, 2, 3), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
