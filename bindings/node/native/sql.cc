/*
 * sql.cc: the user's own SQL between JavaScript and the frames of brant_sql_run (brant/store.h): parameters become one, and rows are made of one, with neither JSON nor copies between.
 *
 * Rows are made by a JavaScript function, which is handed many values at a time: each member that is set from here costs as much as several of its arguments.
 */
#include "brant_node.h"

#include <cmath>
#include <limits>
#include <vector>

namespace brant_node {

namespace {

/* Above the flags of brant_sql_run. */
constexpr uint32_t NAMED = 1u << 30;
constexpr uint32_t ROUNDED = 1u << 31;

enum Type : unsigned char { INTEGER = 1, FLOAT, TEXT, BLOB, NONE };

/* JavaScript's numbers are exact to here. */
constexpr int64_t SAFE = (int64_t{1} << 53) - 1;

/* Arguments of one call. */
constexpr size_t MOST_ARGUMENTS = 256;

/* Does the text hold U+FFFD? Node puts it in the place of a lone surrogate. */
bool has_replacement(std::string_view text) { return text.find("\xEF\xBF\xBD") != std::string_view::npos; }

bool has_lone_surrogate(napi_env env, napi_value value)
{
    size_t length = 0;
    check(env, napi_get_value_string_utf16(env, value, nullptr, 0, &length));
    std::vector<char16_t> units(length + 1);
    check(env, napi_get_value_string_utf16(env, value, units.data(), units.size(), &length));
    bool lone = false;
    for (size_t i = 0; i < length && !lone; i++) {
        if ((units[i] & 0xF800) != 0xD800) continue;
        lone = units[i] >= 0xDC00 || (units[i + 1] & 0xFC00) != 0xDC00; /* behind the last one is a zero */
        i++;
    }
    wipe(units.data(), units.size() * sizeof units[0]);
    return lone;
}

uint32_t unsigned_of(napi_env env, napi_value value)
{
    uint32_t result = 0;
    check(env, napi_get_value_uint32(env, value, &result));
    return result;
}

napi_value undefined(napi_env env)
{
    napi_value result = nullptr;
    check(env, napi_get_undefined(env, &result));
    return result;
}

} // namespace

/* ---- what is asked ---------------------------------------------------------------------------------------------- */

SqlRequest::~SqlRequest() { wipe(data_, size_); }

/* Room for so many bytes more, and where it is. */
char *SqlRequest::room(size_t size)
{
    if (capacity_ - size_ < size) {
        const size_t capacity = (size_ + size) * 2;
        std::unique_ptr<char[]> larger(new char[capacity]);
        std::memcpy(larger.get(), data_, size_);
        wipe(data_, size_);
        heap_ = std::move(larger);
        data_ = heap_.get();
        capacity_ = capacity;
    }
    return data_ + size_;
}

template <typename T> void SqlRequest::number(T value)
{
    static_assert(sizeof value <= 8, "a number");
    uint64_t bits = 0;
    if constexpr (std::is_same_v<T, double>) {
        std::memcpy(&bits, &value, sizeof bits);
    } else {
        bits = static_cast<uint64_t>(value);
    }
    char *to = room(sizeof value);
    for (size_t i = 0; i < sizeof value; i++) to[i] = static_cast<char>(bits >> (8 * i));
    size_ += sizeof value;
}

void SqlRequest::text(napi_env env, napi_value value, const char *what)
{
    const size_t at = size_;
    number(uint32_t{0});
    size_t length = 0;
    char *to = room(64);
    const size_t free = capacity_ - size_;
    if (napi_get_value_string_utf8(env, value, to, free, &length) != napi_ok) raise_type(env, what);
    /* A copy that stops within a code point of the end may have been cut. */
    if (length + 4 >= free) {
        wipe(to, length);
        check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length));
        to = room(length + 1);
        check(env, napi_get_value_string_utf8(env, value, to, length + 1, &length));
    }
    if (length > std::numeric_limits<uint32_t>::max()) raise_type(env, "a text is longer than 4 GiB");
    size_ = at;
    number(static_cast<uint32_t>(length));
    size_ += length;
    if (has_replacement({to, length}) && has_lone_surrogate(env, value)) {
        raise_type(env, "a text has a lone surrogate, which is no character");
    }
}

void SqlRequest::bytes(napi_env env, napi_value value)
{
    bool is_array = false;
    napi_typedarray_type element = napi_int8_array;
    size_t length = 0;
    void *from = nullptr;
    check(env, napi_is_typedarray(env, value, &is_array));
    if (is_array) check(env, napi_get_typedarray_info(env, value, &element, &length, &from, nullptr, nullptr));
    if (element != napi_uint8_array) raise_type(env, "a parameter is neither null, a boolean, a number, text nor bytes");
    if (length > std::numeric_limits<uint32_t>::max()) raise_type(env, "a parameter has more than 4 GiB");
    *room(1) = BLOB;
    size_ += 1;
    number(static_cast<uint32_t>(length));
    if (length > 0) std::memcpy(room(length), from, length);
    size_ += length;
}

/* What is whole is an integer, as in JSON. */
void SqlRequest::integer_or_double(napi_env env, napi_value value)
{
    double number_value = 0;
    check(env, napi_get_value_double(env, value, &number_value));
    if (std::isnan(number_value)) raise_type(env, "a parameter is not a number");
    const bool whole = number_value >= -0x1p63 && number_value < 0x1p63 && number_value == std::trunc(number_value);
    *room(1) = static_cast<char>(whole ? INTEGER : FLOAT);
    size_ += 1;
    if (whole) {
        number(static_cast<int64_t>(number_value));
    } else {
        number(number_value);
    }
}

void SqlRequest::value(napi_env env, napi_value value)
{
    napi_valuetype type = napi_undefined;
    check(env, napi_typeof(env, value, &type));
    switch (type) {
    case napi_undefined:
    case napi_null:
        *room(1) = NONE;
        size_ += 1;
        break;
    case napi_boolean: {
        bool is_true = false;
        check(env, napi_get_value_bool(env, value, &is_true));
        *room(1) = INTEGER;
        size_ += 1;
        number(int64_t{is_true});
        break;
    }
    case napi_number: integer_or_double(env, value); break;
    case napi_bigint: {
        int64_t integer = 0;
        bool exact = false;
        check(env, napi_get_value_bigint_int64(env, value, &integer, &exact));
        if (!exact) raise_type(env, "a parameter is an integer of more than 64 bits");
        *room(1) = INTEGER;
        size_ += 1;
        number(integer);
        break;
    }
    case napi_string:
        *room(1) = TEXT;
        size_ += 1;
        text(env, value, "");
        break;
    default: bytes(env, value); break;
    }
}

void SqlRequest::read(napi_env env, napi_value sql, napi_value values, napi_value flags, napi_value limit)
{
    const uint32_t all = unsigned_of(env, flags);
    rounded_ = (all & ROUNDED) != 0;
    described_ = (all & BRANT_SQL_DESCRIBE) != 0;
    number(all & ~(NAMED | ROUNDED));
    number(unsigned_of(env, limit));
    text(env, sql, "the SQL text is not a string");
    number(uint32_t{1});
    napi_valuetype type = napi_undefined;
    uint32_t count = 0;
    check(env, napi_typeof(env, values, &type));
    if (type != napi_undefined && napi_get_array_length(env, values, &count) != napi_ok) {
        napi_value length = nullptr; /* a proxy of an array */
        check(env, napi_get_named_property(env, values, "length", &length));
        count = unsigned_of(env, length);
    }
    const bool named = (all & NAMED) != 0;
    number(named ? count / 2 : count);
    number(uint32_t{named});
    for (uint32_t i = 0; i < count; i++) {
        napi_value member = nullptr;
        check(env, napi_get_element(env, values, i, &member));
        if (named && i % 2 == 0) {
            text(env, member, "the name of a parameter is not a string");
        } else {
            value(env, member);
        }
    }
}

/* ---- what is answered ----------------------------------------------------------------------------------------------- */

namespace {

/* Reads a frame, which the library made. */
class Frame {
public:
    Frame(napi_env env, const Output &frame, bool rounded) : env_(env), at_(frame.data), rounded_(rounded) {}

    template <typename T> T number()
    {
        uint64_t bits = 0;
        for (size_t i = 0; i < sizeof(T); i++) bits |= uint64_t{static_cast<unsigned char>(at_[i])} << (8 * i);
        at_ += sizeof(T);
        if constexpr (std::is_same_v<T, double>) {
            double value = 0;
            std::memcpy(&value, &bits, sizeof value);
            return value;
        } else {
            return static_cast<T>(bits);
        }
    }

    napi_value integer()
    {
        const int64_t value = number<int64_t>();
        napi_value result = nullptr;
        if (rounded_ || (value >= -SAFE && value <= SAFE)) {
            check(env_, napi_create_int64(env_, value, &result));
        } else {
            check(env_, napi_create_bigint_int64(env_, value, &result));
        }
        return result;
    }

    napi_value text() { return string(env_, span()); }

    napi_value value()
    {
        napi_value result = nullptr;
        switch (number<unsigned char>()) {
        case INTEGER: return integer();
        case FLOAT: check(env_, napi_create_double(env_, number<double>(), &result)); return result;
        case TEXT: return text();
        case BLOB: return bytes();
        default: check(env_, napi_get_null(env_, &result)); return result;
        }
    }

    /* Of each column what its table declares of it, or null. */
    napi_value types(uint32_t columns)
    {
        napi_value result = nullptr;
        check(env_, napi_create_array_with_length(env_, columns, &result));
        for (uint32_t i = 0; i < columns; i++) check(env_, napi_set_element(env_, result, i, type()));
        return result;
    }

    void skip(size_t bytes) { at_ += bytes; }

private:
    napi_value type()
    {
        napi_value result = nullptr;
        napi_value not_null = nullptr;
        const unsigned char kind = number<unsigned char>();
        if (kind == 0) {
            check(env_, napi_get_null(env_, &result));
            return result;
        }
        check(env_, napi_create_object(env_, &result));
        check(env_, napi_set_named_property(env_, result, "type", text()));
        check(env_, napi_get_boolean(env_, kind == 2, &not_null));
        check(env_, napi_set_named_property(env_, result, "not_null", not_null));
        return result;
    }

    std::string_view span()
    {
        const uint32_t length = number<uint32_t>();
        const std::string_view result(at_, length);
        at_ += length;
        return result;
    }

    napi_value bytes()
    {
        const std::string_view from = span();
        void *to = nullptr;
        napi_value memory = nullptr;
        napi_value result = nullptr;
        check(env_, napi_create_arraybuffer(env_, from.size(), &to, &memory));
        if (!from.empty()) std::memcpy(to, from.data(), from.size());
        check(env_, napi_create_typedarray(env_, napi_uint8_array, from.size(), memory, 0, &result));
        return result;
    }

    napi_env env_;
    const char *at_;
    bool rounded_;
};

/* A call of `collect` with what it returned before and some more. */
class Collector {
public:
    Collector(napi_env env, napi_value collect) : env_(env), collect_(collect), this_(undefined(env))
    {
        arguments_.reserve(32);
        arguments_.push_back(this_);
    }
    void add(napi_value value) { arguments_.push_back(value); }
    size_t held() const { return arguments_.size(); }
    napi_value call()
    {
        napi_value result = nullptr;
        check(env_, napi_call_function(env_, this_, collect_, arguments_.size(), arguments_.data(), &result));
        arguments_.resize(1);
        return result;
    }
    /* What it returned, for the calls behind this. */
    void go_on(napi_value answer) { arguments_[0] = answer; }

private:
    napi_env env_;
    napi_value collect_;
    napi_value this_;
    std::vector<napi_value> arguments_;
};

napi_value count_value(napi_env env, uint32_t count)
{
    napi_value result = nullptr;
    check(env, napi_create_uint32(env, count, &result));
    return result;
}

} // namespace

Napi::Value SqlAnswer::value(napi_env env, napi_value collect) const
{
    Frame in(env, frame, rounded);
    Collector out(env, collect);
    napi_value changes = in.integer();
    napi_value rowid = in.integer();
    in.skip(8 + 8 + 4); /* cursor, tail, parameters */
    const uint32_t columns = in.number<uint32_t>();
    const uint64_t rows = in.number<uint64_t>();
    std::vector<napi_value> names(columns);
    for (napi_value &name : names) name = in.text();
    out.add(count_value(env, columns));
    out.add(described ? in.types(columns) : undefined(env));
    out.add(changes);
    out.add(rowid);
    for (napi_value name : names) out.add(name);

    uint64_t row = 0;
    /* At least one row a call, however wide. */
    const auto add_rows = [&] {
        do {
            for (uint32_t i = 0; i < columns; i++) out.add(in.value());
            row++;
        } while (row < rows && out.held() + columns <= MOST_ARGUMENTS);
    };
    if (rows > 0) add_rows();
    napi_value answer = out.call();
    out.go_on(answer);
    while (row < rows) {
        Napi::HandleScope scope(env); /* many values */
        add_rows();
        out.call();
    }
    return Napi::Value(env, answer);
}

Napi::Value sql_run(const Napi::CallbackInfo &info)
{
    SqlRequest request;
    SqlAnswer answer;
    brant_db *db = database(info.Env(), info[0]);
    request.read(info.Env(), info[1], info[2], info[3], info[4]);
    answer.described = request.described();
    answer.rounded = request.rounded();
    if (brant_sql_run(&answer.frame.data, &answer.frame.size, db, request.data(), request.size()) != BRANT_OK) raise(info.Env());
    return answer.value(info.Env(), info[5]);
}

} // namespace brant_node
