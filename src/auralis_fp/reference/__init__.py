"""The definition of the 25 dimensions as runnable Python, and the fallback where no compiled core exists.

Needs the extra ``auralis-fp[reference]``.
"""

from auralis_fp.reference.definition import analyze, analyze_samples

__all__ = ["analyze", "analyze_samples"]
