"""Ask IOP: questions answered with verbatim, cited sentences of a small library of articles."""

__version__ = "0.1.0"
