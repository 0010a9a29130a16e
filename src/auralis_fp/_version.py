"""The version of the package, in its only place: ``pyproject.toml`` reads it from this file."""

__all__ = ["__version__"]

__version__ = "0.1.0"
