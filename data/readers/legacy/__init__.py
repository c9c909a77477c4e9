"""Read the binary forms of older office programs: HWP 5 and DOC."""

__all__: list[str] = []
