"""Comparisons of tracks by their 25 numbers: neighbours, distances, reasons, duplicates. Needs NumPy only."""

from auralis_fp.similarity.copies import Pairs, duplicate_pairs, duplicates
from auralis_fp.similarity.explanation import Explanation
from auralis_fp.similarity.index import Index
from auralis_fp.similarity.rows import as_rows
from auralis_fp.similarity.space import Space

__all__ = ["Explanation", "Index", "Pairs", "Space", "as_rows", "duplicate_pairs", "duplicates"]
