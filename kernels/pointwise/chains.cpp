#include "kernels/pointwise/chains.hpp"

#include <algorithm>
#include <array>

namespace liven::kernels {
namespace {

class ChainBuilder {
public:
    /// `widened`: bf16 registers that are read as floats everywhere, since something has to.
    ChainBuilder(std::span<const ViewInstruction> code, std::span<const uint16_t> kept, const RegisterTraits& traits,
                 std::vector<bool> widened, const LinkTable& table)
        : code_(code), layouts_(traits.layouts), streams_(traits.streams), bf16_(traits.bf16), table_(table) {
        layouts_.resize(register_limit, Layout::row);
        streams_.resize(register_limit, false);
        bf16_.resize(register_limit, false);
        chains_.stored.resize(register_limit, false);
        chains_.fetched.resize(register_limit, false);
        chains_.widened = std::move(widened);
        chains_.widened.resize(register_limit, false);
        for (const uint16_t reg : kept) {
            ++readers_[reg];
            chains_.widened[reg] = chains_.widened[reg] || bf16_[reg];
        }
        for (size_t reg = 0; reg < register_limit; ++reg)
            if (chains_.widened[reg]) bf16_[reg] = streams_[reg] = false, layouts_[reg] = Layout::row;
        for (const ViewInstruction& instruction : code) {
            for (const uint16_t reg : operands(instruction)) ++readers_[reg];
            if (instruction.narrows) bf16_[instruction.dst] = true;
        }
    }

    Chains run() {
        for (size_t i = 0; i < code_.size(); ++i) {
            if (code_[i].narrows)
                add_narrowing(i);
            else if (table_.step[static_cast<int>(code_[i].op)][0])
                add_step(i);
            else
                add_loop(i);
        }
        close();
        return std::move(chains_);
    }

private:
    static std::span<const uint16_t> operands(const ViewInstruction& instruction) {
        return {&instruction.a, static_cast<size_t>(operands_of(instruction.op))};
    }

    void add_loop(size_t i) {
        close();
        for (const uint16_t reg : operands(code_[i])) expect_floats(reg);
        chains_.stored[code_[i].dst] = true;
        chains_.runs.push_back({.first = static_cast<int32_t>(i), .count = 1});
    }

    void add_step(size_t i) {
        const ViewInstruction& instruction = code_[i];
        const std::span<const uint16_t> all = operands(instruction);
        open(i);
        size_t taken = 0;
        const bool handed_on = held_ >= 0 && std::count(all.begin(), all.end(), held_) == 1;
        if (handed_on) {
            taken = static_cast<size_t>(std::find(all.begin(), all.end(), held_) - all.begin());
            if (--readers_[static_cast<size_t>(held_)] > 0) store_held();
        } else {
            load(all[0]);
        }
        if (instruction.op != Opcode::copy) chains_.links.push_back(step(instruction, taken));
        for (const uint16_t reg : all) fetch_ahead(reg);
        held_ = instruction.dst;
        ++chains_.runs.back().count;
    }

    /// The held values go on behind it with all their bits.
    void add_narrowing(size_t i) {
        const ViewInstruction& instruction = code_[i];
        open(i);
        if (held_ == instruction.a) {
            --readers_[instruction.a];
        } else {
            load(instruction.a);
            held_ = -1;
        }
        chains_.links.push_back(
            {.run = table_.store_bf16, .a = instruction.dst, .layout_a = layouts_[instruction.dst]});
        chains_.stored[instruction.dst] = true;
        fetch_ahead(instruction.dst, true);
        ++chains_.runs.back().count;
    }

    void open(size_t i) {
        if (open_) return;
        chains_.runs.push_back(
            {.first = static_cast<int32_t>(i), .count = 0, .link = static_cast<int32_t>(chains_.links.size())});
        open_ = true;
    }

    void load(uint16_t reg) {
        store_held_if_read();
        const AnyLink loads = bf16_[reg] ? table_.load_bf16 : table_.load;
        chains_.links.push_back({.run = loads, .a = reg, .layout_a = layouts_[reg]});
        fetch_ahead(reg);
    }

    /// The register has to be widened when it is bf16: the next attempt knows.
    void expect_floats(uint16_t reg) {
        if (bf16_[reg]) chains_.widened[reg] = true;
    }

    ViewLink step(const ViewInstruction& instruction, size_t taken) {
        std::array<uint16_t, 3> rest{};
        size_t count = 0;
        for (size_t i = 0; i < operands(instruction).size(); ++i)
            if (i != taken) rest[count++] = operands(instruction)[i];
        const bool exchangeable = instruction.op == Opcode::mad && taken == 2;
        if (exchangeable && bf16_[rest[1]] && !bf16_[rest[0]]) std::swap(rest[0], rest[1]);
        if (count > 1) expect_floats(rest[1]);
        const auto op = static_cast<size_t>(instruction.op);
        const AnyLink* forms = count > 0 && bf16_[rest[0]] ? table_.step_bf16[op] : table_.step[op];
        ViewLink link{.run = forms[taken] ? forms[taken] : forms[0],  // a and b exchanged
                      .imm0 = instruction.imm0,
                      .imm1 = instruction.imm1};
        if (count > 0) link.a = rest[0], link.layout_a = layouts_[rest[0]];
        if (count > 1) link.b = rest[1], link.layout_b = layouts_[rest[1]];
        return link;
    }

    void store_held() {
        const auto reg = static_cast<uint16_t>(held_);
        chains_.links.push_back({.run = table_.store, .a = reg, .layout_a = layouts_[reg]});
        chains_.stored[reg] = true;
        fetch_ahead(reg, true);
    }
    /// Once a block: behind the link that reads or writes the register, so that requests to memory come evenly.
    void fetch_ahead(uint16_t reg, bool written = false) {
        if (!streams_[reg]) return;
        const AnyLink reads = bf16_[reg] ? table_.fetch_bf16 : table_.fetch;
        const AnyLink writes = bf16_[reg] ? table_.fetch_written_bf16 : table_.fetch_written;
        chains_.links.push_back({.run = written ? writes : reads, .a = reg});
        streams_[reg] = false;
        chains_.fetched[reg] = true;
    }
    void store_held_if_read() {
        if (held_ >= 0 && readers_[static_cast<size_t>(held_)] > 0) store_held();
    }
    void close() {
        if (!open_) return;
        store_held_if_read();
        chains_.links.push_back({.run = table_.end});
        open_ = false;
        held_ = -1;
    }

    std::span<const ViewInstruction> code_;
    std::vector<Layout> layouts_;
    std::vector<bool> streams_;  ///< still to be fetched ahead
    std::vector<bool> bf16_;     ///< as the chains see it
    const LinkTable& table_;
    Chains chains_;
    std::array<int, register_limit> readers_{};  ///< still to come
    int held_ = -1;                              ///< the register whose values the last link hands on
    bool open_ = false;
};

}  // namespace

Chains make_chains(std::span<const ViewInstruction> code, std::span<const uint16_t> kept, const RegisterTraits& traits,
                   const LinkTable& table) {
    std::vector<bool> widened(register_limit, false);
    for (;;) {
        Chains chains = ChainBuilder(code, kept, traits, widened, table).run();
        if (chains.widened == widened) return chains;
        widened = chains.widened;
    }
}

}  // namespace liven::kernels
