"""Gathers what cuda-report.sh ran into report.json and report.md of the same folder. Exit code 1 if a step failed.

    cuda_report.py FOLDER
"""
import json
import os
import sys


def lines(path):
    """The JSON objects of a file, one a line; other lines are left out."""
    found = []
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
    return [value for value in found if isinstance(value, dict)]


def read_steps(folder):
    with open(os.path.join(folder, "steps.tsv"), encoding="utf-8") as file:
        for line in file:
            name, output, code, command = line.rstrip("\n").split("\t", 3)
            yield {
                "step": name, "command": command, "outcome": "done" if code == "0" else code if code == "not run" else f"failed with {code}",
                "results": lines(os.path.join(folder, output)) if output else [],
            }


def number(value, digits=3):
    return "" if value is None else f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def table(header, rows):
    return ["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *("| " + " | ".join(row) + " |" for row in rows), ""]


def page(steps):
    by_name = {step["step"]: step for step in steps}
    devices = by_name.get("devices", {}).get("results", [])
    text = ["# dera on a GPU", "", "Made by `tools/cuda-report.sh`; commands in the first table, everything else in report.json.", ""]
    text += table(["step", "outcome", "command"], [[s["step"], s["outcome"], f"`{s['command']}`"] for s in steps])
    text += ["## Devices", ""] + table(
        ["device", "name", "detail", "kernels"], [[d.get(k, "") for k in ("device", "name", "detail", "kernels")] for d in devices])
    results = by_name.get("selftest", {}).get("results", [])
    checks = [c for c in results if "passed" in c]
    if checks:
        failed = [c for c in checks if not c.get("passed")]
        text += ["## Self-test", "", f"{len(checks) - len(failed)} of {len(checks)} checks passed.", ""]
        text += [f"- {c['operation']}: {c['case']}: {c['message']}" for c in failed] + ([""] if failed else [])
        text += [line for r in results if "finding" in r for line in (r["finding"] + ".", "")]
    parity = [r for s in steps if s["step"].startswith("parity") for r in s["results"]]
    if parity:
        text += ["## Parity with stored logits", ""] + table(
            ["model", "dtype", "worst difference", ""],
            [[r["model"], r["dtype"], number(r["worst"]), "passed" if r["passed"] else "FAILED"] for r in parity])
    for step in steps:
        if step["step"].startswith("bench"):
            rows = [r for r in step["results"] if "workload" in r]
            text += [f"## {step['step']}", ""] + table(
                ["workload", "case", "mode", "median s", "tokens/s", "bytes", "FLOPs"],
                [[str(r.get("workload", "")), str(r.get("case", "")), str(r.get("mode", "")), number(r.get("median_seconds")),
                  number(r.get("tokens_per_second"), 4), number(r.get("bytes")), number(r.get("flops"))] for r in rows])
        if step["step"].startswith("transformers") and step["results"]:
            text += [f"## {step['step']}", ""] + table(
                ["batch", "way", "median s for the text", "tokens/s", ""],
                [[str(r["batch"]), r["way"], number(r.get("median_seconds")), number(r.get("tokens_per_second"), 4), r.get("error", "")]
                 for r in step["results"]])
    return "\n".join(text)


def main():
    folder = sys.argv[1]
    steps = list(read_steps(folder))
    with open(os.path.join(folder, "report.json"), "w", encoding="utf-8") as file:
        json.dump({"steps": steps}, file, indent=1)
    with open(os.path.join(folder, "report.md"), "w", encoding="utf-8") as file:
        file.write(page(steps))
    failed = [s["step"] for s in steps if s["outcome"].startswith("failed")]
    print(f"{os.path.join(folder, 'report.md')}: {len(steps) - len(failed)} of {len(steps)} steps without failure"
          + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
