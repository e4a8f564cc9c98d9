#!/usr/bin/env python3
"""Pictures a second that one core prepares: `liven data prepare` and a plain script over OpenCV, by turns.

    compare.py --liven build/release/bin/liven FOLDER [--pictures 400] [--rounds 5]

FOLDER holds JPEG or PNG pictures, at any depth. Each round both prepare the same pictures with the same stages, in
processes of their own on one thread; pictures a second of processor time, which other programs disturb least, starting
included. The ratio is taken round by round.
"""
from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def pictures_in(folder: Path, count: int) -> list[Path]:
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        sys.exit(f"compare: {folder} holds no picture")
    return found[::max(1, len(found) // count)][:count]


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds of processor and of clock, and what was printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env={**os.environ, "LIVEN_THREADS": "1"}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit("compare: " + (done.stderr.strip().splitlines() or ["failed"])[-1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - start,
            done.stdout.strip())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--liven", required=True, help="the program")
    parser.add_argument("--results", type=Path, help="JSON lines are appended here")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    pictures = pictures_in(arguments.folder, arguments.pictures)
    rates: dict[str, list[float]] = {"liven": [], "opencv": []}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        (work / "list").write_text("\n".join(map(str, pictures)), encoding="utf-8")
        rows = "".join(f'"{p.resolve()}",bonafide\n' for p in pictures)
        (work / "manifest.csv").write_text("path,label\n" + rows, encoding="utf-8")
        commands = {
            "liven": [arguments.liven, "data", "prepare", str(work / "manifest.csv"), str(work / "liven"), "--quality",
                      "0.65", "--no-gates", "--enhance", "photo", "--no-report"],
            "opencv": [sys.executable, str(HERE / "opencv_prepare.py"), str(work / "list"), str(work / "opencv")]}
        version = ""
        for round_ in range(arguments.rounds):
            for name, command in commands.items():
                shutil.rmtree(work / name, ignore_errors=True)
                cpu, clock, said = timed(command)
                rates[name].append(len(pictures) / cpu)
                version = said if name == "opencv" else version
                print(f"round {round_ + 1}  {name:8} {len(pictures) / cpu:8.1f} pictures a second of processor time "
                      f"({len(pictures) / clock:.1f} by the clock)", flush=True)
        made = {name: sum(1 for _ in (work / name).rglob("*.png")) for name in commands}
    if made["liven"] != made["opencv"]:
        sys.exit(f"compare: not the same work: {made}")
    ratio = statistics.median(a / b for a, b in zip(rates["liven"], rates["opencv"]))
    print(f"\n{len(pictures)} pictures, {made['liven']} written; OpenCV {version.split()[-1]} in Python")
    for name, values in rates.items():
        print(f"{name:8} median {statistics.median(values):8.1f}  best {max(values):8.1f} pictures a second and core")
    print(f"ratio    median {ratio:8.2f}")
    if arguments.results:
        arguments.results.parent.mkdir(parents=True, exist_ok=True)
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": "prepare", "at": round(time.time()), "pictures": len(pictures),
                                   "rounds": arguments.rounds, "liven": statistics.median(rates["liven"]),
                                   "opencv": statistics.median(rates["opencv"]), "ratio": ratio}) + "\n")


main()
