"""The paper's method in transformers, on random bf16 weights of a Llama shape: two models, mixed in a logits processor, one token after another.

    cuda_transformers.py SHAPE BATCHES DEVICE        e.g. 8b 1,16 cuda:0

One JSON line per batch and way: eager with a dynamic cache, then a static cache with torch.compile (a way that fails is a line with its error).
Prompts of 128 tokens, 64 tokens timed after a warm-up of as many, greedy; the median of five repeats.
"""
import json
import statistics
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM, LogitsProcessor, LogitsProcessorList

# hidden, layers, heads, key-value heads, intermediate, vocabulary, tied: those of `dera bench --shape`.
SHAPES = {
    "15m": (288, 6, 6, 6, 768, 32_000, True),
    "110m": (768, 12, 12, 12, 2048, 32_000, True),
    "1.1b": (2048, 22, 32, 4, 5632, 32_000, False),
    "3b": (3072, 28, 24, 8, 8192, 128_256, True),
    "8b": (4096, 32, 32, 8, 14_336, 128_256, False),
}
PROMPT, TOKENS, REPEATS, LAMBDA = 128, 64, 5, 0.5


def random_model(shape, device, seed):
    hidden, layers, heads, kv_heads, intermediate, vocabulary, tied = SHAPES[shape]
    torch.manual_seed(seed)
    config = LlamaConfig(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
        intermediate_size=intermediate, vocab_size=vocabulary, tie_word_embeddings=tied, max_position_embeddings=4096)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            return LlamaForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)


class Realign(LogitsProcessor):
    """z = (1 - lambda) z_reference + lambda z_aligned; the aligned model is the one that generates, the reference runs here with its own cache."""

    def __init__(self, reference):
        self.reference, self.cache, self.seen = reference, None, 0

    def __call__(self, input_ids, scores):
        new = input_ids[:, self.seen:]
        out = self.reference(input_ids=new, past_key_values=self.cache, use_cache=True)
        self.cache, self.seen = out.past_key_values, input_ids.shape[1]
        return (1 - LAMBDA) * out.logits[:, -1].float() + LAMBDA * scores


def synchronize(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def seconds(aligned, reference, prompt, device, **options):
    synchronize(device)
    begin = time.perf_counter()
    with torch.inference_mode():
        aligned.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=False, min_new_tokens=TOKENS, max_new_tokens=TOKENS,
            logits_processor=LogitsProcessorList([Realign(reference)]), pad_token_id=0, **options)
    synchronize(device)
    return time.perf_counter() - begin


def main():
    shape, batches, device = sys.argv[1], [int(b) for b in sys.argv[2].split(",")], sys.argv[3]
    if shape not in SHAPES:
        raise SystemExit(f"unknown shape '{shape}'; known: {', '.join(SHAPES)}")
    reference, aligned = random_model(shape, device, 1), random_model(shape, device, 2)
    for batch in batches:
        prompt = torch.randint(3, SHAPES[shape][5], (batch, PROMPT), device=device)
        for way, options in (("eager", {}), ("static cache, compiled", {"cache_implementation": "static"})):
            line = {"shape": shape, "batch": batch, "way": way, "torch": torch.__version__, "tokens": TOKENS}
            try:
                for _ in range(2):
                    seconds(aligned, reference, prompt, device, **options)
                times = [seconds(aligned, reference, prompt, device, **options) for _ in range(REPEATS)]
                line |= {"median_seconds": statistics.median(times), "tokens_per_second": batch * TOKENS / statistics.median(times)}
            except Exception as error:  # noqa: BLE001 - a way that this version cannot do is a result
                line["error"] = f"{type(error).__name__}: {error}"[:300]
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
