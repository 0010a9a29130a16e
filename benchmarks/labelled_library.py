"""A labelled library for benchmarks/similarity.py: the music of free games, from Debian's packages.

scripts/python benchmarks/labelled_library.py FOLDER [PACKAGE...]

Packages are downloaded with apt-get (5.8 GB in all) and unpacked, not installed; only their music is kept.
FOLDER then has a folder for each package, which a second run leaves alone, and labels.csv: the path of every
file, and the game it is from.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# fmt: off
PACKAGES: Final = [
    "0ad-data", "asc-music", "colobot-common-sounds", "endless-sky-data", "extremetuxracer-data",
    "fillets-ng-data", "flare-game", "freedroidrpg-data", "frozen-bubble-data", "hedgewars-data",
    "hyperrogue-music", "lincity-ng-data", "marsshooter-data", "megaglest-data", "naev-data",
    "neverball-data", "openarena-data", "pingus-data", "redeclipse-data", "singularity-music",
    "starfighter-data", "supertux-data", "supertuxkart-data", "tecnoballz-data", "torcs-data",
    "ufoai-music", "unknown-horizons", "warmux-data", "warzone2100-music", "widelands-data", "xmoto-data",
]
# fmt: on
MUSIC: Final = {".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav"}
ARCHIVES: Final = {".pk3", ".zip"}  # games keep music in them, too
SMALLEST: Final = 100_000  # bytes; what is smaller is a sound of half a minute at the most


def fetch(package: str, folder: Path) -> None:
    """Download a package and leave the music in it in ``folder``, and whose it is."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        subprocess.run(
            ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package], cwd=work, check=True
        )
        unpacked = work / "unpacked"
        for archive in work.glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, unpacked], check=True)
        for archive in [path for path in unpacked.rglob("*") if path.suffix in ARCHIVES]:
            with zipfile.ZipFile(archive) as file:
                wanted = [member for member in file.namelist() if Path(member).suffix.lower() in MUSIC]
                file.extractall(archive.with_suffix(""), wanted)
        for path in [path for path in unpacked.rglob("*") if path.is_file() or path.is_symlink()]:
            if path.is_symlink() or not (path.name == "copyright" or is_music(path)):
                path.unlink()
        shutil.move(unpacked, folder)


def is_music(path: Path) -> bool:
    return path.suffix.lower() in MUSIC and path.stat().st_size >= SMALLEST


def labelled(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of every recording of a library, relative to its folder, and its label."""
    for path in sorted(root.glob("*/**/*")):
        if path.is_file() and is_music(path):
            relative = path.relative_to(root)
            yield str(relative), relative.parts[0].removesuffix("-data").removesuffix("-music")


def main(root: Path, packages: list[str]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if not (root / package).exists():
            print(package, flush=True)
            fetch(package, root / package)
    with (root / "labels.csv").open("w", newline="") as file:
        rows = [("path", "label"), *labelled(root)]
        csv.writer(file).writerows(rows)
    print(f"{len(rows) - 1} files of {len({label for _, label in rows[1:]})} games")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:] or PACKAGES)
