"""The metadata of a recording, and the findings that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DC_OFFSET", "SILENT_PEAK", "TRUNCATED_SAMPLES", "Metadata"]

TRUNCATED_SAMPLES: Final = 8192
"""Samples that an intact file may declare beyond those it holds: encoder delay and padding of any codec."""

SILENT_PEAK: Final = 1e-4
"""Peak up to which a recording counts as silent: -80 dB below full scale, about three steps of 16 bits."""

DC_OFFSET: Final = 0.01
"""Offset from which it is a finding: 1 % of full scale, -40 dB."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata of the decoded recording.

    Attributes
    ----------
    duration : float
        Length of the decoded audio in seconds.
    sample_rate : int
        Samples per second and channel.
    channels : int
        Number of channels in the file.
    codec, container : str
        FFmpeg's names, e.g. ``"mp3"`` in ``"mp3"``; both ``"samples"`` for arrays.
    samples_decoded : int
        Samples per channel that were measured.
    damaged_packets : int
        Packets that could not be decoded and were skipped, places where the container was damaged, and
        one for an Ogg file without its end.
    declared_duration : float or None
        Length in seconds that the headers declare, encoder delay and padding included in some formats.
        None where they declare nothing, as in ADTS, AC-3, Ogg, or MP3 without a Xing header.
    clipped_runs : int
        Runs of at least three samples in a row at full scale (one 16-bit step below it, or beyond it),
        over all channels.
    peak : float
        Largest absolute sample of all channels; full scale is 1, which lossy formats may exceed.
    dc_offset : float
        Mean of the channel whose mean is farthest from zero; full scale is 1.
    identical_channels : bool
        Whether two or more channels all carry the same signal, to within half a 16-bit step: mono in stereo.
    """

    duration: float
    sample_rate: int
    channels: int
    codec: str
    container: str
    samples_decoded: int
    damaged_packets: int
    declared_duration: float | None = None
    clipped_runs: int = 0
    peak: float = 0.0
    dc_offset: float = 0.0
    identical_channels: bool = False

    @property
    def findings(self) -> tuple[str, ...]:
        """What a listener would want to know, in this order; empty for a flawless file.

        ``"truncated"``
            More than :data:`TRUNCATED_SAMPLES` of the declared samples are missing.
        ``"damaged_packets"``
            There is at least one damaged packet.
        ``"clipping"``
            There is at least one clipped run.
        ``"silent"``
            The peak is at most :data:`SILENT_PEAK`.
        ``"identical_channels"``
            All channels carry the same signal, and it is not silent.
        ``"dc_offset"``
            The offset is at least :data:`DC_OFFSET`.
        """
        declared = (self.declared_duration or 0) * self.sample_rate
        found = {
            "truncated": declared - self.samples_decoded > TRUNCATED_SAMPLES,
            "damaged_packets": self.damaged_packets > 0,
            "clipping": self.clipped_runs > 0,
            "silent": self.peak <= SILENT_PEAK,
            "identical_channels": self.identical_channels,
            "dc_offset": abs(self.dc_offset) >= DC_OFFSET,
        }
        return tuple(name for name, applies in found.items() if applies)
