"""The arguments of an extractor, in every form that applications use."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auralis_fp._types import Analyze

__all__ = ["Settings"]

# Arguments by position: here, in the versions of the application with an HTTP server, and in later ones.
_OURS: Final = ("use_sidecar_files", "use_native", "use_rust_server")
_WITH_STRATEGY: Final = ("use_sidecar_files", "fingerprint_strategy", "sampling_interval", "use_rust_server")
_WITH_TRACKS: Final = ("track_repository", "use_sidecar_files")

_STRATEGIES: Final = ("full-track", "sampling")


@dataclass(frozen=True, slots=True)
class Settings:
    """The arguments of :class:`FingerprintExtractor` after its repository."""

    use_sidecar_files: bool = True
    use_native: bool = True
    use_rust_server: bool | None = None
    track_repository: object = None
    fingerprint_strategy: str | None = None
    sampling_interval: float | None = None
    analyze: Analyze | None = None
    isolate: bool | None = None

    @classmethod
    def of(cls, arguments: Sequence[Any], options: Mapping[str, Any]) -> Settings:
        """Return the settings from the arguments of a call.

        Raises
        ------
        TypeError, ValueError
            The arguments are of no known form, or ask for something that does not exist.
        """
        names = _names(arguments)
        if len(arguments) > len(names):
            raise TypeError(f"{', '.join(names)}: an extractor has no more positional arguments")
        given = dict(zip(names, arguments, strict=False))
        for name in options:
            if name in given:
                raise TypeError(f"{name} is given twice, by position and by name")
            if name not in cls.__dataclass_fields__:
                raise TypeError(f"an extractor has no argument {name!r}")
        settings = cls(**{**given, **options})
        settings._check()
        if settings.use_rust_server is None:
            return settings
        _warn("use_rust_server is now called use_native: there is no server any more", DeprecationWarning)
        return cls(**{**given, **options, "use_native": settings.use_rust_server})

    def _check(self) -> None:
        for name in ("use_sidecar_files", "use_native", "use_rust_server", "isolate"):
            value = getattr(self, name)
            optional = name in ("use_rust_server", "isolate")
            if not (isinstance(value, bool) or (optional and value is None)):
                raise TypeError(f"{name} is True or False, not {value!r}")
        if isinstance(self.track_repository, str | bytes | int | float):
            raise TypeError(f"track_repository is an object that has tracks, not {self.track_repository!r}")
        if self.fingerprint_strategy not in (None, *_STRATEGIES):
            expected = " or ".join(map(repr, _STRATEGIES))
            raise ValueError(f"fingerprint_strategy is {expected}, not {self.fingerprint_strategy!r}")
        interval = self.sampling_interval
        if interval is not None and not (
            isinstance(interval, int | float) and not isinstance(interval, bool) and 0 < interval < math.inf
        ):
            raise ValueError(f"sampling_interval is a number of seconds, not {interval!r}")
        if self.fingerprint_strategy == "sampling" or (
            self.fingerprint_strategy is None and self.sampling_interval is not None
        ):
            _warn("the whole track is measured: there is no sampling any more", UserWarning)


def _names(arguments: Sequence[Any]) -> tuple[str, ...]:
    if arguments and not isinstance(arguments[0], bool):
        return _WITH_TRACKS
    return _WITH_STRATEGY if len(arguments) > 1 and isinstance(arguments[1], str) else _OURS


def _warn(message: str, category: type[Warning]) -> None:
    warnings.warn(message, category, stacklevel=5 if category is UserWarning else 4)
