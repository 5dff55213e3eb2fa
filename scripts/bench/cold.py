"""Turns the measurements of scripts/bench/cold into docs/benchmarks-cold.md on standard output.

Usage: cold.py WORKDIR BARE_BEGAN BARE_ENDED BUILDS   (seconds since the epoch; number of go builds)
"""
import json
import os
import platform
import sys

work, began, ended, builds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
with open(os.path.join(work, "conformance.json"), encoding="utf-8") as f:
    whole = json.load(f)["wall"]
with open(os.path.join(work, "report/evidence/steps.json"), encoding="utf-8") as f:
    steps = json.load(f)
images = sum(s["seconds"] for s in steps if s["id"] == "P1")
bare = ended - began
memory = int(next(l.split()[1] for l in open("/proc/meminfo", encoding="utf-8") if l.startswith("MemTotal"))) / 2**20

print("# A cold run\n")
print("Written by `make bench-cold`: no image cache, an empty Go build cache, a filled module cache, a container engine without "
      "images of ours. The bare builds are the same `go build` commands in the same modules, one after the other.\n")
print(f"Machine: {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}. One round.\n")
print("| what | limit | measured |\n|---|---|---|")
print(f"| cold `make conformance` / the bare `go build` of the same {builds} builds | 1.15 | {whole / bare:.2f} |")
print(f"| its image step alone / the same | - | {images / bare:.2f} |")
print(f"| cold `make conformance`, s | - | {whole:.0f} |")
print(f"| of that bringing the images, s | - | {images:.0f} |")
print(f"| the bare builds, s | - | {bare:.0f} |")
print("\nWhat the run adds to compiling: root file systems of Debian packages, the kind node image and the layers of images (most "
      "of it while the next unit compiles), then two clusters, the guide, the calls and the removal.")
