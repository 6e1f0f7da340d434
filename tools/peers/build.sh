#!/usr/bin/env bash
# Compiles lockstep against an installed or built libllama.
#
#   build.sh --include DIR [--include DIR]… --library DIR --out FILE
#
# --include: where llama.h and ggml's headers are. --library: where libllama, libggml and libggml-base are; the program looks for them there when it
# runs. CXX and CXXFLAGS as usual. -ffast-math lets the compiler vectorise the exponentials of the host's softmax, on which no figure depends.
set -euo pipefail

fail() { echo "build: $*" >&2; exit 2; }

includes=() library="" out=""
while [ $# -gt 0 ]; do
    case $1 in
        --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        --include | --library | --out)
            [ $# -ge 2 ] || fail "$1: expected a value"
            case $1 in
                --include) [ -d "$2" ] || fail "--include $2: no such folder"; includes+=("-I$2") ;;
                --library) library=$2 ;;
                --out) out=$2 ;;
            esac
            shift 2 ;;
        *) fail "$1: unknown; --help says what there is" ;;
    esac
done
[ ${#includes[@]} -gt 0 ] || fail "--include DIR: missing"
[ -n "$library" ] || fail "--library DIR: missing"
[ -n "$out" ] || fail "--out FILE: missing"
[ -d "$library" ] || fail "--library $library: no such folder"
library=$(cd "$library" && pwd)

read -r -a flags <<< "${CXXFLAGS:--O3 -march=native -ffast-math}"
"${CXX:-c++}" -std=c++20 -Wall -Wextra "${flags[@]}" "${includes[@]}" "$(dirname "$0")/lockstep.cpp" -o "$out" \
    -L"$library" -Wl,-rpath,"$library" -Wl,--allow-shlib-undefined -lllama -lggml -lggml-base -pthread
