"""A plugin without a function that is marked @harbench.hookimpl."""


def register_models(register):
    register("a model")
