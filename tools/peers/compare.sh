#!/usr/bin/env bash
# Times dera and llama.cpp side by side over the same random weights, in turn (A B, B A, …), and prints a table of medians and ratios.
#
#   compare.sh --dera FILE --peer NAME=FILE [--peer NAME=FILE]… --models DIR --out FILE.jsonl [options]
#
#   --dera FILE         the program, or dera.dll for `dotnet`
#   --peer NAME=FILE    a lockstep program (build.sh); several builds of llama.cpp may be compared at once
#   --models DIR        where the weights are; those that are missing are made (python3)
#   --out FILE.jsonl    one line per measurement, appended: a comparison may be run in parts
#   --shape LIST        15m,110m,1.1b by default; also 3b and 8b
#   --dtype TYPE        of the weights: bf16 (as they are made) or f32
#   --workload LIST     decode,prefill
#   --batch LIST        decode: 1,8,16
#   --prompt-tokens N   prefill: 512
#   --rounds N          5; each round times every engine once per case, even ones in the opposite order
#   --first-round N     1: the number that rounds start at, for a comparison in parts
#   --repeats N         5; repeats of a peer in a round (dera has 5 of its own)
#   --threads N         of the peers; the processors of this process by default, which are those that dera uses
#   --prefix COMMAND    put before every timed run, such as 'taskset -c 0,1' or a lock; split at spaces
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

fail() { echo "compare: $*" >&2; exit 2; }
usage() { sed -n '2,20s/^# \{0,1\}//p' "$0"; exit 0; }
count() { [[ $2 =~ ^[1-9][0-9]*$ ]] || fail "$1 $2: expected a number of at least 1"; }

dera="" models="" out="" shapes=15m,110m,1.1b dtype=bf16 workloads=decode,prefill batches=1,8,16 prompt=512 rounds=5 first_round=1 repeats=5 threads=$(nproc) prefix=()
peer_names=() peer_files=()
while [ $# -gt 0 ]; do
    [ "$1" != --help ] || usage
    [ $# -ge 2 ] || fail "$1: expected a value"
    case $1 in
        --dera) dera=$2 ;;
        --models) models=$2 ;;
        --out) out=$2 ;;
        --shape) shapes=$2 ;;
        --dtype) dtype=$2 ;;
        --workload) workloads=$2 ;;
        --batch) batches=$2 ;;
        --prompt-tokens) count "$1" "$2"; prompt=$2 ;;
        --rounds) count "$1" "$2"; rounds=$2 ;;
        --first-round) count "$1" "$2"; first_round=$2 ;;
        --repeats) count "$1" "$2"; repeats=$2 ;;
        --threads) count "$1" "$2"; threads=$2 ;;
        --prefix) read -r -a prefix <<< "$2" ;;
        --peer)
            [[ $2 =~ ^[A-Za-z0-9._-]+=.+$ ]] || fail "--peer $2: expected NAME=FILE"
            peer_names+=("${2%%=*}") peer_files+=("${2#*=}") ;;
        *) fail "$1: unknown; --help says what there is" ;;
    esac
    shift 2
done
[ -n "$dera" ] || fail "--dera FILE: missing"
[ ${#peer_names[@]} -gt 0 ] || fail "--peer NAME=FILE: missing"
[ -n "$models" ] || fail "--models DIR: missing"
[ -n "$out" ] || fail "--out FILE.jsonl: missing"
[ -f "$dera" ] || fail "--dera $dera: no such file"
for i in "${!peer_names[@]}"; do
    [ "${peer_names[i]}" != dera ] || fail "--peer dera=…: the name is taken"
    [ -x "${peer_files[i]}" ] || fail "--peer ${peer_names[i]}=${peer_files[i]}: no such program"
done
IFS=, read -r -a shape_list <<< "$shapes"
IFS=, read -r -a workload_list <<< "$workloads"
IFS=, read -r -a batch_list <<< "$batches"
for shape in "${shape_list[@]}"; do
    [[ $shape =~ ^(15m|110m|1\.1b|3b|8b)$ ]] || fail "--shape $shapes: expected a list of 15m, 110m, 1.1b, 3b, 8b, found '$shape'"
done
[[ $dtype =~ ^(bf16|f32)$ ]] || fail "--dtype $dtype: expected bf16 or f32"
for workload in "${workload_list[@]}"; do
    [[ $workload =~ ^(decode|prefill)$ ]] || fail "--workload $workloads: expected a list of decode, prefill, found '$workload'"
done
for batch in "${batch_list[@]}"; do count --batch "$batch"; done
command -v python3 > /dev/null || fail "needs python3, for the weights and the table"
dera_command=("$dera")
[[ $dera != *.dll ]] || dera_command=(dotnet "$dera")

# Writes what is missing of a shape's pair, in both engines' formats.
make_models() {
    local seed=1 model folder
    for model in reference aligned; do
        folder=$models/$1/$model
        [ -f "$folder/config.json" ] || { echo "making $folder" >&2; python3 "$here/random_llama.py" "$1" "$folder" --seed "$seed"; }
        [ -f "$folder.$dtype.gguf" ] || python3 "$here/hf_to_gguf.py" "$folder" "$folder.$dtype.gguf" --type "$dtype"
        seed=$((seed + 1))
    done
}

# Times engine $1 (0: dera, else a peer) once over case $3 = $4 of shape $2 in round $5, and appends its lines.
time_engine() {
    local folder=$models/$2 name=dera size=--batch modes=single,naive,fused command
    [ "$3" = decode ] || { size=--prompt-tokens; modes=single; }
    if [ "$1" = 0 ]; then
        command=("${dera_command[@]}" bench --device cpu --reference "$folder/reference" --aligned "$folder/aligned" --dtype "$dtype" --json)
    else
        name=${peer_names[$1 - 1]}
        command=("${peer_files[$1 - 1]}" --reference "$folder/reference.$dtype.gguf" --aligned "$folder/aligned.$dtype.gguf")
        command+=(--threads "$threads" --repeats "$repeats")
        modes=${modes%,fused}
    fi
    "${prefix[@]}" "${command[@]}" --workload "$3" "$size" "$4" --mode "$modes" > "$scratch/lines" 2> "$scratch/errors" ||
        { cat "$scratch/errors" >&2; fail "$name: $3 $4 of $2 failed"; }
    sed "s/^{/{\"peer\":\"$name\",\"shape\":\"$2\",\"dtype\":\"$dtype\",\"round\":$5,/" "$scratch/lines" >> "$out"
    echo "$2 $3 $4, round $5: $name" >&2
}

run_case() {
    local round engine last=${#peer_names[@]}
    for ((round = first_round; round < first_round + rounds; round++)); do
        for ((engine = 0; engine <= last; engine++)); do
            # Backwards in even rounds, so that a machine that gets slower or faster does so for all alike.
            time_engine "$((round % 2 == 1 ? engine : last - engine))" "$1" "$2" "$3" "$round"
        done
    done
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for shape in "${shape_list[@]}"; do
    make_models "$shape"
    for workload in "${workload_list[@]}"; do
        if [ "$workload" = decode ]; then
            for batch in "${batch_list[@]}"; do run_case "$shape" decode "$batch"; done
        else
            run_case "$shape" prefill "$prompt"
        fi
    done
done
python3 "$here/report.py" "$out"
