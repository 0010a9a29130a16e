"""The adapter in ``examples/`` for the later versions of the application, on a repository like theirs."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.library import FakeAnalyzer, Music

import auralis_fp
from auralis_fp import NAMES
from auralis_fp.library import ClaimedTrack, FingerprintExtractor, FingerprintQueue, FingerprintRepository

EXAMPLE = Path(__file__).parents[3] / "examples" / "later_application.py"


class Row:
    def __init__(self, values: Mapping[str, float]) -> None:
        self.__dict__.update(values)


class TheirFingerprints:
    """Stores every row as version 8, returns None if it fails, and cannot claim."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, float]] = {}
        self.locked = False

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any:
        if self.locked:
            return None
        self.rows[track_id] = {**fingerprint_data, "fingerprint_version": 8}
        return Row(self.rows[track_id])

    def get_by_track_id(self, track_id: int) -> Any:
        return Row(self.rows[track_id]) if track_id in self.rows else None

    def get_missing_fingerprints(self, limit: int | None = None) -> list[ClaimedTrack]:
        return []


class TheirClaims:
    """Marks a claim by a placeholder among the fingerprints."""

    def __init__(self, fingerprints: TheirFingerprints, songs: list[str]) -> None:
        self.fingerprints = fingerprints
        self.waiting = [ClaimedTrack(number, song) for number, song in enumerate(songs, 1)]

    def claim_next_unfingerprinted_track(self) -> ClaimedTrack | None:
        if not self.waiting:
            return None
        track = self.waiting.pop(0)
        self.fingerprints.rows[track.id] = {
            **dict.fromkeys(NAMES, 0.0), "lufs": -100.0, "fingerprint_version": 8
        }  # fmt: skip
        return track


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("later_application", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_numbers_arrive_in_the_applications_units(example: ModuleType, music: Music) -> None:
    songs, theirs = music(3), TheirFingerprints()
    repository = example.LaterRepository(theirs, TheirClaims(theirs, songs))
    assert isinstance(repository, FingerprintRepository)
    queue = FingerprintQueue(
        FingerprintExtractor(repository, use_sidecar_files=False), workers=2, until_empty=True
    )
    queue.start()
    assert queue.join(60)
    assert (queue.error, queue.statistics.analyzed) == (None, 3)
    for number, song in enumerate(songs, 1):
        measured, row = auralis_fp.analyze(song), theirs.rows[number]
        assert row["sub_bass_pct"] == measured.sub_bass_pct / 100
        assert sum(row[name] for name in NAMES if name.endswith("_pct")) == pytest.approx(1)
        assert row["chroma_energy"] == 1 - measured.chroma_energy
        assert row["peak_consistency"] == 1 - measured.peak_consistency
        assert (row["lufs"], row["fingerprint_version"]) == (measured.lufs, 8)
        assert repository.get_by_track_id(number) == pytest.approx({**measured, "fingerprint_version": 101})


def test_what_it_does_not_store_is_not_stored(example: ModuleType, music: Music) -> None:
    songs, theirs = music(1), TheirFingerprints()
    claims = TheirClaims(theirs, songs)
    repository = example.LaterRepository(theirs, claims)
    extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
    track = claims.claim_next_unfingerprinted_track()
    assert track is not None
    assert not repository.exists(track.id)
    theirs.locked = True
    assert not extractor.extract_and_store(track.id, track.filepath)
    assert not repository.exists(track.id)
    theirs.locked = False
    # A row of its own analyzer is a fingerprint, and not one of ours.
    theirs.rows[9] = {**dict.fromkeys(NAMES, 0.5), "lufs": -14.0, "fingerprint_version": 8}
    assert (repository.exists(9), repository.get_by_track_id(9)["fingerprint_version"]) == (True, 8)
    batch = extractor.extract_batch([(9, track.filepath), (track.id, track.filepath)])
    assert batch == {"success": 1, "failed": 0, "skipped": 1, "cached": 0}
