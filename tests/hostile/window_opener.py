"""A real window that opens one hostile file after the other; says how each ended and how much the process has grown.

Called as: python -m tests.hostile.window_opener FOLDER [EVERY]. EVERY = 10 opens each tenth attack only.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import time
import warnings
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import psutil

from pipeline.records import CardiologyRequest
from tests.hostile.attacks import ATTACKS, Attack
from tests.integration.short_study import short_study

LONGEST_S = 300.0  # of one study, on a machine that has other work too


def request_of(attack: Attack, folder: Path, ecg: Path) -> CardiologyRequest:
    path = attack.make(folder)
    return {
        "echo": CardiologyRequest(echo_paths=(path,)),
        "ecg": CardiologyRequest(ecg_path=path),
        "metadata": CardiologyRequest(ecg_path=ecg, metadata_path=path),
    }[attack.role]


class Opener:
    """The window, and what it made of each study."""

    def __init__(self, window: Any, application: Any) -> None:
        self._window, self._application = window, application

    def open(self, request: CardiologyRequest) -> tuple[str, list[str]]:
        """Phase and codes of a study that was read to its end."""
        self._window.review.cases.start(request, None)
        end_s = time.monotonic() + LONGEST_S
        while self._window.review.is_running and time.monotonic() < end_s:
            self._application.processEvents()
            time.sleep(0.002)
        case = self._window.review.state.case
        report: Any = case.report or {}
        found = [report.get("error") or {}, *((report.get("pipeline_execution") or {}).get("branches") or ())]
        return case.phase, [str(each["code"]) for each in found if each.get("code")]

    def resident_mb(self) -> float:
        """Size of this process with no case on screen."""
        from ui.view_state import CaseView

        self._window.review.update(case=CaseView(), message=None)
        self._application.processEvents()
        gc.collect()
        return psutil.Process().memory_info().rss / 2**20


def main() -> int:
    from app.composition import isolated_engine
    from ui.application import make_application
    from ui.window import MainWindow

    warnings.simplefilter("ignore")
    folder, every = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    good = short_study(folder, n_frames=4)
    ended = {}
    application = make_application()
    with isolated_engine(folder / "data" / "s.sqlite", keeps_spare=True) as engine:
        window = MainWindow(engine)
        window.show()
        opener = Opener(window, application)
        opener.open(good)
        before_mb = opener.resident_mb()
        for number, attack in enumerate(ATTACKS[::every]):
            place = folder / str(number)
            place.mkdir()
            ended[attack.name] = opener.open(request_of(attack, place, good.ecg_path))  # type: ignore[arg-type]
            shutil.rmtree(place)
        grown_mb = opener.resident_mb() - before_mb
        window.close()
    sys.stdout.write(json.dumps({"ended": ended, "grown_mb": grown_mb}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
