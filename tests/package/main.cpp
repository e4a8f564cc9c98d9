#include <iostream>
#include <liven/core/shape.hpp>
#include <liven/core/version.hpp>

int main() {
    std::cout << "Liven " << liven::version() << ", " << liven::Shape{8, 256, 256, 3} << "\n";
    return liven::Shape{2, 3}.count() == 6 ? 0 : 1;
}
