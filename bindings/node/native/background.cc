/*
 * background.cc: what SWIG has no words for: calls on a thread of the pool, and waking. The SQL of sql.cc is added to the module here, too.
 *
 *   open_async(path, options) -> Promise of a handle
 *   call_async(db or null, name, input, deadline) -> Promise of text
 *   call_open_async(db, name, input, deadline) -> Promise of a cursor
 *   hub_acquire_async(hub, org_id) -> Promise of a handle
 *   hub_authenticate_async(hub, token) -> Promise of [session, text]
 *   sql_run_async(db, sql, values, flags, limit, collect, deadline) -> Promise of what `collect` made
 *   next_async(cursor, db, deadline) -> Promise of text: what the cursor, which is one of `db`, has now
 *   wake_start(db, callback) -> waker; wake_arm(waker); wake_ref(waker, bool); wake_stop(waker)
 *
 * A waker is a thread that polls a dup of the handle's wake descriptor (uv_poll aborts when a Worker ends; waiting on the pool
 * would starve it). It calls back once and sleeps until it is armed again, so that a descriptor that stays readable costs
 * nothing. It does not keep the process alive unless wake_ref says so, and ends with its external or its environment.
 */
#include "brant_node.h"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace brant_node {

namespace {

enum class Kind { open, call, call_open, next, acquire, authenticate, sql };

/* A call on a thread of the pool. The error record belongs to that thread, so its text is taken there. */
struct Job {
    napi_async_work work = nullptr;
    napi_deferred deferred = nullptr;
    napi_ref keep[2] = {nullptr, nullptr}; /* the externals, and `collect`, while the call runs */
    Kind kind = Kind::call;
    brant_db *db = nullptr;
    brant_cursor *from = nullptr;
    brant_hub *hub = nullptr;
    int64_t deadline = 0;
    std::string name;
    std::string json;
    brant_status status = BRANT_OK;
    std::string code, message, detail;
    Output text;
    Database handle;
    Caller caller;
    Cursor cursor;
    SqlRequest request;
    SqlAnswer answer;
    napi_value collect = nullptr; /* while the answer is made */

    ~Job();
    brant_status run();
    Napi::Value result(napi_env env);
};

Job::~Job()
{
    for (std::string *copy : {&name, &json, &message, &detail}) wipe(copy->data(), copy->size());
}

brant_status Job::run()
{
    switch (kind) {
    case Kind::open: return brant_open(&handle.pointer, name.data(), name.size(), json.data(), json.size());
    case Kind::call: return brant_call(&text.data, &text.size, db, name.data(), name.size(), json.data(), json.size());
    case Kind::call_open: return brant_call_open(&cursor.pointer, db, name.data(), name.size(), json.data(), json.size());
    case Kind::next: return brant_cursor_next(&text.data, &text.size, from, 0);
    case Kind::sql: return brant_sql_run(&answer.frame.data, &answer.frame.size, db, request.data(), request.size());
    case Kind::acquire: return brant_hub_acquire(&handle.pointer, hub, name.data(), name.size());
    case Kind::authenticate:
        return brant_hub_authenticate(&caller.session.pointer, &caller.text.data, &caller.text.size, hub, name.data(), name.size());
    }
    return BRANT_INTERNAL;
}

Napi::Value Job::result(napi_env env)
{
    switch (kind) {
    case Kind::open:
    case Kind::acquire: return handle.value(env);
    case Kind::authenticate: return caller.value(env);
    case Kind::call_open: return cursor.value(env);
    case Kind::sql: return answer.value(env, collect);
    case Kind::call:
    case Kind::next: break;
    }
    return text.value(env);
}

void job_execute(napi_env, void *data)
{
    Job *job = static_cast<Job *>(data);
    if (job->deadline != 0) job->status = brant_deadline_set(job->db, job->deadline);
    if (job->status == BRANT_OK) job->status = job->run();
    if (job->status != BRANT_OK) {
        const brant_error *error = brant_last_error();
        job->code = error->name;
        job->message.assign(error->message, error->message_len);
        job->detail.assign(error->detail, error->detail_len);
    }
    if (job->deadline != 0) brant_deadline_set(job->db, 0);
}

void job_complete(napi_env env, napi_status, void *data)
{
    std::unique_ptr<Job> job(static_cast<Job *>(data));
    if (job->kind == Kind::sql) napi_get_reference_value(env, job->keep[1], &job->collect);
    for (napi_ref keep : job->keep) {
        if (keep != nullptr) napi_delete_reference(env, keep);
    }
    napi_delete_async_work(env, job->work);
    try {
        if (job->status != BRANT_OK) {
            napi_value error = error_value(env, job->status, job->code, job->message, job->detail);
            check(env, napi_reject_deferred(env, job->deferred, error));
        } else {
            check(env, napi_resolve_deferred(env, job->deferred, job->result(env)));
        }
    } catch (const Napi::Error &error) {
        /* A text longer than a string can be. */
        napi_reject_deferred(env, job->deferred, error.Value());
    }
}

Napi::Value job_start(napi_env env, std::unique_ptr<Job> job)
{
    napi_value promise = nullptr;
    napi_value resource = Napi::String::New(env, "brant");
    check(env, napi_create_async_work(env, nullptr, resource, job_execute, job_complete, job.get(), &job->work));
    check(env, napi_create_promise(env, &job->deferred, &promise));
    check(env, napi_queue_async_work(env, job->work));
    job.release();
    return Napi::Value(env, promise);
}

std::string text_of(napi_env env, napi_value value)
{
    Input text;
    text.read(env, value);
    return std::string(text.data() != nullptr ? text.data() : "", text.size());
}

Napi::Value open_async(const Napi::CallbackInfo &info)
{
    std::unique_ptr<Job> job(new Job);
    job->kind = Kind::open;
    job->name = text_of(info.Env(), info[0]);
    job->json = text_of(info.Env(), info[1]);
    return job_start(info.Env(), std::move(job));
}

Napi::Value call(const Napi::CallbackInfo &info, Kind kind)
{
    std::unique_ptr<Job> job(new Job);
    job->kind = kind;
    job->db = database(info.Env(), info[0]);
    job->name = text_of(info.Env(), info[1]);
    job->json = text_of(info.Env(), info[2]);
    job->deadline = integer(info.Env(), info[3]);
    /* Some operations need no handle. */
    if (job->db != nullptr) check(info.Env(), napi_create_reference(info.Env(), info[0], 1, &job->keep[0]));
    return job_start(info.Env(), std::move(job));
}

Napi::Value call_async(const Napi::CallbackInfo &info) { return call(info, Kind::call); }

Napi::Value call_open_async(const Napi::CallbackInfo &info) { return call(info, Kind::call_open); }

Napi::Value sql_run_async(const Napi::CallbackInfo &info)
{
    std::unique_ptr<Job> job(new Job);
    job->kind = Kind::sql;
    job->db = database(info.Env(), info[0]);
    job->request.read(info.Env(), info[1], info[2], info[3], info[4]);
    job->answer.described = job->request.described();
    job->answer.rounded = job->request.rounded();
    job->deadline = integer(info.Env(), info[6]);
    check(info.Env(), napi_create_reference(info.Env(), info[0], 1, &job->keep[0]));
    check(info.Env(), napi_create_reference(info.Env(), info[5], 1, &job->keep[1]));
    return job_start(info.Env(), std::move(job));
}

Napi::Value from_hub(const Napi::CallbackInfo &info, Kind kind)
{
    std::unique_ptr<Job> job(new Job);
    job->kind = kind;
    job->hub = hub(info.Env(), info[0]);
    job->name = text_of(info.Env(), info[1]);
    check(info.Env(), napi_create_reference(info.Env(), info[0], 1, &job->keep[0]));
    return job_start(info.Env(), std::move(job));
}

Napi::Value hub_acquire_async(const Napi::CallbackInfo &info) { return from_hub(info, Kind::acquire); }

Napi::Value hub_authenticate_async(const Napi::CallbackInfo &info) { return from_hub(info, Kind::authenticate); }

Napi::Value next_async(const Napi::CallbackInfo &info)
{
    std::unique_ptr<Job> job(new Job);
    job->kind = Kind::next;
    job->from = cursor(info.Env(), info[0]);
    job->db = database(info.Env(), info[1]);
    job->deadline = integer(info.Env(), info[2]);
    for (size_t i = 0; i < 2; i++) check(info.Env(), napi_create_reference(info.Env(), info[i], 1, &job->keep[i]));
    return job_start(info.Env(), std::move(job));
}

constexpr napi_type_tag WAKER_TAG = {0x6272616e742d776b, 0x7be20c95d1a6438f};

struct Waker {
    napi_env env = nullptr;
    napi_threadsafe_function callback = nullptr;
    int wake = -1;
    int control[2] = {-1, -1}; /* 'a' arms, its end stops */
    std::thread thread;
    bool running = false;

    Waker() = default;
    Waker(const Waker &) = delete;
    Waker &operator=(const Waker &) = delete;
    ~Waker();
    void run() const;
    void stop();
};

/* The thread: it knows the descriptors and the callback, and nothing of JavaScript. */
void Waker::run() const
{
    bool armed = false;
    for (;;) {
        pollfd sources[2] = {{armed ? wake : -1, POLLIN, 0}, {control[0], POLLIN, 0}};
        if (poll(sources, 2, -1) < 0) continue; /* EINTR, or no memory for now */
        if (sources[1].revents != 0) {
            char command = 0;
            ssize_t got = read(control[0], &command, 1);
            if (got == 0) return;
            if (got == 1) armed = true;
        } else if (sources[0].revents != 0) {
            armed = false;
            napi_call_threadsafe_function(callback, nullptr, napi_tsfn_nonblocking);
        }
    }
}

/* End the thread. Any number of times. */
void Waker::stop()
{
    if (!running) return;
    running = false;
    close(control[1]);
    control[1] = -1;
    thread.join();
    napi_release_threadsafe_function(callback, napi_tsfn_abort);
}

Waker::~Waker()
{
    stop();
    for (int descriptor : {wake, control[0], control[1]}) {
        if (descriptor >= 0) close(descriptor);
    }
}

void waker_cleanup(void *data) { static_cast<Waker *>(data)->stop(); }

void waker_finalize(napi_env env, void *data, void *)
{
    napi_remove_env_cleanup_hook(env, waker_cleanup, data);
    delete static_cast<Waker *>(data);
}

Waker *waker_of(const Napi::CallbackInfo &info)
{
    void *data = nullptr;
    bool tagged = false;
    if (napi_get_value_external(info.Env(), info[0], &data) == napi_ok) {
        check(info.Env(), napi_check_object_type_tag(info.Env(), info[0], &WAKER_TAG, &tagged));
    }
    if (!tagged) raise_type(info.Env(), "the argument is not a waker");
    return static_cast<Waker *>(data);
}

[[noreturn]] void raise_system(napi_env env, const char *what)
{
    std::string message = std::string(what) + ": " + std::generic_category().message(errno);
    throw Napi::Error(env, error_value(env, BRANT_IO, "IO", message, "{}"));
}

/* A pipe that no child has. One that is forked by another thread in between would hold the end whose closing stops the waker. */
int private_pipe(int ends[2])
{
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC);
#else
    if (pipe(ends) != 0) return -1;
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

Napi::Value wake_start(const Napi::CallbackInfo &info)
{
    Napi::Env env = info.Env();
    int owned = -1;
    if (brant_wake_fd(&owned, database(env, info[0])) != BRANT_OK) raise(env);
    std::unique_ptr<Waker> waker(new Waker);
    waker->env = env;
    waker->wake = fcntl(owned, F_DUPFD_CLOEXEC, 0);
    if (waker->wake < 0) raise_system(env, "cannot duplicate the wake descriptor");
    if (private_pipe(waker->control) != 0) raise_system(env, "cannot make a pipe");

    napi_value result = nullptr;
    check(env, napi_create_threadsafe_function(env, info[1], nullptr, Napi::String::New(env, "brant"), 0, 1, nullptr, nullptr,
                                               nullptr, nullptr, &waker->callback));
    check(env, napi_unref_threadsafe_function(env, waker->callback));
    try {
        waker->thread = std::thread(&Waker::run, waker.get());
    } catch (const std::system_error &) {
        napi_release_threadsafe_function(waker->callback, napi_tsfn_abort);
        throw Napi::Error(env, error_value(env, BRANT_IO, "IO", "cannot start the wake thread", "{}"));
    }
    waker->running = true;
    /* After the function's own hook, so before it at the end: the thread is gone when the function goes. */
    check(env, napi_add_env_cleanup_hook(env, waker_cleanup, waker.get()));
    check(env, napi_create_external(env, waker.get(), waker_finalize, nullptr, &result));
    waker.release();
    check(env, napi_type_tag_object(env, result, &WAKER_TAG));
    return Napi::Value(env, result);
}

void wake_arm(const Napi::CallbackInfo &info)
{
    Waker *waker = waker_of(info);
    if (waker->running && write(waker->control[1], "a", 1) < 0) raise_system(info.Env(), "cannot arm the wake thread");
}

void wake_ref(const Napi::CallbackInfo &info)
{
    Waker *waker = waker_of(info);
    if (!waker->running) return;
    auto change = info[1].ToBoolean() ? napi_ref_threadsafe_function : napi_unref_threadsafe_function;
    check(info.Env(), change(info.Env(), waker->callback));
}

void wake_stop(const Napi::CallbackInfo &info) { waker_of(info)->stop(); }

} // namespace

void define(Napi::Env env, Napi::Object exports)
{
    exports.Set("open_async", Napi::Function::New<open_async>(env, "open_async"));
    exports.Set("call_async", Napi::Function::New<call_async>(env, "call_async"));
    exports.Set("call_open_async", Napi::Function::New<call_open_async>(env, "call_open_async"));
    exports.Set("sql_run", Napi::Function::New<sql_run>(env, "sql_run"));
    exports.Set("sql_run_async", Napi::Function::New<sql_run_async>(env, "sql_run_async"));
    exports.Set("hub_acquire_async", Napi::Function::New<hub_acquire_async>(env, "hub_acquire_async"));
    exports.Set("hub_authenticate_async", Napi::Function::New<hub_authenticate_async>(env, "hub_authenticate_async"));
    exports.Set("next_async", Napi::Function::New<next_async>(env, "next_async"));
    exports.Set("wake_start", Napi::Function::New<wake_start>(env, "wake_start"));
    exports.Set("wake_arm", Napi::Function::New<wake_arm>(env, "wake_arm"));
    exports.Set("wake_ref", Napi::Function::New<wake_ref>(env, "wake_ref"));
    exports.Set("wake_stop", Napi::Function::New<wake_stop>(env, "wake_stop"));
}

} // namespace brant_node
