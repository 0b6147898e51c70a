"""The report room: what the store holds, as tables."""
