"""One of two plugins that offer a model of one name."""

import harbench


def build(n_channels, n_times, n_classes):
    raise NotImplementedError


@harbench.hookimpl
def register_models(register):
    citation = harbench.Citation("Nobody, 2026.", url="https://example.org/nobody")
    register(harbench.Model("twin", "one of two", build, harbench.Recipe(), citation))
