"""Reads a model's file: skops without running code from it, joblib and pickle by running it."""

import warnings

from boosting import load_boosted
from refusal import NeedsPackage, Refusal


def load(path, kind, trust):
    """The fitted estimator of a file. Raises Refusal, NeedsPackage or MemoryError."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = _load(path, kind, trust)
    except (Refusal, NeedsPackage, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise NeedsPackage((error.name or "").split(".")[0]) from error
    except AttributeError as error:
        raise Refusal(
            f"The file needs code that is not in it ({error}). A function of a script or notebook cannot be loaded elsewhere: put it into a package, and name that with --with."
        ) from error
    except Exception as error:
        raise Refusal(f"The file cannot be loaded: {type(error).__name__}: {error}") from error
    for warning in caught:
        check_version(warning.message)
    return model


def _load(path, kind, trust):
    if kind == "skops":
        return _load_skops(path, trust)
    return _load_pickle(path) if kind == "pickle" else load_boosted(path, kind)


# Types that hold numbers, which skops asks about: their constructors open nothing and call nothing.
HARMLESS = [
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
]


def _load_skops(path, trust):
    from skops.io import get_untrusted_types, load as load_skops

    unknown = [name for name in get_untrusted_types(file=path) if name not in HARMLESS]
    own = {name.split(".")[0] for name in unknown}
    for module in sorted(own & {"xgboost", "lightgbm", "catboost"}):
        try:
            __import__(module)
        except ImportError as error:
            raise NeedsPackage(module) from error
    # skops reads these packages' objects by their own pickles or constructors.
    if unknown and not trust:
        raise Refusal(
            f"The file has types that skops does not know as harmless: {', '.join(unknown)}. If you trust who made it, say --trust: loading them may run code."
        )
    return load_skops(path, trusted=[*unknown, *HARMLESS])


def _load_pickle(path):
    import joblib

    return joblib.load(path)


def check_version(message):
    """Another scikit-learn may read a pickle and answer otherwise, so its warning is taken at its word."""
    if type(message).__name__ != "InconsistentVersionWarning":
        return
    raise Refusal(
        f"The file was saved by scikit-learn {message.original_sklearn_version}, and this is {message.current_sklearn_version}, which may answer otherwise. Say which one is wanted: --with scikit-learn=={message.original_sklearn_version}"
    )
