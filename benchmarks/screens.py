"""`make screens`: pictures of the views, in both themes, three sizes, larger fonts and for each kind of case.

The cases are real runs on files that installed packages ship: the demo study, its ECG alone, a clip that shows no
heart beside an ECG, such a clip alone, and a run whose process was killed. They are kept in build/screens and made
again only when they are not there. `--all` draws every scene in every look; without it the few that the documents
keep, into docs/screens.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QApplication

from app.composition import Engine
from app.demo import demo_request
from pipeline.records import CardiologyRequest
from ui.application import make_application
from ui.choices import Choices
from ui.theme import DARK, LIGHT, Theme
from ui.window import MainWindow

if TYPE_CHECKING:
    from pipeline.engine import RunRow

BUILD = Path("build/screens")
DOCS = Path("docs/screens")
NO_HEART = "examples_palette.dcm"  # of pydicom's own test files: a photograph
LOAD_LIMIT_S = 60.0
SETTLE_S = 0.25  # docks settle their sizes over a few turns of the loop


@dataclass(frozen=True, slots=True)
class Look:
    """A theme and a size; `scale` is device pixels a point."""

    name: str
    theme: Theme
    size: tuple[int, int]
    scale: int = 1
    font_pt: float = 0.0  # of the system; 0 leaves it


SIZES: tuple[tuple[str, tuple[int, int], int], ...] = (
    ("small", (1280, 720), 1),
    ("usual", (1600, 1000), 1),
    ("4k", (1920, 1080), 2),  # 3840 x 2160 device pixels
)
LOOKS = (
    *(Look(f"{theme.name}-{name}", theme, size, scale) for theme in (DARK, LIGHT) for name, size, scale in SIZES),
    Look("light-16pt", LIGHT, SIZES[0][1], font_pt=16.0),
    Look("dark-20pt", DARK, SIZES[0][1], font_pt=20.0),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A case and the actions that lead to what is to be seen of it."""

    name: str
    case: str
    actions: tuple[str, ...] = ()


SCENES = (
    Scene("empty", "empty"),
    Scene("full", "full"),
    Scene("ef-review", "full", ("hang_ef",)),
    Scene("grid", "full", ("grid_2x2",)),
    Scene("state", "full", ("next_state",)),
    Scene("researcher", "full", ("switch_role",)),
    Scene("prior", "full", ("hang_prior",)),
    Scene("keys", "full", ("show_keys",)),
    Scene("ecg-only", "ecg_only"),
    Scene("ecg-large", "full", ("hang_ecg",)),
    Scene("degraded", "degraded"),
    Scene("failed", "failed", ("next_state",)),
    Scene("interrupted", "interrupted", ("next_state",)),
)


KEPT = (  # what stands in docs/screens: scene, look
    ("empty", "light-small"),
    ("full", "dark-usual"),
    ("full", "light-usual"),
    ("full", "dark-small"),
    ("full", "dark-4k"),
    ("full", "light-16pt"),
    ("ef-review", "dark-usual"),
    ("state", "dark-usual"),
    ("keys", "light-usual"),
    ("ecg-only", "light-usual"),
    ("prior", "light-usual"),
    ("degraded", "dark-usual"),
    ("failed", "light-small"),
    ("interrupted", "dark-small"),
)


def main() -> int:
    """Make the runs that are missing, draw, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every scene in every look")
    parser.add_argument("--only", default="", help="scenes whose name begins so")
    parser.add_argument("--output", type=Path, default=None, help="docs/screens, or build/screens with --all")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    store = BUILD / "screens.sqlite"
    runs = made_runs(store)
    folder = options.output or (BUILD if options.all else DOCS)
    folder.mkdir(parents=True, exist_ok=True)
    application = make_application()
    for scene in (scene for scene in SCENES if scene.name.startswith(options.only)):
        for look in LOOKS:
            if options.all or (scene.name, look.name) in KEPT:
                print(drawn(application, store, runs.get(scene.case), scene, look, folder))
    return 0


# --- runs ---------------------------------------------------------------------------------------------


def made_runs(store: Path) -> dict[str, str]:
    """Case -> run; those that the store lacks are run now."""
    demo = demo_request()
    no_heart = no_heart_clip()
    wanted = (
        ("interrupted", demo),
        ("failed", CardiologyRequest(echo_paths=(no_heart,))),
        ("degraded", CardiologyRequest(echo_paths=(no_heart,), ecg_path=demo.ecg_path)),
        ("ecg_only", CardiologyRequest(ecg_path=demo.ecg_path)),
        ("full", replace(demo, metadata={"sex": "male", "age_years": 67, "height_cm": 176, "weight_kg": 78})),
    )
    engine = Engine(store)
    known = names_of(store)
    for name, request in wanted:
        if name not in known:
            run_id = killed_run(store) if name == "interrupted" else engine.run_study(request).run_id
            known[name] = run_id
            (BUILD / f"{name}.run").write_text(run_id, encoding="ascii")
    return known


def names_of(store: Path) -> dict[str, str]:
    """Case -> run, as kept beside the store."""
    rows: tuple[RunRow, ...] = Engine(store).list_runs()
    stored = {row.run_id for row in rows}
    kept = {path.stem: path.read_text(encoding="ascii") for path in BUILD.glob("*.run")}
    return {name: run_id for name, run_id in kept.items() if run_id in stored}


def no_heart_clip() -> Path:
    """A colour picture that is no ultrasound of a heart."""
    from pydicom.data import get_testdata_file

    found = get_testdata_file(NO_HEART, download=False)
    if not isinstance(found, str):
        raise FileNotFoundError(NO_HEART)
    return Path(found)


def killed_run(store: Path) -> str:
    """Run the demo in a process that ends itself in the middle of DETECTION, as a power cut would."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from app.composition import Engine; from app.demo import demo_request\n"
        "def end(event):\n"
        "    if event.state == 'DETECTION' and event.kind == 'progress': print(event.run_id, flush=True); os._exit(9)\n"
        "Engine(Path(sys.argv[1])).run_study(demo_request(), on_event=end)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


# --- pictures -----------------------------------------------------------------------------------------


def drawn(application: QApplication, store: Path, run_id: str | None, scene: Scene, look: Look, folder: Path) -> Path:
    """One picture; the window is made for it and closed again."""
    usual = application.font()
    if look.font_pt:
        larger = QFont(usual)
        larger.setPointSizeF(look.font_pt)
        application.setFont(larger)
    window = MainWindow(Engine(store), Choices(theme=look.theme.name))
    try:
        window.resize(*look.size)
        window.show()
        if run_id is not None:
            show_case(window, run_id)
        for action in scene.actions:
            window.trigger(action)
            settle()
        settle()
        if (window.width(), window.height()) != look.size:
            raise OSError(f"the window does not fit {look.size[0]} x {look.size[1]}")
        path = folder / f"{scene.name}-{look.name}.png"
        save(picture(window, look), path)
        return path
    finally:
        window.close()
        window.deleteLater()
        application.setFont(usual)
        application.processEvents()


def show_case(window: MainWindow, run_id: str) -> None:
    """Load a stored run and go to the frame that tells most."""
    window.review.cases.refresh()
    wait_for(lambda: bool(window.review.state.cases))
    window.review.cases.select(run_id)
    wait_for(lambda: window.review.state.case.phase != "loading")
    window.show_telling_frame()
    settle()


def picture(window: MainWindow, look: Look) -> QImage:
    image = QImage(QSize(*look.size) * look.scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(look.scale)
    window.render(image)
    return image


def save(image: QImage, path: Path) -> None:
    """Write as small as PNG allows: without a loss, and the large ones in 256 colours."""
    raw = bytes(image.constBits())
    whole = Image.frombytes("RGB", (image.width(), image.height()), raw, "raw", "BGRX", image.bytesPerLine())
    if image.devicePixelRatio() > 1:
        whole = whole.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    whole.save(path, "PNG", optimize=True)


def settle() -> None:
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def wait_for(holds: Callable[[], bool]) -> None:
    """Let the window work until something holds; raises TimeoutError."""
    end = time.monotonic() + LOAD_LIMIT_S
    while not holds():
        QApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > end:
            raise TimeoutError("the stored run could not be loaded in time")


if __name__ == "__main__":
    sys.exit(main())
