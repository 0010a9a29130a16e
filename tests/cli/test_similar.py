"""The commands similar, playlist and duplicates as a person or a program runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.collections import add_artists, made_up, store_fingerprints
from support.library import run_command, write_noise

from auralis_fp.library.store.database import Database

COUNT = 60


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a library of long names, in which 60 is a copy of 1."""
    folder = tmp_path_factory.mktemp("similar")
    values = made_up(COUNT)
    values[-1] = values[0] * 1.001
    titles = [
        f"Song {one} with a name that no terminal is wide enough for, 歌 [bold]" for one in range(1, COUNT)
    ]
    durations = [100.0 + one for one in range(COUNT - 1)] + [100.1]
    paths = [folder / "music" / f"{one} é.flac" for one in range(COUNT)]
    path = store_fingerprints(
        folder / "library.db", values, titles=[*titles, "Copy"], durations=durations, paths=paths
    )
    add_artists(path, [f"An artist whose name is just as long {one % 12}" for one in range(COUNT)])
    return path


def lines(*arguments: str | Path) -> list[str]:
    done = run_command(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_tables_fit_a_terminal(database: Path) -> None:
    similar = lines("similar", "1", "--db", database, "--count", "5", "--why")
    listed = lines("playlist", "--from", "1", "--to", "Song 9 ", "--length", "6", "--db", database)
    for printed in (similar, listed):
        assert all(len(line.encode("utf-16-le")) / 2 <= 80 for line in printed[1:] if "Note" not in line)
        assert any("[bold]" in line or "…" in line for line in printed)
    assert sum("An artist" in line for line in similar[1:]) == 5
    assert sum(" is " in line or "equally" in line for line in similar) >= 4
    assert listed[-1].startswith("6 tracks, ")


def test_json_has_everything(database: Path) -> None:
    found = json.loads(
        "".join(lines("similar", "1", "2", "--db", database, "--count", "3", "--why", "--json"))
    )
    assert [one["id"] for one in found["like"]] == [1, 2]
    assert len(found["tracks"]) == 3
    first = found["tracks"][0]
    assert set(first) == {
        "id", "path", "title", "artist", "album", "duration", "tempo_bpm", "lufs", "distance", "score", "why",
        "contributions",
    }  # fmt: skip
    assert 0 <= first["score"] <= 100
    assert sum(map(abs, first["contributions"].values())) > 0


def test_a_playlist_is_written_for_players(database: Path, tmp_path: Path) -> None:
    output = tmp_path / "way.m3u8"
    printed = lines(
        "playlist", "--from", "3", "--to", "40", "--through", "20", "--minutes", "30", "--db", database,
        "--output", output, "--json",
    )  # fmt: skip
    found = json.loads("".join(printed))
    assert (found["tracks"][0]["id"], found["tracks"][-1]["id"]) == (3, 40)
    assert abs(found["seconds"] - 1800) <= 160
    text = output.read_text(encoding="utf-8").splitlines()
    assert text[0] == "#EXTM3U"
    assert text[1].startswith("#EXTINF:102,An artist whose name is just as long 2 - Song 3 with")
    paths = [line for line in text if not line.startswith("#")]
    resolved = [str((output.parent / path).resolve()) for path in paths]
    assert resolved == [one["path"] for one in found["tracks"]]
    assert all(path.startswith("../") for path in paths)


def test_duplicates_are_listed_with_the_best(database: Path) -> None:
    printed = lines("duplicates", "--db", database)
    assert printed[0] == "Recordings with copies: 1, 1 files more than needed"
    assert (
        " ".join(" ".join(printed).split()).count("all are equally good; this is the first in the library")
        == 1
    )
    assert [line.split()[:2] for line in printed if line.startswith("*")] == [["*", "1"]]
    found = json.loads("".join(lines("duplicates", "--db", database, "--json")))
    assert [[copy["id"] for copy in one["copies"]] for one in found["recordings"]] == [[1, 60]]


def test_a_file_outside_the_library_is_a_track_too(database: Path, tmp_path: Path) -> None:
    file = write_noise(tmp_path / "outside.wav", seconds=5)
    assert lines("similar", file, "--db", database, "--count", "2")[0] == "Like outside"
    (tmp_path / "bad.mp3").write_text("no audio")
    done = run_command("similar", tmp_path / "bad.mp3", "--db", database)
    assert (done.returncode, "bad.mp3: probe: " in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["similar", "Song"], "'Song' is part of 59 names: 1 (Song 1 with"),
        (["similar", "nothing"], "no track 'nothing' in this library, and no such file"),
        (
            ["similar", "1", "--weight", "loudness=2"],
            "'loudness' is neither a dimension nor one of the groups",
        ),
        (["similar", "1", "--weight", "rhythm"], "'rhythm' is not of the form rhythm=2"),
        (["similar", "1", "--weight", "rhythm=nan"], "the weight of rhythm must be 0 or more, not nan"),
        (["playlist"], "name a track to begin with: --like, --from, --to or --through"),
        (["playlist", "--like", "1", "--length", "3", "--minutes", "3"], "cannot be combined"),
        (["playlist", "--like", "1", "--tempo", "fast"], "'fast' is no range"),
        (["playlist", "--like", "1", "--tempo", "126-118"], "'126-118' is no range"),
        (["playlist", "--like", "1", "--output", "/no such folder/x.m3u8"], "No such file or directory"),
        (["playlist", "--from", "1", "--to", "60"], "asked for twice, or a copy of another track that is"),
    ],
)
def test_what_cannot_be_answered_is_one_line(database: Path, arguments: list[str], message: str) -> None:
    done = run_command(*arguments, "--db", database)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == (4 if done.stderr.startswith("Usage") else 1)


@pytest.mark.parametrize("arguments", [["similar", "1"], ["playlist", "--like", "1"], ["duplicates"]])
@pytest.mark.parametrize("kind", ["none", "empty", "old"])
def test_a_library_with_nothing_to_compare_is_one_line(
    tmp_path: Path, kind: str, arguments: list[str]
) -> None:
    path = tmp_path / "library.db"
    if kind == "empty":
        Database(path).close()
    elif kind == "old":
        store_fingerprints(path, made_up(2), version=7)
    message = {
        "none": "no such database",
        "empty": "no track has a fingerprint yet; run auralis-fp scan",
        "old": "all 2 fingerprints are of other versions",
    }[kind]
    done = run_command(*arguments, "--db", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_one_track_is_like_no_other(tmp_path: Path) -> None:
    path = store_fingerprints(tmp_path / "library.db", made_up(1))
    assert lines("similar", "1", "--db", path) == ["Like Song 1", "No other track can be compared."]


@pytest.mark.parametrize(
    ("given", "expected"), [("-16:-10", (-16, -10)), ("-16--10", (-16, -10)), ("-9.5..0", (-9.5, 0))]
)
def test_ranges_may_be_negative(database: Path, given: str, expected: tuple[float, float]) -> None:
    found = json.loads("".join(lines("playlist", "--like", "1", "--lufs", given, "--db", database, "--json")))
    assert all(expected[0] <= one["lufs"] <= expected[1] for one in found["tracks"][1:])
