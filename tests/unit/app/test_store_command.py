"""`store` and the passphrase: where it comes from, how often it is asked for, what must be typed before."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import passphrases
from app.command_line import main
from pipeline.records import CardiologyRequest
from pipeline.store import keys, vault
from pipeline.store.database import Store

WORDS, NEW_WORDS = "old words of the store", "new words of the store"


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(keys, "KDF_ITERATIONS", 2)
    monkeypatch.setattr(passphrases, "forbid_core_dumps", lambda: None)
    monkeypatch.setattr("app.store.forbid_core_dumps", lambda: None)
    for name in (passphrases.VARIABLE, passphrases.NEW_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    yield
    keys._UNLOCKED.clear()


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    """The option that names a data folder with one run in an unencrypted store."""
    with Store.open(tmp_path / "data" / "chordae.sqlite") as store:
        store.start_run("r1", CardiologyRequest(ecg_path=Path("e.csv")))
        store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json="{}")
    return ["--data-dir", str(tmp_path / "data")]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chordae.sqlite"


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A terminal at which somebody types: passphrases unseen, lines seen."""

    def at(*words: str, line: str = "") -> list[str]:
        left, prompts = list(words), []

        def unseen(prompt: str) -> str:
            prompts.append(prompt)
            return left.pop(0)

        terminal = io.StringIO(f"{line}\n")
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr(passphrases, "getpass", unseen)
        return prompts

    return at


def locked(place: Path) -> bool:
    keys._UNLOCKED.clear()
    return keys.is_locked(place)


def test_a_store_is_encrypted_at_the_terminal(
    data: list[str], place: Path, types: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    types(WORDS, WORDS, line="no way back")
    assert main(["store", "encrypt", *data]) == 0
    assert "If the passphrase is lost, the data is lost." in capsys.readouterr().err
    assert locked(place)
    prompts = types("wrong words, first", "wrong words, second", WORDS)
    assert main(["runs", *data]) == 0
    said = capsys.readouterr()
    assert len(prompts) == 3
    assert "r1" in said.out
    assert said.err.count("Nothing was changed.") == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [((WORDS, NEW_WORDS), "no way back"), ((WORDS, WORDS), "yes"), ((), ""), (("short", "short"), "no way back")],
)
def test_what_was_not_meant_changes_nothing(
    data: list[str], place: Path, types: Callable[..., list[str]], words: tuple[str, ...], line: str
) -> None:
    before = place.read_bytes()
    types(*words, line=line)
    assert main(["store", "encrypt", *data]) in (1, 2)
    assert place.read_bytes() == before


def test_after_three_tries_nothing_was_changed(
    data: list[str], place: Path, types: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    vault.encrypt(place, WORDS)
    assert locked(place)
    before = place.read_bytes()
    prompts = types(*["wrong words again"] * 5)
    assert main(["show", "r1", *data]) == 1
    assert len(prompts) == 3
    assert "E_STORE_PASSPHRASE" in capsys.readouterr().err
    assert place.read_bytes() == before


def test_the_passphrase_comes_by_a_private_file(
    data: list[str], place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "words"
    file.write_text(f"{WORDS}\n")
    file.chmod(0o640)
    asked = [*data, "--passphrase-file", str(file)]
    assert main(["store", "encrypt", "--no-way-back", *asked]) == 2
    assert "chmod 600" in capsys.readouterr().err
    file.chmod(0o600)
    assert main(["store", "encrypt", "--no-way-back", *asked]) == 0
    assert locked(place)
    assert main(["audit", "verify", *asked]) == 0
    assert main(["store", "query", "SELECT act, detail FROM audit ORDER BY seq DESC LIMIT 2", "--csv", *asked]) == 0
    assert capsys.readouterr().out.endswith("act,detail\nview,query of the store\nstore,store encrypted\n")
    for wrong in (tmp_path, tmp_path / "none"):
        assert main(["runs", *data, "--passphrase-file", str(wrong)]) == 2


def test_the_passphrase_comes_by_a_pipe(data: list[str], place: Path) -> None:
    vault.encrypt(place, WORDS)
    reads, writes = os.pipe()
    os.write(writes, WORDS.encode())
    os.close(writes)
    os.fchmod(reads, stat.S_IRUSR | stat.S_IWUSR)
    assert locked(place)
    assert main(["runs", *data, "--passphrase-file", f"/dev/fd/{reads}"]) == 0
    os.close(reads)


def test_the_environment_is_emptied_of_the_passphrase(
    data: list[str], place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.encrypt(place, WORDS)
    assert locked(place)
    monkeypatch.setenv(passphrases.VARIABLE, WORDS)
    monkeypatch.setenv(passphrases.NEW_VARIABLE, NEW_WORDS)
    assert main(["store", "passphrase", "--no-way-back", *data]) == 0
    assert passphrases.VARIABLE not in os.environ
    assert passphrases.NEW_VARIABLE not in os.environ
    assert locked(place)
    monkeypatch.setenv(passphrases.VARIABLE, NEW_WORDS)
    assert main(["store", "decrypt", *data]) == 0
    assert not locked(place)
    assert WORDS not in "".join(capsys.readouterr())


def test_a_new_store_is_encrypted_where_a_passphrase_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(passphrases.VARIABLE, WORDS)
    assert main(["runs", "--data-dir", str(tmp_path)]) == 0
    assert locked(tmp_path / "chordae.sqlite")


def test_an_unencrypted_store_says_that_the_passphrase_was_not_used(
    data: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(passphrases.VARIABLE, WORDS)
    assert main(["runs", *data]) == 0
    assert "not encrypted" in capsys.readouterr().err


def test_a_run_that_cannot_open_the_store_says_so_in_its_report(
    data: list[str], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not go on without the store, as it would with a store that cannot be written."""
    vault.encrypt(place, WORDS)
    assert locked(place)
    monkeypatch.setenv(passphrases.VARIABLE, "wrong words, alas")
    report = tmp_path / "report.json"
    assert main(["run", "--ecg", "e.csv", "--report", str(report), *data]) == 1
    assert json.loads(report.read_text())["error"]["code"] == "E_STORE_PASSPHRASE"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["store", "decrypt"], 1),
        (["store", "passphrase"], 1),
        (["store", "query"], 2),
        (["store", "encrypt", "SELECT 1"], 2),
        (["store", "query", "nonsense"], 2),
        (["store", "query", "DELETE FROM runs"], 2),
        (["store", "encrypt"], 2),
    ],
)
def test_wrong_use_changes_nothing(data: list[str], place: Path, line: list[str], code: int) -> None:
    with Store.open(place) as store:
        n_runs = len(store.runs())
    assert main([*line, *data]) == code
    with Store.open(place) as store:
        assert len(store.runs()) == n_runs


def test_no_option_takes_a_passphrase() -> None:
    """What stands on a command line can be read by every user of the machine."""
    listed = subprocess.run(
        [sys.executable, "-m", "app", "store", "--help"], capture_output=True, text=True, check=True
    )
    assert "--passphrase-file" in listed.stdout
    assert "--passphrase " not in listed.stdout
    assert main(["runs", "--passphrase", "words in sight"]) == 2


def test_the_doctor_names_the_encryption(
    data: list[str], place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app import doctor
    from app.paths import AppPaths

    def said() -> str:
        return "\n".join(f"{each.name}: {each.text}" for each in doctor.check_store(AppPaths(place.parent)))

    assert "SQLCipher" in said()
    assert "not encrypted, 1 runs" in said()
    vault.encrypt(place, WORDS)
    assert "store: encrypted, 1 runs" in said()
    assert "workers' files: in " in said()
    assert locked(place)
    assert "its passphrase was not given" in said()
    monkeypatch.setattr("pipeline.store.drivers.can_encrypt", lambda: False)
    assert "sqlcipher3 is not installed" in said()
