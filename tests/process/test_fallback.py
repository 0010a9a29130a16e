"""Without the compiled core the reference analyzer takes over, or one clear error tells why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import write_wav

# A CPU level that no installation has stands for a module that cannot be imported.
WITHOUT_CORE = {**os.environ, "AURALIS_FP_CPU_LEVEL": "abacus"}


def python(code: str, *arguments: Path) -> str:
    command = [sys.executable, "-W", "always", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=WITHOUT_CORE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = synth.to_int16(synth.song("house", 5, 22050))
    return write_wav(tmp_path_factory.mktemp("fallback") / "song.wav", samples, 22050, seconds=5)


def test_the_reference_takes_over_with_one_warning(wav: Path) -> None:
    import auralis_fp

    code = """
import sys, warnings
import numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import auralis_fp
    assert auralis_fp.build_info()["engine"] == "reference"
    by_path = auralis_fp.analyze(sys.argv[1])
    by_bytes = auralis_fp.analyze_bytes(open(sys.argv[1], "rb").read())
    samples = np.frombuffer(open(sys.argv[1], "rb").read()[44:], np.int16).reshape(-1, 2)
    by_samples = auralis_fp.analyze_samples(samples, 22050)
ours = [w for w in caught if "compiled core cannot be imported" in str(w.message)]
assert len(ours) == 1 and "abacus" in str(ours[0].message), ours
assert by_path.vector.tolist() == by_bytes.vector.tolist() == by_samples.vector.tolist()
print(*by_path.vector)
"""
    reference = np.array(python(code, wav).split(), float)
    np.testing.assert_allclose(auralis_fp.analyze(wav).vector, reference, rtol=1e-3, atol=1e-3)


def test_without_the_reference_one_error_names_both_reasons(wav: Path) -> None:
    code = """
import sys
sys.modules["librosa"] = None  # as if not installed
import auralis_fp
try:
    auralis_fp.analyze(sys.argv[1])
except ImportError as error:
    print(error)
"""
    message = python(code, wav)
    assert "abacus" in message
    assert "librosa" in message
    assert "auralis-fp[reference]" in message
