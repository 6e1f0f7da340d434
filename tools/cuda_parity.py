"""Logits of `dera logits` beside the stored ones of a golden model: prints one JSON object, exit code 1 if they are further apart than allowed.

    cuda_parity.py DERA DEVICE MODEL_FOLDER auto|f32

Models stored in float32, and all with f32, are held to 5e-4. With `auto`, a model stored in 16 bits may be as far from the float32 logits as twice what
transformers in bfloat16 is (kept in golden.json): the reference program in the kernel's own precision sets the tolerance.
"""
import array
import json
import os
import subprocess
import sys
import tempfile

FLOAT32_TOLERANCE = 5e-4


def main():
    dera, device, folder, dtype = sys.argv[1:]
    with open(os.path.join(folder, "golden.json"), encoding="utf-8") as file:
        golden = json.load(file)
    with open(os.path.join(folder, "golden.bin"), "rb") as file:
        values = file.read()
    bfloat16 = next((v for k, v in golden["checks"].items() if "bfloat16" in k and k.endswith("max_abs_logit_diff")), None)
    texts, worst, passed = 0, 0.0, True
    for side in ("ref", "aligned"):
        rounds = dtype == "auto" and golden[side + "_dtype"] != "F32"
        if rounds and bfloat16 is None:
            raise SystemExit(f"{folder}: golden.json does not say how far bfloat16 is from float32")
        allowed = 2 * bfloat16 if rounds else FLOAT32_TOLERANCE
        for sequence in golden["sequences"]:
            entry = golden["tensors"][f"{sequence['id']}.{side}.logits"]
            expected = array.array("f")
            expected.frombytes(values[entry["offset"] : entry["offset"] + entry["nbytes"]])
            got = logits(dera, device, os.path.join(folder, side), sequence["input_ids"], dtype)
            if len(got) != len(expected):
                raise SystemExit(f"{side} {sequence['id']}: {len(expected)} logits stored, {len(got)} computed")
            apart = max(abs(a - b) for a, b in zip(got, expected))
            passed = passed and apart <= allowed and not any(v != v for v in got)
            worst, texts = max(worst, apart), texts + 1
    name = os.path.basename(os.path.normpath(folder))
    print(json.dumps({"model": name, "dtype": dtype, "texts": texts, "worst": worst, "passed": passed and texts > 0}))
    return 0 if passed and texts > 0 else 1


def logits(dera, device, model, tokens, dtype):
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "logits.bin")
        subprocess.run(
            [dera, "logits", "--model", model, "--tokens", ",".join(map(str, tokens)), "--device", device, "--dtype", dtype, "--out", out],
            check=True, stdout=subprocess.DEVNULL)
        values = array.array("f")
        with open(out, "rb") as file:
            values.frombytes(file.read())
        return values



if __name__ == "__main__":
    sys.exit(main())
