"""The recipe, the command line and the stage runner.

In: a recipe (YAML) with overrides. Out: `runs/<recipe>/<stage>/` for every stage.
"""
