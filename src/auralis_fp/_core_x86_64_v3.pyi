"""The compiled core; all CPU levels have the same interface."""

from types import ModuleType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

BLOCK_FRAMES: int
kernels: ModuleType  # vector kernels on arrays, for tests

@final
class CancelToken:
    def __init__(self) -> None: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

def analyze_file(
    path: bytes, display_path: object, timeout: float | None, cancel: CancelToken | None
) -> tuple[NDArray[np.float64], dict[str, Any]]: ...
def analyze_bytes(
    data: memoryview, timeout: float | None, cancel: CancelToken | None
) -> tuple[NDArray[np.float64], dict[str, Any]]: ...
def analyze_samples(
    samples: NDArray[np.float32] | NDArray[np.int16],
    sample_rate: int,
    timeout: float | None,
    cancel: CancelToken | None,
    block_frames: int,
) -> tuple[NDArray[np.float64], dict[str, Any]]: ...
def build_info() -> dict[str, Any]: ...
