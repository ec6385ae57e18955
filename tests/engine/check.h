// A test is a function; a failed CHECK prints its place and the program ends with 1.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace check {

struct Test {
  const char *name;
  std::function<void()> run;
};

inline int failures = 0;

inline void report(const char *file, int line, const std::string &what) {
  std::printf("%s:%d: %s\n", file, line, what.c_str());
  ++failures;
}

// Runs work and returns the message of the exception of type E it throws; fails if it throws none.
template<typename E>
std::string message_of(const std::function<void()> &work) {
  try {
    work();
  } catch (const E &error) {
    return error.what();
  }
  return "";
}

inline int run_all(const std::vector<Test> &tests) {
  for (const Test &test : tests) {
    const int before = failures;
    test.run();
    std::printf("%s %s\n", failures == before ? "ok  " : "FAIL", test.name);
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace check

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) check::report(__FILE__, __LINE__, "not true: " #condition); \
  } while (false)

#define CHECK_NEAR(got, expected, tolerance)                                                                  \
  do {                                                                                                        \
    const double check_got = (got), check_expected = (expected);                                              \
    if (!(std::abs(check_got - check_expected) <= (tolerance)))                                               \
      check::report(__FILE__, __LINE__,                                                                       \
                    #got " = " + std::to_string(check_got) + ", expected " + std::to_string(check_expected) + \
                        ", difference " + std::to_string(1e12 * (check_got - check_expected)) + "e-12");      \
  } while (false)

// The message of the exception holds the words, and names what was got.
#define CHECK_THROWS(exception, words, ...)                                                                  \
  do {                                                                                                       \
    const std::string check_message = check::message_of<exception>([&] { __VA_ARGS__; });                    \
    if (check_message.find(words) == std::string::npos)                                                      \
      check::report(__FILE__, __LINE__, "'" + check_message + "' should hold '" + std::string(words) + "'"); \
  } while (false)
