"""What runs in the forked child: one run of the engine, with the disturbance that the plan names.

A plan may hold:
kill: [point, state]        SIGKILL at a point of `KILL_POINTS` around the checkpoint of a state
fail: [what, n]             the nth call of `FAILURES` fails
file_limit: bytes           no file may grow beyond (a full disk)
read_only: path             that file or folder cannot be written
small_disk: [folder, bytes] a file system of that size is mounted there
version, model              the code of that result, or a model, counts as changed
passphrase: [store, words]  the store is encrypted, and opened with these words
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any


def serve() -> None:
    """Fork a child for each order; say its number, wait until asked, say how it ended and what it answered."""
    import_everything()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        hears, says = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(0)
            os.close(hears)
            os.dup2(2, 1)
            obey(json.loads(line), says)
        os.close(says)
        say({"pid": pid})
        sys.stdin.readline()
        with os.fdopen(hears, encoding="utf-8") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(pid, 0)
        say({"exit_code": os.waitstatus_to_exitcode(status), "answer": answer})


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def import_everything() -> None:
    """What the runs need; the network's libraries only for the whole torture, the quick part reads ECGs."""
    warnings.simplefilter("ignore")
    import pydicom.fileset  # noqa: F401
    import scipy.signal  # noqa: F401

    import pipeline.ecg.analysis
    import pipeline.engine
    import pipeline.reports.result

    if "CHORDAE_TORTURE_N" in os.environ:
        import gdcm  # noqa: F401
        import torch

        import pipeline.echo.inference  # noqa: F401

        torch.set_num_threads(1)


def obey(order: dict[str, Any], says: int) -> None:
    """Run, answer by the pipe, end without any clean-up of the parent's things."""
    from pipeline.errors import PipelineError

    code = 0
    try:
        for name, value in order["plan"].items():
            DISTURBANCES[name](value)
        answer = run(order)
    except PipelineError as error:  # the store does not open
        answer = {"status": "refused", "code": error.code, "text": error.text}
    except BaseException as error:  # noqa: BLE001 - the answer says that this happened
        import traceback

        answer = {"status": "fault", "text": "".join(traceback.format_exception(error))}
        code = 1
    with os.fdopen(says, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(answer))
    os._exit(code)


def run(order: dict[str, Any]) -> dict[str, Any]:
    from pipeline.engine import run_study
    from pipeline.errors import PipelineError
    from pipeline.records import CardiologyRequest, ClipFacts

    files = order["files"]
    request = None
    if files is not None:
        one = {name: Path(files[name]) for name in ("ecg_path", "metadata_path") if name in files}
        facts = tuple(ClipFacts(pixel_mm=size) for size in files.get("pixel_mm", ()))
        request = CardiologyRequest(echo_paths=tuple(map(Path, files.get("echo_paths", ()))), clip_facts=facts, **one)
    restored = watch_restoring()
    try:
        response = run_study(Path(order["store"]), request, resume=order["resume"], **IN_PROCESS)
    except PipelineError as error:
        return {"status": "refused", "code": error.code, "text": error.text}
    return {
        "status": response.status,
        "run_id": response.run_id,
        "code": response.error_code,
        "text": response.error_text or "",
        "report": response.report,
        "restored": sorted(restored),
    }


def watch_restoring() -> set[str]:
    """The names of the results that this run takes from the store, as it goes on."""
    from pipeline.results import RunResults

    restore, found = RunResults.restore, set()

    def watched(self: RunResults, name: str, depends_on: Any) -> bool:
        if restore(self, name, depends_on):
            found.add(name)
            return True
        return False

    RunResults.restore = watched  # type: ignore[method-assign]
    return found


IN_PROCESS: dict[str, Any] = {}


# --- kills -------------------------------------------------------------------------------------------


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(plan: list[str]) -> None:
    """SIGKILL before or after the blobs, rows, commit or events of one state's checkpoint."""
    from contextlib import contextmanager

    from pipeline.store import database
    from pipeline.store.database import Store

    point, wanted = plan
    at: dict[str, Any] = {"inside": False, "saved": False}
    save, put, append, transaction = Store.save_checkpoint, Store._put, Store.append_events, database.transaction

    def save_checkpoint(self: Store, run_id: str, checkpoint: Any) -> None:
        at["inside"] = checkpoint.state_name == wanted
        if at["inside"] and point == "before row":
            kill()
        save(self, run_id, checkpoint)
        if at["inside"] and point == "after commit":
            kill()
        at["saved"], at["inside"] = at["inside"], False

    def put_blob(self: Store, sha256: str, data: bytes) -> None:
        if at["inside"] and point == "before blob":
            kill()
        put(self, sha256, data)
        if at["inside"] and point == "after blob":
            kill()

    def append_events(self: Store, events: Any) -> None:
        if at["saved"] and point == "before event":
            kill()
        append(self, events)
        if at["saved"] and point == "after event":
            kill()

    @contextmanager
    def watched(connection: Any) -> Any:
        with transaction(connection):
            yield
            if at["inside"] and point == "before commit":
                kill()

    Store.save_checkpoint, Store._put, Store.append_events = save_checkpoint, put_blob, append_events  # type: ignore[method-assign]
    database.transaction = watched


KILL_POINTS = (
    "before row",
    "before blob",
    "after blob",
    "before commit",
    "after commit",
    "before event",
    "after event",
)


# --- failures ----------------------------------------------------------------------------------------


def fail_nth(plan: list[Any]) -> None:
    FAILURES[plan[0]](int(plan[1]))


def _nth(n: int, work: Callable[..., Any], error: Callable[[], BaseException]) -> Callable[..., Any]:
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == n:
            raise error()
        return work(*args, **kwargs)

    return counted


def fail_system_call(kind: int) -> Callable[[int], None]:
    """By the preloaded library of `faulty_disk.c`: the nth write or sync in a data folder answers EIO or ENOSPC."""

    def arm(n: int) -> None:
        import ctypes

        ctypes.CDLL(None).chordae_fail(kind, n)

    return arm


def fail_commit(n: int) -> None:
    """The nth COMMIT is refused."""
    import sqlite3

    class Faulty(sqlite3.Connection):
        commits = 0

        def execute(self, sql: str, *values: Any) -> Any:  # type: ignore[override]
            if sql == "COMMIT":
                Faulty.commits += 1
                if Faulty.commits == n:
                    error = sqlite3.OperationalError("injected")
                    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                    raise error
            return super().execute(sql, *values)

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, **{**kwargs, "factory": Faulty})  # type: ignore[assignment]


def fail_decode(n: int) -> None:
    """The nth frame of the clip breaks its decoder."""
    from pipeline.echo.readers import dicom_pixels

    dicom_pixels._decoded = _nth(n, dicom_pixels._decoded, lambda: ValueError("injected"))


def fail_model(n: int) -> None:
    """The nth reading of the network's weights fails."""
    from pipeline.echo import segmentation
    from pipeline.errors import ModelError

    segmentation.read_weights = _nth(n, segmentation.read_weights, lambda: ModelError("injected"))  # type: ignore[attr-defined]


FAILURES: dict[str, Callable[[int], None]] = {
    "write": fail_system_call(0),
    "sync": fail_system_call(1),
    "commit": fail_commit,
    "decode": fail_decode,
    "model": fail_model,
}


# --- disks -------------------------------------------------------------------------------------------


def limit_files(n_bytes: int) -> None:
    """No file may grow beyond: SQLite meets EFBIG, as on a full disk."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def own_mounts() -> Any:
    """A mount namespace of this child's own; needs root."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000):
        raise OSError(ctypes.get_errno(), "unshare")
    mount(libc, "none", "/", None, 1 << 18 | 1 << 14, None)  # nothing of it reaches the outside
    return libc


def mount(libc: Any, source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    import ctypes

    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    if libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def read_only(path: str) -> None:
    """For root a read-only mount, which binds root too; else the permission bits."""
    if os.geteuid():
        Path(path).chmod(0o500 if Path(path).is_dir() else 0o400)
        return
    libc = own_mounts()
    mount(libc, path, path, None, 0x1000, None)
    mount(libc, path, path, None, 0x1000 | 0x20 | 0x1, None)


def small_disk(plan: list[Any]) -> None:
    """A file system of the given size over the folder, with what the folder holds."""
    import shutil

    folder, n_bytes = Path(plan[0]), int(plan[1])
    kept = folder.with_name(folder.name + "-kept")
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    mount(own_mounts(), "tmpfs", str(folder), "tmpfs", 0, f"size={n_bytes}")
    shutil.copytree(kept, folder, dirs_exist_ok=True)


# --- changes -----------------------------------------------------------------------------------------


def raise_version(name: str) -> None:
    from pipeline import cache_keys

    cache_keys.STAGE_VERSIONS[name] += 1


def change_model(branch: str) -> None:
    """The model counts as another one; its weights stay."""
    from pipeline import orchestrator

    setattr(orchestrator, {"echo": "echo_model_key", "ecg": "ecg_models_key"}[branch], lambda: "f" * 64)


def unlock(plan: list[str]) -> None:
    """Open an encrypted store for this process."""
    from pipeline.store import vault

    vault.unlock(Path(plan[0]), plan[1])


DISTURBANCES: dict[str, Callable[[Any], None]] = {
    "kill": kill_at,
    "fail": fail_nth,
    "file_limit": limit_files,
    "read_only": read_only,
    "small_disk": small_disk,
    "version": raise_version,
    "model": change_model,
    "passphrase": unlock,
}

if __name__ == "__main__":
    serve()
