"""The plan: settings become cells, each with a key that covers all that determines its result."""

from harbench.plan.cells import Cell, Opened, PlannedBenchmark, PlannedFold, Row, plan

__all__ = ["Cell", "Opened", "PlannedBenchmark", "PlannedFold", "Row", "plan"]
