"""Turns the measurements of scripts/bench/run into docs/benchmarks.md on standard output. Usage: report.py WORKDIR ROUNDS"""
import json
import os
import platform
import statistics
import sys

work, rounds = sys.argv[1], int(sys.argv[2])


def load(name):
    with open(os.path.join(work, name), encoding="utf-8") as f:
        return json.load(f)


def hand(i):
    phases = []
    with open(os.path.join(work, f"hand-{i}.txt"), encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if len(words) > 1 and words[-1].replace(".", "").isdigit() and not words[0].isdigit():
                phases.append((" ".join(words[:-1]), float(words[-1])))
    return phases


runs = [load(f"run-{i}.json") for i in range(1, rounds + 1)]
hands = [hand(i) for i in range(1, rounds + 1)]
steps = [load(f"report-{i}/evidence/steps.json") for i in range(1, rounds + 1)]
helps = [load(f"help-{i}.json") for i in range(1, 6)]
ratios = [run["wall"] / dict(h)["total"] for run, h in zip(runs, hands)]
splits = [s["seconds"] for step in steps for s in step if s["id"] == "V.split"]
median = statistics.median
memory = int(next(l.split()[1] for l in open("/proc/meminfo", encoding="utf-8") if l.startswith("MemTotal"))) / 2**20

print("# Benchmarks\n")
print("Written by `make bench`; ratios count, absolute times are this machine's.\n")
print(f"Machine: {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}. {rounds} rounds, "
      "by hand and meshproof in turn; images cached.\n")
print("| what | limit | measured (min, median, max) |\n|---|---|---|")


def row(what, limit, values, form="{:.2f}"):
    print(f"| {what} | {limit} | " + ", ".join(form.format(v) for v in (min(values), median(values), max(values))) + " |")


row("whole run / the same steps by hand, round by round", "0.6 (later 0.4)", ratios)
row("whole run, s", "-", [r["wall"] for r in runs], "{:.1f}")
row("by hand (`scripts/bench/by-hand.sh`), s", "-", [dict(h)["total"] for h in hands], "{:.1f}")
row("1,200 measured calls, both directions at once, s", "6", splits, "{:.1f}")
row("peak memory of meshproof, MiB", "200", [r["peak_kib"] / 1024 for r in runs], "{:.0f}")
row("CPU of meshproof itself in a run, s", "-", [r["cpu"] for r in runs], "{:.1f}")
row("`meshproof --help`, s of CPU", "0.1", [h["cpu"] for h in helps], "{:.3f}")

middle = sorted(range(rounds), key=lambda i: runs[i]["wall"])[rounds // 2]
print("\n## Where each second of the run goes\n\nThe round with the median time; steps of the two clusters run at the same time, so their times overlap.\n")
print("| step | cluster | begins at, s | takes, s |\n|---|---|---|---|")
first = None
for s in steps[middle]:
    at = [int(x) for x in s["started"][11:19].split(":")]
    at = at[0] * 3600 + at[1] * 60 + at[2] + float("0." + s["started"][20:].rstrip("Z").ljust(1, "0"))
    first = at if first is None else first
    if s["seconds"] >= 0.05:
        print(f"| {s['id']} {s['title']} | {s.get('cluster', '')} | {(at - first) % 86400:.1f} | {s['seconds']:.1f} |")
print(f"\nThe rest, up to {runs[middle]['wall']:.1f} s, is judging, the report and the removal of clusters and network.\n")
print("## The same by hand\n\n| phase | s |\n|---|---|")
middle = sorted(range(rounds), key=lambda i: dict(hands[i])["total"])[rounds // 2]
for name, seconds in hands[middle]:
    print(f"| {name} | {seconds:.1f} |")
