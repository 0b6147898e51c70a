"""The paper behind jitter, scaling, rotation and time warping of windows."""

from __future__ import annotations

import harbench

CITATION = harbench.Citation(
    "Um, T. T., Pfister, F. M. J., Pichler, D., Endo, S., Lang, M., Hirche, S., Fietzek, U., & "
    "Kulić, D. (2017). Data augmentation of wearable sensor data for Parkinson's disease "
    "monitoring using convolutional neural networks. ICMI 2017, 216-220.",
    doi="10.1145/3136755.3136817",
    url="https://arxiv.org/abs/1706.00527",
)
