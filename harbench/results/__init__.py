"""The store: what was found, with all that is needed to trace and recompute it."""

from harbench.results.records import Predictions, StoredCell
from harbench.results.store import Store

__all__ = ["Predictions", "Store", "StoredCell"]
