"""Cells on other machines: an executor on a Dask cluster. Needs the extra ``harbench[cluster]``.

Importing this imports no Dask. The client plans, keeps the results and alone writes the store; a
worker gets a cell and the data it needs, trains, and sends back what came of it.
"""
