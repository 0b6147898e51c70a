"""Networks in 8-bit integers, by onnxruntime: smaller, sometimes faster, and no longer the same.

Weights become int8 with values of 7 bits, activations int8 (static quantisation, ranges from
training windows); of LSTM layers the weights alone (dynamic quantisation, for there is no other).
The normalisation and the last layer stay in floating point: 256 steps for all logits would make
ties. GRU layers stay as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harbench.errors import ModelError
from harbench.execute.exporting.graphs import (
    INPUT,
    Predict,
    predict_with_onnxruntime,
    quiet,
    set_metadata,
)
from harbench.execute.exporting.recovered import Recovered
from harbench.metrics import confusion, score

CALIBRATION = 512
"""Training windows that ranges are taken from, spread evenly over all of them."""

_WEIGHED = ("Conv", "Gemm", "MatMul")
_QUANTISED = [*_WEIGHED, "Relu", "Add", "MaxPool"]
_BATCH = 32

# Processors without VNNI add two products of 8 bits in 16, where they overflow: with weights of 8
# bits trained networks fell to guessing on such a one.
_SEVEN_BITS = True


@dataclass(frozen=True)
class Loss:
    """What the integers cost, on the test windows.

    Args:
        nf_float, nf_int8: NF of the network and of its integer version.
        other: Windows that the two give different classes.
        calibration: Training windows that the ranges are from.
        left: Kinds of layers with weights that stayed in floating point, beside the last layer.
    """

    nf_float: float
    nf_int8: float
    other: int
    calibration: int
    left: tuple[str, ...]


def quantise(content: bytes, cell: Recovered, facts: Mapping[str, Any], loud: bool) -> bytes:
    """An int8 version of an ONNX file.

    Args:
        content: Of the file.
        cell: For the training windows.
        facts: For its metadata.
        loud: Let onnxruntime tell of its work.

    Raises:
        ModelError: onnxruntime cannot quantise it.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        quantize_dynamic,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    starts = _calibration(cell)

    class Windows(CalibrationDataReader):  # type: ignore[misc]
        """Training windows, a batch at a time."""

        def __init__(self) -> None:
            self.batches = iter(np.array_split(starts, max(1, len(starts) // _BATCH)))

        def get_next(self) -> dict[str, Any] | None:
            some = next(self.batches, None)
            return None if some is None else {INPUT: cell.raw_windows(some)}

    with tempfile.TemporaryDirectory(prefix="harbench-") as folder, quiet(loud):
        first, plain, static, last = (Path(folder) / f"{i}.onnx" for i in range(4))
        first.write_bytes(content)
        try:
            quant_pre_process(first, plain, skip_symbolic_shape=True)
            nodes = onnx.load(plain).graph.node
            weighed = [node.name for node in nodes if node.op_type in _WEIGHED]
            quantize_static(
                plain,
                static,
                Windows(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=_QUANTISED,
                nodes_to_exclude=weighed[-1:],
                per_channel=True,
                reduce_range=_SEVEN_BITS,
            )
            if any(node.op_type == "LSTM" for node in nodes):
                quantize_dynamic(
                    static, last, op_types_to_quantize=["LSTM"], reduce_range=_SEVEN_BITS
                )
            else:
                static.replace(last)
            proto = onnx.load(last)
        except Exception as error:
            raise ModelError(
                f"model '{facts['model']}' cannot be quantised: {type(error).__name__}: "
                f"{(str(error).splitlines() or [''])[0][:300]}",
                where="--int8",
                fix="leave --int8 out",
            ) from error
    del proto.metadata_props[:]
    set_metadata(proto, {**facts, "quantisation": f"int8, {len(starts)} training windows"})
    return bytes(proto.SerializeToString())


def loss_of(content: bytes, cell: Recovered) -> Loss:
    """The NF of an int8 file on the test windows, beside that of the network.

    Args:
        content: Of the file.
        cell: With the test windows and the stored predictions.
    """
    import onnx

    stored = cell.stored.predictions()
    predicted = _classes(predict_with_onnxruntime(content), cell)
    kinds = {node.op_type for node in onnx.load_from_string(content).graph.node}
    return Loss(
        nf_float=float(cell.stored.record["scores"]["nf"]),
        nf_int8=_nf(cell, stored.true.astype(np.int64), predicted),
        other=int((predicted != stored.predicted).sum()),
        calibration=len(_calibration(cell)),
        left=tuple(sorted(kinds & {"GRU", "LSTM", "RNN"})),
    )


def _calibration(cell: Recovered) -> np.ndarray[Any, np.dtype[np.int64]]:
    starts = cell.prepared.train.starts
    which = np.linspace(0, len(starts) - 1, min(CALIBRATION, len(starts))).round().astype(np.int64)
    return np.asarray(starts[which], np.int64)


def _classes(predict: Predict, cell: Recovered) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.concatenate([predict(raw)[0].argmax(axis=1) for raw, _ in cell.test_batches()])


def _nf(cell: Recovered, true: Any, predicted: Any) -> float:
    classes = cell.data.classes
    matrix = confusion(true, predicted, len(classes))
    return float(score(matrix, classes, cell.stored.record["null"]).nf)
