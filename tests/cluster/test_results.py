"""The folder of a run: what is listed, the manifest, shards that are there or not, sums over them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs
from support.library import write_noise

from auralis_fp.cluster import Results, StorageError, analyze_table, list_files, storage, summarize
from auralis_fp.cluster.results import SHARD_FILES


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of five short files and one that is no audio, in three folders."""
    folder = tmp_path / "music"
    (folder / "b" / "c").mkdir(parents=True)
    for number, name in enumerate(["a.wav", "b/b.wav", "b/c/a.wav", "b/c/b.wav", "z.WAV"]):
        write_noise(folder / name, number)
    (folder / "b" / "bad.mp3").write_bytes(b"no audio")
    (folder / "cover.jpg").write_bytes(b"no audio either")
    return folder


def names(files: pa.Table, folder: Path) -> list[str]:
    return [os.path.relpath(uri, folder) for uri in files["uri"].to_pylist()]


def test_a_folder_is_listed_in_order(music: Path) -> None:
    files = list_files([music])
    assert names(files, music) == ["a.wav", "b/b.wav", "b/bad.mp3", "b/c/a.wav", "b/c/b.wav", "z.WAV"]
    assert files["size"].to_pylist()[0] == (music / "a.wav").stat().st_size


def test_a_file_is_listed_once(music: Path) -> None:
    assert list_files([music, music / "b", music / "a.wav"]).equals(list_files([music]))


@pytest.mark.parametrize("kind", ["parquet", "csv", "txt"])
def test_lists_name_files(kind: str, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bucket").mkdir()
    buckets = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(storage, "_filesystem", lambda scheme, authority: (buckets, authority))
    uris = ["s3://bucket/x, y.mp3", str(music / "a.wav"), "file:///caf%E9.wav", "http://x/y.mp3"]
    path = tmp_path / f"list.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"id": range(4), "uri": uris}), path)
    elif kind == "csv":
        path.write_text("id,uri\n" + "".join(f'{number},"{uri}"\n' for number, uri in enumerate(uris)))
    else:
        path.write_text("\n".join(uris) + "\n\n")
    assert list_files([path])["uri"].to_pylist() == sorted(uris)


def test_sources_that_cannot_be_listed_are_errors(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("a,b\n1,2\n")
    for source, cause in {
        str(tmp_path / "none"): "no such file or folder",
        str(tmp_path / "list.csv"): "no column uri",
        "http://127.0.0.1/list": "http is not read",
    }.items():
        with pytest.raises(StorageError, match=cause):
            list_files([source])


def test_a_run_is_resumed_by_the_shards_that_are_missing(music: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "output")
    assert results.manifest() is None
    assert results.finished() == []
    manifest = results.begin(list_files([music]), sources=[music], shard_files=4)
    assert (manifest.files, manifest.shards, manifest.sources) == (6, 2, (str(music),))
    assert Results(tmp_path / "output").manifest() == manifest
    assert results.missing(manifest) == [0, 1]
    results.write(1, analyze_table(results.files(1)))
    again = Results(tmp_path / "output")
    assert again.missing(manifest) == [0]
    assert names(again.files(0), music) == ["a.wav", "b/b.wav", "b/bad.mp3", "b/c/a.wav"]
    assert names(again.read(1), music) == ["b/c/b.wav", "z.WAV"]


def test_readers_of_data_sets_see_the_rows_alone(music: Path, tmp_path: Path) -> None:
    from pyarrow import dataset

    results = Results(tmp_path / "output")
    manifest = results.begin(list_files([music]), shard_files=4)
    for shard in results.missing(manifest):
        results.write(shard, analyze_table(results.files(shard)))
    rows = dataset.dataset(tmp_path / "output").to_table()
    assert rows.num_rows == 6
    assert names(rows, music) == names(list_files([music]), music)


def test_a_full_or_missing_disk_is_an_error_and_leaves_nothing(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = analyze_table(list_files([music]))
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    results = Results(tmp_path / "output")
    results.write(0, rows)

    def full(_path: str, _content: object) -> None:
        Path("/dev/full").write_bytes(b"x")

    monkeypatch.setattr(results, "_write", full)
    with pytest.raises(StorageError, match=r"output: No space left on device"):
        results.write(1, rows)
    assert results.finished() == [0]
    assert sorted(path.name for path in (tmp_path / "output").rglob("*") if path.is_file()) == [
        "shard-000000.parquet"
    ]
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/output"):
        Results(tmp_path / "file" / "output").check_writable()


def test_fingerprints_of_another_version_are_not_mixed_in(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("auralis_fp.cluster.results.FINGERPRINT_VERSION", 8)
        results.begin(list_files([music]))
    with pytest.raises(StorageError, match="version 8"):
        results.manifest()


def test_the_summary_counts_every_row(music: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "output")
    manifest = results.begin(list_files([music]), shard_files=4)
    assert manifest.shard_files != SHARD_FILES
    for shard in results.missing(manifest):
        results.write(shard, analyze_table(results.files(shard)))
    summary = summarize(results)
    assert (summary.files, summary.failed) == (6, 1)
    assert summary.failures == Counter({"Unsupported": 1})
    uri, cause = summary.examples["Unsupported"]
    assert uri.endswith("bad.mp3")
    assert cause
    assert summary.audio_seconds == pytest.approx(1.0)
    assert summary.bytes == sum(list_files([music])["size"].to_pylist())
    assert len(summary.slowest) == 5
    assert summary.core_seconds > 0
