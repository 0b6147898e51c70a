"""The first-party models: one file a paper, each a plugin like anybody's.

A file holds the builder, the registration with citation and recipe, and the rows that papers
print about the model, with what is known to be wrong with them.
"""
