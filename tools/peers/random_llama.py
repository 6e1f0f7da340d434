#!/usr/bin/env python3
"""Writes a Hugging Face folder with random bfloat16 weights in one of the shapes of `dera bench --shape`.

    random_llama.py SHAPE FOLDER --seed N

Both engines of the comparison then read the same weights: `dera` the folder, llama.cpp what hf_to_gguf.py makes of it. Matrices are uniform with
standard deviation 0.02, norms are 1. A matrix repeats a block of a prime number of random elements, so no two rows are alike; speed does not
depend on the values.
"""

import argparse
import array
import json
import math
import os
import random
import struct
import sys

# name: (hidden, layers, heads, kv heads, intermediate, vocabulary, tied output), as in src/DeRa.Benchmarks/Checkpoints/ModelShape.cs
SHAPES = {
    "15m": (288, 6, 6, 6, 768, 32_000, True),
    "110m": (768, 12, 12, 12, 2048, 32_000, True),
    "1.1b": (2048, 22, 32, 4, 5632, 32_000, False),
    "3b": (3072, 28, 24, 8, 8192, 128_256, True),
    "8b": (4096, 32, 32, 8, 14_336, 128_256, False),
}
BLOCK_ELEMENTS = 1_048_573
ONE = b"\x80\x3f"  # 1 in bfloat16, little-endian


def tensors(shape):
    """Yields (name, dimensions) in file order; names as in modeling_llama.py."""
    hidden, layers, heads, kv_heads, intermediate, vocabulary, tied = shape
    kv = hidden // heads * kv_heads
    yield "model.embed_tokens.weight", [vocabulary, hidden]
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", [hidden]
        yield prefix + "self_attn.q_proj.weight", [hidden, hidden]
        yield prefix + "self_attn.k_proj.weight", [kv, hidden]
        yield prefix + "self_attn.v_proj.weight", [kv, hidden]
        yield prefix + "self_attn.o_proj.weight", [hidden, hidden]
        yield prefix + "post_attention_layernorm.weight", [hidden]
        yield prefix + "mlp.gate_proj.weight", [intermediate, hidden]
        yield prefix + "mlp.up_proj.weight", [intermediate, hidden]
        yield prefix + "mlp.down_proj.weight", [hidden, intermediate]
    yield "model.norm.weight", [hidden]
    if not tied:
        yield "lm_head.weight", [vocabulary, hidden]


def config(shape):
    hidden, layers, heads, kv_heads, intermediate, vocabulary, tied = shape
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500_000.0 if vocabulary > 100_000 else 10_000.0,
        "tie_word_embeddings": tied,
        "torch_dtype": "bfloat16",
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def random_block(seed):
    """BLOCK_ELEMENTS random bfloat16 numbers as bytes: the upper halves of float32."""
    source = random.Random(seed)
    half_width = 0.02 * math.sqrt(3)  # a uniform distribution's standard deviation is its half width / √3
    floats = array.array("f", (half_width * (2 * source.random() - 1) for _ in range(BLOCK_ELEMENTS))).tobytes()
    block = bytearray(2 * BLOCK_ELEMENTS)
    block[0::2], block[1::2] = floats[2::4], floats[3::4]
    return bytes(block)


def write_repeated(file, block, size, cursor):
    """Writes `size` bytes of the endlessly repeated block from byte `cursor` on; returns where it stopped."""
    while size > 0:
        part = min(size, len(block) - cursor)
        file.write(memoryview(block)[cursor:cursor + part])
        cursor = (cursor + part) % len(block)
        size -= part
    return cursor


def write_weights(path, shape, seed):
    entries, offset = {}, 0
    for name, dimensions in tensors(shape):
        size = 2 * math.prod(dimensions)
        entries[name] = {"dtype": "BF16", "shape": dimensions, "data_offsets": [offset, offset + size]}
        offset += size
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    block, cursor = random_block(seed), 0
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for _, dimensions in tensors(shape):
            if len(dimensions) == 1:
                file.write(ONE * dimensions[0])
            else:
                cursor = write_repeated(file, block, 2 * math.prod(dimensions), cursor)


def main():
    parser = argparse.ArgumentParser(description="Write a Llama-shaped Hugging Face folder with random bfloat16 weights.")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", help="created if need be")
    parser.add_argument("--seed", type=int, default=1, help="models of different seeds share no matrix (default 1)")
    arguments = parser.parse_args()
    if sys.byteorder != "little":
        parser.error("this machine is big-endian; the weights are written little-endian")
    shape = SHAPES[arguments.shape]
    try:
        os.makedirs(arguments.folder, exist_ok=True)
        weights = os.path.join(arguments.folder, "model.safetensors")
        write_weights(weights + ".part", shape, arguments.seed)
        os.replace(weights + ".part", weights)
        with open(os.path.join(arguments.folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config(shape), file)
    except OSError as error:
        sys.exit(f"random_llama: {error}")


if __name__ == "__main__":
    main()
