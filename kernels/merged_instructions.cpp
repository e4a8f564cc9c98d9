#include "kernels/merged_instructions.hpp"

#include <algorithm>
#include <array>

// What the networks' programs are made of: normalisation in both directions, and the optimisers.

namespace liven::kernels {
namespace {

class Merger {
public:
    Merger(std::vector<ViewInstruction>& code, std::span<const uint16_t> kept) : code_(code) {
        for (const uint16_t reg : kept) ++uses_[reg];
        for (const ViewInstruction& instruction : code) {
            ++uses_[instruction.a];
            // Unused operands repeat the first.
            if (operands_of(instruction.op) > 1) ++uses_[instruction.b];
            if (operands_of(instruction.op) > 2) ++uses_[instruction.c];
        }
        maker_.fill(-1);
    }

    void run() {
        std::vector<bool> dead(code_.size(), false);
        for (size_t i = 0; i < code_.size(); ++i) {
            taken_.clear();
            if (merge(code_[i]))
                for (const size_t made : taken_) dead[made] = true;
            maker_[code_[i].dst] = static_cast<int>(i);
        }
        size_t kept = 0;
        for (size_t i = 0; i < code_.size(); ++i)
            if (!dead[i]) code_[kept++] = code_[i];
        code_.resize(kept);
    }

private:
    /// The instruction that makes a register, if it is this operation and nobody else reads its result.
    const ViewInstruction* only(uint16_t reg, Opcode op) {
        const int maker = maker_[reg];
        if (maker < 0 || uses_[reg] != 1) return nullptr;
        const ViewInstruction& made = code_[static_cast<size_t>(maker)];
        if (made.op != op || made.merged != Merged::none) return nullptr;
        taken_.push_back(static_cast<size_t>(maker));
        return &made;
    }

    bool merge(ViewInstruction& i) {
        switch (i.op) {
            case Opcode::mad:
                return normalize(i);
            case Opcode::add:
                return weighted_sum(i);
            case Opcode::add_const:
                return shifted_root(i);
            case Opcode::sub:
                return minus_quotient(i);
            default:
                return false;
        }
    }

    static bool become(ViewInstruction& i, Merged merged, std::array<uint16_t, 4> operands, float imm0 = 0,
                       float imm1 = 0) {
        i.merged = merged;
        i.a = operands[0];
        i.b = operands[1];
        i.c = operands[2];
        i.d = operands[3];
        i.imm0 = imm0;
        i.imm1 = imm1;
        return true;
    }

    /// (a - b) * c + d
    bool normalize(ViewInstruction& i) {
        const ViewInstruction* difference = only(i.a, Opcode::sub);
        return difference && become(i, Merged::normalize, {difference->a, difference->b, i.b, i.c});
    }

    /// a * imm0 + b * imm1, or a * imm0 + b * b * imm1
    bool weighted_sum(ViewInstruction& i) {
        if (i.a == i.b) return false;
        const ViewInstruction* left = only(i.a, Opcode::scale_const);
        const ViewInstruction* right = left ? only(i.b, Opcode::scale_const) : nullptr;
        if (!right) return false;
        if (const ViewInstruction* square = only(right->a, Opcode::square))
            return become(i, Merged::add_scaled_square, {left->a, square->a, left->a, left->a}, left->imm0,
                          right->imm0);
        return become(i, Merged::add_scaled, {left->a, right->a, left->a, left->a}, left->imm0, right->imm0);
    }

    /// sqrt(a) * b + imm0
    bool shifted_root(ViewInstruction& i) {
        const ViewInstruction* product = only(i.a, Opcode::mul);
        const ViewInstruction* root = product ? only(product->a, Opcode::sqrt) : nullptr;
        return root && become(i, Merged::shifted_root, {root->a, product->b, root->a, root->a}, i.imm0);
    }

    /// a - b / c
    bool minus_quotient(ViewInstruction& i) {
        if (i.a == i.b) return false;
        const ViewInstruction* quotient = only(i.b, Opcode::div);
        return quotient && become(i, Merged::minus_quotient, {i.a, quotient->a, quotient->b, i.a});
    }

    std::vector<ViewInstruction>& code_;
    std::array<int, register_limit> uses_{}, maker_{};
    std::vector<size_t> taken_;
};

}  // namespace

void merge_instructions(std::vector<ViewInstruction>& code, std::span<const uint16_t> kept) {
    Merger(code, kept).run();
}

}  // namespace liven::kernels
