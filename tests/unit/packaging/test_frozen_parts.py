"""What goes into the frozen application, and what stays out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def told(code: str) -> str:
    """What a line of code of the recipe's own module prints, in a process of its own: the folder shadows a library."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'packaging')!r}); {code}"]
    return subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT).stdout


@pytest.mark.parametrize(
    ("name", "is_wanted"),
    [
        ("torch/bin/torch_shm_manager", True),  # torch does not start without
        ("torch/bin/protoc", False),
        ("torch/include/ATen/ATen.h", False),
        ("torch/lib/libtorch_cpu.so", True),
        ("torch/testing/_internal/x.py", True),
        ("pydicom/data/test_files/waveform_ecg.dcm", True),
        ("sklearn/tests/data.csv", False),
        ("_gdcm/_gdcmswig.so", True),
        ("_gdcm/gdcmdump", False),
        ("hypothesis-6.170.15.dist-info/METADATA", False),
    ],
)
def test_files(name: str, is_wanted: bool) -> None:
    assert told(f"import frozen_parts; print(frozen_parts.is_wanted({name!r}))").strip() == str(is_wanted)


def test_every_module_but_the_training_and_no_tool_of_the_tests() -> None:
    modules = told("import frozen_parts; print('\\n'.join(frozen_parts.modules()))").split()
    assert {"app.command_line", "pipeline.isolation.worker", "ui.window", "pipeline.look", "resources"} <= set(modules)
    assert not any(name.startswith(("pipeline.training", "tests", "benchmarks")) for name in modules)


def test_the_list_of_packages_names_each_with_its_licence() -> None:
    text = told("import frozen_parts; print(frozen_parts.packages_text())")
    lines = {line.split()[0]: line for line in text.splitlines() if line and ": " in line}
    assert {"torch", "numpy", "pydicom", "pyside6-essentials", "neurokit2"} <= set(lines)
    assert not {"pytest", "mypy", "pyinstaller"} & set(lines)
    assert sum("see its metadata" in line for line in lines.values()) < 0.1 * len(lines)


def test_the_build_tool_is_pinned_by_hash_and_no_part_of_the_product() -> None:
    hashes = (ROOT / "packaging" / "freeze.hashes").read_text()
    assert "pyinstaller==6.22.3" in hashes
    assert all(line.startswith(" ") or line.endswith("\\") for line in hashes.splitlines())
    assert "pyinstaller" not in (ROOT / "requirements.lock").read_text()
