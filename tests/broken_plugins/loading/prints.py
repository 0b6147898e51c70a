"""Prints when it is imported."""

import harbench

print("thank you for using prints")


def run(cells):
    raise NotImplementedError


@harbench.hookimpl
def register_analyses(register):
    register(harbench.Analysis("prints", "prints", run))
