"""The parts of a corpus build that several processes can share."""

__all__: list[str] = []
