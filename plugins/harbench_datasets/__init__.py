"""harbench's own datasets: one module a dataset, registered through entry points."""
