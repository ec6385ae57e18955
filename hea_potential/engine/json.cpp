#include "json.h"

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "model.h"
#include "utf8.h"

namespace hea {
namespace {

constexpr int max_depth = 64;          // so that no text can exhaust the stack
constexpr int max_values = 1'000'000;  // so that a small text cannot ask for much memory

class Parser {
 public:
  Parser(const std::string &text, const std::string &what) : text_(text), what_(what) {}

  Json document() {
    if (!is_utf8(text_)) fail("the text is not UTF-8");
    Json value = any(0);
    skip_space();
    if (at_ != text_.size()) fail("text after the end of the document");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string &reason) const {
    throw ModelError(what_ + ": not valid JSON at byte " + std::to_string(at_) + ": " + reason);
  }

  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }

  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  void expect(char c) {
    if (peek() != c) fail(std::string("expected '") + c + "'");
    ++at_;
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  Json any(int depth) {
    if (depth > max_depth) fail("nested more than " + std::to_string(max_depth) + " deep");
    if (++n_values_ > max_values) fail("more than " + std::to_string(max_values) + " values");
    skip_space();
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"': {
        Json value;
        value.kind = Json::Kind::string;
        value.string = quoted();
        return value;
      }
      case 't':
        return word("true", Json::Kind::boolean, true);
      case 'f':
        return word("false", Json::Kind::boolean, false);
      case 'n':
        return word("null", Json::Kind::null, false);
      default:
        return numeral();
    }
  }

  Json word(const char *literal, Json::Kind kind, bool boolean) {
    const std::string expected = literal;
    if (text_.compare(at_, expected.size(), expected) != 0) fail("expected " + expected);
    at_ += expected.size();
    Json value;
    value.kind = kind;
    value.boolean = boolean;
    return value;
  }

  Json object(int depth) {
    Json value;
    value.kind = Json::Kind::object;
    expect('{');
    skip_space();
    if (accept('}')) return value;
    std::unordered_set<std::string> seen;
    do {
      skip_space();
      std::string key = quoted();
      if (!seen.insert(key).second) fail("the key '" + key + "' comes twice");
      skip_space();
      expect(':');
      Json member = any(depth + 1);
      value.members.emplace_back(std::move(key), std::move(member));
      skip_space();
    } while (accept(','));
    expect('}');
    return value;
  }

  Json array(int depth) {
    Json value;
    value.kind = Json::Kind::array;
    expect('[');
    skip_space();
    if (accept(']')) return value;
    do {
      value.items.push_back(any(depth + 1));
      skip_space();
    } while (accept(','));
    expect(']');
    return value;
  }

  void digits() {
    if (peek() < '0' || peek() > '9') fail("expected a value");
    while (peek() >= '0' && peek() <= '9') ++at_;
  }

  Json numeral() {
    const std::size_t start = at_;
    accept('-');
    if (!accept('0')) digits();
    if (accept('.')) digits();
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    Json value;
    value.kind = Json::Kind::number;
    const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + at_, value.number);
    if (error != std::errc() || end != text_.data() + at_ || !std::isfinite(value.number)) {
      fail("a number out of range");
    }
    return value;
  }

  unsigned hex4() {
    unsigned code = 0;
    for (int k = 0; k < 4; ++k, ++at_) {
      const int c = peek();
      code *= 16;
      if (c >= '0' && c <= '9')
        code += static_cast<unsigned>(c - '0');
      else if (c >= 'a' && c <= 'f')
        code += static_cast<unsigned>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        code += static_cast<unsigned>(c - 'A' + 10);
      else
        fail("expected four hexadecimal digits");
    }
    return code;
  }

  unsigned code_point() {
    const unsigned high = hex4();
    if (high >= 0xDC00 && high < 0xE000) fail("a lone surrogate");
    if (high < 0xD800 || high >= 0xE000) return high;
    if (!accept('\\') || !accept('u')) fail("a lone surrogate");
    const unsigned low = hex4();
    if (low < 0xDC00 || low >= 0xE000) fail("a lone surrogate");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }

  static void append_utf8(std::string &out, unsigned code) {
    const auto byte = [&out](unsigned value) { out.push_back(static_cast<char>(value)); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6);
      byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12);
      byte(0x80 | (code >> 6 & 0x3F));
      byte(0x80 | (code & 0x3F));
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3F));
      byte(0x80 | (code >> 6 & 0x3F));
      byte(0x80 | (code & 0x3F));
    }
  }

  std::string quoted() {
    expect('"');
    std::string out;
    while (!accept('"')) {
      const int c = peek();
      if (c < 0x20) fail(c < 0 ? "the text ends inside a string" : "a control character in a string");
      ++at_;
      if (c != '\\') {
        out.push_back(static_cast<char>(c));
        continue;
      }
      const int escape = peek();
      ++at_;
      switch (escape) {
        case '"':
        case '\\':
        case '/':
          out.push_back(static_cast<char>(escape));
          break;
        case 'b':
          out.push_back('\b');
          break;
        case 'f':
          out.push_back('\f');
          break;
        case 'n':
          out.push_back('\n');
          break;
        case 'r':
          out.push_back('\r');
          break;
        case 't':
          out.push_back('\t');
          break;
        case 'u':
          append_utf8(out, code_point());
          break;
        default:
          --at_;
          fail("an unknown escape in a string");
      }
    }
    return out;
  }

  const std::string &text_;
  const std::string &what_;
  std::size_t at_ = 0;
  int n_values_ = 0;
};

}  // namespace

const Json *Json::find(const std::string &key) const {
  for (const auto &[name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

Json parse_json(const std::string &text, const std::string &what) {
  return Parser(text, what).document();
}

const char *kind_name(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "a boolean";
    case Json::Kind::number:
      return "a number";
    case Json::Kind::string:
      return "a string";
    case Json::Kind::array:
      return "an array";
    case Json::Kind::object:
      return "an object";
  }
  return "unknown";
}

}  // namespace hea
