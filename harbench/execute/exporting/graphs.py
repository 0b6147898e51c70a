"""A module as a graph: torch.export's program, its bytes as .pt2, and ONNX."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

EXTRA_FILE = "harbench.json"
"""Of a .pt2 file: the facts, as JSON."""

INPUT, OUTPUTS = "windows", ("logits", "probabilities")

Predict = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Raw windows [batch, n_channels, n_times] -> logits and probabilities [batch, n_classes]."""

_NEEDS = ("onnx", "onnxscript", "onnxruntime")


def need_onnx() -> None:
    """See to it that the extra is installed.

    Raises:
        ConfigError: a package of it is not.
    """
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            where="--format onnx",
            expected="the extra 'onnx' (or --format torch, which needs nothing more)",
            fix="pip install 'harbench[onnx]'",
        )


@contextmanager
def quiet(unless: bool = False) -> Iterator[None]:
    """Keep exporters from telling of their own work.

    Args:
        unless: Let them.
    """
    if unless:
        yield
        return
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def program_of(
    module: nn.Module, n_channels: int, n_times: int, *, model: str, loud: bool = False
) -> ExportedProgram:
    """The graph of a module, for any number of windows at once.

    Args:
        module: Stays as it is.
        n_channels, n_times: Of a window.
        model: Its name, for errors.
        loud: Let torch tell of its work.

    Raises:
        ModelError: torch.export cannot follow its ``forward``.
    """
    import torch

    from harbench.cost.copies import copy_for

    twin = copy_for(module, "cpu")
    # Not one window: torch would take the number for a constant of the network.
    example = torch.zeros(3, n_channels, n_times)
    try:
        with quiet(loud), torch.no_grad():
            program = torch.export.export(
                twin, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},), strict=False
            )
    except Exception as error:
        raise _not_exported(model, "torch.export", error) from error
    for node in program.graph.nodes:
        # Lines of code and folders of this machine.
        node.meta.pop("stack_trace", None)
    return program


def pt2_of(program: ExportedProgram, facts: Mapping[str, Any], *, loud: bool = False) -> bytes:
    """The content of a .pt2 file, which ``torch.export.load`` reads."""
    import torch

    file = io.BytesIO()
    text = json.dumps(facts, indent=1, ensure_ascii=True)
    with quiet(loud):
        torch.export.save(program, file, extra_files={EXTRA_FILE: text})
    return file.getvalue()


def onnx_of(
    program: ExportedProgram, facts: Mapping[str, Any], *, model: str, loud: bool = False
) -> bytes:
    """The content of an ONNX file: input ``windows``, outputs ``logits`` and ``probabilities``.

    Args:
        program: Of :func:`program_of`.
        facts: For ``metadata_props``; what is no text is written as JSON.
        model: Its name, for errors.
        loud: Let torch tell of its work.

    Raises:
        ModelError: an operation of it is unknown to ONNX.
    """
    import torch

    try:
        with quiet(loud):
            made = torch.onnx.export(
                program,
                dynamo=True,
                verbose=loud,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes=({0: "batch"},),
            )
            assert made is not None
            proto = made.model_proto
    except Exception as error:
        raise _not_exported(model, "torch.onnx", error) from error
    for node in proto.graph.node:
        del node.metadata_props[:]
    proto.producer_name, proto.producer_version = "harbench", str(facts["harbench"])
    proto.doc_string = str(facts["description"])
    set_metadata(proto, facts)
    return bytes(proto.SerializeToString())


def set_metadata(proto: Any, facts: Mapping[str, Any]) -> None:
    """Write facts into ``metadata_props`` of an ONNX model: texts as they are, all else as JSON."""
    del proto.metadata_props[:]
    for name, value in facts.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        proto.metadata_props.add(key=name, value=text)


def session_of(content: bytes, threads: int = 0) -> Any:
    """An onnxruntime session on the CPU.

    Args:
        content: Of an ONNX file.
        threads: 0 leaves it to onnxruntime.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def predict_with_onnxruntime(content: bytes) -> Predict:
    """What an ONNX file says, by onnxruntime."""
    session = session_of(content)

    def predict(windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits, probabilities = session.run(list(OUTPUTS), {INPUT: windows})
        return logits, probabilities

    return predict


def predict_with_torch(content: bytes, *, loud: bool = False) -> Predict:
    """What a .pt2 file says, read back by ``torch.export.load``."""
    import torch

    with quiet(loud):
        module = torch.export.load(io.BytesIO(content)).module()

    def predict(windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            logits, probabilities = module(torch.from_numpy(windows))
        return logits.numpy(), probabilities.numpy()

    return predict


def _not_exported(model: str, who: str, error: Exception) -> ModelError:
    lines = str(error).strip().splitlines()
    why = lines[0][:300] if lines else ""
    return ModelError(
        f"model '{model}' cannot be exported: {who} says {type(error).__name__}: {why}",
        expected="a forward without branches that depend on values of the windows",
        fix="harbench --debug export-model ... shows all of it",
    )
