"""Without the compiled core, the reference analyzer takes over, or one clear error says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import write_wav
from support.processes import run_program

import auralis_fp

pytestmark = [pytest.mark.any_level, pytest.mark.unsanitized("measures with the reference analyzer")]

# A CPU level that no installation has stands for a module that cannot be imported.
NO_SUCH_LEVEL = "abacus"
WITHOUT_CORE = {"AURALIS_FP_CPU_LEVEL": NO_SUCH_LEVEL}


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = synth.to_int16(synth.song("house", 5, 22050))
    return write_wav(tmp_path_factory.mktemp("fallback") / "song.wav", samples, 22050, seconds=5)


def test_the_reference_takes_over_with_one_warning(wav: Path) -> None:
    done = run_program("imports/reference_takes_over", wav, timeout=300, variables=WITHOUT_CORE)
    reference = np.array(done.stdout.split(), float)
    np.testing.assert_allclose(auralis_fp.analyze(wav).vector, reference, rtol=1e-3, atol=1e-3)


def test_without_the_reference_one_error_names_both_reasons(wav: Path) -> None:
    message = run_program("imports/no_reference", wav, variables=WITHOUT_CORE).stdout
    assert NO_SUCH_LEVEL in message
    assert "librosa" in message
    assert "auralis-fp[reference]" in message
