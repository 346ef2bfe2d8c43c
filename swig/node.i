/*
 * node.i: the raw Node.js module: Node-API 8, C++ exceptions on. One typemap for each parameter shape; what they call is in
 * bindings/node/native. SWIG's fail path releases nothing, so every temporary is an object with a destructor. A failure
 * is thrown inside the call that failed, as an Error with code, status and detail (JSON text).
 */
%begin %{
#define NAPI_VERSION 8
#include "brant_node.h"
%}

%typemap(in) (const char *json, size_t json_len) (brant_node::Input text),
             (const char *path, size_t path_len) (brant_node::Input text),
             (const char *name, size_t name_len) (brant_node::Input text),
             (const char *org_id, size_t org_id_len) (brant_node::Input text),
             (const char *token, size_t token_len) (brant_node::Input text)
{
  text.read(env, $input);
  $1 = const_cast<char *>(text.data());
  $2 = text.size();
}

%typemap(in) brant_db * "$1 = brant_node::database(env, $input);"
%typemap(in) brant_hub * "$1 = brant_node::hub(env, $input);"
%typemap(in) brant_cursor * "$1 = brant_node::cursor(env, $input);"
%typemap(in) brant_validator * "$1 = brant_node::validator(env, $input);"
%typemap(in) int64_t "$1 = brant_node::integer(env, $input);"

%typemap(in, numinputs=0) (char **out_json, size_t *out_json_len) (brant_node::Output text)
{
  $1 = &text.data;
  $2 = &text.size;
}
%typemap(argout) (char **out_json, size_t *out_json_len) "$result = text$argnum.value(env);"

%typemap(in, numinputs=0) brant_db **out_db (brant_node::Database handle),
                          brant_db **out_session (brant_node::Database handle)
  "$1 = &handle.pointer;"
%typemap(argout) brant_db **out_db, brant_db **out_session "$result = handle$argnum.value(env);"

/* A session, and whose it is: [handle, text]. */
%typemap(in, numinputs=0) (brant_db **out_session, char **out_json, size_t *out_json_len) (brant_node::Caller caller)
{
  $1 = &caller.session.pointer;
  $2 = &caller.text.data;
  $3 = &caller.text.size;
}
%typemap(argout) (brant_db **out_session, char **out_json, size_t *out_json_len) "$result = caller$argnum.value(env);"

%typemap(in, numinputs=0) brant_hub **out_hub (brant_node::Hub handle) "$1 = &handle.pointer;"
%typemap(argout) brant_hub **out_hub "$result = handle$argnum.value(env);"

/* Borrowed: it keeps the hub, the function's only argument. */
%typemap(out) brant_db * "$result = brant_node::borrowed(env, $1, info[0]);"

%typemap(in, numinputs=0) brant_cursor **out_cursor (brant_node::Cursor handle) "$1 = &handle.pointer;"
%typemap(argout) brant_cursor **out_cursor "$result = handle$argnum.value(env);"

%typemap(in, numinputs=0) brant_validator **out_validator (brant_node::Validator handle) "$1 = &handle.pointer;"
%typemap(argout) brant_validator **out_validator "$result = handle$argnum.value(env);"

%typemap(in, numinputs=0) int *out_accepted (int accepted = 0) "$1 = &accepted;"
%typemap(argout) int *out_accepted "$result = Napi::Boolean::New(env, *$1 != 0);"

%typemap(in, numinputs=0) int64_t *out_ms (int64_t span = 0) "$1 = &span;"
%typemap(argout) int64_t *out_ms "$result = Napi::Number::New(env, static_cast<double>(*$1));"

%typemap(out) brant_status
{
  if ($1 != BRANT_OK) brant_node::raise(env);
  $result = env.Undefined();
}

/* Rows cross as JSON. */
%ignore brant_sql_run;

/* The layer never sees the descriptor: brant_wake_start (brant_node.cc) listens to it. */
%ignore brant_wake_fd;

%init %{
  brant_node::define(env, exports);
%}
