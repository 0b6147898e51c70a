"""Networks that are each broken in one way. The rest of each is in order.

The docstring says what is wrong; tests/testing/test_broken_models.py says which check must see it.
"""

import random

import harbench

CITATION = harbench.Citation("Nobody, 2026.", url="https://example.org/nobody")
RECIPE = harbench.Recipe(epochs=2, batch_size=32)
MODELS = []


def model(name, **facts):
    """Register a builder under a name; ``facts`` are other arguments of harbench.Model."""

    def add(build):
        facts.setdefault("summary", "one convolution")
        facts.setdefault("citation", CITATION)
        MODELS.append(harbench.Model(name=name, build=build, recipe=RECIPE, **facts))
        return build

    return add


def layers(n_channels, n_classes):
    from torch import nn

    return [
        nn.Conv1d(n_channels, 8, 1),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(8, n_classes),
    ]


def net(n_channels, n_classes):
    from torch import nn

    return nn.Sequential(*layers(n_channels, n_classes))


def changed(n_channels, n_classes, forward, setup=None):
    """The sound network, with another forward pass: ``forward(self, x)``; ``self.net`` is it."""
    from torch import nn

    class Changed(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net(n_channels, n_classes)
            if setup:
                setup(self)

        def forward(self, x):
            return forward(self, x)

    return Changed()


@model("sound")
def sound(n_channels, n_times, n_classes, *, hidden: int = 8):
    """Nothing is wrong."""
    return net(n_channels, n_classes)


@model("wrong-shape")
def wrong_shape(n_channels, n_times, n_classes):
    """One logit too many."""
    return net(n_channels, n_classes + 1)


@model("wrong-axis")
def wrong_axis(n_channels, n_times, n_classes):
    """Takes [batch, n_times, n_channels], as Keras does."""
    return changed(n_times, n_classes, lambda self, x: self.net(x.transpose(1, 2).transpose(1, 2)))


@model("not-a-module")
def not_a_module(n_channels, n_times, n_classes):
    """The class, not an object of it."""
    from torch import nn

    class Net(nn.Module):
        pass

    return Net


@model("nan", min_times=2)
def nan(n_channels, n_times, n_classes):
    """Divides by the deviation of a window, which is 0 where a sensor stands still."""
    return changed(n_channels, n_classes, lambda self, x: self.net(x / x.std(2, keepdim=True)))


@model("double")
def double(n_channels, n_times, n_classes):
    """Logits of another dtype."""
    return changed(n_channels, n_classes, lambda self, x: self.net(x).double())


@model("in-place")
def in_place(n_channels, n_times, n_classes):
    """Scales the windows that it is given."""
    return changed(n_channels, n_classes, lambda self, x: self.net(x.mul_(0.5)))


@model("dead-parameter")
def dead_parameter(n_channels, n_times, n_classes):
    """A layer that no forward pass goes through."""
    from torch import nn

    def setup(self):
        self.unused = nn.Linear(4, 4)

    return changed(n_channels, n_classes, lambda self, x: self.net(x), setup)


@model("detached")
def detached(n_channels, n_times, n_classes):
    """No gradient comes back through the first layer."""
    return changed(n_channels, n_classes, lambda self, x: self.net[1:](self.net[0](x).detach()))


@model("minimum-too-low", min_times=2)
def minimum_too_low(n_channels, n_times, n_classes):
    """Says 2, and its kernel takes 9 samples."""
    from torch import nn

    first = nn.Conv1d(n_channels, n_channels, 9)
    return nn.Sequential(first, *layers(n_channels, n_classes))


@model("minimum-too-high", min_times=12)
def minimum_too_high(n_channels, n_times, n_classes):
    """Says 12, and takes any."""
    return net(n_channels, n_classes)


@model("own-generator")
def own_generator(n_channels, n_times, n_classes):
    """Weights that no seed of harbench determines."""
    import torch

    made = net(n_channels, n_classes)
    generator = torch.Generator()
    generator.seed()
    with torch.no_grad():
        made[5].weight.normal_(generator=generator)
    return made


@model("numpy-weights")
def numpy_weights(n_channels, n_times, n_classes):
    """Weights of another global generator than torch's."""
    import torch

    made = net(n_channels, n_classes)
    with torch.no_grad():
        made[5].bias.fill_(random.random())
    return made


@model("seeds-itself")
def seeds_itself(n_channels, n_times, n_classes):
    """Every seed gives the same weights, and who draws after it draws the same."""
    import torch

    torch.manual_seed(42)
    return net(n_channels, n_classes)


@model("sets-torch")
def sets_torch(n_channels, n_times, n_classes):
    """Changes what every other network of the process computes."""
    import torch

    torch.set_flush_denormal(True)
    torch.set_num_threads(3)
    return net(n_channels, n_classes)


@model("dropout-in-eval")
def dropout_in_eval(n_channels, n_times, n_classes):
    """F.dropout without training=self.training."""
    from torch.nn import functional

    return changed(n_channels, n_classes, lambda self, x: self.net(functional.dropout(x, 0.2)))


@model("counts-calls")
def counts_calls(n_channels, n_times, n_classes):
    """A buffer that every prediction moves."""
    import torch

    def setup(self):
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.net(x)

    return changed(n_channels, n_classes, forward, setup)


@model("looks-at-the-batch")
def looks_at_the_batch(n_channels, n_times, n_classes):
    """Takes the mean of the batch out, in eval mode too."""
    return changed(n_channels, n_classes, lambda self, x: self.net(x - x.mean(0, keepdim=True)))


@model("squeezes")
def squeezes(n_channels, n_times, n_classes):
    """squeeze() without a dimension: a batch of one loses it."""
    return changed(n_channels, n_classes, lambda self, x: self.net(x).squeeze())


@model("hidden-mode")
def hidden_mode(n_channels, n_times, n_classes):
    """Train and eval mode differ, and no module says so."""
    from torch import nn

    made = nn.Sequential(
        *(part for part in layers(n_channels, n_classes) if "Norm" not in repr(part))
    )

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = made

        def forward(self, x):
            return self.net(x) * (1.0 if self.training else 1.5)

    return Scaled()


@model("unsaved-weights")
def unsaved_weights(n_channels, n_times, n_classes):
    """A tensor that is neither parameter nor buffer, so that it is not saved."""
    import torch

    def setup(self):
        self.scale = 1 + torch.rand(n_classes)

    return changed(n_channels, n_classes, lambda self, x: self.net(x) * self.scale, setup)


@model("shared-weights")
def shared_weights(n_channels, n_times, n_classes):
    """Two names for one parameter, which safetensors refuses."""

    def setup(self):
        self.alias = self.net[5]

    return changed(n_channels, n_classes, lambda self, x: self.net(x), setup)


@model("learns-nothing")
def learns_nothing(n_channels, n_times, n_classes):
    """Its logits do not depend on the windows."""
    return changed(n_channels, n_classes, lambda self, x: self.net(x * 0 + 0.1 * x[:1, :1, :1] * 0))


@model("functional")
def functional_product(n_channels, n_times, n_classes):
    """A matrix product that one of the two counters does not see."""
    import torch
    from torch import nn

    def setup(self):
        self.mix = nn.Parameter(torch.randn(64, n_channels))

    return changed(64, n_classes, lambda self, x: self.net(torch.matmul(self.mix, x)), setup)


@model("only-at-home")
def only_at_home(n_channels, n_times, n_classes):
    """Works in the process that asked, and in no worker."""
    import multiprocessing

    if multiprocessing.parent_process() is not None:
        raise RuntimeError("no display")
    return net(n_channels, n_classes)


@model("no-default")
def no_default(n_channels, n_times, n_classes, hidden=8, *, depth):
    """An option without a default."""
    return net(n_channels, n_classes)


@model("odd-default")
def odd_default(n_channels, n_times, n_classes, *, kernels=frozenset({3, 5})):
    """A default that YAML cannot say."""
    return net(n_channels, n_classes)


@model("no-citation", citation=harbench.Citation(""))
def no_citation(n_channels, n_times, n_classes):
    """Whose is it?"""
    return net(n_channels, n_classes)


@model("long-summary", summary="one\nline\ntoo many")
def long_summary(n_channels, n_times, n_classes):
    """Three lines where a list has one."""
    return net(n_channels, n_classes)


# Typed at no keyboard and in no file: its source cannot be read.
_made = {"net": net}
exec("def no_source(n_channels, n_times, n_classes):\n    return net(n_channels, n_classes)", _made)
model("no-source")(_made["no_source"])


@harbench.hookimpl
def register_models(register):
    for each in MODELS:
        register(each)
