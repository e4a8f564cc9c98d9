"""What the benchmarks' page makes of a few made-up results (results.jsonl): figures chosen so that each can be checked in
one's head."""
import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPORT = HERE.parents[1] / "bench" / "report"
sys.path.insert(0, str(REPORT))

import page  # noqa: E402
import results  # noqa: E402
import targets  # noqa: E402

RECORDS = results.read(HERE / "results.jsonl")
ROWS_IN_ORDER = targets.rows(RECORDS)
ROWS = {row[0]: row for row in ROWS_IN_ORDER}


def reached(what: str) -> tuple[str, str]:
    """Measured, and what it reaches, of the one row that begins so."""
    found = [row for name, row in ROWS.items() if name.startswith(what)]
    assert len(found) == 1, (what, found)
    return found[0][3], found[0][4]


class Balanced(HTMLParser):
    """Fails on a tag that is closed and was not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class Targets(unittest.TestCase):
    def test_a_share_is_the_least_over_the_shapes_of_the_best_kernel_and_newest_result(self) -> None:
        self.assertEqual(reached("3x3 forward and input gradient, 16 to 16"), ("160 %", "floor"))
        self.assertEqual(reached("3x3 weight gradient, 16 to 16"), ("250 %", "goal"))

    def test_results_of_other_instruction_sets_cold_weights_and_invalid_runs_are_left_out(self) -> None:
        self.assertEqual(reached("direct 3x3 forward"), ("96 %", "floor"))
        self.assertEqual(reached("first layer, forward"), ("72 %", "floor"))
        self.assertEqual(reached("1x1 convolutions"), ("91 %", "floor"))

    def test_steps_with_programs_have_a_row_of_their_own_which_says_that_rounds_were_few(self) -> None:
        fused = [row for row in ROWS_IN_ORDER if row[0] == "the same with prologue and epilogue"]
        self.assertEqual([row[3] for row in fused], ["140 %"] + 3 * ["not measured"])
        self.assertEqual(fused[0][4], "below the floor")
        self.assertIn("5 rounds, 20 are asked for", fused[0][5])

    def test_a_ratio_is_the_median_over_the_newest_rounds_of_the_fastest_framework(self) -> None:
        self.assertEqual(reached("V2.2 training step"), ("3.50x", "goal"))

    def test_a_ratio_to_a_liven_with_maps_in_bf16_is_kept_apart(self) -> None:
        self.assertEqual(reached("the same with maps in bf16"), ("2.50x", "floor"))
        self.assertEqual(reached("the same with the dense layer in bf16"), ("not measured", ""))
        self.assertEqual(reached("V2.2, one image"), ("2.00x", "floor"))
        self.assertIn("without onnxruntime and ncnn", next(r for n, r in ROWS.items() if n.startswith("V2.2, one"))[5])

    def test_memory_and_traffic_reach_their_aim_from_above(self) -> None:
        self.assertEqual(reached("what the V2.2 step adds"), ("40 %", "goal"))
        self.assertEqual(reached("DRAM bytes of a V2.2 training step: activations"), ("99 MB", "floor"))
        self.assertEqual(reached("DRAM bytes of a V2.2 training step: parameters"), ("340 MB", "goal"))

    def test_a_gain_of_threads_is_divided_by_what_the_peak_gains(self) -> None:
        self.assertEqual(reached("2 threads over 1, where the peak itself doubles: convolutions"), ("2.21x", "goal"))
        self.assertEqual(reached("2 threads over 1, where the peak itself doubles: the V2.2"), ("1.95x", "goal"))

    def test_results_on_two_threads_count_also_where_there_are_some_on_more(self) -> None:
        more = [{**r, "threads": 8, "share": 9.0} if r["kind"] == "kernel" else {**r, "threads": 8, "liven_ms": 1.0}
                for r in RECORDS if r["kind"] != "traffic" and r["threads"] == 2]
        self.assertEqual(targets.rows(more + RECORDS), ROWS_IN_ORDER)
        self.assertEqual(targets.rows(RECORDS + more), ROWS_IN_ORDER)
        for row in targets.rows(more):
            if row[1] != "always" and row[3] != "not measured":
                self.assertIn("8 threads, 2 are asked for", row[5])

    def test_what_was_not_measured_names_its_command(self) -> None:
        missing = [row for row in ROWS_IN_ORDER if row[3] == "not measured"]
        self.assertGreater(len(missing), 5)
        for row in missing:
            self.assertIn("./run bench ", row[5])
        self.assertTrue(all(row[3] in ("not measured", "a test") for row in targets.rows([])))


class Records(unittest.TestCase):
    def told(self, *lines: str) -> tuple[list[dict], list[str]]:
        """What is read of a file of such lines, and what stderr says of them without the file's name."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as err:
            file = Path(folder) / "results.jsonl"
            file.write_bytes("\n".join(lines).encode("utf-8", errors="surrogateescape"))
            return results.read(file), err.getvalue().replace(str(file), "").splitlines()

    def test_a_line_that_is_no_complete_record_is_skipped_and_told_with_its_number(self) -> None:
        whole = json.dumps(RECORDS[0])
        bad = {whole[:200]: "cut off", "[1,2]": "expected a JSON object", "7": "expected a JSON object",
               "{}": "got null", '{"kind": ["kernel"]}': "expected a kind", '{"kind": "other", "at": 1}': 'got "other"',
               '{"kind":"kernel"}': "without at, isa", '{"kind": "model", "at": 1}': "without mode, engine",
               '{"kind": "traffic", "at": 1}': "without model", "\udcff": "no JSON", "[" * 100000: "no JSON"}
        for field, value in (("share", float("nan")), ("share", float("inf")), ("share", "1"), ("share", None),
                             ("bytes", 0), ("ms", -1), ("at", 10**400), ("at", 10**12), ("threads", True),
                             ("threads", 1.5), ("isa", "mmx"), ("roof", ["fma"]), ("valid", 1), ("shape", 3)):
            bad[json.dumps({**RECORDS[0], field: value})] = f"a record of a kernel that cannot be, with {field} "
        read, said = self.told(whole, *bad, "", whole)
        self.assertEqual(read, 2 * [RECORDS[0]])
        self.assertEqual(len(said), len(bad))
        for number, (line, words) in enumerate(zip(said, bad.values()), 2):
            self.assertTrue(line.startswith(f":{number}: skipped: "), line)
            self.assertIn(words, line)

    def test_every_field_that_the_page_needs_is_asked_for(self) -> None:
        for record in {r["kind"]: r for r in RECORDS}.values():
            self.assertEqual(results.fault(record), "")
            for field in results.ALWAYS[record["kind"]]:
                self.assertIn(f"without {field}", results.fault({k: v for k, v in record.items() if k != field}))
        bare = [{field: r[field] for field in ("kind", *results.ALWAYS[r["kind"]])} for r in RECORDS]
        self.assertIn("Whole models", page.page(bare))
        self.assertIn("floor", targets.text(bare))

    def test_results_that_the_page_does_not_show_are_no_fault(self) -> None:
        self.assertEqual(self.told('{"kind": "prepare", "ratio": 2.0}'), ([], []))


class Page(unittest.TestCase):
    html = page.page(RECORDS)

    def test_is_well_formed_and_fetches_nothing(self) -> None:
        parser = Balanced()
        parser.feed(self.html)
        self.assertEqual(parser.open, [])
        self.assertIsNone(re.search(r"https?://|<script|<link|<img", self.html))
        self.assertIn('name="viewport"', self.html)
        self.assertIn("a&lt;b", self.html)
        self.assertNotIn("nan", " ".join(parser.texts).lower().split())

    def test_shows_every_valid_kernel_and_the_same_peak_in_table_and_plot(self) -> None:
        for r in RECORDS:
            if r["kind"] == "kernel" and r["valid"]:
                self.assertIn(r["kernel"], self.html)
        self.assertNotIn("900 %", self.html)
        self.assertIn("FMA peak 250 GFLOP/s", self.html)
        self.assertIn("<td>avx512</td><td class=n>2</td><td class=n>250</td>", self.html)

    def test_names_families_of_kernels(self) -> None:
        self.assertEqual([page.family(name) for name in (
            "conv2d_fwd_gemm_nhwc_f32", "conv2d_fwd_narrow_nhwc_f32", "conv2d_bwd_weights_depthwise_nhwc_f32",
            "conv2d_fwd_direct_nhwc_f32", "conv2d_fwd_winograd_f4x4_nhwc_f32", "matmul_packed_12x32_f32",
            "max_pool_rows_nhwc_f32", "moments_shifted_blocks_f32", "permute_turned_squares")],
            ["1x1", "narrow", "depthwise", "direct", "winograd", "matmul", "pool", "sums", "other"])

    def test_traffic_has_what_is_written_beside_what_is_fetched(self) -> None:
        self.assertRegex(self.html, "99.0</td><td class=n>340.0</td><td class=n>55.0</td><td class=n>201.0</td>")
        self.assertRegex(self.html, "1.0</td><td class=n>2.0</td><td class=n></td><td class=n></td>")

    def test_the_program_prints_the_table_and_writes_the_page(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "deeper" / "report.html"
            command = [sys.executable, "-B", str(REPORT / "page.py")]
            done = subprocess.run([*command, str(HERE / "results.jsonl"), str(target)], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("V2.2 training step", done.stdout)
            self.assertIn("peaks of avx512, 2 threads: 250 GFLOP/s, reads 40.0 GB/s", done.stdout)
            self.assertEqual(target.read_text(encoding="utf-8"), self.html)
            nothing = subprocess.run([*command, folder + "/none", str(target)], capture_output=True, text=True, check=False)
            self.assertEqual(nothing.returncode, 1)
            self.assertIn("nothing measured yet", nothing.stderr)


if __name__ == "__main__":
    unittest.main()
