"""Why a model is not converted, in words for its owner."""


class Refusal(Exception):
    """Ends the conversion with a message."""


class NeedsPackage(Exception):
    """The model's file names a module that is not installed here."""

    def __init__(self, module):
        super().__init__(module)
        self.module = module


OUT_OF_MEMORY = ("allocate memory", "bad_alloc", "OOM when allocating")


def in_short(error):
    """An error of a library in one line. Raises MemoryError for those that say so in words only."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split()).split(" For more information,")[0]
    if isinstance(error, MemoryError) or any(one in text for one in OUT_OF_MEMORY):
        raise MemoryError() from error
    return f"{type(error).__name__}: {text[:600]}"
