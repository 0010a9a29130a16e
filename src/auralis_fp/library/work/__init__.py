"""The work on a library: extractor, queue, catalog, scan."""
