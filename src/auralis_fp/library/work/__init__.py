"""The work on a library: extractor, queue, catalog and scan."""
