// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/result.hpp"
#include "node/config/variables.hpp"

// How a step of a job tells the steps after it what it did: GitHub Actions' environment files (GITHUB_ENV,
// GITHUB_OUTPUT, GITHUB_STEP_SUMMARY) and workflow commands, or, where those are not set, lines for a shell to
// evaluate. Values may hold anything: they go into the files in the heredoc form under a random delimiter, and between
// single quotes to a shell.

namespace ghmesh::cli {

using VariableMap = std::map<std::string, std::string, std::less<>>;

// NAME<<DELIMITER, the value, DELIMITER. Malformed: the name is none, or the value holds the delimiter.
Result<std::string> heredoc(std::string_view name, std::string_view value, std::string_view delimiter);
// Between single quotes, whatever it holds.
std::string shell_quoted(std::string_view value);
// As workflow commands want their text: one line, with %, CR and LF encoded.
std::string command_text(std::string_view text);

class JobOutput {
 public:
  JobOutput(const node::config::Variables& variables, std::ostream& out, std::ostream& err, Random& random);

  // Inside a job of GitHub Actions; otherwise standard output is for a shell's eval.
  bool in_actions() const { return actions_; }
  // For the steps that follow; GITHUB_ENV or export lines.
  Result<> set_variables(const VariableMap& values);
  // Takes them back: unset where there is a shell, empty where there is GITHUB_ENV, which cannot unset.
  Result<> unset_variables(const std::vector<std::string>& names);
  // steps.ID.outputs.NAME. Outside of Actions there is nobody to tell.
  Result<> set_outputs(const VariableMap& values);
  Result<> append_summary(std::string_view markdown);

  // ::add-mask:: so that the job's log never shows it; empty texts are passed over.
  void mask(std::string_view secret);
  // An annotation of the job, or a line on standard error.
  void warn(std::string_view text);
  // A line of the step's log, or on standard error.
  void say(std::string_view text);

 private:
  Result<> append(std::string_view file_variable, const VariableMap& values);
  Result<> append_text(std::string_view path, std::string_view text);

  std::string env_file_, output_file_, summary_file_;
  bool actions_;
  std::ostream& out_;
  std::ostream& err_;
  Random& random_;
};

}  // namespace ghmesh::cli
