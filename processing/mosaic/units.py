"""Units of length on paper and fabric."""

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH
