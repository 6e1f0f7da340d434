#!/usr/bin/env bash
# Proves and measures dera on a GPU in one command: self-test, parity on small models, bench of 8b, 3b and 1.1b shapes, prefill without wgmma and by each of its
# forms where the card has it, decode with graphs and without, the 1.1b shape in float32, and beside it transformers with two models and a logits processor on the same
# shapes. Writes FOLDER/report.json and FOLDER/report.md.
#
#   tools/cuda-report.sh [--dera PATH] [--device cuda:0] [--shapes 8b,3b,1.1b] [--batches 1,16] [--models DIR] [--python PATH] [--out FOLDER]
#
# --dera     the program: of an unpacked bundle, or on PATH
# --models   a folder of golden models (tests/Golden/models) for parity; left out, parity is reported as not run
# --python   a Python with torch and transformers; without them the comparison is reported as not run
# A step that fails is reported as failed and the others still run; the exit code is 1 then.
set -uo pipefail

fail() { echo "cuda-report: $*" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
dera=dera device=cuda:0 shapes=8b,3b,1.1b batches=1,16 models="" python=python3 out=cuda-report
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1 needs a value"
    case $1 in
        --dera) dera=$2 ;;
        --device) device=$2 ;;
        --shapes) shapes=$2 ;;
        --batches) batches=$2 ;;
        --models) models=$2 ;;
        --python) python=$2 ;;
        --out) out=$2 ;;
        *) fail "unknown option $1" ;;
    esac
    shift 2
done
command -v "$dera" >/dev/null || fail "'$dera' is no program; --dera PATH names one"
command -v "$python" >/dev/null || fail "'$python' is no program; --python PATH names one"
[ -z "$models" ] || [ -d "$models" ] || fail "--models: '$models' is no folder"
mkdir -p "$out" || fail "cannot make '$out'"
steps="$out/steps.tsv"
: > "$steps"

# step NAME FILE COMMAND…: runs it, standard output into FILE, and notes name, file, exit code and the command.
step() {
    local name=$1 file=$2 code=0
    shift 2
    echo "== $name: $*" >&2
    "$@" > "$out/$file" 2> "$out/$file.log" || code=$?
    [ "$code" = 0 ] || { echo "   failed with $code; the last lines:" >&2; tail -n 3 "$out/$file.log" >&2; }
    printf '%s\t%s\t%s\t%s\n' "$name" "$file" "$code" "$*" >> "$steps"
}

step devices devices.jsonl "$dera" devices --json
if command -v nvidia-smi >/dev/null; then
    step driver driver.csv nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv
fi
step selftest selftest.jsonl "$dera" selftest --device "$device" --json
if [ -n "$models" ]; then
    for folder in "$models"/*/; do
        name=$(basename "$folder")
        for type in auto f32; do
            step "parity $name $type" "parity-$name-$type.json" "$python" "$here/cuda_parity.py" "$dera" "$device" "$folder" "$type"
        done
    done
fi
for shape in ${shapes//,/ }; do
    step "bench $shape" "bench-$shape.jsonl" "$dera" bench --device "$device" --shape "$shape" --workload decode,prefill,head --batch "$batches" \
        --prompt-tokens 2048 --vocabulary 128000 --rows 1,64 --json
    if grep -F "\"$device\"" "$out/devices.jsonl" | grep -q wgmma; then
        for form in off plain roles; do
            step "bench $shape with wgmma $form" "bench-$shape-wgmma-$form.jsonl" env DERA_WGMMA=$form "$dera" bench --device "$device" --shape "$shape" \
                --workload prefill --prompt-tokens 2048 --json
        done
    fi
    step "bench $shape without graphs" "bench-$shape-without-graphs.jsonl" "$dera" bench --device "$device" --shape "$shape" --no-capture \
        --workload decode --mode fused --batch "$batches" --json
    if [ "$shape" = 1.1b ]; then # float32 takes twice the memory, and its projections are other kernels
        step "bench $shape in float32" "bench-$shape-float32.jsonl" "$dera" bench --device "$device" --shape "$shape" --dtype f32 \
            --workload decode,prefill --mode single,fused --batch "$batches" --prompt-tokens 2048 --json
    fi
    if "$python" -c 'import torch, transformers' 2>/dev/null; then
        step "transformers $shape" "transformers-$shape.jsonl" "$python" "$here/cuda_transformers.py" "$shape" "$batches" "$device"
    else
        printf '%s\t%s\t%s\t%s\n' "transformers $shape" "" "not run" "no torch and transformers in $python" >> "$steps"
    fi
done
exec "$python" "$here/cuda_report.py" "$out"
