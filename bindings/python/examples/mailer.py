import sys

import brant

db = brant.open(sys.argv[1] if len(sys.argv) > 1 else "mailer.db")
mail = db.queue("mail")
mail.configure(max_attempts=5, backoff={"base": 0.1, "max": 60})


@mail.task()
def welcome(to: str) -> None:
    if brant.current_job().attempt == 1 and to.startswith("bob"):
        raise ConnectionError("try again")
    print("welcome,", to, flush=True)


@mail.periodic("@every 1s")
def remind() -> None:
    print("reminding", flush=True)


with db.transaction():  # accounts and mails are committed together, or not at all
    if "accounts" not in (graph.name for graph in db.graphs):
        db.graphs.create("accounts")
    for name in ("ann@example.org", "bob@example.org"):
        db.graph("accounts").nodes.put(name)
        welcome.enqueue(name)

if __name__ == "__main__":
    # Until SIGTERM or Ctrl-C; as many processes as you like.
    brant.run(mail.worker(concurrency=4, grace=10), db.scheduler())
    db.close()
