/*
 * brant_node.h: what the typemaps of swig/node.i are made of: text in and out, handles as tagged externals, errors.
 *
 * Everything here is a local object with a destructor or throws Napi::Error; nothing is kept between calls. A handle's external
 * owns the shell: its finaliser frees it. None of it is thread-safe but by Node's rule of one thread an environment.
 */
#ifndef BRANT_NODE_H
#define BRANT_NODE_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <napi.h>
#include <string_view>

#include "brant.h"

namespace brant_node {

/* An Error with code ("NOT_FOUND"), status and detail (JSON text). */
napi_value error_value(napi_env env, brant_status status, std::string_view code, std::string_view message,
                       std::string_view detail);

/* Throw the error record of this thread. */
[[noreturn]] void raise(napi_env env);

/* Throw an Error with the code INVALID: an argument has a wrong JavaScript type. */
[[noreturn]] void raise_type(napi_env env, const char *message);

/* A string. Throws LIMIT where it is longer than one can be. */
napi_value string(napi_env env, std::string_view text);

/* Throw what Node-API reports, unless the status is napi_ok. */
void check(napi_env env, napi_status status);

/* Zeros that no compiler leaves out, for copies of what may be a secret before their memory is given back. */
inline void wipe(void *memory, size_t size)
{
    if (size > 0) std::memset(memory, 0, size);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

/* Text from a string, a Buffer or a Uint8Array (not copied), or nothing for undefined. Valid while the call runs; a copy is wiped. */
class Input {
public:
    Input() = default;
    Input(const Input &) = delete;
    Input &operator=(const Input &) = delete;
    ~Input();
    void read(napi_env env, napi_value value);
    const char *data() const { return data_; }
    size_t size() const { return size_; }

private:
    void read_long(napi_env env, napi_value value);
    void read_bytes(napi_env env, napi_value value);

    const char *data_ = nullptr;
    size_t size_ = 0;
    std::unique_ptr<char[]> heap_;
    size_t stack_used_ = 0;
    char stack_[2048];
};

/* Text that a function returned. */
struct Output {
    char *data = nullptr;
    size_t size = 0;

    Output() = default;
    Output(const Output &) = delete;
    Output &operator=(const Output &) = delete;
    ~Output() { brant_free(data); }
    Napi::Value value(napi_env env) const;
};

/* Some of the user's own SQL, as a frame for brant_sql_run. A copy, which is wiped. */
class SqlRequest {
public:
    SqlRequest() = default;
    SqlRequest(const SqlRequest &) = delete;
    SqlRequest &operator=(const SqlRequest &) = delete;
    ~SqlRequest();
    /* The text, its parameters (an array, of named ones with the name before each, or undefined), flags, which are BRANT_SQL_*, 1 << 30: named, 1 << 31: integers are rounded, and a limit or 0. */
    void read(napi_env env, napi_value sql, napi_value values, napi_value flags, napi_value limit);
    const char *data() const { return data_; }
    size_t size() const { return size_; }
    /* Column types are asked for. */
    bool described() const { return described_; }
    /* Integers are numbers, rounded beyond 2^53. */
    bool rounded() const { return rounded_; }

private:
    char *room(size_t size);
    template <typename T> void number(T value);
    void text(napi_env env, napi_value value, const char *what);
    void value(napi_env env, napi_value value);
    void bytes(napi_env env, napi_value value);
    void integer_or_double(napi_env env, napi_value value);

    char stack_[2048];
    std::unique_ptr<char[]> heap_;
    char *data_ = stack_;
    size_t size_ = 0;
    size_t capacity_ = sizeof stack_;
    bool described_ = false;
    bool rounded_ = false;
};

/* What it answered. */
struct SqlAnswer {
    Output frame;
    bool described = false;
    bool rounded = false;

    /*
     * What `collect` makes of it: called once or several times, each time with what it returned at first, undefined until then, and some of the answer behind that. At first these
     * are how many columns there are, the types of columns or undefined, changes, last_insert_rowid and the columns' names; then the values of whole rows.
     */
    Napi::Value value(napi_env env, napi_value collect) const;
};

/* A handle that a function returned, until an external owns it. */
struct Database {
    brant_db *pointer = nullptr;

    Database() = default;
    Database(const Database &) = delete;
    Database &operator=(const Database &) = delete;
    ~Database() { brant_db_free(pointer); }
    Napi::Value value(napi_env env);
};

/* A session that a hub opened, and whose it is. */
struct Caller {
    Database session;
    Output text;

    /* [handle, text] */
    Napi::Value value(napi_env env);
};

struct Hub {
    brant_hub *pointer = nullptr;

    Hub() = default;
    Hub(const Hub &) = delete;
    Hub &operator=(const Hub &) = delete;
    ~Hub() { brant_hub_free(pointer); }
    Napi::Value value(napi_env env);
};

struct Cursor {
    brant_cursor *pointer = nullptr;

    Cursor() = default;
    Cursor(const Cursor &) = delete;
    Cursor &operator=(const Cursor &) = delete;
    ~Cursor() { brant_cursor_free(pointer); }
    Napi::Value value(napi_env env);
};

struct Validator {
    brant_validator *pointer = nullptr;

    Validator() = default;
    Validator(const Validator &) = delete;
    Validator &operator=(const Validator &) = delete;
    ~Validator() { brant_validator_free(pointer); }
    Napi::Value value(napi_env env);
};

/* The handle in an external of ours; null is NULL. Throws INVALID for anything else. */
brant_db *database(napi_env env, napi_value value);
brant_hub *hub(napi_env env, napi_value value);
brant_cursor *cursor(napi_env env, napi_value value);
brant_validator *validator(napi_env env, napi_value value);

/* An external of a handle that `owner` frees, which lives as long as this. */
Napi::Value borrowed(napi_env env, brant_db *db, napi_value owner);

/* A whole number. */
int64_t integer(napi_env env, napi_value value);

/* Add the asynchronous calls and the wake functions to the module's exports. */
void define(Napi::Env env, Napi::Object exports);

/* sql_run(db, sql, values, flags, limit, collect) -> what `collect` made; see SqlRequest and SqlAnswer. */
Napi::Value sql_run(const Napi::CallbackInfo &info);

} // namespace brant_node

#endif
