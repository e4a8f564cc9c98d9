#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>

/// As long as it lives, files give this thread no more than their bits say: root, as whom tests may run, is let into
/// everything otherwise.
class WithoutRights {
public:
    WithoutRights() {
        call(SYS_capget, before_);
        std::array<__user_cap_data_struct, 2> now = before_;
        now[0].effective &= ~(uint32_t{1} << CAP_DAC_OVERRIDE | uint32_t{1} << CAP_DAC_READ_SEARCH);
        call(SYS_capset, now);
    }
    WithoutRights(const WithoutRights&) = delete;
    WithoutRights& operator=(const WithoutRights&) = delete;
    ~WithoutRights() { ::syscall(SYS_capset, &header_, before_.data()); }

private:
    void call(long number, std::array<__user_cap_data_struct, 2>& rights) {
        if (::syscall(number, &header_, rights.data()) != 0) throw std::runtime_error("rights cannot be given up");
    }

    __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> before_{};
};
