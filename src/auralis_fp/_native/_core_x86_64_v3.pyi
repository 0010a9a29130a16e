"""The compiled core; all CPU levels have the same interface."""

from types import ModuleType
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

BLOCK_FRAMES: int
testing: ModuleType  # vector kernels and inner results of features, for tests

@final
class CancelToken:
    def __init__(self) -> None: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

# What an analysis returns: (values, metadata), or (kind, stage, cause) of an error.
_Outcome: TypeAlias = tuple[NDArray[np.float64], dict[str, Any]] | tuple[str, str, str]

def analyze_file(
    path: bytes, timeout: float | None, cancel: CancelToken | None, check_signals: bool
) -> _Outcome: ...
def analyze_bytes(
    data: object, timeout: float | None, cancel: CancelToken | None, check_signals: bool
) -> _Outcome: ...
def analyze_samples(
    samples: NDArray[np.float32] | NDArray[np.int16],
    sample_rate: int,
    timeout: float | None,
    cancel: CancelToken | None,
    check_signals: bool,
    block_frames: int,
) -> _Outcome: ...
def build_info() -> dict[str, Any]: ...
