"""What a network costs: parameters, multiply-accumulates (MACs), bytes and latency.

Everything is measured at batch 1 in evaluation mode, on copies: the network that is handed in
stays as it is.
"""

from harbench.cost.measuring import count, measure
from harbench.cost.record import Cost
from harbench.cost.timing import Latency, latency

__all__ = ["Cost", "Latency", "count", "latency", "measure"]
