#!/usr/bin/env python3
"""Converts a Hugging Face Llama folder to GGUF, weights only: what a speed or logits comparison needs.

    hf_to_gguf.py FOLDER OUTPUT [--type bf16|f32]

Needs Python's standard library alone. Takes model.safetensors in BF16 or F32 without a vocabulary, biases or a scaled rotation. Facts of the
format: version 3, little-endian, tensor data aligned to 32 bytes (ggml's docs/gguf.md). Norms are float32, as llama.cpp asks. Rows of the query and
key matrices change places because GGUF's llama architecture rotates neighbouring pairs, Hugging Face's rotates the two halves of a head.
"""

import argparse
import json
import os
import struct
import sys

ALIGNMENT = 32
ROTATION_BUFFER = ".rotary_emb.inv_freq"  # stored by early versions of transformers; follows from the configuration
GGML_TYPE = {"F32": 0, "BF16": 30}
FILE_TYPE = {"F32": 0, "BF16": 32}
WIDTH = {"F32": 4, "BF16": 2}
GLOBAL_NAMES = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
LAYER_NAMES = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}


class ConversionError(Exception):
    """The folder holds something that this converter does not take."""


def gguf_name(name):
    if name in GLOBAL_NAMES:
        return GLOBAL_NAMES[name]
    parts = name.split(".", 3)
    if parts[:2] == ["model", "layers"] and len(parts) == 4 and parts[3] in LAYER_NAMES:
        return f"blk.{int(parts[2])}.{LAYER_NAMES[parts[3]]}"
    raise ConversionError(f"tensor {name}: expected a Llama weight without a bias")


def read_header(file):
    """Returns the entries of a safetensors file and where its data starts."""
    prefix = file.read(8)
    if len(prefix) < 8:
        raise ConversionError("model.safetensors: expected 8 bytes of header length")
    (length,) = struct.unpack("<Q", prefix)
    text = file.read(length) if length <= 100_000_000 else b""
    if len(text) != length:
        raise ConversionError(f"model.safetensors: the header's length, {length}, is beyond the file's end or 100 MB")
    entries = json.loads(text)
    entries.pop("__metadata__", None)
    return entries, 8 + length


def read_config(folder):
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    if config.get("model_type") != "llama":
        raise ConversionError(f"config.json: model_type: expected llama, found {config.get('model_type')}")
    if config.get("rope_scaling"):
        raise ConversionError("config.json: rope_scaling: not supported")
    return config


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def metadata(config, kind, name):
    """Returns (number of entries, bytes)."""
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    head_dim = config.get("head_dim") or hidden // heads
    uint32 = {
        "general.file_type": FILE_TYPE[kind],
        "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": hidden,
        "llama.block_count": config["num_hidden_layers"],
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "llama.attention.key_length": head_dim,
        "llama.attention.value_length": head_dim,
        "llama.rope.dimension_count": head_dim,
        "llama.vocab_size": config["vocab_size"],
    }
    float32 = {"llama.attention.layer_norm_rms_epsilon": config["rms_norm_eps"], "llama.rope.freq_base": config.get("rope_theta", 10_000.0)}
    texts = {"general.architecture": "llama", "general.name": name, "tokenizer.ggml.model": "no_vocab"}
    packed = b"".join(string(key) + struct.pack("<I", 8) + string(value) for key, value in texts.items())
    packed += b"".join(string(key) + struct.pack("<II", 4, value) for key, value in uint32.items())
    packed += b"".join(string(key) + struct.pack("<If", 6, value) for key, value in float32.items())
    return len(texts) + len(uint32) + len(float32), packed


def interleave_halves(data, rows, heads):
    """Row i·d/2 + j of each head becomes its row 2j + i (d: width of a head, i = 0 or 1)."""
    width, head_dim = len(data) // rows, rows // heads
    half = head_dim // 2
    order = (head * head_dim + i * half + j for head in range(heads) for j in range(half) for i in range(2))
    return b"".join(data[row * width:(row + 1) * width] for row in order)


def widen(data):
    """bfloat16 to float32, exactly: zeros below."""
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[0::2], data[1::2]
    return bytes(wide)


def padding(length):
    return -length % ALIGNMENT


def convert(folder, output, wanted):
    config = read_config(folder)
    kv_heads = config.get("num_key_value_heads") or config["num_attention_heads"]
    with open(os.path.join(folder, "model.safetensors"), "rb") as source:
        entries, start = read_header(source)
        entries = {name: entry for name, entry in entries.items() if not name.endswith(ROTATION_BUFFER)}
        kinds = {entry["dtype"] for entry in entries.values()}
        if not kinds <= set(WIDTH):
            raise ConversionError(f"model.safetensors: expected BF16 or F32, found {', '.join(sorted(kinds))}")
        kind = wanted or ("BF16" if "BF16" in kinds else "F32")
        if kind == "BF16" and kinds != {"BF16"}:
            raise ConversionError("model.safetensors: F32 weights would lose digits as bf16; leave --type out or name f32")

        plan, infos, offset = [], [], 0
        for name, entry in entries.items():
            shape, target = entry["shape"], "F32" if len(entry["shape"]) == 1 else kind
            size = WIDTH[target]
            for dimension in shape:
                size *= dimension
            infos.append(string(gguf_name(name)) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), GGML_TYPE[target], offset))
            plan.append((name, entry, target))
            offset += size + padding(size)

        count, packed = metadata(config, kind, os.path.basename(os.path.abspath(folder)))
        head = b"GGUF" + struct.pack("<IQQ", 3, len(plan), count) + packed + b"".join(infos)
        with open(output + ".part", "wb") as file:
            file.write(head + bytes(padding(len(head))))
            for name, entry, target in plan:
                first, last = entry["data_offsets"]
                source.seek(start + first)
                data = source.read(last - first)
                if len(data) != last - first:
                    raise ConversionError(f"model.safetensors: {name}: ends beyond the file's end")
                if ".q_proj." in name or ".k_proj." in name:
                    data = interleave_halves(data, entry["shape"][0], config["num_attention_heads"] if ".q_proj." in name else kv_heads)
                if entry["dtype"] == "BF16" and target == "F32":
                    data = widen(data)
                file.write(data + bytes(padding(len(data))))
    os.replace(output + ".part", output)


def main():
    parser = argparse.ArgumentParser(description="Convert a Hugging Face Llama folder (BF16 or F32, weights only) to GGUF.")
    parser.add_argument("folder")
    parser.add_argument("output")
    parser.add_argument("--type", choices=["bf16", "f32"], help="of the matrices (default: as stored)")
    arguments = parser.parse_args()
    try:
        convert(arguments.folder, arguments.output, arguments.type and arguments.type.upper())
    except (ConversionError, OSError, KeyError, ValueError) as error:
        sys.exit(f"hf_to_gguf: {arguments.folder}: {error}")


if __name__ == "__main__":
    main()
