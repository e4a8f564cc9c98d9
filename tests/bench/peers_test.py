"""What the comparison with other frameworks makes of its command line and of what Liven says, with a script in the place of
the program and no framework."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMPARE = Path(__file__).resolve().parents[2] / "bench" / "peers" / "compare.py"
RESULT = {"engine": "liven", "version": "1", "variant": "avx2", "model": "livenessnet", "mode": "train", "batch": 16,
          "size": 256, "threads": 2, "steps": 3, "ms_min": 9.0, "ms_median": 10.0, "flops": 1e9, "peak_gflops": 200.0,
          "rss_mb": 300.0, "rss_before_mb": 100.0}


class Comparison(unittest.TestCase):
    def compare(self, *options: str, liven: str = f"echo '{json.dumps(RESULT)}'") -> tuple[int, str, str, list[dict]]:
        """Status, stdout, the last line of stderr, and the results; `liven` is what the program does."""
        with tempfile.TemporaryDirectory() as folder:
            program, results = Path(folder) / "liven", Path(folder) / "results.jsonl"
            program.write_text(f"#!/bin/sh\n{liven}\n", encoding="utf-8")
            program.chmod(0o700)
            done = subprocess.run([sys.executable, "-B", str(COMPARE), "--liven", str(program), "--results", str(results),
                                   *options], capture_output=True, text=True, check=False)
            lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
            self.assertNotIn("Traceback", done.stderr)
            return done.returncode, done.stdout, (done.stderr.splitlines() or [""])[-1], list(map(json.loads, lines))

    def test_liven_alone_is_timed_as_often_as_was_asked_for(self) -> None:
        status, out, error, records = self.compare("livenessnet", "--mode", "train", "--only", "liven", "--rounds", "2")
        self.assertEqual((status, error, len(records)), (0, "", 2))
        self.assertIn("livenessnet, train, batch 16, 256 pixels, 2 threads, FMA peak 200 GFLOP/s", out)
        self.assertEqual({(r["kind"], r["liven_ms"]) for r in records}, {("model", 10.0)})

    def test_what_cannot_be_done_is_an_error_before_anything_is_timed(self) -> None:
        for options, words in {
                ("nope",): "no model 'nope'; there are: attacknet-v1",
                ("--rounds", "0"): "--rounds: expected a number above 0, got '0'",
                ("--batch", "0"): "--batch: expected a number above 0, got '0'",
                ("--seconds", "nan"): "--seconds: expected a number above 0, got 'nan'",
                ("--threads", "two"): "--threads: invalid int value: 'two'",
                ("--only", "nosuch"): "no 'nosuch' with --mode both; there are: liven, tensorflow (tensorflow:graph",
                ("--only", "pytorch:nosuch"): "pytorch:channels_last",
                ("--only", "ncnn", "--mode", "train"): "no 'ncnn' with --mode train",
                ("--memory-limit", "1GB", "--mode", "infer"): "--memory-limit is of training",
                ("--dense-weights", "bf16", "--mode", "train"): "--dense-weights is of inference"}.items():
            status, out, error, records = self.compare(*options)
            self.assertEqual((status, out, records), (2, "", []), options)
            self.assertIn(words, error)

    def test_of_a_liven_that_fails_the_line_that_says_why_is_shown(self) -> None:
        for script, words in {
                "echo '--size: Value 0 not in range' >&2; echo 'Run with --help for more.' >&2; exit 2":
                    "liven bench failed: --size: Value 0 not in range",
                "echo 'warning: slow' >&2; echo 'liven: no memory' >&2; echo >&2; exit 1":
                    "liven bench failed: liven: no memory",
                "exit 1": "liven bench failed: status 1",
                "echo 'warning: slow' >&2; kill -9 $$": "liven bench failed: ended by Killed"}.items():
            status, _, error, records = self.compare("livenessnet", "--only", "liven", liven=script)
            self.assertEqual((status, error, records), (1, words, []))


if __name__ == "__main__":
    unittest.main()
