"""Registers what is no harbench.Model."""

import harbench


@harbench.hookimpl
def register_models(register):
    register(harbench.Model)
