"""Parse the structure of Korean law: articles, provisions, citations, versions, history."""

__all__: list[str] = []
