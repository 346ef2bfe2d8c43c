import brant

with brant.open("quickstart.db") as db:
    if "debian" not in (graph.name for graph in db.graphs):
        db.graphs.create("debian")
    graph = db.graph("debian")
    listener = db.listen("package:*")

    with db.transaction():  # data and notification are committed together, or not at all
        graph.nodes.put_many([{"key": "curl", "attributes": {"version": "7.88"}}, {"key": "libcurl4"}, {"key": "libc6"}])
        graph.edges.put_many([{"source": "curl", "target": "libcurl4"}, {"source": "libcurl4", "target": "libc6"}])
        db.notify("package:added", {"key": "curl"})

    print(graph.nodes.get("curl").attributes["version"], graph.nodes.closure("curl").keys)
    for notification in listener:
        print(notification.channel, notification.payload)
        break
