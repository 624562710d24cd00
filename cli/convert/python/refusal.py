"""Why a model is not converted, in words for its owner."""


class Refusal(Exception):
    """Ends the conversion with a message."""


class NeedsPackage(Exception):
    """The model's file names a module that is not installed here."""

    def __init__(self, module):
        super().__init__(module)
        self.module = module
