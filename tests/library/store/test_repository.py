"""The repository, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.library import add_fingerprint, add_tracks, set_track, track_row

from auralis_fp import FINGERPRINT_VERSION, NAMES
from auralis_fp.library import FingerprintRepository, LibraryRepository
from auralis_fp.library.store.database import utc_now
from auralis_fp.library.store.tables import UNREAD
from auralis_fp.library.work.protocol import ClaimKeeper, FailureKeeper

VALUES = {name: float(index) for index, name in enumerate(NAMES)}


def another(repository: LibraryRepository, *, outdated: bool = False) -> LibraryRepository:
    """Return a second process's view of the same database."""
    return LibraryRepository(
        repository.database.url, claim_timeout_s=repository.claim_timeout_s, outdated=outdated
    )


def test_it_is_what_the_extractor_and_the_queue_ask_for(repository: LibraryRepository) -> None:
    assert isinstance(repository, FingerprintRepository)
    assert isinstance(repository, FailureKeeper)
    assert isinstance(repository, ClaimKeeper)


def test_a_result_is_stored_whole(repository: LibraryRepository) -> None:
    (track,) = add_tracks(repository, ["/music/a.wav"])
    assert not repository.exists(track)
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    assert (claim.id, claim.filepath) == (track, "/music/a.wav")
    assert track_row(repository.database, track)["fingerprint_status"] == "processing"
    assert repository.upsert(track, VALUES)
    row = track_row(repository.database, track)
    assert row["fingerprint_status"] == "complete"
    assert row["fingerprint_computed_at"] is not None
    assert json.loads(str(row["fingerprint_vector"])) == list(VALUES.values())
    stored = repository.get_by_track_id(track)
    assert stored is not None
    assert dict(stored) == VALUES
    assert (stored.fingerprint_version, stored.tempo_bpm) == (FINGERPRINT_VERSION, VALUES["tempo_bpm"])
    assert repository.exists(track)
    assert repository.claim_next_unfingerprinted_track() is None
    # Again, without a claim: it is replaced, not duplicated.
    assert repository.upsert(track, VALUES | {"lufs": -7.0})
    stored = repository.get_by_track_id(track)
    assert stored is not None
    assert stored["lufs"] == -7.0
    with repository.database.read() as connection:
        fingerprints = repository.database.fingerprints
        assert connection.execute(select(func.count()).select_from(fingerprints)).scalar_one() == 1


@pytest.mark.parametrize(
    ("told", "meanwhile", "title"),
    [
        ({"title": "Song", "artist": None}, {}, "Song"),
        ({"title": "Song", "channels": 2**70}, {}, "a"),  # no column holds that: it is worth no fingerprint
        ({"title": "Song"}, {"title": "Mine", "fingerprint_error_message": None}, "Mine"),
        ({}, {}, "a"),
    ],
)
@pytest.mark.parametrize("placeholder", [False, True])
def test_tags_are_stored_with_the_result(
    repository: LibraryRepository,
    told: dict[str, object],
    meanwhile: dict[str, object],
    title: str,
    placeholder: bool,
) -> None:
    (track,) = add_tracks(repository, ["/music/a.wav"])
    set_track(repository.database, track, fingerprint_error_message=UNREAD)
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.new
    repository.fill_in(track, told)
    assert track_row(repository.database, track)["title"] == "a"
    if meanwhile:
        set_track(repository.database, track, **meanwhile)
    if placeholder:  # of another program, which does not know of the claim
        add_fingerprint(repository.database, track, version=5, value=-100.0)
    assert repository.upsert(track, VALUES)
    row = track_row(repository.database, track)
    assert (row["title"], row["fingerprint_status"], row["fingerprint_error_message"]) == (
        title,
        "complete",
        None,
    )
    stored = repository.get_by_track_id(track)
    assert stored is not None
    assert dict(stored) == VALUES
    with repository.database.read() as connection:
        fingerprints = repository.database.fingerprints
        assert connection.execute(select(func.count()).select_from(fingerprints)).scalar_one() == 1


def test_tags_wait_for_a_result(repository: LibraryRepository) -> None:
    (track,) = add_tracks(repository, ["/music/a.wav"])
    set_track(repository.database, track, fingerprint_error_message=UNREAD)
    for ends in (repository.release_claim, lambda track: repository.mark_error(track, "broken")):
        claim = repository.claim_next_unfingerprinted_track()
        assert claim is not None
        assert claim.new
        repository.fill_in(track, {"title": "Song"})
        ends(track)
    row = track_row(repository.database, track)
    assert (row["title"], row["fingerprint_error_message"]) == ("Song", "broken")


@pytest.mark.parametrize("bad", [{"lufs": math.nan}, {"lufs": math.inf}, None])
def test_values_that_are_no_fingerprint_are_refused(
    repository: LibraryRepository, bad: dict[str, float] | None
) -> None:
    (track,) = add_tracks(repository, ["/music/a.wav"])
    values = {"tempo_bpm": 120.0} if bad is None else VALUES | bad
    with pytest.raises(ValueError, match="no finite number for"):
        repository.upsert(track, values)
    assert not repository.exists(track)


def test_an_unknown_track_gets_nothing(repository: LibraryRepository) -> None:
    assert not repository.upsert(4711, VALUES)
    assert not repository.mark_error(4711, "nothing there")
    assert repository.get_by_track_id(4711) is None


def test_claims_have_one_winner(repository: LibraryRepository) -> None:
    add_tracks(repository, [f"/music/{index}.wav" for index in range(60)])
    processes = [repository, another(repository), another(repository)]
    barrier = threading.Barrier(9)

    def claim_all(process: LibraryRepository) -> list[int]:
        claimed = []
        barrier.wait()
        while (track := process.claim_next_unfingerprinted_track()) is not None:
            claimed.append(track.id)
        return claimed

    with ThreadPoolExecutor(9) as pool:
        claims = [track for ids in pool.map(claim_all, processes * 3) for track in ids]
    assert len(claims) == 60
    assert len(set(claims)) == 60
    assert processes[0].claims_of_others() == 60 - len(processes[0]._claims.held)
    for process in processes[1:]:
        process.close()


def test_a_dead_workers_claim_expires_and_its_late_result_is_not_stored(database_url: str) -> None:
    dead = LibraryRepository(database_url, claim_timeout_s=1.0)
    (track,) = add_tracks(dead, ["/music/a.wav"])
    heir = another(dead)
    assert dead.claim_next_unfingerprinted_track() is not None
    assert heir.claim_next_unfingerprinted_track() is None
    assert heir.claims_of_others() == 1
    time.sleep(1.1)
    claim = heir.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.id == track
    assert dead.renew_claims() == [track]
    assert not dead.upsert(track, VALUES)
    assert track_row(heir.database, track)["fingerprint_status"] == "processing"
    assert heir.upsert(track, VALUES | {"lufs": -9.0})
    assert not dead.mark_error(4711, "")
    stored = dead.get_by_track_id(track)
    assert stored is not None
    assert stored["lufs"] == -9.0
    dead.close()
    heir.close()


def test_a_living_workers_claim_is_renewed(database_url: str) -> None:
    alive = LibraryRepository(database_url, claim_timeout_s=1.0)
    (track,) = add_tracks(alive, ["/music/a.wav"])
    rival = another(alive)
    assert alive.claim_next_unfingerprinted_track() is not None
    for _beat in range(6):
        time.sleep(0.2)
        assert alive.renew_claims() == []
        assert rival.claim_next_unfingerprinted_track() is None
    assert alive.upsert(track, VALUES)
    alive.close()
    rival.close()


def test_a_released_claim_is_free_at_once_or_later(repository: LibraryRepository) -> None:
    first, second = add_tracks(repository, ["/music/a.wav", "/music/b.wav"])
    claims = [repository.claim_next_unfingerprinted_track() for _ in range(2)]
    assert [claim.id for claim in claims if claim] == [first, second]
    repository.release_claim(first)
    repository.release_claim(second, retry_later=True)
    assert track_row(repository.database, second)["fingerprint_status"] == "pending"
    again = repository.claim_next_unfingerprinted_track()
    assert again is not None
    assert again.id == first
    assert repository.claim_next_unfingerprinted_track() is None
    # Another run, started later, tries it.
    later = another(repository)
    claim = later.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.id == second
    later.close()


def test_failures_wait_until_asked_for(repository: LibraryRepository) -> None:
    first, second = add_tracks(repository, ["/music/a.wav", "/music/b.wav"])
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    assert repository.mark_error(first, "torn\0 apart \udce9")
    row = track_row(repository.database, first)
    assert (row["fingerprint_status"], row["fingerprint_error_message"]) == ("error", "torn apart \\udce9")
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.id == second
    repository.mark_error(second, "too")
    assert repository.claim_next_unfingerprinted_track() is None
    assert repository.get_missing_fingerprints() == []
    assert repository.retry_failed([second]) == 1
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.id == second
    assert track_row(repository.database, second)["fingerprint_error_message"] is None
    assert repository.retry_failed() == 1


@dataclass
class Left:
    """Tracks as older programs leave them, and one of ours."""

    placeholder: int
    dead: int
    old: int
    ours: int
    bare: int


@pytest.fixture
def left(repository: LibraryRepository) -> Left:
    tracks = Left(*add_tracks(repository, [f"/music/{n}.wav" for n in "abcde"]))
    database = repository.database
    add_fingerprint(database, tracks.placeholder, 1, -100)
    set_track(database, tracks.placeholder, fingerprint_status="complete")
    add_fingerprint(database, tracks.dead, 1, -100)
    set_track(database, tracks.dead, fingerprint_status="processing", fingerprint_started_at=None)
    add_fingerprint(database, tracks.old, 7)
    add_fingerprint(database, tracks.ours, FINGERPRINT_VERSION)
    set_track(database, tracks.bare, fingerprint_status=None)
    return tracks


def test_placeholders_are_no_fingerprints(repository: LibraryRepository, left: Left) -> None:
    assert not any(repository.exists(track) for track in (left.placeholder, left.dead, left.bare))
    assert repository.exists(left.old)
    assert repository.exists(left.ours)
    assert repository.get_by_track_id(left.placeholder) is None
    missing = [left.placeholder, left.dead, left.bare]
    assert [track.id for track in repository.get_missing_fingerprints()] == missing
    assert [track.id for track in repository.get_missing_fingerprints(limit=1)] == missing[:1]


def test_what_older_programs_left_is_claimed(repository: LibraryRepository, left: Left) -> None:
    repository.reconcile()
    tracks = (left.placeholder, left.bare, left.old, left.ours)
    states = [track_row(repository.database, track)["fingerprint_status"] for track in tracks]
    assert states == ["pending", "pending", "complete", "complete"]
    claimed = []
    while (track := repository.claim_next_unfingerprinted_track()) is not None:
        claimed.append(track.id)
        assert repository.upsert(track.id, VALUES)
    assert sorted(claimed) == [left.placeholder, left.dead, left.bare]


def test_old_versions_wait_for_outdated(repository: LibraryRepository) -> None:
    old, ours = add_tracks(repository, ["/music/old.wav", "/music/ours.wav"])
    add_fingerprint(repository.database, old, 7)
    add_fingerprint(repository.database, ours, FINGERPRINT_VERSION)
    repository.reconcile()
    assert repository.claim_next_unfingerprinted_track() is None
    outdated = another(repository, outdated=True)
    assert outdated.work_left().tracks == 1
    track = outdated.claim_next_unfingerprinted_track()
    assert track is not None
    assert track.id == old
    assert outdated.upsert(old, VALUES)
    assert outdated.claim_next_unfingerprinted_track() is None
    outdated.close()


def test_a_renewal_given_up_keeps_the_old_fingerprint(repository: LibraryRepository) -> None:
    (old,) = add_tracks(repository, ["/music/old.wav"])
    add_fingerprint(repository.database, old, 7)
    repository.reconcile()
    outdated = another(repository, outdated=True)
    assert outdated.claim_next_unfingerprinted_track() is not None
    outdated.release_claim(old)
    assert track_row(repository.database, old)["fingerprint_status"] == "complete"
    assert outdated.get_by_track_id(old) is not None
    outdated.close()
    final = another(repository, outdated=True)
    track = final.claim_next_unfingerprinted_track()
    assert track is not None
    assert track.id == old
    final.close()


def test_an_interrupted_recomputation_leaves_the_old_fingerprint(database_url: str) -> None:
    killed = LibraryRepository(database_url, claim_timeout_s=0.2, outdated=True)
    (track,) = add_tracks(killed, ["/music/a.wav"])
    add_fingerprint(killed.database, track, 5)
    killed.reconcile()
    assert killed.claim_next_unfingerprinted_track() is not None
    killed.close()
    time.sleep(0.25)
    plain = LibraryRepository(database_url, claim_timeout_s=0.2)
    plain.reconcile()
    assert plain.claim_next_unfingerprinted_track() is None
    assert track_row(plain.database, track)["fingerprint_status"] == "complete"
    stored = plain.get_by_track_id(track)
    assert stored is not None
    assert stored.fingerprint_version == 5
    plain.close()


def test_a_failed_transaction_stores_nothing(repository: LibraryRepository) -> None:
    (track,) = add_tracks(repository, ["/music/a.wav"])
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None

    class Broken(dict[str, float]):
        def get(self, name: str, default: object = None) -> float:
            if name == "fingerprint_version":
                return 2.0**70  # no INTEGER column takes it, and the track's row is updated first
            return 1.0

    with pytest.raises(Exception, match=r"int|range|large"):
        repository.upsert(track, Broken())
    assert track_row(repository.database, track)["fingerprint_status"] == "processing"
    assert not repository.exists(track)
    assert repository.upsert(track, VALUES)


def test_work_left_counts_tracks_and_bytes(repository: LibraryRepository) -> None:
    first, second, _third = add_tracks(repository, ["/music/a.wav", "/music/b.wav", "/music/c.wav"])
    set_track(repository.database, first, filesize=1000)
    set_track(repository.database, second, filesize=500)
    left = repository.work_left()
    assert (left.tracks, left.bytes, left.sized_tracks) == (3, 1500, 2)
    assert repository.claim_next_unfingerprinted_track() is not None
    assert repository.work_left().tracks == 2


def test_claims_of_another_time_format_expire(library: LibraryRepository) -> None:
    (track,) = add_tracks(library, ["/music/a.wav"])
    earlier = (utc_now() - timedelta(minutes=6)).isoformat()  # with a "T" between date and time
    with library.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE tracks SET fingerprint_status = 'processing', fingerprint_started_at = ?", (earlier,)
        )
    claim = library.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.id == track


def test_a_row_that_a_trigger_takes_away_is_one_failure(postgresql: Callable[[], str]) -> None:
    repository = LibraryRepository(postgresql())
    gone, other = add_tracks(repository, ["/music/a.wav", "/music/b.wav"])
    with repository.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION take_away() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN DELETE FROM tracks WHERE id = NEW.id; RETURN NULL; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER take_away AFTER UPDATE ON tracks FOR EACH ROW "
            f"WHEN (NEW.id = {gone}) EXECUTE FUNCTION take_away()"
        )
    claims = [repository.claim_next_unfingerprinted_track() for _ in range(3)]
    assert [(claim.id, bool(claim.fault)) for claim in claims if claim] == [(gone, True), (other, False)]
    repository.close()


def test_names_that_are_not_utf8_survive_the_database(repository: LibraryRepository) -> None:
    from auralis_fp.library.store.filenames import from_column, to_column

    name = "/music/caf\udce9/100%.wav"
    assert to_column("/music/café/100%.wav") == "/music/café/100%.wav"
    add_tracks(repository, [to_column(name)])
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    assert claim.filepath == name
    assert from_column(to_column(name)) == name
