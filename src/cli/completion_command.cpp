#include "cli.hpp"
#include "liven/models/registry.hpp"

namespace liven::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

/// "train) words="--model ...";;" for each subcommand.
std::string cases(const CLI::App& app) {
    std::string text;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        std::vector<std::string> words;
        for (const CLI::Option* option : command->get_options())
            for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
        for (const CLI::App* nested : command->get_subcommands([](const CLI::App*) { return true; }))
            words.push_back(nested->get_name());
        text += "        " + command->get_name() + ") words=\"" + joined(words) + "\" ;;\n";
    }
    return text;
}

std::string bash_script(const CLI::App& app) {
    std::vector<std::string> commands, names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        commands.push_back(command->get_name());
    for (const ModelInfo& info : models()) names.emplace_back(info.name);
    return "_liven() {\n"
           "    local words=\"" +
           joined(commands) + "\" models=\"" + joined(names) +
           "\"\n"
           "    if [ \"$COMP_CWORD\" -gt 1 ]; then\n"
           "        case \"${COMP_WORDS[1]}\" in\n" +
           cases(app) +
           "        esac\n"
           "        case \"${COMP_WORDS[COMP_CWORD-1]}\" in --model|summary|plan|bench|tune|init) words=\"$words "
           "$models\" "
           ";; esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\") $(compgen -f -- "
           "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -o filenames -F _liven liven\n";
}

}  // namespace

void add_completion_command(CLI::App& app) {
    auto shell = std::make_shared<std::string>();
    CLI::App* command =
        app.add_subcommand("completion", "a script that completes commands, options and models in your shell");
    command->add_option("shell", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
    command->footer("Example: source <(liven completion bash)");
    command->callback([&app, shell] {
        print((*shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "") + bash_script(app));
    });
}

}  // namespace liven::cli
