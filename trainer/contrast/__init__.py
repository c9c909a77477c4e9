"""Train a choice by contrast: packed options, their attention mask, and the loss of an item."""

__all__: list[str] = []
