"""The compiled core against the reference analyzer on real music (collected only where a folder is given)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from support.cases import Excerpt
from support.encode import decode, duration_s
from support.references import References
from support.tolerances import BUILD, PARITY, assert_agree

import auralis_fp

pytestmark = pytest.mark.unsanitized(
    "compares with the reference analyzer, whose packages are not built for it"
)

AUDIO: Final = {".aac", ".aiff", ".ape", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav", ".wma", ".wv"}
TRACKS: Final = sorted(
    path for path in Path(os.environ["AURALIS_FP_MUSIC_DIR"]).iterdir() if path.suffix.lower() in AUDIO
)
SHORTEST: Final = sorted(TRACKS, key=duration_s)[:2]  # librosa takes a tenth of the playing time
CASES: Final = [Excerpt(path, 20, 32) for path in TRACKS] + [Excerpt(path) for path in SHORTEST]


def test_the_folder_holds_music() -> None:
    assert TRACKS


@pytest.mark.parametrize("case", CASES, ids=str)
def test_core_agrees_with_reference(case: Excerpt, references: References) -> None:
    measured = auralis_fp.analyze_samples(case.samples(), case.rate)
    assert_agree(measured, references.of(case), PARITY)


@pytest.mark.parametrize("path", TRACKS, ids=lambda path: path.name)
def test_file_gives_what_its_decoded_samples_give(path: Path) -> None:
    samples, rate = decode(path)
    measured = auralis_fp.analyze(path)
    assert measured.metadata.samples_decoded == len(samples)
    assert measured.metadata.damaged_packets == 0
    assert_agree(measured, auralis_fp.analyze_samples(samples, rate), BUILD)
