// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "mesh/simulate/simulator.hpp"

// mesh_simulate [--nodes N] [--keys K] [--minutes M] [--seed S] [--tokens T]: the fleet's figures, in virtual time.
int main(int argc, char** argv) {
  ghmesh::mesh::simulate::FleetPlan plan;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const unsigned long value = std::strtoul(argv[i + 1], nullptr, 10);
    if (name == "--nodes") plan.nodes = value;
    if (name == "--keys") plan.keys = static_cast<std::uint32_t>(value);
    if (name == "--minutes") plan.time = std::chrono::minutes(value);
    if (name == "--seed") plan.seed = value;
    if (name == "--tokens") plan.tokens = static_cast<std::uint32_t>(value);
  }
  std::fputs(ghmesh::mesh::simulate::simulate_fleet(plan).text().c_str(), stdout);
}
