"""The set-up's decisions: where wheels come from, when to do nothing, which libraries are named."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Load a script of packaging/, which is a folder of scripts and not a package."""
    monkeypatch.syspath_prepend(str(PACKAGING))

    def by_name(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, PACKAGING / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return by_name


@pytest.fixture
def bootstrap(load: Callable[[str], ModuleType]) -> ModuleType:
    load("qt_libraries")
    return load("bootstrap")


def test_pip_settings_are_read_and_the_environment_wins(bootstrap: ModuleType) -> None:
    given = (
        ("global.extra-index-url", "file:///a file:///b"),
        ("global.find-links", "/one"),
        (":env:.find-links", "/two"),
        ("list.format", "columns"),
    )
    listing = "".join(f"{name}={value!r}\n" for name, value in given)
    settings = bootstrap.pip_settings(listing)
    assert settings == {"extra-index-url": "file:///a file:///b", "find-links": "/two"}
    assert bootstrap.wheel_options(settings, None) == [
        "--extra-index-url", "file:///a", "--extra-index-url", "file:///b", "--find-links", "/two",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wheels", "option"), [("/wheels", "--find-links"), ("https://example.org/simple", "--extra-index-url")]
)
def test_wheels_may_be_a_folder_or_an_index(bootstrap: ModuleType, wheels: str, option: str) -> None:
    assert bootstrap.wheel_options({}, wheels) == [option, wheels]


def test_no_setting_means_no_option(bootstrap: ModuleType) -> None:
    assert bootstrap.wheel_options({}, None) == []


@pytest.fixture
def place(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own with a lock and an environment that looks finished."""
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==1.0\n")
    hashes = tmp_path / "requirements.hashes"
    hashes.write_text("numpy==1.0 \\\n    --hash=sha256:00\n")
    for name, value in (
        ("HASHES", hashes),
        ("VENV", venv),
        ("LOCK", lock),
        ("STAMP", venv / "stamp"),
        ("PYTHON", venv / "bin" / "python"),
    ):
        monkeypatch.setattr(bootstrap, name, value)
    (venv / "stamp").write_text(bootstrap.wanted_stamp())
    return tmp_path


def test_a_finished_environment_is_left_alone(bootstrap: ModuleType, place: Path) -> None:
    assert bootstrap.is_ready()


def test_a_changed_lock_makes_it_stale(bootstrap: ModuleType, place: Path) -> None:
    (place / "requirements.lock").write_text("numpy==2.0\n")
    assert not bootstrap.is_ready()


def test_a_copied_environment_is_stale(bootstrap: ModuleType, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = (place / ".venv" / "stamp").read_text()
    monkeypatch.setattr(bootstrap, "VENV", place / "elsewhere" / ".venv")
    assert bootstrap.wanted_stamp() != stamp
    assert not bootstrap.is_ready()


def test_a_dead_interpreter_makes_it_stale(bootstrap: ModuleType, place: Path) -> None:
    (place / ".venv" / "bin" / "python").unlink()
    (place / ".venv" / "bin" / "python").symlink_to("/bin/false")
    assert not bootstrap.is_ready()


def test_another_python_is_refused_in_plain_words(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.SetupError, match=r"Python 3\.11 is needed"):
        bootstrap.set_up(lambda: (3, 9))


LISTING = """
/venv/PySide6/Qt/lib/libQt6Gui.so.6:
\tlinux-vdso.so.1 (0x00007ffd)
\tlibEGL.so.1 => not found
\tlibQt6DBus.so.6 => not found
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
/venv/PySide6/Qt/plugins/platforms/libqxcb.so:
\tlibxcb-icccm.so.4 => not found
\tlibodd.so.3 => not found
"""


def test_missing_libraries_are_read_from_ldd(load: Callable[[str], ModuleType]) -> None:
    qt = load("qt_libraries")
    missing = qt.missing_in(LISTING)
    assert missing == {"libEGL.so.1", "libxcb-icccm.so.4", "libodd.so.3"}
    assert qt.debian_packages(missing) == ["libegl1", "libodd.so.3", "libxcb-icccm4"]


def test_elsewhere_than_on_debian_the_libraries_are_named(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    qt = load("qt_libraries")
    monkeypatch.setattr(qt.shutil, "which", lambda name: None)
    monkeypatch.setattr(qt, "missing_libraries", lambda folder, objects: {"libEGL.so.1"})
    said: list[str] = []
    text = qt.provide_qt_libraries(tmp_path, said.append)
    assert text == "Qt lacks system libraries: libEGL.so.1 (Debian packages: libegl1)."


def test_a_lacking_screen_library_is_said_and_no_obstacle(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    qt = load("qt_libraries")
    monkeypatch.setattr(qt.shutil, "which", lambda name: None)
    monkeypatch.setattr(qt, "missing_libraries", lambda folder, names: {"libxcb.so.1"} if names != qt.CORE else set())
    said: list[str] = []
    assert qt.provide_qt_libraries(tmp_path, said.append) is None
    assert any("libxcb1" in line for line in said)


def test_on_debian_as_root_the_packages_are_installed(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    qt = load("qt_libraries")
    installed: list[str] = []

    def fake_run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        installed.extend(command if "install" in command else [])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(qt.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(qt.os, "geteuid", lambda: 0)
    monkeypatch.setattr(qt.subprocess, "run", fake_run)
    monkeypatch.setattr(qt, "missing_libraries", lambda folder, objects: set() if installed else {"libEGL.so.1"})
    assert qt.provide_qt_libraries(tmp_path, lambda text: None) is None
    assert "libegl1" in installed


@pytest.mark.parametrize(("works", "installers"), [("uv", ["uv"]), ("pip", ["uv", "pip"])])
def test_pip_installs_the_lock_when_uv_cannot(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, works: str, installers: list[str]
) -> None:
    used: list[str] = []

    def fake_run(*command: object, **_: object) -> bool:
        if bootstrap.LOCK not in command:
            return True
        used.append(Path(str(command[0])).name.replace("python", "pip"))
        return used[-1] == works

    nothing = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: nothing)
    monkeypatch.setattr(bootstrap, "run", fake_run)
    bootstrap.install_lock()
    assert used == installers


def test_a_lock_that_cannot_be_installed_is_said(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: nothing)
    monkeypatch.setattr(bootstrap, "run", lambda *_, **__: False)
    with pytest.raises(bootstrap.SetupError, match=r"requirements\.lock"):
        bootstrap.install_lock()


@pytest.mark.parametrize(("repaired", "raises"), [(True, False), (False, True)])
def test_a_module_without_its_library_is_installed_again_with_pip(
    bootstrap: ModuleType, place: Path, monkeypatch: pytest.MonkeyPatch, *, repaired: bool, raises: bool
) -> None:
    bootstrap.HASHES.write_text("soundfile==0.14.0 \\\n    --hash=sha256:12\n")
    installed: list[str] = []

    def imports(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0 if installed and repaired else 1, "", "")

    def fake_run(*command: object, **_: object) -> bool:
        assert "--require-hashes" in command
        installed.append(Path(str(command[-1])).read_text())
        return True

    monkeypatch.setattr(bootstrap.subprocess, "run", imports)
    monkeypatch.setattr(bootstrap, "run", fake_run)
    if raises:
        with pytest.raises(bootstrap.SetupError, match="libsndfile1"):
            bootstrap.complete_native_modules(("pip", "install"))
    else:
        bootstrap.complete_native_modules(("pip", "install"))
    assert [text.split() for text in installed] == [["soundfile==0.14.0", "--hash=sha256:12"]]


def test_every_package_but_those_named_is_checked_by_hash(
    bootstrap: ModuleType, load: Callable[[str], ModuleType]
) -> None:
    hashes = load("lock").hashes_of(bootstrap.HASHES.read_text())
    locked = bootstrap.LOCK.read_text().split()
    assert {line for line in locked if line.partition("==")[0] not in bootstrap.UNHASHED} == set(hashes)
    assert all(hashes.values())
    assert bootstrap.UNHASHED == ("torch",)


def test_a_package_with_its_native_library_is_among_the_hashes(bootstrap: ModuleType) -> None:
    entry = bootstrap.hashed(bootstrap.HASHES.read_text(), "soundfile")
    assert entry.startswith("soundfile==")
    assert entry.count("--hash=sha256:") >= 2
    with pytest.raises(bootstrap.SetupError):
        bootstrap.hashed(bootstrap.HASHES.read_text(), "nothing")


def test_hashes_of_several_places_are_put_together(load: Callable[[str], ModuleType], bootstrap: ModuleType) -> None:
    one, two = "a==1 \\\n    --hash=sha256:1\ntorch==2+cpu \\\n    --hash=sha256:9\n", "a==1 \\\n    --hash=sha256:2\n"
    assert load("lock").merged([one, two]) == "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"


def test_what_is_installed_with_and_without_the_check(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = bootstrap.requirement_sets()
    assert first == ("--require-hashes", "-r", bootstrap.HASHES)
    assert second == ("-c", bootstrap.LOCK, bootstrap.pinned(bootstrap.LOCK.read_text(), "torch"))
    monkeypatch.setenv(bootstrap.UNCHECKED_VARIABLE, "1")
    assert bootstrap.requirement_sets() == (("-r", bootstrap.LOCK),)


def test_an_earlier_lock_is_kept_unless_the_newest_versions_are_asked_for(
    load: Callable[[str], ModuleType], place: Path, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = load("lock")
    bootstrap.LOCK.write_text("numpy==1.0\ntorch==2.0\n")
    found: list[str] = []

    def fake_compiled(source: str, *options: str) -> str:
        target = next((Path(each.partition("=")[2]) for each in options if each.startswith("--output-file=")), None)
        if target is not None:
            found.append(target.read_text())
            target.write_text("numpy==1.0\ntorch==2.0+cpu\n")
        return ""

    monkeypatch.setattr(lock, "compiled", fake_compiled)
    for wish, kept in (("", "numpy==1.0\n"), ("1", "")):
        monkeypatch.setenv(lock.UPGRADE_VARIABLE, wish)
        assert lock.main() == 0
        assert found.pop() == kept
        assert bootstrap.LOCK.read_text() == "numpy==1.0\ntorch==2.0\n"


def tiny_wheel(folder: Path) -> str:
    """A wheel of one module in a folder; the requirement with its hash."""
    name = folder / "chordae_probe-1.0-py3-none-any.whl"
    info = "chordae_probe-1.0.dist-info"
    with zipfile.ZipFile(name, "w") as wheel:
        wheel.writestr("chordae_probe.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: chordae-probe\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"chordae-probe==1.0 --hash=sha256:{hashlib.sha256(name.read_bytes()).hexdigest()}\n"


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_folder_of_wheels_is_checked_by_hash(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_changed: bool
) -> None:
    """CHORDAE_WHEELS names a place, and takes nobody's word for what lies there."""
    (tmp_path / "hashes").write_text(tiny_wheel(tmp_path))
    if is_changed:
        with zipfile.ZipFile(tmp_path / "chordae_probe-1.0-py3-none-any.whl", "a") as wheel:
            wheel.writestr("another.py", "")
    monkeypatch.setattr(bootstrap, "HASHES", tmp_path / "hashes")
    monkeypatch.delenv(bootstrap.UNCHECKED_VARIABLE, raising=False)
    options = [*bootstrap.wheel_options({}, str(tmp_path)), *bootstrap.requirement_sets()[0]]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-cache-dir", "--target", tmp_path / "new"]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (tmp_path / "new" / "chordae_probe.py").exists() == (not is_changed)
    assert ("hash" in done.stderr.lower()) == is_changed
