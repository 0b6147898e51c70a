"""Trained networks as files for other programs: ONNX and torch.export, checked before written.

The exported graph takes windows as they were recorded (gaps filled) and holds the normalisation.
What imports torch or onnxruntime is imported by the functions that need it.
"""

from harbench.execute.exporting.exporting import Exported, Form, export_model

__all__ = ["Exported", "Form", "export_model"]
