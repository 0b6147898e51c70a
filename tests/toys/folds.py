"""A fold of the toy dataset, ready to train on."""

from harbench.data.prepared import PreparedFold, prepare
from harbench.data.splits import folds_of
from toys.toy_plugin import TOY


def prepare_fold(stream, protocol, length=20, step=10) -> PreparedFold:
    (fold, *_) = folds_of(stream, TOY, TOY.tasks[0], protocol, length, step)
    return prepare(
        stream,
        TOY,
        fold,
        channels=range(3),
        length=length,
        n_classes=3,
        fill=protocol.fill,
        normalise=protocol.normalise,
    )
