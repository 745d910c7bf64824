"""The arrows between the rooms, and what a start may not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# what takes seconds to import and has no business in a start
SLOW = ("torch", "neurokit2", "scipy", "pandas", "PySide6", "pydicom", "cv2", "wfdb", "nibabel", "matplotlib")


def run_python(root: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=root, capture_output=True, text=True, check=False
    )


def test_the_import_contracts_hold(project_root: Path) -> None:
    done = run_python(
        project_root, "import sys", "from importlinter.cli import lint_imports", "sys.exit(lint_imports(no_cache=True))"
    )
    assert done.returncode == 0, done.stdout


def test_a_start_loads_nothing_slow(project_root: Path) -> None:
    done = run_python(
        project_root,
        "import sys",
        "from app.command_line import main",
        "main(['--help'])",
        f"print(*sorted(set(sys.modules) & set({SLOW!r})), sep=',', file=sys.stderr)",
    )
    assert done.returncode == 0
    assert done.stderr.strip() == ""


def test_the_command_line_works_without_qt(project_root: Path, tmp_path: Path) -> None:
    done = run_python(
        project_root,
        "import sys",
        "sys.modules['PySide6'] = sys.modules['pyqtgraph'] = None",
        "from app.command_line import main",
        f"report, data = {str(tmp_path / 'r.json')!r}, {str(tmp_path / 'data')!r}",
        "sys.exit(main(['run', '--report', report, '--data-dir', data]))",
    )
    assert done.returncode == 1
    assert done.stderr.startswith("E_HARD_001")
    assert (tmp_path / "r.json").is_file()
