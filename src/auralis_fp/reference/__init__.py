"""The definition of the 25 dimensions as runnable Python, and the fallback where no compiled core exists.

:mod:`auralis_fp.reference.definition` is the definition. Needs the extra ``auralis-fp[reference]``.
"""

from auralis_fp.reference.analysis import analyze, analyze_samples

__all__ = ["analyze", "analyze_samples"]
