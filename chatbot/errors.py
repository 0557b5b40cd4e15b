"""Every error that this package raises on purpose.

    AskError                    anything below; its message is one line that says what to do
    ├── SettingsError           a setting has a value that can't be used
    ├── CorpusError             an article or its metadata can't be read: file, line, mend
    ├── JournalError            what is stored can't be changed
    ├── AmendmentError          a change to the known questions can't be made as it was asked for
    │   └── ChangedMeanwhileError    somebody else has changed them since
    ├── ModelError              model weights are missing or are not the expected bytes
    └── IndexUnusableError      there is no index that can be served
        ├── IndexMissingError   no index at that place
        ├── IndexStaleError     built from another corpus, model or format version
        └── IndexAlteredError   a file of the index is not the file that was written

`exit_code` is what a command returns when it stops on the error.
"""

from pathlib import Path


class AskError(Exception):
    """Base of all errors raised on purpose; the message is one line for a person."""

    exit_code = 1


class SettingsError(AskError):
    """A setting has a value that can't be used."""

    exit_code = 2


class CorpusError(AskError):
    """An article can't be used. Names the file, the line (from 1) where it is known, and the mend."""

    exit_code = 2

    def __init__(self, file: Path | str, problem: str, mend: str, line: int | None = None) -> None:
        self.file, self.line, self.problem, self.mend = str(file), line, problem, mend
        where = f"{file}:{line}" if line is not None else f"{file}"
        super().__init__(f"{where}: {problem}; {mend}")


class JournalError(AskError):
    """What is stored can't be changed."""


class AmendmentError(AskError):
    """A change to the known questions can't be made as it was asked for."""


class ChangedMeanwhileError(AmendmentError):
    """Somebody else has changed the known questions since they were looked at."""


class ModelError(AskError):
    """Model weights are missing or are not the expected bytes."""

    exit_code = 3


class IndexUnusableError(AskError):
    """There is no index that can be served."""

    exit_code = 4


class IndexMissingError(IndexUnusableError):
    """No index at that place."""


class IndexStaleError(IndexUnusableError):
    """The index was built from another corpus, model or format version."""


class IndexAlteredError(IndexUnusableError):
    """A file of the index is not the file that was written."""
