// A strict reader of JSON (RFC 8259) for the headers of model files: bounded depth and size, no duplicate keys.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hea {

struct Json {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0.0;
  std::string string;
  std::vector<Json> items;                            // of an array
  std::vector<std::pair<std::string, Json>> members;  // of an object, in the order of the text

  const Json *find(const std::string &key) const;  // member of an object, or null
};

// Throws ModelError naming the place (byte offset) of the first error. `what` opens the message.
Json parse_json(const std::string &text, const std::string &what);

const char *kind_name(Json::Kind kind);

}  // namespace hea
