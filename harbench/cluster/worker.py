"""What runs on a worker as a task of Dask: one cell, trained by the worker's foreman."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harbench.cluster.apart import ForemanKind, ForemanLostError, foreman

# Dask's own words for tasks of threads that are still wanted.
_WANTED = ("executing", "long-running")


@dataclass(frozen=True)
class Order:
    """A cell to be trained.

    Args:
        topic: Under which Dask passes on what is said of it.
        token: Names this training of it.
        job: Pickled.
        kind: Of the foreman.
        variables: Of the environment of its process.
        shares: Whether other cells of the run have the same prepared fold.
        perform: Called instead, in this very thread; for measurements of the executor alone.
    """

    topic: str
    token: str
    job: bytes
    kind: ForemanKind
    variables: Mapping[str, str] | None = None
    shares: bool = False
    perform: Callable[..., Any] | None = None


def train(packed: bytes) -> dict[str, Any]:
    """Train a cell.

    Args:
        packed: An :class:`Order`, pickled.

    Returns:
        ``said``: all events, pickled without their job, the outcome last; or ``lost``: what became
        of the foreman; or nothing, where nobody wants the cell any more.
    """
    from distributed import get_worker

    order: Order = pickle.loads(packed)
    if order.perform is not None:
        from harbench.cluster.foreman import without_job

        return {"said": [without_job(order.perform(pickle.loads(order.job)))]}
    worker = get_worker()
    task = worker.get_current_task()

    def stopped() -> bool:
        # So Dask marks a task whose client has cancelled it, or has died.
        state = worker.state.tasks.get(task)
        return state is None or state.state not in _WANTED

    def tell(first: int, events: list[bytes]) -> None:
        news = {"token": order.token, "first": first, "events": events}
        worker.loop.add_callback(worker.log_event, order.topic, news)

    try:
        said = foreman(order.kind).train(
            order.token, order.job, order.variables or {}, order.shares, tell, stopped
        )
    except ForemanLostError as error:
        return {"lost": str(error)}
    return {} if said is None else {"said": said}
