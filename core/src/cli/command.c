/*
 * cli/command.c: all commands, with the help of each: usage, help, completion and the manual page are made from these rows. Here are those of one word; groups
 * have tables of their own, by the area of their operations, or beside their code.
 */
#include "cli.h"

#include <limits.h>

static const cli_command one_word[] = {
    {.name = "backup",
     .operation = "db.backup",
     .words = "path",
     .run = cli_backup_command,
     .summary = "copy a file, while it is in use, as of one moment"},
    {.name = "call",
     .arguments = "FILE OPERATION [JSON | -]",
     .summary = "call an operation; - reads its input from standard input",
     .least = 2,
     .most = 3,
     .options = CLI_KEYS,
     .run = cli_call_command,
     .help =
         "Calls an operation and prints its answer. A subscription prints its items as they come, "
         "until it ends\n(nodes.walk) or is interrupted (events.listen).\n"
         "With a key ring, encrypted attributes are sealed and opened. Secrets belong on "
         "standard input (-), not\ninto arguments, which other processes and the shell's "
         "history show.\n\n" CLI_KEYS_HELP},
    {.name = "complete",
     .arguments = "-- WORD...",
     .summary = "what the last word may become, for the scripts of brant completion",
     .most = INT_MAX,
     .hidden = true,
     .run = cli_complete_command},
    {.name = "completion",
     .arguments = "bash | fish | zsh",
     .summary = "a script for the shell's completion",
     .least = 1,
     .most = 1,
     .run = cli_completion_command,
     .help = "Commands, options, operations, and the names of graphs, nodes, queues, streams and "
             "so on in FILE.\nbash: source <(brant completion bash); zsh: the same, after "
             "compinit; fish: brant completion fish | source\n"},
    {.name = "doctor",
     .operation = "db.doctor",
     .words = "",
     .run = cli_doctor_command,
     .summary = "check that a file is sound; if not, the exit code is that of CORRUPT"},
    {.name = "erase",
     .operation = "db.erase",
     .words = "values...",
     .summary = "remove a person's data from the whole file; --dry-run only tells",
     .options = CLI_YES,
     .question = "erase all that has these values for ever?"},
    {.name = "export",
     CLI_EXPORT_ROW,
     .run = cli_export_command,
     .summary = "write a graph to a file or standard output",
     .help = "The format is --format's, or told by TARGET's name: .json (graphology), .ndjson, "
             ".csv (with nodes or edges\nin the name, or --part), .graphml, .dot, .mmd; graphology "
             "on standard output. All of it shows one state of\nthe graph. TARGET is there whole "
             "or not at all.\n"},
    {.name = "import",
     .operation = "graphs.import",
     .words = "graph path",
     .arguments = "FILE GRAPH SOURCE",
     .without = "text create max_batches",
     .fixed = "{\"create\": true}",
     .run = cli_import_command,
     .summary = "read a graph from a file; - is standard input",
     .help = "The format is --format's, or told by SOURCE's name and beginning: .json (graphology, "
             "node_link or otlp),\n.ndjson and .jsonl, .csv (with nodes or edges in the name, or "
             "--part). A graph that is not there is made. A\nfile is read in batches, each a "
             "transaction: after a stop --resume goes on behind the last one. Standard\ninput is "
             "all or nothing.\n"},
    {.name = "info",
     .arguments = "FILE",
     .summary = "what a file is",
     .least = 1,
     .most = 1,
     .options = CLI_KEYS,
     .run = cli_info_command,
     .help = "Path, role, format, sizes and counts of a file.\n"},
    {.name = "maintain",
     .operation = "db.maintain",
     .words = "",
     .summary = "what is to be done now and then: retention, finished jobs, checkpoint"},
    {.name = "manual",
     .arguments = "[DATE]",
     .summary = "the manual page",
     .most = 1,
     .hidden = true,
     .run = cli_manual_command},
    {.name = "mcp",
     .arguments = "FILE | --hub FOLDER",
     .summary =
         "serve a file to AI agents: the Model Context Protocol on standard input and output",
     .most = 1,
     .options = CLI_KEYS | CLI_GRAPH,
     .run = cli_mcp_command,
     .own = cli_mcp_options,
     .help =
         "For the configuration of a client (Claude, editors, agents):\n\n"
         "  {\"mcpServers\": {\"brant\": {\"command\": \"brant\", \"args\": [\"mcp\", "
         "\"/path/app.db\"]}}}\n"
         "  {\"mcpServers\": {\"memory\": {\"command\": \"brant\", \"args\": [\"mcp\", "
         "\"/path/memory.db\",\n    \"--create\", \"--profile\", \"memory\"]}}}\n\n"
         "Operations are tools of the name nodes_put for nodes.put. By default some twenty of "
         "them, "
         "and operations_find,\noperations_describe and operations_call, which reach the others. "
         "--tools chooses: operations (nodes.put), namespaces\n(jobs), patterns (graphs.*), "
         "default, meta (those three), types (typed operations of all graph types; types.crm.*),\n"
         "all. Operations on files of the machine, sql.execute and transactions are there only "
         "where they are named.\n\n"
         "With an API key the agent sees and may what the key allows; once it is revoked, nothing. "
         "Without one it may read,\nor what --write or --scopes (\"nodes:read,queues:*\") say. "
         "What it does stands in the audit log and in events as its own.\n\n"
         "An answer has at most --max-tokens: lists end earlier, with a cursor to go on, long "
         "members are shortened and\ntheir sizes told.\n\n"
         "The profile memory is the reference memory server's: its nine tools on a graph "
         "(--graph, default: memory) that\nany number of agents write at once; --import takes in "
         "that server's file of JSON lines.\n\n" CLI_KEYS_HELP},
    {.name = "notify",
     .operation = "events.notify",
     .words = "channel [payload=]",
     .summary = "send a notification to whoever listens"},
    {.name = "ops",
     .arguments = "[NAMESPACE | OPERATION]",
     .summary = "what can be called, and how",
     .most = 1,
     .run = cli_ops_command,
     .help = "Lists all operations, or those of a namespace; of one operation its input, answer, "
             "scopes and errors.\nAs JSON: its specification, with JSON Schemas.\n"},
    {.name = "restore",
     .operation = "db.restore",
     .words = "path",
     .run = cli_restore_command,
     .summary = "replace the whole content of a file by that of a backup",
     .options = CLI_YES,
     .question = "replace all that this file has by the backup?"},
    {.name = "sql",
     .arguments = "FILE SQL | - [PARAMS]",
     .summary = "run the user's own SQL; PARAMS is a JSON array or object",
     .least = 2,
     .most = 3,
     .options = CLI_KEYS,
     .run = cli_sql_command,
     .help = "One statement; with - those of standard input, as a file of CREATE TABLE, in one "
             "transaction: all of\nthem or none. brant's own tables can be read; encrypted "
             "attributes are what is stored: envelopes.\n"},
    {.name = "status",
     .arguments = "FILE",
     .summary = "graphs, queues, streams, schedules and locks at a glance",
     .least = 1,
     .most = 1,
     .run = cli_status_command,
     .help = "The first 100 of each, by name.\n"},
    {.name = "table",
     .arguments = "",
     .summary = "the table of commands as lines of JSON",
     .hidden = true,
     .run = cli_table_command},
    {.name = "view",
     .arguments = "FILE",
     .summary = "look at a file in the browser",
     .least = 1,
     .most = 1,
     .options = CLI_KEYS,
     .run = cli_view_command,
     .own =
         (const cli_option[]){
             {.name = "--port",
              .value = "N",
              .help = "listen there; default: any port that is free"},
             {.name = "--write",
              .help =
                  "jobs can be retried and cancelled, and so on; default: nothing can be changed"},
             {.name = "--open", .help = "open the browser"},
             {.name = "--call-timeout",
              .value = "MS",
              .help = "end what the page asks for after so long; default: 30000"},
             {0}},
     .help = "Graphs, calls, queues, streams and what happens right now, as a page on this machine "
             "alone "
             "(127.0.0.1). The link\nthat is printed works once; press Enter for another one. "
             "Secrets stay "
             "encrypted: the page shows envelopes.\nEnds with Ctrl-C, or after --timeout.\n"},
    {.name = "watch",
     .arguments = "FILE [CHANNEL...]",
     .summary = "follow what happens: notifications, events of streams, figures of queues",
     .least = 1,
     .most = INT_MAX,
     .run = cli_watch_command,
     .own = (const cli_option[]){{.name = "--stream",
                                  .value = "STREAM",
                                  .help = "New events of this stream; may stand several times"},
                                 {.name = "--queues", .help = "Queues whose figures change"},
                                 {0}},
     .help =
         "CHANNEL is a pattern such as 'nodes:*'; without any, and without --stream and --queues, "
         "all\nnotifications and queues. Ends with --timeout or a signal. As JSON: one line "
         "each.\n"},
    {0},
};

const cli_group cli_groups[] = {
    {NULL, one_word},
    {"access", cli_access_commands},
    {"account", cli_account_commands},
    {"api-key", cli_api_key_commands},
    {"audit", cli_audit_commands},
    {"channel", cli_channel_commands},
    {"consumer", cli_consumer_commands},
    {"edge", cli_edge_commands},
    {"graph", cli_graph_commands},
    {"graph-type", cli_graph_type_commands},
    {"index", cli_index_commands},
    {"job", cli_job_commands},
    {"key", cli_key_commands},
    {"lock", cli_lock_commands},
    {"node", cli_node_commands},
    {"org", cli_org_commands},
    {"queue", cli_queue_commands},
    {"rate-limit", cli_rate_limit_commands},
    {"schedule", cli_schedule_commands},
    {"secret", cli_secret_commands},
    {"stream", cli_stream_commands},
    {"tenant", cli_tenant_commands},
    {0},
};
