"""A vision-language model of random weights, about a megabyte: it reads text and images, and answers noise.

It exists so that the way to a real server can be tried and tested without downloading gigabytes. Two GGUF files come
out, as llama.cpp wants them: a small llama, and a small SigLIP encoder with Gemma 3's projector.

    pip install gguf
    python examples/tiny_lvlm.py FOLDER
"""

import itertools
import re
import sys
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

WIDTH, HEADS, INNER, LAYERS = 64, 4, 128, 2
CONTEXT = 131_072
IMAGE, PATCH = 224, 28
"""Pixels: the encoder sees a square picture as 8 x 8 patches, which the projector pools into 2 x 2 tokens."""

CONTROL = ("<|pad|>", "<|start|>", "<|end|>")
CHAT = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)

CONSTANT = 4.0
"""Value of channel 0 of every token's embedding. No layer writes to it, so in the output it carries a bias."""

MERGES = 400
"""Pairs of tokens that are joined, learned from Python's own help: a prompt in bytes would be four times as long."""

NEVER, SELDOM = -40.0, -20.0
BIASES = {"<|end|>": 8.0, '"': 8.0, "{": 4.0, "]": -2.0, ",": -5.0}
"""Of tokens in the output. Without them the noise holds half characters, strings and lists that end only at their
greatest length, or no contacts at all."""


def write_tiny_lvlm(folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Write `tiny.gguf` and `tiny-mmproj.gguf` into the folder, unless they are there; give back both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    text, vision = folder / "tiny.gguf", folder / "tiny-mmproj.gguf"
    random = np.random.default_rng(seed)
    for path, write in ((text, _write_text_model), (vision, _write_vision_model)):
        if not path.is_file():
            unfinished = path.with_suffix(".part")
            write(unfinished, random)
            unfinished.replace(path)
    return text, vision


def _write_text_model(path: Path, random: np.random.Generator) -> None:
    import gguf

    letters = _letters()
    merges = _merges(letters)
    tokens = [*CONTROL, *letters, *("".join(merge) for merge in merges)]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny, random weights: answers are noise")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e6)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control] * len(CONTROL) + [normal] * (len(tokens) - len(CONTROL)))
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_pad_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT)

    def matrix(*shape: int, scale: float) -> np.ndarray:
        return (scale * random.standard_normal(shape)).astype(np.float32)

    embedding = matrix(len(tokens), WIDTH, scale=0.5)
    embedding[:, 0] = CONSTANT
    output = matrix(len(tokens), WIDTH, scale=0.3)
    constant = CONSTANT / np.sqrt((embedding**2).mean())  # what the last norm makes of it; layers add little
    output[:, 0] = np.array([_bias(token, letters) for token in tokens], np.float32) / constant
    tensors = {"token_embd": embedding, "output_norm": np.ones(WIDTH, np.float32), "output": output}
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            tensors[block + name] = np.ones(WIDTH, np.float32)
        for name in ("attn_q", "attn_k", "attn_v"):
            tensors[block + name] = matrix(WIDTH, WIDTH, scale=0.2)
        for name in ("ffn_gate", "ffn_up"):
            tensors[block + name] = matrix(INNER, WIDTH, scale=0.2)
        tensors[block + "attn_output"] = matrix(WIDTH, WIDTH, scale=0.05)
        tensors[block + "ffn_down"] = matrix(WIDTH, INNER, scale=0.03)
        for name in ("attn_output", "ffn_down"):
            tensors[block + name][0] = 0.0
    _finish(writer, {f"{name}.weight": value for name, value in tensors.items()})


def _bias(token: str, letters: list[str]) -> float:
    if token in BIASES:
        return BIASES[token]
    if token in CONTROL:
        return NEVER
    if letters[ord(" ")] in token or letters[ord("\n")] in token:
        return SELDOM
    return 0.0 if token.isascii() and token.isprintable() and "\\" not in token else NEVER


def _merges(letters: list[str]) -> list[tuple[str, str]]:
    """Byte-pair encoding: again and again, the two neighbouring tokens that occur most often become one."""
    text = " ".join(topics[name] for name in sorted(topics)[:20])
    words = Counter(re.findall(r" ?[A-Za-z]+", text))
    split = {word: [letters[byte] for byte in word.encode()] for word in words}
    merges: list[tuple[str, str]] = []
    for _ in range(MERGES):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, tokens in split.items():
            for pair in itertools.pairwise(tokens):
                pairs[pair] += words[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for tokens in split.values():
            for i in range(len(tokens) - 2, -1, -1):
                if tuple(tokens[i : i + 2]) == best:
                    tokens[i : i + 2] = ["".join(best)]
    return merges


def _letters() -> list[str]:
    """The character that stands for each byte in the vocabulary of GPT-2: itself, or one from 256 on."""
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(others)) for byte in range(256)]


def _write_vision_model(path: Path, random: np.random.Generator) -> None:
    import gguf

    writer = gguf.GGUFWriter(str(path), "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "gemma3")
    writer.add_bool("clip.use_gelu", True)
    sizes = {
        "embedding_length": WIDTH,
        "feed_forward_length": INNER,
        "block_count": 1,
        "projection_dim": WIDTH,
        "image_size": IMAGE,
        "patch_size": PATCH,
        "attention.head_count": HEADS,
    }
    for name, value in sizes.items():
        writer.add_uint32(f"clip.vision.{name}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])

    def matrix(*shape: int, scale: float = 0.2) -> np.ndarray:
        return (scale * random.standard_normal(shape)).astype(np.float32)

    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    tensors = {
        "v.patch_embd.weight": matrix(WIDTH, 3, PATCH, PATCH, scale=0.05),
        "v.patch_embd.bias": zeros,
        "v.position_embd.weight": matrix((IMAGE // PATCH) ** 2, WIDTH, scale=0.3),
        "v.post_ln.weight": ones,
        "v.post_ln.bias": zeros,
        "mm.input_projection.weight": matrix(WIDTH, WIDTH, scale=0.5),
        "mm.soft_emb_norm.weight": ones,
    }
    for name in ("ln1", "ln2"):
        tensors |= {f"v.blk.0.{name}.weight": ones, f"v.blk.0.{name}.bias": zeros}
    for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
        tensors |= {f"v.blk.0.{name}.weight": matrix(WIDTH, WIDTH), f"v.blk.0.{name}.bias": zeros}
    tensors |= {"v.blk.0.ffn_up.weight": matrix(INNER, WIDTH), "v.blk.0.ffn_up.bias": np.zeros(INNER, np.float32)}
    tensors |= {"v.blk.0.ffn_down.weight": matrix(WIDTH, INNER), "v.blk.0.ffn_down.bias": zeros}
    _finish(writer, tensors)


def _finish(writer, tensors: dict[str, np.ndarray]) -> None:
    for name, value in tensors.items():
        writer.add_tensor(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    for file in write_tiny_lvlm(Path(sys.argv[1])):
        print(file)
