"""``auralis-fp verify``: compare what is stored with the files."""

from __future__ import annotations

import sys

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import FAILED, count_option, database_option

__all__ = ["verify"]


@click.command()
@database_option
@count_option("--sample", "How many tracks, drawn at random.", default=20, least=1)
def verify(db: str, sample: int) -> None:
    """Analyse a sample of tracks again, and compare with what is stored.

    Exit status: 0 on success, 1 if a track differs or cannot be read, 2 if nothing could be done.
    """
    from auralis_fp.library.report.verification import verify_track
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.queries import sample_tracks
    from auralis_fp.library.work.analyzers import choose_analyzer

    tracks = sample_tracks(Database(db, readonly=True), sample)
    analyze = choose_analyzer(use_native=True)
    wrong = 0
    worst = 0.0
    for track in tracks:
        verdict = verify_track(track, analyze)
        worst = max(worst, verdict.worst)
        if verdict.agrees:
            continue
        wrong += 1
        print(f"{track.id}  {printable(track.path)}: {printable(verdict.error) or 'differs'}")
        for name, (stored, new) in verdict.differences.items():
            print(f"    {name}: stored {stored:.6g}, now {new:.6g}")
    print(
        f"{len(tracks) - wrong} of {len(tracks)} tracks agree; "
        f"largest difference {worst:.3g} of its tolerance"
    )
    if wrong:
        sys.exit(FAILED)
