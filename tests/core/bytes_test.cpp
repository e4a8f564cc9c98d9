#include "liven/core/bytes.hpp"

#include <catch2/catch.hpp>

using namespace liven;

TEST_CASE("Amounts of memory are read as people write them") {
    CHECK(bytes_from("limit", "4GB") == 4'000'000'000);
    CHECK(bytes_from("limit", "4 gb") == 4'000'000'000);
    CHECK(bytes_from("limit", "1.5GiB") == 1'610'612'736);
    CHECK(bytes_from("limit", "512M") == 512'000'000);
    CHECK(bytes_from("limit", "64Ki") == 65'536);
    CHECK(bytes_from("limit", "300000") == 300'000);
    CHECK(bytes_from("limit", "2TB") == 2'000'000'000'000);
}

TEST_CASE("What is no amount of memory is an error with an example") {
    for (const char* text : {"", "GB", "four", "4XB", "-1GB", "0", "nan", "inf", "1e30GB", "4GBs", "4 G B", "0.4"})
        CHECK_THROWS_WITH(bytes_from("limit", text),
                          Catch::Contains("limit: expected an amount of memory") && Catch::Contains("4GB"));
}

TEST_CASE("Bytes are told in megabytes") {
    CHECK(megabytes(1'234'567'890) == "1235 MB");
    CHECK(megabytes(1'250'000, 2) == "1.25 MB");
}
