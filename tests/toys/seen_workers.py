"""What a scheduler says of a worker, made up."""


def seen_worker(name, *, threads=2, memory=0, seen=0.0, status="running"):
    return {
        "name": name,
        "host": "10.0.0.1",
        "nthreads": threads,
        "memory_limit": memory,
        "last_seen": seen,
        "status": status,
    }
