"""What the tests of bad files expect of every refusal."""

from __future__ import annotations

import os
from typing import Final

import pytest

import auralis_fp
from auralis_fp import AnalysisError

LIMIT_S: Final = 1.0  # every refusal must come sooner: a Timeout is not the error that is expected


def refusal(path: str | bytes | os.PathLike[str]) -> AnalysisError:
    with pytest.raises(AnalysisError) as caught:
        auralis_fp.analyze(path, timeout=LIMIT_S)
    error = caught.value
    assert error.path == os.fsdecode(path)
    assert error.cause
    assert str(error) == f"{error.path}: {error.stage}: {error.cause}"
    return error
