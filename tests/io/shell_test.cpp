#include "src/io/shell.hpp"

#include <catch2/catch.hpp>

using liven::shell_quoted;

TEST_CASE("A shell reads back the word, whatever it holds") {
    CHECK(shell_quoted("runs/first-1.toml") == "runs/first-1.toml");
    CHECK(shell_quoted("two & a half") == "'two & a half'");
    CHECK(shell_quoted("it's") == "'it'\\''s'");
    CHECK(shell_quoted("$(rm x)") == "'$(rm x)'");
    CHECK(shell_quoted("") == "''");
}
