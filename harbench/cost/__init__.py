"""What a model costs: parameters, multiply-accumulates (MACs), bytes and latency.

A network is measured at batch 1 in evaluation mode, on copies: the one that is handed in stays as
it is. An estimator is measured when it is fitted.
"""

from harbench.cost.fitted import FittedCost, measure_fitted
from harbench.cost.measuring import count, measure
from harbench.cost.record import Cost
from harbench.cost.timing import Latency, latency

__all__ = ["Cost", "FittedCost", "Latency", "count", "latency", "measure", "measure_fitted"]
