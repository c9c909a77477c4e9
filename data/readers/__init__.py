"""Read files of many formats into `Document` records; `formats.READERS` lists the readers."""

__all__: list[str] = []
