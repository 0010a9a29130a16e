"""The version of the package. It stands here alone: ``pyproject.toml`` reads it from this file."""

__all__ = ["__version__"]

__version__ = "0.1.0"
