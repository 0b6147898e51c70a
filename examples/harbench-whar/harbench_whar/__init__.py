"""harbench-whar: teco-kit's whar-models and whar-datasets as a plugin of harbench.

Neither library is needed to load this package, and none of their code is in it. Where one is not
installed, its names are listed all the same, and building or reading says how to install it.
"""

__version__ = "0.1.0"
