"""The errors that people see: one line each, naming the thing, the value and the fix.

    CitewellError
    ├── SettingsError      a setting cannot be used
    ├── DocumentError      a file cannot be read (the rest of the corpus goes on)
    ├── QuestionError      a question cannot be asked (empty, or too long)
    ├── NotFoundError      a document, path or root that is not there
    ├── EndpointError      a model's endpoint failed or gave what cannot be used
    └── StoreError         the index
        ├── NoIndexError       nothing is indexed yet
        ├── BusyError          another process is writing
        ├── MismatchError      made by another embedding model
        └── DamagedError       the truth itself cannot be read

Whoever catches `CitewellError` can show its text as it is.
"""


class CitewellError(Exception):
    """The base of all errors that Citewell raises on purpose; its text is one line."""


class SettingsError(CitewellError):
    """A setting cannot be used as it stands."""


class DocumentError(CitewellError):
    """A file cannot be read as a document; the text is the reason alone."""


class QuestionError(CitewellError):
    """A question cannot be asked."""


class NotFoundError(CitewellError):
    """A document, path or root that is not there."""


class EndpointError(CitewellError):
    """A model's endpoint failed, or gave what cannot be used."""


class StoreError(CitewellError):
    """The index cannot do what was asked."""


class NoIndexError(StoreError):
    """There is no index yet."""


class BusyError(StoreError):
    """Another process is writing to the index."""


class MismatchError(StoreError):
    """The index was made by another embedding model."""


class DamagedError(StoreError):
    """The truth of the index cannot be read."""
