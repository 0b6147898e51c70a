"""The plan: settings become cells, each with a key that covers all that determines its result."""

from harbench.plan.cells import Cell, PlannedBenchmark, PlannedFold, Row
from harbench.plan.leakage import refuse_leaks
from harbench.plan.opened import Opened
from harbench.plan.planning import plan

__all__ = ["Cell", "Opened", "PlannedBenchmark", "PlannedFold", "Row", "plan", "refuse_leaks"]
