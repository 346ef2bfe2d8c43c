/*
 * convert.cc: values between JavaScript and C (brant_node.h). The common case, a short one-byte string and a live handle, makes
 * as few Node-API calls as there can be.
 */
#include "brant_node.h"

#include <cstring>

namespace brant_node {

namespace {

constexpr napi_type_tag DATABASE_TAG = {0x6272616e742d6462, 0x9d3f5b1c07e84a26};
constexpr napi_type_tag HUB_TAG = {0x6272616e742d6875, 0x25f7c09e4d8b3161};
constexpr napi_type_tag CURSOR_TAG = {0x6272616e742d6375, 0x41c86e0fb2d95733};
constexpr napi_type_tag VALIDATOR_TAG = {0x6272616e742d7661, 0x7a10c4d6e85f2b39};

/* V8's longest string. */
constexpr size_t LONGEST = (size_t{1} << 29) - 24;

void finalize_database(napi_env, void *data, void *) { brant_db_free(static_cast<brant_db *>(data)); }

void finalize_hub(napi_env, void *data, void *) { brant_hub_free(static_cast<brant_hub *>(data)); }

void finalize_borrowed(napi_env env, void *, void *owner) { napi_delete_reference(env, static_cast<napi_ref>(owner)); }

void finalize_cursor(napi_env, void *data, void *) { brant_cursor_free(static_cast<brant_cursor *>(data)); }

void finalize_validator(napi_env, void *data, void *) { brant_validator_free(static_cast<brant_validator *>(data)); }

/* Make the external that owns `pointer` from then on. */
template <typename T> Napi::Value own(napi_env env, T *&pointer, napi_finalize finalize, const napi_type_tag &tag)
{
    napi_value value = nullptr;
    check(env, napi_create_external(env, pointer, finalize, nullptr, &value));
    pointer = nullptr;
    check(env, napi_type_tag_object(env, value, &tag));
    return Napi::Value(env, value);
}

void *pointer_of(napi_env env, napi_value value, const napi_type_tag &tag, const char *message)
{
    void *data = nullptr;
    if (napi_get_value_external(env, value, &data) == napi_ok) {
        bool tagged = false;
        check(env, napi_check_object_type_tag(env, value, &tag, &tagged));
        if (tagged) return data;
    }
    napi_valuetype type = napi_undefined;
    check(env, napi_typeof(env, value, &type));
    if (type != napi_null) raise_type(env, message);
    return nullptr;
}

} // namespace

napi_value string(napi_env env, std::string_view text)
{
    napi_value value = nullptr;
    if (text.size() > LONGEST) {
        throw Napi::Error(env, error_value(env, BRANT_LIMIT, "LIMIT", "the answer is longer than a string can be; ask for less", "{}"));
    }
    check(env, napi_create_string_utf8(env, text.data(), text.size(), &value));
    return value;
}

napi_value error_value(napi_env env, brant_status status, std::string_view code, std::string_view message,
                       std::string_view detail)
{
    napi_value number = nullptr;
    napi_value result = nullptr;
    check(env, napi_create_int32(env, status, &number));
    check(env, napi_create_error(env, string(env, code), string(env, message), &result));
    check(env, napi_set_named_property(env, result, "status", number));
    check(env, napi_set_named_property(env, result, "detail", string(env, detail)));
    return result;
}

void raise(napi_env env)
{
    const brant_error *error = brant_last_error();
    throw Napi::Error(env, error_value(env, error->code, error->name, {error->message, error->message_len},
                                       {error->detail, error->detail_len}));
}

void raise_type(napi_env env, const char *message)
{
    throw Napi::Error(env, error_value(env, BRANT_INVALID, "INVALID", message, "{}"));
}

void check(napi_env env, napi_status status)
{
    if (status != napi_ok) throw Napi::Error::New(env);
}

Input::~Input()
{
    wipe(stack_, stack_used_);
    if (heap_) wipe(heap_.get(), size_);
}

void Input::read(napi_env env, napi_value value)
{
    size_t copied = 0;
    napi_status status = napi_get_value_string_utf8(env, value, stack_, sizeof stack_, &copied);
    if (status != napi_ok) return read_bytes(env, value);
    stack_used_ = copied;
    /* A copy that stops within a code point of the end may have been cut. */
    if (copied + 4 >= sizeof stack_) return read_long(env, value);
    data_ = stack_;
    size_ = copied;
}

void Input::read_long(napi_env env, napi_value value)
{
    check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &size_));
    heap_.reset(new char[size_ + 1]);
    check(env, napi_get_value_string_utf8(env, value, heap_.get(), size_ + 1, &size_));
    data_ = heap_.get();
}

void Input::read_bytes(napi_env env, napi_value value)
{
    napi_valuetype type = napi_undefined;
    check(env, napi_typeof(env, value, &type));
    if (type == napi_undefined) return;
    bool is_array = false;
    check(env, napi_is_typedarray(env, value, &is_array));
    napi_typedarray_type element = napi_int8_array;
    void *bytes = nullptr;
    if (is_array) check(env, napi_get_typedarray_info(env, value, &element, &size_, &bytes, nullptr, nullptr));
    if (element != napi_uint8_array) raise_type(env, "the text is neither a string nor a Uint8Array");
    /* An empty array has no address; the core takes a length with it all the same. */
    data_ = bytes != nullptr ? static_cast<const char *>(bytes) : "";
}

Napi::Value Output::value(napi_env env) const { return Napi::Value(env, string(env, {data, size})); }

Napi::Value Database::value(napi_env env) { return own(env, pointer, finalize_database, DATABASE_TAG); }

Napi::Value Caller::value(napi_env env)
{
    Napi::Array pair = Napi::Array::New(env, 2);
    pair[0u] = session.value(env);
    pair[1u] = text.value(env);
    return pair;
}

Napi::Value Hub::value(napi_env env) { return own(env, pointer, finalize_hub, HUB_TAG); }

Napi::Value Cursor::value(napi_env env) { return own(env, pointer, finalize_cursor, CURSOR_TAG); }

Napi::Value Validator::value(napi_env env) { return own(env, pointer, finalize_validator, VALIDATOR_TAG); }

brant_db *database(napi_env env, napi_value value)
{
    return static_cast<brant_db *>(pointer_of(env, value, DATABASE_TAG, "the argument is not a database handle"));
}

brant_hub *hub(napi_env env, napi_value value)
{
    return static_cast<brant_hub *>(pointer_of(env, value, HUB_TAG, "the argument is not a hub"));
}

Napi::Value borrowed(napi_env env, brant_db *db, napi_value owner)
{
    napi_value value = nullptr;
    napi_ref reference = nullptr;
    check(env, napi_create_reference(env, owner, 1, &reference));
    if (napi_create_external(env, db, finalize_borrowed, reference, &value) != napi_ok) {
        napi_delete_reference(env, reference);
        throw Napi::Error::New(env);
    }
    check(env, napi_type_tag_object(env, value, &DATABASE_TAG));
    return Napi::Value(env, value);
}

brant_cursor *cursor(napi_env env, napi_value value)
{
    return static_cast<brant_cursor *>(pointer_of(env, value, CURSOR_TAG, "the argument is not a cursor"));
}

brant_validator *validator(napi_env env, napi_value value)
{
    return static_cast<brant_validator *>(pointer_of(env, value, VALIDATOR_TAG, "the argument is not a validator"));
}

int64_t integer(napi_env env, napi_value value)
{
    int64_t result = 0;
    if (napi_get_value_int64(env, value, &result) != napi_ok) raise_type(env, "the argument is not a number");
    return result;
}

} // namespace brant_node
