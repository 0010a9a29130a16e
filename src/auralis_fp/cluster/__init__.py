"""Measuring beyond one machine: Arrow tables in and out, from local disks and object stores.

Needs the extra ``auralis-fp[cluster]``. :func:`analyze_table` works in every engine that takes a function on
Arrow tables. See ``docs/cluster.md``.
"""

try:
    import pyarrow  # noqa: F401
except ImportError as error:
    raise ImportError("auralis_fp.cluster needs pyarrow: pip install 'auralis-fp[cluster]'") from error

from auralis_fp.cluster.listing import list_files
from auralis_fp.cluster.results import Manifest, Results
from auralis_fp.cluster.rows import RESULT_SCHEMA
from auralis_fp.cluster.storage import StorageError
from auralis_fp.cluster.summary import Summary, summarize
from auralis_fp.cluster.table import analyze_batches, analyze_table

__all__ = [
    "RESULT_SCHEMA",
    "Manifest",
    "Results",
    "StorageError",
    "Summary",
    "analyze_batches",
    "analyze_table",
    "list_files",
    "summarize",
]
