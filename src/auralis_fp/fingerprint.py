"""The result of an analysis: 25 named numbers, and the metadata of the recording they describe."""

from __future__ import annotations

import html
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from auralis_fp.metadata import Metadata
from auralis_fp.schema import DIMENSIONS, NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Space = Any  # of auralis_fp.similarity, which is above this room

__all__ = ["Fingerprint", "Metadata", "NamedVector"]

_INDEX: Final = {name: index for index, name in enumerate(NAMES)}
_STAND_INS: Final = np.array([dimension.undefined for dimension in DIMENSIONS])


class NamedVector(Mapping[str, float]):
    """25 values: a read-only mapping of the names to floats; every name is an attribute too.

    Parameters
    ----------
    vector : ndarray of float64, shape (25,)
        In the order of :data:`auralis_fp.DIMENSIONS`; it is made read-only.
    """

    __slots__ = ("_vector",)

    def __init__(self, vector: NDArray[np.float64]) -> None:
        if vector.shape != (len(NAMES),):
            raise ValueError(f"a fingerprint has {len(NAMES)} values, not shape {vector.shape}")
        vector.setflags(write=False)
        self._vector = vector

    @property
    def vector(self) -> NDArray[np.float64]:
        """The values as a read-only float64 array of shape (25,), in the order of ``DIMENSIONS``."""
        return self._vector

    def __getitem__(self, name: str) -> float:
        return float(self._vector[_INDEX[name]])

    def __getattr__(self, name: str) -> float:
        if name in _INDEX:
            return self[name]
        # With name and obj, Python suggests the name that was meant: tempo_bpm for tempo.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *NAMES]

    def _ipython_key_completions_(self) -> list[str]:
        return list(NAMES)


class Fingerprint(NamedVector):
    """Read-only mapping of the 25 names to floats; every name is an attribute too.

    Parameters
    ----------
    values : array_like of 25 floats
        In the order of :data:`auralis_fp.DIMENSIONS`; NaN where a dimension could not be measured.
        Such a dimension takes its documented undefined value and is listed in :attr:`undefined`.
    metadata : Metadata
        Metadata of the recording.

    Examples
    --------
    >>> import numpy as np, auralis_fp
    >>> t = np.arange(5 * 44100) / 44100
    >>> fp = auralis_fp.analyze_samples(np.sin(2 * np.pi * 1000 * t).astype("float32"), 44100)
    >>> round(fp.mid_pct, 1), round(fp["crest_db"], 2)
    (100.0, 3.01)
    >>> len(fp), fp.vector.shape
    (25, (25,))
    """

    __slots__ = ("_metadata", "_undefined")

    def __init__(self, values: Any, metadata: Metadata) -> None:
        super().__init__(np.array(values, dtype=np.float64))
        self._undefined = frozenset(
            name for name, value in zip(NAMES, self._vector.tolist(), strict=True) if math.isnan(value)
        )
        if self._undefined:
            super().__init__(np.where(np.isnan(self._vector), _STAND_INS, self._vector))
        self._metadata = metadata

    @property
    def undefined(self) -> frozenset[str]:
        """Names of the dimensions that could not be measured and have their undefined value."""
        return self._undefined

    @property
    def metadata(self) -> Metadata:
        """Metadata of the recording: duration, sample rate, channels, codec, damage."""
        return self._metadata

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Fingerprint):
            return (
                np.array_equal(self._vector, other._vector)
                and self._undefined == other._undefined
                and self._metadata == other._metadata
            )
        return Mapping.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((self._vector.tobytes(), self._undefined, self._metadata))

    def __reduce__(self) -> tuple[object, ...]:
        values = [float("nan") if name in self._undefined else self[name] for name in NAMES]
        return Fingerprint, (values, self._metadata)

    def __repr__(self) -> str:
        m = self._metadata
        head = f"{m.codec}, {m.duration:.1f} s, {m.sample_rate} Hz, {m.channels} ch"
        findings = "".join(f", {finding}" for finding in m.findings)
        numbers = ", ".join(f"{name}={self.format_value(name)}" for name in NAMES)
        return f"Fingerprint({head}{findings}: {numbers})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks; what stands in it comes from the schema, not from the file."""
        cell = "<td>{}</td>".format
        rows = (
            f"<tr>{cell(d.name)}{cell(self.format_value(d.name))}{cell(d.unit)}{cell(d.meaning)}</tr>"
            for d in DIMENSIONS
        )
        m = self._metadata
        caption = ", ".join(
            (m.codec, f"{m.duration:.1f} s", f"{m.sample_rate} Hz", f"{m.channels} channels", *m.findings)
        )
        return f"<table><caption>{html.escape(caption)}</caption>{''.join(rows)}</table>"

    def format_value(self, name: str) -> str:
        """Return one value with four digits, or ``"undefined"``."""
        return "undefined" if name in self._undefined else f"{self[name]:.4g}"

    def plot(self, space: Space | None = None, *, title: str = "") -> Figure:
        """Return a picture: the 25 numbers among those of a library, and the energy by band.

        Parameters
        ----------
        space : Space, optional
            The library, as :meth:`auralis_fp.similarity.Space.fit` learns it; without it, the one of
            :meth:`~auralis_fp.similarity.Space.builtin`.
        title : str
            The heading, such as the name of the file.

        Returns
        -------
        matplotlib.figure.Figure
            ``savefig("song.png")`` or ``savefig("song.svg")`` writes it to a file.

        Raises
        ------
        ImportError
            matplotlib is not installed: ``pip install 'auralis-fp[plot]'``.
        """
        draw: Callable[..., Figure] = getattr(sys.modules[__name__], "draw")  # noqa: B009 - by __getattr__
        return draw(self, space, title=title)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python objects: the 25 values, ``undefined`` and ``metadata``."""
        return {
            **dict(self),
            "undefined": [name for name in NAMES if name in self._undefined],
            "metadata": asdict(self._metadata),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)


def __getattr__(name: str) -> Any:
    """Find what draws a fingerprint when one is drawn: it needs rooms that need this one."""
    if name == "draw":
        from auralis_fp.picture import draw

        return draw
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
