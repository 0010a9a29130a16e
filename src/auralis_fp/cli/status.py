"""``auralis-fp status``: how much of a library is done."""

from __future__ import annotations

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import count_option, database_option
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["status"]


@click.command()
@database_option
@count_option("--errors", "How many failures to list.", default=10)
def status(db: str, errors: int) -> None:
    """Show how many tracks have a fingerprint, and the latest failures."""
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.queries import library_status

    counts = library_status(Database(db, readonly=True), failures=errors)
    share = 100 * counts.fingerprinted / counts.tracks if counts.tracks else 100.0
    print(f"Tracks: {counts.tracks}, with a fingerprint: {counts.fingerprinted} ({share:.1f}%)")
    for name, count in sorted(counts.by_status.items()):
        print(f"  {name}: {count}")
    for version, count in counts.by_version.items():
        note = "" if version == FINGERPRINT_VERSION else " (not comparable; scan --outdated replaces them)"
        print(f"Fingerprints of version {version}: {count}{note}")
    if counts.placeholders:
        print(f"Placeholder rows without a fingerprint: {counts.placeholders}")
    if counts.failures:
        print("Latest failures:")
    for track_id, path, reason in counts.failures:
        print(f"  {track_id}  {printable(path)}: {printable(reason)}")
