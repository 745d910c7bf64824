"""Find the system libraries that Qt lacks on this machine, and install them on Debian as root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

# What the window, its pictures and its tests load: without these nothing of Qt starts.
CORE = (
    "Qt/lib/libQt6Core.so.6",
    "Qt/lib/libQt6Gui.so.6",
    "Qt/lib/libQt6Widgets.so.6",
    "Qt/lib/libQt6Svg.so.6",
    "Qt/lib/libQt6PrintSupport.so.6",
    "Qt/lib/libQt6Test.so.6",
    "Qt/lib/libQt6OpenGLWidgets.so.6",
    "Qt/plugins/platforms/libqoffscreen.so",
    "Qt/plugins/iconengines/libqsvgicon.so",
    "Qt/plugins/imageformats/libqsvg.so",
)
# What a real screen needs as well.
SCREEN = (
    "Qt/plugins/platforms/libqxcb.so",
    "Qt/plugins/platforms/libqwayland.so",
    "Qt/plugins/xcbglintegrations/libqxcb-egl-integration.so",
    "Qt/plugins/xcbglintegrations/libqxcb-glx-integration.so",
)

# library -> Debian package
DEBIAN_PACKAGES: dict[str, str] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libICE.so.6": "libice6",
    "libOpenGL.so.0": "libopengl0",
    "libSM.so.6": "libsm6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libcups.so.2": "libcups2",
    "libdbus-1.so.3": "libdbus-1-3",
    "libdrm.so.2": "libdrm2",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
}
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")

_NOT_FOUND = re.compile(r"^\s*(lib\S+) => not found", re.MULTILINE)


def missing_in(listing: str) -> set[str]:
    """Libraries that an `ldd` listing calls not found; Qt's own libraries travel with it and do not count."""
    return {name for name in _NOT_FOUND.findall(listing) if not name.startswith("libQt6")}


def missing_libraries(folder: Path, objects: Iterable[str]) -> set[str]:
    """Names of the shared libraries that `objects` under the PySide6 folder want and the system lacks."""
    files = [str(folder / name) for name in objects if (folder / name).is_file()]
    if not files or shutil.which("ldd") is None:
        return set()
    listing = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False)
    return missing_in(listing.stdout)


def has_fonts() -> bool:
    """Whether any outline font is installed: a window without one shows boxes."""
    folders = (Path(name).expanduser() for name in FONT_FOLDERS)
    return any(next(folder.rglob("*.[to]tf"), None) for folder in folders if folder.is_dir())


def debian_packages(libraries: Iterable[str]) -> list[str]:
    """The Debian packages that hold `libraries`, sorted; a library that the table lacks keeps its own name."""
    return sorted({DEBIAN_PACKAGES.get(name, name) for name in libraries})


def _install(packages: list[str], say: Callable[[str], None]) -> None:
    known = [name for name in packages if not name.startswith("lib") or ".so" not in name]
    if not known:
        return
    say("installing the system libraries that Qt lacks: " + " ".join(known))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *known],
    ):
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


def provide_qt_libraries(folder: Path, say: Callable[[str], None]) -> str | None:
    """See that Qt can start: install what is missing on Debian as root, name it elsewhere.

    Returns
    -------
    str | None
        A sentence when Qt cannot start at all; None when it can (a lacking screen library is only said).
    """
    missing = missing_libraries(folder, CORE + SCREEN)
    wanted = debian_packages(missing) + ([] if has_fonts() else [FONT_PACKAGE])
    if not wanted:
        return None
    if shutil.which("apt-get") and os.geteuid() == 0:
        _install(wanted, say)
        missing = missing_libraries(folder, CORE + SCREEN)
    core = missing_libraries(folder, CORE)
    if core:
        packages = " ".join(debian_packages(core))
        return f"Qt lacks system libraries: {' '.join(sorted(core))} (Debian packages: {packages})."
    if missing:
        say("to open a window on a screen, Qt still lacks: " + " ".join(sorted(missing)))
        say("Debian packages: " + " ".join(debian_packages(missing)))
    return None
