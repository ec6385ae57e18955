// UTF-8 (RFC 3629): what a model file's text has to be, and what messages that quote it are made to be.
#pragma once

#include <cstddef>
#include <string>

namespace hea {

// Whether the text is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(const std::string &text);

// The text with a question mark for every byte that belongs to no character.
std::string readable(const std::string &text);

}  // namespace hea
