"""The results folder as one HTML page that needs nothing but itself.

``page`` collects what is on it, ``tables``, ``published``, ``provenance``, ``audits``, ``analyses``
and ``paper_tables`` its parts; ``rendering`` writes it. Markup, style and script are in
``templates``.
"""

from harbench.report.html.page import Report, report_of
from harbench.report.html.rendering import report_html, write_report

__all__ = ["Report", "report_html", "report_of", "write_report"]
