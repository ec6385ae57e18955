#include "utf8.h"

#include <algorithm>

namespace hea {
namespace {

// How many bytes at `k` are one well-formed character: 0 if they are none.
std::size_t character_at(const std::string &text, std::size_t k) {
  const auto byte = [&](std::size_t n) { return n < text.size() ? static_cast<unsigned char>(text[n]) : 0u; };
  const unsigned lead = byte(k), second = byte(k + 1);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool no_character = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  if (length == 0 || overlong || no_character) return 0;
  for (std::size_t n = 1; n < length; ++n)
    if ((byte(k + n) & 0xC0) != 0x80) return 0;
  return length;
}

}  // namespace

bool is_utf8(const std::string &text) {
  for (std::size_t k = 0; k < text.size();) {
    const std::size_t length = character_at(text, k);
    if (length == 0) return false;
    k += length;
  }
  return true;
}

std::string readable(const std::string &text) {
  std::string out;
  for (std::size_t k = 0; k < text.size();) {
    const std::size_t length = character_at(text, k);
    out += length == 0 ? "?" : text.substr(k, length);
    k += std::max<std::size_t>(length, 1);
  }
  return out;
}

}  // namespace hea
