"""The plan: settings become cells, each with a key that covers all that determines its result."""

from harbench.plan.cells import Cell, Opened, PlannedBenchmark, PlannedFold, Row, plan
from harbench.plan.leakage import refuse_leaks

__all__ = ["Cell", "Opened", "PlannedBenchmark", "PlannedFold", "Row", "plan", "refuse_leaks"]
