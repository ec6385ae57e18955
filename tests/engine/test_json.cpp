#include "check.h"
#include "json.h"
#include "model.h"

using hea::Json;
using hea::parse_json;

namespace {

void reads_every_kind_of_value() {
  const Json json =
      parse_json(R"( {"a": [1, -2.5e3, 0, 0.125], "b": {"c": null, "d": true, "e": false}, "f": "x"} )", "text");
  CHECK(json.kind == Json::Kind::object);
  const Json &a = *json.find("a");
  CHECK(a.items.size() == 4);
  CHECK(a.items[1].number == -2500.0);
  CHECK(a.items[3].number == 0.125);
  CHECK(json.find("b")->find("c")->kind == Json::Kind::null);
  CHECK(json.find("b")->find("d")->boolean);
  CHECK(!json.find("b")->find("e")->boolean);
  CHECK(json.find("f")->string == "x");
  CHECK(json.find("g") == nullptr);
}

void reads_escapes_as_utf8() {
  const Json json = parse_json(R"("\"\\\/\b\f\n\r\t \u0041 \u00c5 \u20AC \uD83D\uDE00")", "text");
  CHECK(json.string == "\"\\/\b\f\n\r\t A \xC3\x85 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

void refuses_what_is_not_json() {
  const char *wrong[] = {"",      " ",   "{",       "[1, ]",     "{\"a\" 1}",   "{\"a\": 1,}", "{a: 1}",
                         "01",    "+1",  ".5",      "1.",        "1e",          "tru",         "nul",
                         "'x'",   "\"x", "\"\\x\"", "\"\\u12\"", "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\u0041\"",
                         "[1] 2", "NaN", "1e999",   "\"\n\"",    "[1 2]",       "-",           "{\"a\": 1, \"a\": 2}"};
  for (const char *text : wrong)
    CHECK_THROWS(hea::ModelError, "text: not valid JSON at byte", parse_json(text, "text"));
}

void refuses_bombs() {
  CHECK_THROWS(hea::ModelError, "nested more than", parse_json(std::string(1'000'000, '['), "text"));
  std::string objects;
  for (int k = 0; k < 100'000; ++k) objects += "{\"a\":";
  CHECK_THROWS(hea::ModelError, "nested more than", parse_json(objects, "text"));
  std::string many = "[0";
  for (int k = 0; k < 1'100'000; ++k) many += ",0";
  CHECK_THROWS(hea::ModelError, "more than 1000000 values", parse_json(many + "]", "text"));
}

}  // namespace

int main() {
  return check::run_all({{"reads every kind of value", reads_every_kind_of_value},
                         {"reads escapes as UTF-8", reads_escapes_as_utf8},
                         {"refuses what is not JSON", refuses_what_is_not_json},
                         {"refuses bombs", refuses_bombs}});
}
