"""Fuzz targets: every parser of foreign bytes, fed with wrong ones; few examples here, many with ``make fuzz``.

``make fuzz`` runs them twice, the second time with numba's own checks of bounds in all compiled code.
"""

from __future__ import annotations

from hypothesis import settings

FEW = settings(max_examples=max(settings().max_examples // 4, 1))
"""A quarter of the profile's examples, so that the ordinary suite stays short."""
