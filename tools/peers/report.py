#!/usr/bin/env python3
"""Tables from the lines that compare.sh collects.

    report.py FILE.jsonl [--json]

Every line is one measurement of one round. A figure is the median over rounds of each round's median; the range is over rounds. A ratio above 1
says that dera is faster. Pairs are compared as each engine does them best: dera fused, the peers naive, and
with the fastest of the peers in that case.
"""

import argparse
import json
import statistics
import sys

DERA = "dera"
# (workload, mode of dera, mode of the peers, what a row calls it)
ROWS = [
    ("decode", "fused", "naive", "pair decode"),
    ("decode", "naive", "naive", "pair decode, dera naive too"),
    ("decode", "single", "single", "one model's decode"),
    ("prefill", "single", "single", "one model's prefill"),
]


def read(path):
    """Returns {(shape with its type of weights, workload, size, engine, mode): [line per round]} and the engines in order of appearance."""
    groups, engines = {}, []
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
            except ValueError as error:
                sys.exit(f"report: {path}:{number}: {error}")
            if line.get("workload") not in ("decode", "prefill"):
                continue  # dera's line of ceilings
            size = line["batch"] if line["workload"] == "decode" else line["tokens"]
            key = f"{line['shape']} {line['dtype']}", line["workload"], size, line["peer"], line["mode"]
            groups.setdefault(key, []).append(line)
            if line["peer"] != DERA and line["peer"] not in engines:
                engines.append(line["peer"])
    return groups, engines


def summarise(lines):
    seconds = sorted(line["median_seconds"] for line in lines)
    first = lines[0]
    per_run = first["tokens_per_second"] * first["median_seconds"]
    median = statistics.median(seconds)
    shares = [line["share_of_floor"] for line in lines if line.get("share_of_floor")]
    return {
        "rounds": len(lines),
        "median_seconds": median,
        "min_seconds": seconds[0],
        "max_seconds": seconds[-1],
        "tokens_per_second": per_run / median,
        "share_of_floor": statistics.median(shares) if shares else None,
    }


def rows(groups, engines):
    shapes = list(dict.fromkeys(key[0] for key in groups))
    for shape in shapes:
        for workload, own_mode, peer_mode, label in ROWS:
            sizes = sorted({key[2] for key in groups if key[:2] == (shape, workload)})
            for size in sizes:
                own = groups.get((shape, workload, size, DERA, own_mode))
                if not own:
                    continue
                dera = summarise(own)
                peers = {}
                for engine in engines:
                    other = groups.get((shape, workload, size, engine, peer_mode))
                    if other:
                        peers[engine] = summarise(other)
                        peers[engine]["ratio"] = peers[engine]["median_seconds"] / dera["median_seconds"]
                if not peers:
                    continue
                fastest = min(peers, key=lambda engine: peers[engine]["ratio"])
                yield {"shape": shape, "case": f"{label}, {'batch' if workload == 'decode' else 'tokens'} {size}", "dera": dera, "peers": peers,
                       "fastest_peer": fastest, "ratio": peers[fastest]["ratio"]}


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rate(summary):
    """Tokens per second and half the range of the rounds, in percent of the median."""
    spread = (summary["max_seconds"] - summary["min_seconds"]) / 2 / summary["median_seconds"]
    return f"{digits(summary['tokens_per_second'])} ± {100 * spread:.0f} %"


def markdown(table, engines):
    head = ["shape", "case", "rounds", "dera tok/s", "of its floor", "dera ÷ fastest peer"]
    for engine in engines:
        head += [f"{engine} tok/s", "dera ÷ it"]
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in table:
        share = row["dera"]["share_of_floor"]
        cells = [row["shape"], row["case"], str(row["dera"]["rounds"]), rate(row["dera"]), f"{100 * share:.0f} %" if share else "–"]
        cells.append(f"{row['ratio']:.2f} × {row['fastest_peer']}")
        for engine in engines:
            peer = row["peers"].get(engine)
            cells += [rate(peer), f"{peer['ratio']:.2f} ×"] if peer else ["–", "–"]
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description="Print a table of medians and ratios from compare.sh's lines.")
    parser.add_argument("file")
    parser.add_argument("--json", action="store_true", help="one JSON line per row instead of Markdown")
    arguments = parser.parse_args()
    try:
        groups, engines = read(arguments.file)
    except OSError as error:
        sys.exit(f"report: {error}")
    table = list(rows(groups, engines))
    if not table:
        sys.exit(f"report: {arguments.file}: no case with figures of dera and of a peer")
    if arguments.json:
        for row in table:
            print(json.dumps(row))
    else:
        markdown(table, engines)


if __name__ == "__main__":
    main()
