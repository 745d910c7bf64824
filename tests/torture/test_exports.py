"""Everything that leaves the store: it says that it is for research only, and where the audit stood."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pipeline.notice import NOTICE
from pipeline.store.database import Store
from tests.torture.pdf_text import text_of
from tests.torture.promises import Record
from tests.torture.study import write_inputs

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: object) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-m", "app", *map(str, arguments)], cwd=ROOT, env=environment, check=True)


def said_by(path: Path) -> tuple[str, str]:
    """(the text of an export, how its audit head must look there)."""
    if path.suffix == ".pdf":
        return text_of(path.read_bytes()), "Audit: act {n}, SHA-256 {short}…"
    text = path.read_text("utf-8-sig")
    return text, "audit {n} {whole}" if path.suffix == ".csv" else '{{"head_hash": "{whole}", "n_rows": {n}}}'


def test_every_export_carries_notice_and_head(tmp_path: Path, promise: Record) -> None:
    files = write_inputs(tmp_path, "ecg")
    data = ("--data-dir", tmp_path / "data")
    targets = [tmp_path / f"export.{form}" for form in ("json", "csv", "pdf")]
    run = tmp_path / "run.json"
    command("run", "--ecg", files["ecg_path"], "--report", run, "--quiet", *data)
    for target in targets:
        command("export", "latest", "--format", target.suffix[1:], "--output", target, *data)
    with Store.open(tmp_path / "data" / "chordae.sqlite") as store:
        exports = [row for row in store.audit_rows() if row.act == "export"]
        sound = store.audit_faults() == ()
    wrong = []
    for target, row in zip((run, *targets), exports, strict=True):
        text, form = said_by(target)
        if target.suffix == ".json":
            head = json.dumps(json.loads(text)["audit"], sort_keys=True)
            text = f"{head} {text}"
        wanted = form.format(n=row.seq, whole=row.row_hash, short=row.row_hash[:16])
        if NOTICE not in text or wanted not in text:
            wrong.append((target.name, wanted))
    promise(
        "Every export carries the notice and the head of the audit, whose last act is that export (JSON at the end of "
        "a run and later, CSV, PDF)",
        f"{len(exports) - len(wrong)} of {len(exports)}" + (f"; {wrong}" if wrong else ""),
        kept=not wrong and sound and len(exports) == 4,
    )
