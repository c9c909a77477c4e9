"""Decide whether a policy permits a model, a text or a use, from policies.yaml."""

__all__: list[str] = []
