"""Analysis in worker processes, so that a file that crashes its process does no other harm.

When a decoder crashes or memory runs out, the whole process ends with all its threads. Here it is a worker
process that ends; it measures one file at a time, and is replaced for the next file. The file is then
analysed once more in a fresh worker, and the outcome of that counts.

This is not a sandbox: workers have all the rights of the program that starts them.
"""

from auralis_fp.isolation.pool import MEMORY_LIMIT, IsolatedAnalyzer
from auralis_fp.isolation.process import interpreter

__all__ = ["MEMORY_LIMIT", "IsolatedAnalyzer", "interpreter"]
