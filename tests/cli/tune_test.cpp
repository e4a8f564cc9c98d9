#include <catch2/catch.hpp>

#include "program.hpp"
#include "tests/occurrences.hpp"

// liven tune and LIVEN_TUNING.

using namespace liven;

TEST_CASE("tune writes a table that plans go by, and extends one that is there") {
    const Folder folder;
    const std::string table = folder / "machine.tuning";
    const std::string tune = "tune attacknet-v2.2 --size 32 --rounds 1 --out " + table;
    const Outcome made = liven_program(tune + " --batch 2");
    CHECK(made.status == 0);
    CHECK(has(made.out, " pairs of kernel and problem; LIVEN_TUNING=" + table));
    const std::string first = contents_of(table);
    CHECK(first.rfind("liven-tuning 1\n", 0) == 0);
    CHECK(has(first, "conv2d_fwd_direct_nhwc_f32"));
    CHECK(liven_program(tune + " --batch 3").status == 0);
    CHECK(count(contents_of(table), "\n") > count(first, "\n"));

    ::setenv("LIVEN_TUNING", table.c_str(), 1);
    const Outcome plan = liven_program("plan attacknet-v2.2 --size 32 --batch 2 --after fuse");
    const Outcome kernels = liven_program("kernels");
    ::unsetenv("LIVEN_TUNING");
    CHECK(plan.status == 0);
    CHECK(has(plan.out, "chosen by the times of the tuning table"));
    CHECK(has(kernels.out, "measured over"));
    CHECK_FALSE(has(liven_program("plan attacknet-v2.2 --size 32 --batch 2 --after fuse").out, "tuning table"));
}

TEST_CASE("tune writes default costs, of each instruction set by itself, and says no to another file") {
    const Folder folder;
    const std::string costs = folder / "costs.inc";
    const std::string tune = "tune livenessnet --size 32 --batch 2 --rounds 1 --as-default ";
    CHECK(liven_program(tune + costs).status == 0);
    const std::string first = contents_of(costs);
    CHECK(first.rfind("R\"costs(liven-costs 1\nmachine ", 0) == 0);
    CHECK(has(first, "conv2d_fwd_direct_nhwc_f32"));
    ::setenv("LIVEN_ISA", "baseline", 1);
    CHECK(liven_program(tune + costs).status == 0);
    ::unsetenv("LIVEN_ISA");
    CHECK(has(contents_of(costs), "\nbaseline conv2d "));
    CHECK(liven_program(tune + folder.file("other", "machine avx2\n")).one_clear_error());
    CHECK(liven_program(tune + costs + " --out " + (folder / "machine.tuning")).status == 2);
    CHECK(liven_program(tune + "''").status == 2);
    const Outcome kernels = liven_program("kernels");
    CHECK(has(kernels.out, "cost by "));
    CHECK(has(kernels.out, "shapes of avx2 were measured 20"));
}

TEST_CASE("A table that is not in order stops the program at its start") {
    const Folder folder;
    const std::string broken = folder.file("broken.tuning", "liven-tuning 1\n0 nothing\n");
    ::setenv("LIVEN_TUNING", broken.c_str(), 1);
    CHECK(liven_program("plan attacknet-v2.2 --size 32").one_clear_error());
    CHECK(liven_program("tune attacknet-v2.2 --size 32").one_clear_error());
    ::unsetenv("LIVEN_TUNING");
    CHECK(liven_program("tune attacknet-v2.2 --size 32").one_clear_error());
}
