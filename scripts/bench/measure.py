"""Runs a command and writes its wall and CPU seconds and its peak memory (KiB) as JSON.

CPU and memory are those of the process itself, not of what it started: wait4 gives them with its exit.
Usage: measure.py OUT.json COMMAND [ARG ...]
"""
import json
import os
import sys
import time

began = time.monotonic()
pid = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump({"wall": time.monotonic() - began, "cpu": usage.ru_utime + usage.ru_stime, "peak_kib": usage.ru_maxrss,
               "exit": os.waitstatus_to_exitcode(status)}, out)
sys.exit(os.waitstatus_to_exitcode(status))
