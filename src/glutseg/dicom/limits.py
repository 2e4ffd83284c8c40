"""Sizes that no CT has; a header that states more is an error."""

MAX_ROWS = 4096
"""Limit of rows and of columns: four times the largest CT matrix in common use."""

MAX_VOXELS = 2_000_000_000
"""Limit of voxels, 4 GB as int16 or 7000 slices of 512 x 512."""
