"""The parts of augmentation that several processes can share."""

__all__: list[str] = []
