"""What judges a run: the sets that are compared, extractors by name, metrics by name, their rows and the table.

`jaxgen.metrics` holds the formulas; in here is which images they are given, how often, and what is told of it.
"""
