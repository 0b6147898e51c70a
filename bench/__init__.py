"""Speed, measured side by side: ``python -m bench`` from a checkout. No part of the wheel.

One file a group of rows: :mod:`bench.reading`, :mod:`bench.windowing`, :mod:`bench.training`,
:mod:`bench.cells`, :mod:`bench.saliency`; :mod:`bench.profiling` says where the time goes, and
:mod:`bench.scaling` how it grows. Each row has harbench's side and those of its peers; a
peer that is not installed is skipped by name. Every side of every round runs in a process of its
own, harbench and its peers by turns, so that a busy machine is busy for all of them.
"""
