"""Analysis in other processes, so that a file that kills its process takes nothing else with it.

A decoder that crashes, or a system that runs out of memory, ends the whole process with all its threads.
Here the process that ends is a worker: one file at a time, started again when the next file comes. The
file is run once more in a worker that has seen no other file; what comes of that is the verdict.

This is no sandbox: workers have all the rights of the program that starts them.
"""

from auralis_fp.isolation.pool import MEMORY_LIMIT, IsolatedAnalyzer
from auralis_fp.isolation.process import interpreter

__all__ = ["MEMORY_LIMIT", "IsolatedAnalyzer", "interpreter"]
