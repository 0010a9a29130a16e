"""A library as one HTML file: a map of all tracks, their numbers, what is like what, and what is broken.

Needs the extra ``auralis-fp[page]``. The file asks nothing of the network.

Examples
--------
>>> from auralis_fp.library import Database
>>> from auralis_fp.library.page import write_page
>>> def publish(database):
...     return write_page(Database(database, readonly=True), "library.html").tracks
"""

from auralis_fp.library.page.writing import Written, write_page

__all__ = ["Written", "write_page"]
