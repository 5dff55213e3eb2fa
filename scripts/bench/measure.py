"""Runs a command and writes its wall and CPU seconds and its peak memory (KiB) as JSON.

CPU and memory are those of the process itself, read from /proc while it runs (the last reading is at most 20 ms old);
wait4's figures would count the programs that it started too. A process that is gone before the first reading has
started none, and for it wait4's figures are taken.
Usage: measure.py OUT.json COMMAND [ARG ...]
"""
import json
import os
import sys
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
own = {}


def watch(pid, done):
    while not done.wait(0.02):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                words = f.read().rpartition(")")[2].split()
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                peak = [line.split()[1] for line in f if line.startswith("VmHWM")]
        except OSError:
            return
        if peak:
            own.update(cpu=(int(words[11]) + int(words[12])) / TICK, peak_kib=int(peak[0]))


began = time.monotonic()
pid = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
done = threading.Event()
watcher = threading.Thread(target=watch, args=(pid, done))
watcher.start()
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - began
done.set()
watcher.join()
if wall < 1:
    own = {"cpu": usage.ru_utime + usage.ru_stime, "peak_kib": usage.ru_maxrss}
code = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump({"wall": wall, **own, "exit": code}, out)
sys.exit(code)
