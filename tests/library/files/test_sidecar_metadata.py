"""Metadata and builds in sidecars: written, read back with care, and kept apart from what others store."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import values_of

import auralis_fp
from auralis_fp import Metadata
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import FileState
from auralis_fp.library.files.sidecar_metadata import build_from, metadata_from, metadata_object

METADATA = Metadata(1.5, 44100, 2, "mp3", "mp3", 66150, 3, 2.0, 7, 1.0, -0.25, True)
BUILD = '{"engine": "core", "version": "0.1.0"}'


def metadata_of(song: str) -> Any:
    return json.loads(Path(song + ".25d").read_text())["metadata"]


def change_metadata(song: str, metadata: object) -> None:
    content = json.loads(Path(song + ".25d").read_text())
    Path(song + ".25d").write_text(json.dumps({**content, "metadata": metadata}))


def test_metadata_goes_into_the_sidecar_and_comes_back(song: str) -> None:
    sidecar.write(song, values_of(song), FileState.of(song), metadata=METADATA, build=BUILD)
    change_metadata(song, {**metadata_of(song), "note": "of another program"})
    content = sidecar.load(song)
    assert content is not None
    assert (content.metadata, content.build) == (METADATA, BUILD)
    # What describes another analysis is removed, what belongs to another program stays.
    sidecar.write(song, values_of(song), FileState.of(song))
    assert metadata_of(song) == {"note": "of another program"}
    content = sidecar.load(song)
    assert content is not None
    assert (content.metadata, content.build) == (None, None)


@pytest.mark.parametrize("metadata", [None, [], "text", 7])
def test_metadata_of_another_kind_is_left_alone(song: str, metadata: object) -> None:
    sidecar.write(song, values_of(song), FileState.of(song))
    change_metadata(song, metadata)
    sidecar.write(song, values_of(song), FileState.of(song), metadata=METADATA, build=BUILD)
    assert metadata_of(song) == metadata
    assert sidecar.read(song) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(sorted(asdict(METADATA))), JSON)
def test_one_wrong_field_costs_the_metadata(name: str, value: Any) -> None:
    stored = {**asdict(METADATA), name: value}
    metadata = metadata_from(stored)
    assert metadata is None or asdict(metadata) == stored
    if metadata is not None:
        json.dumps(stored, allow_nan=False)
    elif value == asdict(METADATA)[name]:
        assert type(value) is not type(asdict(METADATA)[name])
    assert metadata_from({key: field for key, field in stored.items() if key != name}) is None


@given(JSON)
def test_hostile_metadata_is_none(value: Any) -> None:
    assert metadata_from(value) is None
    build = build_from(value)
    assert build is None or json.loads(build)["engine"]
    assert build_from({"engine": "x" * 3000}) is None


def test_every_analysis_has_metadata_that_is_read_back() -> None:
    samples = np.random.default_rng(1).standard_normal(8000, np.float32)
    metadata = auralis_fp.analyze_samples(samples, 8000).metadata
    value = metadata_object(metadata)
    assert value is not None
    assert metadata_from(json.loads(json.dumps(value))) == metadata
    assert metadata_object(replace(metadata, peak=float("nan"))) is None
