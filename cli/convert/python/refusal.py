"""Why a model is not converted, in words for its owner."""


class Refusal(Exception):
    """Ends the conversion with a message."""


class NeedsPackage(Exception):
    """The model's file names a module that is not installed here."""

    def __init__(self, module):
        super().__init__(module)
        self.module = module


def in_short(error):
    """An error of a library in one line. Raises MemoryError for those that say so in words only."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split()).split(" For more information,")[0]
    if isinstance(error, MemoryError) or "allocate memory" in text or "bad_alloc" in text:
        raise MemoryError() from error
    return f"{type(error).__name__}: {text[:600]}"
