"""The execute room: jobs, and where they run. Results come back; who asked writes the store."""
