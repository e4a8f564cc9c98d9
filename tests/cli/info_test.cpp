#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <sstream>
#include <string>

#include "liven/models/registry.hpp"
#include "program.hpp"

// What the program says about itself and its models.

using namespace liven;

namespace {

const std::vector<std::string> kCommands{"train",      "evaluate",    "predict",    "report", "data",      "data synth",
                                         "data check", "data import", "data split", "audit",  "init",      "forward",
                                         "grad",       "summary",     "plan",       "bench",  "tune",      "models",
                                         "kernels",    "ops",         "version",    "help",   "completion"};

}  // namespace

TEST_CASE("summary --json has the totals of the paper's table 13") {
    const std::map<std::string, int64_t> table13{{"livenessnet", 8'406'098},
                                                 {"attacknet-v1", 33'588'738},
                                                 {"attacknet-v2.1", 33'588'738},
                                                 {"attacknet-v2.2", 16'806'722}};
    for (const auto& [name, total] : table13) {
        INFO(name);
        const Json json = liven_program("summary " + name + " --json").json();
        CHECK(json.at("model").text() == name);
        CHECK(json.at("input").elements().size() == 3);
        CHECK(json.at("parameters").at("total").integer() == total);
        CHECK(json.at("inference").at("parameters").integer() == total);
        int64_t sum = 0, trainable = 0;
        double flops = 0;
        for (const Json& layer : json.at("layers").elements()) {
            CHECK(keys_of(layer) == std::vector<std::string>{"name", "type", "output", "parameters", "trainable",
                                                             "flops", "activation_bytes"});
            sum += layer.at("parameters").integer();
            trainable += layer.at("trainable").integer();
            flops += layer.at("flops").number();
        }
        CHECK(sum == total);
        CHECK(trainable == json.at("parameters").at("trainable").integer());
        CHECK(flops == Approx(json.at("flops").number()));
    }
    CHECK(has(liven_program("summary attacknet-v2.2").out, "16,806,722"));
    // 2 * 9 * 3 * 16 a pixel, and the other input sizes that the pools allow.
    const Json small = liven_program("summary attacknet-v2.2 --input 20x28x3 --json").json();
    CHECK(small.at("layers").elements()[0].at("flops").number() >= 2.0 * 27 * 16 * 20 * 28);
}

TEST_CASE("plan prints every pass, for training and inference, as text and for Graphviz", "[slow]") {
    const std::string model = "plan attacknet-v2.2 --size 32 --batch 2";
    for (const char* mode : {"train", "infer"}) {
        std::string before;
        for (const char* pass : {"trace", "differentiate", "lower", "simplify", "fuse", "schedule", "allocate"}) {
            INFO(mode << " after " << pass);
            const std::string flags = " --mode " + std::string(mode) + " --after " + pass;
            const Outcome text = liven_program(model + flags), dot = liven_program(model + flags + " --graphviz");
            CHECK(text.status == 0);
            CHECK(text.err.empty());
            CHECK(text.out.size() > 200);
            // Without gradients there is nothing to differentiate, and here nothing to simplify.
            if (std::string_view(mode) == "train") {
                const bool changed = text.out != before;
                CHECK(changed);
            }
            CHECK(dot.status == 0);
            CHECK(dot.out.rfind("digraph", 0) == 0);
            CHECK(dot.out.find_last_of('}') != std::string::npos);
            before = text.out;
        }
    }
    // A training step's last segment is the update.
    CHECK(has(liven_program(model + " --mode train --after trace").out, "adam_update"));
    CHECK(has(liven_program(model + " --mode train --after trace").out, "gradients"));
    CHECK_FALSE(has(liven_program(model + " --mode train --after differentiate").out, "= gradients"));
    CHECK(has(liven_program(model + " --mode train --after fuse").out, "-> state"));
    CHECK_FALSE(has(liven_program(model + " --mode infer --after trace").out, "adam_update"));
    CHECK(liven_program(model + " --after nothing").one_clear_error());
}

TEST_CASE("models lists options and recipes") {
    const auto lines = liven_program("models --json").json_lines();
    REQUIRE(lines.size() == models().size());
    for (const Json& line : lines) {
        CHECK(keys_of(line) == std::vector<std::string>{"name", "title", "summary", "input", "options", "recipes"});
        if (line.at("name").text() != "lgsc") CHECK(line.at("options").at("classes").text() == "2");
        CHECK(line.at("recipes").elements()[0].text() == "default");
        CHECK(has(liven_program("models").out, line.at("title").text()));
    }
}

TEST_CASE("kernels names operation, instruction set, kernel and tile, and what each takes") {
    const auto lines = liven_program("kernels --json").json_lines();
    CHECK(lines.size() > 10);
    bool direct = false;
    for (const Json& line : lines) {
        CHECK(keys_of(line) ==
              std::vector<std::string>{"op", "isa", "name", "tile", "takes", "measured", "measured_shapes"});
        CHECK_FALSE(line.at("takes").text().empty());
        const std::string tile = line.at("tile").text();
        CHECK(tile.find_first_not_of("0123456789") != std::string::npos);  // a number has a unit
        const std::string name = line.at("name").text();
        if (has(name, "narrow")) CHECK(has(tile, "products"));
        if (has(name, "conv2d_fwd_direct")) CHECK(has(tile, "pixels x 16 channels"));
        CHECK(line.at("measured").integer() == 0);
        direct = direct || name == "conv2d_fwd_direct_nhwc_f32";
    }
    CHECK(direct);
    const std::string listed = liven_program("kernels").out;
    CHECK(has(listed, "conv2d_fwd_direct_nhwc_f32\n    conv2d: any window, any groups"));
    std::istringstream text(listed);
    size_t longest = 0;
    for (std::string line; std::getline(text, line);) longest = std::max(longest, line.size());
    CHECK(longest <= 100);
}

TEST_CASE("docs/operations.md is what liven ops --markdown prints") {
    const Outcome outcome = liven_program("ops --markdown");
    CHECK(outcome.status == 0);
    // Update it by: build/release/bin/liven ops --markdown > docs/operations.md
    const bool current = outcome.out == contents_of(std::filesystem::path(LIVEN_SOURCE) / "docs" / "operations.md");
    CHECK(current);
    CHECK(has(liven_program("ops").out, "conv2d_weight_grad"));
}

TEST_CASE("version tells build, CPU and optional parts") {
    const Outcome outcome = liven_program("version");
    CHECK(outcome.status == 0);
    for (const char* word : {"liven ", "build", "CPU", "ISA", "threads", "HDF5", "zlib"}) {
        INFO(word);
        CHECK(has(outcome.out, word));
    }
    CHECK(liven_program("--version").status == 0);
    CHECK(has(liven_program("help environment").out, "LIVEN_ISA"));
}

TEST_CASE("completion is a script the shell takes, with all commands and models in it") {
    const Folder folder;
    for (const char* shell : {"bash", "zsh"}) {
        const Outcome outcome = liven_program("completion " + std::string(shell));
        CHECK(outcome.status == 0);
        for (const char* word : {"evaluate", "attacknet-v2.2", "--label-smoothing", "synth"}) {
            INFO(word);
            CHECK(has(outcome.out, word));
        }
    }
    const std::string script = folder.file("liven.bash", liven_program("completion bash").out);
    const std::string ask = "bash -c 'source " + script +
                            "; COMP_WORDS=(liven summary attack); COMP_CWORD=2; _liven; echo ${COMPREPLY[@]}' >" +
                            (folder / "out");
    CHECK(std::system(ask.c_str()) == 0);
    CHECK(contents_of(folder / "out") == "attacknet-v1 attacknet-v2.1 attacknet-v2.2\n");
}

TEST_CASE("The help of each command has an example", "[slow]") {
    for (const std::string& command : kCommands) {
        INFO(command);
        const Outcome outcome = liven_program(command + " --help");
        CHECK(outcome.status == 0);
        CHECK(outcome.err.empty());
        CHECK(has(outcome.out, "Example: "));
        CHECK(has(outcome.out, "liven "));
    }
    const Outcome all = liven_program("--help");
    CHECK(all.status == 0);
    for (const std::string& command : kCommands) CHECK(has(all.out, command.substr(0, command.find(' '))));
}

TEST_CASE("bench --untimed runs steps and says what the plan moves") {
    const Json json = liven_program("bench livenessnet --size 16 --batch 2 --untimed 2").json();
    CHECK(keys_of(json) == std::vector<std::string>{"steps", "planned_bytes", "planned_written_bytes"});
    CHECK(json.at("steps").integer() == 2);
    CHECK(json.at("planned_written_bytes").number() > 0);
    CHECK(json.at("planned_written_bytes").number() < json.at("planned_bytes").number());
}

TEST_CASE("bench takes no two options of which one would be ignored") {
    for (const char* options : {"--untimed 1 --profile", "--untimed 1 --rounds 3", "--untimed 1 --seconds 1",
                                "--json --profile", "--size 16 --input 16x16x3"}) {
        INFO(options);
        const Outcome outcome = liven_program("bench livenessnet " + std::string(options));
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(has(outcome.err, " excludes "));
    }
}

TEST_CASE("plan and bench store maps in bf16 when asked to") {
    const std::string arguments = " livenessnet --size 32 --batch 4 --mode train";
    CHECK_FALSE(has(liven_program("plan" + arguments + " --after fuse").out, "x16 bf16"));
    CHECK(has(liven_program("plan" + arguments + " --after fuse --dtype bf16").out, "x16 bf16"));
    const auto arena = [&](const std::string& dtype) {
        const Json json = liven_program("bench" + arguments + " --rounds 3 --json --dtype " + dtype).json();
        CHECK(json.at("dtype").text() == dtype);
        return json.at("arena_mb").number();
    };
    CHECK(arena("bf16") < arena("f32"));
    CHECK(liven_program("plan" + arguments + " --dtype f16").status == 2);
}

TEST_CASE("bench refuses bf16 weights in training") {
    const Outcome run =
        liven_program("bench livenessnet --size 16 --batch 2 --rounds 3 --mode train --dense-weights bf16");
    CHECK(run.one_clear_error());
    CHECK_THAT(run.err, Catch::Contains("--mode infer"));
}

TEST_CASE("A memory limit is kept to or refused in one line") {
    const std::string model = "livenessnet --size 64 --batch 8 --memory-limit ";
    CHECK(liven_program("plan " + model + "1GB --memory").out.find("done twice") == std::string::npos);
    for (const std::string& command : {"plan " + model + "1MB --memory", "plan " + model + "lots",
                                       "bench " + model + "1GB --mode infer", "bench " + model + "8MB --rounds 3"}) {
        INFO(command);
        CHECK(liven_program(command).one_clear_error());
    }
}

TEST_CASE("bench tells runs apart that store something in bf16 or under a limit") {
    const std::string common = "bench livenessnet --size 16 --batch 2 --rounds 3 --seconds 0.1 --json";
    const auto variant = [&](const std::string& options) {
        return liven_program(common + options).json().at("variant").text();
    };
    const std::string plain = variant("");
    CHECK(variant(" --mode infer") == plain);
    CHECK(variant(" --dtype bf16") == plain + " bf16");
    CHECK(variant(" --mode infer --dense-weights bf16") == plain + " dense bf16");
    CHECK(variant(" --mode infer --dtype bf16 --dense-weights bf16") == plain + " bf16 dense bf16");
    CHECK(variant(" --memory-limit 1GB") == plain + " limit 1GB");
    const Outcome text =
        liven_program("bench livenessnet --size 16 --batch 2 --rounds 3 --mode infer --dense-weights bf16");
    CHECK(has(text.out, ", f32, dense weights bf16: median"));
}

TEST_CASE("bench measures with the peak beside") {
    for (const char* mode : {"train", "infer"}) {
        INFO(mode);
        const Json json = liven_program("bench livenessnet --size 16 --batch 2 --rounds 3 --threads 1 --json --mode " +
                                        std::string(mode))
                              .json();
        CHECK(keys_of(json) == std::vector<std::string>{
                                   "engine",   "version",   "variant",      "model",       "mode",          "batch",
                                   "size",     "threads",   "isa",          "dtype",       "dense_weights", "steps",
                                   "ms_min",   "ms_median", "flops",        "peak_gflops", "efficiency",    "arena_mb",
                                   "repeated", "rss_mb",    "rss_before_mb"});
        CHECK(json.at("engine").text() == "liven");
        CHECK(json.at("size").integer() == 16);
        CHECK(json.at("steps").integer() == 3);
        CHECK(json.at("mode").text() == mode);
        CHECK(json.at("batch").integer() == 2);
        CHECK(json.at("threads").integer() == 1);
        CHECK(json.at("ms_min").number() > 0);
        CHECK(json.at("ms_min").number() <= json.at("ms_median").number());
        CHECK(json.at("peak_gflops").number() > 0);
        CHECK(json.at("efficiency").number() > 0);
        CHECK(json.at("rss_before_mb").number() > 0);
        CHECK(json.at("rss_mb").number() >= json.at("rss_before_mb").number());
    }
}
