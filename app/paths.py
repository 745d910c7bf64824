"""Where the application keeps its data: one private folder of the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StoreError

PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class AppPaths:
    """The files of one data folder."""

    data_folder: Path

    @property
    def store(self) -> Path:
        return self.data_folder / "chordae.sqlite"

    @property
    def settings(self) -> Path:
        return self.data_folder / "settings.json"

    @property
    def logs(self) -> Path:
        return self.data_folder / "logs"


def prepare_paths(data_dir: Path | None) -> AppPaths:
    """Paths of the data folder, made for the user alone when it is not there.

    Parameters
    ----------
    data_dir : Path | None
        The folder that the user named; None means the platform's own place for user data.

    Raises
    ------
    StoreError
        E_STORE_WRITE when the folder cannot be made.
    """
    folder = data_dir or default_data_folder()
    try:
        if not folder.is_dir():
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
            folder.chmod(PRIVATE_FOLDER)
    except OSError as error:
        raise StoreError("The data folder cannot be made.", code="E_STORE_WRITE") from error
    return AppPaths(folder)


def default_data_folder() -> Path:
    """The platform's folder for this user's application data."""
    from platformdirs import user_data_path

    return user_data_path("chordae", appauthor=False)
